//! `twinlock wallet delete-secret`

use clap::Args;

use super::failure::Failure;
use super::get_secret::no_such_secret;
use super::output;
use super::place::Place;

/// Delete a secret
#[derive(Args, Debug)]
pub(crate) struct DeleteSecret {
    #[command(flatten)]
    place: Place,
    /// Name of the secret
    name: String,
}

impl DeleteSecret {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        self.place.edit(|wallet| match wallet.delete_secret(&self.name) {
            true => Ok(()),
            false => Err(no_such_secret(&self.name)),
        })?;
        output::line(format!("{} deleted", self.name))
    }
}
