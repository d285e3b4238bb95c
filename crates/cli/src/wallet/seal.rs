//! `twinlock wallet seal`

use clap::Args;
use twinlock_wallet::Unlock;
use twinlock_wallet::seal::{self, Sealer};

use super::failure::Failure;
use super::output;
use super::place::Place;

/// Let the wallet open by itself on this machine only
#[derive(Args, Debug)]
pub(crate) struct Seal {
    #[command(flatten)]
    place: Place,
    /// Use systemd's host key instead of a TPM: no protection against theft of the disk
    #[arg(long)]
    systemd: bool,
}

impl Seal {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let Unlock::Password(password) = self.place.unlock_for_writing()? else {
            return Err(
                Failure::new("a wallet without a password cannot be sealed").hint("nothing was changed")
            );
        };
        let sealer = match self.systemd {
            true => Sealer::SystemdHost,
            false => Sealer::Tpm { tcti: self.place.tcti().map(str::to_owned) },
        };
        let protection = seal::seal(&self.place.directory, &password, &sealer)?;
        output::line(format!("sealed: {protection}"))
    }
}
