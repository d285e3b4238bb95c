//! Executes tutorials: a tutorial is a page that a person can follow, and a test that the page is true.
//!
//! `tutorials/NNN-name/README.md` is Markdown. What is special in it, and nothing else:
//!
//! - A block fenced as `console` is executed: a line that begins with `% ` or `$ ` is a command, lines that begin with
//!   `> ` continue it, as do lines after a backslash; the others are what it must print. The commands of one tutorial
//!   share one shell, in a scratch directory, with `twinlock` on the `PATH` and `$TUTORIAL_DIR` naming the tutorial's
//!   own directory. A command must succeed.
//! - An expected line `...` stands for any number of lines. `<age>` and the other [masks](mask) stand for what differs
//!   from run to run.
//! - A comment of one line, directly before a block, says something about it:
//!   `<!-- file: PATH -->` writes the block (of any language) to a file;
//!   `<!-- exit: N -->` lets its last command exit with N;
//!   `<!-- retry: 60s -->` repeats the block until its output matches, for a state that takes time to come;
//!   `<!-- timeout: 300s -->` gives each of its commands that long (else two minutes);
//!   `<!-- skip -->` shows the block without executing it;
//!   `<!-- cleanup -->` runs it at the end, whatever happened before, without looking at what it prints.
//! - `<!-- mask: NAME=REGEX -->`, anywhere, adds a mask `<NAME>`.

mod compare;
mod mask;
mod parse;
mod perform;
mod session;

use std::path::{Path, PathBuf};

use crate::failure::{Failure, WithCauses};
use crate::place;
use crate::process;
use crate::section;
use crate::workspace::Workspace;
use perform::{Performance, Stage};

/// Options of `cargo xtask tutorial`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) keep: bool,
    pub(crate) show: bool,
    pub(crate) names: Vec<String>,
}

/// How the tutorials went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: Vec<String>,
}

impl Outcome {
    /// An error if one failed.
    pub(crate) fn into_result(self) -> Result<(), Failure> {
        if self.failed.is_empty() {
            return Ok(());
        }
        let again = self.failed.iter().map(|name| format!("cargo xtask tutorial {name}"));
        Err(Failure::Findings { findings: again.collect(), remedy: "Run one alone with the command above." })
    }
}

/// Builds the program and executes the tutorials that were named, or all.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    process::run(workspace.cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
    execute(workspace, options)?.into_result()
}

/// Executes all tutorials with the program that is built already.
pub(crate) fn run_all(workspace: &Workspace) -> Result<Outcome, Failure> {
    execute(workspace, &Options::default())
}

fn execute(workspace: &Workspace, options: &Options) -> Result<Outcome, Failure> {
    let tutorials = chosen(&all(&workspace.root.join("tutorials"))?, &options.names)?;
    if tutorials.is_empty() {
        println!("there are no tutorials");
        return Ok(Outcome::default());
    }
    let programs = place::programs(workspace, &workspace.target.join("debug"))?;
    let mut outcome = Outcome::default();
    for directory in tutorials {
        let name = name_of(&directory);
        let stage =
            Stage { tutorial: &directory, programs: &programs, keep: options.keep, show: options.show };
        match section::timed(&format!("tutorial {name}"), || perform_one(&stage)) {
            Ok(()) => outcome.passed += 1,
            Err(failure) => {
                println!("{}", WithCauses(&failure));
                outcome.failed.push(name);
            }
        }
    }
    Ok(outcome)
}

fn perform_one(stage: &Stage) -> Result<(), Failure> {
    let page = stage.tutorial.join("README.md");
    let text = std::fs::read_to_string(&page).map_err(Failure::file("read", &page))?;
    let tutorial =
        parse::parse(&text).map_err(|error| Failure::Stopped(format!("{}:{error}", page.display())))?;
    Performance::of(&tutorial, stage)?.perform()
}

/// The directories of all tutorials, in order.
fn all(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(Failure::file("list", directory))?,
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("README.md").is_file()).collect();
    found.sort();
    Ok(found)
}

/// Those that were named, by their whole name or its beginning (`000`); all if none was.
fn chosen(all: &[PathBuf], names: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let matches = |path: &Path, name: &str| name_of(path).starts_with(name.trim_end_matches('/'));
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|path| matches(path, name))) {
        let known = all.iter().map(|path| name_of(path)).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("no tutorial is called `{unknown}`; there are: {known}")));
    }
    let wanted = |path: &&PathBuf| names.is_empty() || names.iter().any(|name| matches(path, name));
    Ok(all.iter().filter(wanted).cloned().collect())
}

fn name_of(directory: &Path) -> String {
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tutorials_are_named_by_their_beginning() {
        let all = [PathBuf::from("t/000-replication"), PathBuf::from("t/001-vdb")];
        assert_eq!(chosen(&all, &["001".into()]).unwrap(), [all[1].clone()]);
        assert_eq!(chosen(&all, &[]).unwrap().len(), 2);
        assert!(chosen(&all, &["002".into()]).is_err());
    }
}
