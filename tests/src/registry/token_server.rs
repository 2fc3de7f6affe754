//! A token server for the registries of tests, on loopback. It is ours and simulates what companies run; who takes
//! its tokens, or does not, is the real registry. It speaks the two protocols that registries document: a GET with
//! or without a password, and the exchange of a refresh token (OAuth 2).

use super::users::{IDENTITY_TOKEN, READER, USER};
use crate::cloud::form;
use anyhow::{Context as _, Result};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header::AUTHORIZATION, service::service_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SigningKey as _};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The name under which registries ask for tokens.
const SERVICE: &str = "registry of the tests";
const ISSUER: &str = "token server of the tests";
/// The registry takes tokens so long after their end (distribution, registry/auth/token).
const LEEWAY: Duration = Duration::from_secs(60);
/// What anybody may pull.
const PUBLIC: &str = "public/";

/// What a registry has to know of the token server that it names and trusts.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Where it answers.
    pub realm: String,
    /// For whom its tokens are.
    pub service: &'static str,
    /// Who it says that it is.
    pub issuer: &'static str,
    /// The certificate (PEM) of its key.
    pub certificate: String,
}

/// What a client asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The `Authorization`, decoded as far as it is of the type Basic.
    pub authorization: Option<String>,
    /// Its parameters, in the query or in a form.
    pub parameters: BTreeMap<String, String>,
}

/// A running token server. It ends when dropped.
#[derive(Debug)]
pub struct TokenServer {
    address: SocketAddr,
    certificate: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    key: KeyPair,
    certificate: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    asked: Vec<Asked>,
    valid: Duration,
    elsewhere: Option<String>,
}

impl TokenServer {
    /// Starts one with a key of its own on a free port of the loopback.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start() -> Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let certificate = CertificateParams::new(Vec::new())?.self_signed(&key)?;
        let state = State { asked: Vec::new(), valid: Duration::from_secs(300), elsewhere: None };
        let shared =
            Shared { key, certificate: STANDARD.encode(certificate.der()), state: Mutex::new(state) };
        let shared = Arc::new(shared);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, certificate: certificate.pem(), shared, task })
    }

    /// What a registry has to know to name and trust it.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        Tokens {
            realm: self.realm(),
            service: SERVICE,
            issuer: ISSUER,
            certificate: self.certificate.clone(),
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn realm(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The registry takes the next tokens so long, one second at least.
    pub fn next_tokens_last(&self, valid: Duration) {
        self.shared.state(|state| state.valid = valid);
    }

    /// From now on it sends everybody on to this address (307).
    pub fn sends_on_to(&self, address: String) {
        self.shared.state(|state| state.elsewhere = Some(address));
    }

    /// What it was asked so far, in order; it forgets it.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.state(|state| std::mem::take(&mut state.asked))
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// A test that panicked with the lock held has failed already.
    fn state<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, method: &Method, asked: &Asked) -> (StatusCode, Value) {
        let rights = if *method == Method::POST {
            match asked.parameters.get("refresh_token").map(String::as_str) {
                Some(IDENTITY_TOKEN) => Rights::All,
                // RFC 6749 §5.2.
                _ => return (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" })),
            }
        } else {
            match Rights::of(asked.authorization.as_deref()) {
                Some(rights) => rights,
                None => {
                    return (
                        StatusCode::UNAUTHORIZED,
                        json!({ "details": "incorrect username or password" }),
                    );
                }
            }
        };
        let scope = asked.parameters.get("scope").map(String::as_str).unwrap_or_default();
        // The one name is of the first protocol, the other of OAuth 2.
        let name = if *method == Method::POST { "access_token" } else { "token" };
        match self.token(scope, rights) {
            Ok(token) => (StatusCode::OK, json!({ name: token })),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, json!({ "details": error.to_string() })),
        }
    }

    /// A JSON Web Token for what of the scope is allowed.
    fn token(&self, scope: &str, rights: Rights) -> Result<String> {
        let valid = self.state(|state| state.valid);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let access = rights.access(scope);
        let header = json!({ "typ": "JWT", "alg": "EdDSA", "x5c": [self.certificate] });
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": "tests", "access": access,
            "nbf": 0, "exp": (now + valid).saturating_sub(LEEWAY).as_secs(),
        });
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }
}

#[derive(Clone, Copy)]
enum Rights {
    Public,
    Read,
    All,
}

impl Rights {
    /// `None`: the password is wrong.
    fn of(authorization: Option<&str>) -> Option<Self> {
        let is = |(user, password): (&str, &str)| authorization == Some(&format!("{user}:{password}"));
        match authorization {
            None => Some(Self::Public),
            _ if is(USER) => Some(Self::All),
            _ if is(READER) => Some(Self::Read),
            _ => None,
        }
    }

    /// The claim for a scope such as `repository:acme/driver:pull,push`.
    fn access(self, scope: &str) -> Value {
        let mut parts = scope.splitn(3, ':');
        let (type_, name, asked) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
        let allowed: Vec<&str> = asked
            .unwrap_or_default()
            .split(',')
            .filter(|action| match self {
                Self::Public => *action == "pull" && name.starts_with(PUBLIC),
                Self::Read => *action == "pull",
                Self::All => true,
            })
            .collect();
        json!([{ "type": type_, "name": name, "actions": allowed }])
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| respond(Arc::clone(&shared), request));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, 64 << 10).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("failed to read the question: {error}"))?.to_bytes();
    let mut parameters = form(parts.uri.query().unwrap_or_default().as_bytes());
    parameters.extend(form(&body));
    let authorization = parts.headers.get(AUTHORIZATION).map(|value| decoded(value.as_bytes()));
    let asked = Asked { authorization, parameters };
    let elsewhere = shared.state(|state| {
        state.asked.push(asked.clone());
        state.elsewhere.clone()
    });
    if let Some(elsewhere) = elsewhere {
        let response =
            Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header("location", elsewhere);
        return Ok(response.body(Full::default())?);
    }
    let (status, answer) = shared.answer(&parts.method, &asked);
    Ok(Response::builder().status(status).body(Full::new(answer.to_string().into()))?)
}

/// `user:password`, or the whole value if it is of another type.
fn decoded(authorization: &[u8]) -> String {
    let text = String::from_utf8_lossy(authorization).into_owned();
    let joined = text.strip_prefix("Basic ").and_then(|encoded| STANDARD.decode(encoded).ok());
    joined.and_then(|joined| String::from_utf8(joined).ok()).unwrap_or(text)
}
