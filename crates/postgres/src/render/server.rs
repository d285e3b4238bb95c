//! `postgresql.conf` and the files that it includes, and the ones left in the data directory.

use std::fmt::Write;

use super::conninfo::{ConnectionFiles, Use, connection_string};
use super::quote::{assignment, usable_name};
use crate::directories::Directories;
use crate::error::PostgresError;
use crate::settings::{NOBODY, RoleSettings, Settings, Synchronous};
use crate::version::Version;

/// What the user may override.
const DEFAULTS: &[(&str, &str)] = &[
    ("max_connections", "100"),
    // The agent must always get in.
    ("superuser_reserved_connections", "6"),
    ("logging_collector", "on"),
    ("log_filename", "postgresql-%a.log"),
    ("log_truncate_on_rotation", "on"),
    ("log_rotation_age", "1d"),
    ("log_rotation_size", "0"),
    ("log_line_prefix", "%m [%p] %q%u@%d "),
    ("log_checkpoints", "on"),
    // A standby that was away shorter than this much WAL takes comes back without a new copy.
    ("wal_keep_size", "512MB"),
    // A slot that nobody reads any more must not fill the disk.
    ("max_slot_wal_keep_size", "4GB"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// Settings that the pair owns with a value that is the same everywhere.
const FIXED: &[(&str, &str)] = &[
    ("unix_socket_permissions", "0700"),
    ("ssl", "on"),
    ("ssl_prefer_server_ciphers", "on"),
    ("ssl_crl_file", ""),
    ("ssl_crl_dir", ""),
    ("ssl_passphrase_command", ""),
    ("password_encryption", "scram-sha-256"),
    ("wal_level", "replica"),
    ("max_wal_senders", "10"),
    ("max_replication_slots", "10"),
    ("max_prepared_transactions", "0"),
    ("hot_standby", "on"),
    ("fsync", "on"),
    ("full_page_writes", "on"),
    // After a crash of one backend PostgreSQL would recover and let clients in by itself, and recovery makes
    // visible what was never replicated. It ends instead; the agent starts it with the gate closed, or the
    // standby takes over.
    ("restart_after_crash", "off"),
    // A peer that is frozen or gone is noticed within seconds, in both directions.
    ("wal_sender_timeout", "5s"),
    ("wal_receiver_timeout", "5s"),
    ("wal_receiver_status_interval", "1s"),
    ("wal_retrieve_retry_interval", "200ms"),
    ("recovery_target_timeline", "latest"),
    ("recovery_min_apply_delay", "0"),
    ("primary_slot_name", ""),
];

/// Settings that the pair owns with a value of its own for each instance.
const RENDERED: &[&str] = &[
    "allow_alter_system",
    "cluster_name",
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "log_directory",
    "port",
    "primary_conninfo",
    "promote_trigger_file",
    "shared_preload_libraries",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_ciphers",
    "ssl_ecdh_curve",
    "ssl_groups",
    "ssl_key_file",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "ssl_tls13_ciphers",
    "synchronous_commit",
    "synchronous_standby_names",
    "twinlock.tls13_ciphers",
    "unix_socket_directories",
];

/// Settings that a server started by hand needs too: those that a standby must have at least as high as its
/// active, and how much WAL is kept, without which it could not be rewound.
const SIZES: &[&str] = &[
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
    "wal_keep_size",
];

/// With TLS 1.2, OpenSSL refuses a peer's certificate whose curve is not among those of the key exchange.
const ALL_CURVES: &str = "X25519:prime256v1:secp384r1:secp521r1";

/// Settings that are left at PostgreSQL's defaults, and nobody may change: a value could lose an acknowledged
/// commit or send a standby elsewhere.
const UNTOUCHED: &[&str] = &[
    "archive_cleanup_command",
    "data_sync_retry",
    "ignore_checksum_failure",
    "ignore_invalid_pages",
    "restore_command",
    "wal_sync_method",
    "zero_damaged_pages",
];

/// Families of settings that belong to the pair as a whole, whatever a version adds to them.
const FAMILIES: &[&str] =
    &["primary_", "recovery_", "ssl_", "synchronous_", "twinlock.", "unix_socket_", "wal_receiver_"];

/// The one member of an owned family that only tunes.
const TUNING: &str = "recovery_prefetch";

/// Whether the pair owns this setting, so that nobody else may set it.
pub fn is_owned(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let listed = RENDERED.contains(&name.as_str())
        || UNTOUCHED.contains(&name.as_str())
        || FIXED.iter().any(|(fixed, _)| *fixed == name);
    listed || name != TUNING && FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The main file, given to the server as `config_file`.
pub(crate) fn postgresql_conf(
    settings: &Settings,
    directories: &Directories,
    files: &ConnectionFiles,
    version: Version,
) -> Result<String, PostgresError> {
    usable_name("the name of the instance", &settings.name)?;
    let mut text = heading();
    section(&mut text, "Defaults", DEFAULTS.iter().map(|&(name, value)| (name, value.to_owned())));
    let user = settings.user.iter().map(|(name, value)| (name.as_str(), value.clone()));
    section(&mut text, "Settings of the user", user);
    section(&mut text, "What the pair owns", FIXED.iter().map(|&(name, value)| (name, value.to_owned())));
    section(&mut text, "This instance", own(settings, directories, files, version));
    text.push_str("include 'standby.conf'\ninclude 'synchronous.conf'\n");
    Ok(text)
}

fn own(
    settings: &Settings,
    directories: &Directories,
    files: &ConnectionFiles,
    version: Version,
) -> Vec<(&'static str, String)> {
    let conf = directories.conf();
    let path = |path: &std::path::Path| path.display().to_string();
    let listen: Vec<_> = settings.listen.iter().map(ToString::to_string).collect();
    let mut values = vec![
        ("data_directory", path(&directories.data)),
        ("hba_file", path(&conf.join("pg_hba.conf"))),
        ("ident_file", path(&conf.join("pg_ident.conf"))),
        ("log_directory", path(&directories.log)),
        ("cluster_name", settings.name.clone()),
        ("listen_addresses", listen.join(",")),
        ("port", settings.port.to_string()),
        ("unix_socket_directories", path(&directories.socket())),
        ("shared_preload_libraries", settings.shared_preload_libraries.join(",")),
        ("ssl_cert_file", path(&files.certificate)),
        ("ssl_key_file", path(&files.key)),
        ("ssl_ca_file", path(&files.trusted)),
        ("ssl_ciphers", settings.tls.openssl_ciphers.clone()),
        ("ssl_min_protocol_version", settings.tls.min_protocol.to_string()),
        ("ssl_max_protocol_version", settings.tls.max_protocol.to_string()),
        ("synchronous_commit", settings.commit.setting().to_owned()),
        // Not a setting of PostgreSQL: it makes the file differ when the OpenSSL configuration must be read anew.
        ("twinlock.tls13_ciphers", settings.tls.tls13.clone().unwrap_or_default()),
    ];
    values.push(match version.major {
        18.. => ("ssl_groups", ALL_CURVES.to_owned()),
        _ => ("ssl_ecdh_curve", files.curve.to_owned()),
    });
    if let (18.., Some(suites)) = (version.major, &settings.tls.tls13) {
        values.push(("ssl_tls13_ciphers", suites.clone()));
    }
    if version.major >= 17 {
        values.push(("allow_alter_system", "off".to_owned()));
    }
    values
}

/// `standby.conf`: whom to receive from.
pub(crate) fn standby_conf(settings: &Settings, files: &ConnectionFiles) -> Result<String, PostgresError> {
    let conninfo = match &settings.role {
        RoleSettings::Primary => String::new(),
        RoleSettings::Standby { upstream } => connection_string(
            upstream,
            &settings.identity.replication_role,
            Use::Follow,
            files,
            &settings.tls,
        )?,
    };
    Ok(heading() + &assignment("primary_conninfo", &conninfo))
}

/// `synchronous.conf`: which standby a commit waits for.
pub(crate) fn synchronous_conf(synchronous: &Synchronous) -> Result<String, PostgresError> {
    let names = match synchronous {
        Synchronous::Nobody => NOBODY.to_owned(),
        Synchronous::Alone => String::new(),
        Synchronous::Standby(name) => {
            usable_name("the name of the standby", name)?;
            // PostgreSQL shows other characters of an application_name as question marks.
            if !name.is_ascii() {
                let reason = "the name of a standby is ASCII";
                let value = name.clone();
                return Err(PostgresError::Unusable { what: "the name of the standby", value, reason });
            }
            format!("FIRST 1 (\"{name}\")")
        }
    };
    Ok(heading() + &assignment("synchronous_standby_names", &names))
}

/// The `postgresql.conf` left in the data directory, for a server that somebody starts without the agent: it
/// acknowledges nothing and listens on nothing but its socket.
pub(crate) fn dormant_conf(settings: Option<&Settings>) -> String {
    let mut text = heading();
    text.push_str(
        "# Used only when PostgreSQL is started without its agent. Commits then wait for a standby that does not\n\
         # exist, because nobody has decided that this instance is the active one.\n",
    );
    let fixed = [
        ("listen_addresses", ""),
        ("synchronous_standby_names", NOBODY),
        ("synchronous_commit", "on"),
        ("hot_standby", "on"),
        ("wal_level", "replica"),
        ("restart_after_crash", "off"),
        ("primary_conninfo", ""),
        ("fsync", "on"),
        ("full_page_writes", "on"),
    ];
    for (name, value) in fixed {
        text.push_str(&assignment(name, value));
    }
    let defaults = DEFAULTS.iter().chain(FIXED).map(|&(name, value)| (name, value.to_owned()));
    let user = settings.into_iter().flat_map(|settings| &settings.user);
    let user = user.map(|(name, value)| (name.as_str(), value.clone()));
    for (name, value) in defaults.chain(user).filter(|(name, _)| SIZES.contains(name)) {
        text.push_str(&assignment(name, &value));
    }
    if let Some(settings) = settings {
        text.push_str(&assignment("shared_preload_libraries", &settings.shared_preload_libraries.join(",")));
    }
    text
}

/// The `pg_hba.conf` left in the data directory.
pub(crate) fn dormant_hba() -> String {
    heading() + "# Used only when PostgreSQL is started without its agent.\nlocal all all peer\n"
}

fn section<'a>(text: &mut String, title: &str, settings: impl IntoIterator<Item = (&'a str, String)>) {
    writeln!(text, "\n# {title}").expect("a String takes any text");
    for (name, value) in settings {
        text.push_str(&assignment(name, &value));
    }
}

fn heading() -> String {
    "# Written by Twinlock; changes are overwritten.\n".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::{directories, settings};

    fn files() -> ConnectionFiles {
        ConnectionFiles {
            certificate: "/c".into(),
            key: "/k".into(),
            trusted: "/t".into(),
            curve: "prime256v1",
        }
    }

    fn conf(settings: &Settings, major: u32) -> String {
        postgresql_conf(settings, &directories(), &files(), Version { major, minor: 1 }).unwrap()
    }

    #[test]
    fn what_the_pair_owns_comes_after_the_user() {
        let mut settings = settings();
        settings.user.insert("fsync".to_owned(), "off".to_owned());
        let text = conf(&settings, 15);
        assert!(text.rfind("fsync = 'on'") > text.find("fsync = 'off'"), "{text}");
    }

    #[test]
    fn every_name_rendered_for_an_instance_is_owned() {
        for major in [14, 18] {
            let mut settings = settings();
            settings.tls.tls13 = Some("TLS_AES_128_GCM_SHA256".to_owned());
            for (name, _) in own(&settings, &directories(), &files(), Version { major, minor: 0 }) {
                assert!(is_owned(name), "{name}");
            }
        }
    }

    #[test]
    fn families_are_owned_as_a_whole() {
        for name in
            ["ssl_of_the_future", "Primary_Slot_Name", "restore_command", "recovery_target_lsn", "fsync"]
        {
            assert!(is_owned(name), "{name}");
        }
        for name in ["work_mem", "recovery_prefetch", "archive_command", "max_connections"] {
            assert!(!is_owned(name), "{name}");
        }
    }

    #[test]
    fn suites_of_tls13_have_a_setting_from_18_on() {
        let mut settings = settings();
        settings.tls.tls13 = Some("TLS_AES_128_GCM_SHA256".to_owned());
        assert!(!conf(&settings, 17).contains("ssl_tls13_ciphers"));
        assert!(conf(&settings, 18).contains("ssl_tls13_ciphers = 'TLS_AES_128_GCM_SHA256'"));
    }

    #[test]
    fn synchronous_standby_is_named_exactly() {
        let text = synchronous_conf(&Synchronous::Standby("repltls-1".to_owned())).unwrap();
        assert!(text.ends_with("synchronous_standby_names = 'FIRST 1 (\"repltls-1\")'\n"), "{text}");
        assert!(synchronous_conf(&Synchronous::Standby("*".to_owned())).is_err());
        assert!(synchronous_conf(&Synchronous::Standby("ä".to_owned())).is_err());
    }

    #[test]
    fn dormant_files_name_nobody_and_keep_the_sizes() {
        let mut settings = settings();
        settings.user.insert("max_connections".to_owned(), "321".to_owned());
        let text = dormant_conf(Some(&settings));
        assert!(text.contains("synchronous_standby_names = 'twinlock_nobody'"), "{text}");
        assert!(text.contains("listen_addresses = ''"), "{text}");
        assert!(text.rfind("max_connections = '321'") > text.find("max_connections = '100'"), "{text}");
    }
}
