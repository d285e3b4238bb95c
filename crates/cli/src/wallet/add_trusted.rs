//! `twinlock wallet add-trusted` and `remove-trusted`

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::output;
use super::pem;
use super::place::Place;

/// Trust the certificates in a file, besides those that are trusted already
#[derive(Args, Debug)]
pub(crate) struct AddTrusted {
    #[command(flatten)]
    place: Place,
    /// File with certificates, PEM or DER
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl AddTrusted {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let certificates = pem::certificates(&self.file)?;
        let told = self.place.edit(|wallet| {
            Ok(certificates
                .into_iter()
                .map(|certificate| {
                    let subject = certificate.subject();
                    let news = if wallet.add_trusted(certificate) {
                        "is trusted now"
                    } else {
                        "was trusted already"
                    };
                    format!("{subject} {news}")
                })
                .collect::<Vec<_>>())
        })?;
        told.into_iter().try_for_each(output::line)
    }
}

/// No longer trust a certificate
#[derive(Args, Debug)]
pub(crate) struct RemoveTrusted {
    #[command(flatten)]
    place: Place,
    /// Serial number of the certificate, in hexadecimal as `wallet show` prints it
    #[arg(value_name = "SERIAL")]
    serial: String,
}

impl RemoveTrusted {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let subject = self.place.edit(|wallet| {
            let found =
                wallet.trusted().find(|known| known.serial_hex().eq_ignore_ascii_case(&self.serial)).cloned();
            let certificate = found.ok_or_else(|| {
                Failure::new(format!(
                    "the wallet trusts no certificate with the serial number {}",
                    self.serial
                ))
                .hint("nothing was changed; `twinlock wallet show DIR` shows the serial numbers")
            })?;
            wallet.remove_trusted(&certificate);
            Ok(certificate.subject())
        })?;
        output::line(format!("{subject} is no longer trusted"))
    }
}
