//! The operator's life: start what it needs in order, run until something asks it to stop, drain.

use crate::{
    args::Args,
    backoff::Backoff,
    cluster,
    context::{Context, Scope},
    controllers::{app, disk, driver, snapshot, writer},
    drivers::{self, Catalog, follow},
    events::{self, Publisher},
    freshness::Freshness,
    health,
    metrics::Metrics,
    providers::Providers,
    readiness::Readiness,
    shutdown::{self, Shutdown, Stop},
    telemetry,
    writes::Writes,
};
use futures::future::BoxFuture;
use k8s_openapi::jiff::Timestamp;
use kompox_core::app::Settings;
use std::{
    future::{self, Future},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// How long running reconciliations get to end. A pod has 30 seconds from SIGTERM to SIGKILL.
const DRAIN: Duration = Duration::from_secs(25);

/// Why the operator ended otherwise than asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Logs.
    #[error(transparent)]
    Telemetry(#[from] telemetry::Error),
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The provider drivers.
    #[error(transparent)]
    Drivers(#[from] drivers::Error),
    /// Probes and metrics.
    #[error(transparent)]
    Health(#[from] health::Error),
    /// Signals.
    #[error("failed to listen for signals: {source}")]
    Signals {
        /// What the system says.
        source: io::Error,
    },
    /// A part ended though nobody asked it to.
    #[error("failed to keep the operator running: {part} ended")]
    Ended {
        /// The part.
        part: &'static str,
    },
    /// A part panicked.
    #[error("failed to keep the operator running: {source}")]
    Panicked {
        /// Which, and what it said.
        source: tokio::task::JoinError,
    },
}

/// A controller that runs until it is told to stop, and its name in logs.
type Controller = (&'static str, BoxFuture<'static, ()>);

/// The controllers. Each runs until `shutdown`.
fn controllers(
    context: &Arc<Context>,
    catalog: &Arc<Catalog>,
    brought: Arc<driver::Shell>,
    shutdown: &Shutdown,
) -> Vec<Controller> {
    let providers = Arc::new(Providers::new(
        context.client.clone(),
        Arc::clone(catalog),
        context.cluster.clone(),
        context.operator_namespace.clone(),
    ));
    let own = || (Arc::clone(context), shutdown.clone());
    vec![
        controller(disk::NAME, own(), |context, shutdown| {
            disk::run(context, Arc::clone(&providers), shutdown)
        }),
        controller(snapshot::NAME, own(), |context, shutdown| {
            snapshot::run(context, Arc::clone(&providers), shutdown)
        }),
        controller(app::NAME, own(), app::run),
        (driver::NAME, Box::pin(driver::run(brought, shutdown.clone()))),
        controller(writer::NAME, own(), writer::run),
    ]
}

fn controller<F>(
    name: &'static str,
    (context, shutdown): (Arc<Context>, Shutdown),
    run: impl FnOnce(Arc<Context>, Shutdown) -> F,
) -> Controller
where
    F: Future<Output = ()> + Send + 'static,
{
    (name, Box::pin(run(context, shutdown)))
}

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start, or a part of it ended unasked.
pub async fn run(args: Args) -> Result<(), Error> {
    telemetry::init(args.log_format, args.log_level)?;
    tracing::info!(version = crate::VERSION, namespace = args.namespace, "kompox-operator starts");
    let mut signals = Signals::new()?;
    let metrics = Arc::new(Metrics::default());
    metrics.started(Timestamp::now().as_duration().as_secs_f64());
    let readiness = Readiness::default();

    // Probes are answered from the first moment to the last: also while CRDs are waited for, and while
    // reconciliations drain.
    let (probes_stop, probes_shutdown) = shutdown::channel();
    let listener = health::bind(args.listen).await?;
    let probes =
        tokio::spawn(health::serve(listener, Arc::clone(&metrics), readiness.clone(), probes_shutdown));

    let outcome = work(&args, &metrics, &readiness, &mut signals).await;
    probes_stop.now();
    probes.await.map_err(|source| Error::Panicked { source })??;
    outcome
}

/// Everything but the probes: start, run, drain.
async fn work(
    args: &Args,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    signals: &mut Signals,
) -> Result<(), Error> {
    let (stop, shutdown) = shutdown::channel();
    let mut parts = tokio::select! {
        started = start(args, metrics, readiness, &shutdown) => started?,
        () = signals.received() => return Ok(()),
    };
    let outcome = tokio::select! {
        ended = parts.ended() => Err(ended),
        () = signals.received() => Ok(()),
    };
    parts.drain(&stop).await;
    outcome
}

/// Waits for what the operator needs, then starts the controllers.
async fn start(
    args: &Args,
    metrics: &Arc<Metrics>,
    readiness: &Readiness,
    shutdown: &Shutdown,
) -> Result<Parts, Error> {
    let (drivers_loaded, kinds_served) = (readiness.expect("drivers"), readiness.expect("kinds"));
    let client = cluster::connect().await?;
    cluster::wait_for_kinds(&client, metrics).await;
    kinds_served.ready();
    let cluster = cluster::identify(&client).await;
    let loaded = drivers::load(args, metrics).await?;
    let catalog = Arc::new(Catalog::new(loaded.drivers));

    let (events, publisher) =
        events::channel(client.clone(), Arc::clone(metrics), &args.instance, Timestamp::now);
    let freshness = Arc::new(Freshness::default());
    let context = Arc::new(Context {
        writes: Writes::new(Arc::clone(metrics), Arc::clone(&freshness)),
        client,
        drivers: catalog.drivers(),
        events,
        metrics: Arc::clone(metrics),
        backoff: Backoff::default(),
        freshness,
        readiness: readiness.clone(),
        operator_namespace: args.namespace.clone(),
        cluster,
        scope: args.watch_namespace.clone().map_or(Scope::Cluster, Scope::Namespace),
        concurrency: args.concurrency,
        apps: Settings {
            default_ingress_class: args.ingress_class.clone(),
            ingress_namespaces: args.ingress_namespace.clone(),
            // Nothing tells whether every node's container runtime can.
            image_volumes: false,
        },
        clock: Timestamp::now,
    });
    tracing::info!(cluster = context.cluster.uid, scope = ?context.scope, "controllers start");
    let brought = Arc::new(driver::Shell::new(
        Arc::clone(&context),
        Arc::clone(&catalog),
        loaded.runtime.clone(),
        loaded.base,
        loaded.artifacts,
        args.driver_selector.clone(),
    ));
    driver::prepare(&brought).await;
    drivers_loaded.ready();
    let following = follow::run(
        loaded.directory,
        Arc::clone(&catalog),
        loaded.runtime,
        Arc::clone(metrics),
        shutdown.clone(),
    );
    let mut controllers = controllers(&context, &catalog, brought, shutdown);
    controllers.push((follow::NAME, Box::pin(following)));
    Ok(Parts::start(controllers, publisher))
}

/// What runs: the controllers and, behind them, the publisher of their events.
struct Parts {
    controllers: JoinSet<&'static str>,
    publisher: JoinHandle<()>,
}

impl Parts {
    fn start(controllers: Vec<Controller>, publisher: Publisher) -> Self {
        let controllers = controllers
            .into_iter()
            .map(|(name, controller)| async move {
                controller.await;
                name
            })
            .collect();
        Self { controllers, publisher: tokio::spawn(publisher.run()) }
    }

    /// Ends when a controller does, which is a fault before the shutdown.
    async fn ended(&mut self) -> Error {
        match self.controllers.join_next().await {
            Some(Ok(part)) => Error::Ended { part },
            Some(Err(source)) => Error::Panicked { source },
            None => future::pending().await,
        }
    }

    /// Lets running reconciliations end and their events leave, for at most [`DRAIN`].
    async fn drain(mut self, stop: &Stop) {
        let started = Instant::now();
        stop.now();
        let drained = async {
            while self.controllers.join_next().await.is_some() {}
            // The last context went with the last controller, and with it the last recorder.
            let _ = (&mut self.publisher).await;
        };
        match tokio::time::timeout(DRAIN, drained).await {
            Ok(()) => tracing::info!(took = ?started.elapsed(), "drained"),
            Err(_) => tracing::warn!(
                controllers = self.controllers.len(),
                "stopped before all reconciliations had ended; the next start resumes them"
            ),
        }
        self.publisher.abort();
    }
}

/// SIGTERM (Kubernetes) and SIGINT (a terminal).
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|source| Error::Signals { source });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn received(&mut self) {
        let signal = tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal, "asked to stop");
    }
}

#[cfg(test)]
mod tests;
