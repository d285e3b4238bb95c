//! Asking for secrets as Oracle's tools do: on the terminal, or line by line from a pipe.

use std::io::{IsTerminal, Read};

use twinlock_wallet::Password;
use zeroize::Zeroizing;

use crate::wallet::{Failure, output};

/// Asks once.
pub(super) fn secret(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let cannot = |error: std::io::Error| Failure::new("cannot read the secret").because(error);
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(cannot);
    }
    line().map_err(cannot)
}

/// Asks twice for something new.
pub(super) fn new_secret(prompt: &str, again: &str) -> Result<Zeroizing<String>, Failure> {
    let first = secret(prompt)?;
    match secret(again)? == first {
        true => Ok(first),
        false => Err(Failure::usage("the two entries differ; nothing was changed")),
    }
}

/// A wallet's existing password: as given, or asked for.
pub(super) fn password(given: Option<&str>) -> Result<Password, Failure> {
    match given {
        Some(text) => Ok(Password::new(text)),
        None => secret("Enter wallet password: ").map(|text| Password::new(text.as_str())),
    }
}

/// The password of a wallet to be made: as given, or asked for twice; refused as Oracle's tools refuse it.
pub(super) fn new_password(given: Option<&str>) -> Result<Password, Failure> {
    let text = match given {
        Some(text) => Zeroizing::new(text.to_owned()),
        None => new_secret("Enter password: ", "Enter password again: ")?,
    };
    let password = Password::new(text.as_str());
    let refused = text.chars().count() < 8
        || text.chars().all(char::is_alphabetic)
        || text.chars().all(|character| character.is_ascii_digit());
    if refused {
        return Err(Failure::usage(
            "the password must have at least 8 characters, with letters and others among them",
        ));
    }
    if let Some(weakness) = password.weakness() {
        output::note(format!("warning: this password is weak: {weakness}"));
    }
    Ok(password)
}

/// One line, byte by byte, so that the next question finds the next line.
fn line() -> std::io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let mut one = [0];
    let mut input = std::io::stdin().lock();
    while bytes.len() < 4096 && input.read(&mut one)? == 1 && one[0] != b'\n' {
        bytes.push(one[0]);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| std::io::Error::other("it is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.trim_end_matches('\r').to_owned()))
}
