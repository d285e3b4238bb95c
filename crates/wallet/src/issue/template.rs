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
    /// All of it in one certificate, as `orapki` makes self-signed ones.
    pub const EVERYTHING: Self = Self { server: true, client: true, authority: true };
    /// Issuing other certificates and nothing else.
    pub const AUTHORITY: Self = Self { server: false, client: false, authority: true };
}

/// What a certificate or request is to say.
#[derive(Clone, Debug)]
pub struct Template {
    /// The subject, most specific part first.
    subject: Vec<(DnType, String)>,
    alternative_names: Vec<String>,
    validity: Validity,
    purposes: Purposes,
}

impl Template {
    /// A certificate for `common_name`, for TLS servers and clients.
    pub fn new(common_name: impl Into<String>, validity: Validity) -> Self {
        Self {
            subject: vec![(DnType::CommonName, common_name.into())],
            alternative_names: Vec::new(),
            validity,
            purposes: Purposes::BOTH,
        }
    }

    /// Sets the organization of the subject.
    #[must_use]
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.subject.push((DnType::OrganizationName, organization.into()));
        self
    }

    /// A certificate for the subject `dn`, written as `CN=db1,OU=Payments,O=Example,C=DE`.
    ///
    /// # Errors
    /// When a part is not of the form `KEY=value`, has a key other than `CN`, `OU`, `O`, `L`, `ST` and `C`,
    /// or occurs twice.
    pub fn from_dn(dn: &str, validity: Validity) -> Result<Self, WalletError> {
        let invalid = |reason: String| WalletError::Invalid { what: "subject", reason };
        let mut template = Self { subject: Vec::new(), ..Self::new("", validity) };
        for part in dn.split(',') {
            let (key, value) =
                part.split_once('=').ok_or_else(|| invalid(format!("{part:?} is not KEY=value")))?;
            let kind = match key.trim().to_ascii_uppercase().as_str() {
                "CN" => DnType::CommonName,
                "OU" => DnType::OrganizationalUnitName,
                "O" => DnType::OrganizationName,
                "L" => DnType::LocalityName,
                "ST" => DnType::StateOrProvinceName,
                "C" => DnType::CountryName,
                other => {
                    return Err(invalid(format!("{other} is not supported; CN, OU, O, L, ST and C are")));
                }
            };
            if template.subject.iter().any(|(known, _)| *known == kind) {
                return Err(invalid(format!("{} occurs twice", key.trim())));
            }
            template.subject.push((kind, value.trim().to_owned()));
        }
        Ok(template)
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
        self.check_subject()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        // X.500 writes the most general part first.
        self.subject
            .iter()
            .rev()
            .for_each(|(kind, value)| params.distinguished_name.push(kind.clone(), value.as_str()));
        params.subject_alt_names =
            self.alternative_names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
        apply(&mut params, self.validity, self.purposes)?;
        Ok(params)
    }

    /// The bounds of RFC 5280, appendix A.1.
    fn check_subject(&self) -> Result<(), WalletError> {
        for (kind, value) in &self.subject {
            let (most, exact) = match kind {
                DnType::CountryName => (2, true),
                DnType::LocalityName | DnType::StateOrProvinceName => (128, false),
                _ => (64, false),
            };
            let characters = value.chars().count();
            if value.trim().is_empty() || characters > most || (exact && characters != most) {
                let reason =
                    format!("{value:?} must have {}{most} characters", if exact { "" } else { "1 to " });
                return Err(WalletError::Invalid { what: "subject", reason });
            }
        }
        Ok(())
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
    params.key_usages = key_usages(purposes);
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

fn key_usages(purposes: Purposes) -> Vec<KeyUsagePurpose> {
    let party = (purposes.server || purposes.client || !purposes.authority)
        .then_some(KeyUsagePurpose::DigitalSignature);
    let authority = [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    party.into_iter().chain(authority.into_iter().filter(|_| purposes.authority)).collect()
}

/// None for authorities: there they would bind every certificate that is issued as well.
fn extended(purposes: Purposes) -> Vec<ExtendedKeyUsagePurpose> {
    if purposes.authority {
        return Vec::new();
    }
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
