#![doc = include_str!("../README.md")]

mod certificate;
pub mod certs;
pub mod check;
mod content;
mod credential;
mod der;
mod directory;
pub mod durable;
mod error;
mod file;
pub mod issue;
mod limits;
mod lock;
mod names;
mod oid;
mod password;
mod pem;
mod pkcs12;
mod private_key;
mod random;
mod request;
pub mod seal;
mod signer;
mod sso;
mod store;
#[cfg(test)]
mod tests;
mod wallet;

pub use certificate::{Certificate, KeyAlgorithm};
pub use content::connect::ConnectCredential;
pub use content::master_key::{MasterKey, MasterKeyId};
pub use content::secret::Secret;
pub use credential::Credential;
pub use directory::{AUTO_LOGIN_FILE, PASSWORD_FILE, Standing};
pub use error::WalletError;
pub use file::{Derivation, OpenOptions};
pub use limits::Limits;
pub use password::Password;
pub use pem::{PemContents, read_pem};
pub use pkcs12::pbe::Encryption;
pub use private_key::PrivateKey;
pub use request::CertificateRequest;
pub use sso::{AutoLoginKind, LocalIdentity};
pub use store::{AutoLogin, Form, Unlock, auto_login_kind, edit, protect, standing};
pub use wallet::{Entry, Wallet};
