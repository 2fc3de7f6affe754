//! The service on a loopback port, asked over HTTP.

use super::*;
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// A running service; it ends with the test's runtime.
struct Running {
    url: String,
    folder: tempfile::TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let service = Service {
            data: folder.path().join("data"),
            database: None,
            healthy: AtomicBool::new(true),
            hung: AtomicBool::new(false),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router(Arc::new(service))).await });
        Self { url, folder }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .body(Body::from(body.to_owned()))
            .unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn notes_are_kept_on_the_volume_and_shown_on_the_page() {
    let service = Running::start().await;
    assert_eq!(service.ask("GET", "/notes", "").await, (200, "[]".into()));
    assert_eq!(service.ask("POST", "/notes", "first").await.0, 201);
    assert_eq!(service.ask("GET", "/notes", "").await, (200, r#"["first"]"#.into()));
    assert!(service.ask("GET", "/", "").await.1.contains("<li>first</li>"));
    assert!(service.folder.path().join("data/notes").is_file());
}

#[tokio::test]
async fn health_follows_the_command() {
    let service = Running::start().await;
    assert_eq!(service.ask("GET", "/healthz", "").await.0, 200);
    service.ask("POST", "/healthz?ok=false", "").await;
    assert_eq!(service.ask("GET", "/healthz", "").await.0, 503);
    service.ask("POST", "/healthz?ok=true", "").await;
    assert_eq!(service.ask("GET", "/healthz", "").await.0, 200);
}

#[tokio::test]
async fn a_hung_service_answers_nobody() {
    let service = Running::start().await;
    assert_eq!(service.ask("POST", "/hang", "").await.0, 202);
    let asked = tokio::time::timeout(Duration::from_millis(300), service.ask("GET", "/healthz", "")).await;
    assert!(asked.is_err(), "{asked:?}");
}

#[tokio::test]
async fn failures_say_why() {
    let service = Running::start().await;
    for (path, expected) in [
        ("/db/notes", "DATABASE_URL is not set"),
        ("/file?path=/no/such/file", "No such file or directory"),
        ("/fetch?url=http://127.0.0.1:1/", "failed to ask http://127.0.0.1:1/"),
        ("/resolve?name=no-such-host.invalid", "error"),
    ] {
        let (status, body) = service.ask("GET", path, "").await;
        assert!(status == 500 && body.contains(expected), "{path}: {status} {body}");
    }
}

#[tokio::test]
async fn containers_can_ask_each_other() {
    let (one, other) = (Running::start().await, Running::start().await);
    let (status, body) = one.ask("GET", &format!("/fetch?url={}/healthz", other.url), "").await;
    assert_eq!(status, 200);
    assert!(body.contains("healthy") && body.contains("200"), "{body}");
    assert_eq!(one.ask("GET", "/resolve?name=127.0.0.1", "").await.1, r#"["127.0.0.1"]"#);
}
