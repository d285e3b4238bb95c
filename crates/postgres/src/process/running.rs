//! A running server that is followed, whether this process started it or not.

use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::identity::Identity;
use crate::error::PostgresError;

/// A running server: its end is noticed at once, and a signal reaches it or nobody.
///
/// Dropping it leaves the server running.
#[derive(Debug)]
pub struct Running {
    identity: Identity,
    handle: AsyncFd<OwnedFd>,
}

impl Running {
    /// Follows the process with this identity; `None` when it has ended.
    ///
    /// Needs a tokio runtime with I/O.
    pub(crate) fn follow(identity: Identity) -> Result<Option<Self>, PostgresError> {
        let failed = |errno: rustix::io::Errno| {
            PostgresError::file("follow process", format!("/proc/{}", identity.pid))(errno.into())
        };
        let Some(pid) = i32::try_from(identity.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        let handle = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        // The handle is of whatever had the id just now; it is the right one if that is still who it was.
        if Identity::of(identity.pid) != Some(identity) {
            return Ok(None);
        }
        #[expect(
            deprecated,
            reason = "its successor is unsafe for descriptors that somebody else may close; this one is owned and never replaced"
        )]
        let handle = AsyncFd::with_interest(handle, Interest::READABLE)
            .map_err(PostgresError::file("follow process", format!("/proc/{}", identity.pid)))?;
        Ok(Some(Self { identity, handle }))
    }

    /// Process id of the server.
    pub fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// When it was started, in clock ticks since boot: with the id, it names one process for ever.
    pub fn started_ticks(&self) -> u64 {
        self.identity.started_ticks
    }

    /// Whether it has ended by now.
    pub fn has_exited(&self) -> bool {
        Identity::of(self.identity.pid) != Some(self.identity)
    }

    /// Waits until the server process has ended. Its children may still be there: see [`crate::processes_of`].
    pub async fn exited(&self) {
        loop {
            match self.handle.readable().await {
                Ok(_) => return,
                // Without the handle the end is still noticed, only later.
                Err(_) if self.has_exited() => return,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
    }

    /// Sends a signal; to a server that has ended, nothing happens.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), PostgresError> {
        match pidfd_send_signal(self.handle.get_ref().as_fd(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(PostgresError::file("signal process", format!("/proc/{}", self.identity.pid))(
                errno.into(),
            )),
        }
    }
}
