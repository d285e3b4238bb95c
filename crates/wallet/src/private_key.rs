//! Private keys: PKCS#8, wiped from memory when dropped.

use std::fmt;

use der::Tag;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::certificate::{Certificate, KeyAlgorithm};
use crate::der::{self as asn1, Element};
use crate::error::WalletError;
use crate::pem;
use crate::signer::Signer;

/// An unencrypted PKCS#8 private key. Absent from `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// Takes a copy of a PKCS#8 `PrivateKeyInfo`.
    ///
    /// # Errors
    /// When `der` is not one.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, WalletError> {
        let mut fields = Element::only(der, "private key")?.open(Tag::Sequence, "private key")?;
        fields.unsigned()?;
        fields.sequence()?.oid()?;
        fields.octets()?;
        Ok(Self(Zeroizing::new(der.to_vec())))
    }

    /// Reads a key from PEM text (`BEGIN PRIVATE KEY`) that holds nothing else.
    ///
    /// # Errors
    /// When `text` is not one unencrypted PKCS#8 key.
    pub fn from_pem(text: &str) -> Result<Self, WalletError> {
        Self::from_pkcs8_der(&pem::read_one(text, pem::PRIVATE_KEY)?)
    }

    /// The key's bytes.
    pub fn pkcs8_der(&self) -> &[u8] {
        &self.0
    }

    /// The key as PEM text.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode(pem::PRIVATE_KEY, &self.0)
    }

    /// Whether `certificate` is for this key.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        self.public_key_matches(certificate.public_key_info(), &certificate.key_algorithm())
    }

    pub(crate) fn public_key_matches(&self, info: &[u8], algorithm: &KeyAlgorithm) -> bool {
        match algorithm {
            // Compared number by number, so that keys too weak to be loaded for signing are paired too.
            KeyAlgorithm::Rsa { .. } => match (self.rsa_numbers(), rsa_numbers_of(info)) {
                (Ok(own), Ok(other)) => own.0.ct_eq(&other.0).into() && own.1.ct_eq(&other.1).into(),
                _ => false,
            },
            _ => self.public_key_info().is_ok_and(|own| own.ct_eq(info).into()),
        }
    }

    /// The SubjectPublicKeyInfo of the public half.
    pub(crate) fn public_key_info(&self) -> Result<Vec<u8>, WalletError> {
        use rcgen::PublicKeyData as _;
        Ok(self.signing_key()?.subject_public_key_info())
    }

    /// The key in the form that signs.
    pub(crate) fn signing_key(&self) -> Result<Signer, WalletError> {
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from(self.0.as_slice());
        rcgen::KeyPair::try_from(&der)
            .map(Signer::new)
            .map_err(|source| WalletError::Issue { operation: "load the private key", source })
    }

    /// The same key as PKCS#8 version 1: OpenSSL 3.0 does not read version 2, which also has the public key.
    pub(crate) fn in_first_version(&self) -> Result<Self, WalletError> {
        let mut fields = Element::only(&self.0, "private key")?.open(Tag::Sequence, "private key")?;
        fields.next()?;
        let (algorithm, key) = (fields.next()?, fields.next()?);
        Ok(Self(asn1::sequence(&[&asn1::unsigned(0), algorithm.raw, key.raw])))
    }

    /// Modulus and public exponent (RFC 8017, A.1.2).
    fn rsa_numbers(&self) -> Result<(Vec<u8>, Vec<u8>), WalletError> {
        let mut info = Element::only(&self.0, "private key")?.open(Tag::Sequence, "private key")?;
        info.unsigned()?;
        info.sequence()?;
        let mut key =
            Element::only(info.octets()?, "RSA private key")?.open(Tag::Sequence, "RSA private key")?;
        key.unsigned()?;
        Ok((key.next()?.value.to_vec(), key.next()?.value.to_vec()))
    }
}

/// Modulus and exponent of an RSA SubjectPublicKeyInfo (RFC 8017, A.1.1).
fn rsa_numbers_of(info: &[u8]) -> Result<(Vec<u8>, Vec<u8>), WalletError> {
    const WHAT: &str = "RSA public key";
    let mut fields = Element::only(info, WHAT)?.open(Tag::Sequence, WHAT)?;
    fields.sequence()?;
    let bits = fields.next()?;
    let key = bits.value.strip_prefix(&[0]).ok_or(WalletError::Malformed { what: WHAT })?;
    let mut numbers = asn1::Element::only(key, WHAT)?.open(Tag::Sequence, WHAT)?;
    Ok((numbers.next()?.value.to_vec(), numbers.next()?.value.to_vec()))
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}
