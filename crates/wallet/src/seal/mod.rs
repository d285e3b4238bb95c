//! Seals a wallet's password to this machine, so that the wallet opens here without a person.
//!
//! Beside `ewallet.p12` a file `ewallet.sealed` holds the wallet's password, encrypted so that only this
//! machine's TPM, or only this installation of systemd, gives it back. That is what an auto-login file is
//! for, with protection that deserves the name when a TPM does it.
//!
//! ```no_run
//! use std::path::Path;
//! use twinlock_wallet::seal::{self, Sealer};
//! use twinlock_wallet::{Password, Wallet};
//!
//! let directory = Path::new("/etc/example/wallet");
//! let told = seal::seal(directory, &Password::new("correct horse battery"), &Sealer::Tpm { tcti: None })?;
//! println!("{told}"); // hardware bound
//! // From now on, on this machine only:
//! let wallet = Wallet::open_with_password(directory, &seal::unseal(directory, None)?)?;
//! # Ok::<(), twinlock_wallet::WalletError>(())
//! ```

mod systemd;
mod tpm;

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::durable;
use crate::error::{WalletError, writing};
use crate::password::Password;
use crate::{directory, store};

/// Name of the file with the sealed password.
pub const SEALED_FILE: &str = "ewallet.sealed";

const FIRST_LINE: &str = "twinlock sealed wallet password, version 1";
/// A sealed password is a few hundred bytes.
const LIMIT_BYTES: u64 = 64 << 10;

/// What seals the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealer {
    /// The machine's TPM 2.0, through the programs of Debian's `tpm2-tools`.
    Tpm {
        /// Where the TPM is, in the notation of `tpm2-tools` (`device:/dev/tpmrm0`); `None` for their default.
        tcti: Option<String>,
    },
    /// systemd's host key, through `systemd-creds`.
    SystemdHost,
}

/// What a sealed wallet is protected against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The password comes out of this machine's TPM only.
    Hardware,
    /// The key that unseals lies in a file of the same machine.
    HostFile,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hardware => "hardware bound",
            Self::HostFile => "host file, same disk: not protected against theft",
        })
    }
}

/// Seals the password of the wallet in `directory`, after trying that it opens the wallet.
///
/// # Errors
/// [`WalletError::Exists`] when there is an auto-login file, which would make the sealing pointless;
/// what opening the wallet gives; [`WalletError::Program`] when sealing fails.
pub fn seal(directory: &Path, password: &Password, sealer: &Sealer) -> Result<Protection, WalletError> {
    crate::Wallet::open_with_password(directory, password)?;
    if store::auto_login_kind(directory)?.is_some() {
        return Err(WalletError::Exists { path: directory.join(crate::AUTO_LOGIN_FILE) });
    }
    let (method, sealed) = match sealer {
        Sealer::Tpm { tcti } => (Method::Tpm, tpm::seal(password, tcti.as_deref())?),
        Sealer::SystemdHost => (Method::SystemdHost, systemd::seal(password)?),
    };
    let text = format!("{FIRST_LINE}\n{}\n{}\n", method.name(), Base64::encode_string(&sealed));
    let path = directory.join(SEALED_FILE);
    durable::replace_file(&path, text.as_bytes(), 0o600).map_err(writing(&path))?;
    Ok(method.protection())
}

/// Whether the wallet in `directory` is sealed, and what that protects against. Nothing is unsealed.
///
/// # Errors
/// When the file is there but cannot be read.
pub fn protection(directory: &Path) -> Result<Option<Protection>, WalletError> {
    Ok(read(directory)?.map(|(method, _)| method.protection()))
}

/// Gives back the password of the sealed wallet in `directory`. `tcti` says where the TPM is.
///
/// # Errors
/// When the wallet is not sealed, or not by this machine.
pub fn unseal(directory: &Path, tcti: Option<&str>) -> Result<Password, WalletError> {
    let (method, sealed) = read(directory)?
        .ok_or_else(|| WalletError::NotFound { directory: directory.to_path_buf(), file: SEALED_FILE })?;
    let text = match method {
        Method::Tpm => tpm::unseal(&sealed, tcti)?,
        Method::SystemdHost => systemd::unseal(&sealed)?,
    };
    let text =
        std::str::from_utf8(&text).map_err(|_| WalletError::Malformed { what: "unsealed password" })?;
    Ok(Password::new(text))
}

#[derive(Clone, Copy)]
enum Method {
    Tpm,
    SystemdHost,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Tpm => "tpm2",
            Self::SystemdHost => "systemd-host",
        }
    }

    fn protection(self) -> Protection {
        match self {
            Self::Tpm => Protection::Hardware,
            Self::SystemdHost => Protection::HostFile,
        }
    }
}

fn read(directory: &Path) -> Result<Option<(Method, Vec<u8>)>, WalletError> {
    let path = directory.join(SEALED_FILE);
    let Some(bytes) = directory::read_if_there(&path, LIMIT_BYTES)? else { return Ok(None) };
    parse(&bytes).map(Some).map_err(|error| error.in_file(&path))
}

fn parse(bytes: &[u8]) -> Result<(Method, Vec<u8>), WalletError> {
    let malformed = || WalletError::Malformed { what: "sealed password" };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(malformed());
    }
    let method = match lines.next() {
        Some("tpm2") => Method::Tpm,
        Some("systemd-host") => Method::SystemdHost,
        other => {
            return Err(WalletError::Unsupported {
                what: "way of sealing",
                name: other.unwrap_or_default().into(),
            });
        }
    };
    let sealed = lines.next().and_then(|line| Base64::decode_vec(line).ok()).ok_or_else(malformed)?;
    Ok((method, sealed))
}

/// Runs a program with `input` on its standard input; its standard output, or what it said.
fn run(
    program: &'static str,
    command: &mut Command,
    input: &[u8],
) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let failed = |reason: String| WalletError::Program { program, reason };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading says why on its standard error.
        drop(stdin.write_all(input));
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let stdout = Zeroizing::new(output.stdout);
    match output.status.success() {
        true => Ok(stdout),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}
