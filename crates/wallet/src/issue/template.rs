//! What a certificate is to say.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use super::{in_seconds, issuing, serial_number};
use crate::certificate::Certificate;
use crate::error::WalletError;

/// The time during which a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: OffsetDateTime,
    /// The last moment.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// `days` from `now`, starting an hour earlier so that a host whose clock is behind accepts it at once.
    pub fn days(now: OffsetDateTime, days: u32) -> Self {
        Self {
            not_before: now.saturating_sub(Duration::HOUR),
            not_after: now.saturating_add(Duration::days(i64::from(days))),
        }
    }
}

/// What a certificate may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purposes {
    /// TLS server.
    pub server: bool,
    /// TLS client.
    pub client: bool,
    /// Issuing other certificates.
    pub authority: bool,
}

impl Purposes {
    /// TLS server only.
    pub const SERVER: Self = Self { server: true, client: false, authority: false };
    /// TLS client only.
    pub const CLIENT: Self = Self { server: false, client: true, authority: false };
    /// TLS server and client, as a member of a pair is both.
    pub const BOTH: Self = Self { server: true, client: true, authority: false };
    /// Issuing other certificates and nothing else.
    pub const AUTHORITY: Self = Self { server: false, client: false, authority: true };
}

/// What a certificate or request is to say.
#[derive(Clone, Debug)]
pub struct Template {
    common_name: String,
    organization: Option<String>,
    alternative_names: Vec<String>,
    validity: Validity,
    purposes: Purposes,
}

impl Template {
    /// A certificate for `common_name`, for TLS servers and clients.
    pub fn new(common_name: impl Into<String>, validity: Validity) -> Self {
        Self {
            common_name: common_name.into(),
            organization: None,
            alternative_names: Vec::new(),
            validity,
            purposes: Purposes::BOTH,
        }
    }

    /// Sets the organization of the subject.
    #[must_use]
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }

    /// Adds an alternative name: a DNS name or an IP address. Adding one twice is as adding it once.
    #[must_use]
    pub fn alternative_name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.alternative_names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            self.alternative_names.push(name);
        }
        self
    }

    /// Sets the purposes.
    #[must_use]
    pub fn purposes(mut self, purposes: Purposes) -> Self {
        self.purposes = purposes;
        self
    }

    /// The parameters of a request, which has no place for what its signer decides.
    pub(super) fn request_params(&self) -> Result<CertificateParams, WalletError> {
        let mut params = self.params()?;
        params.serial_number = None;
        params.use_authority_key_identifier_extension = false;
        params.is_ca = IsCa::NoCa;
        Ok(params)
    }

    pub(super) fn params(&self) -> Result<CertificateParams, WalletError> {
        if self.common_name.trim().is_empty() || self.common_name.chars().count() > 64 {
            let reason = "it must have 1 to 64 characters".to_owned();
            return Err(WalletError::Invalid { what: "common name", reason });
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, self.common_name.as_str());
        if let Some(organization) = &self.organization {
            params.distinguished_name.push(DnType::OrganizationName, organization.as_str());
        }
        params.subject_alt_names =
            self.alternative_names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
        apply(&mut params, self.validity, self.purposes)?;
        Ok(params)
    }
}

/// Sets validity, purposes and a new serial number.
pub(super) fn apply(
    params: &mut CertificateParams,
    validity: Validity,
    purposes: Purposes,
) -> Result<(), WalletError> {
    if validity.not_before >= validity.not_after {
        let reason = "it would end before it begins".to_owned();
        return Err(WalletError::Invalid { what: "validity", reason });
    }
    params.not_before = in_seconds(validity.not_before);
    params.not_after = in_seconds(validity.not_after);
    params.serial_number = Some(serial_number()?);
    params.use_authority_key_identifier_extension = true;
    params.is_ca = match purposes.authority {
        true => IsCa::Ca(BasicConstraints::Unconstrained),
        false => IsCa::ExplicitNoCa,
    };
    params.key_usages = match purposes.authority {
        true => vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
        false => vec![KeyUsagePurpose::DigitalSignature],
    };
    params.extended_key_usages = extended(purposes);
    Ok(())
}

/// The parameters of a certificate that says what `old` says, for another time.
pub(super) fn params_like(old: &Certificate, validity: Validity) -> Result<CertificateParams, WalletError> {
    // The library reads a certificate's subject only as that of an issuer, which is all that is needed.
    let mut params = subject_of(old)?;
    let addresses: Vec<String> = old.ip_addresses().iter().map(IpAddr::to_string).collect();
    let names = old.dns_names().into_iter().chain(addresses);
    params.subject_alt_names = names.map(|name| alternative_name(&name)).collect::<Result<_, _>>()?;
    let purposes = Purposes {
        server: old.allows_server_auth(),
        client: old.allows_client_auth(),
        authority: old.is_ca(),
    };
    apply(&mut params, validity, purposes)?;
    Ok(params)
}

fn subject_of(certificate: &Certificate) -> Result<CertificateParams, WalletError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der())
        .map_err(|_| WalletError::Malformed { what: "certificate" })?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for pair in parsed.subject().iter_attributes() {
        let oid: Vec<u64> = pair.attr_type().iter().map(Iterator::collect).unwrap_or_default();
        let kind = DnType::from_oid(&oid);
        let text = crate::names::text(pair.attr_value());
        match text {
            Some(text) if params.distinguished_name.get(&kind).is_none() => {
                params.distinguished_name.push(kind, text);
            }
            _ => {
                return Err(WalletError::Unsupported {
                    what: "form of subject",
                    name: certificate.subject(),
                });
            }
        }
    }
    Ok(params)
}

fn extended(purposes: Purposes) -> Vec<ExtendedKeyUsagePurpose> {
    let server = purposes.server.then_some(ExtendedKeyUsagePurpose::ServerAuth);
    let client = purposes.client.then_some(ExtendedKeyUsagePurpose::ClientAuth);
    server.into_iter().chain(client).collect()
}

fn alternative_name(name: &str) -> Result<SanType, WalletError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    if !crate::names::is_host_name(name.strip_prefix("*.").unwrap_or(name)) {
        let reason = format!("{name:?} is neither a DNS name nor an IP address");
        return Err(WalletError::Invalid { what: "alternative name", reason });
    }
    name.try_into().map(SanType::DnsName).map_err(issuing("write the alternative name"))
}
