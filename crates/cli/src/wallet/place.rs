//! Which wallet a command is about, and how it is opened.

use std::path::{Path, PathBuf};

use clap::Args;
use twinlock_wallet::{AUTO_LOGIN_FILE, LocalIdentity, OpenOptions, PASSWORD_FILE, Unlock, Wallet, seal};

use super::failure::Failure;
use super::password::PasswordArgs;

/// The wallet that a command is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// Directory of the wallet
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    /// Where the TPM is that a sealed wallet needs, for example device:/dev/tpmrm0
    #[arg(long, value_name = "TCTI")]
    tcti: Option<String>,
}

impl Place {
    pub(crate) fn new(directory: PathBuf, password: PasswordArgs) -> Self {
        Self { directory, password, tcti: None }
    }

    /// Opens the wallet for reading: with the password if one is given, else by itself, else asking.
    pub(crate) fn open(&self) -> Result<Wallet, Failure> {
        let unlock = match () {
            () if self.password.is_given() => Unlock::Password(self.password.obtain()?),
            () if self.has_auto_login() || self.directory.is_file() => Unlock::AutoLogin,
            () => self.password_unlock()?,
        };
        Ok(Wallet::open(&self.directory, &unlock, &options())?)
    }

    /// Changes the wallet. Where there is a password file the password is needed.
    pub(crate) fn edit<T>(
        &self,
        change: impl FnOnce(&mut Wallet) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        twinlock_wallet::edit(&self.directory, &self.unlock_for_writing()?, &options(), change)
    }

    pub(crate) fn unlock_for_writing(&self) -> Result<Unlock, Failure> {
        match self.password.is_given() || self.has_password_file() {
            true => self.password_unlock(),
            false if self.has_auto_login() => Ok(Unlock::AutoLogin),
            false => Err(no_wallet(&self.directory)),
        }
    }

    fn password_unlock(&self) -> Result<Unlock, Failure> {
        if !self.password.is_given() {
            if !self.has_password_file() {
                return Err(no_wallet(&self.directory));
            }
            if seal::protection(&self.directory)?.is_some() {
                return Ok(Unlock::Password(seal::unseal(&self.directory, self.tcti.as_deref())?));
            }
        }
        Ok(Unlock::Password(self.password.obtain()?))
    }

    pub(crate) fn tcti(&self) -> Option<&str> {
        self.tcti.as_deref()
    }

    pub(crate) fn has_password_file(&self) -> bool {
        self.directory.join(PASSWORD_FILE).exists()
    }

    pub(crate) fn has_auto_login(&self) -> bool {
        self.directory.join(AUTO_LOGIN_FILE).exists()
    }
}

fn no_wallet(directory: &Path) -> Failure {
    Failure::new(format!("there is no wallet in {}", directory.display()))
        .hint("make one with: twinlock wallet create DIR")
}

/// Defaults, and who and where this is, for local auto-login wallets.
pub(crate) fn options() -> OpenOptions {
    OpenOptions { local: local_identity(), ..OpenOptions::default() }
}

/// This host and the user who runs the program; `None` when the system does not tell.
pub(crate) fn local_identity() -> Option<LocalIdentity> {
    let host = host_name()?;
    let output =
        std::process::Command::new("id").arg("-un").output().ok().filter(|output| output.status.success())?;
    let user = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Some(LocalIdentity { host, user })
}

/// The host's name.
pub(crate) fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    (!name.is_empty()).then_some(name)
}
