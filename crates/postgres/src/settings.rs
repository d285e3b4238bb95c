//! What is wanted of an instance.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

/// Everything that is wanted of an instance; [`crate::Instance::configure`] renders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `cluster_name` of the instance, also its `application_name` when it is a standby, e.g. `repltls-0`.
    pub name: String,
    /// Addresses to listen on; none means only the socket.
    pub listen: Vec<IpAddr>,
    /// TCP port, also in the name of the socket.
    pub port: u16,
    /// What TLS connections must look like.
    pub tls: TlsPolicy,
    /// Vetted settings of the user. They come before those that the pair owns, so they cannot override one.
    pub user: BTreeMap<String, String>,
    /// Libraries that are loaded at start.
    pub shared_preload_libraries: Vec<String>,
    /// Whom it follows.
    pub role: RoleSettings,
    /// Whether clients may come in.
    pub gate: Gate,
    /// Whether clients may come in without TLS. Where not, there is no `host` line at all.
    pub plaintext_clients: bool,
    /// Who is who.
    pub identity: Identity,
    /// What a commit waits for.
    pub commit: CommitLevel,
}

/// What TLS connections must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPolicy {
    /// OpenSSL's list of TLS 1.2 suites (`ssl_ciphers`).
    pub openssl_ciphers: String,
    /// TLS 1.3 suites, separated by colons; OpenSSL's defaults where there are none.
    pub tls13: Option<String>,
    /// The lowest version that is spoken.
    pub min_protocol: Protocol,
    /// The highest version that is spoken.
    pub max_protocol: Protocol,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl fmt::Display for Protocol {
    /// Writes PostgreSQL's word, `TLSv1.2`, for settings and as in `pg_stat_ssl`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        })
    }
}

/// Whom an instance follows.
///
/// Neither role promotes or demotes: a data directory that was a standby stays one until
/// [`crate::Instance::promote`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleSettings {
    /// Nobody. A data directory that is still a standby's starts as a standby without an upstream.
    Primary,
    /// An upstream; the next start is one as a standby.
    Standby {
        /// Where to receive from.
        upstream: Upstream,
    },
}

/// The instance that a standby receives from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The name that its certificate must carry (`verify-full`): the wallet's own.
    pub host_name: String,
    /// Where it is.
    pub hostaddr: IpAddr,
    /// Its port.
    pub port: u16,
    /// The name under which to appear there; the synchronous standby is chosen by it.
    pub application_name: String,
}

/// Whether clients may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Clients may come in.
    Open,
    /// Only the agent and replication. Sessions that are there stay: see [`crate::Session::terminate_clients`].
    Closed,
}

/// Who is who.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Common name in the certificate with which the peer comes.
    pub certificate_name: String,
    /// The role that such a certificate, and nothing else, gets.
    pub replication_role: String,
    /// The role of the database's owner.
    pub admin_role: Option<String>,
    /// The database of that role.
    pub database: Option<String>,
    /// Users of this machine who are let in through the socket as `postgres` and as the admin role.
    pub local_os_users: Vec<String>,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitLevel {
    /// The standby has it on disk (`durable`).
    On,
    /// The standby shows it (`applied`).
    RemoteApply,
    /// It is on this instance's own disk (`async`).
    Local,
}

impl CommitLevel {
    /// The value of `synchronous_commit`.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::RemoteApply => "remote_apply",
            Self::Local => "local",
        }
    }
}

/// A certificate, its key and what it trusts, as PEM text.
#[derive(Clone)]
pub struct TlsFiles {
    /// The certificate and the intermediate ones above it.
    pub certificate_pem: String,
    /// Its private key, not encrypted.
    pub key_pem: Zeroizing<String>,
    /// The certificates that are trusted.
    pub trusted_pem: String,
}

impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFiles").finish_non_exhaustive()
    }
}

/// Which standby a commit waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synchronous {
    /// One that does not exist: nothing is acknowledged.
    Nobody,
    /// None: commits do not wait.
    Alone,
    /// The one with this name.
    Standby(String),
}

/// The synchronous standby that does not exist.
pub(crate) const NOBODY: &str = "twinlock_nobody";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::directories::Directories;

    pub(crate) fn settings() -> Settings {
        Settings {
            name: "repltls-0".to_owned(),
            listen: vec!["127.0.0.1".parse().expect("an address")],
            port: 5432,
            tls: TlsPolicy {
                openssl_ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256".to_owned(),
                tls13: None,
                min_protocol: Protocol::Tls12,
                max_protocol: Protocol::Tls12,
            },
            user: BTreeMap::new(),
            shared_preload_libraries: Vec::new(),
            role: RoleSettings::Primary,
            gate: Gate::Open,
            plaintext_clients: false,
            identity: Identity {
                certificate_name: "repl wallet".to_owned(),
                replication_role: "twinlock_replication".to_owned(),
                admin_role: Some("sampleuser".to_owned()),
                database: Some("sample".to_owned()),
                local_os_users: vec!["root".to_owned()],
            },
            commit: CommitLevel::On,
        }
    }

    pub(crate) fn directories() -> Directories {
        Directories { data: "/d/data".into(), runtime: "/r".into(), log: "/l".into() }
    }
}
