//! What can go wrong with a wallet.

use std::io;
use std::path::{Path, PathBuf};

/// Why an operation on a wallet, certificate or key failed.
///
/// No variant carries a secret or anything derived from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written; what was there before is untouched.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory holds neither of the wallet's two files, or not the one that was asked for.
    #[error("no {file} in {}", directory.display())]
    NotFound {
        /// The directory.
        directory: PathBuf,
        /// `ewallet.p12`, `cwallet.sso`, or both.
        file: &'static str,
    },
    /// Another process has held the wallet's lock for longer than the wait allowed.
    #[error("{} is locked by another process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Something is in the way and replacing it was not asked for; nothing was changed.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file in the way.
        path: PathBuf,
    },
    /// The file changed after this wallet was read from it; nothing was written.
    #[error("{} was changed by somebody else after it was read", path.display())]
    ChangedMeanwhile {
        /// The file.
        path: PathBuf,
    },
    /// The wallet also has a password-protected file, which cannot be written without the password.
    #[error("{} belongs to the same wallet and can only be changed with its password", path.display())]
    PasswordNeeded {
        /// The `ewallet.p12`.
        path: PathBuf,
    },
    /// An error with the file that it is about.
    #[error("cannot use {}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<WalletError>,
    },
    /// The bytes are not what they should be.
    #[error("malformed {what}")]
    Malformed {
        /// The structure that does not parse.
        what: &'static str,
    },
    /// The input is larger, more deeply nested or more numerous than the limit.
    #[error("{what} is over the limit of {limit}")]
    OverLimit {
        /// What was counted.
        what: &'static str,
        /// The most that is accepted.
        limit: u64,
    },
    /// An algorithm, scheme or version that is not supported.
    #[error("unsupported {what}: {name}")]
    Unsupported {
        /// What kind of thing.
        what: &'static str,
        /// Its name or object identifier.
        name: String,
    },
    /// The password does not fit, or the file is damaged in a way that cannot be told from that.
    #[error("wrong password")]
    WrongPassword,
    /// The password fits but the contents were altered.
    #[error("the password fits, but the file is damaged: its authentication code does not match")]
    Damaged,
    /// An auto-login wallet whose contents do not match its own key.
    #[error("the auto-login file is damaged: its authentication code does not match")]
    AutoLoginDamaged,
    /// An auto-login wallet tied to another host or user.
    #[error("this auto-login wallet opens only on the host and for the user it was made for")]
    OtherHostOrUser,
    /// The file protects itself by a public key or has no authentication code.
    #[error("the file has no password authentication code")]
    NoAuthenticationCode,
    /// The wallet has no private key.
    #[error("the wallet has no private key")]
    NoPrivateKey,
    /// The wallet has private keys but no certificate for any of them.
    #[error("the wallet has no certificate that belongs to its private key")]
    NoCertificate,
    /// Nothing by that name is in the wallet.
    #[error("the wallet has no {kind} named {name:?}")]
    NoSuchEntry {
        /// The kind of entry.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A value that the caller gave cannot be used.
    #[error("{what}: {reason}")]
    Invalid {
        /// The argument or field.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// A certificate, request or list could not be made or signed.
    #[error("cannot {operation}")]
    Issue {
        /// What was being made.
        operation: &'static str,
        /// What the library said.
        source: rcgen::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// A program that seals or unseals could not be run or failed.
    #[error("{program} failed: {reason}")]
    Program {
        /// The program.
        program: &'static str,
        /// What it said, or why it could not be run.
        reason: String,
    },
}

impl WalletError {
    /// The same error, naming the file it is about.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            already @ (Self::Read { .. } | Self::Write { .. } | Self::InFile { .. }) => already,
            error => Self::InFile { path: path.to_path_buf(), source: Box::new(error) },
        }
    }

    /// The innermost error, without the file that it is about.
    pub fn kind(&self) -> &Self {
        match self {
            Self::InFile { source, .. } => source.kind(),
            other => other,
        }
    }
}

pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> WalletError + '_ {
    move |source| WalletError::Read { path: path.to_path_buf(), source }
}

pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> WalletError + '_ {
    move |source| WalletError::Write { path: path.to_path_buf(), source }
}
