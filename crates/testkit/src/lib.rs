//! Scratch clusters and fault injection for tests.

mod wait;

pub use wait::{wait_until, wait_until_async};
