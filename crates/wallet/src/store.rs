//! Opening and saving wallets on disk.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::directory::{
    self, AUTO_LOGIN_FILE, Directory, LockedDirectory, NewFiles, PASSWORD_FILE, Standing,
};
use crate::error::WalletError;
use crate::file::{Derivation, OpenOptions, Origin};
use crate::password::Password;
use crate::random;
use crate::sso::{AutoLoginKind, LocalIdentity, Sso};
use crate::wallet::Wallet;

/// What opens a wallet.
#[derive(Clone, Debug)]
pub enum Unlock {
    /// The password of `ewallet.p12`.
    Password(Password),
    /// Nothing: `cwallet.sso` opens by itself.
    AutoLogin,
}

/// Which files a saved wallet consists of.
#[derive(Clone, Debug)]
pub struct Form {
    /// Write `ewallet.p12` under this password.
    pub password: Option<(Password, Derivation)>,
    /// Write `cwallet.sso`.
    pub auto_login: AutoLogin,
}

/// Who may open a wallet without a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutoLogin {
    /// Nobody: there is no `cwallet.sso`.
    No,
    /// Whoever can read the file.
    Anyone,
    /// One user on one host, as far as names that anybody can look up tell them from others.
    Local(LocalIdentity),
}

impl Form {
    fn auto_login_kind(&self) -> Option<AutoLoginKind> {
        match &self.auto_login {
            AutoLogin::No => None,
            AutoLogin::Anyone if self.password.is_some() => Some(AutoLoginKind::WithPasswordFile),
            AutoLogin::Anyone => Some(AutoLoginKind::Only),
            AutoLogin::Local(_) => Some(AutoLoginKind::Local),
        }
    }
}

impl Wallet {
    /// Opens the wallet at `path` (a directory or a `cwallet.sso`) by its auto-login file.
    ///
    /// # Errors
    /// When there is none, or it cannot be read, is damaged, or is of the local kind.
    pub fn open_auto_login(path: &Path) -> Result<Self, WalletError> {
        Self::open(path, &Unlock::AutoLogin, &OpenOptions::default())
    }

    /// Opens the wallet at `path` (a directory or an `ewallet.p12`) with its password.
    ///
    /// # Errors
    /// [`WalletError::WrongPassword`] and [`WalletError::Damaged`] are told apart where the file allows it.
    pub fn open_with_password(path: &Path, password: &Password) -> Result<Self, WalletError> {
        Self::open(path, &Unlock::Password(password.clone()), &OpenOptions::default())
    }

    /// Opens the wallet at `path`, a directory or one of its files.
    ///
    /// # Errors
    /// As [`Wallet::open_auto_login`] and [`Wallet::open_with_password`].
    pub fn open(path: &Path, unlock: &Unlock, options: &OpenOptions) -> Result<Self, WalletError> {
        let (name, file) = match unlock {
            Unlock::Password(_) => (PASSWORD_FILE, file_at(path, PASSWORD_FILE)),
            Unlock::AutoLogin => (AUTO_LOGIN_FILE, file_at(path, AUTO_LOGIN_FILE)),
        };
        let bytes = directory::read_if_there(&file, options.limits.file_bytes)?;
        let bytes = bytes.ok_or_else(|| WalletError::NotFound {
            directory: file.parent().unwrap_or(path).to_path_buf(),
            file: name,
        })?;
        let wallet = match unlock {
            Unlock::Password(password) => Self::from_p12_bytes_with(&bytes, password, options),
            Unlock::AutoLogin => Self::from_sso_bytes_with(&bytes, options),
        };
        wallet.map_err(|error| error.in_file(&file))
    }

    /// Writes the wallet into `directory` as a `cwallet.sso` that stands on its own, mode 0600.
    ///
    /// Anybody who can read that file can open it. A wallet read from there and not changed is not written
    /// at all.
    ///
    /// # Errors
    /// [`WalletError::Exists`] when another wallet is there, [`WalletError::ChangedMeanwhile`] when it was
    /// changed since this one was read from it, [`WalletError::PasswordNeeded`] when an `ewallet.p12` is
    /// there, which would fall behind.
    pub fn save_auto_login(&mut self, directory: &Path) -> Result<(), WalletError> {
        self.save(directory, &Form { password: None, auto_login: AutoLogin::Anyone })
    }

    /// Writes the wallet into `directory` in the form asked for, mode 0600 or what the old files had if
    /// that allows less.
    ///
    /// A file that is there and not part of `form` is not touched, unless that would leave it behind.
    ///
    /// # Errors
    /// As [`Wallet::save_auto_login`].
    pub fn save(&mut self, directory: &Path, form: &Form) -> Result<(), WalletError> {
        let locked = Directory::new(directory).lock()?;
        self.refuse_to_overwrite(&locked.directory)?;
        if form.password.is_none() && locked.directory.password_file().exists() {
            return Err(WalletError::PasswordNeeded { path: locked.directory.password_file() });
        }
        self.write(&locked, form)
    }

    /// Errs unless the files in `directory` are those that this wallet was read from, or there are none.
    fn refuse_to_overwrite(&self, directory: &Directory) -> Result<(), WalletError> {
        let (password_file, auto_login_file) = (directory.password_file(), directory.auto_login_file());
        let (read_from, other) = match &self.origin {
            Some(Origin { kind: None, .. }) => (password_file, auto_login_file),
            _ => (auto_login_file, password_file),
        };
        let limit = crate::Limits::default().file_bytes;
        match (directory::read_if_there(&read_from, limit)?, &self.origin) {
            (None, _) if other.exists() => Err(WalletError::Exists { path: other }),
            (None, _) => Ok(()),
            (Some(now), Some(origin)) if *now == **origin.bytes => Ok(()),
            (Some(_), Some(_)) => Err(WalletError::ChangedMeanwhile { path: read_from }),
            (Some(_), None) => Err(WalletError::Exists { path: read_from }),
        }
    }

    fn write(&mut self, locked: &LockedDirectory, form: &Form) -> Result<(), WalletError> {
        if self.is_on_disk_already(locked, form)? {
            return Ok(());
        }
        let salt = random::bytes::<8>()?.to_vec();
        let password_file = match &form.password {
            Some((password, derivation)) => Some(self.write_p12(password, derivation, salt.clone())?),
            None => None,
        };
        let auto_login_file = match (form.auto_login_kind(), &form.auto_login) {
            (None, _) => None,
            (Some(kind), AutoLogin::Local(identity)) => Some(self.write_sso(kind, Some(identity), salt)?),
            (Some(kind), _) => Some(self.write_sso(kind, None, salt)?),
        };
        locked.write(NewFiles {
            password_file: password_file.as_deref(),
            auto_login_file: auto_login_file.as_ref().map(|bytes| bytes.as_slice()),
        })?;
        self.remember(password_file, auto_login_file, form);
        Ok(())
    }

    /// Whether everything that `form` asks for is there with these contents: then not a byte is written.
    fn is_on_disk_already(&self, locked: &LockedDirectory, form: &Form) -> Result<bool, WalletError> {
        let Some(origin) = &self.origin else { return Ok(false) };
        if self.changed || kind_on_disk(&locked.directory)? != form.auto_login_kind() {
            return Ok(false);
        }
        let in_step = !matches!(locked.directory.standing()?, Standing::AutoLoginBehind { .. });
        Ok(match &form.password {
            // Opened again rather than remembered: the password must be the one on disk.
            Some((password, derivation)) if origin.kind.is_none() => {
                let same_password = || Self::from_p12_bytes(&origin.bytes, password).is_ok();
                in_step && *derivation == origin.derivation && same_password()
            }
            Some(_) => false,
            None => origin.kind == form.auto_login_kind(),
        })
    }

    /// What was written is what the wallet now comes from.
    fn remember(
        &mut self,
        password_file: Option<Vec<u8>>,
        auto_login_file: Option<Zeroizing<Vec<u8>>>,
        form: &Form,
    ) {
        let origin = match (&form.password, password_file, auto_login_file) {
            (Some((_, derivation)), Some(bytes), _) => {
                Some(Origin { bytes: bytes.into(), kind: None, derivation: *derivation })
            }
            (_, _, Some(bytes)) => {
                let derivation = self.derivation().unwrap_or(Derivation::ORACLE);
                Some(Origin { bytes, kind: form.auto_login_kind(), derivation })
            }
            _ => None,
        };
        if origin.is_some() {
            self.origin = origin;
            self.changed = false;
        }
    }
}

/// Changes the wallet in `directory` under its lock: opens it, lets `change` work on it, writes it back in
/// the form it had.
///
/// Two writers at once take turns, and nothing of either is lost. A wallet that `change` left as it was is
/// not written.
///
/// ```
/// use twinlock_wallet::{OpenOptions, Unlock, Wallet, WalletError, edit};
///
/// # let dir = tempfile::tempdir()?;
/// Wallet::new().save_auto_login(dir.path())?;
/// let replaced = edit::<_, WalletError>(dir.path(), &Unlock::AutoLogin, &OpenOptions::default(), |wallet| {
///     Ok(wallet.set_secret("api.token", "s3cret"))
/// })?;
/// assert!(!replaced);
/// assert_eq!(Wallet::open_auto_login(dir.path())?.secret("api.token"), Some("s3cret"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What opening, `change` or saving gives. [`WalletError::PasswordNeeded`] when the wallet was opened by its
/// auto-login file and has a password file beside it, which would fall behind.
pub fn edit<T, E: From<WalletError>>(
    directory: &Path,
    unlock: &Unlock,
    options: &OpenOptions,
    change: impl FnOnce(&mut Wallet) -> Result<T, E>,
) -> Result<T, E> {
    let locked = Directory::new(directory).lock()?;
    let mut wallet = Wallet::open(directory, unlock, options)?;
    let mut form = form_on_disk(&locked.directory, &wallet, unlock, options)?;
    let result = change(&mut wallet)?;
    if let (true, Some((_, derivation))) = (wallet.changed, &mut form.password) {
        // Old wallets have as few as 1,024 iterations; what is written anew has at least today's.
        *derivation = derivation.at_least_oracle();
    }
    wallet.write(&locked, &form)?;
    Ok(result)
}

/// Changes how the wallet in `directory` is protected: its password, its derivation, its auto-login file.
///
/// `choose` is given the form that the wallet has and returns the one it is to have. An auto-login file that
/// the new form does not have is removed.
///
/// ```
/// use twinlock_wallet::{AutoLogin, Derivation, Form, OpenOptions, Password, Unlock, Wallet, protect};
///
/// # let dir = tempfile::tempdir()?;
/// let old = Password::new("correct horse battery");
/// let form = Form { password: Some((old.clone(), Derivation::ORACLE)), auto_login: AutoLogin::No };
/// Wallet::new().save(dir.path(), &form)?;
///
/// // A new password, and a cwallet.sso besides.
/// let new = Password::new("staple correct horse");
/// protect(dir.path(), &Unlock::Password(old), &OpenOptions::default(), |form| Form {
///     password: form.password.map(|(_, derivation)| (new.clone(), derivation)),
///     auto_login: AutoLogin::Anyone,
/// })?;
/// Wallet::open_with_password(dir.path(), &new)?;
/// Wallet::open_auto_login(dir.path())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What opening or saving gives; [`WalletError::PasswordNeeded`] when the new form has no password and a
/// password file is there.
pub fn protect(
    directory: &Path,
    unlock: &Unlock,
    options: &OpenOptions,
    choose: impl FnOnce(Form) -> Form,
) -> Result<(), WalletError> {
    let locked = Directory::new(directory).lock()?;
    let mut wallet = Wallet::open(directory, unlock, options)?;
    let mut form = form_on_disk(&locked.directory, &wallet, unlock, options)?;
    if let Some((_, derivation)) = &mut form.password {
        *derivation = derivation.at_least_oracle();
    }
    let form = choose(form);
    if form.password.is_none() && locked.directory.password_file().exists() {
        return Err(WalletError::PasswordNeeded { path: locked.directory.password_file() });
    }
    if form.password.is_none() && form.auto_login == AutoLogin::No {
        let reason = "a wallet without a password needs its auto-login file".to_owned();
        return Err(WalletError::Invalid { what: "form of the wallet", reason });
    }
    wallet.write(&locked, &form)?;
    match form.auto_login {
        AutoLogin::No => locked.remove_auto_login_file(),
        AutoLogin::Anyone | AutoLogin::Local(_) => Ok(()),
    }
}

/// How the two files of the wallet in `directory` stand to each other.
///
/// # Errors
/// When one of them cannot be read.
pub fn standing(directory: &Path) -> Result<Standing, WalletError> {
    Directory::new(directory).standing()
}

fn form_on_disk(
    directory: &Directory,
    wallet: &Wallet,
    unlock: &Unlock,
    options: &OpenOptions,
) -> Result<Form, WalletError> {
    let auto_login = auto_login_on_disk(directory, options)?;
    match unlock {
        Unlock::Password(password) => {
            Ok(Form { password: Some((password.clone(), wallet.own_derivation())), auto_login })
        }
        Unlock::AutoLogin if directory.password_file().exists() => {
            Err(WalletError::PasswordNeeded { path: directory.password_file() })
        }
        Unlock::AutoLogin => Ok(Form { password: None, auto_login }),
    }
}

/// The auto-login file that is there, to be written again as it is. A local one can be rewritten only by
/// who it is for.
fn auto_login_on_disk(directory: &Directory, options: &OpenOptions) -> Result<AutoLogin, WalletError> {
    match (kind_on_disk(directory)?, &options.local) {
        (None, _) => Ok(AutoLogin::No),
        (Some(AutoLoginKind::WithPasswordFile | AutoLoginKind::Only), _) => Ok(AutoLogin::Anyone),
        (Some(AutoLoginKind::Local), Some(identity)) => Ok(AutoLogin::Local(identity.clone())),
        (Some(AutoLoginKind::Local), None) => {
            Err(WalletError::OtherHostOrUser.in_file(&directory.auto_login_file()))
        }
    }
}

fn kind_on_disk(directory: &Directory) -> Result<Option<AutoLoginKind>, WalletError> {
    let path = directory.auto_login_file();
    let Some(bytes) = directory::read_if_there(&path, crate::Limits::default().file_bytes)? else {
        return Ok(None);
    };
    Ok(Some(Sso::read(&bytes).map_err(|error| error.in_file(&path))?.kind))
}

/// What kind of auto-login file the wallet in `directory` has, without opening it.
///
/// # Errors
/// When the file cannot be read or is none.
pub fn auto_login_kind(directory: &Path) -> Result<Option<AutoLoginKind>, WalletError> {
    kind_on_disk(&Directory::new(directory))
}

/// `path` itself when it is one of a wallet's files, else the file called `name` in it.
///
/// What is not there is taken for a directory, so that the error names what the caller named.
fn file_at(path: &Path, name: &str) -> PathBuf {
    match path.is_file() || path.file_name().is_some_and(|own| own == name) {
        true => path.to_path_buf(),
        false => path.join(name),
    }
}
