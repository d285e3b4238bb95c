//! A private key loaded for signing, wiped when dropped.

use rcgen::{Error, KeyPair, PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

/// The library's own key pair keeps the key's bytes and does not wipe them by itself.
#[derive(Debug)]
pub(crate) struct Signer(Zeroizing<KeyPair>);

impl Signer {
    pub(crate) fn new(key: KeyPair) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The key as PKCS#8.
    pub(crate) fn pkcs8_der(&self) -> &[u8] {
        self.0.serialized_der()
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(message)
    }
}
