//! `kind: Pair`: the fields of `spec`.

use super::{Header, Ignored, PairKind, PairManifest, pair_manifest};
use crate::cipher::CipherSuite;
use crate::decode::{Field, Mapping};
use crate::error::ManifestError;
use crate::name::dns_subdomain_problem;
use crate::quantity::{Quantity, QuantityError};
use crate::spec::{BothDownBehavior, PairSpec, Prometheus, ReplicationReturn};

/// Fields that a `Pair` and a `TimesTenClassic` share.
pub(super) const SHARED_FIELDS: [&str; 12] = [
    "storageSize",
    "dbConfigMap",
    "dbSecret",
    "replicationCipherSuite",
    "replicationSSLMandatory",
    "repPort",
    "pollingInterval",
    "unreachableTimeout",
    "bothDownBehavior",
    "stopManaging",
    "reexamine",
    "prometheus",
];

/// Fields of a `Pair` that mean something on Kubernetes only. One manifest serves both platforms.
const CLUSTER_FIELDS: [&str; 4] = ["storageClassName", "image", "imagePullPolicy", "imagePullSecret"];

pub(super) fn read(document: &Mapping<'_>, header: &Header) -> Result<PairManifest, ManifestError> {
    document.only(&["apiVersion", "kind", "metadata", "spec", "status"])?;
    let field = document.required("spec", "write `spec:` with at least `dbConfigMap` and `dbSecret`")?;
    let fields = field.mapping()?;
    let known: Vec<&'static str> =
        SHARED_FIELDS.into_iter().chain(["replicationReturn"]).chain(CLUSTER_FIELDS).collect();
    fields.only(&known)?;
    let mut spec = shared(&fields)?;
    if let Some(field) = fields.optional("replicationReturn") {
        spec.replication_return = match field.word(&ReplicationReturn::WORDS)? {
            "applied" => ReplicationReturn::Applied,
            "async" => ReplicationReturn::Async,
            _ => ReplicationReturn::Durable,
        };
    }
    let ignored = CLUSTER_FIELDS.into_iter().filter_map(|name| fields.optional(name));
    let ignored = ignored.map(|field| cluster_only(&field)).collect::<Result<_, _>>()?;
    pair_manifest(document, header, PairKind::Pair, spec, ignored)
}

fn cluster_only(field: &Field<'_>) -> Result<Ignored, ManifestError> {
    field.string()?;
    Ok(Ignored { field: field.path.clone(), reason: "has a meaning on Kubernetes only".into() })
}

/// Reads the [`SHARED_FIELDS`].
pub(super) fn shared(fields: &Mapping<'_>) -> Result<PairSpec, ManifestError> {
    let default = PairSpec::default();
    let seconds = |name: &str, default: u32| {
        fields.optional(name).map_or(Ok(default), |field| field.integer(1, 86_400))
    };
    let text = |name: &str| fields.optional(name).map(|field| field.string()).transpose();
    Ok(PairSpec {
        storage_size: fields.optional("storageSize").map_or(Ok(default.storage_size), |f| quantity(&f))?,
        db_config_map: names(fields.optional("dbConfigMap"))?,
        db_secret: names(fields.optional("dbSecret"))?,
        replication_cipher_suite: fields
            .optional("replicationCipherSuite")
            .map_or(Ok(default.replication_cipher_suite), |f| cipher_suite(&f))?,
        replication_ssl_mandatory: fields
            .optional("replicationSSLMandatory")
            .map_or(Ok(default.replication_ssl_mandatory), |f| zero_or_one(&f))?,
        replication_return: default.replication_return,
        rep_port: fields.optional("repPort").map(|f| port(&f)).transpose()?,
        polling_interval_seconds: seconds("pollingInterval", default.polling_interval_seconds)?,
        unreachable_timeout_seconds: seconds("unreachableTimeout", default.unreachable_timeout_seconds)?,
        both_down_behavior: fields
            .optional("bothDownBehavior")
            .map_or(Ok(default.both_down_behavior), |f| both_down_behavior(&f))?,
        stop_managing: text("stopManaging")?,
        reexamine: text("reexamine")?,
        prometheus: fields.optional("prometheus").map(|f| prometheus(&f)).transpose()?,
    })
}

pub(super) fn quantity(field: &Field<'_>) -> Result<Quantity, ManifestError> {
    let expected = "an amount of storage such as 50Gi";
    // A bare number is bytes, and Kubernetes takes it without quotes.
    let text =
        field.node.as_str().or_else(|| field.node.as_plain()).ok_or_else(|| field.wrong_type(expected))?;
    text.parse().map_err(|error: QuantityError| {
        field.invalid(
            error.to_string(),
            "write a number and one of Ki, Mi, Gi, Ti, Pi, k, M, G, T, P, as in 50Gi",
        )
    })
}

/// Names of ConfigMaps or Secrets; no name twice.
fn names(field: Option<Field<'_>>) -> Result<Vec<String>, ManifestError> {
    let Some(field) = field else { return Ok(Vec::new()) };
    let mut names: Vec<String> = Vec::new();
    for item in field.items()? {
        let name = item.string()?;
        if let Some(problem) = dns_subdomain_problem(&name) {
            return Err(item.invalid(problem, super::NAME_RULE));
        }
        if names.contains(&name) {
            return Err(item.invalid(format!("`{name}` is listed twice"), "keep one of them"));
        }
        names.push(name);
    }
    Ok(names)
}

fn cipher_suite(field: &Field<'_>) -> Result<CipherSuite, ManifestError> {
    field.string()?.parse().map_err(|error: crate::cipher::CipherSuiteError| {
        field.invalid(error.to_string(), "write one supported suite, or leave the field out for the default")
    })
}

fn zero_or_one(field: &Field<'_>) -> Result<bool, ManifestError> {
    match field.node.as_plain() {
        Some("0") => Ok(false),
        Some("1") => Ok(true),
        _ => Err(field.wrong_type("0 or 1")),
    }
}

fn port(field: &Field<'_>) -> Result<u16, ManifestError> {
    let number = field.integer(1024, 65_535)?;
    Ok(u16::try_from(number).expect("the range was checked"))
}

fn both_down_behavior(field: &Field<'_>) -> Result<BothDownBehavior, ManifestError> {
    Ok(match field.word(&["Best", "Manual"])? {
        "Manual" => BothDownBehavior::Manual,
        _ => BothDownBehavior::Best,
    })
}

fn prometheus(field: &Field<'_>) -> Result<Prometheus, ManifestError> {
    let fields = field.mapping()?;
    fields.only(&["publish", "port", "insecure", "certSecret", "limitRate", "createPodMonitors"])?;
    let boolean = |name: &str| fields.optional(name).map(|field| field.boolean()).transpose();
    Ok(Prometheus {
        publish: boolean("publish")?,
        port: fields.optional("port").map(|f| port(&f)).transpose()?,
        insecure: boolean("insecure")?,
        cert_secret: fields.optional("certSecret").map(|f| f.string()).transpose()?,
        limit_rate: fields.optional("limitRate").map(|f| f.integer(1, 15)).transpose()?,
        create_pod_monitors: boolean("createPodMonitors")?,
    })
}
