//! Starting a server, taking back one that runs, and waiting until it is ready.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::configure::{POSTGRESQL_CONF, STARTED_CONF};
use crate::error::PostgresError;
use crate::instance::Instance;
use crate::process::{Identity, Running, processes_of};
use crate::program::{Tail, prepare};
use crate::session::Session;
use crate::settings::Synchronous;

/// First pause between two looks at a server that is starting.
const POLL_FIRST: Duration = Duration::from_millis(5);
const POLL_LONGEST: Duration = Duration::from_millis(50);
/// How much of the end of a log an error carries.
const LOG_TAIL_BYTES: usize = 8192;

impl Instance {
    /// Starts the server and returns at once: see [`Instance::wait_ready`].
    ///
    /// It runs in a process group of its own and outlives the caller. It is told to wait for a standby that does
    /// not exist, whatever an earlier one was told. For a moment after a start commits may still pass unawaited, so
    /// start with the gate closed and open it after [`crate::admission::show_commits_wait`].
    ///
    /// # Errors
    /// When there is no complete data directory or configuration, processes of an earlier server are left, or
    /// the program cannot be run.
    pub async fn start(&self) -> Result<Running, PostgresError> {
        self.check_data()?;
        let pids = processes_of(self.data())?;
        if !pids.is_empty() {
            return Err(PostgresError::StillRunning { data: self.data().to_owned(), pids });
        }
        self.write_synchronous(&Synchronous::Nobody)?;
        let conf = self.directories().conf();
        let config_file = conf.join(POSTGRESQL_CONF);
        let text = fs::read(&config_file).map_err(PostgresError::file("read", &config_file))?;
        crate::files::replace(&conf.join(STARTED_CONF), &text)?;
        remove_stale_locks(self.data(), &self.directories().socket())?;
        self.spawn(&config_file)
    }

    fn spawn(&self, config_file: &Path) -> Result<Running, PostgresError> {
        let program = self.installation().program("postgres");
        let log = self.startup_log()?;
        let mut command = std::process::Command::new(&program);
        prepare(&mut command, &program, &self.openssl_environment(), Some(self.data()));
        let mut setting = OsString::from("config_file=");
        setting.push(config_file);
        command.arg("-D").arg(self.data()).arg("-c").arg(setting);
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(PostgresError::file("open", self.startup_log_path()))?);
        command.stderr(log);
        let mut command = tokio::process::Command::from(command);
        command.process_group(0);
        let mut child =
            command.spawn().map_err(|source| PostgresError::Spawn { program: program.clone(), source })?;
        let identity = child.id().and_then(Identity::of);
        let running = identity.map(Running::follow).transpose()?.flatten();
        // Collects the exit status when it ends while we are its parent, so that no zombie stays.
        tokio::spawn(async move { child.wait().await });
        running.ok_or_else(|| PostgresError::Ended { doing: "it was started", log: self.log_tail() })
    }

    /// Takes back a running server, started by an earlier run of this program or by hand.
    ///
    /// # Errors
    /// When a process cannot be followed.
    pub fn adopt(&self) -> Result<Option<Running>, PostgresError> {
        let Some(identity) = self.postmaster() else { return Ok(None) };
        Running::follow(identity)
    }

    /// The running server process, by its pid file and by what the process of that id really is.
    pub(crate) fn postmaster(&self) -> Option<Identity> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid: u32 = text.lines().next()?.trim().parse().ok()?;
        let identity = Identity::of(pid)?;
        let data = fs::metadata(self.data()).ok()?;
        let working = fs::metadata(format!("/proc/{pid}/cwd")).ok()?;
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = program.file_name()?.to_str()?;
        let ours = (working.dev(), working.ino()) == (data.dev(), data.ino()) && name.starts_with("postgres");
        (ours && Identity::of(pid) == Some(identity)).then_some(identity)
    }

    /// Waits until the server accepts sessions on its socket; a standby does once it is consistent.
    ///
    /// # Errors
    /// When it ends meanwhile (with the end of its log) or `bound` passes; it is left running then.
    pub async fn wait_ready(&self, bound: Duration) -> Result<(), PostgresError> {
        let deadline = Instant::now() + bound;
        let mut pause = POLL_FIRST;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.says_ready() && Session::new(self).ping(left.max(POLL_LONGEST)).await.is_ok() {
                return Ok(());
            }
            if left.is_zero() {
                return Err(PostgresError::TimedOut {
                    what: "PostgreSQL accepting sessions".to_owned(),
                    bound,
                });
            }
            // Right after the start there is no pid file yet, but there is a process.
            if self.postmaster().is_none() && processes_of(self.data())?.is_empty() {
                return Err(PostgresError::Ended { doing: "it was starting", log: self.log_tail() });
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(POLL_LONGEST);
        }
    }

    /// Whether the server has written that it accepts sessions into the eighth line of its pid file.
    fn says_ready(&self) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        matches!(text.lines().nth(7).map(str::trim), Some("ready" | "standby"))
    }

    fn startup_log_path(&self) -> std::path::PathBuf {
        self.directories().log.join("startup.log")
    }

    /// Where the server writes before its own log collector runs; each start begins it anew.
    fn startup_log(&self) -> Result<File, PostgresError> {
        let path = self.startup_log_path();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&path).map_err(PostgresError::file("open", &path))
    }

    /// The last lines of what the server wrote since it was started.
    pub(crate) fn log_tail(&self) -> String {
        let mut logs: Vec<_> = fs::read_dir(&self.directories().log)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        logs.sort();
        let newest_two = logs.iter().rev().take(2).rev();
        let mut tail = Tail::default();
        for (_, path) in newest_two {
            let text = fs::read(path).unwrap_or_default();
            let end = &text[text.len().saturating_sub(LOG_TAIL_BYTES)..];
            String::from_utf8_lossy(end).lines().for_each(|line| tail.push(line));
        }
        tail.text()
    }
}

/// Removes the lock files of a server that is gone: beside its data and beside its socket. The process id in them
/// may by now be anybody's, in a container for instance the agent's own, or of a zombie that nobody has collected,
/// and PostgreSQL would refuse to start. The caller knows that no process of the instance is left.
fn remove_stale_locks(data: &Path, socket: &Path) -> Result<(), PostgresError> {
    let sockets = fs::read_dir(socket).map_err(PostgresError::file("list", socket))?;
    let stale = sockets.flatten().map(|entry| entry.path()).chain([data.join("postmaster.pid")]);
    for path in stale {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(PostgresError::file("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
