//! Files that a program generates are committed, so that they can be read without it, and must equal what it
//! generates now.

use std::path::Path;

use super::verdict;
use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// A committed file and the arguments of `twinlock` that print it.
struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
}

/// Every generated file. A new one is a line here; `cargo xtask test --only generated` says how to make it.
const GENERATED: &[Generated] = &[];

/// Generates every file again and compares.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for generated in GENERATED {
        let mut twinlock = workspace.cargo();
        twinlock
            .args(["run", "--quiet", "--locked", "--package", "twinlock", "--"])
            .args(generated.arguments);
        let fresh = process::output(&mut twinlock)?;
        let path = workspace.root.join(generated.path);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        findings.extend(difference(generated, &committed, &fresh));
    }
    println!("{} generated files", GENERATED.len());
    verdict(findings, "Generate it again with the command named, and commit it.")
}

fn difference(generated: &Generated, committed: &str, fresh: &str) -> Option<String> {
    if committed == fresh {
        return None;
    }
    let same = committed.lines().zip(fresh.lines()).take_while(|(old, new)| old == new).count();
    Some(format!(
        "{}:{}: is not what `twinlock {}` prints",
        Path::new(generated.path).display(),
        same + 1,
        generated.arguments.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_names_file_line_and_command() {
        let generated = Generated { path: "docs/cli.md", arguments: &["help", "--markdown"] };
        assert_eq!(difference(&generated, "a\nb\n", "a\nb\n"), None);
        let found = difference(&generated, "a\nb\n", "a\nc\n");
        assert_eq!(found.as_deref(), Some("docs/cli.md:2: is not what `twinlock help --markdown` prints"));
    }
}
