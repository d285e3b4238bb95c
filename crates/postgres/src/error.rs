//! What can go wrong with one instance.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::version::{NEWEST_MAJOR, OLDEST_MAJOR, Version};

/// An operation on an instance that did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// No PostgreSQL was found where one was looked for.
    #[error(
        "no PostgreSQL found in {}; install one (Debian: apt-get install postgresql) or name its program directory",
        list(.searched)
    )]
    NotInstalled {
        /// The directories looked into.
        searched: Vec<PathBuf>,
    },
    /// A PostgreSQL was found whose major version is not supported.
    #[error(
        "{} is PostgreSQL {version}; supported are {OLDEST_MAJOR} to {NEWEST_MAJOR}",
        .program.display()
    )]
    UnsupportedVersion {
        /// The server program.
        program: PathBuf,
        /// Its version.
        version: Version,
    },
    /// The server program answered `--version` with something else.
    #[error("{} did not say its version but {output:?}", .program.display())]
    UnknownVersion {
        /// The server program.
        program: PathBuf,
        /// What it said.
        output: String,
    },
    /// The server was built without OpenSSL.
    #[error(
        "{} was built without TLS, which replication needs; install one built with OpenSSL (any Debian package is)",
        .program.display()
    )]
    WithoutTls {
        /// The server program.
        program: PathBuf,
    },
    /// A program of PostgreSQL is missing.
    #[error("{program} is missing from {}; install {package}", .bindir.display())]
    MissingProgram {
        /// Name of the program.
        program: &'static str,
        /// Where it was looked for.
        bindir: PathBuf,
        /// What brings it.
        package: &'static str,
    },
    /// The directory for keys and configuration would be on a disk.
    #[error(
        "{} is not on a memory file system; private keys would reach the disk. Choose a directory on tmpfs",
        .path.display()
    )]
    RuntimeNotInMemory {
        /// The directory.
        path: PathBuf,
    },
    /// A name or value cannot be written into PostgreSQL's files.
    #[error("{what} {value:?} cannot be used: {reason}")]
    Unusable {
        /// What the value is for.
        what: &'static str,
        /// The value.
        value: String,
        /// Why not.
        reason: &'static str,
    },
    /// PostgreSQL does not accept a setting.
    #[error("PostgreSQL does not accept the settings: {message}")]
    SettingsRefused {
        /// PostgreSQL's own words.
        message: String,
    },
    /// A file operation failed.
    #[error("cannot {operation} {}", .path.display())]
    File {
        /// Verb phrase, e.g. `write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is no room left; what was begun has been removed.
    #[error(
        "no space left on the file system of {} while it was {operation}; what was begun has been removed. \
         Free some space and try again",
        .path.display()
    )]
    DiskFull {
        /// What was going on, e.g. `initialised`.
        operation: &'static str,
        /// The directory being made.
        path: PathBuf,
    },
    /// A program could not be run at all.
    #[error("cannot run {}", .program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} ended with {status}: {stderr}")]
    Program {
        /// Name of the program.
        program: String,
        /// Exit status in words.
        status: String,
        /// Last lines of what it wrote to standard error.
        stderr: String,
    },
    /// Something did not happen within its bound; whatever was begun has been given up.
    #[error("{what} did not happen within {:.1} s", .bound.as_secs_f64())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        bound: Duration,
    },
    /// There is already something in the place of a data directory.
    #[error("{} already exists; it was left untouched", .path.display())]
    AlreadyExists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds no complete data directory.
    #[error("{} is not a complete PostgreSQL data directory: {reason}", .path.display())]
    NotADataDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Processes of an instance are there that must not be.
    #[error("processes {pids:?} still work on {}", .data.display())]
    StillRunning {
        /// The data directory.
        data: PathBuf,
        /// Their process ids.
        pids: Vec<u32>,
    },
    /// The instance has no running server.
    #[error("no server is running on {}", .data.display())]
    NotRunning {
        /// The data directory.
        data: PathBuf,
    },
    /// The instance to follow still is on the timeline of this one, which was active on it.
    #[error(
        "{upstream} has no timeline of its own yet: it was not promoted, or has had no checkpoint since. Try again \
         after its next checkpoint; nothing was changed"
    )]
    UpstreamNotReady {
        /// Its address.
        upstream: std::net::IpAddr,
    },
    /// The server ended while it was waited for.
    #[error("PostgreSQL ended while {doing}; its last words: {log}")]
    Ended {
        /// What was waited for.
        doing: &'static str,
        /// End of its log.
        log: String,
    },
    /// No session could be opened.
    #[error("cannot connect to PostgreSQL at {address}: {}", explain(.source))]
    Connect {
        /// Socket directory or address.
        address: String,
        /// The cause.
        source: tokio_postgres::Error,
    },
    /// A query of ours failed.
    #[error("cannot {operation}: {}", explain(.source))]
    Query {
        /// Verb phrase.
        operation: &'static str,
        /// The cause.
        source: tokio_postgres::Error,
    },
    /// PostgreSQL or one of its programs answered something unforeseen.
    #[error("cannot understand {what}: {answer:?}")]
    Unexpected {
        /// What was asked.
        what: &'static str,
        /// The answer.
        answer: String,
    },
    /// A statement of the schema script failed; nothing of the script remains.
    #[error("line {line}: {message}; nothing of the script was kept")]
    Statement {
        /// Line of the script, from 1.
        line: usize,
        /// PostgreSQL's message.
        message: String,
    },
    /// Commits were not seen to wait for a standby.
    #[error("commits do not wait for a standby although PostgreSQL was told so: {reason}")]
    CommitsDoNotWait {
        /// What was seen.
        reason: &'static str,
    },
    /// A TLS handshake with a server did not complete.
    #[error("TLS handshake with {address} failed: {reason}")]
    Handshake {
        /// Address and port.
        address: String,
        /// What went wrong.
        reason: String,
    },
}

impl PostgresError {
    /// Makes an error of a failed file operation; a full disk is told apart by [`PostgresError::is_disk_full`].
    pub(crate) fn file(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { operation, path, source }
    }

    /// Whether the cause is a file system without room.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::DiskFull { .. } => true,
            Self::File { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Program { stderr, .. } => stderr.contains("No space left on device"),
            _ => false,
        }
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The server's message where there is one: the library's own text is only "db error".
pub(crate) fn explain(error: &tokio_postgres::Error) -> String {
    let Some(database) = error.as_db_error() else { return error.to_string() };
    match database.detail() {
        Some(detail) => format!("{} ({detail})", database.message()),
        None => database.message().to_owned(),
    }
}
