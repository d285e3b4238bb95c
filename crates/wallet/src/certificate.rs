//! X.509 certificates, read once and asked many times.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use time::OffsetDateTime;
use x509_parser::extensions::{GeneralName, KeyUsage, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::error::WalletError;
use crate::{names, pem};

/// A certificate: its DER and what is read from it. Cloning is cheap.
#[derive(Clone)]
pub struct Certificate(Arc<Fields>);

struct Fields {
    der: Vec<u8>,
    subject: String,
    issuer: String,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    common_name: Option<String>,
    serial: Vec<u8>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    public_key_info: Vec<u8>,
    key_algorithm: KeyAlgorithm,
    signature_algorithm: String,
    extensions: Extensions,
}

/// The algorithm and size of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256.
    EcP256,
    /// ECDSA on NIST P-384.
    EcP384,
    /// RSA.
    Rsa {
        /// Size of the modulus.
        bits: usize,
    },
    /// Ed25519.
    Ed25519,
    /// Something else, by its object identifier.
    Other(String),
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("ECDSA P-256"),
            Self::EcP384 => f.write_str("ECDSA P-384"),
            Self::Rsa { bits } => write!(f, "RSA {bits} bits"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(oid) => write!(f, "algorithm {oid}"),
        }
    }
}

#[derive(Default)]
struct Extensions {
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    is_ca: bool,
    key_usage: Option<KeyUsage>,
    /// `None`: the certificate does not restrict its purposes.
    purposes: Option<Purposes>,
}

struct Purposes {
    server: bool,
    client: bool,
}

impl Certificate {
    /// Reads a certificate; anything after it is an error.
    ///
    /// # Errors
    /// When `der` is not one X.509 certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, WalletError> {
        let malformed = || WalletError::Malformed { what: "certificate" };
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| malformed())?;
        if !rest.is_empty() {
            return Err(malformed());
        }
        Ok(Self(Arc::new(Fields::new(der, &parsed).ok_or_else(malformed)?)))
    }

    /// Reads a certificate from PEM text that holds nothing else.
    ///
    /// # Errors
    /// When `text` is not one certificate.
    pub fn from_pem(text: &str) -> Result<Self, WalletError> {
        Self::from_der(&pem::read_one(text, pem::CERTIFICATE)?)
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The certificate as PEM text.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, self.der()).to_string()
    }

    /// The subject in the form of RFC 4514, most specific part first: `CN=db1,O=Example`.
    pub fn subject(&self) -> String {
        self.0.subject.clone()
    }

    /// The subject's first common name.
    pub fn common_name(&self) -> Option<String> {
        self.0.common_name.clone()
    }

    /// The issuer in the form of RFC 4514.
    pub fn issuer(&self) -> String {
        self.0.issuer.clone()
    }

    /// The serial number in upper-case hexadecimal, without separators.
    pub fn serial_hex(&self) -> String {
        self.0.serial.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// The serial number, big-endian.
    pub(crate) fn serial(&self) -> &[u8] {
        &self.0.serial
    }

    /// The moment from which the certificate is valid.
    pub fn not_before(&self) -> OffsetDateTime {
        self.0.not_before
    }

    /// The last moment at which the certificate is valid.
    pub fn not_after(&self) -> OffsetDateTime {
        self.0.not_after
    }

    /// The DNS names of the subject's alternative names.
    pub fn dns_names(&self) -> Vec<String> {
        self.0.extensions.dns_names.clone()
    }

    /// The IP addresses of the subject's alternative names.
    pub fn ip_addresses(&self) -> Vec<IpAddr> {
        self.0.extensions.ip_addresses.clone()
    }

    /// What kind of key the certificate is for.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.0.key_algorithm.clone()
    }

    /// The object identifier of the algorithm that the issuer signed with.
    pub(crate) fn signature_algorithm(&self) -> &str {
        &self.0.signature_algorithm
    }

    /// Whether a TLS client may accept this certificate from a server.
    pub fn allows_server_auth(&self) -> bool {
        self.signs() && self.0.extensions.purposes.as_ref().is_none_or(|purposes| purposes.server)
    }

    /// Whether a TLS server may accept this certificate from a client.
    pub fn allows_client_auth(&self) -> bool {
        self.signs() && self.0.extensions.purposes.as_ref().is_none_or(|purposes| purposes.client)
    }

    /// Whether the key may sign handshakes, as every current TLS key exchange has it do.
    fn signs(&self) -> bool {
        self.0.extensions.key_usage.is_none_or(|usage| usage.digital_signature())
    }

    /// Whether the certificate may issue others.
    pub fn is_ca(&self) -> bool {
        self.0.extensions.is_ca
    }

    /// Whether the certificate names itself as its issuer, as roots do.
    pub fn is_self_issued(&self) -> bool {
        self.0.subject_der == self.0.issuer_der
    }

    /// Whether `issuer` has the name that this certificate gives as its issuer's.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        self.0.issuer_der == issuer.0.subject_der
    }

    /// Whether `verify-full` of libpq accepts the certificate for a server called `name`.
    ///
    /// The alternative names decide; the common name counts only where there is none of the kind asked for.
    pub fn verifies_name(&self, name: &str) -> bool {
        let extensions = &self.0.extensions;
        match name.parse::<IpAddr>() {
            Ok(address) if extensions.ip_addresses.contains(&address) => true,
            Ok(_) if extensions.ip_addresses.is_empty() && extensions.dns_names.is_empty() => {
                self.0.common_name.as_deref() == Some(name)
            }
            Ok(_) => false,
            Err(_) if extensions.dns_names.is_empty() => {
                self.0.common_name.as_deref().is_some_and(|pattern| names::matches(pattern, name))
            }
            Err(_) => extensions.dns_names.iter().any(|pattern| names::matches(pattern, name)),
        }
    }

    /// The first DNS name that is not a wildcard; the common name where there is no DNS name at all.
    pub(crate) fn own_name(&self) -> Option<&str> {
        let dns_names = &self.0.extensions.dns_names;
        match dns_names.is_empty() {
            true => self.0.common_name.as_deref().filter(|name| !name.is_empty()),
            false => dns_names.iter().map(String::as_str).find(|name| !name.starts_with('*')),
        }
    }

    /// The SubjectPublicKeyInfo, DER.
    pub fn public_key_info(&self) -> &[u8] {
        &self.0.public_key_info
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.0.subject)
            .field("serial", &self.serial_hex())
            .finish_non_exhaustive()
    }
}

impl Fields {
    fn new(der: &[u8], parsed: &X509Certificate<'_>) -> Option<Self> {
        let common_name = parsed.subject().iter_common_name().next();
        Some(Self {
            der: der.to_vec(),
            subject: names::distinguished(parsed.subject()),
            issuer: names::distinguished(parsed.issuer()),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            common_name: common_name.and_then(|name| names::text(name.attr_value())),
            serial: parsed.tbs_certificate.raw_serial().to_vec(),
            not_before: parsed.validity().not_before.to_datetime(),
            not_after: parsed.validity().not_after.to_datetime(),
            public_key_info: parsed.public_key().raw.to_vec(),
            key_algorithm: key_algorithm(parsed.public_key()),
            signature_algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            extensions: Extensions::new(parsed)?,
        })
    }
}

impl Extensions {
    fn new(parsed: &X509Certificate<'_>) -> Option<Self> {
        let mut found = Self::default();
        for extension in parsed.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) => found.is_ca = constraints.ca,
                ParsedExtension::KeyUsage(usage) => found.key_usage = Some(*usage),
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    found.purposes = Some(Purposes {
                        server: usage.any || usage.server_auth,
                        client: usage.any || usage.client_auth,
                    });
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    names.general_names.iter().for_each(|name| found.add_name(name));
                }
                _ => {}
            }
        }
        Some(found)
    }

    fn add_name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let sixteen = <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
                self.ip_addresses.extend(four.or(sixteen));
            }
            _ => {}
        }
    }
}

fn key_algorithm(info: &SubjectPublicKeyInfo<'_>) -> KeyAlgorithm {
    const EC: &str = "1.2.840.10045.2.1";
    const RSA: &str = "1.2.840.113549.1.1.1";
    const ED25519: &str = "1.3.101.112";
    let oid = info.algorithm.algorithm.to_id_string();
    let curve = || info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    match oid.as_str() {
        ED25519 => KeyAlgorithm::Ed25519,
        RSA => match info.parsed() {
            Ok(PublicKey::RSA(key)) => KeyAlgorithm::Rsa { bits: key.key_size() },
            _ => KeyAlgorithm::Other(oid),
        },
        EC => match curve().map(|curve| curve.to_id_string()).as_deref() {
            Some("1.2.840.10045.3.1.7") => KeyAlgorithm::EcP256,
            Some("1.3.132.0.34") => KeyAlgorithm::EcP384,
            Some(other) => KeyAlgorithm::Other(other.to_owned()),
            None => KeyAlgorithm::Other(oid),
        },
        _ => KeyAlgorithm::Other(oid),
    }
}
