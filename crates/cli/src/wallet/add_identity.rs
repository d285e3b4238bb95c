//! `twinlock wallet add-identity`

use std::path::PathBuf;

use clap::Args;
use twinlock_wallet::{Certificate, Wallet};

use super::failure::Failure;
use super::output;
use super::pem;
use super::place::Place;

/// Add a certificate with its private key, and the certificates that vouch for it
#[derive(Args, Debug)]
pub(crate) struct AddIdentity {
    #[command(flatten)]
    place: Place,
    /// File with the certificate, followed by its intermediates and root if it has them (PEM)
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// File with the private key (PEM, PKCS#8); not needed when the wallet has the key already
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Take older certificates with a private key out of the wallet
    #[arg(long)]
    replace: bool,
}

impl AddIdentity {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut certificates = pem::certificates(&self.cert)?.into_iter();
        let key = self.key.as_deref().map(pem::private_key).transpose()?;
        let leaf = certificates.next().ok_or_else(|| Failure::new("there is no certificate"))?;
        let subject = leaf.subject();
        self.place.edit(|wallet| {
            let old: Vec<Certificate> = wallet.certificates().cloned().collect();
            match key {
                Some(key) => wallet.add_identity(key, leaf.clone())?,
                None => wallet.add_certificate(leaf.clone())?,
            }
            for certificate in certificates {
                wallet.add_trusted(certificate);
            }
            if self.replace {
                take_out(wallet, &old, &leaf);
            }
            Ok(())
        })?;
        output::line(format!("{subject} added"))
    }
}

fn take_out(wallet: &mut Wallet, old: &[Certificate], new: &Certificate) {
    for certificate in old.iter().filter(|certificate| *certificate != new) {
        wallet.remove_identity(certificate);
    }
}
