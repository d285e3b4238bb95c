//! What one member, or one witness, is told when it starts; and where it keeps its files.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twinlock_manifest::documents::PairKind;
use twinlock_manifest::spec::PairSpec;
use twinlock_pair::Timing;
use twinlock_wallet::durable;

use crate::error::AgentError;

/// Name of the configuration file in a member's home.
pub const MEMBER_FILE: &str = "member.json";

/// Everything that a member is told. Written by `twinlock up`, read when guard and agent start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberConfig {
    /// The pair.
    pub pair: String,
    /// Which kind of object declared it; only words in events depend on it.
    pub kind: PairKind,
    /// This member, e.g. `repltls-0`.
    pub member: String,
    /// The other member.
    pub peer: PeerConfig,
    /// Where this member's PostgreSQL listens.
    pub postgres: SocketAddr,
    /// Where this member's agent listens.
    pub agent: SocketAddr,
    /// Where the witness listens.
    pub witness: SocketAddr,
    /// Directory of this member: data, log, events, wallet.
    pub home: PathBuf,
    /// Directory on tmpfs for keys, sockets and rendered configuration.
    pub runtime: PathBuf,
    /// Programs of PostgreSQL; Debian's newest where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres_bindir: Option<PathBuf>,
    /// The wallet with which agents, witness and command line talk to each other.
    pub control_wallet: PathBuf,
    /// What the user declared.
    pub spec: PairSpec,
    /// PostgreSQL settings from `db.ini`.
    pub settings: BTreeMap<String, String>,
    /// Libraries to load at start.
    pub preload_libraries: Vec<String>,
    /// Encoding of a new database, PostgreSQL's name.
    pub encoding: String,
    /// Owner of the database.
    pub admin_user: String,
    /// The database.
    pub database: String,
    /// Users of this machine who may open a session without a password, through the socket.
    pub local_os_users: Vec<String>,
    /// Durations of the lease protocol.
    #[serde(default)]
    pub timing: Timing,
}

/// How to reach the other member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeerConfig {
    /// Its name.
    pub name: String,
    /// Its agent.
    pub agent: SocketAddr,
    /// Its PostgreSQL.
    pub postgres: SocketAddr,
}

impl MemberConfig {
    /// Reads the configuration in `home`.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration.
    pub fn read(home: &Path) -> Result<MemberConfig, AgentError> {
        read_json(&home.join(MEMBER_FILE))
    }

    /// Writes the configuration to its home, durably and private to its owner.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> Result<(), AgentError> {
        write_json(&self.home.join(MEMBER_FILE), self)
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Where PostgreSQL, agent and guard write their logs.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Directory of the replication wallet, as the document shows it.
    #[must_use]
    pub fn replication_wallet(&self) -> PathBuf {
        self.home.join("replicationWallet")
    }

    /// The metadata that is read once, at creation: `adminUser` and `schema.sql`.
    #[must_use]
    pub fn metadata(&self) -> PathBuf {
        self.home.join("ttconfig")
    }

    /// Events of this member, one JSON object a line.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.home.join("events.jsonl")
    }

    /// The newest revision of the register that this member has acted on.
    #[must_use]
    pub fn seen(&self) -> PathBuf {
        self.home.join("seen.json")
    }

    /// Until when this member may act as active; the guard watches it.
    #[must_use]
    pub fn deadline(&self) -> PathBuf {
        self.runtime.join("deadline")
    }

    /// Lock that one agent at a time holds.
    #[must_use]
    pub fn agent_lock(&self) -> PathBuf {
        self.runtime.join("agent.lock")
    }

    /// Lock that one guard at a time holds.
    #[must_use]
    pub fn guard_lock(&self) -> PathBuf {
        self.runtime.join("guard.lock")
    }

    /// Its presence ends guard and agent: a person ordered the member to stop.
    #[must_use]
    pub fn stop_mark(&self) -> PathBuf {
        self.runtime.join("stop")
    }

    /// Directory of PostgreSQL's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("socket")
    }
}

/// Everything that a witness is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WitnessConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its durable file of registers.
    pub file: PathBuf,
    /// Lock that one witness at a time holds.
    pub lock: PathBuf,
    /// The wallet with which it proves itself and checks members.
    pub control_wallet: PathBuf,
    /// How long a lease lasts, milliseconds.
    pub lease_ms: u64,
}

impl WitnessConfig {
    /// Reads the configuration at `path`.
    ///
    /// # Errors
    /// When the file cannot be read or is not a configuration.
    pub fn read(path: &Path) -> Result<WitnessConfig, AgentError> {
        read_json(path)
    }

    /// Writes the configuration to `path`, durably.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), AgentError> {
        write_json(path, self)
    }
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, AgentError> {
    let text = fs::read(path).map_err(AgentError::file("read", path))?;
    serde_json::from_slice(&text).map_err(|cause| AgentError::Format { path: path.to_owned(), cause })
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), AgentError> {
    let text = serde_json::to_vec_pretty(value)
        .map_err(|cause| AgentError::Format { path: path.to_owned(), cause })?;
    durable::replace_file(path, &text, 0o600).map_err(AgentError::file("write", path))
}
