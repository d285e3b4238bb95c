//! `twinlock certs revoke`

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use time::{Duration, OffsetDateTime};
use twinlock_wallet::durable;
use twinlock_wallet::issue::{RevocationList, RevocationReason};

use super::authority::IssuerArgs;
use crate::wallet::{Failure, output, pem};

/// Put certificates on the issuer's revocation list, for PostgreSQL's ssl_crl_file
///
/// Without a certificate the list is only signed again for a later time.
#[derive(Args, Debug)]
pub(crate) struct Revoke {
    #[command(flatten)]
    issuer: IssuerArgs,
    /// File of the list (PEM); made if it is not there
    #[arg(long, value_name = "FILE")]
    crl: PathBuf,
    /// Why
    #[arg(long, value_enum, default_value_t)]
    reason: Reason,
    /// Days until the list must be signed again; after that every certificate of the issuer is refused
    #[arg(long, value_name = "N", default_value_t = 365)]
    next_update_days: u32,
    /// File with the certificates to revoke (PEM or DER)
    #[arg(value_name = "CERTIFICATE")]
    certificate: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Reason {
    /// Not said
    #[default]
    Unspecified,
    /// The private key is, or may be, known to others
    KeyCompromise,
    /// A newer certificate has taken its place
    Superseded,
    /// The holder is no longer in service
    CessationOfOperation,
}

impl From<Reason> for RevocationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unspecified => Self::Unspecified,
            Reason::KeyCompromise => Self::KeyCompromise,
            Reason::Superseded => Self::Superseded,
            Reason::CessationOfOperation => Self::CessationOfOperation,
        }
    }
}

impl Revoke {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let certificates =
            self.certificate.as_deref().map(pem::certificates).transpose()?.unwrap_or_default();
        let (authority, previous) = (self.issuer.open()?, self.previous()?);
        let now = OffsetDateTime::now_utc();
        let next = now + Duration::days(self.next_update_days.into());
        let list = match certificates.is_empty() {
            true => authority.refresh_list(previous.as_ref(), now, next)?,
            false => return self.revoke(&authority, previous, &certificates, now, next),
        };
        self.write(&list)
    }

    fn revoke(
        &self,
        authority: &twinlock_wallet::issue::Authority,
        mut list: Option<RevocationList>,
        certificates: &[twinlock_wallet::Certificate],
        now: OffsetDateTime,
        next: OffsetDateTime,
    ) -> Result<(), Failure> {
        for certificate in certificates {
            list = Some(authority.revoke(list.as_ref(), certificate, self.reason.into(), now, next)?);
        }
        list.as_ref().map_or(Ok(()), |list| self.write(list))
    }

    fn write(&self, list: &RevocationList) -> Result<(), Failure> {
        durable::replace_file(&self.crl, list.to_pem().as_bytes(), 0o644)
            .map_err(|error| Failure::new(format!("cannot write {}", self.crl.display())).because(error))?;
        output::line(format!(
            "{}: list {} with {} revoked",
            self.crl.display(),
            list.number(),
            list.revoked().len()
        ))
    }

    fn previous(&self) -> Result<Option<RevocationList>, Failure> {
        let cannot = || format!("cannot read {}", self.crl.display());
        match std::fs::read_to_string(&self.crl) {
            Ok(text) => match RevocationList::from_pem(&text) {
                Ok(list) => Ok(Some(list)),
                Err(error) => Err(Failure::new(cannot()).because(error)),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::new(cannot()).because(error)),
        }
    }
}
