//! Metadata files of a pair, brought together from ConfigMaps and Secrets.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::collections::BTreeMap;

use twinlock_manifest::metadata::{Files, Metadata, MetadataFiles};
use twinlock_manifest::{ManifestError, PairSpec};

type Facilities = BTreeMap<String, Files>;

const DB_INI: &str = include_str!("../../../examples/repltls/cm_replTLS/db.ini");
const ADMIN_USER: &str = include_str!("../../../examples/repltls/cm_replTLS/adminUser");
const SCHEMA: &str = include_str!("../../../examples/repltls/cm_replTLS/schema.sql");

fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// The document's ConfigMap `repl-tls`.
fn config_maps() -> Facilities {
    let config = files(&[("db.ini", DB_INI), ("adminUser", ADMIN_USER), ("schema.sql", SCHEMA)]);
    BTreeMap::from([("repl-tls".to_owned(), config)])
}

fn secrets(secret: &[(&str, &str)]) -> Facilities {
    BTreeMap::from([("repl-tls".to_owned(), files(secret))])
}

fn spec() -> PairSpec {
    PairSpec {
        db_config_map: vec!["repl-tls".into()],
        db_secret: vec!["repl-tls".into()],
        ..PairSpec::default()
    }
}

fn resolve(config_maps: &Facilities, secrets: &Facilities) -> Result<Metadata, ManifestError> {
    MetadataFiles::resolve(&spec(), config_maps, secrets)
}

fn refusal(config_maps: &Facilities, secrets: &Facilities) -> String {
    resolve(config_maps, secrets).unwrap_err().to_string()
}

/// The document's ConfigMap with one file more, or another content of one.
fn with(name: &str, text: &str) -> Facilities {
    let mut all = config_maps();
    all.get_mut("repl-tls").unwrap().insert(name.into(), text.into());
    all
}

const WALLET: [(&str, &str); 1] = [("replicationWallet", "sso")];

#[test]
fn the_documents_files_are_read() {
    let metadata = resolve(&config_maps(), &secrets(&WALLET)).unwrap();
    assert_eq!(metadata.admin_user.name(), "sampleuser");
    assert_eq!(metadata.db_ini.settings()["shared_buffers"], "200MB");
    assert_eq!(metadata.schema.unwrap().statements().len(), 2);
    assert_eq!(metadata.replication_wallet.expose(), b"sso");
    assert_eq!(metadata.replication_wallet_origin, "repl-tls/replicationWallet");
    assert!(metadata.ignored.is_empty());
}

#[test]
fn the_wallet_is_found_as_key_as_directory_and_as_the_directory_itself() {
    for secret in [
        vec![("replicationWallet", "sso")],
        vec![("replicationWallet/cwallet.sso", "sso"), ("replicationWallet/ewallet.p12", "p12")],
        vec![("cwallet.sso", "sso"), ("ewallet.p12", "p12"), ("cwallet.sso.lck", "")],
    ] {
        let metadata = resolve(&config_maps(), &secrets(&secret)).unwrap();
        assert_eq!(metadata.replication_wallet.expose(), b"sso", "{secret:?}");
        assert_eq!(metadata.ignored.len(), secret.len() - 1);
    }
}

#[test]
fn only_wallet_and_admin_user_are_required() {
    let mut config = config_maps();
    config.get_mut("repl-tls").unwrap().retain(|name, _| name == "adminUser");
    let metadata = resolve(&config, &secrets(&WALLET)).unwrap();
    assert!(metadata.schema.is_none() && metadata.db_ini.settings().is_empty());
    assert_eq!(metadata.db_ini.character_set().postgres_name(), "UTF8");

    assert_eq!(
        refusal(&config, &secrets(&[])),
        "replicationWallet: missing metadata file; looked in ConfigMap repl-tls, Secret repl-tls; make one with \
         `twinlock certs create --dir DIR` and pass `--secret NAME=DIR/serverWallet`, NAME being in spec.dbSecret"
    );
    config.get_mut("repl-tls").unwrap().clear();
    assert!(
        refusal(&config, &secrets(&WALLET))
            .starts_with("adminUser: missing metadata file; looked in ConfigMap")
    );
    let nothing = MetadataFiles::resolve(&PairSpec::default(), &config, &secrets(&WALLET)).unwrap_err();
    assert!(nothing.to_string().contains("looked in nothing: spec.dbConfigMap and spec.dbSecret are empty"));
}

#[test]
fn a_name_that_was_not_given_says_what_to_pass() {
    assert_eq!(
        refusal(&BTreeMap::new(), &secrets(&WALLET)),
        "spec.dbConfigMap: no ConfigMap named `repl-tls` was given; pass `--config repl-tls=DIR` or add a ConfigMap \
         document named `repl-tls` to the manifest"
    );
    let other = BTreeMap::from([("other".to_owned(), Files::new())]);
    assert!(refusal(&config_maps(), &other).starts_with(
        "spec.dbSecret: no Secret named `repl-tls` was given (given: other); pass `--secret repl-tls=DIR`"
    ));
}

#[test]
fn unknown_and_unsupported_files_are_named() {
    for (name, shown) in [
        (
            "db.init",
            "repl-tls/db.init: metadata file: unknown field; did you mean `db.ini`?; known fields: db.ini, adminUser",
        ),
        ("adminuser", "did you mean `adminUser`?"),
        ("db.ini/x", "repl-tls/db.ini/x: metadata file: unknown"),
        ("replicationWallet/key.pem", "repl-tls/replicationWallet/key.pem: metadata file: unknown"),
        ("cacheUser", "repl-tls/cacheUser: cacheUser: not supported: there is no cache"),
        ("cachegroups.sql", "not supported: there is no cache"),
        ("epilog.sql", "put its statements at the end of schema.sql"),
        ("csWallet/cwallet.sso", "clients use TLS with the credential of replicationWallet"),
        ("serverWallet/cwallet.sso", "--secret NAME=DIR/serverWallet"),
        ("rootWallet/cwallet.sso", "does not belong on a member"),
    ] {
        let found = refusal(&with(name, "x"), &secrets(&WALLET));
        assert!(found.contains(shown), "{found}");
    }
    for name in
        ["sqlnet.ora", "tnsnames.ora", "testUser", "a.connect", "b.csconnect", ".gitkeep", "..data/db.ini"]
    {
        let metadata = resolve(&with(name, "x"), &secrets(&WALLET)).unwrap();
        assert_eq!(metadata.ignored[0].field, format!("repl-tls/{name}"));
    }
}

#[test]
fn a_file_in_two_places_is_refused() {
    let twice = [("replicationWallet", "sso"), ("db.ini", "")];
    assert_eq!(
        refusal(&config_maps(), &secrets(&twice)),
        "repl-tls/db.ini: db.ini: given twice, first in repl-tls/db.ini; keep one of them"
    );
    let wallets = [("replicationWallet", "a"), ("replicationWallet/cwallet.sso", "b")];
    assert!(refusal(&config_maps(), &secrets(&wallets)).contains("given twice"));
}

#[test]
fn errors_inside_files_name_file_and_line() {
    for (name, text, shown) in [
        (
            "db.ini",
            "PermSize=200\nPermSise=1",
            "repl-tls/db.ini:2: PermSise: unknown field; did you mean `PermSize`?",
        ),
        ("adminUser", "sampleuser", "repl-tls/adminUser:1: no `/` between user and password"),
        (
            "schema.sql",
            "select 1;\nselect 'x",
            "repl-tls/schema.sql:2: a string begins here and does not end",
        ),
    ] {
        let found = refusal(&with(name, text), &secrets(&WALLET));
        assert!(found.starts_with(shown), "{found}");
    }
}

#[test]
fn debug_shows_neither_password_nor_wallet() {
    let shown =
        format!("{:?}", resolve(&config_maps(), &secrets(&[("replicationWallet", "topsecret")])).unwrap());
    assert!(!shown.contains("samplepw") && !shown.contains("topsecret"), "{shown}");
}
