//! `twinlock wallet change-password`

use clap::Args;
use twinlock_wallet::{Form, protect, seal};

use super::create::DerivationArgs;
use super::failure::Failure;
use super::output;
use super::password::NewPasswordArgs;
use super::place::{self, Place};

/// Change a wallet's password, or how expensive guessing it is
#[derive(Args, Debug)]
pub(crate) struct ChangePassword {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    new_password: NewPasswordArgs,
    #[command(flatten)]
    derivation: DerivationArgs,
}

impl ChangePassword {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if !self.place.has_password_file() {
            return Err(Failure::new(format!(
                "there is no ewallet.p12 in {}",
                self.place.directory.display()
            ))
            .hint("nothing was changed; a wallet that opens by itself has no password"));
        }
        let unlock = self.place.unlock_for_writing()?;
        let asked = self.derivation.asked()?;
        let new = self.new_password.obtain()?;
        protect(&self.place.directory, &unlock, &place::options(), |form| {
            let password = form.password.map(|(_, derivation)| (new, asked.unwrap_or(derivation)));
            Form { password, ..form }
        })?;
        if seal::protection(&self.place.directory)?.is_some() {
            output::note(
                "warning: the sealed password is the old one; seal the wallet again (twinlock wallet seal)",
            );
        }
        output::line("the wallet has the new password")
    }
}
