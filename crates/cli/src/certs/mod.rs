//! `twinlock certs`: one verb per file.

mod authority;
mod create;
mod issue;
mod request;
mod revoke;
mod sign;

use clap::Subcommand;

use crate::wallet::{self, Failure};

pub(crate) use create::{Create, CurveArg};

/// What can be done with certificates.
#[derive(Subcommand, Debug)]
pub(crate) enum CertsCommand {
    Create(create::Create),
    Issue(issue::Issue),
    Renew(issue::Renew),
    SelfSign(issue::SelfSign),
    Request(request::Request),
    Sign(sign::Sign),
    Revoke(revoke::Revoke),
}

/// Carries out a certificate command.
pub(crate) fn run(command: &CertsCommand) -> Result<(), Failure> {
    wallet::forbid_core_files();
    match command {
        CertsCommand::Create(command) => command.run(),
        CertsCommand::Issue(command) => command.run(),
        CertsCommand::Renew(command) => command.run(),
        CertsCommand::SelfSign(command) => command.run(),
        CertsCommand::Request(command) => command.run(),
        CertsCommand::Sign(command) => command.run(),
        CertsCommand::Revoke(command) => command.run(),
    }
}
