//! `db.ini`: attributes of the database, one `Name=Value` a line.
//!
//! An attribute becomes one or two settings of PostgreSQL, or has no effect (and says why), or is refused.
//! `pg.NAME=value` passes any setting that the pair does not own.

mod attributes;
mod owned;

use std::collections::BTreeMap;

use super::character_set::CharacterSet;
use super::text::malformed;
use crate::documents::Ignored;
use crate::error::{ManifestError, Place};
use crate::suggest::{did_you_mean, quoted};
use attributes::{ATTRIBUTES, Attribute, Fate};

pub use attributes::{AGENT_SESSION_SETTINGS, RESERVED_CONNECTIONS};

/// The settings of the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DbIni {
    settings: BTreeMap<String, String>,
    preload_libraries: Vec<String>,
    character_set: CharacterSet,
    ignored: Vec<Ignored>,
}

impl DbIni {
    /// Reads the file's text. `file` is only for messages.
    ///
    /// # Errors
    /// The first line that is no attribute, names an unknown one, gives one twice, or has a value out of range.
    pub fn parse(text: &str, file: &str) -> Result<Self, ManifestError> {
        let mut reader = Reader { file, result: Self::default(), set_by: BTreeMap::new() };
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with(['#', ';']) {
                reader.line(number, line)?;
            }
        }
        Ok(reader.result)
    }

    /// PostgreSQL's settings: name → value as it would stand between quotes in `postgresql.conf`, unescaped.
    /// The same on both members. Without `shared_preload_libraries`, which is merged: see
    /// [`DbIni::preload_libraries`].
    pub fn settings(&self) -> BTreeMap<String, String> {
        self.settings.clone()
    }

    /// The encoding with which the database is created.
    pub fn character_set(&self) -> &CharacterSet {
        &self.character_set
    }

    /// The names for `shared_preload_libraries`: what the pair needs, then what the user asked for, each once.
    pub fn preload_libraries(&self, needed: &[&str]) -> Vec<String> {
        let mut libraries: Vec<String> = Vec::new();
        for name in needed.iter().copied().chain(self.preload_libraries.iter().map(String::as_str)) {
            if !libraries.iter().any(|known| known == name) {
                libraries.push(name.to_owned());
            }
        }
        libraries
    }

    /// Attributes that were accepted and have no effect here.
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// The names of all attributes that are known, whatever becomes of them.
    pub fn known_attributes() -> impl Iterator<Item = &'static str> {
        ATTRIBUTES.iter().map(|attribute| attribute.name)
    }
}

struct Reader<'a> {
    file: &'a str,
    result: DbIni,
    /// Which attribute set a setting (or was given), and on which line.
    set_by: BTreeMap<String, (String, u32)>,
}

impl Reader<'_> {
    fn line(&mut self, number: u32, line: &str) -> Result<(), ManifestError> {
        if line.starts_with('[') {
            let fix = "remove it: the file holds the attributes of one database, without sections";
            return Err(malformed(self.file, number, "a section heading", fix));
        }
        let Some((name, value)) = line.split_once('=') else {
            // The line is not shown: it may be the content of adminUser, put into the wrong file.
            let fix = "write Name=Value, as in PermSize=200";
            return Err(malformed(self.file, number, "a line without `=` is no attribute", fix));
        };
        let (name, value) = (name.trim(), value.trim());
        let prefix = name.get(..3).unwrap_or_default();
        if prefix.eq_ignore_ascii_case("pg.") {
            return self.passed_through(number, &name[3..], value);
        }
        let Some(attribute) = ATTRIBUTES.iter().find(|known| known.name.eq_ignore_ascii_case(name)) else {
            return Err(self.unknown(number, name));
        };
        self.attribute(number, attribute, value)
    }

    fn unknown(&self, number: u32, name: &str) -> ManifestError {
        ManifestError::UnknownField {
            at: Place::at_line(self.file, number),
            field: quoted(name),
            suggestion: did_you_mean(name, DbIni::known_attributes()),
            known: format!(
                "{}; and pg.NAME for a setting of PostgreSQL",
                DbIni::known_attributes().collect::<Vec<_>>().join(", ")
            ),
        }
    }

    fn attribute(&mut self, number: u32, attribute: &Attribute, value: &str) -> Result<(), ManifestError> {
        self.once(number, attribute.name, attribute.name)?;
        match attribute.fate {
            Fate::Ignored(reason) => {
                self.result.ignored.push(Ignored { field: attribute.name.into(), reason: reason.into() });
            }
            Fate::Refused { reason, fix } => {
                return Err(ManifestError::Unsupported {
                    at: Place::at_line(self.file, number),
                    field: attribute.name.into(),
                    reason: reason.into(),
                    fix: fix.into(),
                });
            }
            Fate::CharacterSet => {
                self.result.character_set = self.character_set(number, attribute.name, value)?
            }
            Fate::Settings { read, expected } => {
                for (setting, value) in read(value).ok_or_else(|| ManifestError::InvalidValue {
                    at: Place::at_line(self.file, number),
                    field: attribute.name.into(),
                    problem: format!("`{}` is not {expected}", quoted(value)),
                    fix: format!("give {expected}"),
                })? {
                    self.set(number, attribute.name, setting, value)?;
                }
            }
        }
        Ok(())
    }

    fn character_set(&self, number: u32, name: &str, value: &str) -> Result<CharacterSet, ManifestError> {
        CharacterSet::of_database(value).ok_or_else(|| {
            let problem = match CharacterSet::of_client(value) {
                Some(set) => {
                    format!("PostgreSQL cannot store {}, only talk to clients in it", set.oracle_name())
                }
                None => format!(
                    "unknown character set `{}`{}",
                    quoted(value),
                    did_you_mean(value, CharacterSet::names(true))
                ),
            };
            ManifestError::InvalidValue {
                at: Place::at_line(self.file, number),
                field: name.into(),
                problem,
                fix: format!("give one of {}", CharacterSet::names(true).collect::<Vec<_>>().join(", ")),
            }
        })
    }

    /// `pg.NAME=value`.
    fn passed_through(&mut self, number: u32, name: &str, value: &str) -> Result<(), ManifestError> {
        let setting = name.to_ascii_lowercase();
        if !is_setting_name(&setting) {
            let problem = format!("`pg.{}` names no setting", quoted(name));
            let fix = "write pg. and PostgreSQL's name of the setting, as in pg.work_mem=64MB";
            return Err(malformed(self.file, number, problem, fix));
        }
        if let Some(reason) = owned::reason(&setting) {
            return Err(ManifestError::OwnedSetting {
                at: Place::at_line(self.file, number),
                setting,
                reason,
            });
        }
        let Some(value) = unquoted(value).filter(|value| !value.chars().any(char::is_control)) else {
            let problem = format!("the value of pg.{setting} is not one quoted or unquoted value");
            return Err(malformed(self.file, number, problem, "write pg.NAME=value or pg.NAME='value'"));
        };
        let attribute = format!("pg.{setting}");
        self.once(number, &attribute, &attribute)?;
        if setting == "shared_preload_libraries" {
            let names = value.split(',').map(|name| name.trim().trim_matches('"'));
            self.result.preload_libraries =
                names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
            return Ok(());
        }
        self.set(number, &attribute, &setting, value)
    }

    fn set(
        &mut self,
        number: u32,
        attribute: &str,
        setting: &str,
        value: String,
    ) -> Result<(), ManifestError> {
        // Keyed apart from attributes: `SET work_mem` by TempSize and by pg.work_mem must collide.
        self.once(number, &format!("setting {setting}"), attribute)?;
        self.result.settings.insert(setting.to_owned(), value);
        Ok(())
    }

    /// Refuses a second attribute for the same thing.
    fn once(&mut self, number: u32, key: &str, attribute: &str) -> Result<(), ManifestError> {
        match self.set_by.insert(key.to_owned(), (attribute.to_owned(), number)) {
            None => Ok(()),
            Some((first, line)) => Err(ManifestError::Duplicate {
                at: Place::at_line(self.file, number),
                field: attribute.to_owned(),
                first: if first == attribute {
                    format!("on line {line}")
                } else {
                    format!("by {first} on line {line}")
                },
            }),
        }
    }
}

/// A name, or an extension's `prefix.name`.
fn is_setting_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '$')
    };
    name.len() <= 128 && name.split('.').count() <= 2 && name.split('.').all(part)
}

/// The value without the quotes it may have, as in `postgresql.conf`; `None` when they do not match.
fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('\'') else { return Some(value.to_owned()) };
    let inner = inner.strip_suffix('\'')?;
    let unescaped = inner.replace("''", "\u{0}");
    (!unescaped.contains('\'')).then(|| unescaped.replace('\u{0}', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Vec<(String, String)> {
        DbIni::parse(text, "cm/db.ini").unwrap().settings().into_iter().collect()
    }

    fn refusal(text: &str) -> String {
        DbIni::parse(text, "cm/db.ini").unwrap_err().to_string()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_documents_file_is_read() {
        let ini = DbIni::parse("PermSize=200\nDatabaseCharacterSet=AL32UTF8\n", "db.ini").unwrap();
        assert_eq!(ini.settings(), pairs(&[("shared_buffers", "200MB")]).into_iter().collect());
        assert_eq!(ini.character_set().postgres_name(), "UTF8");
        assert!(ini.ignored().is_empty());
    }

    #[test]
    fn names_ignore_case_and_comments_are_skipped() {
        let text = "# a comment\n\n  permsize = 64 \r\n; another\nCONNECTIONS=100\n";
        assert_eq!(
            settings(text),
            pairs(&[
                ("max_connections", "106"),
                ("shared_buffers", "64MB"),
                ("superuser_reserved_connections", "6")
            ])
        );
    }

    #[test]
    fn every_mapped_attribute_becomes_what_the_manual_says() {
        for (line, expected) in [
            ("TempSize=640", pairs(&[("work_mem", "20MB")])),
            ("TempSize=32", pairs(&[("work_mem", "4MB")])),
            ("LogBufMB=64", pairs(&[("wal_buffers", "64MB")])),
            ("CkptFrequency=600", pairs(&[("checkpoint_timeout", "600s")])),
            ("CkptFrequency=0", pairs(&[("checkpoint_timeout", "86400s")])),
            ("CkptLogVolume=2048", pairs(&[("max_wal_size", "2048MB")])),
            ("CkptLogVolume=0", pairs(&[("max_wal_size", "2147483647MB")])),
            ("LockWait=10", pairs(&[("lock_timeout", "10000ms")])),
            ("LockWait=0.5", pairs(&[("lock_timeout", "500ms")])),
            ("LockWait=0", pairs(&[("lock_timeout", "1ms")])),
            ("SQLQueryTimeout=30", pairs(&[("statement_timeout", "30000ms")])),
            ("SQLQueryTimeoutMSec=30", pairs(&[("statement_timeout", "30ms")])),
            ("SQLQueryTimeout=0", pairs(&[("statement_timeout", "0ms")])),
            ("QueryThreshold=0", pairs(&[("log_min_duration_statement", "-1")])),
            ("QueryThreshold=5", pairs(&[("log_min_duration_statement", "5000ms")])),
            ("Isolation=0", pairs(&[("default_transaction_isolation", "serializable")])),
            ("Isolation=1", pairs(&[("default_transaction_isolation", "read committed")])),
            ("ConnectionCharacterSet=ZHS16GBK", pairs(&[("client_encoding", "GBK")])),
        ] {
            assert_eq!(settings(line), expected, "{line}");
        }
    }

    #[test]
    fn an_unknown_attribute_names_the_known_ones() {
        let shown = refusal("PermSize=1\nPermSise=2");
        assert!(
            shown.starts_with("cm/db.ini:2: PermSise: unknown field; did you mean `PermSize`?"),
            "{shown}"
        );
        assert!(shown.contains("DatabaseCharacterSet") && shown.contains("pg.NAME"), "{shown}");
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, problem) in [
            ("PermSize", "cm/db.ini:1: a line without `=` is no attribute"),
            ("[repltls]", "section heading"),
            ("PermSize=lots", "PermSize: `lots` is not a whole number of MB"),
            ("PermSize=-1", "PermSize: `-1`"),
            ("PermSize=99999999999999999999", "PermSize: `9999"),
            ("CkptFrequency=5", "CkptFrequency: `5` is not"),
            ("LogBufMB=4096", "LogBufMB: `4096` is not"),
            ("Connections=0", "Connections"),
            ("LockWait=-1", "LockWait"),
            ("PermSize=1\npermsize=2", "cm/db.ini:2: PermSize: given twice, first on line 1"),
            ("SQLQueryTimeout=1\nSQLQueryTimeoutMSec=2", "given twice, first by SQLQueryTimeout on line 1"),
            (
                "PermSize=1\npg.shared_buffers=1GB",
                "pg.shared_buffers: given twice, first by PermSize on line 1",
            ),
            ("DatabaseCharacterSet=AL32UTF9", "did you mean `AL32UTF8`?"),
            ("DatabaseCharacterSet=ZHS16GBK", "PostgreSQL cannot store ZHS16GBK"),
            ("UID=x", "UID: not supported"),
            ("PWD=topsecret", "PWD: not supported"),
            ("TypeMode=1", "TypeMode"),
            ("Temporary=1", "Temporary"),
        ] {
            let shown = refusal(text);
            assert!(shown.contains(problem), "{text}: {shown}");
            assert!(!shown.contains("topsecret"));
        }
    }

    #[test]
    fn settings_pass_through_and_owned_ones_do_not() {
        assert_eq!(settings("pg.Work_Mem=64MB"), pairs(&[("work_mem", "64MB")]));
        assert_eq!(
            settings("PG.auto_explain.log_min_duration='1s'"),
            pairs(&[("auto_explain.log_min_duration", "1s")])
        );
        assert_eq!(settings("pg.log_line_prefix='%m it''s '"), pairs(&[("log_line_prefix", "%m it's ")]));
        for setting in
            ["fsync", "SSL", "ssl_ciphers", "port", "wal_level", "hba_file", "include_dir", "log_directory"]
        {
            let shown = refusal(&format!("pg.{setting}=x"));
            assert!(shown.contains("owned by the pair"), "{shown}");
        }
        for bad in ["pg.=1", "pg.a b=1", "pg.a.b.c=1", "pg.1a=1", "pg.work_mem='a", "pg.work_mem='a'b'"] {
            assert!(DbIni::parse(bad, "f").is_err(), "{bad}");
        }
    }

    #[test]
    fn preloaded_libraries_are_merged() {
        let ini =
            DbIni::parse("pg.shared_preload_libraries='pg_stat_statements, \"auto_explain\"'", "f").unwrap();
        assert_eq!(
            ini.preload_libraries(&["twinlock", "auto_explain"]),
            ["twinlock", "auto_explain", "pg_stat_statements"]
        );
        assert!(ini.settings().is_empty() && DbIni::default().preload_libraries(&[]).is_empty());
    }

    #[test]
    fn ignored_attributes_say_why() {
        let ini = DbIni::parse("LogPurge=1\nDurability=1\n", "f").unwrap();
        assert_eq!(ini.ignored().len(), 2);
        assert!(ini.settings().is_empty());
    }
}
