//! Starts parts again that end by themselves. How often is decided in [`restarts`](crate::restarts).

use super::{DevCluster, Error};
use crate::{
    part::{self, PartName},
    progress::Progress,
    restarts::{MOST, Restarts, WINDOW},
};
use std::time::{Duration, Instant};

/// How often the parts are looked at.
const POLL: Duration = Duration::from_millis(500);

impl DevCluster {
    /// Starts every part again that ends by itself, on the same port and data; what a supervisor runs beside
    /// everything else. Returns when one ends too often, with the reason: the cluster is of no use then.
    ///
    /// A real node does not come back without its machine: only a new start brings it.
    pub async fn keep_up(&self) -> Error {
        let mut restarts = Restarts::default();
        loop {
            let (part, how) = self.part_ended().await;
            if let Err(error) = self.start_again(part, &how, &mut restarts).await {
                return error;
            }
        }
    }

    async fn start_again(&self, part: PartName, how: &str, restarts: &mut Restarts) -> Result<(), Error> {
        let wait = match restarts.ended(part, Instant::now()) {
            Some(wait) if part != PartName::Machine => wait,
            _ => return Err(self.given_up(part, how).await),
        };
        self.parts.lock().await.reporter.report(Progress::Ended { part, how: how.to_owned(), wait });
        tokio::time::sleep(wait).await;
        self.parts.lock().await.count_restart(part);
        let started = self.restart_part(part).await;
        match started {
            // What does not come up has ended once more, as far as that is a process at all.
            Err(error) if !self.parts.lock().await.put_down(part).await => Err(self.cause(error).await),
            _ => Ok(()),
        }
    }

    /// What ends with the machine ends a moment before it, and is not started again without it.
    async fn cause(&self, error: Error) -> Error {
        let machine = self.parts.lock().await.end_of(PartName::Machine);
        match machine {
            Some(how) => self.given_up(PartName::Machine, &how.to_string()).await,
            None => error,
        }
    }

    async fn given_up(&self, part: PartName, how: &str) -> Error {
        let (log, tail) = self.parts.lock().await.log(part);
        let how = how.to_owned();
        if part == PartName::Machine {
            return Error::Parts(part::Error::MachineEnded { how, log, tail });
        }
        Error::Parts(part::Error::EndsAgain { part, how, times: MOST + 1, within: WINDOW, log, tail })
    }

    /// A part that has ended and that nobody killed on purpose, and how it ended.
    async fn part_ended(&self) -> (PartName, String) {
        loop {
            if let Some((name, status)) = self.parts.lock().await.ended() {
                return (name, status.to_string());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
