//! Making a new, empty instance.

use std::time::Duration;

use crate::configure::write_own_files;
use crate::error::PostgresError;
use crate::instance::{Instance, SUPERUSER};
use crate::place::{Beside, put_in_place};
use crate::program::Program;

/// How long `initdb` may take; it syncs some 1,000 files.
const BOUND: Duration = Duration::from_secs(180);

/// How to make a new instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitOptions {
    /// Encoding of its databases, in PostgreSQL's words.
    pub encoding: String,
    /// Locale of its databases.
    pub locale: String,
}

impl Default for InitOptions {
    fn default() -> Self {
        Self { encoding: "UTF8".to_owned(), locale: "C.UTF-8".to_owned() }
    }
}

impl Instance {
    /// Makes a new data directory with checksums, beside its place, and puts it there when it is complete.
    ///
    /// # Errors
    /// [`PostgresError::AlreadyExists`] when something is there; [`PostgresError::DiskFull`]; otherwise what
    /// `initdb` said. Nothing is left behind.
    pub async fn initialise(&self, options: &InitOptions) -> Result<(), PostgresError> {
        let beside = Beside::fresh(self, ".new")?;
        if !self.place_is_free()? {
            return Err(PostgresError::AlreadyExists { path: self.data().to_owned() });
        }
        let initdb = Program::new(self.installation().program("initdb"))
            .arguments(["--pgdata", &beside.path().to_string_lossy()])
            .arguments(["--username", SUPERUSER, "--encoding", &options.encoding])
            .arguments([format!("--locale={}", options.locale)])
            .arguments(["--lc-messages=C", "--data-checksums", "--no-instructions"])
            .arguments(["--auth-local=peer", "--auth-host=reject"])
            .directory(beside.path());
        let made = match initdb.run(BOUND).await {
            Ok(_) => {
                write_own_files(beside.path(), None).and_then(|_| put_in_place(beside.path(), self.data()))
            }
            Err(error) => Err(error),
        };
        made.map_err(|error| beside.discard_after(error, "initialised"))
    }

    /// Whether there is nothing, or an empty directory, where the data directory belongs.
    pub(crate) fn place_is_free(&self) -> Result<bool, PostgresError> {
        match std::fs::read_dir(self.data()) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(PostgresError::file("list", self.data())(error)),
        }
    }
}
