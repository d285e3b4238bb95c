//! Shell scripts are linted: the ones with `.sh` in their name and the ones that begin as a shell script.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Runs shellcheck over every script.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let mut scripts: Vec<PathBuf> = Vec::new();
    for file in workspace.files()? {
        if workspace.text(&file)?.is_some_and(|text| is_script(&file, &text)) {
            scripts.push(file);
        }
    }
    if scripts.is_empty() {
        return Ok(());
    }
    println!("{} scripts", scripts.len());
    process::run(process::program("shellcheck").current_dir(&workspace.root).arg("--").args(scripts))
}

fn is_script(file: &Path, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let interpreter =
        first.strip_prefix("#!").and_then(|rest| rest.split(['/', ' ']).rfind(|word| !word.is_empty()));
    file.extension().is_some_and(|extension| extension == "sh")
        || interpreter.is_some_and(|name| ["sh", "bash", "dash"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_known_by_name_or_first_line() {
        assert!(is_script(Path::new("a.sh"), "echo"));
        assert!(is_script(Path::new("run"), "#!/usr/bin/env bash\n"));
        assert!(is_script(Path::new("run"), "#!/bin/sh\n"));
        assert!(!is_script(Path::new("run"), "#!/usr/bin/python3\n"));
        assert!(!is_script(Path::new("README.md"), "about bash\n"));
    }
}
