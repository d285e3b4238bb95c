//! One instance: a data directory, the programs that work on it, and what is wanted of it.

use std::path::{Path, PathBuf};

use crate::directories::Directories;
use crate::error::PostgresError;
use crate::installation::Installation;

/// The superuser of every instance.
pub const SUPERUSER: &str = "postgres";
/// The name under which the agent's own sessions appear in `pg_stat_activity`.
pub const AGENT_NAME: &str = "twinlock-agent";

/// One instance: its programs and its directories. The process that uses it is the unprivileged owner of both.
#[derive(Debug, Clone)]
pub struct Instance {
    installation: Installation,
    directories: Directories,
}

impl Instance {
    /// Names an instance; nothing is looked at or made yet.
    pub fn new(installation: Installation, directories: Directories) -> Self {
        Self { installation, directories }
    }

    /// The programs.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The directories.
    pub fn directories(&self) -> &Directories {
        &self.directories
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.directories.data
    }

    /// Whether there is a data directory; it holds everything, since one is only put in place when complete.
    pub fn is_initialised(&self) -> bool {
        self.data().join("PG_VERSION").is_file()
    }

    /// Refuses to work on a directory that is no data directory, is of another version, or was left half rewound.
    pub(crate) fn check_data(&self) -> Result<(), PostgresError> {
        let refuse = |reason| Err(PostgresError::NotADataDirectory { path: self.data().to_owned(), reason });
        let Ok(version) = std::fs::read_to_string(self.data().join("PG_VERSION")) else {
            return refuse("it has no file PG_VERSION");
        };
        if version.trim() != self.installation.version().major.to_string() {
            return refuse("it was made by another major version of PostgreSQL");
        }
        if self.rewind_mark().exists() {
            return refuse("rewinding it was interrupted; it must be made anew by a base backup");
        }
        Ok(())
    }

    /// Exists while the data directory is being rewound: between the two states it is neither.
    pub(crate) fn rewind_mark(&self) -> PathBuf {
        self.directories.beside(".rewinding")
    }
}
