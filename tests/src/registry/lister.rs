//! A registry that lists referrers itself, page by page: olareg, in memory.

use crate::daemon::{self, Daemon};
use anyhow::Result;
use kompox_devcluster::{Reporter, go};
use tokio::process::Command;

/// A running registry. It is killed when dropped.
#[derive(Debug)]
pub struct Lister {
    daemon: Daemon,
}

impl Lister {
    /// Starts one whose pages of referrers have `page` bytes at most, built now if the cache does not hold it. With
    /// `None` it has no such list.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub async fn start(reporter: &Reporter, page: Option<usize>) -> Result<Self> {
        let program = go::REFERRERS.programs(reporter).await?.directory.join("referrers");
        let (address, directory) = (daemon::free_address()?, tempfile::tempdir()?);
        let mut command = Command::new(program);
        command
            .args(["-address", &address.to_string()])
            .args(["-page", &page.unwrap_or_default().to_string()])
            .arg(format!("-listed={}", page.is_some()));
        Ok(Self { daemon: Daemon::start(command, address, directory).await? })
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.daemon.address().to_string()
    }

    /// The addresses that were asked for and have this in them, in order.
    #[must_use]
    pub fn asked_for(&self, part: &str) -> Vec<String> {
        let log = self.daemon.log();
        let urls = log.lines().filter_map(|line| line.split_once(" url=")?.1.split_whitespace().next());
        urls.map(|url| url.trim_matches('"').to_owned()).filter(|url| url.contains(part)).collect()
    }
}
