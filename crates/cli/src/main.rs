//! The `twinlock` command.

mod certs;
mod compat;
mod wallet;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Secures, replicates and multiplies stock PostgreSQL
#[derive(Parser, Debug)]
#[command(name = "twinlock", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make and change wallets
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Make, renew and revoke certificates
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Answer to the names of Oracle's tools
    #[command(subcommand)]
    Compat(compat::CompatCommand),
}

fn main() -> ExitCode {
    let result = match called_as_a_tool() {
        Some((tool, arguments)) => tool.run(&arguments),
        None => match Arguments::parse().command {
            Command::Wallet(command) => wallet::run(&command),
            Command::Certs(command) => certs::run(&command),
            Command::Compat(command) => compat::run(&command),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            wallet::output::note(format!("error: {failure}"));
            failure.exit_code()
        }
    }
}

/// The tool by whose name the program was called, with its arguments.
fn called_as_a_tool() -> Option<(compat::Tool, Vec<String>)> {
    let mut arguments = std::env::args_os();
    let tool = compat::Tool::called_as(&arguments.next()?)?;
    Some((tool, arguments.map(|argument| argument.to_string_lossy().into_owned()).collect()))
}
