//! The development ingress: a reverse proxy on loopback that obeys the cluster's Ingress objects, so that a
//! browser reaches an app. It stands in for Traefik and says so; it is not Traefik.
//!
//! It obeys `host` (also wildcards), `path` with all three types, `defaultBackend` and Service backends, and
//! serves HTTPS with certificates of its own authority for every host it knows. Besides the hosts of the rules
//! it answers for `<app>.localhost`, `<app>.<namespace>.localhost` and `<host>.localhost`.
//!
//! What it does not do: annotations and the other resources of Traefik, the Secrets of `spec.tls`, HTTP/2,
//! redirects to HTTPS, resource backends. It listens on 127.0.0.1 only.

mod backend;
mod class;
mod listen;
mod page;
mod proxy;
mod route;
mod tls;
mod view;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use proxy::Proxy;
use view::View;

/// To be shown wherever the ingress is shown.
pub const INGRESS_BANNER: &str =
    "development ingress: stands in for Traefik, and knows nothing of its annotations and resources";

/// `spec.controller` of the IngressClass.
const CONTROLLER: &str = "kompox.dev/development-ingress";
/// Field manager of everything it writes.
const MANAGER: &str = "kompox-dev-ingress";
/// How long a stop waits for requests under way.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Why the ingress does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port cannot be had.
    #[error("failed to listen on 127.0.0.1:{port}; free it, or choose another (0 takes any)")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the certificate authority cannot be read or written.
    #[error("failed to keep {} of the ingress' certificate authority", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key or certificate cannot be made or used.
    #[error("failed to make the {what} of the ingress: {reason}")]
    Certificate {
        /// Which one.
        what: &'static str,
        /// What the library said.
        reason: String,
    },
    /// The class belongs to another controller.
    #[error(
        "failed to serve the IngressClass {name}: it belongs to {controller}; delete it, or run without the development ingress"
    )]
    ClassTaken {
        /// Name of the class.
        name: String,
        /// Its controller.
        controller: String,
    },
    /// The API server refuses the class.
    #[error("failed to register the IngressClass {name}")]
    Class {
        /// Name of the class.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// The cluster's objects do not arrive.
    #[error("failed to read the cluster's Ingresses, Services, EndpointSlices and Nodes within {} s", waited.as_secs())]
    NotSynced {
        /// How long it was waited.
        waited: Duration,
    },
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a client has sent the head of its request, or finished its TLS handshake.
    pub request_head: Duration,
    /// Until a pod has taken the connection.
    pub connect: Duration,
    /// Until a pod has begun its answer. Bodies may take as long as they like.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            request_head: Duration::from_secs(10),
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(60),
        }
    }
}

/// What an ingress is started with.
#[derive(Clone, Debug)]
pub struct IngressOptions {
    /// Where the certificate authority is kept: made if missing, closed to other users. It outlives the
    /// ingress, so that whoever trusts it need not do so twice.
    pub directory: PathBuf,
    /// The IngressClass that it registers, as the cluster's default, and serves.
    pub class: String,
    /// Port of 127.0.0.1 for HTTP; 0 takes any.
    pub http_port: u16,
    /// Port of 127.0.0.1 for HTTPS; 0 takes any.
    pub https_port: u16,
    /// See there.
    pub timeouts: Timeouts,
    /// How long the cluster's objects may take to arrive.
    pub start_timeout: Duration,
}

impl IngressOptions {
    /// The class `traefik`, any ports.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            class: "traefik".to_owned(),
            http_port: 0,
            https_port: 0,
            timeouts: Timeouts::default(),
            start_timeout: Duration::from_secs(30),
        }
    }
}

/// Both ports, as bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    http: u16,
    https: u16,
}

/// A running ingress. Dropping it ends it at once; [`stop`](Self::stop) lets requests end.
#[derive(Debug)]
pub struct DevIngress {
    ports: Ports,
    authority: PathBuf,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl DevIngress {
    /// Registers the class, reads the cluster, and serves; returns when requests find their way.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn start(client: Client, options: IngressOptions) -> Result<Self, Error> {
        let (http, https) = (listen(options.http_port).await?, listen(options.https_port).await?);
        let ports = Ports { http: port(&http), https: port(&https) };
        let authority = tls::Authority::open(&options.directory)?;
        let authority_path = authority.path().to_owned();
        class::register(&client, &options.class).await?;

        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let view = View::start(&client, &options.class, &mut tasks);
        view.wait(options.start_timeout).await?;
        tasks.spawn(class::publish(client, view.clone(), ports));
        let acceptor = tls::acceptor(authority, view.clone())?;
        let proxy = Arc::new(Proxy::new(view, options.timeouts, ports, stopped.clone()));
        tasks.spawn(listen::serve(http, None, Arc::clone(&proxy), stopped.clone()));
        tasks.spawn(listen::serve(https, Some(acceptor), proxy, stopped));
        tracing::info!(ports.http, ports.https, "{INGRESS_BANNER}");
        Ok(Self { ports, authority: authority_path, stop, tasks })
    }

    /// Port of 127.0.0.1 for HTTP.
    #[must_use]
    pub fn http_port(&self) -> u16 {
        self.ports.http
    }

    /// Port of 127.0.0.1 for HTTPS.
    #[must_use]
    pub fn https_port(&self) -> u16 {
        self.ports.https
    }

    /// Where a browser on this machine finds an app. Browsers and curl take every name below `localhost` for
    /// loopback; other programs may need the name in /etc/hosts.
    #[must_use]
    pub fn url(&self, app: &str) -> String {
        format!("http://{app}.localhost:{}", self.ports.http)
    }

    /// The certificate of the authority, for `curl --cacert` and the like.
    #[must_use]
    pub fn authority_path(&self) -> &Path {
        &self.authority
    }

    /// Takes no new requests, lets those under way end for a moment, and ends. The class and the addresses in
    /// the Ingresses stay: the next start takes them over.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // Watches and the publisher never end by themselves; the listeners do, and are waited for.
        let limit = tokio::time::sleep(STOP_LIMIT);
        tokio::pin!(limit);
        for _ in 0..2 {
            tokio::select! {
                _ = self.tasks.join_next() => {}
                () = &mut limit => break,
            }
        }
        self.tasks.shutdown().await;
    }
}

/// Returns when the ingress is told to end.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    // An error means that nobody is left to tell.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| Error::Listen { port, source })
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map(|address| address.port()).unwrap_or_default()
}
