use std::collections::BTreeMap;

use super::*;
use crate::documents::{Document, PairManifest, parse};
use crate::metadata::{Files, Metadata, MetadataFiles};

const MANIFEST: &str = include_str!("../../tests/valid/document-000.yaml");

fn manifest(text: &str) -> PairManifest {
    match parse(text, "m.yaml").unwrap().remove(0) {
        Document::Pair(pair) => pair,
        other => panic!("{other:?}"),
    }
}

fn metadata(pair: &PairManifest, changes: &[(&str, &str)]) -> Metadata {
    let document = [
        ("db.ini", "PermSize=200\nDatabaseCharacterSet=AL32UTF8"),
        ("adminUser", "sampleuser/samplepw"),
        ("schema.sql", "create sequence sampleuser.s;"),
        ("replicationWallet", "sso"),
    ];
    let files: Files = document
        .iter()
        .chain(changes)
        .map(|(name, text)| ((*name).into(), text.as_bytes().to_vec()))
        .collect();
    let facilities =
        |names: &[String], files: Files| names.iter().map(|n| (n.clone(), files.clone())).collect();
    let secrets: BTreeMap<String, Files> = facilities(&pair.spec.db_secret, Files::new());
    MetadataFiles::resolve(&pair.spec, &facilities(&pair.spec.db_config_map, files), &secrets).unwrap()
}

fn applied(text: &str, changes: &[(&str, &str)]) -> Applied {
    let pair = manifest(text);
    Applied::new(&pair, &metadata(&pair, changes))
}

/// The difference between the document's manifest and one with `from` replaced by `to`.
fn with(from: &str, to: &str) -> Result<Changes, Refused> {
    assert!(MANIFEST.contains(from));
    diff(&applied(MANIFEST, &[]), &applied(&MANIFEST.replace(from, to), &[]))
}

/// The difference when a file has other content.
fn with_file(name: &str, text: &str) -> Result<Changes, Refused> {
    diff(&applied(MANIFEST, &[]), &applied(MANIFEST, &[(name, text)]))
}

#[test]
fn applying_again_changes_nothing() {
    let changes = with("repltls", "repltls").unwrap();
    assert!(changes.is_empty() && changes.notes.is_empty() && changes.lines().is_empty());
    // Another spelling of the same, too.
    assert!(with("SSL_ECDHE", "TLS_ECDHE").unwrap().is_empty());
    assert!(with("250Gi", "256000Mi").unwrap().is_empty());
    assert!(with_file("db.ini", "permsize = 200\nDatabaseCharacterSet=UTF8\n").unwrap().is_empty());
    assert!(
        with_file("schema.sql", "-- nothing new\ncreate sequence sampleuser.s").unwrap().notes.is_empty()
    );
    assert!(with("image: container", "image: other").unwrap().is_empty());
}

#[test]
fn each_changed_field_is_named() {
    for (from, to, lines) in [
        (
            "SSL_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_AES_128_GCM_SHA256",
            "replicationCipherSuite: SSL_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 → TLS_AES_128_GCM_SHA256",
        ),
        ("replicationSSLMandatory: 1", "replicationSSLMandatory: 0", "replicationSSLMandatory: 1 → 0"),
        (
            "    image:",
            "    repReturnServiceAttribute: NO RETURN\n    image:",
            "replicationReturn: durable → async",
        ),
        ("    image:", "    stopManaging: now\n    image:", "stopManaging: changed"),
        ("    image:", "    reexamine: now\n    image:", "reexamine: changed"),
        (
            "    image:",
            "    pollingInterval: 1\n    bothDownBehavior: Manual\n    image:",
            "pollingInterval: changed; bothDownBehavior: changed",
        ),
        ("250Gi", "300Gi", "storageSize: changed"),
    ] {
        let changes = with(from, to).unwrap();
        assert_eq!(changes.lines().join("; "), lines);
        assert!(!changes.is_empty() && !changes.needs_restart() && changes.notes.is_empty());
    }
}

#[test]
fn settings_and_wallet_are_compared_by_content() {
    let changes = with_file("db.ini", "PermSize=300\nLockWait=1").unwrap();
    assert_eq!(
        changes.lines(),
        [
            "setting lock_timeout: default → 1000ms (reload)",
            "setting shared_buffers: 200MB → 300MB (restart)"
        ]
    );
    assert!(changes.needs_restart());
    let changes = with_file("db.ini", "PermSize=200\npg.shared_preload_libraries=auto_explain").unwrap();
    assert_eq!(changes.lines(), ["setting shared_preload_libraries: default → auto_explain (restart)"]);
    let changes = with_file("replicationWallet", "another").unwrap();
    assert!(changes.wallet && changes.lines() == ["replicationWallet: changed"]);
}

#[test]
fn what_is_read_once_yields_a_note() {
    for text in ["sampleuser/otherpw", "otheruser/samplepw"] {
        let changes = with_file("adminUser", text).unwrap();
        assert!(changes.is_empty());
        assert!(
            changes.notes[0].starts_with("adminUser is read once") && !changes.notes[0].contains("otherpw")
        );
    }
    let changes = with_file("schema.sql", "create sequence sampleuser.t;").unwrap();
    assert!(changes.is_empty() && changes.notes[0].contains("`twinlock psql repltls`"));
}

#[test]
fn what_cannot_change_is_refused_by_name() {
    assert_eq!(
        with("250Gi", "50Gi").unwrap_err().to_string(),
        "storageSize cannot change from 250Gi to 50Gi: storage can grow, not shrink; write the old amount or more"
    );
    for (from, to, field) in [
        ("name: repltls", "name: other", "metadata.name"),
        ("name: repltls", "name: repltls\n  namespace: x", "metadata.namespace"),
        ("    image:", "    repPort: 4444\n    image:", "repPort"),
    ] {
        assert_eq!(with(from, to).unwrap_err().field, field);
    }
    assert_eq!(
        with_file("db.ini", "DatabaseCharacterSet=WE8ISO8859P1").unwrap_err().to_string(),
        "DatabaseCharacterSet cannot change from UTF8 to LATIN1: the data is stored in it; declare a second pair and \
         move the data with pg_dump"
    );
}

#[test]
fn what_was_applied_reads_back_and_holds_no_secret() {
    let applied = applied(MANIFEST, &[]);
    let json = serde_json::to_string(&applied).unwrap();
    assert!(!json.contains("samplepw"));
    assert_eq!(serde_json::from_str::<Applied>(&json).unwrap(), applied);
}
