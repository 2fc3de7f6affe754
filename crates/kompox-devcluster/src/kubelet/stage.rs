//! What happens next to a simulated pod: a pure function of the pod, of what was done so far and of
//! the clock. No client, no task.

use super::Delays;
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt as _;
use std::time::{Duration, Instant};

/// Annotation: the containers exit by themselves with this code (0 to 255) after
/// [`Delays::complete`]; the pod's restart policy decides what follows. Pods that are not restarted
/// (those of Jobs) do so without it, with 0.
pub const EXIT_CODE: &str = "dev.kompox.dev/exit-code";
/// Annotation: with the value `true` the containers run but never become ready. Adding and removing
/// it takes effect at once.
pub const NEVER_READY: &str = "dev.kompox.dev/never-ready";
/// Annotation: the containers never start and wait with this reason, such as `ImagePullBackOff`.
/// Removing it lets them start.
pub const WAITING_REASON: &str = "dev.kompox.dev/waiting-reason";

/// Exit code of a process that SIGKILL ended: 128 + 9.
pub(super) const KILLED: i32 = 137;

/// Where a pod is. Each stage but `Stopping` and `Deleted` shows in its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Bound to one of our nodes, nothing reported yet.
    Admitted,
    /// `ContainerCreating`: the volumes are attached, the images "pulled".
    Creating,
    /// Waits with the reason of its annotation.
    Stuck,
    Running,
    Ready,
    /// `CrashLoopBackOff`.
    Restarting,
    /// All containers exited for good; the object stays.
    Finished,
    /// Told to end, the grace period runs.
    Stopping,
    /// Every container is `terminated` in the status; the object still exists.
    Stopped,
    /// The API server was told to remove the object; a finalizer may keep it.
    Deleted,
}

/// What is known about one pod (one uid) beyond its object.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) stage: Stage,
    since: Instant,
    /// When the containers were last started; `None` before that.
    running: Option<Instant>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) restarts: i32,
}

impl Memory {
    /// A pod seen for the first time: a new one, or one from before the kubelet was restarted.
    pub(super) fn adopt(pod: &Pod, now: Instant) -> Self {
        let status = pod.status.as_ref();
        let containers = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
        let ready = containers.iter().any(|container| container.ready);
        let stage = match status.and_then(|status| status.phase.as_deref()) {
            Some("Succeeded" | "Failed") => Stage::Finished,
            Some("Running") if ready => Stage::Ready,
            Some("Running") => Stage::Running,
            _ => Stage::Admitted,
        };
        let ran = stage != Stage::Admitted;
        Self {
            stage,
            since: now,
            running: ran.then_some(now),
            started_at: status
                .and_then(|status| status.start_time.as_ref())
                .filter(|_| ran)
                .map(|time| time.0),
            restarts: containers.iter().map(|container| container.restart_count).max().unwrap_or_default(),
        }
    }

    /// What is remembered once `stage` is reached.
    pub(super) fn enter(&self, stage: Stage, now: Instant, wall: Timestamp) -> Self {
        let starts = matches!(stage, Stage::Running | Stage::Ready)
            && !matches!(self.stage, Stage::Running | Stage::Ready);
        Self {
            stage,
            since: now,
            running: if starts { Some(now) } else { self.running },
            started_at: if starts { Some(wall) } else { self.started_at },
            restarts: self.restarts + i32::from(stage == Stage::Restarting),
        }
    }

    /// Whether the pod's volumes are mounted, in the eyes of the node's status.
    pub(super) fn uses_volumes(&self) -> bool {
        !matches!(self.stage, Stage::Finished | Stage::Stopped | Stage::Deleted)
    }
}

/// What the pod's object asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The grace period of a pod that is being deleted.
    pub(super) deleting: Option<Duration>,
    /// With what code the containers exit by themselves, if they do.
    pub(super) exit_code: Option<i32>,
    pub(super) restarts: bool,
    pub(super) never_ready: bool,
    pub(super) waiting_reason: Option<String>,
}

impl Wish {
    pub(super) fn of(pod: &Pod) -> Self {
        let annotation = |name: &str| pod.annotations().get(name).map(String::as_str);
        let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
        let asked = annotation(EXIT_CODE).and_then(|code| code.parse::<u8>().ok()).map(i32::from);
        let exit_code = asked.or((policy != "Always").then_some(0));
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
        Self {
            deleting: pod
                .metadata
                .deletion_timestamp
                .as_ref()
                .map(|_| Duration::from_secs(grace.try_into().unwrap_or_default())),
            exit_code,
            restarts: policy == "Always" || (policy == "OnFailure" && exit_code != Some(0)),
            never_ready: annotation(NEVER_READY) == Some("true"),
            waiting_reason: annotation(WAITING_REASON).filter(|reason| !reason.is_empty()).map(Into::into),
        }
    }

    /// The code with which the containers end when they are told to: a process that handles SIGTERM
    /// exits well; without a grace period there is only SIGKILL.
    pub(super) fn stop_code(&self) -> i32 {
        if self.deleting == Some(Duration::ZERO) { KILLED } else { self.exit_code.unwrap_or(0) }
    }
}

/// The one thing to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write the status of this stage, then be in it.
    Report(Stage),
    /// Be in this stage; nothing to write.
    Enter(Stage),
    /// Decide again after this long.
    Wait(Duration),
    /// Decide again when a volume has changed.
    AwaitVolumes,
    /// Remove the object.
    Delete,
    /// Only a change of the pod matters.
    Idle,
}

pub(super) fn decide(
    wish: &Wish,
    memory: &Memory,
    volumes_ready: bool,
    now: Instant,
    delays: &Delays,
) -> Step {
    let after = |delay: Duration, step: Step| match delay.checked_sub(now.duration_since(memory.since)) {
        Some(rest) if !rest.is_zero() => Step::Wait(rest),
        _ => step,
    };
    if let Some(grace) = wish.deleting {
        return match memory.stage {
            Stage::Stopping => after(delays.terminate.min(grace), Step::Report(Stage::Stopped)),
            Stage::Stopped => after(delays.delete, Step::Delete),
            Stage::Deleted => Step::Idle,
            Stage::Finished => Step::Enter(Stage::Stopped),
            _ => Step::Enter(Stage::Stopping),
        };
    }
    match memory.stage {
        Stage::Admitted => Step::Report(Stage::Creating),
        Stage::Creating if wish.waiting_reason.is_some() => Step::Report(Stage::Stuck),
        Stage::Creating if !volumes_ready => Step::AwaitVolumes,
        Stage::Creating if delays.ready.is_zero() && !wish.never_ready => {
            after(delays.start, Step::Report(Stage::Ready))
        }
        Stage::Creating => after(delays.start, Step::Report(Stage::Running)),
        Stage::Stuck if wish.waiting_reason.is_none() => Step::Report(Stage::Creating),
        Stage::Running | Stage::Ready => running(wish, memory, now, delays),
        Stage::Restarting => after(delays.restart, Step::Report(Stage::Running)),
        Stage::Stuck | Stage::Finished | Stage::Stopping | Stage::Stopped | Stage::Deleted => Step::Idle,
    }
}

/// Containers run: they exit, become ready or stop being ready, whichever is due first.
fn running(wish: &Wish, memory: &Memory, now: Instant, delays: &Delays) -> Step {
    let left = |since: Instant, delay: Duration| delay.saturating_sub(now.duration_since(since));
    let exit = wish.exit_code.map(|_| {
        let end = if wish.restarts { Stage::Restarting } else { Stage::Finished };
        (left(memory.running.unwrap_or(memory.since), delays.complete), end)
    });
    let readiness = match (memory.stage, wish.never_ready) {
        (Stage::Running, false) => Some((left(memory.since, delays.ready), Stage::Ready)),
        (Stage::Ready, true) => Some((Duration::ZERO, Stage::Running)),
        _ => None,
    };
    match exit.into_iter().chain(readiness).min_by_key(|(left, _)| *left) {
        Some((left, stage)) if left.is_zero() => Step::Report(stage),
        Some((left, _)) => Step::Wait(left),
        None => Step::Idle,
    }
}

#[cfg(test)]
mod tests;
