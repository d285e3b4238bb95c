//! `twinlock wallet set-credential`

use clap::Args;
use twinlock_wallet::ConnectCredential;

use super::failure::Failure;
use super::output;
use super::password::ValueArgs;
use super::place::Place;

/// Store user name and password for a connect string, replacing those that are there
#[derive(Args, Debug)]
pub(crate) struct SetCredential {
    #[command(flatten)]
    place: Place,
    /// What the client connects to
    connect_string: String,
    /// User name at the database
    user: String,
    #[command(flatten)]
    value: ValueArgs,
}

impl SetCredential {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let password = self.value.obtain("Password of the database user: ")?;
        let credential = ConnectCredential::new(&self.connect_string, &self.user, password.as_str());
        let replaced = self.place.edit(|wallet| Ok(wallet.set_connect_credential(&credential)))?;
        output::line(format!("{} {}", self.connect_string, if replaced { "replaced" } else { "stored" }))
    }
}
