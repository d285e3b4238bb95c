//! Why a manifest or a metadata file was not accepted.

use std::fmt;
use std::num::NonZeroU32;

/// A position in a text that a user wrote.
// Small on purpose: it is in every error, and errors are returned by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: Box<str>,
    line: Option<NonZeroU32>,
    column: Option<NonZeroU32>,
}

impl Place {
    /// The file as a whole.
    pub fn in_file(file: impl Into<Box<str>>) -> Self {
        Self { file: file.into(), line: None, column: None }
    }

    /// A line of a file, counted from 1.
    pub fn at_line(file: impl Into<Box<str>>, line: u32) -> Self {
        Self { file: file.into(), line: NonZeroU32::new(line), column: None }
    }

    /// A column of a line of a file, both counted from 1.
    pub fn at_column(file: impl Into<Box<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line: NonZeroU32::new(line), column: NonZeroU32::new(column) }
    }

    /// The file as the user named it, or `repl-tls/db.ini` for a file of a ConfigMap or Secret.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1; `None` when the file as a whole is meant.
    pub fn line(&self) -> Option<u32> {
        self.line.map(NonZeroU32::get)
    }

    /// The column in characters, counted from 1.
    pub fn column(&self) -> Option<u32> {
        self.column.map(NonZeroU32::get)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}

/// Why what a user declared was not accepted.
///
/// The text of every variant names the place and the field, says what is wrong and what to do. No variant
/// carries a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is not YAML.
    #[error("{at}: not valid YAML: {problem}")]
    Yaml {
        /// Where the parser stopped.
        at: Place,
        /// What it met.
        problem: String,
    },
    /// The text is larger, deeper or more repetitive than any manifest needs to be.
    #[error("{at}: the {what} is over the limit of {limit}; {fix}")]
    TooLarge {
        /// Where the limit was passed.
        at: Place,
        /// What was measured.
        what: &'static str,
        /// The largest accepted value, with its unit.
        limit: String,
        /// What to do.
        fix: &'static str,
    },
    /// No document of the file declares a thing of this crate's kinds.
    #[error("{at}: the file declares nothing; expected at least one document of kind {known}")]
    Empty {
        /// The file.
        at: Place,
        /// The kinds that can be declared.
        known: String,
    },
    /// The document's `kind` or `apiVersion` is not one of ours.
    #[error("{at}: {field}: unknown value `{found}`{suggestion}; known: {known}")]
    UnknownKind {
        /// Where the value stands.
        at: Place,
        /// `kind` or `apiVersion`.
        field: &'static str,
        /// What was found.
        found: String,
        /// A near match as `; did you mean …?`, or empty.
        suggestion: String,
        /// The known values.
        known: String,
    },
    /// A field that no document of this kind has.
    #[error("{at}: {field}: unknown field{suggestion}; known fields: {known}")]
    UnknownField {
        /// Where the field's name stands.
        at: Place,
        /// The field with its path, as `spec.storageSise`.
        field: String,
        /// A near match as `; did you mean …?`, or empty.
        suggestion: String,
        /// The fields that may stand there.
        known: String,
    },
    /// The same field, document or file given twice.
    #[error("{at}: {field}: given twice, first {first}; keep one of them")]
    Duplicate {
        /// Where the second one stands.
        at: Place,
        /// What was given twice.
        field: String,
        /// Where the first one stands, as `on line 3`.
        first: String,
    },
    /// A field that must be there is not.
    #[error("{at}: {field}: missing; {fix}")]
    MissingField {
        /// Where the mapping begins that lacks it.
        at: Place,
        /// The field with its path.
        field: String,
        /// What to write.
        fix: String,
    },
    /// A value of another type than the field's.
    #[error("{at}: {field}: expected {expected}, found {found}")]
    WrongType {
        /// Where the value stands.
        at: Place,
        /// The field with its path.
        field: String,
        /// What the field takes.
        expected: String,
        /// What was found there.
        found: String,
    },
    /// A value of the right type that the field does not take.
    #[error("{at}: {field}: {problem}; {fix}")]
    InvalidValue {
        /// Where the value stands.
        at: Place,
        /// The field, attribute or file.
        field: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        fix: String,
    },
    /// Something known that cannot be honoured here.
    #[error("{at}: {field}: not supported: {reason}; {fix}")]
    Unsupported {
        /// Where it stands.
        at: Place,
        /// The field, attribute, file or statement.
        field: String,
        /// Why it cannot be honoured.
        reason: String,
        /// What to do.
        fix: String,
    },
    /// A setting of PostgreSQL that belongs to the pair.
    #[error("{at}: pg.{setting}: owned by the pair: {reason}; remove this line")]
    OwnedSetting {
        /// Where it stands.
        at: Place,
        /// PostgreSQL's name of the setting.
        setting: String,
        /// What the pair uses it for.
        reason: &'static str,
    },
    /// A ConfigMap or Secret that the manifest names was not given.
    #[error(
        "{field}: no {kind} named `{name}` was given{given}; pass `{option} {name}=DIR` or add a {kind} document \
         named `{name}` to the manifest"
    )]
    MissingFacility {
        /// `spec.dbConfigMap` or `spec.dbSecret`.
        field: &'static str,
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// What was given instead, as ` (given: a, b)`, or empty.
        given: String,
        /// `--config` or `--secret`.
        option: &'static str,
    },
    /// A metadata file that the pair needs is in none of the ConfigMaps and Secrets.
    #[error("{file}: missing metadata file; looked in {looked}; {fix}")]
    MissingMetadata {
        /// The name of the metadata file.
        file: &'static str,
        /// Which ConfigMaps and Secrets were searched.
        looked: String,
        /// How to make it.
        fix: &'static str,
    },
    /// An error in a line-oriented metadata file.
    #[error("{at}: {problem}; {fix}")]
    Malformed {
        /// Where it stands.
        at: Place,
        /// What is wrong.
        problem: String,
        /// What to do.
        fix: String,
    },
}

impl ManifestError {
    /// Where the error stands, when it stands somewhere.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Yaml { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Empty { at, .. }
            | Self::UnknownKind { at, .. }
            | Self::UnknownField { at, .. }
            | Self::Duplicate { at, .. }
            | Self::MissingField { at, .. }
            | Self::WrongType { at, .. }
            | Self::InvalidValue { at, .. }
            | Self::Unsupported { at, .. }
            | Self::OwnedSetting { at, .. }
            | Self::Malformed { at, .. } => Some(at),
            Self::MissingFacility { .. } | Self::MissingMetadata { .. } => None,
        }
    }
}
