//! Short-lived credentials, kept between calls: renewed early, by one caller at a time, and bounded.
//!
//! The clock is the wall clock of the runtime, since providers say when a credential ends. How a
//! credential is made is a [`Mint`]'s business.

use super::{Failure, Wire, sigv4::AccessKey, source::Slot};
use kompox_core::driver::BoxFuture;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Credentials kept at most; the one used longest ago makes room.
const SLOTS: usize = 1024;
/// A credential is renewed when this much of its life is left, or a quarter of it if that is less.
const EARLY: Duration = Duration::from_secs(300);
/// It is not used any more when this much is left, or a tenth: a request takes time too.
const LATE: Duration = Duration::from_secs(30);
/// Nobody asks again so soon after a failure; the provider may want more, up to a minute.
const FAILED: Duration = Duration::from_secs(5);
const FAILED_LONGEST: Duration = Duration::from_secs(60);
/// How long a caller with a good credential in hand waits for the next one.
const PATIENCE: Duration = Duration::from_secs(5);
/// A credential that the provider rejects is renewed only if it is older: else a new one will not do.
const YOUNG: Duration = Duration::from_secs(60);
/// No credential is kept longer, whatever its provider says.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// What is kept.
pub(super) enum Credential {
    /// Goes into a header.
    Token(SecretString),
    /// Signs requests to AWS.
    AwsKey(AccessKey),
}

impl Credential {
    /// What must never be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let list: Vec<&SecretString> = match self {
            Self::Token(token) => vec![token],
            Self::AwsKey(key) => key.secrets().collect(),
        };
        list.into_iter()
    }
}

/// A fresh credential.
pub(super) struct Minted {
    pub(super) credential: Credential,
    /// From now on.
    pub(super) lifetime: Duration,
}

/// Makes a credential from a long-lived one.
pub(super) trait Mint: Send + Sync {
    /// Asks the provider.
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>>;
}

/// Where a credential is kept, and how it is made.
pub(crate) struct Minting {
    pub(super) slot: Slot,
    pub(super) mint: Box<dyn Mint>,
}

/// The credentials of all drivers of a runtime.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    cells: BTreeMap<Slot, (u64, Arc<Cell>)>,
    /// Counts the uses, to find the cell that was used longest ago.
    uses: u64,
}

#[derive(Default)]
struct Cell {
    kept: Mutex<Kept>,
    /// Held by the one caller that asks the provider.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    current: Option<Current>,
    failed: Option<Failed>,
}

struct Current {
    credential: Arc<Credential>,
    since: SystemTime,
    renew: SystemTime,
    end: SystemTime,
}

struct Failed {
    since: SystemTime,
    until: SystemTime,
    failure: Failure,
}

enum Look {
    Good(Arc<Credential>),
    /// Good, and time to renew it.
    Aging(Arc<Credential>),
    Failed(Failure),
    Nothing,
}

impl Tokens {
    /// The credential of `minting`. Of many callers one asks the provider, and all get its answer; as
    /// long as the old one is good, nobody waits but that one, and it not for long.
    pub(super) async fn get(&self, minting: &Minting, wire: &Wire<'_>) -> Result<Arc<Credential>, Failure> {
        let cell = self.cell(minting.slot);
        let (_turn, old) = match cell.look(wire.now()) {
            Look::Good(credential) => return Ok(credential),
            Look::Failed(failure) => return Err(failure),
            Look::Aging(credential) => match cell.turn.try_lock() {
                Ok(turn) => (turn, Some(credential)),
                Err(_) => return Ok(credential),
            },
            Look::Nothing => (cell.turn.lock().await, None),
        };
        // Whoever had the turn before may have got it.
        match cell.look(wire.now()) {
            Look::Good(credential) => return Ok(credential),
            Look::Failed(failure) => return old.ok_or(failure),
            Look::Aging(_) | Look::Nothing => {}
        }
        match fresh(minting, wire, old.is_some()).await {
            Ok(minted) => Ok(cell.keep(minted, wire.now())),
            Err(failure) => {
                cell.fail(&failure, wire.now());
                if old.is_some() {
                    tracing::warn!(
                        reason = failure.reason,
                        "failed to renew a credential early: {}",
                        failure.message
                    );
                }
                old.ok_or(failure)
            }
        }
    }

    /// The provider did not accept the credential of `minting`.
    pub(super) fn reject(&self, minting: &Minting, now: SystemTime) {
        let cell = self.cell(minting.slot);
        let mut kept = cell.kept();
        if kept.current.as_ref().is_some_and(|current| now > current.since + YOUNG) {
            kept.current = None;
        }
    }

    fn cell(&self, slot: Slot) -> Arc<Cell> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.uses += 1;
        let uses = slots.uses;
        if slots.cells.len() >= SLOTS && !slots.cells.contains_key(&slot) {
            let oldest = slots.cells.iter().min_by_key(|(_, (used, _))| *used).map(|(slot, _)| *slot);
            oldest.and_then(|oldest| slots.cells.remove(&oldest));
        }
        let entry = slots.cells.entry(slot).or_default();
        entry.0 = uses;
        Arc::clone(&entry.1)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().cells.len()
    }
}

/// Asks the provider; not for long if there is a credential that is still good.
async fn fresh(minting: &Minting, wire: &Wire<'_>, has_old: bool) -> Result<Minted, Failure> {
    let minted = minting.mint.mint(wire);
    if !has_old {
        return minted.await;
    }
    let slow = |_| Err(Failure::unavailable("the token endpoint did not answer in time"));
    tokio::time::timeout(PATIENCE, minted).await.unwrap_or_else(slow)
}

impl Cell {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, now: SystemTime) -> Look {
        let kept = self.kept();
        let failed = kept.failed.as_ref().filter(|failed| failed.since <= now && now < failed.until);
        match (&kept.current, failed) {
            (Some(current), None) if current.renew <= now && now < current.end => {
                Look::Aging(Arc::clone(&current.credential))
            }
            (Some(current), _) if now < current.end => Look::Good(Arc::clone(&current.credential)),
            (_, Some(failed)) => Look::Failed(failed.failure.clone()),
            (_, None) => Look::Nothing,
        }
    }

    fn keep(&self, minted: Minted, now: SystemTime) -> Arc<Credential> {
        let lifetime = minted.lifetime.min(LONGEST);
        let credential = Arc::new(minted.credential);
        let current = Current {
            credential: Arc::clone(&credential),
            since: now,
            renew: now + (lifetime - EARLY.min(lifetime / 4)),
            end: now + (lifetime - LATE.min(lifetime / 10)),
        };
        *self.kept() = Kept { current: Some(current), failed: None };
        credential
    }

    fn fail(&self, failure: &Failure, now: SystemTime) {
        let pause = failure.retry_after.unwrap_or_default().clamp(FAILED, FAILED_LONGEST);
        self.kept().failed = Some(Failed { since: now, until: now + pause, failure: failure.clone() });
    }
}

#[cfg(test)]
mod tests;
