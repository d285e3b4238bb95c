//! The connection string with which an instance or a program of PostgreSQL reaches the peer.

use std::path::PathBuf;

use crate::error::PostgresError;
use crate::instance::SUPERUSER;
use crate::settings::{TlsPolicy, Upstream};

/// The files of one generation of certificate and key.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) trusted: PathBuf,
    /// Curve of the key, or the usual one for a key without: before 18 PostgreSQL takes one only, and with TLS
    /// 1.2 OpenSSL refuses a peer's certificate of another.
    pub(crate) curve: &'static str,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A standby following its upstream.
    Follow,
    /// A base backup. It streams WAL and reports what it has flushed, so under the name of a standby it would
    /// count as that standby and acknowledge commits for a copy that is not complete.
    Copy,
    /// Rewinding.
    Rewind,
}

/// A libpq connection string: mutual TLS, `verify-full`, and bounds on everything that can hang.
pub(crate) fn connection_string(
    upstream: &Upstream,
    role: &str,
    purpose: Use,
    files: &ConnectionFiles,
    policy: &TlsPolicy,
) -> Result<String, PostgresError> {
    let (application_name, database) = match purpose {
        Use::Follow => (upstream.application_name.as_str(), None),
        Use::Copy => ("twinlock-copy", None),
        Use::Rewind => ("twinlock-rewind", Some(SUPERUSER)),
    };
    // A host that begins with a slash, or with @, would be a socket and skip TLS altogether.
    super::usable_name("the name of the peer's certificate", &upstream.host_name)?;
    let mut words = vec![
        ("host", upstream.host_name.clone()),
        ("hostaddr", upstream.hostaddr.to_string()),
        ("port", upstream.port.to_string()),
        ("user", role.to_owned()),
        ("application_name", application_name.to_owned()),
        ("sslmode", "verify-full".to_owned()),
        ("sslcert", files.certificate.display().to_string()),
        ("sslkey", files.key.display().to_string()),
        ("sslrootcert", files.trusted.display().to_string()),
        ("ssl_min_protocol_version", policy.min_protocol.to_string()),
        ("ssl_max_protocol_version", policy.max_protocol.to_string()),
        // A GSSAPI-encrypted connection would be taken before TLS is tried.
        ("gssencmode", "disable".to_owned()),
        ("connect_timeout", "3".to_owned()),
        ("keepalives_idle", "2".to_owned()),
        ("keepalives_interval", "1".to_owned()),
        ("keepalives_count", "3".to_owned()),
        ("tcp_user_timeout", "5000".to_owned()),
    ];
    if let Some(database) = database {
        words.push(("dbname", database.to_owned()));
    }
    Ok(words.iter().map(|(word, value)| format!("{word}={}", quoted(value))).collect::<Vec<_>>().join(" "))
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Protocol;

    fn string_for(host_name: &str) -> Result<String, PostgresError> {
        string_to(host_name, Use::Follow)
    }

    fn string_to(host_name: &str, purpose: Use) -> Result<String, PostgresError> {
        let upstream = Upstream {
            host_name: host_name.to_owned(),
            hostaddr: "::1".parse().unwrap(),
            port: 5432,
            application_name: "it's".to_owned(),
        };
        let files = ConnectionFiles {
            certificate: "/c".into(),
            key: "/k".into(),
            trusted: "/t".into(),
            curve: "prime256v1",
        };
        let policy = TlsPolicy {
            openssl_ciphers: "HIGH".to_owned(),
            tls13: None,
            min_protocol: Protocol::Tls12,
            max_protocol: Protocol::Tls12,
        };
        connection_string(&upstream, "role", purpose, &files, &policy)
    }

    #[test]
    fn values_are_quoted() {
        let text = string_for("a b").unwrap();
        assert!(text.starts_with("host='a b' hostaddr='::1' port='5432' "), "{text}");
        assert!(text.contains(r"application_name='it\'s' sslmode='verify-full'"), "{text}");
    }

    #[test]
    fn only_a_standby_that_follows_has_its_name() {
        for purpose in [Use::Copy, Use::Rewind] {
            let text = string_to("a", purpose).unwrap();
            assert!(text.contains("application_name='twinlock-") && !text.contains("it\\'s"), "{text}");
        }
    }

    #[test]
    fn a_socket_is_never_taken_for_a_name() {
        assert!(string_for("/tmp").is_err());
        assert!(string_for("@abstract").is_err());
    }
}
