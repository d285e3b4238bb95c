//! Benchmarks: each is a file of its own, listed here, that measures with the shared [kit].
//!
//! A benchmark says what it compares, prints every figure with its spread, and fails if a promised figure is not met.

#[allow(dead_code, reason = "shared by the benchmarks; each uses what it needs")]
pub(crate) mod kit;
mod wallet;

use crate::failure::Failure;
use crate::section;
use crate::workspace::Workspace;

/// One benchmark.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Result<(), Failure>,
}

/// Every benchmark.
const BENCHES: &[Bench] =
    &[Bench { name: "wallet", about: "open wallets, against OpenSSL", run: wallet::run }];

/// Runs one by name; without a name, lists them.
pub(crate) fn run(workspace: &Workspace, name: Option<&str>, arguments: &[String]) -> Result<(), Failure> {
    let Some(name) = name else {
        BENCHES.iter().for_each(|bench| println!("{:<12} {}", bench.name, bench.about));
        return Ok(());
    };
    let known = BENCHES.iter().find(|bench| bench.name == name);
    let bench =
        known.ok_or_else(|| Failure::Usage(format!("no benchmark is called `{name}`: {}", names())))?;
    println!("{}", kit::machine());
    section::timed(&format!("{}: {}", bench.name, bench.about), || (bench.run)(workspace, arguments))
}

fn names() -> String {
    match BENCHES {
        [] => "there are none yet".to_owned(),
        benches => {
            format!("there are {}", benches.iter().map(|bench| bench.name).collect::<Vec<_>>().join(", "))
        }
    }
}
