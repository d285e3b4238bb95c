//! `mkstore -wrl DIR -COMMAND ...`

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use twinlock_wallet::{
    AutoLogin, ConnectCredential, Derivation, Form, PASSWORD_FILE, Unlock, Wallet, edit, protect,
};
use zeroize::Zeroizing;

use super::arguments::{Given, Known, flag, value};
use super::ask;
use crate::wallet::place;
use crate::wallet::{Failure, output};

const fn with_secret(name: &'static str, values: usize) -> Known {
    Known { name, values, more: 1 }
}

const KNOWN: &[Known] = &[
    value("-wrl"),
    flag("-nologo"),
    flag("-create"),
    flag("-createSSO"),
    flag("-createLSSO"),
    flag("-createALO"),
    flag("-deleteSSO"),
    flag("-list"),
    with_secret("-createEntry", 1),
    value("-viewEntry"),
    with_secret("-modifyEntry", 1),
    value("-deleteEntry"),
    with_secret("-createCredential", 2),
    flag("-listCredential"),
    with_secret("-modifyCredential", 2),
    value("-deleteCredential"),
    flag("-help"),
];

const COMMANDS: &[&str] = &[
    "-create",
    "-createSSO",
    "-createLSSO",
    "-createALO",
    "-deleteSSO",
    "-list",
    "-createEntry",
    "-viewEntry",
    "-modifyEntry",
    "-deleteEntry",
    "-createCredential",
    "-listCredential",
    "-modifyCredential",
    "-deleteCredential",
];

const USAGE: &str = "\
mkstore -wrl DIR [-nologo] COMMAND
  -create | -createSSO | -createLSSO | -createALO | -deleteSSO | -list
  -createEntry NAME [SECRET] | -viewEntry NAME | -modifyEntry NAME [SECRET] | -deleteEntry NAME
  -createCredential CONNECT USER [PASSWORD] | -listCredential
  -modifyCredential CONNECT USER [PASSWORD] | -deleteCredential CONNECT
not supported: -delete, -createUserCredential and the others of its kind";

pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::parse("mkstore", arguments, KNOWN)?;
    if given.has("-help") || arguments.is_empty() {
        return output::line(USAGE);
    }
    let commands: Vec<&str> = COMMANDS.iter().copied().filter(|command| given.has(command)).collect();
    let [command] = commands[..] else {
        return Err(Failure::usage("mkstore: give exactly one command").hint(USAGE));
    };
    let directory = Path::new(given.required("-wrl")?);
    match command {
        "-create" => create(directory),
        "-createALO" => create_auto_login_only(directory),
        "-createSSO" => change_auto_login(directory, AutoLogin::Anyone),
        "-createLSSO" => change_auto_login(directory, local()?),
        "-deleteSSO" => change_auto_login(directory, AutoLogin::No),
        "-list" => list(directory),
        "-viewEntry" => view(directory, given.required(command)?),
        "-listCredential" => list_credentials(directory),
        _ => change(directory, command, &given),
    }
}

fn local() -> Result<AutoLogin, Failure> {
    let identity = place::local_identity();
    identity
        .map(AutoLogin::Local)
        .ok_or_else(|| Failure::new("the system does not tell the host's and the user's name"))
}

/// Makes a wallet in the form of Oracle's tools.
pub(super) fn make(directory: &Path, form: &Form) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
        Failure::new(format!("cannot make the directory {}", directory.display())).because(error)
    })?;
    Ok(Wallet::new().save(directory, form)?)
}

fn create(directory: &Path) -> Result<(), Failure> {
    // As mkstore does; the auto-login file is what clients without a terminal use.
    let password = Some((ask::new_password(None)?, Derivation::ORACLE));
    make(directory, &Form { password, auto_login: AutoLogin::Anyone })
}

fn create_auto_login_only(directory: &Path) -> Result<(), Failure> {
    make(directory, &Form { password: None, auto_login: AutoLogin::Anyone })
}

fn change_auto_login(directory: &Path, auto_login: AutoLogin) -> Result<(), Failure> {
    let unlock = Unlock::Password(ask::password(None)?);
    Ok(protect(directory, &unlock, &place::options(), |form| Form { auto_login, ..form })?)
}

/// With its password, where it has one, as mkstore asks for it.
fn unlock(directory: &Path) -> Result<Unlock, Failure> {
    match directory.join(PASSWORD_FILE).exists() {
        true => Ok(Unlock::Password(ask::password(None)?)),
        false => Ok(Unlock::AutoLogin),
    }
}

fn open(directory: &Path) -> Result<Wallet, Failure> {
    Ok(Wallet::open(directory, &unlock(directory)?, &place::options())?)
}

fn list(directory: &Path) -> Result<(), Failure> {
    let wallet = open(directory)?;
    output::line("Oracle Secret Store entries:")?;
    wallet.secrets().try_for_each(|secret| output::line(secret.name()))
}

fn view(directory: &Path, name: &str) -> Result<(), Failure> {
    let wallet = open(directory)?;
    match wallet.secret(name) {
        Some(value) => output::line(format!("{name} = {value}")),
        None => Err(missing("entry", name)),
    }
}

fn list_credentials(directory: &Path) -> Result<(), Failure> {
    let wallet = open(directory)?;
    output::line("List credential (index: connect_string username)")?;
    let credentials = wallet.connect_credentials();
    credentials.iter().enumerate().try_for_each(|(index, credential)| {
        output::line(format!("{}: {} {}", index + 1, credential.connect_string(), credential.user()))
    })
}

/// The commands that change an entry. mkstore keeps making and changing apart, so that a slip of the pen
/// overwrites nothing.
fn change(directory: &Path, command: &str, given: &Given) -> Result<(), Failure> {
    let values = given.values(command).unwrap_or_default();
    let first = given.required(command)?;
    let secret = secret(command, given)?;
    let secret = secret.as_str();
    edit(directory, &unlock(directory)?, &place::options(), |wallet| {
        let has_entry = wallet.secret(first).is_some();
        let known = wallet.connect_credentials();
        let has_credential = known.iter().any(|one| one.connect_string().eq_ignore_ascii_case(first));
        let done = match command {
            "-createEntry" if has_entry => return Err(present("entry", first)),
            "-modifyEntry" if !has_entry => return Err(missing("entry", first)),
            "-createCredential" if has_credential => return Err(present("credential", first)),
            "-modifyCredential" if !has_credential => return Err(missing("credential", first)),
            "-createEntry" | "-modifyEntry" => {
                wallet.set_secret(first, secret);
                true
            }
            "-createCredential" | "-modifyCredential" => {
                wallet.set_connect_credential(&ConnectCredential::new(first, &values[1], secret));
                true
            }
            "-deleteEntry" => wallet.delete_secret(first),
            _ => wallet.delete_connect_credential(first),
        };
        if done { Ok(()) } else { Err(missing("entry", first)) }
    })
}

/// The secret of a command that stores one: among its values, or asked for before the wallet's password.
fn secret(command: &str, given: &Given) -> Result<Zeroizing<String>, Failure> {
    let at = match command {
        "-createEntry" | "-modifyEntry" => 1,
        "-createCredential" | "-modifyCredential" => 2,
        _ => return Ok(Zeroizing::default()),
    };
    match given.secret(command, at) {
        Some(secret) => Ok(Zeroizing::new(secret.to_owned())),
        None => ask::new_secret("Enter your secret/Password: ", "Re-enter your secret/Password: "),
    }
}

fn missing(kind: &str, name: &str) -> Failure {
    Failure::new(format!("the wallet has no {kind} {name:?}")).hint("nothing was changed")
}

fn present(kind: &str, name: &str) -> Failure {
    Failure::new(format!("the wallet has the {kind} {name:?} already"))
        .hint("nothing was changed; use the -modify command")
}
