//! Set-up, tests and benchmarks of the workspace. `cargo xtask help` lists what it can do.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for developers: what it prints is what it is for"
)]

mod args;
mod bench;
mod check;
mod debian;
mod failure;
mod need;
mod newest;
mod place;
mod process;
mod section;
mod start;
mod survivors;
mod test;
mod tutorial;
mod workspace;

use std::process::ExitCode;

use args::Task;
use failure::{Failure, WithCauses};
use workspace::Workspace;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", WithCauses(&failure));
            failure.exit_code()
        }
    }
}

fn run(task: Task) -> Result<(), Failure> {
    if let Task::Help = task {
        println!("{}", args::USAGE);
        return Ok(());
    }
    let workspace = Workspace::find()?;
    match task {
        Task::Help => Ok(()),
        Task::Start => start::run(&workspace),
        Task::Test(options) => test::run(&workspace, &options),
        Task::Bench { name, arguments } => bench::run(&workspace, name.as_deref(), &arguments),
        Task::NewestPostgres(options) => newest::run(&workspace, &options),
        Task::Tutorial(options) => tutorial::run(&workspace, &options),
    }
}
