//! Finds the processes of an instance by their working directory, which PostgreSQL sets to the data directory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::identity::Stat;
use crate::error::PostgresError;

/// How long processes may take to vanish after SIGKILL; only the kernel can hold them longer.
const KILL_BOUND: Duration = Duration::from_secs(10);
const KILL_POLL: Duration = Duration::from_millis(2);

/// Process ids of everything that runs on the data directory `data`: the server, its children, programs that one
/// of them started, and programs of ours that change it.
///
/// A process belongs to it when its working directory is that directory (the same inode, whatever its path) and
/// it runs as the directory's owner. A shell in which a person works is left out: it has a terminal and is no
/// program of PostgreSQL.
///
/// # Errors
/// When `/proc` or an existing data directory cannot be looked at. One that does not exist has no processes.
pub fn processes_of(data: &Path) -> Result<Vec<u32>, PostgresError> {
    let directory = match fs::metadata(data) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(PostgresError::file("look at", data)(error)),
    };
    let entries = fs::read_dir("/proc").map_err(PostgresError::file("list", "/proc"))?;
    let own = std::process::id();
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.filter(|&pid| pid != own && works_on(pid, &directory)).collect())
}

/// Kills every process of [`processes_of`], again and again until none is left, and says how many there were.
///
/// Blocks for some milliseconds. A new process that an old one starts meanwhile is met in the next round.
///
/// # Errors
/// [`PostgresError::StillRunning`] when some do not vanish within ten seconds.
pub fn kill_processes_of(data: &Path) -> Result<usize, PostgresError> {
    let deadline = Instant::now() + KILL_BOUND;
    let mut killed = std::collections::BTreeSet::new();
    loop {
        let pids = processes_of(data)?;
        if pids.is_empty() {
            return Ok(killed.len());
        }
        if Instant::now() >= deadline {
            return Err(PostgresError::StillRunning { data: data.to_owned(), pids });
        }
        for pid in pids {
            killed.insert(pid);
            send_kill(pid);
        }
        std::thread::sleep(KILL_POLL);
    }
}

fn works_on(pid: u32, directory: &fs::Metadata) -> bool {
    // The magic links of a process that has ended, or of somebody else's, cannot be followed.
    let Ok(working) = fs::metadata(format!("/proc/{pid}/cwd")) else { return false };
    if (working.dev(), working.ino()) != (directory.dev(), directory.ino()) {
        return false;
    }
    let same_user =
        fs::metadata(format!("/proc/{pid}")).is_ok_and(|process| process.uid() == directory.uid());
    same_user && (is_postgres(pid) || Stat::of(pid).is_some_and(|stat| stat.terminal == 0))
}

/// Whether it runs a program of PostgreSQL; the name stays when a package upgrade has replaced the file.
pub(super) fn is_postgres(pid: u32) -> bool {
    let Ok(program) = fs::read_link(format!("/proc/{pid}/exe")) else { return false };
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("postgres") || name.starts_with("pg_")
}

fn send_kill(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    // It may have ended since it was listed: the next round sees.
    let _: Result<(), rustix::io::Errno> = kill_process(pid, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_processes_in_the_directory_are_killed() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        let sleep =
            |directory: &Path| Command::new("/bin/sleep").arg("600").current_dir(directory).spawn().unwrap();
        let (mut inside, mut outside) = (sleep(&data), sleep(dir.path()));
        // A child counts only once it has changed its directory and become the other program.
        twinlock_testkit::wait_until("the process is in its place", Duration::from_secs(5), || {
            processes_of(&data).unwrap() == [inside.id()]
        });
        // Reaped by another thread: a zombie counts as gone either way.
        assert_eq!(kill_processes_of(&data).unwrap(), 1);
        assert_eq!(inside.wait().unwrap().signal(), Some(9));
        assert_eq!(outside.try_wait().unwrap(), None);
        outside.kill().unwrap();
        outside.wait().unwrap();
    }

    #[test]
    fn directory_that_does_not_exist_has_no_processes() {
        assert_eq!(processes_of(Path::new("/nonexistent/data")).unwrap(), []);
    }
}
