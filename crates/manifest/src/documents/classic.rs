//! `kind: TimesTenClassic`: every field of `spec.ttspec`, with what becomes of it here.

use super::pair::{SHARED_FIELDS, quantity, shared};
use super::{Header, Ignored, PairKind, PairManifest, pair_manifest};
use crate::decode::{Field, Mapping};
use crate::error::ManifestError;
use crate::spec::ReplicationReturn;

/// The type of a field that is checked and then ignored.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Boolean,
    Amount,
    Words(&'static [&'static str]),
    Integer(u32, u32),
    IntegerOrPercent,
    Object,
    Anything,
}

const SECONDS_MOST: u32 = 86_400;
const CLUSTER: &str = "has a meaning on Kubernetes only";
const BINARIES: &str = "the database is the PostgreSQL installed on this machine";
const MEMORY: &str = "memory follows PermSize and TempSize in db.ini; no container limits it";
const AGENT: &str = "the agent's own limits are fixed and shorter";
const UPGRADE: &str = "this machine's package manager upgrades PostgreSQL";
const TEST_HOOK: &str = "is a test hook of the other product";

/// Fields that are accepted without effect: name, type, reason.
const IGNORED_FIELDS: &[(&str, Shape, &str)] = &[
    ("arch", Shape::Text, BINARIES),
    ("image", Shape::Text, BINARIES),
    ("imagePullPolicy", Shape::Words(&["Always", "IfNotPresent", "Never"]), BINARIES),
    ("imagePullSecret", Shape::Text, BINARIES),
    ("imageUpgradeStrategy", Shape::Words(&["Manual", "Auto"]), UPGRADE),
    ("resetUpgradeState", Shape::Text, UPGRADE),
    ("upgradeDownPodTimeout", Shape::Integer(0, 21_600), UPGRADE),
    ("storageClassName", Shape::Text, CLUSTER),
    ("storageSelector", Shape::Object, CLUSTER),
    ("logStorageClassName", Shape::Text, CLUSTER),
    ("logStorageSelector", Shape::Object, CLUSTER),
    ("logStorageSize", Shape::Amount, "the write-ahead log shares the storage of storageSize"),
    ("repStateTimeout", Shape::Integer(0, SECONDS_MOST), AGENT),
    ("agentTcpTimeout", Shape::Integer(0, SECONDS_MOST), AGENT),
    ("agentTlsTimeout", Shape::Integer(0, SECONDS_MOST), AGENT),
    ("agentGetTimeout", Shape::Integer(0, SECONDS_MOST), AGENT),
    ("agentPostTimeout", Shape::Integer(0, SECONDS_MOST), AGENT),
    ("agentAsyncTimeout", Shape::Integer(0, SECONDS_MOST), AGENT),
    ("cacheCleanup", Shape::Boolean, "there is no cache of another database to clean up"),
    ("daemonLogSidecar", Shape::Boolean, "logs are files of the member; see `twinlock describe`"),
    ("useHugePages", Shape::Boolean, "write pg.huge_pages=on in db.ini instead"),
    ("databaseMemorySize", Shape::Amount, MEMORY),
    ("databaseCPURequest", Shape::Amount, MEMORY),
    ("automaticMemoryRequests", Shape::Boolean, MEMORY),
    ("additionalMemoryRequest", Shape::Amount, MEMORY),
    ("memoryWarningPercent", Shape::Integer(0, 100), MEMORY),
    ("daemonLogMemoryRequest", Shape::Amount, CLUSTER),
    ("daemonLogCPURequest", Shape::Amount, CLUSTER),
    ("exporterMemoryRequest", Shape::Amount, CLUSTER),
    ("exporterCPURequest", Shape::Amount, CLUSTER),
    ("updateStrategy", Shape::Object, CLUSTER),
    ("rollingUpdatePartition", Shape::IntegerOrPercent, CLUSTER),
    ("createASReadinessProbe", Shape::Boolean, CLUSTER),
    ("readOnlyRootFilesystem", Shape::Boolean, CLUSTER),
    ("terminationGracePeriod", Shape::Integer(0, SECONDS_MOST), CLUSTER),
    ("zzTestInfo", Shape::Anything, TEST_HOOK),
    ("zzAgentDebugInfo", Shape::Anything, TEST_HOOK),
];

/// Fields that would change what the pair is, and cannot be honoured: name, reason, what to do.
const REFUSED_FIELDS: &[(&str, &str, &str)] = &[
    ("replicas", "a pair has two members", "remove it"),
    ("subscribers", "a pair has no subscribers yet", "remove it"),
    (
        "repCreateStatement",
        "the pair makes its own replication",
        "remove it, and say what a commit promises by repReturnServiceAttribute",
    ),
    ("repStoreAttribute", "the pair makes its own replication", "remove it, and give a port by repPort"),
    ("clientTLS", "clients use TLS with the replicationWallet's credential", "remove it"),
];

/// Fields read here and not by [`shared`].
const OWN_FIELDS: [&str; 2] = ["replicationTopology", "repReturnServiceAttribute"];

pub(super) fn read(document: &Mapping<'_>, header: &Header) -> Result<PairManifest, ManifestError> {
    document.only(&["apiVersion", "kind", "metadata", "spec", "status"])?;
    let fix = "write `spec:` and `ttspec:` with at least `dbConfigMap` and `dbSecret`";
    let spec_field = document.required("spec", fix)?;
    let spec_fields = spec_field.mapping()?;
    spec_fields.only(&["ttspec", "template", "volumeClaimTemplates"])?;
    let ttspec = spec_fields.required("ttspec", fix)?;
    let fields = ttspec.mapping()?;
    fields.only(&known_fields())?;

    refuse(&fields)?;
    let mut ignored = outer_ignored(&spec_fields);
    ignored.extend(inner_ignored(&fields)?);
    topology(&fields)?;
    let mut spec = shared(&fields)?;
    if let Some(field) = fields.optional("repReturnServiceAttribute") {
        spec.replication_return = replication_return(&field)?;
    }
    pair_manifest(document, header, PairKind::TimesTenClassic, spec, ignored)
}

fn known_fields() -> Vec<&'static str> {
    SHARED_FIELDS
        .into_iter()
        .chain(OWN_FIELDS)
        .chain(IGNORED_FIELDS.iter().map(|(name, ..)| *name))
        .chain(REFUSED_FIELDS.iter().map(|(name, ..)| *name))
        .collect()
}

fn refuse(fields: &Mapping<'_>) -> Result<(), ManifestError> {
    for (name, reason, fix) in REFUSED_FIELDS {
        if let Some(field) = fields.optional(name) {
            return Err(field.unsupported(*reason, *fix));
        }
    }
    Ok(())
}

fn outer_ignored(spec_fields: &Mapping<'_>) -> Vec<Ignored> {
    ["template", "volumeClaimTemplates"]
        .into_iter()
        .filter_map(|name| spec_fields.optional(name))
        .map(|field| Ignored { field: field.path, reason: CLUSTER.into() })
        .collect()
}

fn inner_ignored(fields: &Mapping<'_>) -> Result<Vec<Ignored>, ManifestError> {
    let mut ignored = Vec::new();
    for (name, shape, reason) in IGNORED_FIELDS {
        if let Some(field) = fields.optional(name) {
            check(&field, *shape)?;
            ignored.push(Ignored { field: field.path, reason: (*reason).into() });
        }
    }
    Ok(ignored)
}

/// A wrong type is an error even where the value is ignored: Kubernetes would refuse the same manifest.
fn check(field: &Field<'_>, shape: Shape) -> Result<(), ManifestError> {
    match shape {
        Shape::Text => field.string().map(drop),
        Shape::Boolean => field.boolean().map(drop),
        Shape::Words(words) => field.word(words).map(drop),
        Shape::Integer(low, high) => field.integer(low, high).map(drop),
        Shape::Object => field.mapping().map(drop),
        Shape::Amount => amount(field),
        Shape::IntegerOrPercent => field.integer(0, u32::MAX).map(drop).or_else(|_| field.string().map(drop)),
        Shape::Anything => Ok(()),
    }
}

/// Storage, memory, or processor time, of which `200m` is no amount of storage.
fn amount(field: &Field<'_>) -> Result<(), ManifestError> {
    match field.node.as_str().and_then(|text| text.strip_suffix('m')) {
        Some(milli) if !milli.is_empty() && milli.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
        _ => quantity(field).map(drop),
    }
}

fn topology(fields: &Mapping<'_>) -> Result<(), ManifestError> {
    let Some(field) = fields.optional("replicationTopology") else { return Ok(()) };
    match field.word(&["activeStandbyPair", "none"])? {
        "none" => Err(field.unsupported("a pair replicates", "write activeStandbyPair or remove it")),
        _ => Ok(()),
    }
}

/// The return service, by what it promises. An absent one is *not* the other product's `NO RETURN`, which loses
/// acknowledged commits when the active is lost; who wants that must say so.
fn replication_return(field: &Field<'_>) -> Result<ReplicationReturn, ManifestError> {
    let text = field.string()?;
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["RETURN", "RECEIPT"] => Ok(ReplicationReturn::Durable),
        ["RETURN", "TWOSAFE"] => Ok(ReplicationReturn::Applied),
        ["NO", "RETURN"] => Ok(ReplicationReturn::Async),
        ["RETURN", "RECEIPT" | "TWOSAFE", "BY", "REQUEST"] => Err(field.unsupported(
            "the pair decides for every commit",
            "write RETURN RECEIPT or RETURN TWOSAFE; a session lowers its own promise by synchronous_commit",
        )),
        ["RETURN", "RECEIPT" | "TWOSAFE", ..] => Err(field.unsupported(
            "the attributes after the return service have no counterpart",
            "keep only RETURN RECEIPT or RETURN TWOSAFE",
        )),
        _ => Err(field.invalid(
            format!("unknown return service `{}`", crate::suggest::quoted(&text)),
            "write one of RETURN RECEIPT, RETURN TWOSAFE, NO RETURN",
        )),
    }
}
