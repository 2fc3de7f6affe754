//! Whose certificates are believed: public authorities, and for one driver those that its administrator adds.
//! There is no way to believe everybody.

use crate::error::RuntimeError;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, TrustAnchor, pem::PemObject as _},
};
use std::sync::Arc;

/// Certificate authorities that one driver believes besides the public ones, for private endpoints. Empty by default;
/// the caller bounds the text that it is read from (a KompoxDriver's has 64 KiB at most).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustBundle(Vec<TrustAnchor<'static>>);

/// A list of certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustBundleError {
    /// There is no certificate in it.
    #[error("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    Empty,
    /// One of them is malformed.
    #[error("certificate {number} cannot be used: {reason}")]
    Certificate {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl TrustBundle {
    /// Reads certificates in PEM form (RFC 7468, section 5), at least one. What stands between them is skipped.
    ///
    /// # Errors
    /// There is none, or one is malformed.
    pub fn from_pem(pem: &str) -> Result<Self, TrustBundleError> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
            let failed = |reason: String| TrustBundleError::Certificate { number: index + 1, reason };
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            roots.add(certificate).map_err(|error| failed(error.to_string()))?;
        }
        if roots.is_empty() { Err(TrustBundleError::Empty) } else { Ok(Self(roots.roots)) }
    }
}

/// What TLS settings are made from.
pub(crate) struct Trust(ConfigBuilder<ClientConfig, WantsVerifier>);

impl Trust {
    /// # Errors
    /// The cryptography cannot speak any version of TLS that is safe.
    pub(crate) fn new() -> Result<Self, RuntimeError> {
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map(Self)
            .map_err(|error| RuntimeError::Tls(error.to_string()))
    }

    /// The settings of connections that believe the public authorities and `own`.
    pub(crate) fn config(&self, own: &TrustBundle) -> ClientConfig {
        let public = webpki_roots::TLS_SERVER_ROOTS.iter();
        let roots = RootCertStore { roots: public.chain(&own.0).cloned().collect() };
        self.0.clone().with_root_certificates(roots).with_no_client_auth()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_names_the_certificate_that_is_wrong() {
        let good = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem();
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(TrustBundle::from_pem(&format!("# ours\n{good}\n{good}")).is_ok());
        assert_eq!(TrustBundle::from_pem("none"), Err(TrustBundleError::Empty));
        let error = TrustBundle::from_pem(&format!("{good}{bad}")).unwrap_err().to_string();
        assert!(error.starts_with("certificate 2 cannot be used: "), "{error}");
    }
}
