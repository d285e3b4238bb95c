//! Whatever bytes a PKCS#12 file has: no panic, bounded work, and what opens survives being written.
#![no_main]

use std::num::NonZeroU32;

use libfuzzer_sys::fuzz_target;
use twinlock_wallet::{Derivation, Limits, OpenOptions, Password, Wallet};

fuzz_target!(|data: &[u8]| {
    let limits = Limits { file_bytes: 1 << 20, entries: 1000, iterations: 2000 };
    // Without this the fuzzer would first have to find an authentication code.
    let options = OpenOptions { limits, local: None, allow_unauthenticated: true };
    let password = Password::new("fuzz");
    let Ok(wallet) = Wallet::from_p12_bytes_with(data, &password, &options) else { return };
    exercise(&wallet);
    let derivation =
        Derivation { iterations: NonZeroU32::MIN, code_iterations: NonZeroU32::MIN, ..Derivation::ORACLE };
    let written = wallet.to_p12_bytes(&password, &derivation).expect("what was read can be written");
    let again = Wallet::from_p12_bytes(&written, &password).expect("what was written can be read");
    assert_eq!(wallet.len(), again.len());
    assert!(wallet.secrets().eq(again.secrets()));
    assert!(wallet.trusted().eq(again.trusted()));
    assert!(wallet.certificates().eq(again.certificates()));
});

fn exercise(wallet: &Wallet) {
    let _ = wallet.credential().map(|credential| credential.name().map(str::len));
    let _ = (wallet.connect_credentials(), wallet.master_keys(), wallet.current_master_key(None));
    let _ = format!("{wallet:?}");
}
