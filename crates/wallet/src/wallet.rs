//! A wallet's contents: what is in it, and how it is changed.

use std::fmt;

use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::content::secret::Secret;
use crate::credential::Credential;
use crate::error::WalletError;
use crate::file::Origin;
use crate::pkcs12::bag::{Bag, Content, OracleId};
use crate::private_key::PrivateKey;
use crate::request::CertificateRequest;

/// The contents of a wallet, in memory.
///
/// A wallet is read by one of the `open` functions or started empty by [`Wallet::new`], changed, and written
/// by one of the `save` functions or, where others may write at the same time, through [`crate::edit`].
/// Entries that are not understood are kept byte for byte.
#[derive(Clone, Default)]
pub struct Wallet {
    pub(crate) bags: Vec<Bag>,
    pub(crate) unknown_contents: Vec<Vec<u8>>,
    pub(crate) origin: Option<Origin>,
    pub(crate) changed: bool,
}

/// One entry of a wallet, borrowed from it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// A private key.
    PrivateKey(&'a PrivateKey),
    /// A certificate that belongs to one of the wallet's private keys or requests.
    Certificate(&'a Certificate),
    /// A certificate that the wallet trusts, or one that leads to such.
    Trusted(&'a Certificate),
    /// A certificate request.
    Request(&'a CertificateRequest),
    /// A named secret, credentials and master keys among them.
    Secret(&'a Secret),
    /// Something that this library keeps but does not understand.
    Unknown,
}

impl Wallet {
    /// An empty wallet.
    pub fn new() -> Self {
        Self::default()
    }

    /// All entries, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.bags.iter().map(|bag| match &bag.content {
            Content::Key(key) => Entry::PrivateKey(key),
            Content::Certificate(certificate) if self.is_own(bag, certificate) => {
                Entry::Certificate(certificate)
            }
            Content::Certificate(certificate) => Entry::Trusted(certificate),
            Content::Request(request) => Entry::Request(request),
            Content::Secret(secret) => Entry::Secret(secret),
            Content::Unknown => Entry::Unknown,
        })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.bags.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.bags.is_empty()
    }

    /// The private keys.
    pub fn private_keys(&self) -> impl Iterator<Item = &PrivateKey> {
        self.bags.iter().filter_map(|bag| match &bag.content {
            Content::Key(key) => Some(key),
            _ => None,
        })
    }

    /// The certificates that belong to the wallet's private keys.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.entries().filter_map(|entry| match entry {
            Entry::Certificate(certificate) => Some(certificate),
            _ => None,
        })
    }

    /// The trusted certificates.
    pub fn trusted(&self) -> impl Iterator<Item = &Certificate> {
        self.entries().filter_map(|entry| match entry {
            Entry::Trusted(certificate) => Some(certificate),
            _ => None,
        })
    }

    /// The certificate requests.
    pub fn requests(&self) -> impl Iterator<Item = &CertificateRequest> {
        self.bags.iter().filter_map(|bag| match &bag.content {
            Content::Request(request) => Some(request),
            _ => None,
        })
    }

    /// The named secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.bags.iter().filter_map(|bag| match &bag.content {
            Content::Secret(secret) => Some(secret),
            _ => None,
        })
    }

    /// The value of the secret called `name`.
    pub fn secret(&self, name: &str) -> Option<&str> {
        self.secrets().find(|secret| secret.name() == name).map(Secret::value)
    }

    /// The credential that the wallet holds: its newest certificate with a private key, the chain and what
    /// it trusts.
    ///
    /// Keys and certificates are paired by public key. Of several, the one issued last is taken; so a renewed
    /// certificate takes over while the old one is still in the wallet.
    ///
    /// # Errors
    /// [`WalletError::NoPrivateKey`] or [`WalletError::NoCertificate`] when one is missing.
    pub fn credential(&self) -> Result<Credential, WalletError> {
        if self.private_keys().next().is_none() {
            return Err(WalletError::NoPrivateKey);
        }
        let pairs = self.certificates().filter_map(|leaf| Some((leaf, self.key_of(leaf)?)));
        let (leaf, key) = pairs
            .max_by_key(|(leaf, _)| (leaf.not_before(), leaf.not_after()))
            .ok_or(WalletError::NoCertificate)?;
        let mut trusted: Vec<Certificate> = self.trusted().cloned().collect();
        trusted.dedup();
        Ok(Credential { chain: self.chain_of(leaf), key: key.clone(), trusted })
    }

    fn key_of(&self, certificate: &Certificate) -> Option<&PrivateKey> {
        self.private_keys().find(|key| key.matches(certificate))
    }

    /// The leaf and the intermediates above it, as far as the wallet has them, without a root.
    fn chain_of(&self, leaf: &Certificate) -> Vec<Certificate> {
        let mut chain = vec![leaf.clone()];
        loop {
            let last = chain.last().expect("the leaf is in it");
            let next = self
                .trusted()
                .find(|next| last.is_issued_by(next) && !next.is_self_issued() && !chain.contains(next))
                .cloned();
            match next {
                Some(next) if !last.is_self_issued() => chain.push(next),
                _ => return chain,
            }
        }
    }

    /// Whether a certificate is the wallet's own rather than one that it trusts: Oracle marks the trusted
    /// ones; in other tools' files, those with no private key are.
    fn is_own(&self, bag: &Bag, certificate: &Certificate) -> bool {
        match bag.oracle_id() {
            Some(OracleId { kind: OracleId::TRUSTED, .. }) => false,
            _ => self.key_of(certificate).is_some(),
        }
    }

    /// Adds a private key with its certificate.
    ///
    /// A key that is already there is not added twice, so a renewed certificate for the same key can be
    /// added the same way. Replaces a request for that key.
    ///
    /// # Errors
    /// When the certificate is not for the key; the wallet is unchanged then.
    pub fn add_identity(&mut self, key: PrivateKey, certificate: Certificate) -> Result<(), WalletError> {
        if !key.matches(&certificate) {
            let reason = format!("it is not the certificate of this private key: {}", certificate.subject());
            return Err(WalletError::Invalid { what: "certificate", reason });
        }
        let id = key_id(certificate.der());
        self.remove_where(|bag| matches!(&bag.content, Content::Request(request) if request.is_for(&key)));
        if self.key_of(&certificate).is_none() {
            self.push(Bag::key(key, &id));
        }
        if !self.certificates().any(|own| *own == certificate) {
            self.push(Bag::certificate(certificate, &id));
        }
        Ok(())
    }

    /// Adds a certificate to those that the wallet trusts; returns whether it was new.
    pub fn add_trusted(&mut self, certificate: Certificate) -> bool {
        if self.trusted().any(|known| *known == certificate) {
            return false;
        }
        let id = OracleId { kind: OracleId::TRUSTED, index: self.next_index(OracleId::TRUSTED), flags: 4 };
        self.push(Bag::certificate(certificate, &id.bytes()));
        true
    }

    /// Takes a certificate out of those that the wallet trusts; returns whether it was there.
    pub fn remove_trusted(&mut self, certificate: &Certificate) -> bool {
        let trusted: Vec<bool> = self
            .entries()
            .map(|entry| matches!(entry, Entry::Trusted(known) if known == certificate))
            .collect();
        let mut marks = trusted.into_iter();
        self.remove_where(|_| marks.next().unwrap_or(false))
    }

    /// Takes out the certificate and, when no other certificate uses it, its private key; returns whether
    /// it was there.
    pub fn remove_identity(&mut self, certificate: &Certificate) -> bool {
        let own: Vec<bool> = self
            .entries()
            .map(|entry| matches!(entry, Entry::Certificate(known) if known == certificate))
            .collect();
        let mut marks = own.into_iter();
        let removed = self.remove_where(|_| marks.next().unwrap_or(false));
        let still_used = self.bags.iter().any(|bag| {
            matches!(&bag.content, Content::Certificate(other)
                if bag.oracle_id().is_none_or(|id| id.kind != OracleId::TRUSTED)
                    && other.public_key_info() == certificate.public_key_info())
        });
        if removed && !still_used {
            self.remove_where(|bag| matches!(&bag.content, Content::Key(key) if key.matches(certificate)));
        }
        removed
    }

    /// Adds a private key and the request for its certificate.
    ///
    /// # Errors
    /// When the request is not for the key.
    pub fn add_request(&mut self, key: PrivateKey, request: CertificateRequest) -> Result<(), WalletError> {
        if !request.is_for(&key) {
            let reason = format!("it is not for this private key: {}", request.subject());
            return Err(WalletError::Invalid { what: "certificate request", reason });
        }
        let id = key_id(request.der());
        if !self.private_keys().any(|known| known.pkcs8_der() == key.pkcs8_der()) {
            self.push(Bag::key(key, &id));
        }
        self.push(Bag::request(request, &id));
        Ok(())
    }

    /// Adds the certificate that was issued for one of the wallet's private keys, usually upon its request.
    ///
    /// # Errors
    /// When the wallet has no private key for it.
    pub fn add_certificate(&mut self, certificate: Certificate) -> Result<(), WalletError> {
        let key = self.key_of(&certificate).cloned().ok_or_else(|| WalletError::Invalid {
            what: "certificate",
            reason: format!("the wallet has no private key for {}", certificate.subject()),
        })?;
        self.add_identity(key, certificate)
    }

    /// Sets the secret called `name`; returns whether there was one before.
    pub fn set_secret(&mut self, name: &str, value: &str) -> bool {
        let found = self.bags.iter_mut().find(|bag| is_secret(bag, name));
        let Some(bag) = found else {
            let index = self.next_index(OracleId::SECRET);
            self.push(Bag::secret(Secret::new(name, value), index));
            return false;
        };
        let same = matches!(&bag.content, Content::Secret(secret) if secret.value() == value);
        if !same {
            let index = bag.oracle_id().filter(|id| id.kind == OracleId::SECRET).map_or(0, |id| id.index);
            *bag = Bag::secret(Secret::new(name, value), index);
            self.changed = true;
        }
        true
    }

    /// Deletes the secret called `name`; returns whether there was one.
    pub fn delete_secret(&mut self, name: &str) -> bool {
        self.remove_where(|bag| is_secret(bag, name))
    }

    /// Whether anything was changed since the wallet was read.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    fn push(&mut self, bag: Bag) {
        self.bags.push(bag);
        self.changed = true;
    }

    fn remove_where(&mut self, mut unwanted: impl FnMut(&Bag) -> bool) -> bool {
        let before = self.bags.len();
        self.bags.retain(|bag| !unwanted(bag));
        let removed = self.bags.len() < before;
        self.changed |= removed;
        removed
    }

    fn next_index(&self, kind: u32) -> u32 {
        let used = self.bags.iter().filter_map(Bag::oracle_id).filter(|id| id.kind == kind);
        used.map(|id| id.index.saturating_add(1)).max().unwrap_or(0)
    }

    /// The entries with nothing encrypted inside: what two files of one wallet have in common.
    pub(crate) fn plain_bags(&self) -> Vec<Zeroizing<Vec<u8>>> {
        self.bags.iter().map(Bag::plain).collect()
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

fn is_secret(bag: &Bag, name: &str) -> bool {
    matches!(&bag.content, Content::Secret(secret) if secret.name() == name)
}

/// What ties a key to its certificate in the file: the SHA-1 of the certificate, as OpenSSL writes it.
fn key_id(der: &[u8]) -> [u8; 20] {
    use sha1::Digest as _;
    sha1::Sha1::digest(der).into()
}
