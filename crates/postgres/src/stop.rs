//! Stopping a server, so that afterwards no process of the instance is left.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::PostgresError;
use crate::instance::Instance;
use crate::process::{Running, kill_processes_of, processes_of};

/// How long a server gets after SIGQUIT; it kills its own children after five seconds.
const IMMEDIATE_BOUND: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(5);

/// How to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions are ended, a checkpoint is written and sent to the standby.
    Fast,
    /// At once and without a checkpoint; the next start recovers.
    Immediate,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// None was running.
    WasNotRunning,
    /// By a checkpoint: the data directory is consistent as it is.
    Cleanly,
    /// Without a checkpoint, as asked or because it took longer than its bound.
    Immediately,
    /// Its processes were killed, because they took no notice of anything else.
    Killed,
}

impl Instance {
    /// Stops the server and returns when no process of the instance is left.
    ///
    /// A fast stop that takes longer than `bound` becomes an immediate one, and that one a kill: PostgreSQL waits
    /// in a fast stop until its standby has the last checkpoint, which a frozen standby never gets.
    ///
    /// # Errors
    /// [`PostgresError::StillRunning`] when even killed processes do not vanish.
    pub async fn stop(&self, mode: StopMode, bound: Duration) -> Result<Stopped, PostgresError> {
        let Some(running) = self.adopt()? else {
            return match self.kill_all()? {
                0 => Ok(Stopped::WasNotRunning),
                _ => Ok(Stopped::Killed),
            };
        };
        if mode == StopMode::Fast
            && end(&running, Signal::INT, bound).await?
            && self.is_empty_within(bound).await?
        {
            return Ok(Stopped::Cleanly);
        }
        let ended = end(&running, Signal::QUIT, IMMEDIATE_BOUND).await?;
        if ended && self.is_empty_within(IMMEDIATE_BOUND).await? {
            return Ok(Stopped::Immediately);
        }
        self.kill_all()?;
        Ok(Stopped::Killed)
    }

    /// Kills every process of the instance; blocks until none is left and says how many there were.
    ///
    /// # Errors
    /// As [`kill_processes_of`].
    pub fn kill_all(&self) -> Result<usize, PostgresError> {
        kill_processes_of(self.data())
    }

    /// Children end a moment after the server process itself.
    async fn is_empty_within(&self, bound: Duration) -> Result<bool, PostgresError> {
        let deadline = Instant::now() + bound;
        while !processes_of(self.data())?.is_empty() {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(true)
    }
}

/// Sends a signal and says whether the server process ended within `bound`.
async fn end(running: &Running, signal: Signal, bound: Duration) -> Result<bool, PostgresError> {
    running.signal(signal)?;
    Ok(tokio::time::timeout(bound, running.exited()).await.is_ok())
}
