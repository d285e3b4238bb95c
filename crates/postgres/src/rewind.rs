//! Bringing a former active instance back onto the history of the one that took over.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::configure::{STANDBY_SIGNAL, mark_as_standby, write_own_files};
use crate::error::PostgresError;
use crate::files::replace;
use crate::instance::Instance;
use crate::program::Program;
use crate::render::{Use, connection_string};
use crate::settings::{Settings, TlsFiles, Upstream};

/// How long each step may take: reading the WAL since the histories parted, and copying what differs.
const BOUND: Duration = Duration::from_secs(6 * 3600);

/// The checkpoint at the end of recovery would remove the WAL in which the histories part.
const KEEP_ALL_WAL: &str = "wal_keep_size=1TB";

/// What `pg_rewind` says when no history parts from the other.
const SAME_TIMELINE: &str = "on the same timeline";

/// What a rewind found to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewindOutcome {
    /// What the other history does not have was undone.
    Rewound,
    /// The data directory is an ancestor of the other history: it can follow as it is.
    NotRequired,
}

impl Instance {
    /// Undoes what the upstream's history does not have, and makes the data directory a standby's.
    ///
    /// A directory that was not stopped cleanly is recovered first. It is then tried without changing anything;
    /// from the first change on a mark beside it keeps [`Instance::start`] away until the rewind, or a base
    /// backup, is complete. The upstream must have had a checkpoint since its promotion: PostgreSQL before 16 takes
    /// its history for the old one otherwise, and finds nothing to undo.
    ///
    /// # Errors
    /// [`PostgresError::UpstreamNotReady`] when a former active finds the upstream on its own timeline; nothing was
    /// changed. When the instance is running, the upstream cannot be reached, or the WAL needed is gone. A base backup is
    /// then the way.
    pub async fn rewind(
        &self,
        from: &Upstream,
        settings: &Settings,
        tls: &TlsFiles,
    ) -> Result<RewindOutcome, PostgresError> {
        self.refuse_running()?;
        self.check_data()?;
        let role = &settings.identity.replication_role;
        let files = self.connection_files(tls)?;
        let source = connection_string(from, role, Use::Rewind, &files, &settings.tls)?;
        if !self.control()?.state.is_clean() {
            self.recover_alone(settings).await?;
        }
        let was_active = !self.data().join(STANDBY_SIGNAL).exists();
        let tried = self.pg_rewind(&source, &["--dry-run"]).await?;
        if was_active && tried.contains(SAME_TIMELINE) {
            return Err(PostgresError::UpstreamNotReady { upstream: from.hostaddr });
        }
        let outcome = if tried.contains("no rewind required") {
            RewindOutcome::NotRequired
        } else {
            replace(&self.rewind_mark(), b"The data directory beside this file is neither old nor new.\n")?;
            self.pg_rewind(&source, &[]).await?;
            RewindOutcome::Rewound
        };
        write_own_files(self.data(), Some(settings))?;
        mark_as_standby(self.data())?;
        self.clear_rewind_mark()?;
        Ok(outcome)
    }

    /// Runs crash recovery in a server without sessions; nothing is acknowledged to anybody by it.
    async fn recover_alone(&self, settings: &Settings) -> Result<(), PostgresError> {
        write_own_files(self.data(), Some(settings))?;
        let program = Program::new(self.installation().program("postgres"))
            .arguments(["--single", "-D"])
            .arguments([self.data()])
            .arguments(["-c", KEEP_ALL_WAL, "template1"])
            .directory(self.data());
        program.run(BOUND).await.map(drop)
    }

    async fn pg_rewind(&self, source: &str, more: &[&str]) -> Result<String, PostgresError> {
        let said = std::cell::RefCell::new(String::new());
        let program = Program::new(self.installation().program("pg_rewind"))
            .environment(&self.openssl_environment())
            .arguments(["--target-pgdata"])
            .arguments([self.data()])
            .arguments(["--source-server", source])
            .arguments(more)
            .directory(self.data())
            .on_line(|line| {
                let mut said = said.borrow_mut();
                said.push_str(line);
                said.push('\n');
            });
        let output = program.run(BOUND).await?;
        Ok(said.into_inner() + &output)
    }

    /// The data directory is whole again.
    pub(crate) fn clear_rewind_mark(&self) -> Result<(), PostgresError> {
        let mark = self.rewind_mark();
        match fs::remove_file(&mark) {
            Ok(()) => {
                let parent = mark.parent().unwrap_or(Path::new("/"));
                twinlock_wallet::durable::sync_directory(parent).map_err(PostgresError::file("sync", parent))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(PostgresError::file("remove", &mark)(error)),
        }
    }
}
