//! The authentication code over a PKCS#12 file's contents.

use std::num::NonZeroU32;

use aws_lc_rs::hmac;
use der::Tag;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::kdf::{self, Hash, Use};
use super::pbe::{self, Keys, unsupported};
use crate::der::{self as asn1, Element};
use crate::error::WalletError;
use crate::oid;
use crate::password::Password;

/// `MacData`: which digest, salt and count, and the code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mac {
    pub(crate) hash: Hash,
    pub(crate) salt: Vec<u8>,
    pub(crate) iterations: NonZeroU32,
    code: Vec<u8>,
}

impl Mac {
    pub(crate) fn read(element: Element<'_>) -> Result<Self, WalletError> {
        let mut fields = element.open(Tag::Sequence, "authentication code")?;
        let mut digest_info = fields.sequence()?;
        let hash = match digest_info.next()?.plain_algorithm("authentication code")? {
            oid::SHA1 => Hash::Sha1,
            oid::SHA256 => Hash::Sha256,
            oid::SHA384 => Hash::Sha384,
            oid::SHA512 => Hash::Sha512,
            other => return Err(unsupported("digest of the authentication code", &other)),
        };
        let code = digest_info.octets()?.to_vec();
        digest_info.finish()?;
        let salt = fields.octets()?.to_vec();
        // DEFAULT 1 (RFC 7292, section 4).
        let count = if fields.is_empty() { 1 } else { fields.unsigned()? };
        fields.finish()?;
        Ok(Self { hash, salt, iterations: pbe::read_iterations(count)?, code })
    }

    /// Computes the code over `content`.
    pub(crate) fn compute(
        hash: Hash,
        salt: Vec<u8>,
        iterations: NonZeroU32,
        password: &Password,
        content: &[u8],
    ) -> Self {
        let code = code(hash, &salt, iterations, password, content);
        Self { hash, salt, iterations, code }
    }

    pub(crate) fn write(&self) -> Zeroizing<Vec<u8>> {
        let digest = match self.hash {
            Hash::Sha1 => oid::SHA1,
            Hash::Sha256 => oid::SHA256,
            Hash::Sha384 => oid::SHA384,
            Hash::Sha512 => oid::SHA512,
        };
        let digest_info = asn1::sequence(&[&asn1::algorithm(&digest), &asn1::octets(&self.code)]);
        let iterations = asn1::unsigned(self.iterations.get());
        asn1::sequence(&[&digest_info, &asn1::octets(&self.salt), &iterations])
    }

    /// Whether `content` is what the code was computed over; takes the same time wherever it differs.
    pub(crate) fn verifies(&self, keys: &mut Keys<'_>, content: &[u8]) -> Result<bool, WalletError> {
        keys.spend(self.iterations.get())?;
        let expected = code(self.hash, &self.salt, self.iterations, keys.password(), content);
        Ok(expected.ct_eq(&self.code).into())
    }
}

fn code(hash: Hash, salt: &[u8], rounds: NonZeroU32, password: &Password, content: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    let key = kdf::pkcs12(hash, Use::Mac, &password.utf16(), salt, rounds.get(), hash.output_bytes());
    hmac::sign(&hmac::Key::new(algorithm, &key), content).as_ref().to_vec()
}
