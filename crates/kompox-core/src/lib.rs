//! Pure decisions of the Kompox Operator: values in, values out.
//!
//! What lives here: validation, `decide` and `build` functions, status computation, and the
//! [`driver`] port with its values. What may not: a Kubernetes client, an async runtime, a clock, the
//! environment, files. `now` is always an argument (ARCHITECTURE.md, invariant 1).

pub mod app;
pub mod cloud;
pub mod conditions;
pub mod disk;
pub mod driver;
pub mod hash;
pub mod labels;
pub mod naming;
pub mod quantity;
pub mod resources;
pub mod signature;
pub mod snapshot;
pub mod step;
