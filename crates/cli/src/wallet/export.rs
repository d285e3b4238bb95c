//! `twinlock wallet export`

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::Args;
use twinlock_wallet::durable;

use super::failure::Failure;
use super::output;
use super::place::Place;

/// Write the wallet's credential as PEM files: cert.pem, ca.pem and, if asked, key.pem
#[derive(Args, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    place: Place,
    /// Directory for the files
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Also write key.pem, the private key without protection (mode 0600)
    #[arg(long)]
    key: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let wallet = self.place.open()?;
        // A wallet that only trusts has no credential, and its roots can still be exported.
        let credential = wallet.credential();
        let trusted: String = wallet.trusted().map(twinlock_wallet::Certificate::to_pem).collect();
        let mut files = Vec::new();
        if !trusted.is_empty() {
            files.push(("ca.pem", trusted.into_bytes().into(), 0o644));
        }
        match credential {
            Ok(credential) => {
                files.push(("cert.pem", credential.chain_pem().into_bytes().into(), 0o644));
                if self.key {
                    let pem = zeroize::Zeroizing::new(credential.key_pem().as_bytes().to_vec());
                    files.push(("key.pem", pem, 0o600));
                }
            }
            Err(error) if self.key || files.is_empty() => return Err(error.into()),
            Err(_) => {}
        }
        self.refuse_existing(files.iter().map(|(name, ..)| *name))?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.to)
            .map_err(|error| cannot_write(&self.to, error))?;
        for (name, contents, mode) in &files {
            let path = self.to.join(name);
            durable::replace_file(&path, contents, *mode).map_err(|error| cannot_write(&path, error))?;
            output::line(path.display().to_string())?;
        }
        Ok(())
    }

    fn refuse_existing<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
        match names.find(|name| !self.force && self.to.join(name).exists()) {
            Some(name) => Err(Failure::new(format!("{} exists already", self.to.join(name).display()))
                .hint("nothing was written; replace it with --force")),
            None => Ok(()),
        }
    }
}

fn cannot_write(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}", path.display())).because(error)
}
