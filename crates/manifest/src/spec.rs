//! What a pair should be, defaults filled in.

use serde::{Deserialize, Serialize};

use crate::cipher::CipherSuite;
use crate::quantity::Quantity;

/// The declared pair, with every default in place.
///
/// Serialises with the names of the manifest's `spec`, in both directions, so state files and REST answers say
/// what a user would write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PairSpec {
    /// How much storage each member may use. Default 50Gi.
    #[serde(default = "default_storage_size")]
    pub storage_size: Quantity,
    /// The ConfigMaps that hold metadata files, in order. No file may be in two of them.
    #[serde(default)]
    pub db_config_map: Vec<String>,
    /// The Secrets that hold metadata files, in order.
    #[serde(default)]
    pub db_secret: Vec<String>,
    /// The one suite that replication and clients negotiate. Default `TLS_AES_256_GCM_SHA384`.
    #[serde(default)]
    pub replication_cipher_suite: CipherSuite,
    /// Whether no connection without TLS is let in. Default true; 0 or 1 in text.
    #[serde(rename = "replicationSSLMandatory", default = "yes", with = "zero_or_one")]
    pub replication_ssl_mandatory: bool,
    /// What an acknowledged commit promises. Default durable.
    #[serde(default)]
    pub replication_return: ReplicationReturn,
    /// The TCP port of the first member's PostgreSQL. When absent, a free one is chosen and kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rep_port: Option<u16>,
    /// Seconds between two looks of whoever watches the pair. Default 5.
    #[serde(rename = "pollingInterval", default = "default_polling_interval_seconds")]
    pub polling_interval_seconds: u32,
    /// Seconds after which a member that does not answer counts as `Down` instead of `Unknown`. Default 30.
    #[serde(rename = "unreachableTimeout", default = "default_unreachable_timeout_seconds")]
    pub unreachable_timeout_seconds: u32,
    /// What happens when both members were lost. Default `Best`.
    #[serde(default)]
    pub both_down_behavior: BothDownBehavior,
    /// Any change of this text makes the pair `ManualInterventionRequired`: hands off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_managing: Option<String>,
    /// Any change of this text, in `ManualInterventionRequired`, makes the pair `Reexamine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reexamine: Option<String>,
    /// The metrics endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<Prometheus>,
}

impl Default for PairSpec {
    fn default() -> Self {
        Self {
            storage_size: default_storage_size(),
            db_config_map: Vec::new(),
            db_secret: Vec::new(),
            replication_cipher_suite: CipherSuite::default(),
            replication_ssl_mandatory: yes(),
            replication_return: ReplicationReturn::default(),
            rep_port: None,
            polling_interval_seconds: default_polling_interval_seconds(),
            unreachable_timeout_seconds: default_unreachable_timeout_seconds(),
            both_down_behavior: BothDownBehavior::default(),
            stop_managing: None,
            reexamine: None,
            prometheus: None,
        }
    }
}

/// What an acknowledged commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicationReturn {
    /// It survives the loss of either member: the standby has it on disk.
    #[default]
    Durable,
    /// It is also visible to queries on the standby.
    Applied,
    /// It is on the active's disk only. The standby never promotes by itself.
    Async,
}

impl ReplicationReturn {
    /// The words of the manifest, in the order of the variants.
    pub const WORDS: [&'static str; 3] = ["durable", "applied", "async"];

    /// The word of the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Applied => "applied",
            Self::Async => "async",
        }
    }

    /// The value of PostgreSQL's `synchronous_commit` that keeps the promise.
    pub fn synchronous_commit(self) -> &'static str {
        match self {
            Self::Durable => "on",
            Self::Applied => "remote_apply",
            Self::Async => "local",
        }
    }
}

/// What happens when both members were lost at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum BothDownBehavior {
    /// The member that is certain to have every acknowledged commit becomes the active.
    #[default]
    Best,
    /// The pair waits for a person.
    Manual,
}

/// The metrics endpoint, as declared. A later release serves it; until then it is kept as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prometheus {
    /// Whether metrics are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<bool>,
    /// The TCP port, 1024–65535.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether metrics may be read without TLS. Overruled by `certSecret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
    /// The Secret with the endpoint's own wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret: Option<String>,
    /// GET requests accepted per minute, 1–15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_rate: Option<u32>,
    /// Whether PodMonitors are made on Kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_pod_monitors: Option<bool>,
}

fn default_storage_size() -> Quantity {
    "50Gi".parse().expect("the constant is an amount of storage")
}

fn yes() -> bool {
    true
}

fn default_polling_interval_seconds() -> u32 {
    5
}

fn default_unreachable_timeout_seconds() -> u32 {
    30
}

/// A boolean that the manifest writes as 0 or 1.
mod zero_or_one {
    use serde::de::{Deserializer, Error};
    use serde::{Deserialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(u8::from(*value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        match u64::deserialize(deserializer)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(D::Error::custom(format!("expected 0 or 1, found {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_manifests_names_and_reads_back() {
        let spec = PairSpec {
            db_secret: vec!["repl-tls".into()],
            replication_return: ReplicationReturn::Applied,
            stop_managing: Some("now".into()),
            ..PairSpec::default()
        };
        let json = serde_json::to_value(&spec).unwrap();
        assert_eq!(json["replicationSSLMandatory"], 1);
        assert_eq!(json["replicationReturn"], "applied");
        assert_eq!(json["storageSize"], "50Gi");
        assert_eq!(json["pollingInterval"], 5);
        assert_eq!(serde_json::from_value::<PairSpec>(json).unwrap(), spec);
    }

    #[test]
    fn an_empty_object_is_the_default() {
        assert_eq!(serde_json::from_str::<PairSpec>("{}").unwrap(), PairSpec::default());
        assert!(serde_json::from_str::<PairSpec>("{\"replicationSSLMandatory\": 2}").is_err());
    }
}
