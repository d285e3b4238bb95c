//! Makes keys and certificates: roots, issued and renewed certificates, requests, revocation lists.
//!
//! ```
//! use time::{Duration, OffsetDateTime};
//! use twinlock_wallet::PrivateKey;
//! use twinlock_wallet::issue::{self, Authority, KeyKind, Purposes, RevocationReason, Template, Validity};
//!
//! let now = OffsetDateTime::now_utc();
//! let validity = Validity::days(now, 365);
//! let (root, _key) = Authority::create_root(&Template::new("Example root", validity), KeyKind::EcP384)?;
//!
//! // Somebody asks for a certificate, and gets it for TLS clients.
//! let key = PrivateKey::generate(KeyKind::EcP256)?;
//! let request = issue::request(&Template::new("client7", validity), &key)?;
//! let certificate = root.sign(&request, validity, Purposes::CLIENT)?;
//! assert!(certificate.allows_client_auth() && !certificate.allows_server_auth());
//!
//! // Later it is renewed, and the old one revoked.
//! let renewed = root.renew(&certificate, &key, Validity::days(now, 730))?;
//! let list = root.revoke(None, &certificate, RevocationReason::Superseded, now, now + Duration::days(90))?;
//! assert!(list.revokes(&certificate) && !list.revokes(&renewed));
//! # Ok::<(), twinlock_wallet::WalletError>(())
//! ```

mod revocation;
mod template;

use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use time::OffsetDateTime;

use crate::certificate::{Certificate, KeyAlgorithm};
use crate::error::WalletError;
use crate::private_key::PrivateKey;
use crate::request::CertificateRequest;
use crate::signer::Signer;

pub use revocation::{RevocationList, RevocationReason, RevokedCertificate};
pub use template::{Purposes, Template, Validity};

/// A kind of key that can be made here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on NIST P-256.
    #[default]
    EcP256,
    /// ECDSA on NIST P-384.
    EcP384,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// Ed25519. Oracle's tools and many others cannot use it.
    Ed25519,
}

impl PrivateKey {
    /// Makes a new private key.
    ///
    /// # Errors
    /// When the library cannot, for want of randomness for example.
    pub fn generate(kind: KeyKind) -> Result<Self, WalletError> {
        use rcgen::RsaKeySize::{_2048, _3072, _4096};
        let key = match kind {
            KeyKind::EcP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyKind::EcP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyKind::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, _2048),
            KeyKind::Rsa3072 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, _3072),
            KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, _4096),
        };
        let key = key.map(Signer::new).map_err(issuing("make a private key"))?;
        Self::from_pkcs8_der(key.pkcs8_der())?.in_first_version()
    }
}

/// A certificate that may issue others, with its private key.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    issuer: rcgen::Issuer<'static, Signer>,
}

impl Authority {
    /// Prepares `certificate` and its `key` for issuing.
    ///
    /// # Errors
    /// When the certificate may not issue others or is not for the key.
    pub fn new(certificate: Certificate, key: &PrivateKey) -> Result<Self, WalletError> {
        let invalid = |reason: String| Err(WalletError::Invalid { what: "issuing certificate", reason });
        if !certificate.is_ca() {
            return invalid(format!("{} is not an authority's certificate", certificate.subject()));
        }
        if !key.matches(&certificate) {
            return invalid(format!("the private key does not belong to {}", certificate.subject()));
        }
        let der = CertificateDer::from(certificate.der());
        let issuer = rcgen::Issuer::from_ca_cert_der(&der, key.signing_key()?);
        let issuer = issuer.map_err(issuing("use the issuing certificate"))?;
        Ok(Self { certificate, issuer })
    }

    /// Makes a root: a new key and its own certificate.
    ///
    /// # Errors
    /// When the template names nothing usable or the library fails.
    pub fn create_root(template: &Template, kind: KeyKind) -> Result<(Self, PrivateKey), WalletError> {
        let key = PrivateKey::generate(kind)?;
        let certificate = self_sign(&template.clone().purposes(Purposes::AUTHORITY), &key)?;
        Ok((Self::new(certificate, &key)?, key))
    }

    /// The issuing certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Issues a certificate for `key`.
    ///
    /// # Errors
    /// When the template names nothing usable or the library fails.
    pub fn issue(&self, template: &Template, key: &PrivateKey) -> Result<Certificate, WalletError> {
        let params = template.params()?;
        let issued = params.signed_by(&key.signing_key()?, &self.issuer);
        self.checked(issued.map_err(issuing("issue the certificate"))?)
    }

    /// Signs a request: its key, subject and names, with the validity and purposes given here. What else
    /// the request asks for (to be an authority, say) is not granted.
    ///
    /// # Errors
    /// When the request's signature is wrong or the library cannot read it.
    pub fn sign(
        &self,
        request: &CertificateRequest,
        validity: Validity,
        purposes: Purposes,
    ) -> Result<Certificate, WalletError> {
        let der = CertificateSigningRequestDer::from(request.der());
        let mut parsed = rcgen::CertificateSigningRequestParams::from_der(&der)
            .map_err(issuing("read the certificate request"))?;
        let asked = parsed.params;
        parsed.params = CertificateParams::default();
        parsed.params.distinguished_name = asked.distinguished_name;
        parsed.params.subject_alt_names = asked.subject_alt_names;
        template::apply(&mut parsed.params, validity, purposes)?;
        self.checked(parsed.signed_by(&self.issuer).map_err(issuing("sign the certificate request"))?)
    }

    /// Issues a certificate with the subject, names and purposes of `old`, for `key`.
    ///
    /// # Errors
    /// When `old` has a subject that cannot be written again, or the library fails.
    pub fn renew(
        &self,
        old: &Certificate,
        key: &PrivateKey,
        validity: Validity,
    ) -> Result<Certificate, WalletError> {
        let params = template::params_like(old, validity)?;
        let issued = params.signed_by(&key.signing_key()?, &self.issuer);
        self.checked(issued.map_err(issuing("renew the certificate"))?)
    }

    pub(crate) fn issuer(&self) -> &rcgen::Issuer<'static, Signer> {
        &self.issuer
    }

    /// The library writes the issuer's name again from what it read; a name it does not write as it stood
    /// would make a certificate that verifies nowhere.
    fn checked(&self, issued: rcgen::Certificate) -> Result<Certificate, WalletError> {
        let certificate = Certificate::from_der(issued.der())?;
        if !certificate.is_issued_by(&self.certificate) {
            return Err(WalletError::Unsupported {
                what: "form of the issuer's name",
                name: self.certificate.subject(),
            });
        }
        Ok(certificate)
    }
}

/// Makes a certificate signed by its own key.
///
/// # Errors
/// When the template names nothing usable or the library fails.
pub fn self_sign(template: &Template, key: &PrivateKey) -> Result<Certificate, WalletError> {
    let issued = template.params()?.self_signed(&key.signing_key()?);
    Certificate::from_der(issued.map_err(issuing("sign the certificate"))?.der())
}

/// Makes a request for a certificate, signed by `key`. Validity and purposes are the signer's to decide.
///
/// # Errors
/// When the template names nothing usable or the library fails.
pub fn request(template: &Template, key: &PrivateKey) -> Result<CertificateRequest, WalletError> {
    let request = template.request_params()?.serialize_request(&key.signing_key()?);
    CertificateRequest::from_der(request.map_err(issuing("make the certificate request"))?.der())
}

/// The kind of key that `certificate` has, to make another of the same kind.
pub fn key_kind_of(certificate: &Certificate) -> Option<KeyKind> {
    match certificate.key_algorithm() {
        KeyAlgorithm::EcP256 => Some(KeyKind::EcP256),
        KeyAlgorithm::EcP384 => Some(KeyKind::EcP384),
        KeyAlgorithm::Ed25519 => Some(KeyKind::Ed25519),
        KeyAlgorithm::Rsa { bits: ..=2048 } => Some(KeyKind::Rsa2048),
        KeyAlgorithm::Rsa { bits: ..=3072 } => Some(KeyKind::Rsa3072),
        KeyAlgorithm::Rsa { .. } => Some(KeyKind::Rsa4096),
        KeyAlgorithm::Other(_) => None,
    }
}

fn issuing(operation: &'static str) -> impl FnOnce(rcgen::Error) -> WalletError {
    move |source| WalletError::Issue { operation, source }
}

/// A new serial number: 127 random bits, so that none is guessed or repeated (RFC 5280, 4.1.2.2).
fn serial_number() -> Result<rcgen::SerialNumber, WalletError> {
    let mut bytes = crate::random::bytes::<16>()?;
    bytes[0] = bytes[0] & 0x7F | 0x40;
    Ok(rcgen::SerialNumber::from_slice(&bytes))
}

fn in_seconds(moment: OffsetDateTime) -> OffsetDateTime {
    // Certificates have whole seconds; a fraction would be rounded by the library in either direction.
    moment.replace_nanosecond(0).expect("zero is a nanosecond")
}
