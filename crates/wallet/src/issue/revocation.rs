//! Certificate revocation lists.

use std::fmt;

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use time::OffsetDateTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::{Authority, in_seconds, issuing};
use crate::certificate::Certificate;
use crate::error::WalletError;
use crate::pem;

/// Why a certificate was revoked (RFC 5280, 5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationReason {
    /// Not said.
    #[default]
    Unspecified,
    /// The private key is, or may be, known to others.
    KeyCompromise,
    /// A newer certificate has taken its place.
    Superseded,
    /// The holder is no longer in service.
    CessationOfOperation,
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// The serial number, big-endian.
    pub serial: Vec<u8>,
    /// When it was revoked.
    pub revoked_at: OffsetDateTime,
    /// Why. Reasons that this library does not write are read as unspecified.
    pub reason: RevocationReason,
}

/// A signed list of certificates that are no longer to be trusted.
#[derive(Clone)]
pub struct RevocationList {
    der: Vec<u8>,
    number: u64,
    next_update: Option<OffsetDateTime>,
    revoked: Vec<RevokedCertificate>,
}

impl RevocationList {
    /// Reads a list. Its signature is not verified.
    ///
    /// # Errors
    /// When `der` is not one X.509 revocation list.
    pub fn from_der(der: &[u8]) -> Result<Self, WalletError> {
        let malformed = || WalletError::Malformed { what: "revocation list" };
        let (rest, parsed) = CertificateRevocationList::from_der(der).map_err(|_| malformed())?;
        if !rest.is_empty() {
            return Err(malformed());
        }
        let number = parsed.crl_number().map_or(Some(0), |number| u64::try_from(number).ok());
        let revoked = parsed.iter_revoked_certificates().map(|entry| RevokedCertificate {
            serial: entry.raw_serial().to_vec(),
            revoked_at: entry.revocation_date.to_datetime(),
            reason: entry.reason_code().map_or(RevocationReason::Unspecified, |(_, code)| from_code(code.0)),
        });
        Ok(Self {
            der: der.to_vec(),
            number: number.ok_or_else(malformed)?,
            next_update: parsed.next_update().map(|time| time.to_datetime()),
            revoked: revoked.collect(),
        })
    }

    /// Reads a list from PEM text that holds nothing else.
    ///
    /// # Errors
    /// When `text` is not one list.
    pub fn from_pem(text: &str) -> Result<Self, WalletError> {
        Self::from_der(&pem::read_one(text, pem::REVOCATION_LIST)?)
    }

    /// The list's bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The list as PEM text, as PostgreSQL's `ssl_crl_file` takes it.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::REVOCATION_LIST, &self.der).to_string()
    }

    /// The list's number; each new list of an authority has a higher one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When the list goes stale: verifiers refuse **every** certificate of the authority after that.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.next_update
    }

    /// The revoked certificates.
    pub fn revoked(&self) -> &[RevokedCertificate] {
        &self.revoked
    }

    /// Whether `certificate` is on the list.
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        self.revoked.iter().any(|entry| entry.serial == certificate.serial())
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("number", &self.number)
            .field("revoked", &self.revoked.len())
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Signs a list that revokes `certificate` besides what `previous` revoked.
    ///
    /// # Errors
    /// When this authority did not issue the certificate, or the library fails.
    pub fn revoke(
        &self,
        previous: Option<&RevocationList>,
        certificate: &Certificate,
        reason: RevocationReason,
        now: OffsetDateTime,
        next_update: OffsetDateTime,
    ) -> Result<RevocationList, WalletError> {
        if !certificate.is_issued_by(self.certificate()) {
            let reason = format!("{} did not issue {}", self.certificate().subject(), certificate.subject());
            return Err(WalletError::Invalid { what: "certificate to revoke", reason });
        }
        let mut revoked = previous.map(|list| list.revoked.clone()).unwrap_or_default();
        if !previous.is_some_and(|list| list.revokes(certificate)) {
            let serial = certificate.serial().to_vec();
            revoked.push(RevokedCertificate { serial, revoked_at: now, reason });
        }
        self.sign_list(previous.map_or(0, RevocationList::number), &revoked, now, next_update)
    }

    /// Signs the same list again for a later time, or an empty first one.
    ///
    /// # Errors
    /// When the library fails.
    pub fn refresh_list(
        &self,
        previous: Option<&RevocationList>,
        now: OffsetDateTime,
        next_update: OffsetDateTime,
    ) -> Result<RevocationList, WalletError> {
        let revoked = previous.map(|list| list.revoked.clone()).unwrap_or_default();
        self.sign_list(previous.map_or(0, RevocationList::number), &revoked, now, next_update)
    }

    fn sign_list(
        &self,
        last_number: u64,
        revoked: &[RevokedCertificate],
        now: OffsetDateTime,
        next_update: OffsetDateTime,
    ) -> Result<RevocationList, WalletError> {
        let params = CertificateRevocationListParams {
            this_update: in_seconds(now),
            next_update: in_seconds(next_update),
            crl_number: SerialNumber::from(last_number.saturating_add(1)),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(params_of).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(self.issuer()).map_err(issuing("sign the revocation list"))?;
        RevocationList::from_der(list.der())
    }
}

fn params_of(entry: &RevokedCertificate) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from_slice(&entry.serial),
        revocation_time: in_seconds(entry.revoked_at),
        reason_code: match entry.reason {
            RevocationReason::Unspecified => None,
            RevocationReason::KeyCompromise => Some(rcgen::RevocationReason::KeyCompromise),
            RevocationReason::Superseded => Some(rcgen::RevocationReason::Superseded),
            RevocationReason::CessationOfOperation => Some(rcgen::RevocationReason::CessationOfOperation),
        },
        invalidity_date: None,
    }
}

fn from_code(code: u8) -> RevocationReason {
    match code {
        1 => RevocationReason::KeyCompromise,
        4 => RevocationReason::Superseded,
        5 => RevocationReason::CessationOfOperation,
        _ => RevocationReason::Unspecified,
    }
}
