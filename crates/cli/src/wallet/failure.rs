//! Why a wallet, certificate or compatibility command failed, for the person who ran it.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use twinlock_wallet::WalletError;

/// Exit code for a failed operation.
const FAILED: u8 = 1;
/// Exit code for arguments that make no sense together.
const USAGE: u8 = 2;
/// Exit code of `wallet check` when it found an error.
const FOUND: u8 = 3;
/// Exit code for a wrong or missing password.
const PASSWORD: u8 = 4;

/// A failed command: what happened, why, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None, hint: None, code: FAILED }
    }

    /// Arguments that are refused before anything is looked at.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(what) }
    }

    /// What a check found is not an error of the program, but scripts must see it.
    pub(crate) fn found(what: impl Into<String>) -> Self {
        Self { code: FOUND, ..Self::new(what) }
    }

    pub(crate) fn because(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<WalletError> for Failure {
    fn from(error: WalletError) -> Self {
        let code = match error.kind() {
            WalletError::WrongPassword => PASSWORD,
            _ => FAILED,
        };
        let hint = hint_for(error.kind()).map(str::to_owned);
        let what = error.to_string();
        let cause = error.source().map(|_| causes(&error).into());
        Self { what, cause, hint, code }
    }
}

fn causes(error: &dyn Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

/// What to do about an error, where there is one thing to do.
fn hint_for(error: &WalletError) -> Option<&'static str> {
    Some(match error {
        WalletError::WrongPassword => "nothing was changed; give the password that the wallet was made with",
        WalletError::Damaged => "nothing was changed; restore the file from a backup",
        WalletError::AutoLoginDamaged => {
            "nothing was changed; make it again from ewallet.p12: twinlock wallet auto-login DIR"
        }
        WalletError::OtherHostOrUser => "open it there, or with its password",
        WalletError::PasswordNeeded { .. } => {
            "nothing was changed; give the password (--password-file, --password-fd, or a terminal)"
        }
        WalletError::Exists { .. } => {
            "nothing was changed; choose another directory, or remove what is there"
        }
        WalletError::ChangedMeanwhile { .. } => "nothing was changed; run the command again",
        WalletError::Locked { .. } => {
            "nothing was changed; wait for the other program, then run the command again"
        }
        WalletError::NotFound { .. } => "make a wallet with: twinlock wallet create DIR",
        WalletError::Write { .. } => "the wallet is as it was",
        WalletError::NoAuthenticationCode => "only `wallet import --unauthenticated` takes such a file",
        _ => return None,
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

impl Error for Failure {}
