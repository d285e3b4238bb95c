//! Amounts of storage, in Kubernetes' notation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of storage such as `50Gi`, kept as the user wrote it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity {
    text: String,
    bytes: u64,
}

/// Why a text is no amount of storage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Neither digits nor a known suffix.
    #[error("not an amount of storage")]
    Malformed,
    /// Zero bytes, or more than 2^63.
    #[error("not between 1 byte and 8191Pi")]
    OutOfRange,
}

const SUFFIXES: [(&str, u64); 11] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("", 1),
];

impl Quantity {
    /// The amount in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The amount as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits_end);
        let (_, unit) =
            SUFFIXES.iter().find(|(known, _)| *known == suffix).ok_or(QuantityError::Malformed)?;
        let bytes = scaled(number, *unit)?;
        match bytes {
            1..=0x7fff_ffff_ffff_ffff => Ok(Self { text: text.to_owned(), bytes: bytes as u64 }),
            _ => Err(QuantityError::OutOfRange),
        }
    }
}

/// `number` × `unit`, rounded up to whole bytes as Kubernetes does. At most nine decimals.
fn scaled(number: &str, unit: u64) -> Result<u128, QuantityError> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 9 || number.ends_with('.')
    {
        return Err(QuantityError::Malformed);
    }
    let denominator = 10_u128.pow(decimals.len() as u32);
    let scaled: u128 = format!("{whole}{decimals}").parse().map_err(|_| QuantityError::OutOfRange)?;
    let product = scaled.checked_mul(u128::from(unit)).ok_or(QuantityError::OutOfRange)?;
    Ok(product.div_ceil(denominator))
}

/// Two amounts are equal when they are the same number of bytes: `1Gi` and `1024Mi` are.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Quantity {}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Quantity {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> String {
        quantity.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        for (text, bytes) in
            [("50Gi", 50 << 30), ("1", 1), ("1.5k", 1500), ("0.5Ki", 512), ("250Gi", 250 << 30), ("0.1", 1)]
        {
            assert_eq!(text.parse::<Quantity>().unwrap().bytes(), bytes, "{text}");
        }
        assert_eq!("1Gi".parse::<Quantity>(), "1024Mi".parse::<Quantity>());
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "Gi", "50GB", "50 Gi", "-1", "1e3", "1.", ".5", "1.2.3", "50gi"] {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError::Malformed), "{text}");
        }
        for text in ["0", "0Gi", "9000Pi", "99999999999999999999999999999999999999999"] {
            assert_eq!(text.parse::<Quantity>(), Err(QuantityError::OutOfRange), "{text}");
        }
    }
}
