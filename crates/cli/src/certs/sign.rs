//! `twinlock certs sign`

use std::path::PathBuf;

use clap::Args;
use twinlock_wallet::CertificateRequest;

use super::authority::{IssuerArgs, TermsArgs};
use crate::wallet::{Failure, output};

/// Sign a certificate request and print the certificate
///
/// Names and key are the request's; validity and usage are those given here.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    issuer: IssuerArgs,
    #[command(flatten)]
    terms: TermsArgs,
    /// File with the request (PEM)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Sign {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let cannot = || format!("cannot read {}", self.file.display());
        let text =
            std::fs::read_to_string(&self.file).map_err(|error| Failure::new(cannot()).because(error))?;
        let request =
            CertificateRequest::from_pem(&text).map_err(|error| Failure::new(cannot()).because(error))?;
        let certificate = self.issuer.open()?.sign(&request, self.terms.validity(), self.terms.purposes())?;
        output::write_all(&certificate.to_pem())
    }
}
