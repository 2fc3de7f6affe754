//! Keys, certificates and tokens of one cluster, made anew at each start, except for the key that
//! signs ServiceAccount tokens: those outlive a restart.

use super::{Error, flags};
use crate::files;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kube::Config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt::Write as _, path::Path};

/// Context, cluster and user name in every kubeconfig written here.
pub(super) const CONTEXT: &str = "kompox-dev";

/// Someone who talks to the API server with a token of the cluster's token file.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    user: &'static str,
    groups: &'static str,
    token: SecretString,
}

/// What proves who is who in one cluster.
#[derive(Debug)]
pub(super) struct Credentials {
    ca_pem: String,
    ca_der: Vec<u8>,
    /// The developer.
    pub(super) admin: Identity,
    /// Not the administrator, so that its requests can be told apart in metrics and audit logs.
    pub(super) kubelet: Identity,
    pub(super) controller_manager: Identity,
    pub(super) scheduler: Identity,
}

impl Credentials {
    /// Makes them and writes what the parts read into `directory`.
    pub(super) fn create(directory: &Path) -> Result<Self, Error> {
        let pki = directory.join("pki");
        files::private_directory(&pki).map_err(|source| Error::File { path: pki, source })?;
        let ca = certificates(directory)?;
        account_key(directory)?;
        let credentials = Self {
            ca_pem: ca.pem(),
            ca_der: ca.der().to_vec(),
            admin: Identity::new("kompox-dev-admin", "system:masters")?,
            kubelet: Identity::new("kompox-dev-kubelet", "system:masters")?,
            controller_manager: Identity::new("system:kube-controller-manager", "")?,
            scheduler: Identity::new("system:kube-scheduler", "")?,
        };
        write(directory, flags::TOKENS, &credentials.token_file())?;
        Ok(credentials)
    }

    /// A client's configuration for the program at `port`.
    pub(super) fn config(&self, identity: &Identity, port: u16) -> Result<Config, Error> {
        let server = server(port).parse().map_err(|_| Error::Credentials { what: "server address" })?;
        let mut config = Config::new(server);
        config.root_cert = Some(vec![self.ca_der.clone()]);
        config.auth_info.token = Some(identity.token.clone());
        // The environment may name a proxy; this is loopback.
        config.proxy_url = None;
        Ok(config)
    }

    /// A kubeconfig with everything inside. Every value is hexadecimal, base64 or ours: no quoting.
    pub(super) fn kubeconfig(&self, identity: &Identity, port: u16) -> SecretString {
        let (server, ca) = (server(port), BASE64.encode(&self.ca_pem));
        let token = identity.token.expose_secret();
        format!(
            "apiVersion: v1
kind: Config
current-context: {CONTEXT}
contexts:
- name: {CONTEXT}
  context:
    cluster: {CONTEXT}
    user: {CONTEXT}
    namespace: default
clusters:
- name: {CONTEXT}
  cluster:
    server: {server}
    certificate-authority-data: {ca}
users:
- name: {CONTEXT}
  user:
    token: {token}
"
        )
        .into()
    }

    /// Columns: token, user, uid, groups (Kubernetes documentation, "Static token file").
    fn token_file(&self) -> String {
        [&self.admin, &self.kubelet, &self.controller_manager, &self.scheduler]
            .into_iter()
            .map(|Identity { user, groups, token }| {
                format!("{},{user},{user},\"{groups}\"\n", token.expose_secret())
            })
            .collect()
    }
}

impl Identity {
    fn new(user: &'static str, groups: &'static str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
        if !matches!(filled, Ok(32)) {
            return Err(Error::Credentials { what: "random token" });
        }
        let mut token = String::with_capacity(64);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        Ok(Self { user, groups, token: token.into() })
    }
}

pub(super) fn server(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

fn certificates(directory: &Path) -> Result<CertifiedIssuer<'static, KeyPair>, Error> {
    let failed = |_| Error::Credentials { what: "certificate" };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "kompox-dev");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(failed)?).map_err(failed)?;

    let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(String::from);
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "kompox-dev-control-plane");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.signed_by(&key, &ca).map_err(failed)?;
    write(directory, flags::CA, &ca.pem())?;
    write(directory, flags::SERVING_CERTIFICATE, &certificate.pem())?;
    write(directory, flags::SERVING_KEY, &key.serialize_pem())?;
    Ok(ca)
}

fn account_key(directory: &Path) -> Result<(), Error> {
    let (private, public) = (directory.join(flags::ACCOUNT_KEY), directory.join(flags::ACCOUNT_PUBLIC_KEY));
    if private.is_file() && public.is_file() {
        return Ok(());
    }
    let key = KeyPair::generate().map_err(|_| Error::Credentials { what: "service account key" })?;
    write(directory, flags::ACCOUNT_KEY, &key.serialize_pem())?;
    write(directory, flags::ACCOUNT_PUBLIC_KEY, &key.public_key_pem())
}

pub(super) fn write(directory: &Path, name: &str, content: &str) -> Result<(), Error> {
    let path = directory.join(name);
    files::write_private(&path, content).map_err(|source| Error::File { path, source })
}
