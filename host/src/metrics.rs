//! Every metric of the operator and its registry. Labels come from closed sets only: an object's name,
//! a message or anything a user chose is never a label. The page itself is served by `health`.

mod drivers;

use crate::refusal::Refusal;
use drivers::DriverMetrics;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use std::{fmt, sync::atomic::AtomicU64, time::Duration};

/// What a finished reconciliation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step was taken or was not needed.
    Done,
    /// It ended with an error of this class.
    Failed(&'static str),
    /// The cache had not seen our own last write yet.
    Deferred,
}

/// What the operator did to an object of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Server-side apply.
    Apply,
    /// POST.
    Create,
    /// PUT.
    Replace,
    /// PUT of the status.
    ReplaceStatus,
    /// Merge patch of metadata.
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    /// The word used in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::ReplaceStatus => "replace-status",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabel {
    controller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    controller: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    kind: String,
    verb: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// Buckets from a millisecond to two minutes: a reconciliation without and with a slow cloud.
#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(0.001, 2.6, 13))
    }
}

type Durations<L> = Family<L, Histogram, Seconds>;

/// The operator's metrics. All methods are cheap and never block.
pub struct Metrics {
    registry: Registry,
    reconciliations: Family<ControllerLabel, Counter>,
    reconcile_errors: Family<ReasonLabels, Counter>,
    reconcile_deferred: Family<ControllerLabel, Counter>,
    reconcile_duration: Durations<ControllerLabel>,
    reconciling: Family<ControllerLabel, Gauge>,
    api_writes: Family<WriteLabels, Counter>,
    undecodable: Family<KindLabel, Counter>,
    watch_errors: Family<KindLabel, Counter>,
    events: Family<ResultLabel, Counter>,
    drivers: DriverMetrics,
    crds_ready: Gauge,
    start_time: Gauge<f64, AtomicU64>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("kompox"),
            reconciliations: Family::default(),
            reconcile_errors: Family::default(),
            reconcile_deferred: Family::default(),
            reconcile_duration: Family::new_with_constructor(Seconds),
            reconciling: Family::default(),
            api_writes: Family::default(),
            undecodable: Family::default(),
            watch_errors: Family::default(),
            events: Family::default(),
            drivers: DriverMetrics::default(),
            crds_ready: Gauge::default(),
            start_time: Gauge::default(),
        };
        metrics.register_controllers();
        metrics.register_api();
        metrics.drivers.register(&mut metrics.registry);
        metrics.register_process();
        metrics
    }
}

impl Metrics {
    fn register_controllers(&mut self) {
        let registry = &mut self.registry;
        registry.register("reconciliations", "Reconciliations that ended", self.reconciliations.clone());
        registry.register(
            "reconcile_errors",
            "Reconciliations that ended with an error, by the reason shown in conditions",
            self.reconcile_errors.clone(),
        );
        registry.register(
            "reconcile_deferred",
            "Reconciliations put off until the cache had the operator's own last write",
            self.reconcile_deferred.clone(),
        );
        registry.register_with_unit(
            "reconcile_duration",
            "Time from start to end of a reconciliation",
            Unit::Seconds,
            self.reconcile_duration.clone(),
        );
        registry.register("reconciling", "Reconciliations that are running", self.reconciling.clone());
    }

    fn register_api(&mut self) {
        let registry = &mut self.registry;
        registry.register("api_writes", "Writes sent to the API server", self.api_writes.clone());
        registry.register(
            "watch_undecodable_objects",
            "Watched objects that this version of the operator could not decode",
            self.undecodable.clone(),
        );
        registry.register("watch_errors", "Interruptions of watches", self.watch_errors.clone());
        registry.register("events", "Kubernetes events, by what became of them", self.events.clone());
    }

    fn register_process(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "crds_ready",
            "1 when the API server serves every kind the operator reconciles",
            self.crds_ready.clone(),
        );
        registry.register_with_unit(
            "start_time",
            "When the process started, since the epoch",
            Unit::Seconds,
            self.start_time.clone(),
        );
        registry.register("build", "The operator", Info::new([("version", crate::VERSION)]));
    }

    /// Notes when the process started, in seconds since the epoch.
    pub fn started(&self, seconds: f64) {
        self.start_time.set(seconds);
    }

    /// Notes whether every kind is served.
    pub fn crds(&self, served: Served) {
        self.crds_ready.set(i64::from(served == Served::All));
    }

    /// A reconciliation begins; the gauge of running ones falls when the guard is dropped.
    #[must_use]
    pub fn reconciling(&self, controller: &'static str) -> Running {
        let gauge = self.reconciling.get_or_create_owned(&ControllerLabel { controller });
        gauge.inc();
        Running(gauge)
    }

    /// A reconciliation ended after `took`.
    pub fn reconciled(&self, controller: &'static str, outcome: Outcome, took: Duration) {
        let label = ControllerLabel { controller };
        match outcome {
            Outcome::Deferred => {
                self.reconcile_deferred.get_or_create(&label).inc();
                return;
            }
            Outcome::Failed(reason) => {
                self.reconcile_errors.get_or_create(&ReasonLabels { controller, reason }).inc();
            }
            Outcome::Done => {}
        }
        self.reconciliations.get_or_create(&label).inc();
        self.reconcile_duration.get_or_create(&label).observe(took.as_secs_f64());
    }

    /// A write was sent; `refusal` is `None` when it was accepted.
    pub fn api_write(&self, kind: &str, verb: Verb, refusal: Option<&Refusal>) {
        let result = refusal.map_or("ok", Refusal::as_str);
        let labels = WriteLabels { kind: kind.to_owned(), verb: verb.as_str(), result };
        self.api_writes.get_or_create(&labels).inc();
    }

    /// A watched object of this kind could not be decoded.
    pub fn undecodable(&self, kind: &str) {
        self.undecodable.get_or_create(&KindLabel { kind: kind.to_owned() }).inc();
    }

    /// The watch of this kind was interrupted.
    pub fn watch_error(&self, kind: &str) {
        self.watch_errors.get_or_create(&KindLabel { kind: kind.to_owned() }).inc();
    }

    /// A Kubernetes event was `stored`, `repeated`, `dropped` or `failed`.
    pub(crate) fn event(&self, result: &'static str) {
        self.events.get_or_create(&ResultLabel { result }).inc();
    }

    /// The metrics page, OpenMetrics text.
    ///
    /// # Errors
    /// Never in practice: writing to a `String` does not fail.
    pub fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// Whether the API server serves the operator's kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// Every one.
    All,
    /// At least one is missing.
    NotAll,
}

/// Counts one running reconciliation for as long as it lives.
#[derive(Debug)]
pub struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_happened() {
        let metrics = Metrics::default();
        {
            let _running = metrics.reconciling("disk");
            assert!(metrics.page().unwrap().contains("kompox_reconciling{controller=\"disk\"} 1\n"));
        }
        metrics.reconciled("disk", Outcome::Failed("QuotaExceeded"), Duration::from_millis(20));
        metrics.reconciled("disk", Outcome::Deferred, Duration::ZERO);
        metrics.api_write("ConfigMap", Verb::Apply, None);
        metrics.api_write("ConfigMap", Verb::Apply, Some(&Refusal::Stale));
        metrics.crds(Served::All);

        let page = metrics.page().unwrap();
        for line in [
            "kompox_reconciling{controller=\"disk\"} 0",
            "kompox_reconciliations_total{controller=\"disk\"} 1",
            "kompox_reconcile_errors_total{controller=\"disk\",reason=\"QuotaExceeded\"} 1",
            "kompox_reconcile_deferred_total{controller=\"disk\"} 1",
            "kompox_reconcile_duration_seconds_count{controller=\"disk\"} 1",
            "kompox_api_writes_total{kind=\"ConfigMap\",verb=\"apply\",result=\"ok\"} 1",
            "kompox_api_writes_total{kind=\"ConfigMap\",verb=\"apply\",result=\"stale\"} 1",
            "kompox_crds_ready 1",
        ] {
            assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }
}
