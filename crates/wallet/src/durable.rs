//! Replaces files so that a crash leaves the old contents or the new ones, never a mixture and never nothing.
//!
//! The order is the whole point: write a new file, sync it, rename it over the old one, sync the directory.
//! Renaming before the sync can leave an empty file after a power loss; skipping the last sync can lose the
//! rename itself.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Replaces the file at `path` with `contents`, durably and in one step.
///
/// The new file gets `mode` (permission bits), or the old file's mode where that allows less: a mode is kept
/// or tightened, never widened. When root replaces another user's file the new one belongs to that user and
/// group as well. A symbolic link at `path` is itself replaced, not what it points to.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("state");
/// twinlock_wallet::durable::replace_file(&path, b"generation 7\n", 0o600)?;
/// assert_eq!(std::fs::read(&path)?, b"generation 7\n");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Any error of the steps; the old file is then still in place, except when only the last step, the sync of
/// the directory, failed.
pub fn replace_file(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let new = temporary_name(path, &unique_suffix());
    write_new(&new, path, contents, mode)
        .and_then(|()| publish(&new, path))
        .inspect_err(|error| discard_after(error, &new))
}

/// Waits until the entries of `directory` (names made, renamed and removed in it) are on disk.
///
/// # Errors
/// When the directory cannot be opened or synced.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Writes `contents` to the new file `new`, synced, with the mode and owner that replacing `old` calls for.
pub(crate) fn write_new(new: &Path, old: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let replaced = match fs::symlink_metadata(old) {
        Ok(metadata) if metadata.is_file() => Some(metadata),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // Nobody but the owner may open it before its final mode and owner are set.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    failpoint::reached("created")?;
    file.write_all(contents)?;
    failpoint::reached("written")?;
    if let Some(old) = &replaced {
        keep_owner(&file, old)?;
    }
    let kept = replaced.map_or(0o7777, |old| old.mode() & 0o7777);
    file.set_permissions(fs::Permissions::from_mode(mode & kept))?;
    file.sync_all()?;
    failpoint::reached("synced")
}

/// Renames `new` over `old` in the same directory and syncs the directory.
#[expect(clippy::disallowed_methods, reason = "this is the durable rename that all others go through")]
pub(crate) fn publish(new: &Path, old: &Path) -> io::Result<()> {
    fs::rename(new, old)?;
    failpoint::reached("renamed")?;
    sync_directory(parent(old))?;
    failpoint::reached("directory synced")
}

/// The directory that holds `path`; `.` for a bare file name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A name beside `path` that starts with a dot and ends with `suffix`.
pub(crate) fn temporary_name(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_else(|| OsStr::from_bytes(b"file")));
    name.push(".");
    name.push(suffix);
    parent(path).join(name)
}

fn unique_suffix() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // `create_new` refuses a name in use, so this needs to differ among the living only.
    format!("{}-{}.new", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn keep_owner(file: &File, old: &fs::Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if now.uid() == old.uid() && now.gid() == old.gid() {
        return Ok(());
    }
    match std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid())) {
        // Only root can give a file away; anybody else becomes the owner of what they wrote.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}

fn discard_after(error: &io::Error, new: &Path) {
    if !failpoint::is_stop(error) {
        // The error that matters is already on its way; a leftover is harmless.
        drop(fs::remove_file(new));
    }
}

/// Lets a test stop a write after any of its steps, as a crash would.
#[cfg(any(test, feature = "failpoints"))]
pub mod failpoint {
    use std::cell::{Cell, RefCell};
    use std::io;

    thread_local! {
        static STEPS_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
        static REACHED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }

    #[derive(Debug, thiserror::Error)]
    #[error("stopped by a test after the step {0:?}")]
    struct Stopped(&'static str);

    /// Makes this thread's next writes stop, leaving everything as it is, once `steps` more steps are done.
    pub fn stop_after(steps: usize) {
        STEPS_LEFT.set(Some(steps));
        REACHED.take();
    }

    /// Lets this thread's writes run through again; returns the steps reached since [`stop_after`].
    pub fn disarm() -> Vec<&'static str> {
        STEPS_LEFT.set(None);
        REACHED.take()
    }

    /// Whether `error` comes from a stop that a test asked for.
    pub fn is_stop(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Stopped>())
    }

    pub(crate) fn reached(step: &'static str) -> io::Result<()> {
        let Some(left) = STEPS_LEFT.get() else { return Ok(()) };
        REACHED.with_borrow_mut(|reached| reached.push(step));
        match left {
            0 => Err(io::Error::other(Stopped(step))),
            _ => {
                STEPS_LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }
}

#[cfg(not(any(test, feature = "failpoints")))]
mod failpoint {
    use std::io;

    pub(crate) fn is_stop(_: &io::Error) -> bool {
        false
    }

    pub(crate) fn reached(_: &'static str) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) use failpoint::{is_stop, reached};

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).expect("file is there").mode() & 0o7777
    }

    #[test]
    fn new_file_gets_the_mode_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace_file(&path, b"one", 0o640).unwrap();
        assert_eq!(mode_of(&path), 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn mode_is_tightened_and_never_widened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        for (before, asked, after) in [(0o644, 0o600, 0o600), (0o400, 0o600, 0o400), (0o660, 0o640, 0o640)] {
            drop(fs::remove_file(&path));
            fs::write(&path, b"old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
            replace_file(&path, b"new", asked).unwrap();
            assert_eq!(mode_of(&path), after, "{before:o} replaced with {asked:o}");
        }
    }

    #[test]
    fn owner_is_kept_when_root_replaces_the_file() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, b"old").unwrap();
        std::os::unix::fs::chown(&path, Some(12_345), Some(23_456)).unwrap();
        replace_file(&path, b"new", 0o600).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 23_456));
    }

    #[test]
    fn link_is_replaced_and_its_target_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, b"target").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace_file(&link, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"target");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
    }

    #[test]
    fn failure_leaves_the_old_file_and_no_leftover() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(replace_file(&path, b"new", 0o600).is_err(), "a directory cannot be replaced by a file");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn stop_at_any_step_leaves_old_or_new_contents() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut steps = 0;
        loop {
            fs::write(&path, b"old").unwrap();
            failpoint::stop_after(steps);
            let result = replace_file(&path, b"new", 0o600);
            let reached = failpoint::disarm();
            let expected = if reached.contains(&"renamed") { b"new" } else { b"old" };
            assert_eq!(fs::read(&path).unwrap(), expected, "stopped after {reached:?}");
            if result.is_ok() {
                assert_eq!(reached, ["created", "written", "synced", "renamed", "directory synced"]);
                break;
            }
            steps += 1;
        }
        assert_eq!(steps, 5);
    }
}
