//! `twinlock wallet create`

use std::fs::DirBuilder;
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use clap::Args;
use twinlock_wallet::{AutoLogin, Derivation, Form, PASSWORD_FILE, Wallet};

use super::failure::Failure;
use super::output;
use super::password::PasswordArgs;
use super::place;

/// Make an empty wallet
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Directory of the wallet; made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    auto_login: AutoLoginArgs,
    /// Make no ewallet.p12, only a cwallet.sso that whoever can read it can open
    #[arg(long, conflicts_with_all = ["auto_login", "iterations", "compat"])]
    auto_login_only: bool,
    #[command(flatten)]
    derivation: DerivationArgs,
}

/// Whether the wallet also opens without a password.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AutoLoginArgs {
    /// Also make a cwallet.sso that whoever can read it can open
    #[arg(long)]
    pub(crate) auto_login: bool,
    /// Tie the cwallet.sso to this host and user, by name only
    #[arg(long)]
    pub(crate) local: bool,
}

/// What guessing the password costs.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DerivationArgs {
    /// Key-derivation iterations, for encryption and authentication code together [default: 600000]
    #[arg(long, value_name = "N", conflicts_with = "compat")]
    iterations: Option<NonZeroU32>,
    /// Protect the wallet as Oracle's tools do: 10,000 iterations, a sixtieth of the cost of a guess
    #[arg(long)]
    compat: bool,
}

/// The most that our own reader, and hopefully others, will accept.
const MOST_ITERATIONS: u32 = 5_000_000;
const FEWEST_ITERATIONS: u32 = 10_000;

impl DerivationArgs {
    /// What was asked for, if anything was.
    pub(crate) fn asked(&self) -> Result<Option<Derivation>, Failure> {
        match (self.compat, self.iterations) {
            (true, _) => {
                output::note(
                    "note: 10,000 iterations, as Oracle's tools write: each guess at the password costs an attacker a \
                     sixtieth of what it costs with the default of 600,000",
                );
                Ok(Some(Derivation::ORACLE))
            }
            (false, None) => Ok(None),
            (false, Some(count)) if (FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&count.get()) => {
                Ok(Some(Derivation::with_iterations(count)))
            }
            (false, Some(_)) => Err(Failure::usage(format!(
                "--iterations must be between {FEWEST_ITERATIONS} and {MOST_ITERATIONS}"
            ))),
        }
    }
}

impl AutoLoginArgs {
    pub(crate) fn chosen(&self) -> Result<AutoLogin, Failure> {
        match (self.local, self.auto_login) {
            (true, _) => place::local_identity()
                .map(AutoLogin::Local)
                .ok_or_else(|| Failure::new("the system does not tell the host's and the user's name")),
            (false, true) => Ok(AutoLogin::Anyone),
            (false, false) => Ok(AutoLogin::No),
        }
    }
}

/// Told whenever an auto-login file is made.
pub(crate) const OBFUSCATION: &str = "note: cwallet.sso is obfuscation, not protection: whoever can read the file can open it. Guard it by its mode \
     (0600), or seal the wallet (twinlock wallet seal)";

impl Create {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let auto_login = match (self.auto_login_only, self.auto_login.chosen()?) {
            (true, AutoLogin::No) => AutoLogin::Anyone,
            (_, chosen) => chosen,
        };
        let password = match self.auto_login_only {
            true => None,
            false => {
                let derivation = self.derivation.asked()?.unwrap_or_else(Derivation::keystore);
                Some((self.password.obtain_new()?, derivation))
            }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory).map_err(|error| {
            Failure::new(format!("cannot make the directory {}", self.directory.display())).because(error)
        })?;
        let has_password = password.is_some();
        let with_auto_login = auto_login != AutoLogin::No;
        Wallet::new().save(&self.directory, &Form { password, auto_login })?;
        if with_auto_login {
            output::note(OBFUSCATION);
        }
        let file = if has_password { PASSWORD_FILE } else { twinlock_wallet::AUTO_LOGIN_FILE };
        output::line(format!("{} created", self.directory.join(file).display()))
    }
}
