//! Private keys: PKCS#8, wiped from memory when dropped.

use std::fmt;
use std::sync::{Arc, OnceLock};

use der::Tag;
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::der::{self as asn1, Element};
use crate::error::WalletError;
use crate::signer::Signer;
use crate::{oid, pem};

/// An unencrypted PKCS#8 private key. Absent from `Debug`; wiped when the last clone is dropped.
#[derive(Clone)]
pub struct PrivateKey(Arc<Fields>);

struct Fields {
    der: Zeroizing<Vec<u8>>,
    /// Computed once: pairing the keys and certificates of a large wallet asks for it again and again.
    public_key_info: OnceLock<Option<Vec<u8>>>,
}

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
        Ok(Self::from_checked(Zeroizing::new(der.to_vec())))
    }

    fn from_checked(der: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(Fields { der, public_key_info: OnceLock::new() }))
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
        &self.0.der
    }

    /// The key as PEM text.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode(pem::PRIVATE_KEY, self.pkcs8_der())
    }

    /// Whether `certificate` is for this key.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        self.has_public_key(certificate.public_key_info())
    }

    /// Whether `info` is the SubjectPublicKeyInfo of the public half.
    pub(crate) fn has_public_key(&self, info: &[u8]) -> bool {
        let own = self
            .0
            .public_key_info
            .get_or_init(|| self.rsa_public_key_info().or_else(|_| self.loaded_info()).ok());
        own.as_deref() == Some(info)
    }

    fn loaded_info(&self) -> Result<Vec<u8>, WalletError> {
        use rcgen::PublicKeyData as _;
        Ok(self.signing_key()?.subject_public_key_info())
    }

    /// Put together from the private key's own numbers (RFC 8017, A.1), so that keys too weak to be loaded
    /// for signing are paired with their certificates too.
    fn rsa_public_key_info(&self) -> Result<Vec<u8>, WalletError> {
        const WHAT: &str = "RSA private key";
        let mut info = Element::only(self.pkcs8_der(), WHAT)?.open(Tag::Sequence, WHAT)?;
        info.unsigned()?;
        if info.next()?.plain_algorithm(WHAT)? != oid::RSA {
            return Err(WalletError::Malformed { what: WHAT });
        }
        let mut key = Element::only(info.octets()?, WHAT)?.open(Tag::Sequence, WHAT)?;
        key.unsigned()?;
        let numbers = asn1::sequence(&[key.next()?.raw, key.next()?.raw]);
        let bits = asn1::element(Tag::BitString, &[&[0], &numbers]);
        Ok(asn1::sequence(&[&asn1::algorithm(&oid::RSA), &bits]).to_vec())
    }

    /// The key in the form that signs.
    pub(crate) fn signing_key(&self) -> Result<Signer, WalletError> {
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from(self.pkcs8_der());
        rcgen::KeyPair::try_from(&der)
            .map(Signer::new)
            .map_err(|source| WalletError::Issue { operation: "load the private key", source })
    }

    /// The same key as PKCS#8 version 1: OpenSSL 3.0 does not read version 2, which also has the public key.
    pub(crate) fn in_first_version(&self) -> Result<Self, WalletError> {
        let mut fields =
            Element::only(self.pkcs8_der(), "private key")?.open(Tag::Sequence, "private key")?;
        fields.next()?;
        let (algorithm, key) = (fields.next()?, fields.next()?);
        Ok(Self::from_checked(asn1::sequence(&[&asn1::unsigned(0), algorithm.raw, key.raw])))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}
