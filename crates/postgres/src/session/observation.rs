//! What a decision about the pair needs to know of an instance, read in two queries.

use std::time::Duration;

use tokio_postgres::Row;

use super::{Session, column, lsn};
use crate::error::PostgresError;
use crate::lsn::Lsn;

/// An instance as seen from within at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Whether it is a standby.
    pub in_recovery: bool,
    /// Timeline that it writes, or receives and replays.
    pub timeline: u32,
    /// Which cluster it is.
    pub system_identifier: u64,
    /// End of WAL written to the operating system; only on an active instance.
    pub write_lsn: Option<Lsn>,
    /// End of WAL flushed to disk; only on an active instance.
    pub flush_lsn: Option<Lsn>,
    /// End of WAL inserted; only on an active instance.
    pub current_lsn: Option<Lsn>,
    /// End of WAL received and flushed since the last start; only on a standby.
    pub receive_lsn: Option<Lsn>,
    /// End of WAL replayed; only on a standby.
    pub replay_lsn: Option<Lsn>,
    /// Whether somebody has paused replay.
    pub replay_paused: bool,
    /// Seconds since the last replayed commit was made, 0 when everything received is replayed; only on a standby
    /// that has replayed a commit.
    pub replay_lag_seconds: Option<f64>,
    /// What it receives from; only while a receiver runs.
    pub receiver: Option<Receiver>,
    /// `synchronous_standby_names` as this session sees it. That commits wait is not shown by it.
    pub sync_names: String,
    /// Those who receive from it.
    pub senders: Vec<Sender>,
}

/// The receiving end of a replication connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    /// `streaming`, or what it does instead.
    pub status: String,
    /// Address it receives from.
    pub host: Option<String>,
    /// Port it receives from.
    pub port: Option<u16>,
    /// End of WAL flushed.
    pub flushed_lsn: Option<Lsn>,
    /// Seconds since the last message of the sender.
    pub silent_seconds: Option<f64>,
}

/// The sending end of a replication connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Sender {
    /// Name of the standby.
    pub application_name: String,
    /// Process id of the sender.
    pub pid: u32,
    /// Address of the receiver; `None` over the socket.
    pub client_addr: Option<String>,
    /// Port of the receiver, by which its end of the connection is told from others.
    pub client_port: Option<u16>,
    /// `streaming`, `catchup`, `backup`, …
    pub state: String,
    /// `sync`, `async`, `potential` or `quorum`.
    pub sync_state: String,
    /// End of WAL sent.
    pub sent_lsn: Option<Lsn>,
    /// End of WAL written by the receiver.
    pub write_lsn: Option<Lsn>,
    /// End of WAL flushed by the receiver.
    pub flush_lsn: Option<Lsn>,
    /// End of WAL replayed by the receiver.
    pub replay_lsn: Option<Lsn>,
    /// Seconds since the receiver's last reply, by this host's clock.
    pub reply_age_seconds: Option<f64>,
    /// Seconds that the latest commits took to be flushed there; `None` when idle.
    pub flush_lag_seconds: Option<f64>,
    /// Seconds that the latest commits took to be replayed there; `None` when idle.
    pub replay_lag_seconds: Option<f64>,
    /// How the connection is encrypted; `None` when it is not.
    pub tls: Option<SenderTls>,
}

/// TLS of a live connection, from `pg_stat_ssl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderTls {
    /// E.g. `TLSv1.2`.
    pub version: String,
    /// OpenSSL's name of the suite.
    pub cipher: String,
    /// Bits of the key.
    pub bits: u32,
    /// Subject of the receiver's certificate; `None` when it came without one.
    pub client_dn: Option<String>,
    /// Serial number of the receiver's certificate, decimal.
    pub client_serial: Option<String>,
    /// Issuer of the receiver's certificate.
    pub issuer_dn: Option<String>,
}

const OWN: &str = "\
select r.recovery, \
    (case when r.recovery \
        then greatest(c.timeline_id, m.min_recovery_end_timeline, w.received_tli)::bigint \
        else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint end), \
    s.system_identifier, \
    case when not r.recovery then pg_current_wal_lsn()::text end, \
    case when not r.recovery then pg_current_wal_flush_lsn()::text end, \
    case when not r.recovery then pg_current_wal_insert_lsn()::text end, \
    case when r.recovery then pg_last_wal_receive_lsn()::text end, \
    case when r.recovery then pg_last_wal_replay_lsn()::text end, \
    case when r.recovery then pg_is_wal_replay_paused() else false end, \
    (case when not r.recovery then null \
        when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 \
        else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end)::float8, \
    current_setting('synchronous_standby_names'), \
    w.status, w.sender_host, w.sender_port, w.flushed_lsn::text, \
    extract(epoch from clock_timestamp() - w.last_msg_receipt_time)::float8 \
from (select pg_is_in_recovery() as recovery) r, pg_control_system() s, pg_control_checkpoint() c, \
    pg_control_recovery() m left join pg_stat_wal_receiver w on true";

const SENDERS: &str = "\
select r.application_name, r.pid, host(r.client_addr), r.client_port, r.state, r.sync_state, \
    r.sent_lsn::text, r.write_lsn::text, r.flush_lsn::text, r.replay_lsn::text, \
    extract(epoch from clock_timestamp() - r.reply_time)::float8, \
    extract(epoch from r.flush_lag)::float8, extract(epoch from r.replay_lag)::float8, \
    coalesce(s.ssl, false), s.version, s.cipher, s.bits, s.client_dn, s.client_serial::text, s.issuer_dn \
from pg_stat_replication r left join pg_stat_ssl s using (pid) order by r.pid";

impl Observation {
    pub(super) async fn read(session: &Session, bound: Duration) -> Result<Self, PostgresError> {
        let operation = "observe the instance";
        let (own, senders) = session
            .with_client(operation, bound, async |client| {
                let failed = |source| PostgresError::Query { operation, source };
                tokio::try_join!(client.query_one(OWN, &[]), client.query(SENDERS, &[])).map_err(failed)
            })
            .await?;
        let senders = senders.iter().map(sender).collect::<Result<_, _>>()?;
        Ok(Self { senders, ..own_part(&own)? })
    }
}

fn own_part(row: &Row) -> Result<Observation, PostgresError> {
    Ok(Observation {
        in_recovery: column(row, 0)?,
        timeline: u32::try_from(column::<i64>(row, 1)?).unwrap_or_default(),
        system_identifier: u64::from_ne_bytes(column::<i64>(row, 2)?.to_ne_bytes()),
        write_lsn: lsn(row, 3)?,
        flush_lsn: lsn(row, 4)?,
        current_lsn: lsn(row, 5)?,
        receive_lsn: lsn(row, 6)?,
        replay_lsn: lsn(row, 7)?,
        replay_paused: column(row, 8)?,
        replay_lag_seconds: column(row, 9)?,
        sync_names: column(row, 10)?,
        receiver: receiver(row)?,
        senders: Vec::new(),
    })
}

fn receiver(row: &Row) -> Result<Option<Receiver>, PostgresError> {
    let Some(status) = column(row, 11)? else { return Ok(None) };
    Ok(Some(Receiver {
        status,
        host: column(row, 12)?,
        port: port(row, 13)?,
        flushed_lsn: lsn(row, 14)?,
        silent_seconds: column(row, 15)?,
    }))
}

fn sender(row: &Row) -> Result<Sender, PostgresError> {
    let encrypted: bool = column(row, 13)?;
    let tls = |()| -> Result<SenderTls, PostgresError> {
        Ok(SenderTls {
            version: column(row, 14)?,
            cipher: column(row, 15)?,
            bits: column::<i32>(row, 16)?.unsigned_abs(),
            client_dn: column(row, 17)?,
            client_serial: column(row, 18)?,
            issuer_dn: column(row, 19)?,
        })
    };
    Ok(Sender {
        application_name: column(row, 0)?,
        pid: column::<i32>(row, 1)?.unsigned_abs(),
        client_addr: column(row, 2)?,
        client_port: port(row, 3)?,
        state: column(row, 4)?,
        sync_state: column(row, 5)?,
        sent_lsn: lsn(row, 6)?,
        write_lsn: lsn(row, 7)?,
        flush_lsn: lsn(row, 8)?,
        replay_lsn: lsn(row, 9)?,
        reply_age_seconds: column(row, 10)?,
        flush_lag_seconds: column(row, 11)?,
        replay_lag_seconds: column(row, 12)?,
        tls: encrypted.then_some(()).map(tls).transpose()?,
    })
}

/// A port; -1 stands for the socket.
fn port(row: &Row, index: usize) -> Result<Option<u16>, PostgresError> {
    Ok(column::<Option<i32>>(row, index)?.and_then(|port| u16::try_from(port).ok()))
}
