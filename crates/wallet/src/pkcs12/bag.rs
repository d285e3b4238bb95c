//! Safe bags: the entries of a PKCS#12 file, each kept with its exact bytes.

use der::Tag;
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

use super::pbe::{Keys, Scheme};
use crate::certificate::Certificate;
use crate::content::secret::Secret;
use crate::der::{self as asn1, Cursor, Element};
use crate::error::WalletError;
use crate::oid;
use crate::private_key::PrivateKey;
use crate::request::CertificateRequest;

/// One entry as it stands in the file, and what it was understood to be.
#[derive(Clone)]
pub(crate) struct Bag {
    /// The whole SafeBag, never changed: what is written back when nothing asks for another form.
    raw: Zeroizing<Vec<u8>>,
    /// The SET of attributes, with its header; empty when there is none.
    attributes: Vec<u8>,
    pub(crate) content: Content,
    /// Whether the key inside `raw` is itself encrypted with the file's password.
    pub(crate) shrouded: bool,
    /// Whether a password file holds the key without encrypting it once more, and is to go on doing so.
    pub(crate) stays_plain: bool,
}

/// What an entry holds.
#[derive(Clone)]
pub(crate) enum Content {
    Key(PrivateKey),
    Certificate(Certificate),
    Request(CertificateRequest),
    Secret(Secret),
    /// Anything else: kept, not interpreted.
    Unknown,
}

/// Oracle's 24-byte localKeyID: a fixed mark, the kind of entry, its index and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OracleId {
    pub(crate) kind: u32,
    pub(crate) index: u32,
    pub(crate) flags: u32,
}

impl OracleId {
    pub(crate) const TRUSTED: u32 = 3;
    pub(crate) const SECRET: u32 = 6;
    const MARK: u32 = 0xE6B6_52DD;

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let words: Vec<u32> = bytes
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes(word.try_into().expect("chunks of four")))
            .collect();
        match *words {
            [Self::MARK, _, _, kind, index, flags] if bytes.len() == 24 => Some(Self { kind, index, flags }),
            _ => None,
        }
    }

    pub(crate) fn bytes(self) -> [u8; 24] {
        let words = [Self::MARK, 4, 0, self.kind, self.index, self.flags];
        let mut out = [0; 24];
        out.chunks_exact_mut(4)
            .zip(words)
            .for_each(|(chunk, word)| chunk.copy_from_slice(&word.to_be_bytes()));
        out
    }
}

impl Bag {
    /// Reads one bag. A shrouded key is decrypted with `keys`; what is not understood is kept as unknown.
    pub(crate) fn read(element: Element<'_>, keys: &mut Keys<'_>) -> Result<Self, WalletError> {
        const WHAT: &str = "bag";
        let mut fields = element.open(Tag::Sequence, WHAT)?;
        let kind = fields.oid()?;
        let value = fields.next()?;
        let attributes = match fields.is_empty() {
            true => Vec::new(),
            false => fields.next()?.raw.to_vec(),
        };
        fields.finish()?;
        if value.tag != asn1::context(0, true) {
            return Err(WalletError::Malformed { what: WHAT });
        }
        let content = match kind {
            oid::KEY_BAG => Content::Key(PrivateKey::from_pkcs8_der(value.value)?),
            oid::SHROUDED_KEY_BAG => Content::Key(unshroud(value.value, keys)?),
            oid::CERT_BAG => certificate(value.value)?,
            oid::SECRET_BAG => secret(value.value)?,
            _ => Content::Unknown,
        };
        let raw = Zeroizing::new(element.raw.to_vec());
        Ok(Self { raw, attributes, content, shrouded: kind == oid::SHROUDED_KEY_BAG, stays_plain: false })
    }

    pub(crate) fn key(key: PrivateKey, local_key_id: &[u8]) -> Self {
        let attributes = attribute_set(local_key_id);
        let raw = bag(&oid::KEY_BAG, key.pkcs8_der(), &attributes);
        Self { raw, attributes, content: Content::Key(key), shrouded: false, stays_plain: false }
    }

    pub(crate) fn certificate(certificate: Certificate, local_key_id: &[u8]) -> Self {
        let attributes = attribute_set(local_key_id);
        let body = asn1::explicit(0, &[&asn1::octets(certificate.der())]);
        let value = asn1::sequence(&[&asn1::oid(&oid::X509_CERTIFICATE), &body]);
        let raw = bag(&oid::CERT_BAG, &value, &attributes);
        Self {
            raw,
            attributes,
            content: Content::Certificate(certificate),
            shrouded: false,
            stays_plain: false,
        }
    }

    pub(crate) fn secret(secret: Secret, index: u32) -> Self {
        let attributes = attribute_set(&OracleId { kind: OracleId::SECRET, index, flags: 0 }.bytes());
        let body = asn1::explicit(0, &[&secret.to_der()]);
        let value = asn1::sequence(&[&asn1::oid(&oid::ORACLE_SECRET), &body]);
        let raw = bag(&oid::SECRET_BAG, &value, &attributes);
        Self { raw, attributes, content: Content::Secret(secret), shrouded: false, stays_plain: false }
    }

    pub(crate) fn request(request: CertificateRequest, local_key_id: &[u8]) -> Self {
        let attributes = attribute_set(local_key_id);
        let body = asn1::explicit(0, &[&asn1::octets(request.der())]);
        let value = asn1::sequence(&[&asn1::oid(&oid::ORACLE_REQUEST), &body]);
        let raw = bag(&oid::SECRET_BAG, &value, &attributes);
        Self { raw, attributes, content: Content::Request(request), shrouded: false, stays_plain: false }
    }

    /// The bag as it was read or made.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The bag with nothing in it encrypted under a password: the form for an auto-login file.
    pub(crate) fn plain(&self) -> Zeroizing<Vec<u8>> {
        match &self.content {
            Content::Key(key) if self.shrouded => bag(&oid::KEY_BAG, key.pkcs8_der(), &self.attributes),
            _ => self.raw.clone(),
        }
    }

    /// The bag for a password file: a key is encrypted once more, by `scheme`, as OpenSSL and Java write
    /// and expect it (Java's reader passes over a key that is not).
    pub(crate) fn shroud(&mut self, keys: &mut Keys<'_>, scheme: &Scheme) -> Result<(), WalletError> {
        if let Content::Key(key) = &self.content {
            let ciphertext = keys.encrypt(scheme, key.pkcs8_der())?;
            let value = asn1::sequence(&[&scheme.write(), &asn1::octets(&ciphertext)]);
            self.raw = bag(&oid::SHROUDED_KEY_BAG, &value, &self.attributes);
            self.shrouded = true;
        }
        Ok(())
    }

    pub(crate) fn local_key_id(&self) -> Option<Vec<u8>> {
        let value = self.attribute(&oid::LOCAL_KEY_ID)?;
        Element::only(&value, "localKeyID").ok()?.octets("localKeyID").ok().map(<[u8]>::to_vec)
    }

    pub(crate) fn oracle_id(&self) -> Option<OracleId> {
        OracleId::read(&self.local_key_id()?)
    }

    /// The first value of the attribute `wanted`, as it stands. Attributes that do not parse are as absent.
    fn attribute(&self, wanted: &ObjectIdentifier) -> Option<Vec<u8>> {
        if self.attributes.is_empty() {
            return None;
        }
        let set = Element::only(&self.attributes, "attributes").ok()?;
        let mut attributes = set.open(Tag::Set, "attributes").ok()?;
        while !attributes.is_empty() {
            let mut fields = attributes.sequence().ok()?;
            let kind = fields.oid().ok()?;
            let mut values = fields.next_open(Tag::Set).ok()?;
            if kind == *wanted {
                return values.next().ok().map(|value| value.raw.to_vec());
            }
        }
        None
    }
}

fn attribute_set(local_key_id: &[u8]) -> Vec<u8> {
    let value = asn1::set(&[&asn1::octets(local_key_id)]);
    asn1::set(&[&asn1::sequence(&[&asn1::oid(&oid::LOCAL_KEY_ID), &value])]).to_vec()
}

fn bag(kind: &ObjectIdentifier, value: &[u8], attributes: &[u8]) -> Zeroizing<Vec<u8>> {
    asn1::sequence(&[&asn1::oid(kind), &asn1::explicit(0, &[value]), attributes])
}

fn unshroud(value: &[u8], keys: &mut Keys<'_>) -> Result<PrivateKey, WalletError> {
    let mut fields =
        Element::only(value, "encrypted private key")?.open(Tag::Sequence, "encrypted private key")?;
    let scheme = Scheme::read(fields.next()?)?;
    let ciphertext = fields.octets()?;
    fields.finish()?;
    // The file's code was right, so this key was encrypted with another password.
    let key = keys.decrypt(&scheme, ciphertext)?.ok_or(WalletError::WrongPassword)?;
    PrivateKey::from_pkcs8_der(&key).map_err(|_| WalletError::WrongPassword)
}

fn certificate(value: &[u8]) -> Result<Content, WalletError> {
    let mut fields = Element::only(value, "certificate bag")?.open(Tag::Sequence, "certificate bag")?;
    if fields.oid()? != oid::X509_CERTIFICATE {
        return Ok(Content::Unknown);
    }
    let body = fields.next()?.open(asn1::context(0, true), "certificate bag")?.octets()?;
    // A certificate that this library cannot read is no reason to refuse the wallet it lies in.
    Ok(Certificate::from_der(body).map_or(Content::Unknown, Content::Certificate))
}

fn secret(value: &[u8]) -> Result<Content, WalletError> {
    let mut fields = Element::only(value, "secret bag")?.open(Tag::Sequence, "secret bag")?;
    let kind = fields.oid()?;
    let body: Cursor<'_> = fields.next()?.open(asn1::context(0, true), "secret bag")?;
    Ok(match kind {
        oid::ORACLE_SECRET | oid::ORACLE_SECRET_10G => {
            Secret::from_der(body).map_or(Content::Unknown, Content::Secret)
        }
        oid::ORACLE_REQUEST => request(body).map_or(Content::Unknown, Content::Request),
        _ => Content::Unknown,
    })
}

fn request(mut body: Cursor<'_>) -> Result<CertificateRequest, WalletError> {
    CertificateRequest::from_der(body.octets()?)
}
