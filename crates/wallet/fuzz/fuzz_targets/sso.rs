//! Whatever bytes an auto-login file has: no panic and bounded work.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twinlock_wallet::{Limits, LocalIdentity, OpenOptions, Wallet};

fuzz_target!(|data: &[u8]| {
    let limits = Limits { file_bytes: 1 << 20, entries: 1000, iterations: 2000 };
    let local = Some(LocalIdentity { host: "dbhost".into(), user: "oracle".into() });
    let options = OpenOptions { limits, local, allow_unauthenticated: true };
    if let Ok(wallet) = Wallet::from_sso_bytes_with(data, &options) {
        let _ = wallet.credential();
        let _ = format!("{wallet:?}");
    }
});
