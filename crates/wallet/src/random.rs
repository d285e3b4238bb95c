//! Random bytes for keys, salts and vectors.

use crate::error::WalletError;

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), WalletError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| WalletError::Random)
}

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], WalletError> {
    let mut out = [0; N];
    fill(&mut out)?;
    Ok(out)
}
