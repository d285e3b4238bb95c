//! Certificates and keys in files: PEM, or DER for single certificates.

use std::path::Path;

use twinlock_wallet::{Certificate, PemContents, PrivateKey, read_pem};
use zeroize::Zeroizing;

use super::failure::Failure;

/// What a file of certificates and keys holds.
pub(crate) fn read(path: &Path) -> Result<PemContents, Failure> {
    let cannot = || format!("cannot read {}", path.display());
    let bytes =
        std::fs::read(path).map(Zeroizing::new).map_err(|error| Failure::new(cannot()).because(error))?;
    if bytes.first() == Some(&0x30) {
        let certificate =
            Certificate::from_der(&bytes).map_err(|error| Failure::new(cannot()).because(error))?;
        return Ok(PemContents { certificates: vec![certificate], keys: Vec::new() });
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| Failure::new(cannot()).because(error))?;
    read_pem(text).map_err(|error| Failure::new(cannot()).because(error))
}

/// The certificates of a file that must have some.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let found = read(path)?.certificates;
    match found.is_empty() {
        true => {
            Err(Failure::new(format!("{} holds no certificate", path.display())).hint("nothing was changed"))
        }
        false => Ok(found),
    }
}

/// The one private key of a file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKey, Failure> {
    let mut keys = read(path)?.keys;
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        _ => Err(Failure::new(format!("{} must hold exactly one private key", path.display()))
            .hint("nothing was changed")),
    }
}
