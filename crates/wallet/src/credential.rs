//! A credential: what a party shows, proves and trusts.

use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::private_key::PrivateKey;

/// A certificate with its private key, the certificates that vouch for it, and those it trusts.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The certificate and the intermediates that lead to its root, leaf first, without the root.
    pub chain: Vec<Certificate>,
    /// The key of the first certificate of the chain.
    pub key: PrivateKey,
    /// What peers are verified against.
    pub trusted: Vec<Certificate>,
}

impl Credential {
    /// The credential's own certificate.
    ///
    /// # Panics
    /// When the public field `chain` was emptied; wallets never give an empty one.
    pub fn leaf(&self) -> &Certificate {
        self.chain.first().expect("a credential has a certificate of its own")
    }

    /// The chain as PEM text, leaf first.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(Certificate::to_pem).collect()
    }

    /// The private key as PEM text.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.key.to_pem()
    }

    /// The trusted certificates as PEM text.
    pub fn trusted_pem(&self) -> String {
        self.trusted.iter().map(Certificate::to_pem).collect()
    }

    /// The name that a peer with `verify-full` can check: the first DNS name, else the common name.
    ///
    /// A wildcard is no name of a host and is passed over.
    pub fn name(&self) -> Option<&str> {
        self.leaf().own_name()
    }
}
