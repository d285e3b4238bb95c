//! Where the workspace is and what is in it, as cargo and git tell it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::Failure;
use crate::process;

/// The workspace that this command belongs to.
pub(crate) struct Workspace {
    /// The directory with the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo for the workspace around the current directory, or around xtask itself when run by `cargo xtask`.
    pub(crate) fn find() -> Result<Self, Failure> {
        let mut command = process::cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        if let Some(own) = std::env::var_os("CARGO_MANIFEST_DIR") {
            command.current_dir(own);
        }
        let metadata = parse_metadata(&process::output(&mut command)?)?;
        Ok(Self {
            root: field(&metadata, "workspace_root")?.into(),
            target: field(&metadata, "target_directory")?.into(),
        })
    }

    /// Cargo with the workspace as its current directory.
    pub(crate) fn cargo(&self) -> std::process::Command {
        let mut command = process::cargo();
        command.current_dir(&self.root);
        command
    }

    /// `cargo metadata` with all dependencies, as the lock file pins them.
    pub(crate) fn metadata(&self) -> Result<Value, Failure> {
        parse_metadata(&process::output(self.cargo().args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
        ]))?)
    }

    /// Every file that is committed or would be by `git add`, relative to the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut git = process::program("git");
        git.current_dir(&self.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = process::output(&mut git)?;
        let mut files: Vec<PathBuf> =
            listed.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
        files.sort();
        files.dedup();
        // A file deleted but not yet committed is listed and absent; a link to a directory has no text of its own.
        files.retain(|file| self.root.join(file).is_file());
        Ok(files)
    }

    /// The text of one file of [`Workspace::files`], or `None` if it is not text.
    pub(crate) fn text(&self, file: &Path) -> Result<Option<String>, Failure> {
        let path = self.root.join(file);
        let bytes = std::fs::read(&path).map_err(Failure::file("read", &path))?;
        Ok(String::from_utf8(bytes).ok())
    }
}

fn parse_metadata(json: &str) -> Result<Value, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::Stopped(format!("read the answer of cargo metadata: {error}")))
}

fn field<'a>(metadata: &'a Value, name: &str) -> Result<&'a str, Failure> {
    metadata[name].as_str().ok_or_else(|| Failure::Stopped(format!("cargo metadata told no {name}")))
}
