//! What every object in a cloud needs, disk or snapshot: an identity that survives crashes, the
//! protocol that makes it exactly once, and the protocol that destroys it only when that is certain.
//!
//! All of it is pure. The protocols look at what was read and name the next thing to do; the
//! controllers do it. Nothing here knows a provider.

pub mod creation;
pub mod identity;
mod problem;
pub mod removal;
mod sighting;

pub use problem::{Problem, Retry};
pub(crate) use problem::{degraded, progressing};
pub use sighting::{CloudObject, Life, Ownership, Sighting, is_claimable, owner_of};
