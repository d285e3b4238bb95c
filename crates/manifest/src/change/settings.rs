//! Changes of PostgreSQL's settings: which need a restart, and in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a changed setting needs to take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A reload of the configuration. For a setting of an extension this is a guess that
    /// `pg_settings.pending_restart` corrects.
    Reload,
    /// A restart of the server.
    Restart,
}

/// Which member must be restarted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartOrder {
    /// Either.
    Any,
    /// The standby: a standby stops replaying when the active's value is larger than its own.
    StandbyFirst,
    /// The active, and the standby only after it replayed the change: for the same reason.
    ActiveFirst,
}

/// A setting of PostgreSQL that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// PostgreSQL's name.
    pub name: String,
    /// The value applied; `None` for PostgreSQL's default.
    pub was: Option<String>,
    /// The value wanted; `None` for PostgreSQL's default.
    pub now: Option<String>,
    /// What it needs to take effect.
    pub takes: Takes,
    /// Which member comes first, when it takes a restart.
    pub order: RestartOrder,
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "default".into());
        let takes = match self.takes {
            Takes::Reload => "reload",
            Takes::Restart => "restart",
        };
        write!(f, "setting {}: {} → {} ({takes})", self.name, shown(&self.was), shown(&self.now))
    }
}

/// Every setting that differs, by name.
pub(super) fn changes(was: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<SettingChange> {
    let names: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
    names
        .into_iter()
        .filter(|name| was.get(*name) != now.get(*name))
        .map(|name| {
            let (was, now) = (was.get(name).cloned(), now.get(name).cloned());
            let takes =
                if AT_START.binary_search(&name.as_str()).is_ok() { Takes::Restart } else { Takes::Reload };
            let order = order(name, was.as_deref(), now.as_deref());
            SettingChange { name: name.clone(), was, now, takes, order }
        })
        .collect()
}

/// Settings whose value on a standby must be at least the active's, with PostgreSQL's defaults (14–18).
/// See "Hot Standby: Administrator's Overview" in its manual.
const AT_LEAST_THE_ACTIVES: [(&str, u64); 3] =
    [("max_connections", 100), ("max_locks_per_transaction", 64), ("max_worker_processes", 8)];

fn order(name: &str, was: Option<&str>, now: Option<&str>) -> RestartOrder {
    let Some((_, default)) = AT_LEAST_THE_ACTIVES.iter().find(|(known, _)| *known == name) else {
        return RestartOrder::Any;
    };
    let number = |value: Option<&str>| value.map_or(Some(*default), |value| value.trim().parse().ok());
    match (number(was), number(now)) {
        (Some(was), Some(now)) if was > now => RestartOrder::ActiveFirst,
        // Also when a value is not understood: a standby with the larger value goes on replaying.
        _ => RestartOrder::StandbyFirst,
    }
}

/// Settings that PostgreSQL reads only when it starts (context `postmaster`), of versions 14 to 18, sorted; what
/// the pair owns is left out. One that a newer version reads on reload does no harm here: it is restarted for
/// nothing.
const AT_START: &[&str] = &[
    "archive_mode",
    "autovacuum_freeze_max_age",
    "autovacuum_max_workers",
    "autovacuum_multixact_freeze_max_age",
    "autovacuum_worker_slots",
    "commit_timestamp_buffers",
    "dynamic_shared_memory_type",
    "huge_page_size",
    "huge_pages",
    "io_max_combine_limit",
    "io_max_concurrency",
    "io_method",
    "jit_provider",
    "max_active_replication_origins",
    "max_connections",
    "max_files_per_process",
    "max_locks_per_transaction",
    "max_logical_replication_workers",
    "max_notify_queue_pages",
    "max_pred_locks_per_transaction",
    "max_worker_processes",
    "min_dynamic_shared_memory",
    "multixact_member_buffers",
    "multixact_offset_buffers",
    "notify_buffers",
    "old_snapshot_threshold",
    "reserved_connections",
    "serializable_buffers",
    "shared_buffers",
    "shared_memory_type",
    "shared_preload_libraries",
    "subtransaction_buffers",
    "superuser_reserved_connections",
    "track_activity_query_size",
    "track_commit_timestamp",
    "transaction_buffers",
    "wal_buffers",
    "wal_decode_buffer_size",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn change(name: &str, was: Option<&str>, now: Option<&str>) -> SettingChange {
        let map = |value: Option<&str>| value.map(|v| (name.to_owned(), v.to_owned())).into_iter().collect();
        let mut changes = changes(&map(was), &map(now));
        assert_eq!(changes.len(), 1);
        changes.remove(0)
    }

    #[test]
    fn the_list_is_sorted_for_the_search() {
        assert!(AT_START.is_sorted());
    }

    #[test]
    fn a_setting_says_what_it_takes() {
        assert_eq!(
            change("work_mem", None, Some("8MB")).to_string(),
            "setting work_mem: default → 8MB (reload)"
        );
        assert_eq!(
            change("shared_buffers", Some("200MB"), Some("300MB")).to_string(),
            "setting shared_buffers: 200MB → 300MB (restart)"
        );
    }

    #[test]
    fn the_standby_never_has_the_smaller_value() {
        for (was, now, order) in [
            (Some("100"), Some("200"), RestartOrder::StandbyFirst),
            (Some("200"), Some("100"), RestartOrder::ActiveFirst),
            (Some("200"), None, RestartOrder::ActiveFirst),
            (None, Some("105"), RestartOrder::StandbyFirst),
            (Some("?"), Some("100"), RestartOrder::StandbyFirst),
        ] {
            assert_eq!(change("max_connections", was, now).order, order);
        }
        assert_eq!(change("shared_buffers", None, Some("1GB")).order, RestartOrder::Any);
    }
}
