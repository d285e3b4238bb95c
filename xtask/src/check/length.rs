//! Long source files are named, so that someone thinks about them. This check never fails.

use std::path::Path;

use crate::failure::Failure;
use crate::workspace::Workspace;

/// A file longer than this usually holds two things.
const LINES_MAX: usize = 700;

/// Names the source files that are too long.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    for file in workspace.files()?.iter().filter(|file| is_source(file)) {
        let lines = workspace.text(file)?.map_or(0, |text| text.lines().count());
        if lines > LINES_MAX {
            println!("warning: {} has {lines} lines; can it be two files?", file.display());
        }
    }
    Ok(())
}

fn is_source(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs" || extension == "c" || extension == "sh")
}
