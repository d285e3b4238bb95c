//! What was applied: everything of a manifest and its files that a later one is compared with.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::documents::{PairKind, PairManifest};
use crate::metadata::{AdminUser, DbIni, Metadata, Schema};
use crate::spec::PairSpec;

/// An applied manifest, as kept in a state file. It holds no secret; the admin user's password is there only as
/// a fingerprint that is made as slow to guess as the verifier in the database itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The pair's name.
    pub name: String,
    /// Its namespace, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The kind by which it was declared.
    pub kind: PairKind,
    /// The declared pair.
    pub spec: PairSpec,
    /// PostgreSQL's settings, from `db.ini`.
    pub settings: BTreeMap<String, String>,
    /// PostgreSQL's name of the encoding.
    pub encoding: String,
    /// Of the content of `replicationWallet`.
    pub wallet: Fingerprint,
    /// The name of the admin user.
    pub admin_user: String,
    /// Of the admin user's password.
    pub admin_user_fingerprint: Fingerprint,
    /// Of the statements of `schema.sql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Fingerprint>,
}

impl Applied {
    /// What `manifest` with `metadata` amounts to. Takes about a tenth of a second, for the password's sake.
    pub fn new(manifest: &PairManifest, metadata: &Metadata) -> Self {
        Self {
            name: manifest.name.clone(),
            namespace: manifest.namespace.clone(),
            kind: manifest.source.kind,
            spec: manifest.spec.clone(),
            settings: settings(&metadata.db_ini),
            encoding: metadata.db_ini.character_set().postgres_name().to_owned(),
            wallet: Fingerprint::of([metadata.replication_wallet.expose()]),
            admin_user: metadata.admin_user.name().to_owned(),
            admin_user_fingerprint: Fingerprint::of_password(&manifest.name, &metadata.admin_user),
            schema: metadata.schema.as_ref().map(Fingerprint::of_schema),
        }
    }
}

/// Every setting, the libraries that the user preloads among them.
fn settings(db_ini: &DbIni) -> BTreeMap<String, String> {
    let mut settings = db_ini.settings();
    let libraries = db_ini.preload_libraries(&[]);
    if !libraries.is_empty() {
        settings.insert("shared_preload_libraries".into(), libraries.join(","));
    }
    settings
}

/// Tells whether two contents are equal without holding them: 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// SHA-256 of `parts`, each preceded by its length, so that no two lists run together.
    fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self::shown(&hash.finalize())
    }

    fn of_schema(schema: &Schema) -> Self {
        Self::of(schema.statements().iter().map(|statement| statement.sql.as_bytes()))
    }

    /// PBKDF2, because a password can be guessed: a plain hash in a state file would be the password to whoever
    /// has a list of common ones.
    fn of_password(pair: &str, user: &AdminUser) -> Self {
        const ROUNDS: u32 = 100_000;
        let salt = format!("twinlock adminUser\0{pair}\0{}", user.name());
        let mut digest = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(
            user.password().expose().as_bytes(),
            salt.as_bytes(),
            ROUNDS,
            &mut digest,
        );
        Self::shown(&digest)
    }

    fn shown(digest: &[u8]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({:.8}…)", self.0)
    }
}
