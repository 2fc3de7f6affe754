//! What the tests of the profiles share: a token endpoint on the loopback interface that records what
//! it is sent, and a bench that signs requests as a call does.

use super::{Desk, Failure, Signer, Tokens, Wire, WorkloadIdentity, check, redactor, signers};
use crate::{
    egress::{Endpoints, Policy},
    http::Client,
    options::{Clock, EgressGrant, Limits, PlainHttp},
    redact::Redactor,
    trust::{Trust, TrustBundle},
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use kompox_core::driver::{Call, ClusterIdentity, Credentials, Provider};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// The certificate that the client showed.
    pub(super) certificate: Option<Vec<u8>>,
}

impl Seen {
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// An answer of the test.
#[derive(Clone)]
pub(super) enum Reply {
    Now { status: u16, headers: Vec<(&'static str, String)>, body: String },
    Never,
}

pub(super) fn reply(status: u16, body: impl Into<Text>) -> Reply {
    Reply::Now { status, headers: Vec::new(), body: body.into().0 }
}

impl Reply {
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Now { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// The body of an answer: a text, or a JSON document.
pub(super) struct Text(String);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Value> for Text {
    fn from(document: Value) -> Self {
        Self(document.to_string())
    }
}

/// A token as OAuth servers give it.
pub(super) fn token(text: &str, seconds: u64) -> Reply {
    reply(200, json!({ "access_token": text, "token_type": "Bearer", "expires_in": seconds }))
}

type Answering = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A server that ends with the test.
pub(super) struct Server {
    pub(super) origin: String,
    /// PEM; empty without TLS.
    pub(super) certificate: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(answer)).await
    }

    /// With TLS; `clients` are the certificates of which a client must show one.
    pub(super) async fn tls(
        clients: &[CertificateDer<'static>],
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if clients.is_empty() {
            builder.with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(clients.iter().cloned());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        };
        let config = builder.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::serve(Some((acceptor, own.cert.pem())), Arc::new(answer)).await
    }

    async fn serve(tls: Option<(TlsAcceptor, String)>, answer: Answering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let (acceptor, certificate) = tls.unzip();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let handler =
                    Handler { seen: Arc::clone(&kept), answer: Arc::clone(&answer), certificate: None };
                tokio::spawn(accepted(stream, acceptor.clone(), handler));
            }
        });
        Self { origin, certificate: certificate.unwrap_or_default(), seen, task }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Handler {
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Answering,
    certificate: Option<Vec<u8>>,
}

async fn accepted(stream: TcpStream, acceptor: Option<TlsAcceptor>, mut handler: Handler) {
    let Some(acceptor) = acceptor else { return connection(stream, handler).await };
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let shown = stream.get_ref().1.peer_certificates();
    handler.certificate = shown.and_then(|chain| Some(chain.first()?.to_vec()));
    connection(stream, handler).await;
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, handler: Handler) {
    let service = service_fn(move |request| respond(request, handler.clone()));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: Request<Incoming>, handler: Handler) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let seen = Seen {
        line: format!("{} {}", parts.method, parts.uri),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        certificate: handler.certificate,
    };
    handler.seen.lock().unwrap().push(seen.clone());
    let Reply::Now { status, headers, body } = (handler.answer)(&seen) else {
        return std::future::pending().await;
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(body)).unwrap())
}

/// Signs requests for one profile as a call does.
pub(super) struct Bench {
    pub(super) call: Call,
    pub(super) identity: Option<WorkloadIdentity>,
    pub(super) tokens: Tokens,
    pub(super) redactor: Redactor,
    pub(super) client: Client,
    pub(super) provider: Provider,
    host: Client,
    policy: Policy,
    grant: EgressGrant,
    limits: Limits,
    clock: Clock,
    now: Arc<Mutex<SystemTime>>,
}

/// What signing gave, and the request that it gave it for.
pub(super) type Signed = Result<Parts, Failure>;

impl Bench {
    /// A profile of `kind`; the driver's one endpoint is `server`.
    pub(super) fn new(
        kind: &str,
        params: &[(&str, &str)],
        secrets: &[(&str, &str)],
        server: &Server,
    ) -> Self {
        let params: BTreeMap<&str, &str> = params.iter().copied().collect();
        let provider: Provider = serde_json::from_value(json!({
            "type": "test",
            "endpoints": [{ "url": "{config.endpoint}", "auth": "profile" }],
            "authProfiles": [{ "name": "profile", "kind": kind, "params": params }],
        }))
        .unwrap();
        provider.auth_profiles.iter().for_each(|profile| check(profile).unwrap());
        let grant = EgressGrant {
            plain_http: PlainHttp::InGrantedNetworks,
            networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            origins: vec![server.origin.clone()],
            trust_bundle: TrustBundle::from_pem(&server.certificate).unwrap_or_default(),
            ..EgressGrant::default()
        };
        let limits = Limits {
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(10),
            ..Limits::default()
        };
        let trust = Trust::new().unwrap();
        let config = BTreeMap::from([("endpoint".to_owned(), server.origin.clone())]);
        let now = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)));
        let kept = Arc::clone(&now);
        let secrets = secrets.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        let call = Call {
            provider_type: "test".to_owned(),
            cluster: ClusterIdentity { uid: "cluster-1".to_owned(), name: None, region: None },
            credentials: Credentials::new(secrets.collect()),
            subject: "KompoxDisk/ns/data".to_owned(),
            timeout: Duration::from_secs(30),
            config,
        };
        Self {
            identity: None,
            tokens: Tokens::default(),
            redactor: redactor(Some(&provider), &call).unwrap(),
            client: Client::new(&trust, &grant, &limits),
            host: Client::new(&trust, &grant, &limits),
            policy: Policy::Open(Endpoints::resolve(&provider, &call.config, &grant)),
            clock: Arc::new(move || *kept.lock().unwrap()),
            provider,
            call,
            grant,
            limits,
            now,
        }
    }

    /// The operator has this identity, and the driver may use it.
    pub(super) fn with_identity(mut self, identity: WorkloadIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Waits for `milliseconds` only.
    pub(super) fn impatient(mut self, milliseconds: u64) -> Self {
        self.limits.connect_timeout = Duration::ZERO;
        self.limits.first_byte_timeout = Duration::from_millis(milliseconds);
        self
    }

    /// Asks `server` instead, trusting whom it trusted before.
    pub(super) fn reaching(mut self, server: &Server) -> Self {
        let grant = EgressGrant { origins: vec![server.origin.clone()], ..self.grant.clone() };
        self.call.config.insert("endpoint".to_owned(), server.origin.clone());
        self.policy = Policy::Open(Endpoints::resolve(&self.provider, &self.call.config, &grant));
        self
    }

    pub(super) fn advance(&self, seconds: u64) {
        *self.now.lock().unwrap() += Duration::from_secs(seconds);
    }

    pub(super) fn desk(&self) -> Desk<'_> {
        Desk { wire: self.wire(), tokens: &self.tokens, redactor: &self.redactor }
    }

    pub(super) fn wire(&self) -> Wire<'_> {
        Wire {
            policy: &self.policy,
            driver: &self.client,
            host: &self.host,
            limits: &self.limits,
            clock: &self.clock,
            redactor: &self.redactor,
        }
    }

    #[expect(clippy::unwrap_in_result, reason = "a test: what it is made of is written in it")]
    pub(super) fn signer(&self) -> Result<Signer, Failure> {
        let signers = signers("sha256:one", &self.provider, &self.call, self.identity.as_ref());
        signers.unwrap().remove("profile").unwrap()
    }

    /// Signs a request without a body.
    pub(super) async fn sign(&self) -> Signed {
        self.sign_request(Request::get(format!("{}/v1/disks", self.call.config["endpoint"])), "").await
    }

    pub(super) async fn sign_request(&self, request: http::request::Builder, body: &str) -> Signed {
        let (mut parts, ()) = request.header("host", "api.example").body(()).unwrap().into_parts();
        self.signer()?.sign(&mut parts, body.as_bytes(), &self.desk()).await?;
        Ok(parts)
    }

    /// The header `Authorization` of a signed request.
    pub(super) async fn authorization(&self) -> Result<String, Failure> {
        self.sign().await.map(|parts| parts.headers["authorization"].to_str().unwrap().to_owned())
    }
}
