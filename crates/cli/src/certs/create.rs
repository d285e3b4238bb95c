//! `twinlock certs create`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use twinlock_wallet::WalletError;
use twinlock_wallet::certs::{self, CreateOptions, Curve, DEFAULT_VALID_DAYS};

use crate::wallet::{Failure, output, place};

/// Make the certificates of a pair: rootWallet, serverWallet and clientWallet
#[derive(Args, Debug)]
pub(crate) struct Create {
    /// Directory under which the three wallets are made
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Name of the server certificate, which verify-full checks [default: this host's name]
    #[arg(long, value_name = "CN")]
    name: Option<String>,
    /// Further DNS name or IP address of the server certificate; can be given several times
    #[arg(long, value_name = "NAME")]
    san: Vec<String>,
    /// Days for which the certificates are valid
    #[arg(long, value_name = "N", default_value_t = DEFAULT_VALID_DAYS)]
    valid_days: u32,
    /// Curve of the keys
    #[arg(long, value_enum, default_value_t)]
    curve: CurveArg,
    /// Replace wallets that are there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum CurveArg {
    /// NIST P-256
    #[default]
    P256,
    /// NIST P-384
    P384,
}

impl From<CurveArg> for Curve {
    fn from(curve: CurveArg) -> Self {
        match curve {
            CurveArg::P256 => Self::P256,
            CurveArg::P384 => Self::P384,
        }
    }
}

impl Create {
    /// What `ttCreateCerts` asks for.
    pub(crate) fn documented(dir: PathBuf, valid_days: u32, curve: CurveArg, force: bool) -> Self {
        Self { dir, name: None, san: Vec::new(), valid_days, curve, force }
    }

    pub(crate) fn run(&self) -> Result<(), Failure> {
        let host = place::host_name();
        let name = self.name.clone().or_else(|| host.clone());
        let name =
            name.ok_or_else(|| Failure::usage("this host has no name").hint("give one with --name"))?;
        let options = CreateOptions {
            host,
            sans: self.san.clone(),
            valid_days: self.valid_days,
            curve: self.curve.into(),
            force: self.force,
            ..CreateOptions::new(name, OffsetDateTime::now_utc())
        };
        let created = certs::create(&self.dir, &options).map_err(explained)?;
        for (file, whose) in created.files.iter().zip(["root", "server", "client"]) {
            output::line(format!("{} ({whose})", file.display()))?;
        }
        output::note(format!(
            "note: {} holds the root's private key: keep it off the servers",
            created.files[0].parent().unwrap_or(Path::new("rootWallet")).display()
        ));
        Ok(())
    }
}

fn explained(error: WalletError) -> Failure {
    match error {
        WalletError::Exists { path } => Failure::new(format!("{} exists already", path.display()))
            .hint("nothing was changed; choose another --dir, or replace all three wallets with --force"),
        other => other.into(),
    }
}
