//! The daemon: supervises instances, acts on decisions, answers REST.
//!
//! - [`member`]: the agent of one member: observes, asks `twinlock_pair::decide`, acts.
//! - [`guard`]: restarts a dead agent, and kills the instance when its lease was not renewed in time.
//! - [`witness`]: the process that keeps the register.
//! - [`client`]: how the command line, agents and witness talk to each other.
//! - [`api`], [`config`], [`events`]: the words in which they do.

pub mod api;
pub mod client;
mod clock;
pub mod config;
mod deadline;
mod error;
pub mod events;
pub mod guard;
mod http;
mod lock;
pub mod member;
pub mod process;
mod tls;
pub mod witness;

pub use clock::now;
pub use error::AgentError;
