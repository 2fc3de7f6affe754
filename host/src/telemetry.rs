//! Logs: format, level, and what must never be logged. Spans are opened where the work is done.

use clap::ValueEnum;
use std::io::IsTerminal as _;
use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt as _, registry::LookupSpan};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line, with the fields of the spans around it.
    #[default]
    Json,
    /// For people.
    Text,
}

/// The kube client logs the whole body of an answer that it fails to decode, Secrets included. What else
/// it logs, we log with the object's name.
const LOGS_BODIES: &str = "kube_client::client";

/// Crates whose debug lines are about the operator's own work.
const OWN: [&str; 2] = ["kompox_operator", "kompox_driver_runtime"];

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
#[error("failed to start logging: {source}")]
pub struct Error {
    source: tracing::subscriber::SetGlobalDefaultError,
}

/// Starts logging to standard error.
///
/// # Errors
/// When logging was started before in this process.
pub fn init(format: LogFormat, level: Level) -> Result<(), Error> {
    let subscriber = tracing_subscriber::registry().with(layer(format, level, std::io::stderr));
    tracing::subscriber::set_global_default(subscriber).map_err(|source| Error { source })
}

fn layer<S, W>(format: LogFormat, level: Level, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer);
    match format {
        LogFormat::Json => {
            lines.json().flatten_event(true).with_span_list(false).with_filter(filter(level)).boxed()
        }
        LogFormat::Text => {
            // Escapes would stand in files as text.
            lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter(level)).boxed()
        }
    }
}

/// `level` for ourselves, at most INFO for libraries, and no bodies of the API server's answers at all.
fn filter(level: Level) -> Targets {
    let own = OWN.map(|target| (target, LevelFilter::from_level(level)));
    Targets::new()
        .with_default(LevelFilter::from_level(level.min(Level::INFO)))
        .with_targets(own)
        .with_target(LOGS_BODIES, LevelFilter::OFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        sync::{Arc, Mutex, PoisonError},
    };

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: Level, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::registry().with(layer(format, level, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, work);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn bodies_of_answers_are_never_logged() {
        for level in [Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
            let log = logged(LogFormat::Json, level, || {
                tracing::warn!(target: "kube_client::client", "{{\"data\":\"c2VjcmV0\"}}, error");
                tracing::warn!(target: "kube_runtime::watcher", "kept");
            });
            assert!(!log.contains("c2VjcmV0"), "{level}: {log}");
            assert!(log.contains("kept"), "{level}: {log}");
        }
    }

    #[test]
    fn libraries_are_quiet_when_we_are_debugged() {
        let log = logged(LogFormat::Text, Level::DEBUG, || {
            tracing::debug!(target: "kompox_operator::controllers", "ours");
            tracing::debug!(target: "cranelift_codegen", "theirs");
        });
        assert!(log.contains("ours") && !log.contains("theirs"), "{log}");
    }

    #[test]
    fn a_json_line_carries_the_object_of_its_span() {
        let log = logged(LogFormat::Json, Level::INFO, || {
            let span = tracing::info_span!("reconcile", controller = "disk", object.name = "data");
            span.in_scope(|| tracing::info!(target: "kompox_operator", "reconciled"));
        });
        let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
        assert_eq!(line["message"], "reconciled");
        assert_eq!(line["span"]["controller"], "disk");
        assert_eq!(line["span"]["object.name"], "data");
    }
}
