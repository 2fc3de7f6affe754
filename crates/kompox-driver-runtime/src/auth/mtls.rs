//! `mtls`: a client certificate is shown when TLS begins.
//!
//! Params: `certificateKey` and `privateKeyKey` (of the Secret, default `tls.crt` and `tls.key`, as in a
//! Secret of type `kubernetes.io/tls`).

use super::{
    Failure, Kind, Signer,
    settings::{Form, Need, Param},
    source::{Slot, Source},
    unchecked,
};
use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use secrecy::ExposeSecret as _;
use std::sync::Arc;

pub(super) const KIND: Kind = Kind {
    name: "mtls",
    params: &[
        Param { name: "certificateKey", need: Need::Default("tls.crt"), form: Form::SecretKey },
        Param { name: "privateKeyKey", need: Need::Default("tls.key"), form: Form::SecretKey },
    ],
    identifiers: &["tls.crt"],
    check: unchecked,
    signer,
};

/// Certificates of a chain at most.
const CHAIN: usize = 16;

/// A certificate with its key. Connections made with it are its own.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificate {
    slot: Slot,
    key: Arc<CertifiedKey>,
}

impl ClientCertificate {
    /// Tells apart the connections of different credentials.
    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let (certificate, private) =
        (source.settings.get("certificateKey"), source.settings.get("privateKeyKey"));
    let pem = source.secret(certificate)?.expose_secret().as_bytes();
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).take(CHAIN).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| source.invalid(certificate, "it is not a certificate in PEM form"))?;
    let key = PrivateKeyDer::from_pem_slice(source.secret(private)?.expose_secret().as_bytes())
        .map_err(|_| source.invalid(private, "it is not a private key in PEM form without a passphrase"))?;
    let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|_| source.invalid(private, "it is not the key of the certificate"))?;
    Ok(Signer::Certificate(ClientCertificate { slot: source.slot, key: Arc::new(key) }))
}
