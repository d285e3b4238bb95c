//! Whatever the names and values of secrets are: no panic, and what is understood is written back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use twinlock_wallet::{ConnectCredential, MasterKey, MasterKeyId, Wallet};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut wallet = Wallet::new();
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        if let Ok(id) = name.parse::<MasterKeyId>() {
            let _ = id.key_id();
            if let Ok(key) = MasterKey::from_value(id.clone(), value) {
                let again = MasterKey::from_value(id, &key.to_value()).expect("what was written can be read");
                assert_eq!((again.key(), again.made()), (key.key(), key.made()));
                wallet.set_master_key(&key);
            }
        }
        wallet.set_secret(name, value);
        assert_eq!(wallet.secret(name), Some(value));
    }
    let known = wallet.connect_credentials().len();
    let replaced = wallet.set_connect_credential(&ConnectCredential::new("db1", "scott", "tiger"));
    assert!(replaced || wallet.connect_credentials().len() <= known + 1);
    assert!(wallet.delete_connect_credential("db1"));
    let _ = (wallet.master_keys(), wallet.current_master_key(None), format!("{wallet:?}"));
});
