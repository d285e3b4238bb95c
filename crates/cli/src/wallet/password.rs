//! Where passwords and secret values come from: a file, a file descriptor or a terminal. Never an argument's
//! value, which every user of the host can read.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use twinlock_wallet::Password;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::output;

/// More than any password, and little enough to read at once.
const LIMIT_BYTES: u64 = 1 << 20;

/// The wallet's password.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PasswordArgs {
    /// Read the wallet's password from this file (its first line)
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// Read the wallet's password from this open file descriptor (its first line)
    #[arg(long, value_name = "FD")]
    password_fd: Option<u32>,
}

/// The password that a wallet is to have from now on.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct NewPasswordArgs {
    /// Read the new password from this file (its first line)
    #[arg(long, value_name = "FILE", conflicts_with = "new_password_fd")]
    new_password_file: Option<PathBuf>,
    /// Read the new password from this open file descriptor (its first line)
    #[arg(long, value_name = "FD")]
    new_password_fd: Option<u32>,
}

/// A secret value to store.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ValueArgs {
    /// Read the value from this file (its first line)
    #[arg(long, value_name = "FILE", conflicts_with = "value_fd")]
    value_file: Option<PathBuf>,
    /// Read the value from this open file descriptor (its first line)
    #[arg(long, value_name = "FD")]
    value_fd: Option<u32>,
}

impl PasswordArgs {
    pub(crate) fn from_file(password_file: Option<PathBuf>) -> Self {
        Self { password_file, password_fd: None }
    }

    pub(crate) fn is_given(&self) -> bool {
        self.password_file.is_some() || self.password_fd.is_some()
    }

    /// The existing password of a wallet.
    pub(crate) fn obtain(&self) -> Result<Password, Failure> {
        match source(self.password_file.as_deref(), self.password_fd)? {
            Some(text) => Ok(Password::new(text.as_str())),
            None => ask("Wallet password: ", "--password-file or --password-fd")
                .map(|text| Password::new(text.as_str())),
        }
    }

    /// A password for a wallet to be made: asked for twice, and judged.
    pub(crate) fn obtain_new(&self) -> Result<Password, Failure> {
        new_password(
            source(self.password_file.as_deref(), self.password_fd)?,
            "--password-file or --password-fd",
        )
    }
}

impl NewPasswordArgs {
    pub(crate) fn obtain(&self) -> Result<Password, Failure> {
        let given = source(self.new_password_file.as_deref(), self.new_password_fd)?;
        new_password(given, "--new-password-file or --new-password-fd")
    }
}

impl ValueArgs {
    pub(crate) fn obtain(&self, prompt: &str) -> Result<Zeroizing<String>, Failure> {
        match source(self.value_file.as_deref(), self.value_fd)? {
            Some(text) => Ok(text),
            None => ask_twice(prompt, "--value-file or --value-fd"),
        }
    }
}

fn new_password(given: Option<Zeroizing<String>>, options: &str) -> Result<Password, Failure> {
    let text = match given {
        Some(text) => text,
        None => ask_twice("New wallet password: ", options)?,
    };
    if text.is_empty() {
        return Err(Failure::usage("the password is empty"));
    }
    let password = Password::new(text.as_str());
    if let Some(weakness) = password.weakness() {
        output::note(format!("warning: this password is weak: {weakness}"));
    }
    Ok(password)
}

fn source(file: Option<&Path>, descriptor: Option<u32>) -> Result<Option<Zeroizing<String>>, Failure> {
    let path = match (file, descriptor) {
        (Some(path), _) => path.to_path_buf(),
        (None, Some(number)) => PathBuf::from(format!("/dev/fd/{number}")),
        (None, None) => return Ok(None),
    };
    let cannot =
        |error| Failure::new(format!("cannot read the secret from {}", path.display())).because(error);
    first_line(File::open(&path).map_err(cannot)?).map_err(cannot).map(Some)
}

/// Without its end of line, which editors and `echo` add. The rest of the file is not looked at.
pub(super) fn first_line(input: impl Read) -> std::io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    input.take(LIMIT_BYTES).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| std::io::Error::other("it is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn ask_twice(prompt: &str, options: &str) -> Result<Zeroizing<String>, Failure> {
    let text = ask(prompt, options)?;
    match ask("Once more: ", options)? == text {
        true => Ok(text),
        false => Err(Failure::usage("the two entries differ; nothing was changed")),
    }
}

fn ask(prompt: &str, options: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask on").hint(format!("use {options}")));
    }
    let answer = rpassword::prompt_password(prompt);
    answer.map(Zeroizing::new).map_err(|error| Failure::new("cannot ask for the secret").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_is_taken_without_its_end() {
        for (input, expected) in [("a b\nrest", "a b"), ("a\r\n", "a"), ("a", "a"), ("", "")] {
            assert_eq!(*first_line(input.as_bytes()).unwrap(), expected);
        }
        assert!(first_line(&b"\xFF\n"[..]).is_err());
    }
}
