//! Until when a member may act as active: written by the agent, obeyed by the guard.
//!
//! The file is on tmpfs and 16 bytes long: a moment in milliseconds and its complement. A torn file
//! counts as a moment that has passed, so the guard errs towards stopping.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use twinlock_pair::Moment;

use crate::error::AgentError;

/// What the guard must hold the instance to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The instance follows or is stopped: it cannot commit, so it may run at any time.
    Following,
    /// The instance may commit: no process of it may be left after this moment.
    Until(Moment),
}

/// Stands for [`Bound::Following`].
const FOLLOWING: u64 = u64::MAX;

/// Replaces the bound.
pub(crate) fn write(path: &Path, bound: Bound) -> Result<(), AgentError> {
    let value = match bound {
        Bound::Following => FOLLOWING,
        Bound::Until(moment) => moment.0,
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&value.to_be_bytes());
    bytes[8..].copy_from_slice(&(!value).to_be_bytes());
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(AgentError::file("open", path))?;
    file.write_all_at(&bytes, 0).map_err(AgentError::file("write", path))
}

/// The bound in force. No file yet means that no agent has let the instance commit.
pub(crate) fn read(path: &Path) -> Bound {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Bound::Following,
        Err(_) => return Bound::Until(Moment(0)),
    };
    match parse(&bytes) {
        Some(FOLLOWING) => Bound::Following,
        Some(value) => Bound::Until(Moment(value)),
        None => Bound::Until(Moment(0)),
    }
}

fn parse(bytes: &[u8]) -> Option<u64> {
    let bytes: &[u8; 16] = bytes.try_into().ok()?;
    let value = u64::from_be_bytes(bytes[..8].try_into().ok()?);
    let complement = u64::from_be_bytes(bytes[8..].try_into().ok()?);
    (value == !complement).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_bound_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deadline");
        for bound in [Bound::Until(Moment(1234)), Bound::Following] {
            write(&path, bound).unwrap();
            assert_eq!(read(&path), bound);
        }
    }

    #[test]
    fn a_damaged_bound_has_passed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deadline");
        for damaged in [&[1; 16][..], &[0; 16], b"short"] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path), Bound::Until(Moment(0)));
        }
    }

    #[test]
    fn no_bound_yet_is_no_right_to_kill() {
        assert_eq!(read(Path::new("/nonexistent/deadline")), Bound::Following);
    }
}
