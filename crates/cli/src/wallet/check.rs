//! `twinlock wallet check`

use clap::{Args, ValueEnum};
use serde_json::json;
use time::OffsetDateTime;
use twinlock_wallet::check::{self, Finding, Purpose, Severity};

use super::failure::Failure;
use super::output::{self, Format};
use super::place::Place;
use super::show::date;

/// Say what would keep the wallet from working, before anything depends on it
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,
    /// Name under which peers will verify the wallet's certificate
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,
    /// What the wallet is to be used for
    #[arg(long, value_enum, default_value_t)]
    purpose: PurposeArg,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum PurposeArg {
    /// Member of a pair: server and client of its peer
    #[default]
    Replication,
    /// Server for database clients
    Server,
    /// Client of a database
    Client,
    /// Metrics endpoint that demands client certificates
    Exporter,
}

impl From<PurposeArg> for Purpose {
    fn from(purpose: PurposeArg) -> Self {
        match purpose {
            PurposeArg::Replication => Self::Replication,
            PurposeArg::Server => Self::Server,
            PurposeArg::Client => Self::Client,
            PurposeArg::Exporter => Self::Exporter,
        }
    }
}

impl Check {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (wallet, purpose) = (self.place.open()?, Purpose::from(self.purpose));
        let now = OffsetDateTime::now_utc();
        let findings = check::wallet(&wallet, purpose, self.peer.as_deref(), now);
        let ends = wallet.credential().ok().map(|credential| now + check::time_left(&credential, now));
        match self.output {
            Format::Json => output::json(&json!({
                "purpose": purpose.to_string(),
                "notAfter": ends.map(date),
                "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
            }))?,
            Format::Text => {
                findings.iter().try_for_each(|finding| output::line(finding.to_string()))?;
                if let Some(ends) = ends {
                    output::line(format!("{} days left, until {}", (ends - now).whole_days(), date(ends)))?;
                }
            }
        }
        match findings.iter().filter(|finding| finding.severity == Severity::Error).count() {
            0 if self.output == Format::Text => output::line(format!("ready for {purpose}")),
            0 => Ok(()),
            count => Err(Failure::found(format!("not ready for {purpose}: {count} to mend"))),
        }
    }
}

fn as_json(finding: &Finding) -> serde_json::Value {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({ "severity": severity, "problem": format!("{:?}", finding.problem), "message": finding.message })
}
