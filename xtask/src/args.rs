//! The command line, read by hand: five tasks do not need a parser that everyone compiles first.

use crate::failure::Failure;
use crate::{newest, test, tutorial};

/// What `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask TASK

Tasks:
  start                        Install what is missing, build, and bring up an example pair over TLS
  test [OPTIONS] [FILTER]      Install what is missing, then run every check and every test
      --fast                   Only what needs neither network nor PostgreSQL: quick checks, clippy, unit tests
      --only STEP              Run this step alone (may be repeated); `--list` names the steps
      --skip STEP              Leave this step out (may be repeated)
      --list                   Name the steps
      FILTER                   Run only tests whose name contains it, and nothing else
  bench [NAME [ARGUMENT...]]   Run a benchmark; without a name, list them
  newest-postgres [OPTIONS]    Fetch the newest PostgreSQL that we support, beside the installed one
      --print-bindir           Print only the directory of its programs
      --refresh                Look for a newer one even if one was fetched before
  tutorial [OPTIONS] [NAME]... Execute tutorials and compare what they print; without a name, all
      --keep                   Keep the scratch directory
      --show                   Show everything that is printed, not only differences
  help                         Show this text";

/// One task, with its options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Start,
    Test(test::Options),
    Bench { name: Option<String>, arguments: Vec<String> },
    NewestPostgres(newest::Options),
    Tutorial(tutorial::Options),
}

/// Reads the arguments after the program's name. Anything unknown is an error, never ignored.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Task, Failure> {
    let mut arguments = arguments.into_iter();
    let Some(task) = arguments.next() else {
        return Err(Failure::Usage("no task was named".into()));
    };
    match task.as_str() {
        "help" | "--help" | "-h" => Ok(Task::Help),
        "start" => no_more(Task::Start, arguments),
        "test" => parse_test(arguments),
        "bench" => Ok(Task::Bench { name: arguments.next(), arguments: arguments.collect() }),
        "newest-postgres" => parse_newest(arguments),
        "tutorial" => parse_tutorial(arguments),
        other => Err(Failure::Usage(format!("unknown task `{other}`"))),
    }
}

fn parse_test(mut arguments: impl Iterator<Item = String>) -> Result<Task, Failure> {
    let mut options = test::Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--fast" => options.fast = true,
            "--list" => options.list = true,
            "--only" => options.only.push(value_of("--only", &mut arguments)?),
            "--skip" => options.skip.push(value_of("--skip", &mut arguments)?),
            flag if flag.starts_with('-') => return Err(unknown("test", flag)),
            filter if options.filter.is_none() => options.filter = Some(filter.to_owned()),
            second => return Err(unknown("test", second)),
        }
    }
    test::check_names(&options)?;
    Ok(Task::Test(options))
}

fn parse_newest(arguments: impl Iterator<Item = String>) -> Result<Task, Failure> {
    let mut options = newest::Options::default();
    for argument in arguments {
        match argument.as_str() {
            "--print-bindir" => options.print_bindir = true,
            "--refresh" => options.refresh = true,
            other => return Err(unknown("newest-postgres", other)),
        }
    }
    Ok(Task::NewestPostgres(options))
}

fn parse_tutorial(arguments: impl Iterator<Item = String>) -> Result<Task, Failure> {
    let mut options = tutorial::Options::default();
    for argument in arguments {
        match argument.as_str() {
            "--keep" => options.keep = true,
            "--show" => options.show = true,
            flag if flag.starts_with('-') => return Err(unknown("tutorial", flag)),
            name => options.names.push(name.to_owned()),
        }
    }
    Ok(Task::Tutorial(options))
}

fn value_of(flag: &str, arguments: &mut impl Iterator<Item = String>) -> Result<String, Failure> {
    arguments.next().ok_or_else(|| Failure::Usage(format!("{flag} needs a value")))
}

fn no_more(task: Task, mut arguments: impl Iterator<Item = String>) -> Result<Task, Failure> {
    match arguments.next() {
        None => Ok(task),
        Some(extra) => Err(Failure::Usage(format!("unexpected argument `{extra}`"))),
    }
}

fn unknown(task: &str, argument: &str) -> Failure {
    Failure::Usage(format!("{task}: unexpected argument `{argument}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, Failure> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn test_options_are_read() {
        let Ok(Task::Test(options)) = parsed("test --fast --skip fmt --only clippy failover") else {
            panic!("the line is valid")
        };
        assert!(options.fast);
        assert_eq!(options.skip, ["fmt"]);
        assert_eq!(options.only, ["clippy"]);
        assert_eq!(options.filter.as_deref(), Some("failover"));
    }

    #[test]
    fn benchmark_keeps_its_own_arguments() {
        let expected =
            Task::Bench { name: Some("pair".into()), arguments: vec!["--runs".into(), "3".into()] };
        assert_eq!(parsed("bench pair --runs 3").ok(), Some(expected));
    }

    #[test]
    fn unknown_arguments_are_refused() {
        for line in [
            "",
            "strat",
            "start now",
            "test --slow",
            "test one two",
            "test --only",
            "test --only no-such-step",
            "newest-postgres 18",
            "tutorial --bless",
        ] {
            assert!(matches!(parsed(line), Err(Failure::Usage(_))), "`{line}` was accepted");
        }
    }
}
