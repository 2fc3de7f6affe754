//! Certificates: an authority that is made once and kept, and for every host that an Ingress names a certificate,
//! made when it is first asked for. They prove nothing to anyone who does not trust the authority.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use super::view::View;
use super::{Error, route};
use crate::files;

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
/// Largest key file that is read.
const LARGEST: u64 = 16 << 10;
/// Certificates in memory; beyond it all are forgotten and made again.
const MAX_CERTIFICATES: usize = 512;
/// Whoever names no host, or an unknown one, gets this one's.
const FALLBACK: &str = "localhost";

/// Who signs.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    path: PathBuf,
}

impl Authority {
    /// Opens the authority in `directory`, or makes it.
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        files::private_directory(directory).map_err(failed(directory))?;
        let (path, key_path) = (directory.join(CERTIFICATE), directory.join(KEY));
        if path.is_file() && key_path.is_file() {
            let text = files::read_bounded(&key_path, LARGEST).map_err(failed(&key_path))?;
            let key = KeyPair::from_pem(&text).map_err(wrong("authority's key"))?;
            return Ok(Self { issuer: Issuer::new(params(), key), path });
        }
        let key = KeyPair::generate().map_err(wrong("authority's key"))?;
        files::write_private(&key_path, &key.serialize_pem()).map_err(failed(&key_path))?;
        let made = CertifiedIssuer::self_signed(params(), key).map_err(wrong("authority"))?;
        files::write_private(&path, &made.pem()).map_err(failed(&path))?;
        // Read back: one way to have an authority.
        Self::open(directory)
    }

    /// Its certificate, as PEM.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A certificate for a host, with the loopback address beside `localhost`.
    fn certify(&self, host: &str) -> Result<CertifiedKey, Error> {
        let mut names = vec![host.to_owned()];
        if host == FALLBACK {
            names.push("127.0.0.1".to_owned());
        }
        let mut params = CertificateParams::new(names).map_err(wrong("certificate"))?;
        params.distinguished_name.push(DnType::CommonName, host);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(wrong("certificate's key"))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(wrong("certificate"))?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = aws_lc_rs::sign::any_supported_type(&der).map_err(wrong("certificate's key"))?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
    }
}

/// The same at every start: certificates name their issuer by what is in here and its key.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Kompox development ingress");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn wrong<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Certificate { what, reason: error.to_string() }
}

/// Decrypts connections, with the certificate of the host that the client names.
pub(super) fn acceptor(authority: Authority, view: View) -> Result<TlsAcceptor, Error> {
    let fallback = Arc::new(authority.certify(FALLBACK)?);
    let resolver = Resolver { authority, view, fallback, made: Mutex::default() };
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(wrong("TLS settings"))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

struct Resolver {
    authority: Authority,
    view: View,
    fallback: Arc<CertifiedKey>,
    /// By host.
    made: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Resolver {
    fn certificate(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        if !route::knows(&self.view.served(), host) {
            return None;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = made.get(host) {
            return Some(Arc::clone(certificate));
        }
        let certificate = Arc::new(self.authority.certify(host).ok()?);
        if made.len() >= MAX_CERTIFICATES {
            made.clear();
        }
        made.insert(host.to_owned(), Arc::clone(&certificate));
        Some(certificate)
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name().map(str::to_ascii_lowercase);
        let certificate = host.and_then(|host| self.certificate(&host));
        Some(certificate.unwrap_or_else(|| Arc::clone(&self.fallback)))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
