//! Telling a process from its namesakes, and ending it. Only processes whose identity is proved are
//! ever signalled. Linux only: identity is read from /proc, signals go through pid file descriptors.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    time::{Duration, Instant},
};

/// How often a process that was told to end is looked at.
const POLL: Duration = Duration::from_millis(10);
/// The kernel needs a moment to take down a process after SIGKILL.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// A process, such that a later one with the same number is not taken for it: that would have to
/// begin within the same clock tick (10 ms) of the same boot. The program is no part of it, because
/// it changes: right after a start /proc still shows the launcher's or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessId {
    /// The number, as `kill` and `ps` know it.
    pub pid: u32,
    /// When it began, in clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)).
    pub start_ticks: u64,
    /// Which boot those ticks count from: /proc/sys/kernel/random/boot_id.
    pub boot: String,
}

impl ProcessId {
    /// The process that calls.
    ///
    /// # Errors
    /// If /proc is not there.
    pub fn current() -> io::Result<Self> {
        Self::of(std::process::id())
    }

    /// A running process by its number.
    ///
    /// # Errors
    /// If it does not exist or /proc is not there.
    pub fn of(pid: u32) -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Self { pid, start_ticks: start_ticks(pid)?, boot })
    }

    /// Whether exactly this process still runs. A zombie does not.
    #[must_use]
    pub fn alive(&self) -> bool {
        Self::of(self.pid).is_ok_and(|now| now == *self)
    }

    /// Sends SIGTERM, and SIGKILL if it still runs after `grace`. Returns whether there was
    /// anything to end.
    ///
    /// # Errors
    /// If a signal may not be sent, or the process survives SIGKILL (stuck in the kernel).
    pub async fn end(&self, grace: Duration) -> io::Result<bool> {
        if !self.signal(Signal::TERM)? {
            return Ok(false);
        }
        if self.gone_within(grace).await {
            return Ok(true);
        }
        self.signal(Signal::KILL)?;
        if self.gone_within(KILL_GRACE).await {
            return Ok(true);
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("process {} survives SIGKILL", self.pid)))
    }

    /// Whether it was there to be signalled. The file descriptor is opened before the identity is
    /// checked, so the number cannot be handed to another process in between (pidfd_open(2)).
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(false) };
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(false) };
        if !self.alive() {
            return Ok(false);
        }
        match pidfd_send_signal(&descriptor, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Polls: only a parent can wait for a process, and this may be an orphan of someone else.
    async fn gone_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.alive() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }
}

/// Field 22, counted after the command in parentheses, which may itself hold blanks and parentheses.
fn start_ticks(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_stat(&stat)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("process {pid} has ended")))
}

/// `None` for zombies and the dead.
fn parse_stat(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{ProcessId, parse_stat};
    use std::{process::Command, time::Duration};

    #[test]
    fn stat_with_a_hostile_name() {
        let after = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(parse_stat(&format!("7 (a) S) 9) {after}")), Some(4242));
        assert_eq!(parse_stat(&format!("7 (a) {}", after.replacen('S', "Z", 1))), None);
        assert_eq!(parse_stat("7 (a"), None);
    }

    #[tokio::test]
    async fn ends_only_the_process_it_knows() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        let other = ProcessId { start_ticks: id.start_ticks + 1, ..id.clone() };
        assert!(!other.alive() && !other.end(Duration::ZERO).await.unwrap());
        assert!(id.alive());
        assert!(id.end(Duration::from_secs(10)).await.unwrap());
        assert!(!id.alive() && !id.end(Duration::ZERO).await.unwrap());
        child.wait().unwrap();
    }
}
