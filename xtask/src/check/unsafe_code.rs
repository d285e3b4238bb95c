//! `unsafe` only where the kernel or PostgreSQL leaves no other way, and the shared lints everywhere else.

use std::path::Path;

use super::direction::{members, name_of};
use super::verdict;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// The crates that may have `unsafe`, each block with its reason. They cannot inherit the workspace's `forbid`.
const MAY_BE_UNSAFE: &[&str] = &["twinlock-mount", "twinlock-pgext"];

/// Looks at the manifest of every crate of the workspace.
///
/// The workspace forbids `unsafe` by a lint that no attribute can lift, so inheriting its lints is the proof.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let metadata = workspace.metadata()?;
    let root = workspace.text(Path::new("Cargo.toml"))?.unwrap_or_default();
    let mut findings = Vec::new();
    if value_in_table(&root, "[workspace.lints.rust]", "unsafe_code") != Some("\"forbid\"") {
        findings.push("Cargo.toml: the workspace does not forbid unsafe_code".to_owned());
    }
    for member in members(&metadata) {
        let manifest = Path::new(member["manifest_path"].as_str().unwrap_or_default());
        let text = std::fs::read_to_string(manifest).map_err(Failure::file("read", manifest))?;
        let inherits = value_in_table(&text, "[lints]", "workspace") == Some("true");
        if !inherits && !MAY_BE_UNSAFE.contains(&name_of(member)) {
            findings.push(format!("{}: does not inherit the lints of the workspace", name_of(member)));
        }
    }
    verdict(
        findings,
        "A crate without the shared lints could have unsafe code: add `[lints] workspace = true`.",
    )
}

/// The value of a key in a table of a manifest, for the two tables we look at, which nobody writes inline.
fn value_in_table<'a>(manifest: &'a str, table: &str, key: &str) -> Option<&'a str> {
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != table).skip(1);
    let pairs = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_count_only_in_their_own_table() {
        let inherits = |manifest| value_in_table(manifest, "[lints]", "workspace");
        assert_eq!(inherits("[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n"), Some("true"));
        assert_eq!(inherits("[lints]\n\n[dependencies]\nworkspace = true\n"), None);
        assert_eq!(inherits("[package]\nname = \"x\"\n"), None);
    }
}
