//! Finds the processes of an instance by their working directory, which PostgreSQL sets to the data directory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::identity::{Identity, Stat};
use crate::error::PostgresError;

/// How long processes may take to vanish after SIGKILL; only the kernel can hold them longer.
const KILL_BOUND: Duration = Duration::from_secs(10);
const KILL_POLL: Duration = Duration::from_millis(2);

/// Process ids of everything that runs on the data directory `data`: the server, its children, programs that one
/// of them started, and programs of ours that change it.
///
/// A process belongs to it when it runs as the directory's owner and its working directory is that directory (the
/// same inode, whatever its path), or it is a program of PostgreSQL with that directory among its arguments. A shell in which a person works is left out: it has a terminal and is no
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
    let mut killed = Vec::new();
    loop {
        let mut pids = processes_of(data)?;
        for identity in pids.iter().copied().filter_map(Identity::of) {
            if !killed.contains(&identity) {
                killed.push(identity);
            }
            send_kill(identity.pid);
        }
        // On its way out a process has no directory any more while its sockets are still being closed.
        let ending = killed.iter().filter(|killed| Identity::of(killed.pid) == Some(**killed));
        pids.extend(ending.map(|identity| identity.pid));
        if pids.is_empty() {
            return Ok(killed.len());
        }
        if Instant::now() >= deadline {
            pids.sort_unstable();
            pids.dedup();
            return Err(PostgresError::StillRunning { data: data.to_owned(), pids });
        }
        std::thread::sleep(KILL_POLL);
    }
}

fn works_on(pid: u32, directory: &fs::Metadata) -> bool {
    let same_user =
        fs::metadata(format!("/proc/{pid}")).is_ok_and(|process| process.uid() == directory.uid());
    if !same_user {
        return false;
    }
    // The magic links of a process that has ended cannot be followed.
    let is_inside =
        fs::metadata(format!("/proc/{pid}/cwd")).is_ok_and(|working| is_same(&working, directory));
    let is_postgres = is_postgres(pid);
    match is_inside {
        true => is_postgres || Stat::of(pid).is_some_and(|stat| stat.terminal == 0),
        false => is_postgres && is_told_of(pid, directory),
    }
}

/// Whether the directory is among a program's arguments.
///
/// Before 16, PostgreSQL's programs leave their directory for a moment when they start, to find out where they are
/// installed. A server that is just being started would not be seen by its directory then, and outlive the kill
/// of its instance.
fn is_told_of(pid: u32, directory: &fs::Metadata) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut paths = line.split(|byte| *byte == 0).map(OsStr::from_bytes).map(Path::new);
    paths.any(|path| path.is_absolute() && fs::metadata(path).is_ok_and(|found| is_same(&found, directory)))
}

fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
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
