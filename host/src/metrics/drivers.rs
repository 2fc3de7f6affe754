//! What provider drivers do: their calls, their requests, and what they cost. Fed by the driver runtime.

use super::{Durations, Metrics, Seconds};
use kompox_driver_runtime::{
    CallFinished, ComponentCompiled, Observer, RequestDenied, RequestFinished, ResponseRead,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    driver: String,
    operation: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    driver: String,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    driver: String,
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BytesLabels {
    driver: String,
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoppedLabels {
    driver: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DriverLabel {
    driver: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    cache: &'static str,
}

/// Metrics of drivers. Labels are names of loaded drivers and words of closed sets: no host, no path.
pub(super) struct DriverMetrics {
    calls: Family<CallLabels, Counter>,
    call_duration: Durations<OperationLabels>,
    stopped: Family<StoppedLabels, Counter>,
    memory_peak: Family<DriverLabel, Gauge>,
    compile_duration: Durations<CacheLabel>,
    requests: Family<RequestLabels, Counter>,
    request_duration: Durations<OperationLabels>,
    bytes: Family<BytesLabels, Counter>,
    files: Family<StateLabel, Gauge>,
}

impl Default for DriverMetrics {
    fn default() -> Self {
        Self {
            calls: Family::default(),
            call_duration: Family::new_with_constructor(Seconds),
            stopped: Family::default(),
            memory_peak: Family::default(),
            compile_duration: Family::new_with_constructor(Seconds),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(Seconds),
            bytes: Family::default(),
            files: Family::default(),
        }
    }
}

impl DriverMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        self.register_calls(registry);
        registry.register(
            "cloud_requests",
            "HTTP requests of provider drivers: answered (1xx to 5xx), failed (error), or not sent at all and why",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "cloud_request_duration",
            "Time from sending a request of a provider driver to the head of its answer",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        registry.register_with_unit(
            "cloud_transferred",
            "Bodies of requests and responses of provider drivers",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "driver_files",
            "Files of built-in drivers: those that serve as they are, and those that are refused",
            self.files.clone(),
        );
    }

    fn register_calls(&self, registry: &mut Registry) {
        registry.register("driver_calls", "Calls of provider drivers", self.calls.clone());
        registry.register_with_unit(
            "driver_call_duration",
            "Time from start to end of a call of a provider driver",
            Unit::Seconds,
            self.call_duration.clone(),
        );
        registry.register(
            "driver_stopped_calls",
            "Calls that the operator ended before the driver answered: at the deadline, by a trap, or for want of an instance",
            self.stopped.clone(),
        );
        registry.register_with_unit(
            "driver_memory_peak",
            "Most linear memory that a call of the driver had",
            Unit::Bytes,
            self.memory_peak.clone(),
        );
        registry.register_with_unit(
            "driver_compile_duration",
            "Time to compile a component, or to find it compiled in the cache (hit)",
            Unit::Seconds,
            self.compile_duration.clone(),
        );
    }

    fn call(&self, event: &CallFinished<'_>) {
        let CallFinished { operation, code, duration, .. } = *event;
        let driver = || event.driver.to_owned();
        self.calls.get_or_create(&CallLabels { driver: driver(), operation, code }).inc();
        let labels = OperationLabels { driver: driver(), operation };
        self.call_duration.get_or_create(&labels).observe(duration.as_secs_f64());
        if let Some(stopped) = event.stopped {
            let labels = StoppedLabels { driver: driver(), reason: stopped.as_str() };
            self.stopped.get_or_create(&labels).inc();
        }
        let peak = i64::try_from(event.memory_peak_bytes).unwrap_or(i64::MAX);
        let gauge = self.memory_peak.get_or_create(&DriverLabel { driver: driver() });
        if peak > gauge.get() {
            gauge.set(peak);
        }
    }

    fn request(&self, driver: &str, operation: &'static str, result: &'static str) {
        let labels = RequestLabels { driver: driver.to_owned(), operation, result };
        self.requests.get_or_create(&labels).inc();
    }

    fn transferred(&self, driver: &str, direction: &'static str, bytes: usize) {
        let labels = BytesLabels { driver: driver.to_owned(), direction };
        self.bytes.get_or_create(&labels).inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn took(&self, driver: &str, operation: &'static str, duration: Duration) {
        let labels = OperationLabels { driver: driver.to_owned(), operation };
        self.request_duration.get_or_create(&labels).observe(duration.as_secs_f64());
    }
}

impl Metrics {
    /// So many files of built-in drivers serve, and so many are refused.
    pub fn driver_files(&self, serving: usize, refused: usize) {
        for (state, count) in [("serving", serving), ("refused", refused)] {
            let gauge = self.drivers.files.get_or_create(&StateLabel { state });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

impl Observer for Metrics {
    fn call_finished(&self, event: &CallFinished<'_>) {
        self.drivers.call(event);
    }

    fn request_finished(&self, event: &RequestFinished<'_>) {
        self.drivers.request(event.driver, event.operation, event.status);
        self.drivers.took(event.driver, event.operation, event.duration);
        self.drivers.transferred(event.driver, "sent", event.sent_bytes);
    }

    fn response_read(&self, event: &ResponseRead<'_>) {
        self.drivers.transferred(event.driver, "received", event.bytes);
    }

    fn request_denied(&self, event: &RequestDenied<'_>) {
        self.drivers.request(event.driver, event.operation, event.reason);
    }

    fn component_compiled(&self, event: &ComponentCompiled) {
        let labels = CacheLabel { cache: event.cache };
        self.drivers.compile_duration.get_or_create(&labels).observe(event.duration.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_driver_runtime::Stopped;

    #[test]
    fn the_page_shows_what_drivers_did() {
        let metrics = Metrics::default();
        let (driver, operation) = ("eks", "disk.create");
        let call = CallFinished {
            driver,
            operation,
            code: "ok",
            duration: Duration::from_millis(3),
            stopped: None,
            memory_peak_bytes: 2 << 20,
        };
        metrics.call_finished(&call);
        let cut = CallFinished {
            code: "deadline-exceeded",
            stopped: Some(Stopped::Deadline),
            memory_peak_bytes: 1 << 20,
            ..call
        };
        metrics.call_finished(&cut);
        metrics.request_finished(&RequestFinished {
            driver,
            operation,
            endpoint: "https://ec2.{config.region}.amazonaws.com/",
            method: "POST",
            status: "2xx",
            sent_bytes: 10,
            duration: Duration::from_millis(80),
        });
        metrics.response_read(&ResponseRead { driver, bytes: 700 });
        metrics.request_denied(&RequestDenied { driver, operation, reason: "HostNotGranted" });
        metrics.component_compiled(&ComponentCompiled { cache: "hit", duration: Duration::from_millis(1) });
        let page = metrics.page().unwrap();
        for line in [
            "kompox_driver_calls_total{driver=\"eks\",operation=\"disk.create\",code=\"ok\"} 1",
            "kompox_driver_calls_total{driver=\"eks\",operation=\"disk.create\",code=\"deadline-exceeded\"} 1",
            "kompox_driver_call_duration_seconds_count{driver=\"eks\",operation=\"disk.create\"} 2",
            "kompox_driver_stopped_calls_total{driver=\"eks\",reason=\"deadline\"} 1",
            "kompox_driver_memory_peak_bytes{driver=\"eks\"} 2097152",
            "kompox_driver_compile_duration_seconds_count{cache=\"hit\"} 1",
            "kompox_cloud_requests_total{driver=\"eks\",operation=\"disk.create\",result=\"2xx\"} 1",
            "kompox_cloud_requests_total{driver=\"eks\",operation=\"disk.create\",result=\"HostNotGranted\"} 1",
            "kompox_cloud_request_duration_seconds_count{driver=\"eks\",operation=\"disk.create\"} 1",
            "kompox_cloud_transferred_bytes_total{driver=\"eks\",direction=\"sent\"} 10",
            "kompox_cloud_transferred_bytes_total{driver=\"eks\",direction=\"received\"} 700",
        ] {
            assert!(page.lines().any(|found| found == line), "no line {line} in\n{page}");
        }
        assert!(!page.contains("amazonaws"), "{page}");
    }
}
