//! The PFX: authenticated safe, contents and authentication code.

use std::num::NonZeroU32;

use der::Tag;
use zeroize::Zeroizing;

use super::bag::Bag;
use super::kdf::Hash;
use super::mac::Mac;
use super::pbe::{Keys, Scheme};
use crate::der::{self as asn1, Cursor, Element};
use crate::error::WalletError;
use crate::limits::{Limits, within};
use crate::oid;

/// A PKCS#12 file, opened.
pub(crate) struct Pfx {
    pub(crate) bags: Vec<Bag>,
    /// ContentInfos that are not understood, as they stand.
    pub(crate) unknown_contents: Vec<Vec<u8>>,
    /// How the first encrypted contents were encrypted.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) mac: Option<Mac>,
}

/// The parts that can be seen without the password.
struct Outline<'a> {
    safe: &'a [u8],
    mac: Option<Mac>,
}

/// How a new file is to be protected.
pub(crate) struct Protection {
    pub(crate) scheme: Scheme,
    pub(crate) mac_salt: Vec<u8>,
    pub(crate) mac_iterations: NonZeroU32,
}

/// The salt of the file's authentication code, which wallets that belong together share.
pub(crate) fn mac_salt(bytes: &[u8]) -> Result<Option<Vec<u8>>, WalletError> {
    Ok(Outline::read(bytes)?.mac.map(|mac| mac.salt))
}

impl Pfx {
    /// Verifies the authentication code and decrypts everything.
    ///
    /// Without a code in the file the contents are taken only if `code_required` is false: anybody can
    /// make such a file, and add trusted certificates to it, without knowing the password.
    pub(crate) fn read(
        bytes: &[u8],
        keys: &mut Keys<'_>,
        limits: &Limits,
        code_required: bool,
    ) -> Result<Self, WalletError> {
        let Outline { safe, mac } = Outline::read(bytes)?;
        match &mac {
            Some(mac) if !mac.verifies(keys, safe)? => return Err(blame(safe, keys)),
            None if code_required => return Err(WalletError::NoAuthenticationCode),
            Some(_) | None => {}
        }
        let mut pfx = Self { bags: Vec::new(), unknown_contents: Vec::new(), scheme: None, mac };
        let mut contents = contents_of(safe)?;
        while !contents.is_empty() {
            pfx.read_content(contents.next()?, keys, limits)?;
        }
        Ok(pfx)
    }

    fn read_content(
        &mut self,
        element: Element<'_>,
        keys: &mut Keys<'_>,
        limits: &Limits,
    ) -> Result<(), WalletError> {
        match ContentInfo::read(element)? {
            ContentInfo::Data(plain) => self.read_bags(plain, keys, limits),
            ContentInfo::Encrypted { scheme, ciphertext } => {
                let plain = keys.decrypt(&scheme, ciphertext)?.ok_or(WalletError::WrongPassword)?;
                self.scheme.get_or_insert(scheme);
                self.read_bags(&plain, keys, limits)
            }
            ContentInfo::Unknown => {
                self.unknown_contents.push(element.raw.to_vec());
                within(self.unknown_contents.len() as u64, limits.entries as u64, "number of entries")
            }
        }
    }

    fn read_bags(&mut self, plain: &[u8], keys: &mut Keys<'_>, limits: &Limits) -> Result<(), WalletError> {
        let mut bags = Element::only(plain, "contents")?.open(Tag::Sequence, "contents")?;
        while !bags.is_empty() {
            within(self.bags.len() as u64 + 1, limits.entries as u64, "number of entries")?;
            self.bags.push(Bag::read(bags.next()?, keys)?);
        }
        Ok(())
    }
}

/// Writes a file in the form that Oracle's tools write: all bags in one encrypted ContentInfo, then the
/// ContentInfos that were not understood when the file was read.
pub(crate) fn write(
    bags: &[Zeroizing<Vec<u8>>],
    unknown_contents: &[Vec<u8>],
    protection: Protection,
    keys: &mut Keys<'_>,
) -> Result<Vec<u8>, WalletError> {
    let bags: Vec<&[u8]> = bags.iter().map(|bag| bag.as_slice()).collect();
    let ciphertext = keys.encrypt(&protection.scheme, &asn1::sequence(&bags))?;
    let encrypted = encrypted_content(&protection.scheme, &ciphertext);
    let contents: Vec<&[u8]> =
        std::iter::once(encrypted.as_slice()).chain(unknown_contents.iter().map(Vec::as_slice)).collect();
    let safe = asn1::sequence(&contents);

    keys.spend(protection.mac_iterations.get())?;
    let (salt, rounds) = (protection.mac_salt, protection.mac_iterations);
    // Oracle's tools write SHA-1 here to this day, and whether they read another is not known. What the
    // code rests on is HMAC and the cost of the derivation, not collision resistance.
    let mac = Mac::compute(Hash::Sha1, salt, rounds, keys.password(), &safe);
    let data = asn1::explicit(0, &[&asn1::octets(&safe)]);
    let content = asn1::sequence(&[&asn1::oid(&oid::DATA), &data]);
    Ok(asn1::sequence(&[&asn1::unsigned(3), &content, &mac.write()]).to_vec())
}

fn encrypted_content(scheme: &Scheme, ciphertext: &[u8]) -> Zeroizing<Vec<u8>> {
    let ciphertext = asn1::element(asn1::context(0, false), &[ciphertext]);
    let content = asn1::sequence(&[&asn1::oid(&oid::DATA), &scheme.write(), &ciphertext]);
    let encrypted_data = asn1::sequence(&[&asn1::unsigned(0), &content]);
    asn1::sequence(&[&asn1::oid(&oid::ENCRYPTED_DATA), &asn1::explicit(0, &[&encrypted_data])])
}

impl<'a> Outline<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, WalletError> {
        let mut fields = Element::only(bytes, "PKCS#12 file")?.open(Tag::Sequence, "PKCS#12 file")?;
        let version = fields.unsigned()?;
        if version != 3 {
            return Err(WalletError::Unsupported { what: "PKCS#12 version", name: version.to_string() });
        }
        let safe = match ContentInfo::read(fields.next()?)? {
            ContentInfo::Data(safe) => safe,
            _ => return Err(WalletError::NoAuthenticationCode),
        };
        let mac = if fields.is_empty() { None } else { Some(Mac::read(fields.next()?)?) };
        fields.finish()?;
        Ok(Self { safe, mac })
    }
}

fn contents_of(safe: &[u8]) -> Result<Cursor<'_>, WalletError> {
    Element::only(safe, "authenticated safe")?.open(Tag::Sequence, "authenticated safe")
}

enum ContentInfo<'a> {
    Data(&'a [u8]),
    Encrypted { scheme: Scheme, ciphertext: &'a [u8] },
    Unknown,
}

impl<'a> ContentInfo<'a> {
    fn read(element: Element<'a>) -> Result<Self, WalletError> {
        let mut fields = element.open(Tag::Sequence, "ContentInfo")?;
        let kind = fields.oid()?;
        if kind != oid::DATA && kind != oid::ENCRYPTED_DATA {
            return Ok(Self::Unknown);
        }
        let mut body = fields.next_open(asn1::context(0, true))?;
        fields.finish()?;
        if kind == oid::DATA {
            return Ok(Self::Data(body.octets()?));
        }
        let mut data = body.sequence()?;
        data.unsigned()?; // The version follows from the attributes, which nothing here uses.
        let mut content = data.sequence()?;
        content.oid()?;
        let scheme = Scheme::read(content.next()?)?;
        let ciphertext = content.next()?;
        if ciphertext.tag != asn1::context(0, false) {
            return Err(WalletError::Malformed { what: "encrypted contents" });
        }
        Ok(Self::Encrypted { scheme, ciphertext: ciphertext.value })
    }
}

/// Why the authentication code does not match: the wrong password, or the right one and a damaged file.
///
/// With the right password the first block of the contents decrypts to the header of a SEQUENCE of exactly
/// the length that the ciphertext has room for; another password does that about once in a million times.
fn blame(safe: &[u8], keys: &mut Keys<'_>) -> WalletError {
    let mut fits = || -> Result<bool, WalletError> {
        let mut contents = contents_of(safe)?;
        while !contents.is_empty() {
            if let ContentInfo::Encrypted { scheme, ciphertext } = ContentInfo::read(contents.next()?)? {
                let first = keys.decrypt_first_block(&scheme, ciphertext)?;
                return Ok(first.is_some_and(|first| starts_contents(&first, ciphertext.len())));
            }
        }
        Ok(false)
    };
    match fits() {
        Ok(true) => WalletError::Damaged,
        Ok(false) => WalletError::WrongPassword,
        Err(limit @ WalletError::OverLimit { .. }) => limit,
        Err(_) => WalletError::Damaged,
    }
}

fn starts_contents(first: &[u8], ciphertext_bytes: usize) -> bool {
    let block = first.len();
    let (body, header) = match *first {
        [0x30, short @ ..=0x7F, ..] => (usize::from(short), 2),
        [0x30, 0x81, a, ..] => (usize::from(a), 3),
        [0x30, 0x82, a, b, ..] => (usize::from(u16::from_be_bytes([a, b])), 4),
        [0x30, 0x83, a, b, c, ..] => (usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c), 5),
        _ => return false,
    };
    let padded = (header + body + 1).next_multiple_of(block);
    let next = if body == 0 { u8::try_from(block - header).ok() } else { Some(0x30) };
    padded == ciphertext_bytes && first.get(header).copied() == next
}
