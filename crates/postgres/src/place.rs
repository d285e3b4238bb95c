//! Data directories that are made beside their place and put there in one step.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::directories::make_private;
use crate::error::PostgresError;
use crate::instance::Instance;
use crate::process::kill_processes_of;

/// A directory beside the data directory, in which a new one is made.
pub(crate) struct Beside(PathBuf);

impl Beside {
    /// An empty directory; what an interrupted run left there is removed, and its programs are killed.
    pub(crate) fn fresh(instance: &Instance, suffix: &str) -> Result<Self, PostgresError> {
        let beside = Self(instance.directories().beside(suffix));
        beside.remove()?;
        if let Some(parent) = beside.0.parent().filter(|parent| !parent.exists()) {
            make_private(parent)?;
        }
        make_private(&beside.0)?;
        Ok(beside)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes the directory after a failure and says in the error when the cause is a full disk.
    pub(crate) fn discard_after(&self, error: PostgresError, operation: &'static str) -> PostgresError {
        // The error at hand is the one that matters; a leftover is removed by the next run.
        drop(self.remove());
        if error.is_disk_full() { PostgresError::DiskFull { operation, path: self.0.clone() } } else { error }
    }

    fn remove(&self) -> Result<(), PostgresError> {
        kill_processes_of(&self.0)?;
        remove_tree(&self.0)
    }
}

/// Puts a complete data directory in its place in one step, durably. One that is there is swapped out and then
/// removed, so at no moment is there none.
pub(crate) fn put_in_place(new: &Path, place: &Path) -> Result<(), PostgresError> {
    let failed = |errno: rustix::io::Errno| PostgresError::file("put in place", place)(errno.into());
    if place.exists() {
        renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE).map_err(failed)?;
        sync_parent(place)?;
        return remove_tree(new);
    }
    renameat_with(CWD, new, CWD, place, RenameFlags::NOREPLACE).map_err(failed)?;
    sync_parent(place)
}

fn sync_parent(path: &Path) -> Result<(), PostgresError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    twinlock_wallet::durable::sync_directory(parent).map_err(PostgresError::file("sync", parent))
}

fn remove_tree(path: &Path) -> Result<(), PostgresError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(PostgresError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_swapped_out_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (new, place) = (dir.path().join("new"), dir.path().join("data"));
        for (path, text) in [(&new, "new"), (&place, "old")] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), text).unwrap();
        }
        put_in_place(&new, &place).unwrap();
        assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "new");
        assert!(!new.exists());
    }
}
