//! Directories that vanish with what runs in them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a killed process may take to vanish.
const KILL_BOUND: Duration = Duration::from_secs(10);

/// An empty directory. When it is dropped, every process that works in it is killed, by its id, and it is removed.
#[derive(Debug)]
pub struct ScratchDir {
    directory: TempDir,
}

impl ScratchDir {
    /// Where temporary files go.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn on_disk() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// On tmpfs.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn in_memory() -> Self {
        Self::below(Path::new("/dev/shm"))
    }

    fn below(parent: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("twinlock-test-").tempdir_in(parent);
        let directory = directory.expect("a scratch directory can be made");
        // Another user must be able to pass through to what is given to it.
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o711)).expect("it is ours");
        Self { directory }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let deadline = Instant::now() + KILL_BOUND;
        while kill_below(self.directory.path()) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Kills the processes whose working directory is below `directory`; says how many there were.
fn kill_below(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let below = pids.filter(|pid| {
        let working: Option<PathBuf> = std::fs::read_link(format!("/proc/{pid}/cwd")).ok();
        working.is_some_and(|working| working.starts_with(directory))
    });
    let own = rustix::process::getpid().as_raw_pid();
    let found: Vec<_> = below.filter(|pid| *pid != own).filter_map(Pid::from_raw).collect();
    for pid in &found {
        let _: Result<(), rustix::io::Errno> = kill_process(*pid, Signal::KILL);
    }
    found.len()
}
