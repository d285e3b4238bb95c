//! Settings of PostgreSQL that belong to the pair: a user's value would break a promise or a connection.

const REPLICATION: &str = "replication between the members depends on it";
const ROLE: &str = "it decides which member is active and what the standby recovers to";
const DURABILITY: &str = "an acknowledged commit could be lost";
const TLS: &str = "TLS follows replicationWallet, replicationCipherSuite and replicationSSLMandatory";
const AUTHENTICATION: &str = "who may connect, and how, is the pair's";
const FILES: &str = "where files are, and which are read, is the pair's";
const ADDRESSES: &str = "addresses and ports are the pair's";
const LOGS: &str = "the agent owns the server's log";
const RESERVED: &str = "the agent's own connections depend on it";
const RESTART: &str = "the agent decides when the server restarts";

/// Exact names.
const NAMES: &[(&str, &str)] = &[
    ("wal_level", REPLICATION),
    ("max_wal_senders", REPLICATION),
    ("max_replication_slots", REPLICATION),
    ("max_slot_wal_keep_size", REPLICATION),
    ("idle_replication_slot_timeout", REPLICATION),
    ("max_prepared_transactions", REPLICATION),
    ("wal_keep_size", REPLICATION),
    ("wal_log_hints", REPLICATION),
    ("wal_sender_timeout", REPLICATION),
    ("wal_retrieve_retry_interval", REPLICATION),
    ("sync_replication_slots", REPLICATION),
    ("synchronized_standby_slots", REPLICATION),
    ("hot_standby", ROLE),
    ("promote_trigger_file", ROLE),
    ("restore_command", ROLE),
    ("archive_cleanup_command", ROLE),
    ("default_transaction_read_only", ROLE),
    ("transaction_read_only", ROLE),
    ("restart_after_crash", RESTART),
    ("fsync", DURABILITY),
    ("full_page_writes", DURABILITY),
    ("wal_sync_method", DURABILITY),
    ("data_sync_retry", DURABILITY),
    ("data_checksums", DURABILITY),
    ("ignore_checksum_failure", DURABILITY),
    ("ignore_invalid_pages", DURABILITY),
    ("ignore_system_indexes", DURABILITY),
    ("zero_damaged_pages", DURABILITY),
    ("allow_system_table_mods", DURABILITY),
    ("ssl", TLS),
    ("password_encryption", AUTHENTICATION),
    ("authentication_timeout", AUTHENTICATION),
    ("db_user_namespace", AUTHENTICATION),
    ("role", AUTHENTICATION),
    ("session_authorization", AUTHENTICATION),
    ("row_security", AUTHENTICATION),
    ("data_directory", FILES),
    ("hba_file", FILES),
    ("ident_file", FILES),
    ("config_file", FILES),
    ("external_pid_file", FILES),
    ("include", FILES),
    ("include_if_exists", FILES),
    ("include_dir", FILES),
    ("allow_alter_system", FILES),
    ("listen_addresses", ADDRESSES),
    ("port", ADDRESSES),
    ("cluster_name", ADDRESSES),
    ("logging_collector", LOGS),
    ("log_destination", LOGS),
    ("log_filename", LOGS),
    ("log_file_mode", LOGS),
    ("log_truncate_on_rotation", LOGS),
    ("event_source", LOGS),
    ("superuser_reserved_connections", RESERVED),
];

/// Beginnings of names.
const PREFIXES: &[(&str, &str)] = &[
    ("primary_", REPLICATION),
    ("wal_receiver_", REPLICATION),
    ("synchronous_", DURABILITY),
    ("recovery_", ROLE),
    ("ssl_", TLS),
    ("krb_", AUTHENTICATION),
    ("gss_", AUTHENTICATION),
    ("oauth_", AUTHENTICATION),
    ("unix_socket_", ADDRESSES),
    ("bonjour", ADDRESSES),
    ("log_rotation_", LOGS),
    ("syslog_", LOGS),
    ("twinlock.", REPLICATION),
];

/// Endings of names.
const SUFFIXES: &[(&str, &str)] = &[("_directory", FILES), ("_directories", FILES)];

/// The one setting of an owned family that only tunes.
const TUNING: &[&str] = &["recovery_prefetch"];

/// What the pair uses the setting for, when it owns it. `setting` is in lower case.
pub(super) fn reason(setting: &str) -> Option<&'static str> {
    if TUNING.contains(&setting) {
        return None;
    }
    let exact = NAMES.iter().find(|(name, _)| *name == setting);
    let begins = || PREFIXES.iter().find(|(prefix, _)| setting.starts_with(prefix));
    let ends = || SUFFIXES.iter().find(|(suffix, _)| setting.ends_with(suffix));
    exact.or_else(begins).or_else(ends).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_and_connections_are_owned_and_tuning_is_free() {
        for owned in [
            "synchronous_commit",
            "synchronous_standby_names",
            "primary_conninfo",
            "recovery_target_lsn",
            "ssl_min_protocol_version",
            "unix_socket_directories",
            "log_directory",
            "max_prepared_transactions",
            "hot_standby",
        ] {
            assert!(reason(owned).is_some(), "{owned}");
        }
        for free in [
            "work_mem",
            "recovery_prefetch",
            "hot_standby_feedback",
            "log_min_messages",
            "archive_command",
            "jit",
        ] {
            assert_eq!(reason(free), None, "{free}");
        }
    }
}
