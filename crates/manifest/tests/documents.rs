//! Manifests as data: each `valid/*.yaml` has what it means beside it, each `invalid/*.yaml` the message it gets.
//!
//! After an intended change: `TWINLOCK_BLESS=1 cargo test -p twinlock-manifest`, then read the difference.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use twinlock_manifest::documents::{Document, Files, parse};

fn cases(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no cases");
    paths
}

fn compare(case: &Path, actual: &str, failures: &mut String) {
    let beside = case.with_extension("expected");
    if std::env::var_os("TWINLOCK_BLESS").is_some() {
        fs::write(&beside, actual).unwrap();
    }
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    if expected != actual {
        writeln!(failures, "{}\n--- expected\n{expected}\n--- actual\n{actual}", case.display()).unwrap();
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn shown(document: &Document) -> String {
    let files = |files: &Files| {
        files.iter().fold(String::new(), |mut all, (name, bytes)| {
            writeln!(all, "  {name}: {}", String::from_utf8_lossy(bytes).escape_debug()).unwrap();
            all
        })
    };
    match document {
        Document::Pair(pair) => serde_json::to_string_pretty(pair).unwrap() + "\n",
        Document::Secret(secret) => format!("Secret {}\n{}", secret.name(), files(secret.files())),
        Document::ConfigMap(config) => format!("ConfigMap {}\n{}", config.name(), files(config.files())),
    }
}

#[test]
fn valid_manifests_mean_what_stands_beside() {
    let mut failures = String::new();
    for case in cases("valid", "yaml") {
        let text = fs::read_to_string(&case).unwrap();
        let documents = parse(&text, file_name(&case)).unwrap_or_else(|error| panic!("{error}"));
        compare(&case, &documents.iter().map(shown).collect::<String>(), &mut failures);
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn invalid_manifests_are_refused_with_the_message_beside() {
    let mut failures = String::new();
    for case in cases("invalid", "yaml") {
        let text = fs::read_to_string(&case).unwrap();
        match parse(&text, file_name(&case)) {
            Ok(_) => writeln!(failures, "{} was accepted", case.display()).unwrap(),
            Err(error) => compare(&case, &format!("{error}\n"), &mut failures),
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn pairs_read_back_from_json() {
    for case in cases("valid", "yaml") {
        for document in parse(&fs::read_to_string(&case).unwrap(), file_name(&case)).unwrap() {
            if let Document::Pair(pair) = document {
                let json = serde_json::to_string(&pair).unwrap();
                assert_eq!(serde_json::from_str::<twinlock_manifest::PairManifest>(&json).unwrap(), pair);
            }
        }
    }
}

#[test]
fn byte_order_marks_and_carriage_returns_are_taken() {
    let text = fs::read_to_string(&cases("valid", "yaml")[0]).unwrap();
    let plain = parse(&text, "f").unwrap();
    assert_eq!(parse(&format!("\u{feff}{text}"), "f").unwrap(), plain);
    assert_eq!(parse(&text.replace('\n', "\r\n"), "f").unwrap(), plain);
}
