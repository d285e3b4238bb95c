//! `twinlock certs issue`, `renew` and `self-sign`: a certificate with its key, into a wallet.

use clap::Args;
use twinlock_wallet::issue::{self, Authority};
use twinlock_wallet::{Certificate, PrivateKey, Wallet};

use super::authority::{IssuerArgs, SubjectArgs, TermsArgs};
use crate::wallet::place::Place;
use crate::wallet::{Failure, output};

/// Issue a certificate with a new private key into a wallet that exists
#[derive(Args, Debug)]
pub(crate) struct Issue {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    issuer: IssuerArgs,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    terms: TermsArgs,
}

impl Issue {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (authority, key) = (self.issuer.open()?, self.subject.new_key()?);
        let certificate = authority.issue(&self.subject.template(&self.terms), &key)?;
        self.place.edit(|wallet| add(wallet, key, &certificate, authority.certificate()))?;
        output::line(format!("{} issued by {}", certificate.subject(), certificate.issuer()))
    }
}

/// Issue the wallet's certificate again, with the same names and usages, before it expires
#[derive(Args, Debug)]
pub(crate) struct Renew {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    issuer: IssuerArgs,
    /// Days for which the new certificate is valid
    #[arg(long, value_name = "N", default_value_t = 365)]
    valid_days: u32,
    /// Keep the private key instead of making a new one
    #[arg(long)]
    same_key: bool,
}

impl Renew {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let authority = self.issuer.open()?;
        let new = self.place.edit(|wallet| {
            let old = wallet.credential()?;
            let key = match self.same_key {
                true => old.key.clone(),
                false => new_key_like(old.leaf())?,
            };
            let validity = issue::Validity::days(time::OffsetDateTime::now_utc(), self.valid_days);
            let new = authority.renew(old.leaf(), &key, validity)?;
            wallet.remove_identity(old.leaf());
            add(wallet, key, &new, authority.certificate())?;
            Ok(new)
        })?;
        output::line(format!("{} renewed until {}", new.subject(), new.not_after()))
    }
}

/// Make a certificate that vouches for itself, with a new private key, into a wallet that exists
#[derive(Args, Debug)]
pub(crate) struct SelfSign {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    terms: TermsArgs,
    /// Make an authority that issues other certificates
    #[arg(long)]
    authority: bool,
}

impl SelfSign {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let key = self.subject.new_key()?;
        let template = self.subject.template(&self.terms);
        let template = match self.authority {
            true => template.purposes(issue::Purposes::AUTHORITY),
            false => template,
        };
        let certificate = issue::self_sign(&template, &key)?;
        if self.authority {
            // What cannot issue is found now rather than when the first certificate is wanted.
            Authority::new(certificate.clone(), &key)?;
        }
        self.place.edit(|wallet| add(wallet, key, &certificate, &certificate))?;
        output::line(format!("{} made", certificate.subject()))
    }
}

fn new_key_like(certificate: &Certificate) -> Result<PrivateKey, Failure> {
    let kind = issue::key_kind_of(certificate).ok_or_else(|| {
        Failure::new(format!("keys of the kind {} cannot be made here", certificate.key_algorithm()))
            .hint("nothing was changed; keep the key with --same-key")
    })?;
    Ok(PrivateKey::generate(kind)?)
}

fn add(
    wallet: &mut Wallet,
    key: PrivateKey,
    certificate: &Certificate,
    root: &Certificate,
) -> Result<(), Failure> {
    wallet.add_identity(key, certificate.clone())?;
    wallet.add_trusted(root.clone());
    Ok(())
}
