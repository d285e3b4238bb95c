//! The command lines of `ttCreateCerts`, `mkstore` and `orapki`, for what Twinlock supports of them.
//!
//! The program acts as one of these tools when it is called by its name. Everything that is not supported is
//! refused by name before anything is looked at.

mod arguments;
mod ask;
mod install;
mod mkstore;
mod orapki;
mod tt_create_certs;

use std::ffi::OsStr;
use std::path::Path;

use clap::Subcommand;

use crate::wallet::{self, Failure};

/// A tool whose command line is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    TtCreateCerts,
    Mkstore,
    Orapki,
}

impl Tool {
    const ALL: [Self; 3] = [Self::TtCreateCerts, Self::Mkstore, Self::Orapki];

    /// The tool as which the program was called.
    pub(crate) fn called_as(program: &OsStr) -> Option<Self> {
        let name = Path::new(program).file_name()?.to_str()?;
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TtCreateCerts => "ttCreateCerts",
            Self::Mkstore => "mkstore",
            Self::Orapki => "orapki",
        }
    }

    /// Carries out a command line of the tool, without the program's name.
    pub(crate) fn run(self, arguments: &[String]) -> Result<(), Failure> {
        wallet::forbid_core_files();
        match self {
            Self::TtCreateCerts => tt_create_certs::run(arguments),
            Self::Mkstore => mkstore::run(arguments),
            Self::Orapki => orapki::run(arguments),
        }
    }
}

/// What can be done about compatibility.
#[derive(Subcommand, Debug)]
pub(crate) enum CompatCommand {
    Install(install::Install),
}

/// Carries out a compatibility command.
pub(crate) fn run(command: &CompatCommand) -> Result<(), Failure> {
    match command {
        CompatCommand::Install(command) => command.run(),
    }
}
