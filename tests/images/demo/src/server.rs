//! The HTTP side. `GET /` is for people; everything else answers JSON.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Serve, client, disk, notes, page, process, stop};

/// Most bytes of a note or a file that are taken.
const LARGEST: usize = 1 << 20;

/// What requests share.
#[derive(Debug)]
struct Service {
    /// Folder of the notes on the volume.
    data: PathBuf,
    database: Option<String>,
    healthy: AtomicBool,
    /// No request is answered any more.
    hung: AtomicBool,
}

type Shared = State<Arc<Service>>;

/// Listens until a signal ends it.
///
/// # Errors
/// When the address is taken or a signal cannot be listened to.
pub(crate) async fn run(options: Serve) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_secs(options.start_after)).await;
    let service = Service {
        data: options.data.clone(),
        database: options.database.clone(),
        healthy: AtomicBool::new(!options.unhealthy),
        hung: AtomicBool::new(false),
    };
    let listener = tokio::net::TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("failed to listen at {}", options.listen))?;
    println!("demo: listening at {}", options.listen);
    // Connections that are open do not delay the end.
    tokio::select! {
        served = axum::serve(listener, router(Arc::new(service))) => served.context("failed to serve"),
        requested = stop::requested(&options) => requested,
    }
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(health).post(set_health))
        .route("/notes", get(volume_notes).post(add_volume_note))
        .route("/db/notes", get(database_notes).post(add_database_note))
        .route("/file", get(show_file).put(write_file))
        .route("/fill", post(fill))
        .route("/self", get(async || Json(process::Facts::read())))
        .route("/mounts", get(async || process::mounts().map(Json).map_err(Failed::new)))
        .route("/headers", get(headers))
        .route("/resolve", get(resolve))
        .route("/fetch", get(fetch))
        .route("/exit", post(exit))
        .route("/hang", post(hang))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn_with_state(service.clone(), unless_hung))
        .with_state(service)
}

async fn unless_hung(State(service): Shared, request: Request, next: Next) -> Response {
    if service.hung.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    next.run(request).await
}

async fn index(State(service): Shared) -> Result<Html<String>, Failed> {
    let on_volume = disk::lines(&service.data.join("notes"))?;
    let in_database = match &service.database {
        Some(url) => Some(notes::list(url).await?),
        None => None,
    };
    Ok(Html(page::page(&on_volume, in_database.as_deref())))
}

async fn health(State(service): Shared) -> (StatusCode, Json<Value>) {
    let healthy = service.healthy.load(Ordering::Relaxed);
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "healthy": healthy })))
}

/// `?ok=true` or `?ok=false`.
#[derive(Deserialize)]
struct Health {
    ok: bool,
}

async fn set_health(State(service): Shared, Query(asked): Query<Health>) -> Json<Value> {
    service.healthy.store(asked.ok, Ordering::Relaxed);
    Json(json!({ "healthy": asked.ok }))
}

async fn volume_notes(State(service): Shared) -> Result<Json<Vec<String>>, Failed> {
    Ok(Json(disk::lines(&service.data.join("notes"))?))
}

async fn add_volume_note(State(service): Shared, text: String) -> Result<StatusCode, Failed> {
    disk::append(&service.data.join("notes"), &text)?;
    Ok(StatusCode::CREATED)
}

async fn database_notes(State(service): Shared) -> Result<Json<Vec<String>>, Failed> {
    Ok(Json(notes::list(service.database()?).await?))
}

async fn add_database_note(State(service): Shared, text: String) -> Result<StatusCode, Failed> {
    notes::add(service.database()?, &text).await?;
    Ok(StatusCode::CREATED)
}

/// `?path=/run/secrets/password`.
#[derive(Deserialize)]
struct At {
    path: PathBuf,
}

async fn show_file(Query(at): Query<At>) -> Result<Json<disk::Shown>, Failed> {
    disk::show(&at.path).map(Json).map_err(Failed::new)
}

async fn write_file(Query(at): Query<At>, content: Bytes) -> Result<StatusCode, Failed> {
    std::fs::write(&at.path, content).map_err(Failed::new)?;
    Ok(StatusCode::CREATED)
}

/// `?path=/data/big&bytes=1000000`.
#[derive(Deserialize)]
struct Fill {
    path: PathBuf,
    bytes: u64,
}

async fn fill(Query(asked): Query<Fill>) -> Result<Json<disk::Filled>, Failed> {
    let filled = tokio::task::spawn_blocking(move || disk::fill(&asked.path, asked.bytes)).await;
    filled.map_err(Failed::new)?.map(Json).map_err(Failed::new)
}

/// What a proxy in between made of the request.
async fn headers(headers: HeaderMap) -> Json<Value> {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let all: std::collections::BTreeMap<_, _> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    Json(json!(all))
}

/// `?name=db`.
#[derive(Deserialize)]
struct Name {
    name: String,
}

async fn resolve(Query(asked): Query<Name>) -> Result<Json<Vec<String>>, Failed> {
    let found = tokio::net::lookup_host((asked.name.as_str(), 0)).await.map_err(Failed::new)?;
    let mut addresses: Vec<_> = found.map(|address| address.ip().to_string()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(Json(addresses))
}

/// `?url=http://web:8080/self`.
#[derive(Deserialize)]
struct Url {
    url: String,
}

async fn fetch(Query(asked): Query<Url>) -> Result<Json<client::Answer>, Failed> {
    Ok(Json(client::get(&asked.url).await?))
}

/// `?code=3`.
#[derive(Deserialize)]
struct Code {
    code: u8,
}

/// A crash: the caller gets no answer.
async fn exit(Query(asked): Query<Code>) -> StatusCode {
    stop::last_words(&format!("told to exit with {}", asked.code));
    std::process::exit(asked.code.into())
}

async fn hang(State(service): Shared) -> StatusCode {
    service.hung.store(true, Ordering::Relaxed);
    StatusCode::ACCEPTED
}

impl Service {
    fn database(&self) -> anyhow::Result<&str> {
        self.database.as_deref().context("DATABASE_URL is not set")
    }
}

/// Any failure: 500 with its whole chain. A test wants to read it.
struct Failed(anyhow::Error);

impl Failed {
    fn new(error: impl Into<anyhow::Error>) -> Self {
        Self(error.into())
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let error = format!("{:#}", self.0);
        (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error }))).into_response()
    }
}
