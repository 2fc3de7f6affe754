//! What the tests share: built guests, a runtime, calls, a loopback server, captured logs.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Frame, Incoming},
    header::HeaderName,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use kompox_core::driver::{Call, ClusterIdentity, Credentials, DiskRequest, Intent};
use kompox_driver_runtime::{
    ComponentCache, EgressGrant, EgressScope, LoadedDriver, PlainHttp, Runtime, RuntimeOptions,
};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::PathBuf,
    pin::Pin,
    process::Command,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};
use tokio::{net::TcpListener, sync::OnceCell};

/// The secret that must never be seen again.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// What the server gives at `/token`.
pub(crate) const ACCESS_TOKEN: &str = "ya29.c.b0AaekmZ1bQ-token/of~the+server";

static GUESTS: LazyLock<PathBuf> = LazyLock::new(build_guests);

/// Builds the guests once per test run; cargo does nothing if they are fresh.
fn build_guests() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = own.join("../../target/guests");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .current_dir(own.join("tests/guests"))
        // Flags of the outer build (coverage, sanitizers) are not for this target.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "the test guests do not build (`rustup target add wasm32-wasip2`?):\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target.join("wasm32-wasip2/debug")
}

pub(crate) fn guest(name: &str) -> Vec<u8> {
    std::fs::read(GUESTS.join(format!("{name}.wasm"))).expect("the guest is built")
}

/// Replaces a text in a component by another of the same length.
pub(crate) fn patched(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!at.is_empty(), "{from} is not in the component");
    for at in at {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

/// Allows the loopback server.
pub(crate) fn local_grant() -> EgressGrant {
    EgressGrant {
        scope: EgressScope::Declared,
        plain_http: PlainHttp::InGrantedNetworks,
        networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        ..EgressGrant::default()
    }
}

pub(crate) fn options(grant: EgressGrant) -> RuntimeOptions {
    RuntimeOptions {
        cache: ComponentCache::Directory(GUESTS.join("compiled")),
        grants: BTreeMap::from([("behaviours".to_owned(), grant)]),
        clock: Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)),
        ..RuntimeOptions::default()
    }
}

pub(crate) async fn load(options: RuntimeOptions) -> Arc<LoadedDriver> {
    let runtime = Runtime::new(options).unwrap();
    runtime.load(guest("behaviours")).await.unwrap()
}

/// The driver with the local grant; shared by the tests that need no options of their own.
pub(crate) async fn driver() -> Arc<LoadedDriver> {
    static DRIVER: OnceCell<Arc<LoadedDriver>> = OnceCell::const_new();
    Arc::clone(DRIVER.get_or_init(|| load(options(local_grant()))).await)
}

pub(crate) fn call(provider_type: &str, config: &[(&str, &str)]) -> Call {
    let secrets = [("accessKeyId", "AKIDEXAMPLE"), ("secretAccessKey", SECRET)];
    let mut config: BTreeMap<String, String> =
        config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    config.entry("region".to_owned()).or_insert_with(|| "us-west-2".to_owned());
    Call {
        provider_type: provider_type.to_owned(),
        config,
        cluster: ClusterIdentity { uid: "cluster-1".to_owned(), name: None, region: None },
        credentials: Credentials::new(secrets.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect()),
        subject: "KompoxDisk/ns/data".to_owned(),
        timeout: Duration::from_secs(30),
    }
}

/// A call with this behaviour.
pub(crate) fn behaving(behaviour: &str) -> Call {
    call("open", &[("behaviour", behaviour)])
}

pub(crate) fn intent() -> Intent {
    Intent { name: "k4x-0123456789ab-1".to_owned(), token: "f".repeat(32), tags: BTreeMap::new() }
}

pub(crate) fn request() -> DiskRequest {
    DiskRequest { size_bytes: 1, ..DiskRequest::default() }
}

/// A server on the loopback interface that ends with the test.
pub(crate) struct Server {
    pub(crate) origin: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    /// Accepted so far.
    pub(crate) connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let connections: Arc<AtomicUsize> = Arc::default();
        let accepted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::Relaxed);
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request| respond(request, Arc::clone(&seen)));
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { origin, requests, connections, task }
    }

    /// A call that posts to `path` of this server.
    pub(crate) fn call(&self, provider_type: &str, behaviour: &str, path: &str) -> Call {
        let url = format!("{}{path}", self.origin);
        let config = [
            ("behaviour", behaviour),
            ("endpoint", &self.origin),
            ("url", &url),
            ("body", "Action=DescribeVolumes"),
        ];
        call(provider_type, &config)
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

type Body = BoxBody<Bytes, Infallible>;

/// A body without an end: so many bytes, each after a pause.
struct Drip {
    pause: Duration,
    bytes: usize,
    due: Pin<Box<tokio::time::Sleep>>,
}

impl Drip {
    fn each(pause: Duration, bytes: usize) -> Self {
        Self { pause, bytes, due: Box::pin(tokio::time::sleep(pause)) }
    }
}

impl hyper::body::Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.pause.is_zero() {
            ready!(self.due.as_mut().poll(cx));
            self.due = Box::pin(tokio::time::sleep(self.pause));
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; self.bytes])))))
    }
}

async fn respond(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<String>>>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut text = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    text.push_str(&format!("\n{}", String::from_utf8_lossy(&body)));
    seen.lock().unwrap().push(text.clone());
    let answer = |status: u16, text: String| {
        Response::builder().status(status).body(BodyExt::boxed(Full::from(text))).unwrap()
    };
    Ok(match parts.uri.path() {
        "/secret" => answer(403, format!("refused for key {SECRET}")),
        "/redirect" => {
            let mut response = answer(302, "elsewhere".to_owned());
            response.headers_mut().insert("location", "http://169.254.169.254/latest/".parse().unwrap());
            response
        }
        "/token" => answer(200, format!(r#"{{"access_token":"{ACCESS_TOKEN}","expires_in":3600}}"#)),
        "/big" => answer(200, "x".repeat(20 << 20)),
        "/throttled" => {
            let mut response = answer(429, "slow down".to_owned());
            response.headers_mut().insert("retry-after", "120".parse().unwrap());
            response
        }
        "/many-headers" => {
            let mut response = answer(200, String::new());
            for number in 0..1_000 {
                let name: HeaderName = format!("x-{number}").parse().unwrap();
                response.headers_mut().insert(name, "v".parse().unwrap());
            }
            response
        }
        "/drip" => Response::new(BodyExt::boxed(Drip::each(Duration::from_millis(20), 1))),
        "/stall" => Response::new(BodyExt::boxed(Drip::each(Duration::from_secs(3600), 1))),
        "/endless" => Response::new(BodyExt::boxed(Drip::each(Duration::ZERO, 64 << 10))),
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer(200, "late".to_owned())
        }
        "/hang" => std::future::pending().await,
        _ => answer(200, text),
    })
}

/// Collects what is logged by the thread that holds the guard.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub(crate) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let logs = Self::default();
        let writer = logs.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            // As the operator does: the bindings would log what guests pass to them.
            .with_env_filter("info,kompox_driver_runtime=trace")
            .with_writer(move || writer.clone())
            .finish();
        (logs, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
