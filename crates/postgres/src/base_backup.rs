//! Copying another instance, to become its standby.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::configure::{mark_as_standby, write_own_files};
use crate::error::PostgresError;
use crate::instance::Instance;
use crate::place::{Beside, put_in_place};
use crate::process::processes_of;
use crate::program::Program;
use crate::render::{Use, connection_string};
use crate::settings::{Settings, TlsFiles, Upstream};

/// A copy that has not grown for this long is given up. The upstream's first checkpoint falls into it as well.
const STALLED: Duration = Duration::from_secs(120);
/// The longest that a copy may take in all.
const BOUND: Duration = Duration::from_secs(7 * 24 * 3600);
/// Leftovers of the upstream that mean nothing here.
const LEFTOVERS: [&str; 3] = ["postmaster.opts", "current_logfiles", "backup_manifest"];

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Kibibytes copied.
    pub done_kib: u64,
    /// Kibibytes in all, as estimated at the beginning; it may be passed.
    pub total_kib: u64,
}

impl Instance {
    /// Copies the upstream over mutual TLS, beside the data directory, and puts the copy in its place when it is
    /// complete and on disk. The copy is a standby's and cannot be started as anything else.
    ///
    /// `progress` is called about once a second.
    ///
    /// # Errors
    /// When the instance is running, the upstream cannot be reached or does not prove who it is, the copy does
    /// not grow for two minutes, or the disk is full. A data directory that was there is then untouched.
    pub async fn base_backup(
        &self,
        from: &Upstream,
        settings: &Settings,
        tls: &TlsFiles,
        progress: impl Fn(Progress),
    ) -> Result<(), PostgresError> {
        self.refuse_running()?;
        let role = &settings.identity.replication_role;
        let conninfo = connection_string(from, role, Use::Copy, &self.connection_files(tls)?, &settings.tls)?;
        let beside = Beside::fresh(self, ".copy")?;
        let copied = match self.copy(beside.path(), &conninfo, progress).await {
            Ok(()) => finish(beside.path(), settings).and_then(|()| put_in_place(beside.path(), self.data())),
            Err(error) => Err(error),
        };
        copied.map_err(|error| beside.discard_after(error, "copied"))?;
        self.clear_rewind_mark()
    }

    async fn copy(
        &self,
        to: &Path,
        conninfo: &str,
        progress: impl Fn(Progress),
    ) -> Result<(), PostgresError> {
        let last_growth = Cell::new(Instant::now());
        let last = Cell::new(None);
        let program = Program::new(self.installation().program("pg_basebackup"))
            .environment(&self.openssl_environment())
            .arguments(["--dbname", conninfo, "--pgdata", &to.to_string_lossy()])
            .arguments(["--wal-method=stream", "--checkpoint=fast", "--progress", "--no-password"])
            .directory(to)
            .on_line(|line| {
                if let Some(now) = parse_progress(line) {
                    if last.replace(Some(now)) != Some(now) {
                        last_growth.set(Instant::now());
                    }
                    progress(now);
                }
            });
        let stalled = async {
            while last_growth.get().elapsed() < STALLED {
                tokio::time::sleep(STALLED.saturating_sub(last_growth.get().elapsed())).await;
            }
            PostgresError::TimedOut { what: "any growth of the base backup".to_owned(), bound: STALLED }
        };
        tokio::select! {
            result = program.run(BOUND) => result.map(drop),
            error = stalled => Err(error),
        }
    }

    /// Refuses to change a data directory on which something still works.
    pub(crate) fn refuse_running(&self) -> Result<(), PostgresError> {
        match processes_of(self.data())? {
            pids if pids.is_empty() => Ok(()),
            pids => Err(PostgresError::StillRunning { data: self.data().to_owned(), pids }),
        }
    }
}

/// Makes a copy a standby's. `pg_basebackup` has synced what it wrote; each file here is synced when replaced.
fn finish(copy: &Path, settings: &Settings) -> Result<(), PostgresError> {
    write_own_files(copy, Some(settings))?;
    mark_as_standby(copy)?;
    for name in LEFTOVERS {
        let path = copy.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(PostgresError::file("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads a line such as `12345/67890 kB (18%), 0/1 tablespace`.
fn parse_progress(line: &str) -> Option<Progress> {
    let (counts, _) = line.trim().split_once(" kB (")?;
    let (done, total) = counts.split_once('/')?;
    Some(Progress { done_kib: done.trim().parse().ok()?, total_kib: total.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_lines_are_read() {
        let line = " 12345/67890 kB (18%), 0/1 tablespace (...ss/data.copy/base/1)";
        assert_eq!(parse_progress(line), Some(Progress { done_kib: 12345, total_kib: 67890 }));
        assert_eq!(parse_progress("waiting for checkpoint"), None);
    }
}
