//! `twinlock wallet set-secret`

use clap::Args;

use super::failure::Failure;
use super::output;
use super::password::ValueArgs;
use super::place::Place;

/// Store a secret under a name, replacing one that is there
#[derive(Args, Debug)]
pub(crate) struct SetSecret {
    #[command(flatten)]
    place: Place,
    /// Name of the secret
    name: String,
    #[command(flatten)]
    value: ValueArgs,
}

impl SetSecret {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let value = self.value.obtain("Value: ")?;
        let replaced = self.place.edit(|wallet| Ok(wallet.set_secret(&self.name, &value)))?;
        output::line(format!("{} {}", self.name, if replaced { "replaced" } else { "stored" }))
    }
}
