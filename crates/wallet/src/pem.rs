//! PEM text, to and from DER.

use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::error::WalletError;
use crate::private_key::PrivateKey;

/// What was found in a PEM file, in the order in which it stood there.
#[derive(Debug, Default)]
pub struct PemContents {
    /// The certificates.
    pub certificates: Vec<Certificate>,
    /// The private keys that are not encrypted (`PRIVATE KEY`).
    pub keys: Vec<PrivateKey>,
}

pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";
pub(crate) const REQUEST: &str = "CERTIFICATE REQUEST";
pub(crate) const REVOCATION_LIST: &str = "X509 CRL";

/// Reads certificates and private keys out of PEM text; text between them is passed over.
///
/// # Errors
/// A block that does not parse, or a private key in a form other than unencrypted PKCS#8: the error says
/// which `openssl` command turns it into that.
pub fn read_pem(text: &str) -> Result<PemContents, WalletError> {
    let mut found = PemContents::default();
    for block in blocks(text)? {
        let der = decode(block.text)?;
        match block.label {
            CERTIFICATE | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
                found.certificates.push(Certificate::from_der(&der)?);
            }
            PRIVATE_KEY => found.keys.push(PrivateKey::from_pkcs8_der(&der)?),
            label if label.ends_with("PRIVATE KEY") => {
                return Err(WalletError::Unsupported {
                    what: "form of private key",
                    name: format!("{label}; convert it with: openssl pkcs8 -topk8 -nodes -in KEY -out NEW"),
                });
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The DER of the only block in `text`, which must have this label.
pub(crate) fn read_one(text: &str, label: &'static str) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    match blocks(text)?.as_slice() {
        [block] if block.label == label || (label == REQUEST && block.label == "NEW CERTIFICATE REQUEST") => {
            decode(block.text)
        }
        _ => Err(WalletError::Malformed { what: label }),
    }
}

pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let text = pem_rfc7468::encode_string(label, LineEnding::LF, der);
    Zeroizing::new(text.expect("labels are constants and lengths are limited"))
}

struct Block<'a> {
    label: &'a str,
    text: &'a str,
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, WalletError> {
    const BEGIN: &str = "-----BEGIN ";
    let unfinished = || WalletError::Malformed { what: "PEM text" };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        rest = &rest[start..];
        let label_end = rest[BEGIN.len()..].find("-----").ok_or_else(unfinished)? + BEGIN.len();
        let label = &rest[BEGIN.len()..label_end];
        let end = format!("-----END {label}-----");
        let length = rest.find(&end).ok_or_else(unfinished)? + end.len();
        found.push(Block { label, text: &rest[..length] });
        rest = &rest[length..];
    }
    Ok(found)
}

fn decode(block: &str) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    match pem_rfc7468::decode_vec(block.as_bytes()) {
        Ok((_, der)) => Ok(Zeroizing::new(der)),
        Err(_) => Err(WalletError::Malformed { what: "PEM text" }),
    }
}
