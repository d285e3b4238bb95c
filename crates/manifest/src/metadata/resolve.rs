//! ConfigMaps and Secrets → the metadata files they bring together → [`Metadata`].

use std::collections::BTreeMap;

use super::text::decode;
use super::{AdminUser, DbIni, Files, Metadata, MetadataFiles, Schema};
use crate::documents::Ignored;
use crate::error::{ManifestError, Place};
use crate::secret::SecretBytes;
use crate::spec::PairSpec;
use crate::suggest::did_you_mean;

const DB_INI: &str = "db.ini";
const ADMIN_USER: &str = "adminUser";
const SCHEMA_SQL: &str = "schema.sql";
const REPLICATION_WALLET: &str = "replicationWallet";

/// Files that are read.
const READ: [&str; 4] = [DB_INI, ADMIN_USER, SCHEMA_SQL, REPLICATION_WALLET];

/// Files that are known and have no effect: name, reason.
const IGNORED: [(&str, &str); 3] = [
    ("testUser", "is a test hook of the other product"),
    ("sqlnet.ora", "configures Oracle's client, which is not used"),
    ("tnsnames.ora", "configures Oracle's client, which is not used"),
];

/// Files that are known, and whose absence would make the database another one: name, reason, what to do.
const REFUSED: [(&str, &str, &str); 7] = [
    ("cacheUser", "there is no cache of another database", "remove the file"),
    ("cachegroups.sql", "there is no cache of another database", "remove the file"),
    ("epilog.sql", "replication is physical and needs no SQL", "put its statements at the end of schema.sql"),
    ("csWallet", "clients use TLS with the credential of replicationWallet", "remove the file"),
    ("serverWallet", "a wallet is expected under the name replicationWallet", WALLET_PLACE),
    ("clientWallet", "a wallet is expected under the name replicationWallet", WALLET_PLACE),
    ("rootWallet", "it holds the key that signs all others and does not belong on a member", WALLET_PLACE),
];

const WALLET_PLACE: &str = "pass the server wallet's own directory, `--secret NAME=DIR/serverWallet`, or copy it to DIR/replicationWallet";

impl MetadataFiles {
    /// Brings together the files of the ConfigMaps and Secrets that `spec` names, and reads them.
    ///
    /// A file's name is its relative path. The wallet may be given as a file `replicationWallet` (what
    /// `kubectl create secret --from-file=replicationWallet=cwallet.sso` makes), as
    /// `replicationWallet/cwallet.sso`, or, when the directory given is the wallet itself, as `cwallet.sso`.
    ///
    /// # Errors
    /// A ConfigMap or Secret that was not given, a file that is unknown, given twice, missing, or malformed.
    pub fn resolve(
        spec: &PairSpec,
        config_maps: &BTreeMap<String, Files>,
        secrets: &BTreeMap<String, Files>,
    ) -> Result<Metadata, ManifestError> {
        let mut found = Found::default();
        for name in &spec.db_config_map {
            found.facility(name, given(name, config_maps, ["spec.dbConfigMap", "ConfigMap", "--config"])?)?;
        }
        for name in &spec.db_secret {
            found.facility(name, given(name, secrets, ["spec.dbSecret", "Secret", "--secret"])?)?;
        }
        found.read(spec)
    }
}

fn given<'a>(
    name: &str,
    facilities: &'a BTreeMap<String, Files>,
    [field, kind, option]: [&'static str; 3],
) -> Result<&'a Files, ManifestError> {
    facilities.get(name).ok_or_else(|| {
        let names: Vec<&str> = facilities.keys().map(String::as_str).collect();
        let given = if names.is_empty() { String::new() } else { format!(" (given: {})", names.join(", ")) };
        ManifestError::MissingFacility { field, kind, name: name.to_owned(), given, option }
    })
}

/// The metadata files found so far.
#[derive(Default)]
struct Found<'a> {
    /// Name of the metadata file → where it was found, and its bytes.
    files: BTreeMap<&'static str, (String, &'a [u8])>,
    ignored: Vec<Ignored>,
}

impl<'a> Found<'a> {
    fn facility(&mut self, facility: &str, files: &'a Files) -> Result<(), ManifestError> {
        for (path, bytes) in files {
            let origin = format!("{facility}/{path}");
            match classify(path) {
                Class::Read(name) => self.add(name, origin, bytes)?,
                Class::Ignored(reason) => self.ignored.push(Ignored { field: origin, reason: reason.into() }),
                Class::Refused(field, reason, fix) => {
                    return Err(ManifestError::Unsupported {
                        at: Place::in_file(origin),
                        field: field.into(),
                        reason: reason.into(),
                        fix: fix.into(),
                    });
                }
                Class::Unknown => return Err(unknown(origin, path)),
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &'static str, origin: String, bytes: &'a [u8]) -> Result<(), ManifestError> {
        if let Some((first, _)) = self.files.get(name) {
            return Err(ManifestError::Duplicate {
                at: Place::in_file(origin),
                field: name.into(),
                first: format!("in {first}"),
            });
        }
        self.files.insert(name, (origin, bytes));
        Ok(())
    }

    fn read(mut self, spec: &PairSpec) -> Result<Metadata, ManifestError> {
        let (replication_wallet_origin, wallet) = self.required(
            REPLICATION_WALLET,
            spec,
            "make one with `twinlock certs create --dir DIR` and pass `--secret NAME=DIR/serverWallet`, NAME being in \
             spec.dbSecret",
        )?;
        let (origin, text) = self.required(
            ADMIN_USER,
            spec,
            "write one line USER/PASSWORD to a file adminUser in a directory of spec.dbConfigMap or spec.dbSecret",
        )?;
        let admin_user = AdminUser::parse(decode(text, &origin)?, &origin)?;
        let db_ini = match self.files.remove(DB_INI) {
            Some((origin, text)) => DbIni::parse(decode(text, &origin)?, &origin)?,
            None => DbIni::default(),
        };
        let schema = match self.files.remove(SCHEMA_SQL) {
            Some((origin, text)) => Some(Schema::read(decode(text, &origin)?, &origin)?),
            None => None,
        };
        let mut ignored = self.ignored;
        ignored.extend(db_ini.ignored().iter().cloned());
        Ok(Metadata {
            db_ini,
            admin_user,
            schema,
            replication_wallet: SecretBytes::new(wallet.to_vec()),
            replication_wallet_origin,
            ignored,
        })
    }

    fn required(
        &mut self,
        name: &'static str,
        spec: &PairSpec,
        fix: &'static str,
    ) -> Result<(String, &'a [u8]), ManifestError> {
        self.files.remove(name).ok_or_else(|| ManifestError::MissingMetadata {
            file: name,
            looked: looked_in(spec),
            fix,
        })
    }
}

fn looked_in(spec: &PairSpec) -> String {
    let config_maps = spec.db_config_map.iter().map(|name| format!("ConfigMap {name}"));
    let secrets = spec.db_secret.iter().map(|name| format!("Secret {name}"));
    let all: Vec<String> = config_maps.chain(secrets).collect();
    if all.is_empty() {
        "nothing: spec.dbConfigMap and spec.dbSecret are empty".into()
    } else {
        all.join(", ")
    }
}

enum Class {
    Read(&'static str),
    Ignored(&'static str),
    Refused(&'static str, &'static str, &'static str),
    Unknown,
}

/// What becomes of a file, by its relative path.
fn classify(path: &str) -> Class {
    if path.split('/').any(|part| part.starts_with('.')) {
        return Class::Ignored("hidden files are not read");
    }
    let (top, inside) = path.split_once('/').map_or((path, None), |(top, inside)| (top, Some(inside)));
    let whole = |name: &&'static str| *name == top && inside.is_none();
    match (READ.into_iter().find(whole), inside) {
        (Some(name), _) => Class::Read(name),
        (None, Some(file)) if top == REPLICATION_WALLET => in_wallet(file),
        (None, None) if !matches!(in_wallet(top), Class::Unknown) => in_wallet(top),
        _ => known_otherwise(top, inside),
    }
}

fn known_otherwise(top: &str, inside: Option<&str>) -> Class {
    if let Some((name, reason, fix)) = REFUSED.into_iter().find(|(name, ..)| *name == top) {
        return Class::Refused(name, reason, fix);
    }
    if inside.is_some() {
        return Class::Unknown;
    }
    if let Some((_, reason)) = IGNORED.into_iter().find(|(name, _)| *name == top) {
        return Class::Ignored(reason);
    }
    if top.ends_with(".connect") || top.ends_with(".csconnect") {
        return Class::Ignored("connectables belong to the other product's scale-out databases");
    }
    Class::Unknown
}

/// A file of a wallet directory.
fn in_wallet(file: &str) -> Class {
    match file {
        "cwallet.sso" => Class::Read(REPLICATION_WALLET),
        "ewallet.p12" => Class::Ignored("cwallet.sso is read, which needs no password"),
        "cwallet.sso.lck" | "ewallet.p12.lck" => Class::Ignored("lock files are not read"),
        _ => Class::Unknown,
    }
}

fn unknown(origin: String, path: &str) -> ManifestError {
    ManifestError::UnknownField {
        at: Place::in_file(origin),
        field: "metadata file".into(),
        suggestion: did_you_mean(path, READ),
        known: READ.join(", "),
    }
}
