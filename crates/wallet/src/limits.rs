//! How much a wallet file may ask of its reader.

use crate::error::WalletError;

/// Bounds on the work and memory that one hostile file can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of a file, in bytes.
    pub file_bytes: u64,
    /// Entries (keys, certificates, secrets, unknown bags) in one file.
    pub entries: usize,
    /// Key-derivation iterations of one file, all of its derivations added up.
    pub iterations: u64,
}

impl Default for Limits {
    /// 16 MiB, 16,384 entries and 20 million iterations: a few seconds of work at most.
    fn default() -> Self {
        Self { file_bytes: 16 << 20, entries: 16_384, iterations: 20_000_000 }
    }
}

/// What is left of the iterations that one file may cost.
pub(crate) struct Budget {
    left: u64,
    limit: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { left: limits.iterations, limit: limits.iterations }
    }

    /// For work that the caller asked for, not a file.
    pub(crate) fn unlimited() -> Self {
        Self { left: u64::MAX, limit: u64::MAX }
    }

    /// Takes `iterations` from what is left, before they are carried out.
    pub(crate) fn spend(&mut self, iterations: u32) -> Result<(), WalletError> {
        self.left = self.left.checked_sub(u64::from(iterations)).ok_or(WalletError::OverLimit {
            what: "number of key-derivation iterations",
            limit: self.limit,
        })?;
        Ok(())
    }
}

pub(crate) fn within(count: u64, limit: u64, what: &'static str) -> Result<(), WalletError> {
    if count > limit { Err(WalletError::OverLimit { what, limit }) } else { Ok(()) }
}
