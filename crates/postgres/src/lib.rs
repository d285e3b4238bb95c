//! One PostgreSQL instance: init, configure, start, base backup, promote, rewind, stop.
//!
//! This crate moves one instance and decides nothing about pairs. Every wait has a bound, every failure says what
//! PostgreSQL or its program said, and no secret is ever an argument or in the environment of a process.
//!
//! - [`Installation`]: the programs of PostgreSQL on this machine.
//! - [`Directories`], [`Settings`], [`TlsFiles`]: where an instance is and what is wanted of it.
//! - [`Instance`]: everything that is done to it.
//! - [`Running`], [`processes_of`]: its processes.
//! - [`Session`], [`Observation`]: asking it.
//! - [`admission`]: showing that commits wait before a standby is relied upon.

pub mod admission;
mod base_backup;
mod bootstrap;
mod configure;
mod control;
mod directories;
mod error;
mod files;
mod handshake;
mod initialise;
mod installation;
mod instance;
mod lsn;
mod place;
mod process;
mod program;
mod promote;
mod render;
mod rewind;
mod session;
mod settings;
mod start;
mod stop;
mod synchronous;
mod version;

pub use base_backup::Progress;
pub use bootstrap::{BootstrapPlan, Bootstrapped};
pub use configure::ConfigureOutcome;
pub use control::{ClusterState, ControlData};
pub use directories::{Directories, RuntimePlace};
pub use error::PostgresError;
pub use handshake::{PeerTls, handshake};
pub use initialise::InitOptions;
pub use installation::Installation;
pub use instance::{AGENT_NAME, Instance, SUPERUSER};
pub use lsn::{InvalidLsn, Lsn};
pub use process::{Running, kill_processes_of, processes_of};
pub use render::is_owned;
pub use rewind::RewindOutcome;
pub use session::{Observation, Receiver, Sender, SenderTls, Session};
pub use settings::{
    CommitLevel, Gate, Identity, Protocol, RoleSettings, Settings, Synchronous, TlsFiles, TlsPolicy, Upstream,
};
pub use stop::{StopMode, Stopped};
pub use version::{NEWEST_MAJOR, OLDEST_MAJOR, Version};
