//! What can go wrong in an agent, a guard or a witness.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use twinlock_pair::ledger::Refusal;
use twinlock_postgres::PostgresError;
use twinlock_wallet::WalletError;

/// An error of the daemon processes.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A file operation failed.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// Verb.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A state file does not hold what it should.
    #[error("{} is damaged; it was left as it is", path.display())]
    Format {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// Another process holds the lock.
    #[error("another process holds {}", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A wallet cannot be used.
    #[error("cannot use the wallet in {}", path.display())]
    Wallet {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: WalletError,
    },
    /// A credential does not make a TLS endpoint.
    #[error("the credential in {} does not make a TLS endpoint", path.display())]
    Tls {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rustls::Error,
    },
    /// Another process could not be reached.
    #[error("cannot reach {address}")]
    Unreachable {
        /// Whom.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Another process refused or answered nonsense.
    #[error("{address} answered {status}: {body}")]
    Answered {
        /// Who.
        address: SocketAddr,
        /// HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// The arbiter refused.
    #[error("the arbiter refused")]
    Refused {
        /// Why.
        #[source]
        cause: Refusal,
    },
    /// PostgreSQL or one of its programs failed.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// What was declared cannot be carried out.
    #[error("{0}")]
    Unusable(String),
    /// A process could not be started.
    #[error("cannot start {what}")]
    Spawn {
        /// Which.
        what: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl AgentError {
    pub(crate) fn file(
        operation: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> AgentError {
        let path = path.as_ref().to_owned();
        move |cause| AgentError::File { operation, path, cause }
    }

    /// This error and its causes in one line, for a log.
    #[must_use]
    pub fn line(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
