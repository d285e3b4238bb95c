//! The agent's own session with its instance: over the socket, as superuser, every answer bounded.

mod connect;
mod observation;

use std::time::Duration;

use tokio::sync::Mutex;
use tokio_postgres::{Client, Row};

pub(crate) use connect::{Address, Connection};
pub use observation::{Observation, Receiver, Sender, SenderTls};

use crate::error::PostgresError;
use crate::instance::{AGENT_NAME, Instance, SUPERUSER};
use crate::lsn::Lsn;

/// How long opening a session may take; it counts towards the bound of the question asked.
const CONNECT_BOUND: Duration = Duration::from_secs(3);

/// A session as superuser over the Unix socket. It connects when first used, and again after it was lost.
///
/// What it writes does not wait for a standby: the agent must never hang on the wait that it steers.
#[derive(Debug)]
pub struct Session {
    address: Address,
    connection: Mutex<Option<Connection>>,
}

impl Session {
    /// A session with this instance; nothing is opened yet.
    pub fn new(instance: &Instance) -> Self {
        Self {
            address: Address::of(instance, SUPERUSER, SUPERUSER, AGENT_NAME),
            connection: Mutex::new(None),
        }
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// When it cannot be connected to or does not answer within `bound`.
    pub async fn ping(&self, bound: Duration) -> Result<(), PostgresError> {
        self.query("ask for an answer", "select 1", bound).await.map(drop)
    }

    /// Whether it is a standby.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn is_in_recovery(&self, bound: Duration) -> Result<bool, PostgresError> {
        let row = self.one("ask for the role", "select pg_is_in_recovery()", bound).await?;
        column(&row, 0)
    }

    /// Whether it is receiving, or trying to.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn has_receiver(&self, bound: Duration) -> Result<bool, PostgresError> {
        let sql = "select exists (select from pg_stat_wal_receiver where pid is not null)";
        let row = self.one("look for the receiver", sql, bound).await?;
        column(&row, 0)
    }

    /// Up to where a standby has replayed; `None` on an active instance.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn replay_lsn(&self, bound: Duration) -> Result<Option<Lsn>, PostgresError> {
        let sql = "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end";
        let row = self.one("ask for the replay position", sql, bound).await?;
        lsn(&row, 0)
    }

    /// Writes a checkpoint. After a promotion it makes the instance fit to be the source of a rewind.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn checkpoint(&self, bound: Duration) -> Result<(), PostgresError> {
        self.query("write a checkpoint", "checkpoint", bound).await.map(drop)
    }

    /// Ends every client's session and says how many there were; replication and the agent stay.
    ///
    /// Closing the gate alone keeps new ones out and leaves those that are in.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn terminate_clients(&self, bound: Duration) -> Result<u64, PostgresError> {
        // A client may call itself what it likes, but it is never the superuser.
        let sql = format!(
            "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity \
             where backend_type = 'client backend' and pid <> pg_backend_pid() and usename is distinct from '{SUPERUSER}'"
        );
        let row = self.one("end the clients' sessions", &sql, bound).await?;
        let count: i64 = column(&row, 0)?;
        Ok(count.unsigned_abs())
    }

    /// Ends one server process of a session, e.g. a sender whose connection is to be made anew.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn terminate(&self, pid: u32, bound: Duration) -> Result<bool, PostgresError> {
        let sql = format!("select pg_terminate_backend({pid})");
        let row = self.one("end a session", &sql, bound).await?;
        column(&row, 0)
    }

    /// Settings whose new value waits for a restart.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn pending_restart(&self, bound: Duration) -> Result<Vec<String>, PostgresError> {
        let sql = "select name from pg_settings where pending_restart order by name";
        let rows = self.query("ask for pending settings", sql, bound).await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Lines of the configuration files that the server could not use at its last reload, in its own words.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn file_errors(&self, bound: Duration) -> Result<Vec<String>, PostgresError> {
        let sql = "select format('%s line %s: %s', sourcefile, sourceline, error) from pg_file_settings \
                   where error is not null and error <> 'setting could not be applied' \
                   union all \
                   select format('pg_hba.conf line %s: %s', line_number, error) from pg_hba_file_rules \
                   where error is not null";
        let rows = self.query("ask for errors in the configuration", sql, bound).await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Looks at everything that a decision about the pair needs.
    ///
    /// # Errors
    /// As [`Session::ping`].
    pub async fn observe(&self, bound: Duration) -> Result<Observation, PostgresError> {
        Observation::read(self, bound).await
    }

    pub(crate) async fn one(
        &self,
        operation: &'static str,
        sql: &str,
        bound: Duration,
    ) -> Result<Row, PostgresError> {
        let rows = self.query(operation, sql, bound).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| PostgresError::Unexpected { what: operation, answer: "no row".to_owned() })
    }

    /// Asks, connecting first where needed; a session that did not answer in time is given up.
    pub(crate) async fn query(
        &self,
        operation: &'static str,
        sql: &str,
        bound: Duration,
    ) -> Result<Vec<Row>, PostgresError> {
        self.with_client(operation, bound, async |client| {
            client.query(sql, &[]).await.map_err(|source| PostgresError::Query { operation, source })
        })
        .await
    }

    pub(crate) async fn with_client<T>(
        &self,
        operation: &'static str,
        bound: Duration,
        work: impl AsyncFnOnce(&Client) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        let result = tokio::time::timeout(bound, async {
            let mut held = self.connection.lock().await;
            let usable = held.take().filter(|connection| !connection.client().is_closed());
            let connection = match usable {
                Some(connection) => connection,
                None => Connection::open(&self.address, bound.min(CONNECT_BOUND)).await?,
            };
            // Given back only after an answer: a caller that gave up leaves no half-read one behind.
            let result = work(connection.client()).await;
            *held = Some(connection);
            result
        });
        match result.await {
            Ok(result) => result,
            Err(_) => Err(PostgresError::TimedOut { what: format!("the answer to: {operation}"), bound }),
        }
    }
}

/// Takes a column that our own query promises to be of this type.
pub(crate) fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    index: usize,
) -> Result<T, PostgresError> {
    row.try_get(index).map_err(|source| PostgresError::Query { operation: "read an answer", source })
}

/// Takes a position, asked for as text.
pub(crate) fn lsn(row: &Row, index: usize) -> Result<Option<Lsn>, PostgresError> {
    let text: Option<&str> = column(row, index)?;
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| PostgresError::Unexpected { what: "a WAL position", answer: text.to_owned() })
    };
    text.map(parse).transpose()
}
