//! `twinlock wallet auto-login`

use clap::Args;
use twinlock_wallet::{AutoLogin, Form, protect};

use super::create::{AutoLoginArgs, OBFUSCATION};
use super::failure::Failure;
use super::output;
use super::place::{self, Place};

/// Make, renew or remove the cwallet.sso of a wallet that has a password
#[derive(Args, Debug)]
pub(crate) struct AutoLoginCommand {
    #[command(flatten)]
    place: Place,
    /// Tie it to this host and user, by name only
    #[arg(long)]
    local: bool,
    /// Remove it: from now on the wallet opens with its password only
    #[arg(long, conflicts_with = "local")]
    off: bool,
}

impl AutoLoginCommand {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if !self.place.has_password_file() {
            return Err(Failure::new(format!(
                "there is no ewallet.p12 in {}",
                self.place.directory.display()
            ))
            .hint("nothing was changed; without a password file there is nothing to make cwallet.sso from"));
        }
        let auto_login = match self.off {
            true => AutoLogin::No,
            false => AutoLoginArgs { auto_login: true, local: self.local }.chosen()?,
        };
        protect(&self.place.directory, &self.place.unlock_for_writing()?, &place::options(), |form| Form {
            auto_login,
            ..form
        })?;
        match self.off {
            true => output::line("cwallet.sso removed; the wallet opens with its password only"),
            false => {
                output::note(OBFUSCATION);
                output::line(format!("{} written", self.place.directory.join("cwallet.sso").display()))
            }
        }
    }
}
