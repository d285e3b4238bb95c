//! `cargo xtask test`: what must pass before anything lands, as a list of steps that can also be run one by one.

mod fuzz;
mod tally;

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::check;
use crate::failure::{Failure, WithCauses};
use crate::need::{self, Purpose};
use crate::newest;
use crate::process;
use crate::section::{self, Elapsed};
use crate::survivors::Mark;
use crate::tutorial;
use crate::workspace::Workspace;
use tally::Tally;

/// A test run that takes longer than this hangs. (CI stops everything at 90 minutes, and would not say where.)
const TESTS_BOUND: Duration = Duration::from_secs(40 * 60);

/// Options of `cargo xtask test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) fast: bool,
    pub(crate) list: bool,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) filter: Option<String>,
}

/// What the steps share.
struct Context<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
    tally: Cell<Tally>,
}

/// One step: a name to run it alone by, and what it does.
struct Step {
    name: &'static str,
    about: &'static str,
    fast: bool,
    run: fn(&Context) -> Result<(), Failure>,
}

/// In the order in which a mistake is found soonest.
const STEPS: &[Step] = &[
    Step {
        name: "needs",
        about: "install what is missing on this machine",
        fast: true,
        run: |context| need::ensure(context.workspace, Purpose::Test),
    },
    Step {
        name: "fmt",
        about: "formatting",
        fast: true,
        run: |context| process::run(context.workspace.cargo().args(["fmt", "--all", "--check"])),
    },
    Step {
        name: "direction",
        about: "which crate uses which",
        fast: true,
        run: |context| check::direction::run(context.workspace),
    },
    Step {
        name: "licences",
        about: "licences and sources of dependencies",
        fast: true,
        run: |context| check::licences::run(context.workspace),
    },
    Step {
        name: "unsafe",
        about: "unsafe code only where allowed",
        fast: true,
        run: |context| check::unsafe_code::run(context.workspace),
    },
    Step {
        name: "machine",
        about: "no path or address of one machine",
        fast: true,
        run: |context| check::machine::run(context.workspace),
    },
    Step {
        name: "length",
        about: "long files are named (never fails)",
        fast: true,
        run: |context| check::length::run(context.workspace),
    },
    Step {
        name: "links",
        about: "links between pages",
        fast: true,
        run: |context| check::links::run(context.workspace),
    },
    Step {
        name: "shell",
        about: "shell scripts",
        fast: true,
        run: |context| check::shell::run(context.workspace),
    },
    Step { name: "clippy", about: "lints, warnings denied", fast: true, run: clippy },
    Step { name: "doc", about: "documentation, warnings denied", fast: false, run: doc },
    Step {
        name: "newest-postgres",
        about: "fetch the newest supported PostgreSQL for the tests",
        fast: false,
        run: |context| newest::ensure(context.workspace).map(|bindir| println!("{}", bindir.display())),
    },
    Step { name: "build", about: "every program and test", fast: true, run: build },
    Step {
        name: "generated",
        about: "generated files equal committed ones",
        fast: false,
        run: |context| check::generated::run(context.workspace),
    },
    Step { name: "tutorials", about: "execute the tutorials", fast: false, run: tutorials },
    Step {
        name: "fuzz",
        about: "every fuzz target for a few seconds",
        fast: false,
        run: |context| fuzz::run(context.workspace),
    },
    // Last, so that a run ends with what cargo test says.
    Step { name: "tests", about: "every test of the workspace", fast: true, run: tests },
];

/// Steps without which the later ones mean nothing.
const FOUNDATIONS: &[&str] = &["needs", "build"];

/// Runs the steps that were asked for.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    if options.list {
        STEPS.iter().for_each(|step| println!("{:<16} {}", step.name, step.about));
        return Ok(());
    }
    let context = Context { workspace, options, tally: Cell::new(Tally::default()) };
    let mut took: Vec<(&'static str, Duration, bool)> = Vec::new();
    for step in STEPS.iter().filter(|step| is_wanted(step, options)) {
        let started = Instant::now();
        let outcome = section::timed(&format!("{}: {}", step.name, step.about), || (step.run)(&context));
        let passed = outcome.inspect_err(|failure| println!("{}", WithCauses(failure))).is_ok();
        took.push((step.name, started.elapsed(), passed));
        if !passed && FOUNDATIONS.contains(&step.name) {
            break;
        }
    }
    summarise(&took, context.tally.get());
    let failed: Vec<&'static str> =
        took.iter().filter(|(_, _, passed)| !passed).map(|(name, ..)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::Steps { failed }) }
}

/// Refuses names that are no step's.
pub(crate) fn check_names(options: &Options) -> Result<(), Failure> {
    let unknown =
        options.only.iter().chain(&options.skip).find(|name| !STEPS.iter().any(|step| step.name == **name));
    match unknown {
        None => Ok(()),
        Some(name) => {
            Err(Failure::Usage(format!("no step is called `{name}`; `cargo xtask test --list` names them")))
        }
    }
}

fn is_wanted(step: &Step, options: &Options) -> bool {
    if options.skip.iter().any(|name| name == step.name) {
        return false;
    }
    if !options.only.is_empty() {
        return options.only.iter().any(|name| name == step.name);
    }
    if options.filter.is_some() {
        return ["needs", "tests"].contains(&step.name);
    }
    step.fast || !options.fast
}

fn summarise(took: &[(&'static str, Duration, bool)], tally: Tally) {
    section::heading("summary");
    for (name, elapsed, passed) in took {
        let outcome = if *passed { "ok" } else { "FAILED" };
        let again = if *passed { String::new() } else { format!("  rerun: cargo xtask test --only {name}") };
        println!("{name:<16} {:>12}  {outcome}{again}", Elapsed(*elapsed).to_string());
    }
    println!("{:<16} {:>12}", "all", Elapsed(took.iter().map(|(_, elapsed, _)| *elapsed).sum()).to_string());
    if tally != Tally::default() {
        println!("{tally}");
    }
}

fn clippy(context: &Context) -> Result<(), Failure> {
    let mut clippy = context.workspace.cargo();
    clippy.args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    process::run(&mut clippy)
}

fn doc(context: &Context) -> Result<(), Failure> {
    let mut doc = context.workspace.cargo();
    doc.args(["doc", "--locked", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut doc)
}

/// Programs too: tests and tutorials of one crate run the program of another.
fn build(context: &Context) -> Result<(), Failure> {
    process::run(context.workspace.cargo().args(["build", "--locked", "--workspace", "--bins"]))?;
    process::run(context.workspace.cargo().args(["test", "--locked", "--workspace", "--no-run", "--quiet"]))
}

fn tutorials(context: &Context) -> Result<(), Failure> {
    let outcome = tutorial::run_all(context.workspace)?;
    context.tally.set(
        context.tally.get() + Tally { passed: outcome.passed, failed: outcome.failed.len(), skipped: 0 },
    );
    outcome.into_result()
}

fn tests(context: &Context) -> Result<(), Failure> {
    let mut test = context.workspace.cargo();
    test.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
    if context.options.fast {
        test.args(["--lib", "--bins"]);
    }
    test.args(context.options.filter.as_deref());
    match newest::cached(context.workspace) {
        Some(bindir) => test.env(newest::BINDIR_VARIABLE, bindir),
        None => &mut test,
    };
    let mark = Mark::new();
    let (variable, value) = mark.variable();
    test.env(variable, value);
    let mut tally = Tally::default();
    let outcome = process::run_bounded(&mut test, TESTS_BOUND, |line| {
        println!("{line}");
        tally = tally + Tally::of_line(line);
    });
    context.tally.set(context.tally.get() + tally);
    let left = mark.end_survivors();
    outcome?;
    check::verdict(left, "A test must end what it starts, also when it fails. (They were ended now.)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(options: &Options) -> Vec<&'static str> {
        STEPS.iter().filter(|step| is_wanted(step, options)).map(|step| step.name).collect()
    }

    #[test]
    fn everything_is_run_unless_told_otherwise() {
        assert_eq!(wanted(&Options::default()).len(), STEPS.len());
        let fast = wanted(&Options { fast: true, ..Options::default() });
        assert!(fast.contains(&"clippy") && !fast.contains(&"newest-postgres"));
    }

    #[test]
    fn filter_runs_tests_and_no_check() {
        let options = Options { filter: Some("failover".into()), ..Options::default() };
        assert_eq!(wanted(&options), ["needs", "tests"]);
    }

    #[test]
    fn skip_wins_over_only() {
        let options = Options {
            only: vec!["fmt".into(), "doc".into()],
            skip: vec!["doc".into()],
            ..Options::default()
        };
        assert_eq!(wanted(&options), ["fmt"]);
    }

    #[test]
    fn foundations_are_steps() {
        assert!(FOUNDATIONS.iter().all(|name| STEPS.iter().any(|step| step.name == *name)));
    }
}
