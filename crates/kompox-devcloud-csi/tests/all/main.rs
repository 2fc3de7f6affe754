//! The driver as it is used: its program, on sockets in a temporary directory, beside a real devcloud. What mounts
//! needs root: without it those tests say loudly that they were skipped, and fail if `KOMPOX_REQUIRE_REAL_NODE=1`.

mod node;
mod registration;
mod sanity;
mod support;
