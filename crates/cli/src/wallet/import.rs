//! `twinlock wallet import`

use std::path::{Path, PathBuf};

use clap::Args;
use twinlock_wallet::{Entry, OpenOptions, Unlock, Wallet, WalletError};

use super::failure::Failure;
use super::output;
use super::password::PasswordArgs;
use super::place::{self, Place};

/// Take over what a wallet, PKCS#12 or PEM file holds
#[derive(Args, Debug)]
pub(crate) struct Import {
    #[command(flatten)]
    place: Place,
    /// File to import from: .p12 or .pfx of any tool, cwallet.sso, or PEM
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read the password of that file from this file (its first line)
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// Replace secrets of the same name
    #[arg(long)]
    replace: bool,
    /// Take a PKCS#12 file that has no authentication code, which anybody could have made or altered
    #[arg(long)]
    unauthenticated: bool,
}

impl Import {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let source = self.read_source()?;
        let (wallet_entries, skipped) = self.place.edit(|wallet| {
            self.refuse_to_replace(wallet, &source)?;
            take_over(wallet, &source)
        })?;
        output::line(format!("{wallet_entries} entries imported"))?;
        if skipped > 0 {
            output::note(format!("warning: {skipped} entries were not understood and left out"));
        }
        Ok(())
    }

    fn read_source(&self) -> Result<Wallet, Failure> {
        let start = first_bytes(&self.file)?;
        let options = OpenOptions { allow_unauthenticated: self.unauthenticated, ..place::options() };
        if start.starts_with(b"\xA1\xF8\x4E") {
            return Ok(Wallet::open(&self.file, &Unlock::AutoLogin, &options)?);
        }
        if start.first() == Some(&0x30) {
            let password = PasswordArgs::from_file(self.from_password_file.clone()).obtain()?;
            return Ok(Wallet::open(&self.file, &Unlock::Password(password), &options)?);
        }
        let found = super::pem::read(&self.file)?;
        let mut wallet = Wallet::new();
        let mut keys = found.keys;
        for certificate in found.certificates {
            match keys.iter().position(|key| key.matches(&certificate)) {
                Some(at) => wallet.add_identity(keys.remove(at), certificate)?,
                None => drop(wallet.add_trusted(certificate)),
            }
        }
        match keys.is_empty() {
            true => Ok(wallet),
            false => Err(Failure::new(format!(
                "{} has a private key without its certificate",
                self.file.display()
            ))
            .hint("nothing was changed")),
        }
    }

    fn refuse_to_replace(&self, wallet: &Wallet, source: &Wallet) -> Result<(), Failure> {
        let taken = source
            .secrets()
            .find(|secret| wallet.secret(secret.name()).is_some_and(|value| value != secret.value()))
            .filter(|_| !self.replace);
        match taken {
            Some(secret) => {
                Err(Failure::new(format!("the wallet has another secret named {:?}", secret.name()))
                    .hint("nothing was changed; replace it with --replace"))
            }
            None => Ok(()),
        }
    }
}

/// Adds the source's entries; returns how many were taken and how many were not understood.
fn take_over(wallet: &mut Wallet, source: &Wallet) -> Result<(usize, usize), Failure> {
    let (mut taken, mut skipped) = (0, 0);
    for entry in source.entries() {
        match entry {
            Entry::Trusted(certificate) => drop(wallet.add_trusted(certificate.clone())),
            Entry::Secret(secret) => drop(wallet.set_secret(secret.name(), secret.value())),
            Entry::Certificate(certificate) => {
                let key = source.private_keys().find(|key| key.matches(certificate));
                let key = key.ok_or(WalletError::NoPrivateKey)?;
                wallet.add_identity(key.clone(), certificate.clone())?;
            }
            Entry::Request(request) => {
                let key = source.private_keys().find(|key| request.is_for(key));
                let key = key.ok_or(WalletError::NoPrivateKey)?;
                wallet.add_request(key.clone(), request.clone())?;
            }
            // Taken together with its certificate or request.
            Entry::PrivateKey(_) => {}
            _ => {
                skipped += 1;
                continue;
            }
        }
        taken += 1;
    }
    Ok((taken, skipped))
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(4).read_to_end(&mut bytes));
    read.map_err(|error| Failure::new(format!("cannot read {}", path.display())).because(error))?;
    Ok(bytes)
}
