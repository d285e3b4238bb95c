//! The documents of a manifest file.
//!
//! One file may hold several YAML documents: pairs, and the ConfigMaps and Secrets they refer to. JSON is YAML
//! too. Nothing is read but the text given, and the first thing that is wrong is named with its place.

mod classic;
mod facility;
mod pair;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::decode::{Field, Mapping};
use crate::error::{ManifestError, Place};
use crate::name::{PAIR_NAME_LONGEST, dns_label_problem, dns_subdomain_problem};
use crate::spec::PairSpec;
use crate::suggest::{did_you_mean, quoted};
use crate::yaml;

pub use facility::{ConfigMap, Files, Secret};

/// One document of a manifest file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there are few documents, and callers take each apart at once")]
pub enum Document {
    /// A pair, declared as a `Pair` or as a `TimesTenClassic`.
    Pair(PairManifest),
    /// Files that are secret.
    Secret(Secret),
    /// Files.
    ConfigMap(ConfigMap),
}

/// The kind of object by which the user declared a pair. Events and errors speak its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PairKind {
    /// `twinlock.dev/v1`.
    Pair,
    /// `timesten.oracle.com/v1`.
    TimesTenClassic,
}

impl PairKind {
    /// The `kind` of the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pair => "Pair",
            Self::TimesTenClassic => "TimesTenClassic",
        }
    }

    /// What events call a member: `Member`, or `Pod` for who expects the other product's words.
    pub fn member_word(self) -> &'static str {
        match self {
            Self::Pair => "Member",
            Self::TimesTenClassic => "Pod",
        }
    }
}

impl std::fmt::Display for PairKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A declared pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairManifest {
    /// The name, a DNS label of at most 61 characters.
    pub name: String,
    /// The namespace, when one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Labels, kept and shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations, kept and shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Where it was declared, and as what.
    pub source: ManifestSource,
    /// What it should be.
    pub spec: PairSpec,
    /// Fields that were accepted and have no effect on this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Ignored>,
}

/// Where a document stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestSource {
    /// The file as the user named it.
    pub file: String,
    /// The line on which the document begins, counted from 1.
    pub line: u32,
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: PairKind,
}

/// Something that was accepted and has no effect here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// The field with its path, as `spec.ttspec.image`, or the attribute of `db.ini`.
    pub field: String,
    /// Why it has no effect.
    pub reason: String,
}

/// Reads every document of a manifest file. `file` is only for messages.
///
/// # Errors
/// The first thing that is wrong, with its file, line and column, its field, and what to do.
pub fn parse(text: &str, file: &str) -> Result<Vec<Document>, ManifestError> {
    let mut documents = Vec::new();
    for node in &yaml::load(text, file)? {
        one_or_list(&Field::root(node, file).mapping()?, &mut documents)?;
    }
    match documents.is_empty() {
        true => Err(ManifestError::Empty { at: Place::in_file(file), known: kinds() }),
        false => each_once(documents, file),
    }
}

/// Refuses two objects of the same kind, namespace and name: which of them counts would depend on their order.
fn each_once(documents: Vec<Document>, file: &str) -> Result<Vec<Document>, ManifestError> {
    let mut seen = BTreeSet::new();
    for document in &documents {
        let (kind, namespace, name) = match document {
            Document::Pair(pair) => ("pair", pair.namespace.as_deref(), pair.name.as_str()),
            Document::Secret(secret) => ("Secret", secret.namespace(), secret.name()),
            Document::ConfigMap(config) => ("ConfigMap", config.namespace(), config.name()),
        };
        if !seen.insert((kind, namespace, name)) {
            return Err(ManifestError::Duplicate {
                at: Place::in_file(file),
                field: format!("{kind} `{name}`"),
                first: "in the same file".into(),
            });
        }
    }
    Ok(documents)
}

/// The kinds, each with the `apiVersion` it belongs to.
const KINDS: [(&str, &str); 5] = [
    ("Pair", "twinlock.dev/v1"),
    ("TimesTenClassic", "timesten.oracle.com/v1"),
    ("Secret", "v1"),
    ("ConfigMap", "v1"),
    ("List", "v1"),
];

fn kinds() -> String {
    KINDS.map(|(kind, version)| format!("{kind} ({version})")).join(", ")
}

fn one_or_list(document: &Mapping<'_>, documents: &mut Vec<Document>) -> Result<(), ManifestError> {
    let header = Header::read(document)?;
    match header.kind {
        "Pair" => documents.push(Document::Pair(pair::read(document, &header)?)),
        "TimesTenClassic" => documents.push(Document::Pair(classic::read(document, &header)?)),
        "Secret" => documents.push(Document::Secret(facility::read_secret(document)?)),
        "ConfigMap" => documents.push(Document::ConfigMap(facility::read_config_map(document)?)),
        _ => return list(document, documents),
    }
    Ok(())
}

/// `kind: List`, as `kubectl get -o yaml` prints several objects.
fn list(document: &Mapping<'_>, documents: &mut Vec<Document>) -> Result<(), ManifestError> {
    document.only(&["apiVersion", "kind", "metadata", "items"])?;
    for item in document.required("items", "list the objects under `items:`")?.items()? {
        one_or_list(&item.mapping()?, documents)?;
    }
    Ok(())
}

/// `apiVersion` and `kind`, checked against each other.
struct Header {
    kind: &'static str,
    api_version: &'static str,
}

impl Header {
    fn read(document: &Mapping<'_>) -> Result<Self, ManifestError> {
        let kind_field = document.required("kind", format!("write `kind:` and one of {}", kinds()))?;
        let kind = Self::known(&kind_field, "kind", &KINDS.map(|(kind, _)| kind))?;
        let expected = KINDS.iter().filter(|(known, _)| *known == kind).map(|(_, version)| *version);
        let expected: Vec<&'static str> = expected.collect();
        let fix = || format!("write `apiVersion: {}`", expected.join(" or "));
        let version_field = document.required("apiVersion", fix())?;
        let api_version = Self::known(&version_field, "apiVersion", &expected)?;
        Ok(Self { kind, api_version })
    }

    fn known(
        field: &Field<'_>,
        name: &'static str,
        known: &[&'static str],
    ) -> Result<&'static str, ManifestError> {
        let found = field.string()?;
        known.iter().copied().find(|word| *word == found).ok_or_else(|| ManifestError::UnknownKind {
            at: field.place(),
            field: name,
            suggestion: did_you_mean(&found, known.iter().copied()),
            found: quoted(&found),
            known: known.join(", "),
        })
    }
}

/// The part of `metadata` that every kind has.
struct Metadata {
    name: String,
    namespace: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// What a person writes, then what a cluster adds, so that the output of `kubectl get -o yaml` can be read back.
const METADATA_FIELDS: [&str; 14] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

impl Metadata {
    /// Reads `metadata`; `problem` judges the name.
    fn read(document: &Mapping<'_>, problem: fn(&str) -> Option<String>) -> Result<Self, ManifestError> {
        let field = document.required("metadata", "write `metadata: { name: NAME }`")?;
        let metadata = field.mapping()?;
        metadata.only(&METADATA_FIELDS)?;
        let name_field = metadata.required("name", "write `name: NAME` under `metadata:`")?;
        let name = name_field.string()?;
        if let Some(problem) = problem(&name) {
            return Err(name_field.invalid(problem, NAME_RULE));
        }
        Ok(Self {
            name,
            namespace: namespace(&metadata)?,
            labels: strings(metadata.optional("labels"))?,
            annotations: strings(metadata.optional("annotations"))?,
        })
    }
}

const NAME_RULE: &str = "use lower-case letters, digits and inner hyphens, as in repltls";

fn pair_name_problem(name: &str) -> Option<String> {
    dns_label_problem(name, PAIR_NAME_LONGEST)
}

fn facility_name_problem(name: &str) -> Option<String> {
    dns_subdomain_problem(name)
}

fn namespace(metadata: &Mapping<'_>) -> Result<Option<String>, ManifestError> {
    let Some(field) = metadata.optional("namespace") else { return Ok(None) };
    let name = field.string()?;
    match dns_label_problem(&name, 63) {
        Some(problem) => Err(field.invalid(problem, NAME_RULE)),
        None => Ok(Some(name)),
    }
}

/// A mapping of strings to strings; empty when absent.
fn strings(field: Option<Field<'_>>) -> Result<BTreeMap<String, String>, ManifestError> {
    let Some(field) = field else { return Ok(BTreeMap::new()) };
    let mapping = field.mapping()?;
    mapping.each().map(|(key, value)| Ok((key.to_owned(), value.string()?))).collect()
}

fn pair_manifest(
    document: &Mapping<'_>,
    header: &Header,
    kind: PairKind,
    spec: PairSpec,
    ignored: Vec<Ignored>,
) -> Result<PairManifest, ManifestError> {
    let metadata = Metadata::read(document, pair_name_problem)?;
    let source = ManifestSource {
        file: document.field.file.to_owned(),
        line: document.field.node.at.line,
        api_version: header.api_version.to_owned(),
        kind,
    };
    Ok(PairManifest {
        name: metadata.name,
        namespace: metadata.namespace,
        labels: metadata.labels,
        annotations: metadata.annotations,
        source,
        spec,
        ignored,
    })
}
