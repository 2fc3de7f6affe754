//! A running service: it listens, serves connections, runs the jobs, and stops. What is answered is `http.rs`.

use crate::cloud::Cloud;
use crate::faults::Faults;
use crate::http;
use crate::options::{Options, Settings, StartError, default_backing};
use crate::shared::{Shared, run_later};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::fs::{self, File, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

const MAX_CONNECTIONS: usize = 256;
/// How long a client may take to send the head of a request, and how long a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Rest after an accept that failed, for want of file descriptors mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running service. Dropping it ends the connections; [`Devcloud::stop`] also waits for what is being written.
pub struct Devcloud {
    shared: Arc<Shared>,
    address: SocketAddr,
    directory: PathBuf,
    accepting: JoinHandle<()>,
    /// Holds the directory until the end.
    _lock: File,
}

impl std::fmt::Debug for Devcloud {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Devcloud").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Devcloud {
    /// Opens the directory, listens, and goes on with what an earlier run left half-done.
    ///
    /// # Errors
    /// If the options are wrong, the directory is another's or unreadable, or the address cannot be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        options.check()?;
        let (directory, lock) = take(&options.directory)?;
        let wrong = |source| StartError::Directory { path: directory.clone(), source };
        let settings = Settings {
            directory: directory.clone(),
            zones: options.zones,
            quota_bytes: options.quota_bytes,
            default_backing: default_backing(),
        };
        let cloud = Cloud::open(settings).map_err(wrong)?;
        let unheard = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        let shared = Arc::new(Shared { cloud, tokens: options.tokens, faults: Faults::default() });
        fs::write(directory.join("endpoint"), format!("http://{address}\n")).map_err(wrong)?;
        for job in shared.cloud.jobs() {
            tokio::spawn(run_later(Arc::clone(&shared), job, Duration::ZERO));
        }
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, directory, accepting, _lock: lock })
    }

    /// Where it listens: `http://ADDRESS:PORT`, without a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where everything is kept, absolute.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends all connections and waits until nothing more is written. Jobs that wait begin anew at the next start.
    pub async fn stop(self) {
        self.accepting.abort();
        let shared = Arc::clone(&self.shared);
        // A panic in there is the blocking thread's own; there is nothing left to stop.
        let _ = tokio::task::spawn_blocking(move || shared.cloud.close()).await;
    }
}

impl Drop for Devcloud {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Makes the directory, for its owner only, and takes its lock.
fn take(directory: &Path) -> Result<(PathBuf, File), StartError> {
    let wrong = |source| StartError::Directory { path: directory.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(wrong)?;
    let directory = fs::canonicalize(directory).map_err(wrong)?;
    let lock = File::create(directory.join("lock")).map_err(wrong)?;
    match lock.try_lock() {
        Ok(()) => Ok((directory, lock)),
        Err(TryLockError::WouldBlock) => Err(StartError::Taken(directory)),
        Err(TryLockError::Error(source)) => Err(wrong(source)),
    }
}

/// The connections end with this task.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    serve(stream, shared).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| http::answer(Arc::clone(&shared), request));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        // A lost answer that was asked for, or a client that went away.
        tracing::debug!(%error, "a connection ended");
    }
}
