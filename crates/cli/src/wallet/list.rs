//! `twinlock wallet list`

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::output::{self, Format};
use super::place::Place;

/// List the names of the wallet's secrets
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl List {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let wallet = self.place.open()?;
        let mut names: Vec<&str> = wallet.secrets().map(twinlock_wallet::Secret::name).collect();
        names.sort_unstable();
        match self.output {
            Format::Json => output::json(&json!(names)),
            Format::Text => names.into_iter().try_for_each(output::line),
        }
    }
}
