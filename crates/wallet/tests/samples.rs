//! Wallets made by Oracle's tools, or byte for byte in their form, open and give what they hold.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::{Path, PathBuf};

use twinlock_wallet::{AutoLoginKind, LocalIdentity, OpenOptions, Password, Unlock, Wallet, WalletError};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn probe() -> Password {
    Password::new("Probe#2026")
}

fn oracle_at_dbhost() -> OpenOptions {
    let local = LocalIdentity { host: "dbhost".into(), user: "oracle".into() };
    OpenOptions { local: Some(local), ..OpenOptions::default() }
}

#[test]
fn wallet_made_by_mkstore_opens() {
    let wallet =
        Wallet::open_with_password(&sample("dotnet/ewallet.p12"), &Password::new("123Wallet")).unwrap();
    let secrets: Vec<_> = wallet.secrets().map(|secret| (secret.name(), secret.value())).collect();
    assert_eq!(secrets.len(), 4, "{wallet:?}");
    assert_eq!(wallet.secret("oracle.security.client.connect_string1"), Some("a_prod_db"));
}

#[test]
fn every_kind_and_cipher_gives_the_same_contents() {
    let reference = Wallet::open_with_password(&sample("ewallet-3des.p12"), &probe()).unwrap();
    let others = [
        Wallet::open_with_password(&sample("ewallet-aes.p12"), &probe()).unwrap(),
        Wallet::open_auto_login(&sample("cwallet-36.sso")).unwrap(),
        Wallet::open_auto_login(&sample("cwallet-37.sso")).unwrap(),
        Wallet::open(&sample("cwallet-38.sso"), &Unlock::AutoLogin, &oracle_at_dbhost()).unwrap(),
    ];
    for other in others {
        assert_eq!(other.credential().unwrap().leaf(), reference.credential().unwrap().leaf());
        assert!(other.secrets().eq(reference.secrets()));
        assert!(other.trusted().eq(reference.trusted()));
    }
}

#[test]
fn kinds_are_told_apart() {
    let kind = |name| Wallet::open_auto_login(&sample(name)).unwrap().auto_login_kind();
    assert_eq!(kind("cwallet-36.sso"), Some(AutoLoginKind::WithPasswordFile));
    assert_eq!(kind("cwallet-37.sso"), Some(AutoLoginKind::Only));
}

#[test]
fn local_wallet_refuses_another_host_or_user() {
    let path = sample("cwallet-38.sso");
    let somebody = LocalIdentity { host: "dbhost".into(), user: "somebody".into() };
    let elsewhere = OpenOptions { local: Some(somebody), ..OpenOptions::default() };
    for options in [OpenOptions::default(), elsewhere] {
        let error = Wallet::open(&path, &Unlock::AutoLogin, &options).unwrap_err();
        assert!(matches!(error.kind(), WalletError::OtherHostOrUser), "{error:?}");
    }
}

#[test]
fn wrong_password_is_told_from_damage() {
    let path = sample("ewallet-aes.p12");
    let error = Wallet::open_with_password(&path, &Password::new("not it")).unwrap_err();
    assert!(matches!(error.kind(), WalletError::WrongPassword), "{error:?}");

    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1500] ^= 1;
    let error = Wallet::from_p12_bytes(&bytes, &probe()).unwrap_err();
    assert!(matches!(error, WalletError::Damaged), "{error:?}");
}

#[test]
fn missing_wallet_is_named_as_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("replicationWallet");
    for path in [missing.clone(), missing.join("cwallet.sso")] {
        match Wallet::open_auto_login(&path) {
            Err(WalletError::NotFound { directory, file }) => {
                assert_eq!((directory, file), (missing.clone(), "cwallet.sso"));
            }
            other => panic!("{other:?}"),
        }
    }
}
