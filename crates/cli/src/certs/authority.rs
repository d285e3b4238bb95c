//! What the verbs share: who issues, and what is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use twinlock_wallet::PrivateKey;
use twinlock_wallet::issue::{Authority, KeyKind, Purposes, Template, Validity};

use crate::wallet::Failure;
use crate::wallet::password::PasswordArgs;
use crate::wallet::place::Place;

/// The wallet with the issuer's private key.
#[derive(Args, Debug)]
pub(crate) struct IssuerArgs {
    /// Wallet with the certificate and private key that issue
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    /// Read the password of that wallet from this file (its first line)
    #[arg(long, value_name = "FILE")]
    root_password_file: Option<PathBuf>,
}

impl IssuerArgs {
    pub(crate) fn open(&self) -> Result<Authority, Failure> {
        let password = PasswordArgs::from_file(self.root_password_file.clone());
        let credential = Place::new(self.root.clone(), password).open()?.credential()?;
        Ok(Authority::new(credential.leaf().clone(), &credential.key)?)
    }
}

/// How long a certificate is valid and what for.
#[derive(Args, Debug)]
pub(crate) struct TermsArgs {
    /// Days for which the certificate is valid
    #[arg(long, value_name = "N", default_value_t = 365)]
    valid_days: u32,
    /// What the certificate may be used for
    #[arg(long, value_enum, default_value_t)]
    usage: Usage,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Usage {
    /// TLS server and client, as a member of a pair is
    #[default]
    Both,
    /// TLS server only
    Server,
    /// TLS client only
    Client,
}

impl TermsArgs {
    pub(crate) fn validity(&self) -> Validity {
        Validity::days(OffsetDateTime::now_utc(), self.valid_days)
    }

    pub(crate) fn purposes(&self) -> Purposes {
        match self.usage {
            Usage::Both => Purposes::BOTH,
            Usage::Server => Purposes::SERVER,
            Usage::Client => Purposes::CLIENT,
        }
    }
}

/// Who a certificate is for.
#[derive(Args, Debug)]
pub(crate) struct SubjectArgs {
    /// Common name
    #[arg(long, value_name = "CN")]
    name: String,
    /// DNS name or IP address; can be given several times [default: the common name]
    #[arg(long, value_name = "NAME")]
    san: Vec<String>,
    /// Kind of the new private key
    #[arg(long, value_enum, default_value_t)]
    key_type: KeyType,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum KeyType {
    /// ECDSA on NIST P-256
    #[default]
    P256,
    /// ECDSA on NIST P-384
    P384,
    /// RSA, 2048 bits
    Rsa2048,
    /// RSA, 3072 bits
    Rsa3072,
    /// RSA, 4096 bits
    Rsa4096,
    /// Ed25519, which Oracle's tools cannot use
    Ed25519,
}

impl SubjectArgs {
    pub(crate) fn template(&self, terms: &TermsArgs) -> Template {
        let names = if self.san.is_empty() { std::slice::from_ref(&self.name) } else { &self.san[..] };
        let template = Template::new(&self.name, terms.validity()).purposes(terms.purposes());
        names.iter().cloned().fold(template, Template::alternative_name)
    }

    pub(crate) fn new_key(&self) -> Result<PrivateKey, Failure> {
        let kind = match self.key_type {
            KeyType::P256 => KeyKind::EcP256,
            KeyType::P384 => KeyKind::EcP384,
            KeyType::Rsa2048 => KeyKind::Rsa2048,
            KeyType::Rsa3072 => KeyKind::Rsa3072,
            KeyType::Rsa4096 => KeyKind::Rsa4096,
            KeyType::Ed25519 => KeyKind::Ed25519,
        };
        Ok(PrivateKey::generate(kind)?)
    }
}
