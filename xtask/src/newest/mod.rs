//! The newest PostgreSQL that we support, from a newer Debian suite, beside the machine and not in it.
//!
//! The packages are downloaded with the machine's own apt, from its own mirror and verified with its own keys, into
//! a private state directory; they are unpacked, never installed. Their programs need a newer C library than the
//! machine has, so each is pointed at the loader and the libraries of its own tree. All of it can be deleted at any
//! time: the next run makes it again.

mod apt;
mod prove;
mod relocate;

use std::path::{Path, PathBuf};

use crate::failure::{Failure, WithCauses};
use crate::place;
use crate::process;
use crate::workspace::Workspace;

/// The environment variable by which tests learn the directory of programs.
pub(crate) const BINDIR_VARIABLE: &str = "TWINLOCK_TEST_PG_NEWEST_BINDIR";

/// The newest major version that Twinlock supports; a suite with a newer one (a beta, say) is no reason to fail.
const NEWEST_SUPPORTED_MAJOR: u32 = 18;

/// Suites to look in, newest first. The first that has a version newer than the machine's own is taken.
const SUITES: &[&str] = &["forky", "trixie"];

/// Names the tree in use, relative to the shared place. Written last, so a tree that it names is complete.
const MARKER: &str = "newest-postgres";

/// Options of `cargo xtask newest-postgres`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) print_bindir: bool,
    pub(crate) refresh: bool,
}

/// Fetches it unless it is there, and says where it is.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    let bindir = match cached(workspace).filter(|_| !options.refresh) {
        Some(bindir) => bindir,
        None => fetch(workspace, &mut progress(options.print_bindir))?,
    };
    if options.print_bindir {
        println!("{}", bindir.display());
    } else {
        println!("{}\nprograms: {}", version(&bindir)?, bindir.display());
        println!("tests find it by: {BINDIR_VARIABLE}={}", bindir.display());
    }
    Ok(())
}

/// Makes sure that it is there, saying what is done.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf, Failure> {
    match cached(workspace) {
        Some(bindir) => Ok(bindir),
        None => fetch(workspace, &mut progress(false)),
    }
}

/// The directory of its programs, if an earlier run fetched it and it still runs.
pub(crate) fn cached(workspace: &Workspace) -> Option<PathBuf> {
    let place = place::path(workspace);
    let bindir = place.join(std::fs::read_to_string(place.join(MARKER)).ok()?.trim());
    version(&bindir).is_ok().then_some(bindir)
}

fn fetch(workspace: &Workspace, say: &mut dyn FnMut(&str)) -> Result<PathBuf, Failure> {
    let place = place::shared(workspace)?;
    let work = place.join(format!("fetch-{}", std::process::id()));
    let fetched = fetch_into(&place, &work, say);
    // Also when it failed: what is left would only be in the way of the next try.
    std::fs::remove_dir_all(&work).map_err(Failure::file("remove", &work))?;
    fetched
}

fn fetch_into(place: &Path, work: &Path, say: &mut dyn FnMut(&str)) -> Result<PathBuf, Failure> {
    let (apt, package) = choose(work, say)?;
    let root = place.join(format!("{}-{}", package.name, package.version.replace([':', '~'], "_")));
    let bindir = root.join("usr/lib/postgresql").join(package.major.to_string()).join("bin");
    if !bindir.exists() {
        say(&format!("downloading {} {} and its libraries", package.name, package.version));
        let debs = apt.download(&package)?;
        let tree = work.join("root");
        apt::unpack(&debs, &tree)?;
        say("pointing its programs at their own C library");
        relocate::point_programs_at(&tree, &root, package.major)?;
        move_into_place(&tree, &root)?;
    }
    relocate::verify(&root, package.major)?;
    say("proving that it initialises, serves TLS and answers");
    say(&prove::serves_tls(&bindir, package.major, work)?);
    let marker = place.join(MARKER);
    let named = bindir.strip_prefix(place).unwrap_or(&bindir);
    std::fs::write(&marker, format!("{}\n", named.display())).map_err(Failure::file("write", &marker))?;
    Ok(bindir)
}

/// Finds the newest suite that has a version we want.
fn choose(work: &Path, say: &mut dyn FnMut(&str)) -> Result<(apt::Apt, apt::Package), Failure> {
    let mut reasons = Vec::new();
    for suite in SUITES {
        say(&format!("looking in {suite}"));
        let found = apt::Apt::open(&work.join(suite), suite).and_then(|apt| {
            let package = apt.newest_postgres(NEWEST_SUPPORTED_MAJOR)?;
            Ok((apt, package))
        });
        match found {
            Ok(found) => return Ok(found),
            Err(failure) => reasons.push(format!("{suite}: {}", WithCauses(&failure))),
        }
    }
    Err(Failure::Stopped(format!("no newer PostgreSQL could be had.\n{}", reasons.join("\n"))))
}

/// Moves the finished tree to the place that its programs were pointed at.
#[expect(
    clippy::disallowed_methods,
    reason = "a cache: what a crash loses here costs a download, nothing else"
)]
fn move_into_place(tree: &Path, root: &Path) -> Result<(), Failure> {
    match std::fs::rename(tree, root) {
        // Another run of ours was faster; its tree is as good.
        Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other.map_err(Failure::file("move the unpacked tree to", root)),
    }
}

fn version(bindir: &Path) -> Result<String, Failure> {
    process::output(process::program(bindir.join("postgres")).arg("--version"))
        .map(|line| line.trim().to_owned())
}

/// Progress goes to standard error when standard output is for a script.
fn progress(quiet: bool) -> impl FnMut(&str) {
    move |what| if quiet { eprintln!("{what}") } else { println!("{what}") }
}
