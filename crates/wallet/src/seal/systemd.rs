//! systemd's host key, through `systemd-creds`.

use std::process::Command;

use zeroize::Zeroizing;

use super::run;
use crate::error::WalletError;
use crate::password::Password;

const PROGRAM: &str = "systemd-creds";
/// Bound into the ciphertext: a credential of another name cannot be passed off as this one.
const NAME: &str = "--name=twinlock-wallet";

pub(super) fn seal(password: &Password) -> Result<Vec<u8>, WalletError> {
    let mut command = Command::new(PROGRAM);
    command.args(["encrypt", "--with-key=host", NAME, "-", "-"]);
    Ok(run(PROGRAM, &mut command, password.bytes())?.to_vec())
}

pub(super) fn unseal(sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let mut command = Command::new(PROGRAM);
    command.args(["decrypt", NAME, "-", "-"]);
    run(PROGRAM, &mut command, sealed)
}
