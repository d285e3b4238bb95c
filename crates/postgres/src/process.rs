//! The processes of an instance: finding, following and ending them.

mod identity;
mod listing;
mod running;

pub(crate) use identity::Identity;
pub use listing::{kill_processes_of, processes_of};
pub use running::Running;
