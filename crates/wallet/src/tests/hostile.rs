//! Files made to do harm: no panic, no unbounded work, and an error that says what is wrong.

use std::path::Path;
use std::time::{Duration, Instant};

use super::cheap;
use crate::der as asn1;
use crate::limits::Limits;
use crate::oid;
use crate::pkcs12::kdf::Hash;
use crate::pkcs12::mac::Mac;
use crate::{OpenOptions, Password, Wallet, WalletError};

fn password() -> Password {
    Password::new("Probe#2026")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn small() -> Vec<u8> {
    let mut wallet = Wallet::new();
    wallet.set_secret("name", "value");
    wallet.to_p12_bytes(&password(), &cheap()).unwrap()
}

fn with_code(iterations: u32) -> Vec<u8> {
    let safe = asn1::sequence(&[]);
    let mut mac = Mac::compute(Hash::Sha1, vec![1; 8], 1.try_into().unwrap(), &password(), &safe);
    mac.iterations = iterations.try_into().unwrap();
    let data = asn1::explicit(0, &[&asn1::octets(&safe)]);
    asn1::sequence(&[&asn1::unsigned(3), &asn1::sequence(&[&asn1::oid(&oid::DATA), &data]), &mac.write()])
        .to_vec()
}

#[test]
fn files_cut_anywhere_are_errors() {
    let (p12, sso) = (small(), sample("cwallet-37.sso"));
    for length in 0..p12.len() {
        assert!(Wallet::from_p12_bytes(&p12[..length], &password()).is_err(), "{length}");
    }
    for length in (0..sso.len()).step_by(3) {
        assert!(Wallet::from_sso_bytes(&sso[..length]).is_err(), "{length}");
    }
}

#[test]
fn files_with_something_after_them_are_errors() {
    let longer = [small(), vec![0]].concat();
    assert!(matches!(Wallet::from_p12_bytes(&longer, &password()), Err(WalletError::Malformed { .. })));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let intact = small();
    for at in 0..intact.len() * 8 {
        let mut altered = intact.clone();
        altered[at / 8] ^= 1 << (at % 8);
        let options = OpenOptions {
            limits: Limits { iterations: 100_000, ..Limits::default() },
            ..OpenOptions::default()
        };
        let opened = Wallet::from_p12_bytes_with(&altered, &password(), &options);
        assert!(opened.is_err(), "bit {at}");
    }
}

#[test]
fn iterations_beyond_the_limit_are_refused_before_they_are_made() {
    let start = Instant::now();
    for iterations in [20_000_001, u32::MAX] {
        let error = Wallet::from_p12_bytes(&with_code(iterations), &password()).unwrap_err();
        assert!(matches!(error, WalletError::OverLimit { limit: 20_000_000, .. }), "{error:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn iterations_are_added_up_over_the_file() {
    let limits = Limits { iterations: 3, ..Limits::default() };
    let mut wallet = Wallet::new();
    wallet.set_secret("a", "b");
    let two = crate::Derivation { iterations: 2.try_into().unwrap(), ..cheap() };
    let bytes = wallet.to_p12_bytes(&password(), &two).unwrap();
    let open = |iterations| {
        let options = OpenOptions { limits: Limits { iterations, ..limits }, ..OpenOptions::default() };
        Wallet::from_p12_bytes_with(&bytes, &password(), &options)
    };
    assert!(open(3).is_ok());
    assert!(matches!(open(2), Err(WalletError::OverLimit { .. })));
}

#[test]
fn size_and_number_of_entries_are_limited() {
    let mut wallet = Wallet::new();
    for number in 0..10 {
        wallet.set_secret(&number.to_string(), "value");
    }
    let bytes = wallet.to_p12_bytes(&password(), &cheap()).unwrap();
    for limits in [
        Limits { entries: 9, ..Limits::default() },
        Limits { file_bytes: bytes.len() as u64 - 1, ..Limits::default() },
    ] {
        let options = OpenOptions { limits, ..OpenOptions::default() };
        let error = Wallet::from_p12_bytes_with(&bytes, &password(), &options).unwrap_err();
        assert!(matches!(error, WalletError::OverLimit { .. }), "{error:?}");
    }
}

#[test]
fn deep_nesting_costs_no_stack() {
    let mut nested = asn1::sequence(&[]).to_vec();
    for _ in 0..20_000 {
        nested = asn1::sequence(&[&nested]).to_vec();
    }
    assert!(Wallet::from_p12_bytes(&nested, &password()).is_err());
    assert!(crate::Certificate::from_der(&nested).is_err());
    assert!(crate::PrivateKey::from_pkcs8_der(&nested).is_err());
}

#[test]
fn damage_is_told_from_a_wrong_password_wherever_the_first_block_is_whole() {
    for name in ["ewallet-3des.p12", "ewallet-aes.p12"] {
        let intact = sample(name);
        for at in [200, 1000, intact.len() / 2, intact.len() - 100] {
            let mut damaged = intact.clone();
            damaged[at] ^= 0x40;
            let error = Wallet::from_p12_bytes(&damaged, &password()).unwrap_err();
            assert!(matches!(error, WalletError::Damaged), "{name} at {at}: {error:?}");
        }
        for wrong in ["", "Probe#2025", "probe#2026"] {
            let error = Wallet::from_p12_bytes(&intact, &Password::new(wrong)).unwrap_err();
            assert!(matches!(error, WalletError::WrongPassword), "{name} with {wrong:?}: {error:?}");
        }
    }
}

#[test]
fn empty_wallet_tells_damage_from_a_wrong_password_too() {
    let mut damaged = Wallet::new().to_p12_bytes(&password(), &cheap()).unwrap();
    assert!(matches!(Wallet::from_p12_bytes(&damaged, &Password::new("x")), Err(WalletError::WrongPassword)));
    let code = damaged.len() - 20;
    damaged[code] ^= 1;
    assert!(matches!(Wallet::from_p12_bytes(&damaged, &password()), Err(WalletError::Damaged)));
}

#[test]
fn many_keys_and_certificates_are_paired_in_bounded_time() {
    use crate::issue::{self, KeyKind, Template, Validity};
    use crate::pkcs12::bag::Bag;
    let validity = Validity::days(time::macros::datetime!(2026-01-01 00:00 UTC), 30);
    let template = Template::new("x", validity);
    let key = || crate::PrivateKey::generate(KeyKind::EcP256).unwrap();
    let foreign = issue::self_sign(&template, &key()).unwrap();
    let mut wallet = Wallet::new();
    for _ in 0..2000 {
        wallet.bags.push(Bag::key(key(), b"id"));
        wallet.bags.push(Bag::certificate(foreign.clone(), b"id"));
    }
    let start = Instant::now();
    assert!(matches!(wallet.credential(), Err(WalletError::NoCertificate)));
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
}
