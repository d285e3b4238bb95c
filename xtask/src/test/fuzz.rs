//! A short run of every fuzz target, guided by coverage, from the committed corpus.
//!
//! The targets are those of `cargo fuzz`. Its instrumentation is a pass of the compiler that the stable one has too; only
//! the sanitizers, which safe code has little need of, would take a nightly one.

use std::path::Path;
use std::time::Duration;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Directories that `cargo fuzz` would be run beside, and their targets.
const TARGETS: &[(&str, &[&str])] = &[("crates/wallet/fuzz", &["p12", "sso", "der", "secrets"])];

/// Long enough to find what a careless change breaks; long campaigns are run by hand.
const SECONDS_PER_TARGET: u64 = 10;
const BUILD_BOUND: Duration = Duration::from_secs(15 * 60);

const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Builds and runs them all.
pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let host = host_triple()?;
    for (directory, targets) in TARGETS {
        let directory = workspace.root.join(directory);
        let built = workspace.target.join("fuzz");
        build(&directory, &built, &host)?;
        for target in *targets {
            run_one(&directory, &built.join(&host).join("release").join(target), target, &built)?;
        }
    }
    Ok(())
}

fn build(directory: &Path, built: &Path, host: &str) -> Result<(), Failure> {
    let mut cargo = process::cargo();
    cargo.current_dir(directory).args(["build", "--locked", "--release", "--bins", "--target", host]);
    cargo.arg("--target-dir").arg(built).env("RUSTFLAGS", INSTRUMENTATION);
    process::run_bounded(&mut cargo, BUILD_BOUND, |line| println!("{line}"))
}

fn run_one(directory: &Path, program: &Path, target: &str, built: &Path) -> Result<(), Failure> {
    // What is found goes where it is not committed; an input that breaks something is named and printed there.
    let found = built.join("found").join(target);
    std::fs::create_dir_all(&found).map_err(Failure::file("make the directory", &found))?;
    let mut fuzz = process::program(program);
    fuzz.current_dir(directory).args(["-max_len=20000", "-timeout=10", "-rss_limit_mb=1024", "-verbosity=0"]);
    fuzz.arg(format!("-max_total_time={SECONDS_PER_TARGET}"));
    fuzz.arg(format!("-artifact_prefix={}/breaks-{target}-", built.display()));
    fuzz.arg(&found).arg(Path::new("corpus").join(target));
    println!("{target}: {SECONDS_PER_TARGET} s");
    process::run_bounded(&mut fuzz, Duration::from_secs(SECONDS_PER_TARGET + 60), |line| println!("{line}"))
}

fn host_triple() -> Result<String, Failure> {
    let printed = process::output(process::program("rustc").arg("-vV"))?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.ok_or_else(|| Failure::Stopped("rustc -vV does not name its host".into()))
}
