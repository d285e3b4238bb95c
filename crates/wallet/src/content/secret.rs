//! Named secrets: what `mkstore` calls entries.

use std::fmt;

use der::Tag;
use zeroize::Zeroizing;

use crate::der::{self as asn1, Cursor};
use crate::error::WalletError;

/// A name and a secret value. The value is wiped when dropped and absent from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    name: String,
    value: Zeroizing<String>,
}

impl Secret {
    /// Makes a secret. Any text is allowed for both parts.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Zeroizing::new(value.into()) }
    }

    /// The name, which is not secret from who can list the wallet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(crate) fn from_der(mut body: Cursor<'_>) -> Result<Self, WalletError> {
        let mut fields = body.sequence()?;
        let name = text(&mut fields)?;
        let value = text(&mut fields)?;
        fields.finish()?;
        body.finish()?;
        Ok(Self { name: name.to_string(), value })
    }

    pub(crate) fn to_der(&self) -> Zeroizing<Vec<u8>> {
        asn1::sequence(&[
            &asn1::element(Tag::Utf8String, &[self.name.as_bytes()]),
            &asn1::element(Tag::Utf8String, &[self.value.as_bytes()]),
        ])
    }
}

fn text(fields: &mut Cursor<'_>) -> Result<Zeroizing<String>, WalletError> {
    let malformed = || WalletError::Malformed { what: "secret" };
    let element = fields.next()?;
    if !matches!(element.tag, Tag::Utf8String | Tag::PrintableString | Tag::Ia5String) {
        return Err(malformed());
    }
    let text = std::str::from_utf8(element.value).map_err(|_| malformed())?;
    Ok(Zeroizing::new(text.to_owned()))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}
