//! Reads and writes DER one element at a time, on top of the `der` crate.
//!
//! Elements are slices of the input: nothing is copied, nothing recurses, and what is not understood keeps
//! its exact bytes. Only definite lengths in their shortest form are accepted, which is what DER is.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode, Header, Length, Reader, SliceReader, Tag, TagNumber};
use zeroize::Zeroizing;

use crate::error::WalletError;

/// One element: tag, contents, and both together as they stand in the input.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    pub(crate) value: &'a [u8],
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// The only element of `input`; anything after it is an error.
    pub(crate) fn only(input: &'a [u8], what: &'static str) -> Result<Self, WalletError> {
        let mut cursor = Cursor::new(input, what);
        let element = cursor.next()?;
        cursor.finish()?;
        Ok(element)
    }

    /// A cursor over the elements inside this one, which must have the tag `tag`.
    pub(crate) fn open(self, tag: Tag, what: &'static str) -> Result<Cursor<'a>, WalletError> {
        if self.tag != tag {
            return Err(WalletError::Malformed { what });
        }
        Ok(Cursor::new(self.value, what))
    }

    pub(crate) fn oid(self, what: &'static str) -> Result<ObjectIdentifier, WalletError> {
        match self.tag {
            Tag::ObjectIdentifier => {
                ObjectIdentifier::from_bytes(self.value).map_err(|_| WalletError::Malformed { what })
            }
            _ => Err(WalletError::Malformed { what }),
        }
    }

    /// The algorithm of an AlgorithmIdentifier whose parameters are NULL or absent.
    pub(crate) fn plain_algorithm(self, what: &'static str) -> Result<ObjectIdentifier, WalletError> {
        let mut fields = self.open(Tag::Sequence, what)?;
        let algorithm = fields.oid()?;
        if !fields.is_empty() {
            let parameters = fields.next()?;
            if parameters.tag != Tag::Null || !parameters.value.is_empty() {
                return Err(WalletError::Malformed { what });
            }
        }
        fields.finish()?;
        Ok(algorithm)
    }

    pub(crate) fn octets(self, what: &'static str) -> Result<&'a [u8], WalletError> {
        match self.tag {
            Tag::OctetString => Ok(self.value),
            _ => Err(WalletError::Malformed { what }),
        }
    }

    pub(crate) fn unsigned(self, what: &'static str) -> Result<u64, WalletError> {
        u64::from_der(self.raw).map_err(|_| WalletError::Malformed { what })
    }
}

/// Walks over the elements of one constructed value.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// `what` names the structure in errors.
    pub(crate) fn new(input: &'a [u8], what: &'static str) -> Self {
        Self { rest: input, what }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn next(&mut self) -> Result<Element<'a>, WalletError> {
        let malformed = |_| WalletError::Malformed { what: self.what };
        let mut reader = SliceReader::new(self.rest).map_err(malformed)?;
        let header = Header::decode(&mut reader).map_err(malformed)?;
        let value = reader.read_slice(header.length()).map_err(malformed)?;
        let used = usize::try_from(reader.position()).map_err(malformed)?;
        let (raw, rest) = self.rest.split_at(used);
        self.rest = rest;
        Ok(Element { tag: header.tag(), value, raw })
    }

    pub(crate) fn next_open(&mut self, tag: Tag) -> Result<Cursor<'a>, WalletError> {
        self.next()?.open(tag, self.what)
    }

    pub(crate) fn sequence(&mut self) -> Result<Cursor<'a>, WalletError> {
        self.next_open(Tag::Sequence)
    }

    pub(crate) fn oid(&mut self) -> Result<ObjectIdentifier, WalletError> {
        self.next()?.oid(self.what)
    }

    pub(crate) fn octets(&mut self) -> Result<&'a [u8], WalletError> {
        self.next()?.octets(self.what)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, WalletError> {
        self.next()?.unsigned(self.what)
    }

    pub(crate) fn finish(self) -> Result<(), WalletError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(WalletError::Malformed { what: self.what }),
        }
    }
}

/// The tag `[number]`, constructed (explicit tagging) or primitive (implicit tagging of a string).
pub(crate) const fn context(number: u32, constructed: bool) -> Tag {
    Tag::ContextSpecific { constructed, number: TagNumber(number) }
}

/// An element of `tag` whose contents are `parts` one after the other.
///
/// The buffer has its final size from the start, so no copy of a secret is left behind by growing it.
pub(crate) fn element(tag: Tag, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    let length = Length::new(u32::try_from(size).expect("wallets are limited to far less than 4 GiB"));
    let header = Header::new(tag, length).to_der().expect("a header of a 32-bit length can be written");
    let mut out = Zeroizing::new(Vec::with_capacity(header.len() + size));
    out.extend_from_slice(&header);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    element(Tag::Sequence, parts)
}

pub(crate) fn set(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    element(Tag::Set, parts)
}

pub(crate) fn octets(value: &[u8]) -> Zeroizing<Vec<u8>> {
    element(Tag::OctetString, &[value])
}

pub(crate) fn oid(oid: &ObjectIdentifier) -> Zeroizing<Vec<u8>> {
    element(Tag::ObjectIdentifier, &[oid.as_bytes()])
}

pub(crate) fn explicit(number: u32, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    element(context(number, true), parts)
}

pub(crate) fn unsigned(value: u32) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.to_der().expect("an integer can be written"))
}

/// `SEQUENCE { oid, NULL }`, the usual AlgorithmIdentifier without parameters.
pub(crate) fn algorithm(algorithm: &ObjectIdentifier) -> Zeroizing<Vec<u8>> {
    sequence(&[&oid(algorithm), &element(Tag::Null, &[])])
}
