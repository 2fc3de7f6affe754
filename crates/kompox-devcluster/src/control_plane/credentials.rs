//! Keys, certificates and tokens of one cluster, made anew at each start, except for the key that
//! signs ServiceAccount tokens: those outlive a restart.

use super::{Error, Settings, flags};
use crate::{files, part};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kube::Config;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt::Write as _, net::SocketAddrV4, path::Path};

/// Context, cluster and user name in every kubeconfig written here.
pub(super) const CONTEXT: &str = "kompox-dev";

const MASTERS: &str = "system:masters";

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Someone who talks to the API server with a token of the cluster's token file.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    user: String,
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
    node: Option<NodeCredentials>,
}

/// What proves who is who on the real node.
#[derive(Debug)]
struct NodeCredentials {
    kubelet: Identity,
    proxy: Identity,
    dns: Identity,
    certificate: String,
    key: SecretString,
}

/// The files that the parts of the real node read.
#[derive(Debug)]
pub(crate) struct NodeFiles {
    /// Who may call the kubelet: clients with a certificate of this authority.
    pub(crate) ca: String,
    /// What the kubelet shows to those who call it.
    pub(crate) certificate: String,
    /// The key of that certificate.
    pub(crate) key: SecretString,
    /// The kubelet's kubeconfig.
    pub(crate) kubelet: SecretString,
    /// kube-proxy's kubeconfig.
    pub(crate) proxy: SecretString,
    /// The name server's kubeconfig.
    pub(crate) dns: SecretString,
}

impl Credentials {
    /// Makes them and writes what the parts read into `directory`.
    pub(super) fn create(directory: &Path, settings: &Settings) -> Result<Self, Error> {
        let pki = directory.join("pki");
        files::private_directory(&pki)
            .map_err(|source| Error::Part(part::Error::File { path: pki, source }))?;
        let ca = authority()?;
        serving_certificate(directory, &ca, settings)?;
        account_key(directory)?;
        let node = settings.node.as_ref().map(|_| NodeCredentials::create(directory, &ca, settings));
        let credentials = Self {
            node: node.transpose()?,
            ca_pem: ca.pem(),
            ca_der: ca.der().to_vec(),
            admin: Identity::new("kompox-dev-admin", MASTERS)?,
            kubelet: Identity::new("kompox-dev-kubelet", MASTERS)?,
            controller_manager: Identity::new("system:kube-controller-manager", "")?,
            scheduler: Identity::new("system:kube-scheduler", "")?,
        };
        write(directory, flags::TOKENS, &credentials.token_file())?;
        Ok(credentials)
    }

    /// A client's configuration for the program at `socket`.
    pub(super) fn config(&self, identity: &Identity, socket: SocketAddrV4) -> Result<Config, Error> {
        let server = server(socket).parse().map_err(|_| Error::Credentials { what: "server address" })?;
        let mut config = Config::new(server);
        config.root_cert = Some(vec![self.ca_der.clone()]);
        config.auth_info.token = Some(identity.token.clone());
        // The environment may name a proxy; this never leaves the machine.
        config.proxy_url = None;
        Ok(config)
    }

    /// A kubeconfig with everything inside. Every value is hexadecimal, base64 or ours: no quoting.
    pub(super) fn kubeconfig(&self, identity: &Identity, socket: SocketAddrV4) -> SecretString {
        let (server, ca) = (server(socket), BASE64.encode(&self.ca_pem));
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

    /// The files for the real node's parts, which call the API server at `socket`.
    pub(super) fn node_files(&self, socket: SocketAddrV4) -> Option<NodeFiles> {
        let node = self.node.as_ref()?;
        Some(NodeFiles {
            ca: self.ca_pem.clone(),
            certificate: node.certificate.clone(),
            key: node.key.clone(),
            kubelet: self.kubeconfig(&node.kubelet, socket),
            proxy: self.kubeconfig(&node.proxy, socket),
            dns: self.kubeconfig(&node.dns, socket),
        })
    }

    /// Columns: token, user, uid, groups (Kubernetes documentation, "Static token file").
    fn token_file(&self) -> String {
        [&self.admin, &self.kubelet, &self.controller_manager, &self.scheduler]
            .into_iter()
            .chain(self.node.iter().flat_map(|node| [&node.kubelet, &node.proxy, &node.dns]))
            .map(|Identity { user, groups, token }| {
                format!("{},{user},{user},\"{groups}\"\n", token.expose_secret())
            })
            .collect()
    }
}

impl NodeCredentials {
    fn create(directory: &Path, ca: &Authority, settings: &Settings) -> Result<Self, Error> {
        let Some(node) = &settings.node else { return Err(Error::Credentials { what: "node's name" }) };
        // The API server's own identity towards kubelets; the group may do everything.
        let mut client = CertificateParams::default();
        client.distinguished_name.push(DnType::CommonName, "kompox-dev-api-server");
        client.distinguished_name.push(DnType::OrganizationName, MASTERS);
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = issue(&client, ca)?;
        write(directory, flags::KUBELET_CLIENT_CERTIFICATE, &certificate)?;
        write(directory, flags::KUBELET_CLIENT_KEY, &key)?;

        let name = format!("system:node:{}", node.name);
        let mut serving = named(vec![node.name.clone(), node.address.to_string()])?;
        serving.distinguished_name.push(DnType::CommonName, name.clone());
        serving.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = issue(&serving, ca)?;
        Ok(Self {
            // Names and groups that the node authorizer and the built-in roles know.
            kubelet: Identity::new(&name, "system:nodes")?,
            proxy: Identity::new("system:kube-proxy", "")?,
            dns: Identity::new(crate::node::DNS_USER, "")?,
            certificate,
            key: key.into(),
        })
    }
}

impl Identity {
    fn new(user: &str, groups: &'static str) -> Result<Self, Error> {
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
        Ok(Self { user: user.to_owned(), groups, token: token.into() })
    }
}

pub(super) fn server(socket: SocketAddrV4) -> String {
    format!("https://{socket}")
}

fn authority() -> Result<Authority, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "kompox-dev");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate().map_err(no_certificate)?;
    CertifiedIssuer::self_signed(params, key).map_err(no_certificate)
}

/// The names are those by which pods call the API server, too.
fn serving_certificate(directory: &Path, ca: &Authority, settings: &Settings) -> Result<(), Error> {
    let mut names: Vec<_> =
        ["127.0.0.1", "localhost", "10.96.0.1", "kubernetes", "kubernetes.default"].map(String::from).into();
    names.extend(["kubernetes.default.svc", "kubernetes.default.svc.cluster.local"].map(String::from));
    names.push(settings.address().to_string());
    let mut params = named(names)?;
    params.distinguished_name.push(DnType::CommonName, "kompox-dev-control-plane");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let (certificate, key) = issue(&params, ca)?;
    write(directory, flags::CA, &ca.pem())?;
    write(directory, flags::SERVING_CERTIFICATE, &certificate)?;
    write(directory, flags::SERVING_KEY, &key)
}

fn named(names: Vec<String>) -> Result<CertificateParams, Error> {
    CertificateParams::new(names).map_err(no_certificate)
}

/// Certificate and key in PEM.
fn issue(params: &CertificateParams, ca: &Authority) -> Result<(String, String), Error> {
    let key = KeyPair::generate().map_err(no_certificate)?;
    let certificate = params.signed_by(&key, ca).map_err(no_certificate)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn no_certificate(_: rcgen::Error) -> Error {
    Error::Credentials { what: "certificate" }
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
    files::write_private(&path, content).map_err(|source| Error::Part(part::Error::File { path, source }))
}
