//! `twinlock wallet get-secret`

use clap::Args;

use super::failure::Failure;
use super::output;
use super::place::Place;

/// Print the value of a secret
#[derive(Args, Debug)]
pub(crate) struct GetSecret {
    #[command(flatten)]
    place: Place,
    /// Name of the secret
    name: String,
}

impl GetSecret {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let wallet = self.place.open()?;
        let value = wallet.secret(&self.name).ok_or_else(|| no_such_secret(&self.name))?;
        output::line(value)
    }
}

pub(super) fn no_such_secret(name: &str) -> Failure {
    Failure::new(format!("the wallet has no secret named {name:?}"))
        .hint("nothing was changed; `twinlock wallet list DIR` shows the names")
}
