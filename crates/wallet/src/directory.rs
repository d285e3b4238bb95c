//! A wallet directory: `ewallet.p12` and `cwallet.sso`, changed as one.
//!
//! Both files of a wallet carry the same salt in their authentication codes, and every write draws a new
//! one. So anybody can see, without a password, whether the two belong to the same write.
//!
//! A write of both goes: new password file, new auto-login file, both synced under their waiting names; then
//! rename the password file, then the auto-login file. A crash before the first rename leaves the old
//! wallet. A crash between the two leaves the new auto-login file waiting with the salt of the password file
//! in place: the next writer renames it, needing no password. See [`Directory::recover`].

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::durable;
use crate::error::{WalletError, reading, writing};
use crate::limits::within;
use crate::lock::Lock;
use crate::pkcs12::pfx;
use crate::sso::Sso;

/// Name of the file that opens with a password.
pub const PASSWORD_FILE: &str = "ewallet.p12";
/// Name of the file that opens by itself.
pub const AUTO_LOGIN_FILE: &str = "cwallet.sso";

const MODE: u32 = 0o600;
const WAITING: &str = "new";
/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the two files of a wallet directory stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no wallet.
    Absent,
    /// Only `ewallet.p12` is there.
    PasswordOnly,
    /// Only `cwallet.sso` is there.
    AutoLoginOnly,
    /// Both are there and come from the same write.
    InStep,
    /// `cwallet.sso` does not come from the write that made `ewallet.p12`: it is behind, or was made apart.
    AutoLoginBehind {
        /// The new `cwallet.sso` is complete beside it, and the next writer puts it in place.
        update_waiting: bool,
    },
}

/// The files of one directory.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

/// A directory whose lock is held and whose interrupted writes have been settled.
pub(crate) struct LockedDirectory {
    pub(crate) directory: Directory,
    _lock: Lock,
}

/// New contents for the files; `None` leaves a file as it is.
pub(crate) struct NewFiles<'a> {
    pub(crate) password_file: Option<&'a [u8]>,
    pub(crate) auto_login_file: Option<&'a [u8]>,
}

impl Directory {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.path.join(PASSWORD_FILE)
    }

    pub(crate) fn auto_login_file(&self) -> PathBuf {
        self.path.join(AUTO_LOGIN_FILE)
    }

    /// Takes the lock and finishes or undoes what an interrupted writer left.
    pub(crate) fn lock(self) -> Result<LockedDirectory, WalletError> {
        let lock = Lock::acquire(&self.path, PATIENCE)?;
        self.recover()?;
        Ok(LockedDirectory { directory: self, _lock: lock })
    }

    pub(crate) fn standing(&self) -> Result<Standing, WalletError> {
        let password_salt = self.salt_of_password_file(&self.password_file())?;
        let auto_login_salt = self.salt_of_auto_login_file(&self.auto_login_file())?;
        Ok(match (password_salt, auto_login_salt) {
            (None, None) => Standing::Absent,
            (Some(_), None) => Standing::PasswordOnly,
            (None, Some(_)) => Standing::AutoLoginOnly,
            (Some(a), Some(b)) if a == b => Standing::InStep,
            (Some(a), Some(_)) => {
                let waiting = self.salt_of_auto_login_file(&waiting(&self.auto_login_file()));
                Standing::AutoLoginBehind { update_waiting: matches!(waiting, Ok(Some(salt)) if salt == a) }
            }
        })
    }

    /// Finishes a write that had renamed its first file, and takes away what one before that point left.
    fn recover(&self) -> Result<(), WalletError> {
        let auto_login = self.auto_login_file();
        let new = waiting(&auto_login);
        if self.standing()? == (Standing::AutoLoginBehind { update_waiting: true }) {
            durable::publish(&new, &auto_login).map_err(writing(&auto_login))?;
        }
        remove_if_there(&new)?;
        remove_if_there(&waiting(&self.password_file()))
    }

    fn salt_of_password_file(&self, path: &Path) -> Result<Option<Vec<u8>>, WalletError> {
        let Some(bytes) = read_if_there(path, crate::limits::Limits::default().file_bytes)? else {
            return Ok(None);
        };
        let salt = pfx::mac_salt(&bytes).map_err(|error| error.in_file(path))?;
        Ok(Some(salt.unwrap_or_default()))
    }

    fn salt_of_auto_login_file(&self, path: &Path) -> Result<Option<Vec<u8>>, WalletError> {
        let Some(bytes) = read_if_there(path, crate::limits::Limits::default().file_bytes)? else {
            return Ok(None);
        };
        let salt = Sso::read(&bytes).and_then(|sso| pfx::mac_salt(sso.pfx));
        Ok(Some(salt.map_err(|error| error.in_file(path))?.unwrap_or_default()))
    }
}

/// New files, written and synced under their waiting names; taken away again unless published.
pub(crate) struct Staged<'d> {
    directory: &'d Directory,
    /// The files to replace, the password file first.
    files: Vec<PathBuf>,
    settled: bool,
}

impl LockedDirectory {
    /// Puts the new files in place, so that a crash at any point leaves the old wallet or the new one.
    pub(crate) fn write(&self, files: NewFiles<'_>) -> Result<(), WalletError> {
        self.stage(files)?.publish()
    }

    pub(crate) fn remove_auto_login_file(&self) -> Result<(), WalletError> {
        remove_if_there(&self.directory.auto_login_file())?;
        durable::sync_directory(self.directory.path()).map_err(writing(self.directory.path()))
    }

    /// Writes the new files beside the old ones.
    pub(crate) fn stage(&self, files: NewFiles<'_>) -> Result<Staged<'_>, WalletError> {
        let mut staged = Staged { directory: &self.directory, files: Vec::new(), settled: false };
        staged.write(self.directory.password_file(), files.password_file)?;
        staged.write(self.directory.auto_login_file(), files.auto_login_file)?;
        // The names must be on disk before the first rename, or a power loss could keep the new password
        // file and lose the auto-login file that belongs to it.
        let path = self.directory.path();
        let synced = durable::sync_directory(path).and_then(|()| durable::reached("all waiting"));
        staged.noting_stops(synced).map_err(writing(path))?;
        Ok(staged)
    }
}

impl Staged<'_> {
    fn write(&mut self, path: PathBuf, contents: Option<&[u8]>) -> Result<(), WalletError> {
        let Some(contents) = contents else { return Ok(()) };
        let written = durable::write_new(&waiting(&path), &path, contents, MODE);
        self.files.push(path.clone());
        self.noting_stops(written).map_err(writing(&path))
    }

    /// Renames the new files over the old ones, the password file first.
    pub(crate) fn publish(mut self) -> Result<(), WalletError> {
        for path in self.files.clone() {
            let published = durable::publish(&waiting(&path), &path);
            // From the first rename on, what waits belongs to the new wallet: the next writer's to finish.
            self.settled |= !waiting(&path).exists();
            self.noting_stops(published).map_err(writing(&path))?;
        }
        Ok(())
    }

    /// A test that stops a write stands for a crash, after which nothing is taken away.
    fn noting_stops(&mut self, result: io::Result<()>) -> io::Result<()> {
        result.inspect_err(|error| self.settled |= durable::is_stop(error))
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.settled {
            debug_assert!(self.files.iter().all(|path| path.starts_with(self.directory.path())));
            self.files.iter().for_each(|path| drop(fs::remove_file(waiting(path))));
        }
    }
}

fn waiting(path: &Path) -> PathBuf {
    durable::temporary_name(path, WAITING)
}

fn remove_if_there(path: &Path) -> Result<(), WalletError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(writing(path)(error)),
        _ => Ok(()),
    }
}

/// Reads a file of at most `limit` bytes; `None` when there is none.
///
/// An auto-login file is as secret as what it holds, so the buffer has its final size from the start (growing
/// would leave copies behind) and is wiped.
pub(crate) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, WalletError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(reading(path)(error)),
    };
    let size = file.metadata().map_err(reading(path))?.len().min(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
    file.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(reading(path))?;
    within(bytes.len() as u64, limit, "size of the wallet file").map_err(|error| error.in_file(path))?;
    Ok(Some(bytes))
}
