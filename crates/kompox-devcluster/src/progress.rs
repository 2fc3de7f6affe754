//! What a start tells its caller while it works. No printing here: the caller decides what to show.

use crate::binary::Source;
use crate::part::PartName;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// One step of [`DevCluster::start`](crate::DevCluster::start), in the order in which they happen.
///
/// Its `Display` is one line without a line break, fit for a terminal or a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// A place for the binary was passed over; the reason names the place and what it lacks.
    Skipped {
        /// What was looked at and why it will not do.
        reason: String,
    },
    /// The binaries that will run, and where they were found.
    Found {
        /// Which of the places of [`binary`](crate::binary) won.
        source: Source,
        /// The multi-call binary, or the directory of single ones.
        path: PathBuf,
    },
    /// Another process builds the same programs; this one waits for it.
    WaitingForBuild,
    /// The build has begun.
    BuildStarted {
        /// The Go module's name, such as `controlplane`.
        module: &'static str,
        /// The version of what is compiled, such as `v1.36.3`.
        version: String,
    },
    /// One more line of the build.
    Building {
        /// Go packages compiled so far; packages from Go's own cache do not count.
        packages: usize,
        /// What the Go tool printed: a package's path or a download.
        line: String,
    },
    /// The build is done and in the cache.
    Built {
        /// Wall time of the build alone.
        took: Duration,
    },
    /// Processes of an earlier launcher were still alive and have been ended.
    SurvivorsEnded {
        /// How many there were.
        count: usize,
    },
    /// A part's process has been started.
    Starting {
        /// Which part.
        part: PartName,
    },
    /// Someone else took the port in the meantime; the part is started again on another one.
    PortTaken {
        /// Which part.
        part: PartName,
    },
    /// A part answers its readiness probe.
    Ready {
        /// Which part.
        part: PartName,
        /// From the start of its process.
        took: Duration,
    },
    /// A part has ended by itself and is started again.
    Ended {
        /// Which part.
        part: PartName,
        /// How it ended.
        how: String,
        /// After what time it is started.
        wait: Duration,
    },
    /// The real node takes pods, and its name server answers.
    RealNodeReady {
        /// Its name.
        node: String,
    },
    /// devcloud serves; its driver and the sidecars are started next.
    StorageReady {
        /// Where it serves.
        url: String,
    },
    /// The simulated Nodes are Ready.
    NodesReady {
        /// Their names, sorted.
        nodes: Vec<String>,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped { reason } => write!(f, "skipped: {reason}"),
            Self::Found { source, path } => write!(f, "control plane from {source}: {}", path.display()),
            Self::WaitingForBuild => f.write_str("another process is building the same programs, waiting"),
            Self::BuildStarted { module, version } => {
                write!(f, "building {module} {version} from source with go build (once; takes minutes)")
            }
            Self::Building { packages, line } => write!(f, "building [{packages} packages] {line}"),
            Self::Built { took } => write!(f, "built in {:.0} s", took.as_secs_f64()),
            Self::SurvivorsEnded { count } => {
                write!(f, "ended {count} process(es) that an earlier launcher left behind")
            }
            Self::Starting { part } => write!(f, "starting {part}"),
            Self::PortTaken { part } => write!(f, "{part}: the port was taken meanwhile, trying another"),
            Self::Ready { part, took } => write!(f, "{part} ready after {:.1} s", took.as_secs_f64()),
            Self::Ended { part, how, wait } => {
                write!(f, "{part} ended ({how}); it is started again in {:.2} s", wait.as_secs_f64())
            }
            Self::RealNodeReady { node } => write!(f, "node ready: {node} (real containers)"),
            Self::StorageReady { url } => write!(f, "storage for development: devcloud at {url}"),
            Self::NodesReady { nodes } => {
                write!(f, "nodes ready: {} ({})", nodes.join(", "), crate::BANNER)
            }
        }
    }
}

/// Receives every [`Progress`]; called from several tasks, must not block.
#[derive(Clone)]
pub struct Reporter(Arc<dyn Fn(Progress) + Send + Sync>);

impl Reporter {
    /// Calls `report` with each step.
    pub fn new(report: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    pub(crate) fn report(&self, progress: Progress) {
        tracing::debug!(%progress);
        (self.0)(progress);
    }
}

impl Default for Reporter {
    /// Drops every step (they are still traced at debug level).
    fn default() -> Self {
        Self::new(drop)
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
