//! What an agent says of its member: the types of its REST API.
//!
//! | method, path | body | answer |
//! |---|---|---|
//! | `GET /v1/status` | – | [`MemberStatus`] |
//! | `GET /v1/status?handshake` | – | the same, with the peer's server certificate seen live |
//! | `GET /v1/report` | – | [`twinlock_pair::view::PeerReport`] |
//! | `POST /v1/promise` | [`PromiseRequest`] | [`PromiseAnswer`] |
//! | `POST /v1/order` | [`twinlock_pair::view::Order`] as JSON string | `{}` |

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use twinlock_manifest::state::PairState;
use twinlock_pair::ledger::Reading;
use twinlock_pair::view::{Job, Order, Synchronous};

/// Everything that an agent knows of its member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberStatus {
    /// The pair.
    pub pair: String,
    /// This member.
    pub member: String,
    /// Process of the agent.
    pub agent_pid: u32,
    /// Process of the guard, if one is known.
    pub guard_pid: Option<u32>,
    /// When the agent started.
    #[serde(with = "time::serde::rfc3339")]
    pub agent_started: OffsetDateTime,
    /// Release of PostgreSQL, e.g. `15.18`.
    pub release: String,
    /// What this member sees as the state of the pair.
    pub pair_state: PairState,
    /// Why the next step is what it is.
    pub because: String,
    /// The last error, until a step succeeds.
    pub last_error: Option<String>,
    /// The register as last read.
    pub register: Option<Reading>,
    /// How long this member may still act as active, milliseconds; zero when it may not.
    pub lease_remaining_ms: u64,
    /// What the instance does.
    pub instance: InstanceStatus,
    /// The step that is running.
    pub job: Option<JobStatus>,
    /// What a person ordered and is not yet done.
    pub order: Option<Order>,
    /// Connections to those who receive from this member.
    pub transmitters: Vec<Transmitter>,
    /// The connection on which this member receives.
    pub receiver: Option<Receiver>,
    /// The credential that this member presents.
    pub certificate: Option<CertificateStatus>,
}

/// The instance of a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// What it is.
    pub state: InstanceState,
    /// Process of the postmaster.
    pub postmaster_pid: Option<u32>,
    /// Timeline.
    pub timeline: Option<u32>,
    /// Which cluster.
    pub system_identifier: Option<u64>,
    /// Whether clients may come in.
    pub gate_open: bool,
    /// Whom commits wait for; only on a primary.
    pub synchronous: Option<Synchronous>,
    /// End of WAL, flushed; only on a primary.
    pub flush_lsn: Option<u64>,
    /// End of WAL received and flushed; only on a standby.
    pub receive_lsn: Option<u64>,
    /// End of WAL replayed; only on a standby.
    pub replay_lsn: Option<u64>,
    /// Seconds since the last replayed commit; only on a standby with something left to replay.
    pub replay_lag_seconds: Option<f64>,
}

/// What an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// No data directory.
    Absent,
    /// No process.
    Stopped,
    /// A postmaster that nobody could ask yet.
    Starting,
    /// A postmaster that does not answer.
    Unresponsive,
    /// It follows.
    Standby,
    /// It can commit.
    Primary,
}

/// A running step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
    /// Which.
    pub job: Job,
    /// Seconds since it began.
    pub elapsed_seconds: f64,
    /// How far it has come, 0 to 100, where that is known.
    pub percent: Option<u8>,
}

/// The sending end of a replication connection, read from the live session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transmitter {
    /// For which member.
    pub member: String,
    /// Process of the sender.
    pub pid: u32,
    /// Address of the receiver.
    pub client_addr: Option<String>,
    /// Port of the receiver.
    pub client_port: Option<u16>,
    /// `streaming`, `catchup`, …
    pub state: String,
    /// `sync`, `async`, …
    pub sync_state: String,
    /// Confirmed as flushed.
    pub flush_lsn: Option<u64>,
    /// Confirmed as replayed.
    pub replay_lsn: Option<u64>,
    /// Bytes flushed here and not yet there.
    pub lag_bytes: Option<u64>,
    /// Seconds that the latest commits took to be flushed there; `None` when idle.
    pub lag_seconds: Option<f64>,
    /// How it is encrypted; `None` when it is not.
    pub tls: Option<Tls>,
}

/// The receiving end of a replication connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receiver {
    /// `streaming`, or what it does instead.
    pub state: String,
    /// Address it receives from.
    pub sender_host: Option<String>,
    /// Port it receives from.
    pub sender_port: Option<u16>,
    /// Its own address, by which the active's `pg_stat_ssl` row is found.
    pub local_addr: Option<String>,
    /// Its own port.
    pub local_port: Option<u16>,
    /// The server's certificate, from a handshake of the agent; only when asked for.
    pub server: Option<ServerTls>,
}

/// TLS of a live connection as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// E.g. `TLSv1.2`.
    pub protocol: String,
    /// OpenSSL's name of the suite.
    pub cipher: String,
    /// Subject of the client's certificate.
    pub peer_subject: Option<String>,
    /// Serial of the client's certificate.
    pub peer_serial: Option<String>,
}

/// TLS of a server as a handshake of the agent saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerTls {
    /// E.g. `TLSv1.2`.
    pub protocol: String,
    /// Name of the suite.
    pub cipher: String,
    /// Subject of the server's certificate.
    pub subject: String,
    /// Serial of the server's certificate.
    pub serial: String,
    /// Whether chain and name verified.
    pub verified: bool,
}

/// The credential that a member presents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateStatus {
    /// Subject.
    pub subject: String,
    /// Serial, hexadecimal.
    pub serial: String,
    /// When it expires.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
}

/// The active asks its standby not to seek the lease for a while, because the arbiter is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromiseRequest {
    /// Who asks.
    pub member: String,
    /// Generation in which it is active.
    pub generation: u64,
}

/// What the standby answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromiseAnswer {
    /// For how long it will not seek the lease, milliseconds from its receipt of the request.
    pub promised_ms: u64,
}
