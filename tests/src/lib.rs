//! End-to-end and component tests.
