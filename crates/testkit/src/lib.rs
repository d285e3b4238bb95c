//! Scratch clusters and fault injection for tests.

mod certificates;
mod port;
mod scratch;
mod unprivileged;
mod wait;

pub use certificates::{TestCertificates, validity};
pub use port::{FreePort, free_port};
pub use scratch::ScratchDir;
pub use unprivileged::{Place, SmallDisk, block_on, run_unprivileged};
pub use wait::{wait_until, wait_until_async};
