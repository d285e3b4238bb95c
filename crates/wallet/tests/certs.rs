//! `certs::create` makes wallets that a pair can use as they are.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use time::{Duration, OffsetDateTime};
use twinlock_wallet::certs::{self, CreateOptions, Curve};
use twinlock_wallet::check::{self, Problem, Purpose};
use twinlock_wallet::{Credential, KeyAlgorithm, Wallet, WalletError};

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

fn credential(dir: &Path, name: &str) -> Credential {
    Wallet::open_auto_login(&dir.join(name)).unwrap().credential().unwrap()
}

#[test]
fn one_server_wallet_serves_both_members() {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions { host: Some("host7".into()), ..CreateOptions::new("repltls", now()) };
    let created = certs::create(dir.path(), &options).unwrap();
    let server = credential(dir.path(), certs::SERVER_WALLET);
    assert_eq!(server.name(), Some("repltls"));
    assert_eq!(server.leaf(), &created.server);
    for name in ["repltls", "host7", "localhost", "127.0.0.1", "::1"] {
        let findings = check::preflight(&server, Purpose::Replication, Some(name), now());
        assert_eq!(findings, [], "{name}");
    }
    for purpose in [Purpose::Server, Purpose::Exporter] {
        assert_eq!(check::preflight(&server, purpose, None, now()), []);
    }
    let client = credential(dir.path(), certs::CLIENT_WALLET);
    assert_eq!(check::preflight(&client, Purpose::Client, None, now()), []);
    assert_eq!(client.leaf().issuer(), "CN=repltls root");
    let refused = check::preflight(&client, Purpose::Server, None, now());
    assert_eq!(
        refused.iter().map(|finding| finding.problem).collect::<Vec<_>>(),
        [Problem::ServerUsageMissing]
    );
}

#[test]
fn files_are_private_and_stand_on_their_own() {
    let dir = tempfile::tempdir().unwrap();
    for file in certs::create(dir.path(), &CreateOptions::new("a", now())).unwrap().files {
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(std::fs::read(&file).unwrap()[3], 0x37);
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions::new("a", now());
    let first = certs::create(dir.path(), &options).unwrap();
    std::fs::remove_file(&first.files[0]).unwrap();
    let before = std::fs::read(&first.files[1]).unwrap();
    let error = certs::create(dir.path(), &options).unwrap_err();
    assert!(matches!(&error, WalletError::Exists { path } if *path == first.files[1]), "{error:?}");
    assert!(!first.files[0].exists(), "nothing was written before the refusal");
    assert_eq!(std::fs::read(&first.files[1]).unwrap(), before);

    certs::create(dir.path(), &CreateOptions { force: true, ..options }).unwrap();
    assert_ne!(std::fs::read(&first.files[1]).unwrap(), before);
}

#[test]
fn curve_and_days_are_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions { curve: Curve::P384, valid_days: 7, ..CreateOptions::new("a", now()) };
    let created = certs::create(dir.path(), &options).unwrap();
    for certificate in [&created.root, &created.server, &created.client] {
        assert_eq!(certificate.key_algorithm(), KeyAlgorithm::EcP384);
        assert_eq!(certificate.not_after(), now() + Duration::days(7));
        assert_eq!(certificate.not_before(), now() - Duration::HOUR);
    }
}
