//! Metadata files: what is in the ConfigMaps and Secrets that a manifest refers to.

mod admin_user;
mod character_set;
mod db_ini;
mod resolve;
mod schema;
mod text;

pub use admin_user::AdminUser;
pub use character_set::CharacterSet;
pub use db_ini::{AGENT_SESSION_SETTINGS, DbIni, RESERVED_CONNECTIONS};
pub use schema::{Schema, Statement};

pub use crate::documents::Files;
use crate::documents::Ignored;
use crate::secret::SecretBytes;

/// The files that a manifest's `dbConfigMap` and `dbSecret` bring together.
#[derive(Debug, Clone, Copy)]
pub struct MetadataFiles;

/// What the metadata files say, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `db.ini`: settings of the database. All defaults when the file is absent.
    pub db_ini: DbIni,
    /// `adminUser`: the first user, who owns the database.
    pub admin_user: AdminUser,
    /// `schema.sql`: SQL that runs once, when the pair is made.
    pub schema: Option<Schema>,
    /// `replicationWallet`: the content of its `cwallet.sso`, as given; it is not looked into here.
    pub replication_wallet: SecretBytes,
    /// Where the wallet was found, as `repl-tls/replicationWallet`, for messages.
    pub replication_wallet_origin: String,
    /// Files and attributes that were accepted and have no effect here.
    pub ignored: Vec<Ignored>,
}
