//! What the demo, the benchmarks and every test that needs a control plane share: the stage, the scene of
//! one test, cloud doubles, and the runner of the API's rules. Nothing of it is shipped.

#![expect(clippy::indexing_slicing, reason = "JSON values of tests: a missing member reads as null")]

pub mod cel;
pub mod cloud;
pub mod corpus;
mod daemon;
pub mod http_proxy;
pub mod node;
pub mod objects;
pub mod operator;
pub mod registry;
pub mod scenario;
pub mod scene;
pub mod stage;
