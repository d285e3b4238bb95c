//! `twinlock wallet show`

use clap::Args;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use twinlock_wallet::{Certificate, Entry, Standing, Wallet, auto_login_kind, seal, standing};

use super::failure::Failure;
use super::output::{self, Format};
use super::place::Place;

/// Show what a wallet holds and how it is protected; secrets only if asked
#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    place: Place,
    /// Also print the secret values
    #[arg(long)]
    reveal: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl Show {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let wallet = self.place.open()?;
        let protection = self.protection(&wallet)?;
        match self.output {
            Format::Json => output::json(&json!({
                "protection": protection,
                "entries": wallet.entries().map(|entry| as_json(entry, self.reveal)).collect::<Vec<_>>(),
            })),
            Format::Text => {
                protection.iter().try_for_each(output::line)?;
                wallet.entries().try_for_each(|entry| output::write_all(&as_text(entry, self.reveal)))
            }
        }
    }

    fn protection(&self, wallet: &Wallet) -> Result<Vec<String>, Failure> {
        let directory = match self.place.directory.is_file() {
            true => self.place.directory.parent().unwrap_or(&self.place.directory),
            false => &self.place.directory,
        };
        let mut lines = Vec::new();
        if self.place.has_password_file() {
            let derivation = wallet.derivation().filter(|_| wallet.auto_login_kind().is_none());
            let cost = derivation.map(|derivation| {
                format!(
                    ", {} iterations (authentication code: {})",
                    derivation.iterations, derivation.code_iterations
                )
            });
            lines.push(format!("ewallet.p12: opens with its password{}", cost.unwrap_or_default()));
        }
        if let Some(kind) = auto_login_kind(directory)? {
            lines.push(format!(
                "cwallet.sso: {kind}: obfuscation, not protection: whoever can read it can open it"
            ));
        }
        if let Some(protection) = seal::protection(directory)? {
            lines.push(format!("sealed: {protection}"));
        }
        lines.extend(told(standing(directory)?).map(str::to_owned));
        Ok(lines)
    }
}

fn told(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::AutoLoginBehind { update_waiting: true } => Some(
            "warning: cwallet.sso is behind ewallet.p12: a write was interrupted; the next one finishes it",
        ),
        Standing::AutoLoginBehind { update_waiting: false } => Some(
            "warning: cwallet.sso was not written together with ewallet.p12 and may be behind; make it again with: \
             twinlock wallet auto-login DIR",
        ),
        Standing::Absent | Standing::PasswordOnly | Standing::AutoLoginOnly | Standing::InStep => None,
    }
}

pub(super) fn date(moment: time::OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

fn as_text(entry: Entry<'_>, reveal: bool) -> String {
    match entry {
        Entry::PrivateKey(key) if reveal => format!("private key\n{}", *key.to_pem()),
        Entry::PrivateKey(_) => "private key\n".into(),
        Entry::Certificate(certificate) => format!("certificate          {}\n", described(certificate)),
        Entry::Trusted(certificate) => format!("trusted certificate  {}\n", described(certificate)),
        Entry::Request(request) => format!("certificate request  {}\n", request.subject()),
        Entry::Secret(secret) if reveal => {
            format!("secret               {} = {}\n", secret.name(), secret.value())
        }
        Entry::Secret(secret) => format!("secret               {}\n", secret.name()),
        _ => "unknown entry, kept as it is\n".into(),
    }
}

fn described(certificate: &Certificate) -> String {
    let names: Vec<String> = certificate
        .dns_names()
        .into_iter()
        .chain(certificate.ip_addresses().iter().map(ToString::to_string))
        .collect();
    let names = if names.is_empty() { String::new() } else { format!(", names {}", names.join(" ")) };
    format!(
        "{} (issued by {}, serial {}, {}, until {}{names})",
        certificate.subject(),
        certificate.issuer(),
        certificate.serial_hex(),
        certificate.key_algorithm(),
        date(certificate.not_after()),
    )
}

fn as_json(entry: Entry<'_>, reveal: bool) -> Value {
    match entry {
        Entry::PrivateKey(key) if reveal => json!({ "kind": "private-key", "pem": key.to_pem().as_str() }),
        Entry::PrivateKey(_) => json!({ "kind": "private-key" }),
        Entry::Certificate(certificate) => certificate_json("certificate", certificate),
        Entry::Trusted(certificate) => certificate_json("trusted-certificate", certificate),
        Entry::Request(request) => json!({ "kind": "certificate-request", "subject": request.subject() }),
        Entry::Secret(secret) if reveal => {
            json!({ "kind": "secret", "name": secret.name(), "value": secret.value() })
        }
        Entry::Secret(secret) => json!({ "kind": "secret", "name": secret.name() }),
        _ => json!({ "kind": "unknown" }),
    }
}

fn certificate_json(kind: &str, certificate: &Certificate) -> Value {
    json!({
        "kind": kind,
        "subject": certificate.subject(),
        "issuer": certificate.issuer(),
        "serial": certificate.serial_hex(),
        "notBefore": date(certificate.not_before()),
        "notAfter": date(certificate.not_after()),
        "dnsNames": certificate.dns_names(),
        "ipAddresses": certificate.ip_addresses().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "keyAlgorithm": certificate.key_algorithm().to_string(),
        "serverAuth": certificate.allows_server_auth(),
        "clientAuth": certificate.allows_client_auth(),
        "authority": certificate.is_ca(),
    })
}
