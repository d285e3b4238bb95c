//! Showing that commits wait, before a standby is relied upon.
//!
//! A server told to wait for a standby does so only once its checkpointer has read the new setting; a commit in
//! between returns at once while every view already says `sync`. So nothing that can be read shows it. What shows
//! it is a commit that is seen waiting:
//!
//! 1. [`show_commits_wait`]: commits are made to wait for a standby that does not exist, and a probe commits until
//!    one is seen to wait. From then on every commit waits.
//! 2. The caller names the real standby with [`crate::Instance::set_synchronous`].
//! 3. [`Probe::released`]: the probe's commit returns when that standby has flushed it, and with it everything
//!    written before.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::error::PostgresError;
use crate::instance::{Instance, SUPERUSER};
use crate::lsn::Lsn;
use crate::session::{Address, Connection, Session, column, lsn};
use crate::settings::Synchronous;

/// What the probe's session calls itself.
const PROBE_NAME: &str = "twinlock-probe";
/// A commit with a transaction id, which is what makes it wait; it changes nothing.
const PROBE_COMMIT: &str = "select pg_logical_emit_message(true, 'twinlock', 'probe')::text";
/// Pause between two looks at whether the probe waits.
const POLL: Duration = Duration::from_millis(3);
/// How long the agent's own question may take.
const ANSWER_BOUND: Duration = Duration::from_secs(2);

/// A commit that is seen to wait.
///
/// Dropping it ends its session; the commit stays, as any that was cut off while waiting does.
#[derive(Debug)]
pub struct Probe {
    instance: Instance,
    pid: u32,
    lsn: Lsn,
    pending: Pending,
}

/// The commit on its way, in a task that owns its session.
#[derive(Debug)]
struct Pending(JoinHandle<Answer>);

/// How the probe's commit ended.
#[derive(Debug)]
enum Answer {
    /// Acknowledged; the session can be used again.
    Acknowledged(Connection),
    /// PostgreSQL warned that it gave up waiting. It says so in a warning and then acknowledges all the same.
    WaitCancelled,
    /// The session was lost.
    Lost,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes commits wait for a standby that does not exist, and returns when one was seen waiting.
///
/// From here on no commit of the instance is acknowledged until [`Instance::set_synchronous`] says whom they wait
/// for.
///
/// # Errors
/// [`PostgresError::CommitsDoNotWait`] when none was seen waiting within `bound`; commits then wait for nobody,
/// as before.
pub async fn show_commits_wait(instance: &Instance, bound: Duration) -> Result<Probe, PostgresError> {
    instance.set_synchronous(&Synchronous::Nobody)?;
    let shown = tokio::time::timeout(bound, seen_waiting(instance)).await;
    let error = match shown {
        Ok(Ok(probe)) => return Ok(probe),
        Ok(Err(error)) => error,
        Err(_) => {
            PostgresError::CommitsDoNotWait { reason: "every probe was acknowledged at once, or none ran" }
        }
    };
    go_on_alone(instance, error)
}

async fn seen_waiting(instance: &Instance) -> Result<Probe, PostgresError> {
    let observer = Session::new(instance);
    let address = Address::of(instance, SUPERUSER, SUPERUSER, PROBE_NAME).waiting();
    let mut connection = Connection::open(&address, ANSWER_BOUND).await?;
    let pid = backend_pid(&connection).await?;
    loop {
        let mut pending = Pending(tokio::spawn(commit(connection)));
        if let Some(lsn) = waits(&observer, pid, &pending).await? {
            return Ok(Probe { instance: instance.clone(), pid, lsn, pending });
        }
        connection = match (&mut pending.0).await {
            Ok(Answer::Acknowledged(connection)) => connection,
            _ => return Err(PostgresError::CommitsDoNotWait { reason: "the probe's session was lost" }),
        };
        tokio::time::sleep(POLL).await;
    }
}

async fn commit(connection: Connection) -> Answer {
    let result = connection.client().simple_query(PROBE_COMMIT).await;
    match result {
        Ok(_) if connection.take_notices().is_empty() => Answer::Acknowledged(connection),
        Ok(_) => Answer::WaitCancelled,
        Err(_) => Answer::Lost,
    }
}

/// The end of WAL when the probe is seen waiting, which its commit is before; `None` when it was acknowledged.
async fn waits(observer: &Session, pid: u32, pending: &Pending) -> Result<Option<Lsn>, PostgresError> {
    let sql = format!(
        "select wait_event = 'SyncRep', pg_current_wal_insert_lsn()::text from pg_stat_activity where pid = {pid}"
    );
    while !pending.0.is_finished() {
        let rows = observer.query("look at the probe", &sql, ANSWER_BOUND).await?;
        if let Some(row) = rows.first() {
            if column::<Option<bool>>(row, 0)? == Some(true) {
                return lsn(row, 1);
            }
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(None)
}

async fn backend_pid(connection: &Connection) -> Result<u32, PostgresError> {
    let failed = |source| PostgresError::Query { operation: "ask for the probe's process", source };
    let row = connection.client().query_one("select pg_backend_pid()", &[]).await.map_err(failed)?;
    Ok(column::<i32>(&row, 0)?.unsigned_abs())
}

/// Commits go back to waiting for nobody's standby; the error at hand is passed on.
fn go_on_alone<T>(instance: &Instance, error: PostgresError) -> Result<T, PostgresError> {
    // A server that is gone cannot be told, and needs not.
    drop(instance.set_synchronous(&Synchronous::Alone));
    Err(error)
}

impl Probe {
    /// A position that is not before the end of the waiting commit.
    pub fn lsn(&self) -> Lsn {
        self.lsn
    }

    /// Server process of the waiting commit.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the standby that was named meanwhile has flushed the probe's commit.
    ///
    /// # Errors
    /// When that does not happen within `bound`, or the wait was cancelled by somebody: the standby cannot be
    /// relied upon, and commits are made to wait for nobody's standby again.
    pub async fn released(mut self, bound: Duration) -> Result<(), PostgresError> {
        let started = Instant::now();
        let reason = match tokio::time::timeout(bound, &mut self.pending.0).await {
            Ok(Ok(Answer::Acknowledged(_))) => match self.flushed_by_standby().await {
                Ok(true) => return Ok(()),
                Ok(false) => "a probe was acknowledged although no standby had flushed it",
                Err(error) => return go_on_alone(&self.instance, error),
            },
            Ok(Ok(Answer::WaitCancelled)) => "somebody cancelled the wait of the probe",
            Ok(_) => "the probe's session was lost",
            Err(_) => {
                self.give_up().await;
                let what = "the standby flushing the probe's commit".to_owned();
                let error = PostgresError::TimedOut { what, bound: started.elapsed() };
                return go_on_alone(&self.instance, error);
            }
        };
        go_on_alone(&self.instance, PostgresError::CommitsDoNotWait { reason })
    }

    /// Whether a synchronous standby has flushed the probe's commit, as the sender to it knows.
    async fn flushed_by_standby(&self) -> Result<bool, PostgresError> {
        // The probe's own position is an upper bound taken a moment after its commit; a busy server has written
        // more by then, which the standby flushes a moment later.
        let session = Session::new(&self.instance);
        let deadline = Instant::now() + ANSWER_BOUND;
        loop {
            let seen = session.observe(ANSWER_BOUND).await?;
            let flushed = |lsn: Option<Lsn>| lsn.is_some_and(|lsn| lsn >= self.lsn);
            if seen.senders.iter().any(|sender| sender.sync_state == "sync" && flushed(sender.flush_lsn)) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ends the probe's server process; closing its connection alone would leave it waiting.
    async fn give_up(&self) {
        // Where even this cannot be asked, the server is in a state that the caller sees elsewhere.
        drop(Session::new(&self.instance).terminate(self.pid, ANSWER_BOUND).await);
    }
}
