//! What applying a changed manifest does, or which field cannot change.
//!
//! [`diff`] compares what was applied last with what is wanted now. It decides nothing about when and in which
//! order members are touched, except where PostgreSQL demands an order.

mod applied;
mod settings;

use crate::cipher::CipherSuite;
use crate::spec::{PairSpec, ReplicationReturn};

pub use applied::{Applied, Fingerprint};
pub use settings::{RestartOrder, SettingChange, Takes};

/// A value before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change<T> {
    /// What was applied.
    pub was: T,
    /// What is wanted.
    pub now: T,
}

/// What applying the manifest changes. Empty when it was applied already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Settings of PostgreSQL, by name.
    pub settings: Vec<SettingChange>,
    /// `replicationCipherSuite`. Two spellings of the same suite are no change.
    pub cipher_suite: Option<Change<CipherSuite>>,
    /// `replicationSSLMandatory`.
    pub ssl_mandatory: Option<Change<bool>>,
    /// `replicationReturn`, or `repReturnServiceAttribute`.
    pub replication_return: Option<Change<ReplicationReturn>>,
    /// The content of `replicationWallet`.
    pub wallet: bool,
    /// `stopManaging`: the pair goes to `ManualInterventionRequired`.
    pub stop_managing: bool,
    /// `reexamine`: a pair in `ManualInterventionRequired` goes to `Reexamine`.
    pub reexamine: bool,
    /// Fields that take effect by being recorded, as the manifest names them.
    pub recorded: Vec<&'static str>,
    /// What differs and has no effect, one sentence each, saying what to do instead.
    pub notes: Vec<String>,
}

/// A field that cannot change after the pair was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} cannot change from {was} to {now}: {reason}; {fix}")]
pub struct Refused {
    /// The field, as the manifest or `db.ini` names it.
    pub field: &'static str,
    /// What was applied.
    pub was: String,
    /// What is wanted.
    pub now: String,
    /// Why it cannot change.
    pub reason: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// Compares what was applied with what is wanted.
///
/// # Errors
/// The first field that cannot change. Nothing of the manifest should then be applied.
pub fn diff(applied: &Applied, wanted: &Applied) -> Result<Changes, Refused> {
    refuse(applied, wanted)?;
    let (was, now) = (&applied.spec, &wanted.spec);
    Ok(Changes {
        settings: settings::changes(&applied.settings, &wanted.settings),
        cipher_suite: changed(&was.replication_cipher_suite, &now.replication_cipher_suite),
        ssl_mandatory: changed(&was.replication_ssl_mandatory, &now.replication_ssl_mandatory),
        replication_return: changed(&was.replication_return, &now.replication_return),
        wallet: applied.wallet != wanted.wallet,
        stop_managing: was.stop_managing != now.stop_managing,
        reexamine: was.reexamine != now.reexamine,
        recorded: recorded(applied, wanted),
        notes: notes(applied, wanted),
    })
}

impl Changes {
    /// Whether nothing is to be done. Notes may still be there to be shown.
    pub fn is_empty(&self) -> bool {
        *self == Self { notes: self.notes.clone(), ..Self::default() }
    }

    /// Whether PostgreSQL must be restarted for a setting to take effect.
    pub fn needs_restart(&self) -> bool {
        self.settings.iter().any(|change| change.takes == Takes::Restart)
    }

    /// One line for each change, for people. Notes are not among them.
    pub fn lines(&self) -> Vec<String> {
        fn line<T: ToString>(field: &str, change: Option<&Change<T>>) -> Option<String> {
            change.map(|change| format!("{field}: {} → {}", change.was.to_string(), change.now.to_string()))
        }
        let number = |change: &Change<bool>| Change { was: u8::from(change.was), now: u8::from(change.now) };
        let word = |change: &Change<ReplicationReturn>| Change {
            was: change.was.as_str(),
            now: change.now.as_str(),
        };
        let said = |field: &str, said: bool| said.then(|| format!("{field}: changed"));
        let fields = [
            line("replicationCipherSuite", self.cipher_suite.as_ref()),
            line("replicationSSLMandatory", self.ssl_mandatory.as_ref().map(number).as_ref()),
            line("replicationReturn", self.replication_return.as_ref().map(word).as_ref()),
            said("replicationWallet", self.wallet),
            said("stopManaging", self.stop_managing),
            said("reexamine", self.reexamine),
        ];
        let recorded = self.recorded.iter().map(|field| format!("{field}: changed"));
        fields
            .into_iter()
            .flatten()
            .chain(recorded)
            .chain(self.settings.iter().map(ToString::to_string))
            .collect()
    }
}

fn changed<T: Clone + PartialEq>(was: &T, now: &T) -> Option<Change<T>> {
    (was != now).then(|| Change { was: was.clone(), now: now.clone() })
}

fn refuse(applied: &Applied, wanted: &Applied) -> Result<(), Refused> {
    let (was, now) = (&applied.spec, &wanted.spec);
    let unless = |same: bool, refused: Refused| if same { Ok(()) } else { Err(refused) };
    unless(
        applied.name == wanted.name,
        Refused {
            field: "metadata.name",
            was: applied.name.clone(),
            now: wanted.name.clone(),
            reason: "the name is the pair",
            fix: "declare a second pair",
        },
    )?;
    unless(
        applied.namespace == wanted.namespace,
        Refused {
            field: "metadata.namespace",
            was: shown(applied.namespace.as_ref()),
            now: shown(wanted.namespace.as_ref()),
            reason: "the namespace is part of the name",
            fix: "declare a second pair",
        },
    )?;
    unless(
        applied.encoding == wanted.encoding,
        Refused {
            field: "DatabaseCharacterSet",
            was: applied.encoding.clone(),
            now: wanted.encoding.clone(),
            reason: "the data is stored in it",
            fix: "declare a second pair and move the data with pg_dump",
        },
    )?;
    unless(
        was.storage_size.bytes() <= now.storage_size.bytes(),
        Refused {
            field: "storageSize",
            was: was.storage_size.to_string(),
            now: now.storage_size.to_string(),
            reason: "storage can grow, not shrink",
            fix: "write the old amount or more",
        },
    )?;
    unless(
        was.rep_port == now.rep_port,
        Refused {
            field: "repPort",
            was: shown(was.rep_port.as_ref()),
            now: shown(now.rep_port.as_ref()),
            reason: "clients and the other member know the pair by its ports",
            fix: "write the old value, or leave the field as it was",
        },
    )
}

fn shown<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

fn recorded(applied: &Applied, wanted: &Applied) -> Vec<&'static str> {
    let (was, now): (&PairSpec, &PairSpec) = (&applied.spec, &wanted.spec);
    [
        ("kind", applied.kind != wanted.kind),
        ("storageSize", was.storage_size != now.storage_size),
        ("dbConfigMap", was.db_config_map != now.db_config_map),
        ("dbSecret", was.db_secret != now.db_secret),
        ("pollingInterval", was.polling_interval_seconds != now.polling_interval_seconds),
        ("unreachableTimeout", was.unreachable_timeout_seconds != now.unreachable_timeout_seconds),
        ("bothDownBehavior", was.both_down_behavior != now.both_down_behavior),
        ("prometheus", was.prometheus != now.prometheus),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}

fn notes(applied: &Applied, wanted: &Applied) -> Vec<String> {
    let mut notes = Vec::new();
    let user = (applied.admin_user != wanted.admin_user)
        || (applied.admin_user_fingerprint != wanted.admin_user_fingerprint);
    if user {
        notes.push(format!(
            "adminUser is read once, when the pair is made, so its change has no effect; to change the password of \
             {}, or to add a user, use SQL",
            applied.admin_user
        ));
    }
    if applied.schema != wanted.schema {
        notes.push(format!(
            "schema.sql is read once, when the pair is made, so its change has no effect; run new statements with \
             `twinlock psql {}`",
            applied.name
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
