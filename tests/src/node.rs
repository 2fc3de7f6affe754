//! Scenarios on a real node: apps whose containers run, on disks that hold bytes, reached through an ingress.
//! What happens in one stands in a file of `tests/scenarios`, see the README there; nothing here knows any of
//! them.

mod file;
mod place;
mod play;
mod pods;
mod stage;

pub use file::Scenario;
pub use play::play;
pub use stage::{NodeStage, images};

use std::time::Duration;

/// How long any single thing may take on a loaded machine before a scenario gives up.
const PATIENCE: Duration = Duration::from_secs(150);
/// How often a condition is looked at. Waiting ends with a deadline, never with a count.
const POLL: Duration = Duration::from_millis(200);
