//! Secrets and ConfigMaps: files carried inside a manifest.

use std::collections::BTreeMap;
use std::fmt;

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroize;

use super::{Metadata, facility_name_problem};
use crate::decode::{Field, Mapping};
use crate::error::ManifestError;
use crate::yaml::Value;

/// The files of a ConfigMap or Secret: relative path → content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A declared `Secret`. Its content is wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    name: String,
    namespace: Option<String>,
    files: Files,
}

/// A declared `ConfigMap`. It may hold `adminUser`, so its content is wiped and hidden like a Secret's.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigMap {
    name: String,
    namespace: Option<String>,
    files: Files,
}

macro_rules! facility {
    ($type:ident, $word:literal) => {
        impl $type {
            #[doc = concat!("The name by which a manifest refers to this ", $word, ".")]
            pub fn name(&self) -> &str {
                &self.name
            }

            /// The namespace, when one is given.
            pub fn namespace(&self) -> Option<&str> {
                self.namespace.as_deref()
            }

            /// The files.
            pub fn files(&self) -> &Files {
                &self.files
            }

            /// Takes the files out; wiping them is then the caller's.
            pub fn into_files(mut self) -> Files {
                std::mem::take(&mut self.files)
            }
        }

        impl Drop for $type {
            fn drop(&mut self) {
                self.files.values_mut().for_each(Zeroize::zeroize);
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let sizes: BTreeMap<&str, usize> =
                    self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.len())).collect();
                f.debug_struct($word).field("name", &self.name).field("file_bytes", &sizes).finish()
            }
        }
    };
}

facility!(Secret, "Secret");
facility!(ConfigMap, "ConfigMap");

pub(super) fn read_secret(document: &Mapping<'_>) -> Result<Secret, ManifestError> {
    document.only(&["apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData"])?;
    let metadata = Metadata::read(document, facility_name_problem)?;
    let mut files = files(document, "data", from_base64)?;
    // As in Kubernetes, stringData wins over data of the same name.
    files.extend(self::files(document, "stringData", from_text)?);
    Ok(Secret { name: metadata.name, namespace: metadata.namespace, files })
}

pub(super) fn read_config_map(document: &Mapping<'_>) -> Result<ConfigMap, ManifestError> {
    document.only(&["apiVersion", "kind", "metadata", "immutable", "data", "binaryData"])?;
    let metadata = Metadata::read(document, facility_name_problem)?;
    let mut files = files(document, "data", from_text)?;
    for (name, bytes) in self::files(document, "binaryData", from_base64)? {
        if files.insert(name.clone(), bytes).is_some() {
            return Err(ManifestError::Duplicate {
                at: document.field.place(),
                field: format!("binaryData.{name}"),
                first: "in `data`".into(),
            });
        }
    }
    Ok(ConfigMap { name: metadata.name, namespace: metadata.namespace, files })
}

fn files(
    document: &Mapping<'_>,
    field: &str,
    content: fn(&Field<'_>) -> Result<Vec<u8>, ManifestError>,
) -> Result<Files, ManifestError> {
    let Some(field) = document.optional(field) else { return Ok(Files::new()) };
    let mapping = field.mapping()?;
    mapping
        .each()
        .map(|(name, value)| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || name.len() > 253 || !name.chars().all(allowed) || matches!(name, "." | "..")
            {
                return Err(value.invalid(
                    "not a file name",
                    "use letters, digits, '-', '_' and '.', at most 253 characters",
                ));
            }
            Ok((name.to_owned(), content(&value)?))
        })
        .collect()
}

fn from_text(value: &Field<'_>) -> Result<Vec<u8>, ManifestError> {
    Ok(text(value)?.as_bytes().to_vec())
}

/// The string itself. Unlike [`Field::string`] the refusal never shows what was found: it may be a password.
fn text<'a>(value: &Field<'a>) -> Result<&'a str, ManifestError> {
    if value.node.is_null() {
        return Ok("");
    }
    value.node.as_str().ok_or_else(|| {
        let (expected, found) = match &value.node.value {
            Value::Scalar { .. } => ("a string (put it in quotes)", "an unquoted number or boolean"),
            _ => ("a string", "a list or a mapping"),
        };
        ManifestError::WrongType {
            at: value.place(),
            field: value.path.clone(),
            expected: expected.into(),
            found: found.into(),
        }
    })
}

fn from_base64(value: &Field<'_>) -> Result<Vec<u8>, ManifestError> {
    // Line breaks of a block scalar are no part of the encoding.
    let mut packed: String = text(value)?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let decoded = Base64::decode_vec(&packed);
    packed.zeroize();
    decoded.map_err(|_| value.invalid("not valid base64", "encode the file with `base64 -w0 FILE`"))
}
