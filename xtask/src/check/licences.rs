//! Every dependency is under a licence that we know and accept, and comes from the public registry of crates.

use serde_json::Value;

use super::direction::name_of;
use super::verdict;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Licences that ask for no more than keeping notices, by SPDX id.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The only source of dependencies, as cargo names it in every lock file.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Reads the licence and source of every package in the lock file, for every platform and feature.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let metadata = workspace.metadata()?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    println!(
        "{} packages, {} of them others'",
        packages.len(),
        packages.iter().filter(|p| !is_ours(p)).count()
    );
    let findings = packages.iter().filter_map(objection).collect();
    verdict(
        findings,
        "Use another crate; a licence that only asks for notices can be added in xtask/src/check/licences.rs.",
    )
}

fn is_ours(package: &Value) -> bool {
    package["source"].is_null()
}

fn objection(package: &Value) -> Option<String> {
    let who = format!("{} {}", name_of(package), package["version"].as_str().unwrap_or_default());
    if !is_ours(package) && package["source"] != REGISTRY {
        return Some(format!("{who} comes from {}", package["source"]));
    }
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{who} names no licence"));
    };
    match is_accepted(licence) {
        Some(true) => None,
        Some(false) => Some(format!("{who} is under {licence}")),
        None => Some(format!("{who} has a licence that cannot be read: {licence}")),
    }
}

/// Whether an SPDX expression can be satisfied with accepted licences alone; `None` if it is not well formed.
fn is_accepted(expression: &str) -> Option<bool> {
    // Old manifests separate alternatives by a slash.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let accepted = alternatives(&mut rest)?;
    rest.is_empty().then_some(accepted)
}

fn alternatives(words: &mut &[&str]) -> Option<bool> {
    let mut accepted = conjunction(words)?;
    while take(words, "OR") {
        accepted |= conjunction(words)?;
    }
    Some(accepted)
}

fn conjunction(words: &mut &[&str]) -> Option<bool> {
    let mut accepted = term(words)?;
    while take(words, "AND") {
        accepted &= term(words)?;
    }
    Some(accepted)
}

fn term(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let accepted = alternatives(words)?;
        return take(words, ")").then_some(accepted);
    }
    let (&first, rest) = words.split_first()?;
    if ["AND", "OR", "WITH", ")"].contains(&first) {
        return None;
    }
    *words = rest;
    let mut licence = first.to_owned();
    if take(words, "WITH") {
        let (&exception, rest) = words.split_first()?;
        *words = rest;
        licence = format!("{licence} WITH {exception}");
    }
    Some(ACCEPTED.contains(&licence.as_str()))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_accepted_alternative_is_enough() {
        assert_eq!(is_accepted("MIT OR Apache-2.0"), Some(true));
        assert_eq!(is_accepted("MIT/Apache-2.0"), Some(true));
        assert_eq!(is_accepted("GPL-3.0-only OR MIT"), Some(true));
        assert_eq!(is_accepted("GPL-3.0-only"), Some(false));
    }

    #[test]
    fn every_joined_licence_must_be_accepted() {
        assert_eq!(is_accepted("(MIT OR Apache-2.0) AND Unicode-3.0"), Some(true));
        assert_eq!(is_accepted("MIT AND MPL-2.0"), Some(false));
        assert_eq!(is_accepted("ISC AND (Apache-2.0 OR LGPL-2.1-or-later)"), Some(true));
        assert_eq!(is_accepted("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only"), Some(true));
        assert_eq!(is_accepted("GPL-2.0-only WITH Classpath-exception-2.0"), Some(false));
    }

    #[test]
    fn malformed_expressions_are_not_accepted() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "AND MIT", "Apache-2.0 WITH"] {
            assert_eq!(is_accepted(expression), None, "{expression}");
        }
    }

    #[test]
    fn missing_licence_and_foreign_source_are_objected_to() {
        let package = |source: &str, licence: Value| serde_json::json!({"name": "x", "version": "1.0.0", "source": source, "license": licence});
        assert_eq!(objection(&package(REGISTRY, "MIT".into())), None);
        assert!(objection(&package(REGISTRY, Value::Null)).is_some());
        assert!(objection(&package("git+https://example.org/x", "MIT".into())).is_some());
    }
}
