//! The newest supported PostgreSQL, where `TWINLOCK_TEST_PG_NEWEST_BINDIR` says where it is: all that one instance
//! and its standby do in the other tests, by running those test programs on it.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

use std::path::{Path, PathBuf};
use std::process::Command;

use twinlock_postgres::{Installation, NEWEST_MAJOR};

const NEWEST: &str = "TWINLOCK_TEST_PG_NEWEST_BINDIR";
const BINDIR: &str = "TWINLOCK_TEST_PG_BINDIR";

/// The newest build of a test program of this crate, beside this one.
fn program(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let beside = std::fs::read_dir(here.parent().unwrap()).unwrap().flatten().filter_map(|entry| {
        let file = entry.file_name().into_string().ok()?;
        let hash = file.strip_prefix(name)?.strip_prefix('-')?;
        let is_program = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_program.then_some((entry.metadata().ok()?.modified().ok()?, entry.path()))
    });
    beside.max().expect("cargo builds the test programs of a crate together").1
}

fn run(name: &str, bindir: &Path) {
    let status = Command::new(program(name)).arg("--nocapture").env(BINDIR, bindir).status().unwrap();
    assert!(status.success(), "{name} on {}: {status}", bindir.display());
}

#[test]
fn newest_version_does_the_same() {
    let Some(bindir) = std::env::var_os(NEWEST).map(PathBuf::from) else { return };
    let found = Installation::discover(Some(&bindir)).unwrap();
    assert_eq!(found.version().major, NEWEST_MAJOR, "this is not the newest supported version");
    for name in ["lifecycle", "replication", "admission", "bootstrap"] {
        run(name, &bindir);
    }
}
