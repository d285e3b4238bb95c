//! The lock that writers of a wallet directory hold.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::error::{WalletError, writing};

/// Oracle's tools leave a file of this name too, empty like this one. It stays: removing it would let two
/// writers lock two different files.
const NAME: &str = "cwallet.sso.lck";
const PAUSE: Duration = Duration::from_millis(20);

/// Held while a wallet directory is being changed; released when dropped or when the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock of `directory`, at most `patience`.
    pub(crate) fn acquire(directory: &Path, patience: Duration) -> Result<Self, WalletError> {
        let path = directory.join(NAME);
        let mut open = OpenOptions::new();
        let file =
            open.write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(writing(&path))?;
        let give_up = Instant::now() + patience;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < give_up => std::thread::sleep(PAUSE),
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(WalletError::Locked { path }),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(writing(&path)(error.into())),
            }
        }
    }
}
