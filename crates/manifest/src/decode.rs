//! Nodes → typed values. Every refusal names the place and the field.

use crate::error::{ManifestError, Place};
use crate::suggest::{did_you_mean, quoted};
use crate::yaml::{Entry, Node, Value};

/// A value on its way to a type: the node, and the path by which a user would name it.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: String,
    pub(crate) file: &'a str,
}

impl<'a> Field<'a> {
    /// The whole document.
    pub(crate) fn root(node: &'a Node, file: &'a str) -> Self {
        Self { node, path: String::new(), file }
    }

    pub(crate) fn place(&self) -> Place {
        self.node.at.in_file(self.file)
    }

    pub(crate) fn wrong_type(&self, expected: impl Into<String>) -> ManifestError {
        ManifestError::WrongType {
            at: self.place(),
            field: self.shown_path(),
            expected: expected.into(),
            found: self.node.described(),
        }
    }

    pub(crate) fn invalid(&self, problem: impl Into<String>, fix: impl Into<String>) -> ManifestError {
        ManifestError::InvalidValue {
            at: self.place(),
            field: self.shown_path(),
            problem: problem.into(),
            fix: fix.into(),
        }
    }

    pub(crate) fn unsupported(&self, reason: impl Into<String>, fix: impl Into<String>) -> ManifestError {
        ManifestError::Unsupported {
            at: self.place(),
            field: self.shown_path(),
            reason: reason.into(),
            fix: fix.into(),
        }
    }

    fn shown_path(&self) -> String {
        if self.path.is_empty() { "document".into() } else { self.path.clone() }
    }

    fn child(&self, key: &str, node: &'a Node) -> Field<'a> {
        let path = if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) };
        Field { node, path, file: self.file }
    }

    pub(crate) fn string(&self) -> Result<String, ManifestError> {
        match self.node.as_str() {
            Some(text) => Ok(text.to_owned()),
            // Kubernetes refuses a number in a string's place too; taking it here would break the manifest there.
            None if self.node.as_plain().is_some() && !self.node.is_null() => {
                Err(self.wrong_type("a string (put it in quotes)"))
            }
            None => Err(self.wrong_type("a string")),
        }
    }

    pub(crate) fn boolean(&self) -> Result<bool, ManifestError> {
        match self.node.as_plain() {
            Some("true" | "True" | "TRUE") => Ok(true),
            Some("false" | "False" | "FALSE") => Ok(false),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    /// A whole number within `low..=high`.
    pub(crate) fn integer(&self, low: u32, high: u32) -> Result<u32, ManifestError> {
        let expected = || format!("a whole number from {low} to {high}");
        let text = self.node.as_plain().ok_or_else(|| self.wrong_type(expected()))?;
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(self.wrong_type(expected()));
        }
        match text.parse::<u32>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => {
                Err(self.invalid(format!("{} is out of range", quoted(text)), format!("give {}", expected())))
            }
        }
    }

    /// One of a list of words, spelled exactly.
    pub(crate) fn word(&self, known: &[&'static str]) -> Result<&'static str, ManifestError> {
        let expected = || format!("one of {}", known.join(", "));
        let text = self.node.as_str().ok_or_else(|| self.wrong_type(expected()))?;
        known.iter().copied().find(|word| *word == text).ok_or_else(|| {
            let suggestion = did_you_mean(text, known.iter().copied());
            self.invalid(
                format!("unknown value `{}`{suggestion}", quoted(text)),
                format!("give {}", expected()),
            )
        })
    }

    pub(crate) fn items(&self) -> Result<Vec<Field<'a>>, ManifestError> {
        let Value::Sequence(items) = &self.node.value else { return Err(self.wrong_type("a list")) };
        let item = |(index, node)| Field { node, path: format!("{}[{index}]", self.path), file: self.file };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(crate) fn mapping(&self) -> Result<Mapping<'a>, ManifestError> {
        match &self.node.value {
            Value::Mapping(entries) => Ok(Mapping { field: self.clone(), entries }),
            _ => Err(self.wrong_type("a mapping")),
        }
    }
}

/// A mapping whose fields are asked for by name.
pub(crate) struct Mapping<'a> {
    pub(crate) field: Field<'a>,
    entries: &'a [Entry],
}

impl<'a> Mapping<'a> {
    /// Refuses a field that is not in `known`.
    pub(crate) fn only(&self, known: &[&'static str]) -> Result<(), ManifestError> {
        let Some(entry) = self.entries.iter().find(|entry| !known.contains(&entry.key.as_str())) else {
            return Ok(());
        };
        Err(ManifestError::UnknownField {
            at: entry.key_at.in_file(self.field.file),
            field: self.field.child(&quoted(&entry.key), &entry.value).path,
            suggestion: did_you_mean(&entry.key, known.iter().copied()),
            known: known.join(", "),
        })
    }

    /// The field of this name; `None` when it is absent or null.
    pub(crate) fn optional(&self, name: &str) -> Option<Field<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        (!entry.value.is_null()).then(|| self.field.child(name, &entry.value))
    }

    /// The field of this name; `fix` says what to write when it is absent.
    pub(crate) fn required(&self, name: &str, fix: impl Into<String>) -> Result<Field<'a>, ManifestError> {
        self.optional(name).ok_or_else(|| ManifestError::MissingField {
            at: self.field.place(),
            field: self.field.child(name, self.field.node).path,
            fix: fix.into(),
        })
    }

    /// Every field with its key, in the order written.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> + '_ {
        self.entries.iter().map(|entry| (entry.key.as_str(), self.field.child(&entry.key, &entry.value)))
    }
}
