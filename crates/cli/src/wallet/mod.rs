//! `twinlock wallet`: one verb per file.

mod add_identity;
mod add_trusted;
mod auto_login;
mod change_password;
mod check;
pub(crate) mod create;
mod delete_secret;
mod export;
pub(crate) mod failure;
mod get_secret;
mod import;
mod list;
pub(crate) mod output;
pub(crate) mod password;
pub(crate) mod pem;
pub(crate) mod place;
mod seal;
mod set_credential;
mod set_secret;
mod show;

use clap::Subcommand;

pub(crate) use failure::Failure;

/// What can be done with a wallet.
#[derive(Subcommand, Debug)]
pub(crate) enum WalletCommand {
    Create(create::Create),
    Show(show::Show),
    Check(check::Check),
    List(list::List),
    SetSecret(set_secret::SetSecret),
    GetSecret(get_secret::GetSecret),
    DeleteSecret(delete_secret::DeleteSecret),
    SetCredential(set_credential::SetCredential),
    AddTrusted(add_trusted::AddTrusted),
    RemoveTrusted(add_trusted::RemoveTrusted),
    AddIdentity(add_identity::AddIdentity),
    Export(export::Export),
    Import(import::Import),
    ChangePassword(change_password::ChangePassword),
    AutoLogin(auto_login::AutoLoginCommand),
    Seal(seal::Seal),
}

/// Sees to it that no core file holds what this process holds, should it crash.
pub(crate) fn forbid_core_files() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let lowered = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    debug_assert!(lowered.is_ok(), "lowering one's own limit is always allowed");
}

/// Carries out a wallet command.
pub(crate) fn run(command: &WalletCommand) -> Result<(), Failure> {
    forbid_core_files();
    match command {
        WalletCommand::Create(command) => command.run(),
        WalletCommand::Show(command) => command.run(),
        WalletCommand::Check(command) => command.run(),
        WalletCommand::List(command) => command.run(),
        WalletCommand::SetSecret(command) => command.run(),
        WalletCommand::GetSecret(command) => command.run(),
        WalletCommand::DeleteSecret(command) => command.run(),
        WalletCommand::SetCredential(command) => command.run(),
        WalletCommand::AddTrusted(command) => command.run(),
        WalletCommand::RemoveTrusted(command) => command.run(),
        WalletCommand::AddIdentity(command) => command.run(),
        WalletCommand::Export(command) => command.run(),
        WalletCommand::Import(command) => command.run(),
        WalletCommand::ChangePassword(command) => command.run(),
        WalletCommand::AutoLogin(command) => command.run(),
        WalletCommand::Seal(command) => command.run(),
    }
}
