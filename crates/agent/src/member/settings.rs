//! What this member wants of its instance, from what the user declared.

use twinlock_manifest::cipher::TlsProtocol;
use twinlock_manifest::spec::ReplicationReturn;
use twinlock_postgres::{
    CommitLevel, Gate, Identity, Protocol, RoleSettings, Settings, TlsFiles, TlsPolicy, Upstream,
};

use super::shared::Shared;

/// The role of a standby's certificate in PostgreSQL.
pub(super) const REPLICATION_ROLE: &str = "twinlock_replication";

/// Whom the instance follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nobody.
    Primary,
    /// The peer.
    Standby,
}

impl Shared {
    pub(super) fn settings(&self, wanted: Wanted, gate: Gate) -> Settings {
        let config = &self.config;
        let role = match wanted {
            Wanted::Primary => RoleSettings::Primary,
            Wanted::Standby => RoleSettings::Standby { upstream: self.upstream() },
        };
        Settings {
            name: config.member.clone(),
            listen: vec![config.postgres.ip()],
            port: config.postgres.port(),
            tls: self.tls_policy(),
            user: config.settings.clone(),
            shared_preload_libraries: config.preload_libraries.clone(),
            role,
            gate,
            plaintext_clients: !config.spec.replication_ssl_mandatory,
            identity: Identity {
                certificate_name: self.credential.leaf().common_name().unwrap_or_default(),
                replication_role: REPLICATION_ROLE.to_owned(),
                admin_role: Some(config.admin_user.clone()),
                database: Some(config.database.clone()),
                local_os_users: config.local_os_users.clone(),
            },
            commit: match config.spec.replication_return {
                ReplicationReturn::Durable => CommitLevel::On,
                ReplicationReturn::Applied => CommitLevel::RemoteApply,
                ReplicationReturn::Async => CommitLevel::Local,
            },
        }
    }

    /// The peer as somebody to receive from.
    pub(super) fn upstream(&self) -> Upstream {
        Upstream {
            host_name: self.credential.name().unwrap_or_default().to_owned(),
            hostaddr: self.config.peer.postgres.ip(),
            port: self.config.peer.postgres.port(),
            application_name: self.config.member.clone(),
        }
    }

    pub(super) fn tls_files(&self) -> TlsFiles {
        TlsFiles {
            certificate_pem: self.credential.chain_pem(),
            key_pem: self.credential.key_pem(),
            trusted_pem: self.credential.trusted_pem(),
        }
    }

    fn tls_policy(&self) -> TlsPolicy {
        let suite = &self.config.spec.replication_cipher_suite;
        match suite.protocol() {
            TlsProtocol::Tls12 => TlsPolicy {
                openssl_ciphers: suite.openssl_name().to_owned(),
                tls13: None,
                min_protocol: Protocol::Tls12,
                max_protocol: Protocol::Tls12,
            },
            TlsProtocol::Tls13 => TlsPolicy {
                openssl_ciphers: "HIGH:!aNULL".to_owned(),
                tls13: Some(suite.openssl_name().to_owned()),
                min_protocol: Protocol::Tls13,
                max_protocol: Protocol::Tls13,
            },
        }
    }
}
