//! The certificates of a pair in one go: what TimesTen's `ttCreateCerts` makes.
//!
//! Three wallets: `rootWallet` holds the root's key and stays off the servers, `serverWallet` goes to every
//! member, `clientWallet` to the clients. The same `serverWallet` serves both members of a pair, so its
//! certificate is for servers and clients, and carries names under which either can be verified.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::directory::{AUTO_LOGIN_FILE, Directory, NewFiles, Staged};
use crate::durable;
use crate::error::{WalletError, writing};
use crate::issue::{Authority, KeyKind, Purposes, Template, Validity};
use crate::private_key::PrivateKey;
use crate::wallet::Wallet;

/// Directory of the wallet with the root's private key.
pub const ROOT_WALLET: &str = "rootWallet";
/// Directory of the wallet for every member of a pair.
pub const SERVER_WALLET: &str = "serverWallet";
/// Directory of the wallet for clients.
pub const CLIENT_WALLET: &str = "clientWallet";

/// How many days the certificates are valid unless told otherwise.
///
/// Ten years, as `ttCreateCerts` does: the day a certificate of a pair expires is the day replication stops,
/// and who creates certificates by hand renews them by hand. `wallet check` warns long before.
pub const DEFAULT_VALID_DAYS: u32 = 3650;

/// The curve of the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    #[default]
    P256,
    /// NIST P-384.
    P384,
}

/// What [`create`] is to make.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// Common name and first alternative name of the server certificate; what `verify-full` checks.
    pub name: String,
    /// The name of this host, added to the server certificate so that local clients verify it too.
    pub host: Option<String>,
    /// Further alternative names of the server certificate: DNS names or IP addresses.
    pub sans: Vec<String>,
    /// How many days the certificates are valid.
    pub valid_days: u32,
    /// The curve of the keys.
    pub curve: Curve,
    /// Replace wallets that are there already.
    pub force: bool,
    /// The present time.
    pub now: OffsetDateTime,
}

impl CreateOptions {
    /// The defaults for a server called `name`.
    pub fn new(name: impl Into<String>, now: OffsetDateTime) -> Self {
        Self {
            name: name.into(),
            host: None,
            sans: Vec::new(),
            valid_days: DEFAULT_VALID_DAYS,
            curve: Curve::P256,
            force: false,
            now,
        }
    }
}

/// What [`create`] made.
#[derive(Clone, Debug)]
pub struct Created {
    /// The three `cwallet.sso` files: root, server, client.
    pub files: [PathBuf; 3],
    /// The root certificate.
    pub root: Certificate,
    /// The certificate of the server wallet.
    pub server: Certificate,
    /// The certificate of the client wallet.
    pub client: Certificate,
}

/// Makes `rootWallet`, `serverWallet` and `clientWallet` under `dir`, each with a `cwallet.sso` of mode 0600
/// that stands on its own.
///
/// ```
/// use time::OffsetDateTime;
/// use twinlock_wallet::Wallet;
/// use twinlock_wallet::certs::{self, CreateOptions};
///
/// # let dir = tempfile::tempdir()?;
/// let options = CreateOptions { sans: vec!["db1.example.com".into()], ..CreateOptions::new("repltls", OffsetDateTime::now_utc()) };
/// certs::create(dir.path(), &options)?;
/// let credential = Wallet::open_auto_login(&dir.path().join(certs::SERVER_WALLET))?.credential()?;
/// assert_eq!(credential.name(), Some("repltls"));
/// assert!(credential.leaf().verifies_name("db1.example.com"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WalletError::Exists`] when one of the files is there and `force` is not set, and what is wrong with a
/// name that cannot go into a certificate; nothing is changed then. When the machine stops while `force`
/// replaces files, some may be new and others old: make them again.
pub fn create(dir: &Path, options: &CreateOptions) -> Result<Created, WalletError> {
    let files = [ROOT_WALLET, SERVER_WALLET, CLIENT_WALLET].map(|name| dir.join(name).join(AUTO_LOGIN_FILE));
    if !options.force {
        refuse_existing(&files)?;
    }
    let made = make(options)?;
    write_all(&files, &[made.root_wallet, made.server_wallet, made.client_wallet], options.force)?;
    Ok(Created { files, root: made.root, server: made.server, client: made.client })
}

struct Made {
    root: Certificate,
    server: Certificate,
    client: Certificate,
    root_wallet: Wallet,
    server_wallet: Wallet,
    client_wallet: Wallet,
}

fn make(options: &CreateOptions) -> Result<Made, WalletError> {
    let kind = match options.curve {
        Curve::P256 => KeyKind::EcP256,
        Curve::P384 => KeyKind::EcP384,
    };
    let validity = Validity::days(options.now, options.valid_days);
    // Before any key is made: a name that cannot be used is the caller's most likely mistake.
    let server_template = server_template(options, validity);
    let (authority, root_key) =
        Authority::create_root(&Template::new(root_name(&options.name), validity), kind)?;
    let root = authority.certificate().clone();

    let server_key = PrivateKey::generate(kind)?;
    let server = authority.issue(&server_template, &server_key)?;
    let client_key = PrivateKey::generate(kind)?;
    let client_template = Template::new(client_name(&options.name), validity).purposes(Purposes::CLIENT);
    let client = authority.issue(&client_template, &client_key)?;

    Ok(Made {
        root_wallet: wallet(root_key, &root, &root)?,
        server_wallet: wallet(server_key, &server, &root)?,
        client_wallet: wallet(client_key, &client, &root)?,
        root,
        server,
        client,
    })
}

fn server_template(options: &CreateOptions, validity: Validity) -> Template {
    let names = std::iter::once(&options.name).filter(|name| usable_as_alternative_name(name));
    let host = options.host.iter().filter(|host| usable_as_alternative_name(host));
    let given = names.chain(&options.sans).chain(host).cloned();
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    given
        .chain(local)
        .fold(Template::new(&options.name, validity), Template::alternative_name)
        .purposes(Purposes::BOTH)
}

/// A common name such as `Sales database` is allowed; the host's name and localhost verify it then.
fn usable_as_alternative_name(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok() || crate::names::is_host_name(name)
}

fn root_name(name: &str) -> String {
    shortened(name, " root")
}

fn client_name(name: &str) -> String {
    shortened(name, "-client")
}

/// `name` and `suffix` within the 64 characters that a common name may have.
fn shortened(name: &str, suffix: &str) -> String {
    name.chars().take(64 - suffix.len()).chain(suffix.chars()).collect()
}

fn wallet(key: PrivateKey, certificate: &Certificate, root: &Certificate) -> Result<Wallet, WalletError> {
    let mut wallet = Wallet::new();
    wallet.add_identity(key, certificate.clone())?;
    wallet.add_trusted(root.clone());
    Ok(wallet)
}

fn refuse_existing(files: &[PathBuf]) -> Result<(), WalletError> {
    match files.iter().find(|file| std::fs::symlink_metadata(file).is_ok()) {
        Some(path) => Err(WalletError::Exists { path: path.clone() }),
        None => Ok(()),
    }
}

/// Writes all three before it puts the first in place, so that a full disk leaves everything as it was.
fn write_all(files: &[PathBuf; 3], wallets: &[Wallet; 3], force: bool) -> Result<(), WalletError> {
    let directories: Vec<_> = files.iter().map(|file| Directory::new(durable::parent(file))).collect();
    for directory in &directories {
        make_directory(directory.path())?;
    }
    let locked: Vec<_> = directories.into_iter().map(Directory::lock).collect::<Result<_, _>>()?;
    if !force {
        // Once more, now that nobody else can be making them.
        refuse_existing(files)?;
    }
    let contents = wallets.iter().map(Wallet::to_sso_bytes).collect::<Result<Vec<_>, _>>()?;
    let staged: Vec<_> = locked
        .iter()
        .zip(&contents)
        .map(|(directory, bytes)| {
            directory.stage(NewFiles { password_file: None, auto_login_file: Some(bytes) })
        })
        .collect::<Result<_, _>>()?;
    staged.into_iter().try_for_each(Staged::publish)
}

fn make_directory(path: &Path) -> Result<(), WalletError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(writing(path))
}
