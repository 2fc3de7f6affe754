//! What the connections of a service share, and the jobs that run beside them.

use crate::cloud::{Cloud, Job};
use crate::faults::Faults;
use crate::tokens::Tokens;
use std::sync::Arc;
use std::time::Duration;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) cloud: Cloud,
    pub(crate) tokens: Tokens,
    pub(crate) faults: Faults,
}

/// Runs a job after a delay that a fault may have asked for.
pub(crate) async fn run_later(shared: Arc<Shared>, job: Job, delay: Duration) {
    tokio::time::sleep(delay).await;
    let ended = tokio::task::spawn_blocking(move || shared.cloud.run(&job)).await;
    if let Err(error) = ended {
        tracing::error!(%error, "a job ended before its time");
    }
}
