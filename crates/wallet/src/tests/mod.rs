//! Tests that need to see inside: crashes at each step, bytes that survive, files made to do harm.

mod crash;
mod hostile;
mod properties;
mod rewrite;
mod secrecy;

use crate::Derivation;

/// So little work that thousands of wallets can be made.
fn cheap() -> Derivation {
    let one = 1.try_into().unwrap();
    Derivation { iterations: one, code_iterations: one, ..Derivation::ORACLE }
}

fn cheap_and_old() -> Derivation {
    Derivation { encryption: crate::Encryption::TripleDes, ..cheap() }
}
