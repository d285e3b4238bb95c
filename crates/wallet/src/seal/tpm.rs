//! A TPM 2.0, through Debian's `tpm2-tools`.
//!
//! The primary key is derived anew each time from the TPM's own seed, so nothing needs to be kept in the
//! TPM; the sealed object is useless to any other one.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use zeroize::Zeroizing;

use super::run;
use crate::error::{WalletError, reading, writing};
use crate::password::Password;
use crate::random;

pub(super) fn seal(password: &Password, tcti: Option<&str>) -> Result<Vec<u8>, WalletError> {
    let work = WorkDirectory::make()?;
    create_primary(&work, tcti)?;
    let mut create = tool("tpm2_create", tcti);
    create.args(["--parent-context"]).arg(work.file("primary"));
    create.args(["--sealing-input", "-", "--public"]).arg(work.file("public"));
    create.arg("--private").arg(work.file("private"));
    // Not to be guessed at from outside, and bound to this TPM and this parent.
    create.args(["--attributes", "fixedtpm|fixedparent|noda|userwithauth"]);
    run("tpm2_create", &mut create, password.bytes())?;
    flush(tcti);
    let public = work.read("public")?;
    let private = work.read("private")?;
    let length =
        u16::try_from(public.len()).map_err(|_| WalletError::Malformed { what: "sealed password" })?;
    Ok([&length.to_be_bytes(), public.as_slice(), &private].concat())
}

pub(super) fn unseal(sealed: &[u8], tcti: Option<&str>) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let malformed = || WalletError::Malformed { what: "sealed password" };
    let (length, rest) = sealed.split_first_chunk().ok_or_else(malformed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (public, private) = rest.split_at_checked(length).ok_or_else(malformed)?;
    let work = WorkDirectory::make()?;
    work.write("public", public)?;
    work.write("private", private)?;
    create_primary(&work, tcti)?;
    let mut load = tool("tpm2_load", tcti);
    load.arg("--parent-context").arg(work.file("primary"));
    load.arg("--public").arg(work.file("public")).arg("--private").arg(work.file("private"));
    load.arg("--key-context").arg(work.file("object"));
    run("tpm2_load", &mut load, &[])?;
    flush(tcti);
    let mut unseal = tool("tpm2_unseal", tcti);
    unseal.arg("--object-context").arg(work.file("object"));
    let password = run("tpm2_unseal", &mut unseal, &[]);
    flush(tcti);
    password
}

fn create_primary(work: &WorkDirectory, tcti: Option<&str>) -> Result<(), WalletError> {
    let mut command = tool("tpm2_createprimary", tcti);
    command.args(["--hierarchy", "o", "--key-algorithm", "ecc", "--hash-algorithm", "sha256"]);
    command.arg("--key-context").arg(work.file("primary"));
    run("tpm2_createprimary", &mut command, &[])?;
    flush(tcti);
    Ok(())
}

/// Takes what the last program left loaded out of the TPM, which has room for three objects.
///
/// The kernel's resource manager does it by itself, and has nothing to flush then.
fn flush(tcti: Option<&str>) {
    let mut command = tool("tpm2_flushcontext", tcti);
    command.arg("--transient-object");
    // Where it fails for a reason that matters, the next program fails with it.
    drop(run("tpm2_flushcontext", &mut command, &[]));
}

fn tool(program: &str, tcti: Option<&str>) -> Command {
    let mut command = Command::new(program);
    if let Some(tcti) = tcti {
        command.args(["--tcti", tcti]);
    }
    command
}

/// A directory of our own for contexts and blobs, none of them secret, removed when dropped.
struct WorkDirectory(PathBuf);

impl WorkDirectory {
    fn make() -> Result<Self, WalletError> {
        let parent = ["/dev/shm", "/tmp"].map(Path::new).into_iter().find(|path| path.is_dir());
        let parent = parent.unwrap_or(Path::new("."));
        let name: String = random::bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = parent.join(format!("twinlock-seal-{name}"));
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(writing(&path))?;
        Ok(Self(path))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, WalletError> {
        let path = self.file(name);
        fs::read(&path).map_err(reading(&path))
    }

    fn write(&self, name: &str, contents: &[u8]) -> Result<(), WalletError> {
        let path = self.file(name);
        fs::write(&path, contents).map_err(writing(&path))
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
