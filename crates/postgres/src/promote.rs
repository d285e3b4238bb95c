//! Making an active instance out of a standby.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::configure::{STANDBY_CONF, STANDBY_SIGNAL};
use crate::error::PostgresError;
use crate::files::replace;
use crate::instance::Instance;
use crate::lsn::Lsn;
use crate::render::assignment;
use crate::session::Session;

const POLL: Duration = Duration::from_millis(4);
/// The receiver must be seen gone this long: one that was just being started appears within.
const GONE_FOR: Duration = Duration::from_millis(20);

impl Instance {
    /// Ends recovery: the instance begins a timeline of its own and takes writes. Returns when it does.
    ///
    /// Its commits wait for nobody's standby until [`Instance::set_synchronous`]. It can be the source of a
    /// rewind after its next checkpoint: see [`Session::checkpoint`].
    ///
    /// # Errors
    /// When no standby is running or it still is one after `bound`; the order to promote stands then.
    pub async fn promote(&self, bound: Duration) -> Result<(), PostgresError> {
        let running =
            self.adopt()?.ok_or_else(|| PostgresError::NotRunning { data: self.data().to_owned() })?;
        let session = Session::new(self);
        // PostgreSQL removes the file at the end of recovery; without it there is nothing to promote any more.
        if self.data().join(STANDBY_SIGNAL).exists() {
            // As pg_ctl does it: the order needs no session, which may be slow to open just now.
            let trigger = self.data().join("promote");
            fs::write(&trigger, b"").map_err(PostgresError::file("write", &trigger))?;
            running.signal(Signal::USR1)?;
        }
        until(bound, "the end of recovery", async || Ok(!session.is_in_recovery(bound).await?)).await
    }

    /// Stops receiving from the upstream, and returns when nothing is received any more. Replay goes on with
    /// what has been received. [`Instance::configure`] and a reload begin it again.
    ///
    /// # Errors
    /// When no server is running or the receiver is still there after `bound`.
    pub async fn stop_receiving(&self, bound: Duration) -> Result<(), PostgresError> {
        let path = self.directories().conf().join(STANDBY_CONF);
        replace(&path, assignment("primary_conninfo", "").as_bytes())?;
        self.reload()?;
        let session = Session::new(self);
        let mut gone_since: Option<Instant> = None;
        until(bound, "the end of receiving", async || {
            if session.has_receiver(bound).await? {
                gone_since = None;
                return Ok(false);
            }
            Ok(gone_since.get_or_insert_with(Instant::now).elapsed() >= GONE_FOR)
        })
        .await
    }

    /// Waits until a standby has replayed up to `lsn`; an active instance always has.
    ///
    /// # Errors
    /// When it has not within `bound`.
    pub async fn replayed_to(&self, lsn: Lsn, bound: Duration) -> Result<(), PostgresError> {
        let session = Session::new(self);
        until(bound, "replay up to the asked position", async || {
            Ok(session.replay_lsn(bound).await?.is_none_or(|replayed| replayed >= lsn))
        })
        .await
    }
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until(
    bound: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<bool, PostgresError>,
) -> Result<(), PostgresError> {
    let deadline = Instant::now() + bound;
    while !ask().await? {
        if Instant::now() >= deadline {
            return Err(PostgresError::TimedOut { what: what.to_owned(), bound });
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
