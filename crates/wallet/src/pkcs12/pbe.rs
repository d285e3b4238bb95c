//! Password-based encryption: the schemes of PKCS#12 and PBES2.

use std::num::NonZeroU32;

use der::Tag;
use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::kdf::{self, Hash, Use};
use crate::der::{self as asn1, Cursor, Element};
use crate::error::WalletError;
use crate::limits::Budget;
use crate::password::Password;
use crate::{oid, random};

/// How a piece of ciphertext was made from a password: an AlgorithmIdentifier, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    pub(crate) cipher: Cipher,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: NonZeroU32,
    derivation: Derivation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Derivation {
    /// Key and vector both by the PKCS#12 derivation with SHA-1.
    Pkcs12,
    /// Key by PBKDF2; the vector stands beside it.
    Pbkdf2 { hash: Hash, iv: Vec<u8>, key_length_written: bool },
}

/// The two families that Oracle's tools write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC: Oracle 21c and later, and everything current.
    #[default]
    Aes256,
    /// pbeWithSHAAnd3-KeyTripleDES-CBC: Oracle 12c to 19c, and everything old.
    TripleDes,
}

impl Scheme {
    /// A new scheme with its own random salt and vector.
    pub(crate) fn generate(encryption: Encryption, iterations: NonZeroU32) -> Result<Self, WalletError> {
        let salt = random::bytes::<8>()?.to_vec();
        let (cipher, derivation) = match encryption {
            Encryption::TripleDes => (Cipher::TripleDes, Derivation::Pkcs12),
            Encryption::Aes256 => {
                let iv = random::bytes::<16>()?.to_vec();
                (Cipher::Aes256, Derivation::Pbkdf2 { hash: Hash::Sha256, iv, key_length_written: true })
            }
        };
        Ok(Self { cipher, salt, iterations, derivation })
    }

    /// The family, when it is one of those that this library writes.
    pub(crate) fn encryption(&self) -> Option<Encryption> {
        match (&self.derivation, self.cipher) {
            (Derivation::Pkcs12, Cipher::TripleDes) => Some(Encryption::TripleDes),
            (Derivation::Pbkdf2 { .. }, Cipher::Aes256) => Some(Encryption::Aes256),
            _ => None,
        }
    }

    /// Reads an AlgorithmIdentifier.
    pub(crate) fn read(element: Element<'_>) -> Result<Self, WalletError> {
        let mut fields = element.open(Tag::Sequence, "encryption algorithm")?;
        let algorithm = fields.oid()?;
        let parameters = fields.sequence()?;
        fields.finish()?;
        let cipher = match algorithm {
            oid::PBES2 => return read_pbes2(parameters),
            oid::PBE_SHA1_3DES => Cipher::TripleDes,
            oid::PBE_SHA1_2DES => Cipher::DoubleDes,
            oid::PBE_SHA1_RC2_128 => Cipher::Rc2 { bits: 128 },
            oid::PBE_SHA1_RC2_40 => Cipher::Rc2 { bits: 40 },
            other => return Err(unsupported("encryption algorithm", &other)),
        };
        let (salt, iterations) = read_salt_and_iterations(parameters)?;
        Ok(Self { cipher, salt, iterations, derivation: Derivation::Pkcs12 })
    }

    /// Writes the AlgorithmIdentifier as Oracle's tools do.
    pub(crate) fn write(&self) -> Zeroizing<Vec<u8>> {
        let iterations = asn1::unsigned(self.iterations.get());
        let Derivation::Pbkdf2 { hash, iv, key_length_written } = &self.derivation else {
            let parameters = asn1::sequence(&[&asn1::octets(&self.salt), &iterations]);
            return asn1::sequence(&[&asn1::oid(&pkcs12_oid(self.cipher)), &parameters]);
        };
        let key_length = match key_length_written {
            true => asn1::unsigned(u32::try_from(self.cipher.key_bytes()).expect("at most 32")),
            false => Zeroizing::default(),
        };
        let prf = asn1::algorithm(&prf_oid(*hash));
        let pbkdf2 = asn1::sequence(&[&asn1::octets(&self.salt), &iterations, &key_length, &prf]);
        let derivation = asn1::sequence(&[&asn1::oid(&oid::PBKDF2), &pbkdf2]);
        let cipher = asn1::sequence(&[&asn1::oid(&pbes2_oid(self.cipher)), &asn1::octets(iv)]);
        asn1::sequence(&[&asn1::oid(&oid::PBES2), &asn1::sequence(&[&derivation, &cipher])])
    }

    fn key_and_iv(&self, password: &Password) -> (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>) {
        let (key_bytes, rounds) = (self.cipher.key_bytes(), self.iterations);
        match &self.derivation {
            Derivation::Pkcs12 => {
                let password = password.utf16();
                let derive = |purpose, length| {
                    kdf::pkcs12(Hash::Sha1, purpose, &password, &self.salt, rounds.get(), length)
                };
                (derive(Use::Key, key_bytes), derive(Use::Iv, self.cipher.block_bytes()))
            }
            Derivation::Pbkdf2 { hash, iv, .. } => {
                let key = kdf::pbkdf2(*hash, password.bytes(), &self.salt, rounds, key_bytes);
                (key, Zeroizing::new(iv.clone()))
            }
        }
    }
}

/// Encrypts and decrypts under one password, deriving each key once.
///
/// An identical derivation (same password, salt, count and digest) within one file is remembered, so that
/// a key wrapped inside the encrypted contents costs no second derivation.
pub(crate) struct Keys<'p> {
    password: &'p Password,
    budget: Budget,
    derived: Vec<Derived>,
}

const REMEMBERED: usize = 4;

struct Derived {
    scheme: Scheme,
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
}

impl<'p> Keys<'p> {
    pub(crate) fn new(password: &'p Password, budget: Budget) -> Self {
        Self { password, budget, derived: Vec::new() }
    }

    pub(crate) fn password(&self) -> &'p Password {
        self.password
    }

    pub(crate) fn spend(&mut self, iterations: u32) -> Result<(), WalletError> {
        self.budget.spend(iterations)
    }

    /// `None` means that the padding is wrong: another password, or damage.
    pub(crate) fn decrypt(
        &mut self,
        scheme: &Scheme,
        data: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, WalletError> {
        let (key, iv) = self.key_and_iv(scheme)?;
        Ok(scheme.cipher.decrypt(key, &iv, data))
    }

    pub(crate) fn decrypt_first_block(
        &mut self,
        scheme: &Scheme,
        data: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, WalletError> {
        let (key, iv) = self.key_and_iv(scheme)?;
        Ok(scheme.cipher.decrypt_first_block(key, &iv, data))
    }

    pub(crate) fn encrypt(&mut self, scheme: &Scheme, data: &[u8]) -> Result<Vec<u8>, WalletError> {
        let (key, iv) = self.key_and_iv(scheme)?;
        Ok(scheme.cipher.encrypt(key, &iv, data).expect("key and vector have the cipher's own lengths"))
    }

    fn key_and_iv(&mut self, scheme: &Scheme) -> Result<(&[u8], Zeroizing<Vec<u8>>), WalletError> {
        let known = self.derived.iter().position(|known| scheme.same_key(&known.scheme));
        let index = match known {
            Some(index) => index,
            None => {
                self.budget.spend(scheme.iterations.get())?;
                let (key, iv) = scheme.key_and_iv(self.password);
                // A file has one or two; remembering every one of a hostile file would make looking them up long.
                if self.derived.len() == REMEMBERED {
                    self.derived.remove(0);
                }
                self.derived.push(Derived { scheme: scheme.clone(), key, iv });
                self.derived.len() - 1
            }
        };
        let derived = &self.derived[index];
        let iv = match &scheme.derivation {
            Derivation::Pkcs12 => derived.iv.clone(),
            Derivation::Pbkdf2 { iv, .. } => Zeroizing::new(iv.clone()),
        };
        Ok((&derived.key, iv))
    }
}

impl Scheme {
    fn same_key(&self, other: &Self) -> bool {
        let derivation = match (&self.derivation, &other.derivation) {
            (Derivation::Pkcs12, Derivation::Pkcs12) => true,
            (Derivation::Pbkdf2 { hash: a, .. }, Derivation::Pbkdf2 { hash: b, .. }) => a == b,
            _ => false,
        };
        derivation
            && (self.cipher, self.iterations, &self.salt) == (other.cipher, other.iterations, &other.salt)
    }

    /// The same derivation with a vector of its own, where the scheme has one; else a new salt.
    pub(crate) fn sibling(&self) -> Result<Self, WalletError> {
        let mut sibling = self.clone();
        match &mut sibling.derivation {
            Derivation::Pkcs12 => random::fill(&mut sibling.salt)?,
            Derivation::Pbkdf2 { iv, .. } => random::fill(iv)?,
        }
        Ok(sibling)
    }
}

fn read_salt_and_iterations(mut parameters: Cursor<'_>) -> Result<(Vec<u8>, NonZeroU32), WalletError> {
    let salt = parameters.octets()?.to_vec();
    let iterations = read_iterations(parameters.unsigned()?)?;
    parameters.finish()?;
    Ok((salt, iterations))
}

pub(crate) fn read_iterations(count: u64) -> Result<NonZeroU32, WalletError> {
    let over =
        || WalletError::OverLimit { what: "number of key-derivation iterations", limit: u64::from(u32::MAX) };
    let count = u32::try_from(count).map_err(|_| over())?;
    NonZeroU32::new(count).ok_or(WalletError::Malformed { what: "iteration count" })
}

fn read_pbes2(mut parameters: Cursor<'_>) -> Result<Scheme, WalletError> {
    let mut derivation = parameters.sequence()?;
    let mut encryption = parameters.sequence()?;
    parameters.finish()?;

    let function = derivation.oid()?;
    if function != oid::PBKDF2 {
        return Err(unsupported("key derivation", &function));
    }
    let mut pbkdf2 = derivation.sequence()?;
    derivation.finish()?;

    let algorithm = encryption.oid()?;
    let cipher = match algorithm {
        oid::AES128_CBC => Cipher::Aes128,
        oid::AES192_CBC => Cipher::Aes192,
        oid::AES256_CBC => Cipher::Aes256,
        oid::DES_EDE3_CBC => Cipher::TripleDes,
        other => return Err(unsupported("cipher", &other)),
    };
    let iv = encryption.octets()?.to_vec();
    encryption.finish()?;
    if iv.len() != cipher.block_bytes() {
        return Err(WalletError::Malformed { what: "initialisation vector" });
    }

    let salt = pbkdf2.octets()?.to_vec();
    let iterations = read_iterations(pbkdf2.unsigned()?)?;
    let mut next = if pbkdf2.is_empty() { None } else { Some(pbkdf2.next()?) };
    let key_length = next.take_if(|element| element.tag == Tag::Integer);
    if let Some(length) = key_length {
        if length.unsigned("key length")? != cipher.key_bytes() as u64 {
            return Err(WalletError::Malformed { what: "key length of the cipher" });
        }
        next = if pbkdf2.is_empty() { None } else { Some(pbkdf2.next()?) };
    }
    pbkdf2.finish()?;
    let hash = match next {
        None => Hash::Sha1,
        Some(prf) => read_prf(prf)?,
    };
    let derivation = Derivation::Pbkdf2 { hash, iv, key_length_written: key_length.is_some() };
    Ok(Scheme { cipher, salt, iterations, derivation })
}

fn read_prf(element: Element<'_>) -> Result<Hash, WalletError> {
    match element.plain_algorithm("pseudo-random function")? {
        oid::HMAC_SHA1 => Ok(Hash::Sha1),
        oid::HMAC_SHA256 => Ok(Hash::Sha256),
        oid::HMAC_SHA384 => Ok(Hash::Sha384),
        oid::HMAC_SHA512 => Ok(Hash::Sha512),
        other => Err(unsupported("pseudo-random function", &other)),
    }
}

fn prf_oid(hash: Hash) -> der::asn1::ObjectIdentifier {
    match hash {
        Hash::Sha1 => oid::HMAC_SHA1,
        Hash::Sha256 => oid::HMAC_SHA256,
        Hash::Sha384 => oid::HMAC_SHA384,
        Hash::Sha512 => oid::HMAC_SHA512,
    }
}

fn pkcs12_oid(cipher: Cipher) -> der::asn1::ObjectIdentifier {
    match cipher {
        Cipher::DoubleDes => oid::PBE_SHA1_2DES,
        Cipher::Rc2 { bits: 40 } => oid::PBE_SHA1_RC2_40,
        Cipher::Rc2 { .. } => oid::PBE_SHA1_RC2_128,
        _ => oid::PBE_SHA1_3DES,
    }
}

fn pbes2_oid(cipher: Cipher) -> der::asn1::ObjectIdentifier {
    match cipher {
        Cipher::Aes128 => oid::AES128_CBC,
        Cipher::Aes192 => oid::AES192_CBC,
        Cipher::Aes256 => oid::AES256_CBC,
        _ => oid::DES_EDE3_CBC,
    }
}

pub(crate) fn unsupported(what: &'static str, name: &impl ToString) -> WalletError {
    WalletError::Unsupported { what, name: name.to_string() }
}
