//! Every known attribute of `db.ini`, and what becomes of it. The manual's table says the same.

use crate::metadata::character_set::CharacterSet;

/// Connections kept for the agent on top of `Connections`, so that a full house cannot lock it out.
pub const RESERVED_CONNECTIONS: u32 = 6;

/// What every session of the agent must set for itself, because `db.ini` may set it for all sessions: a
/// time limit would break a long step, and a standby refuses every query of a `serializable` session.
pub const AGENT_SESSION_SETTINGS: [(&str, &str); 5] = [
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("default_transaction_isolation", "read committed"),
];

/// Concurrent sorts and hashes among which `TempSize` is shared out.
const SORTS_AT_ONCE: u64 = 32;

pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) fate: Fate,
}

/// Settings, by PostgreSQL's names.
type Settings = Vec<(&'static str, String)>;

#[derive(Clone, Copy)]
pub(super) enum Fate {
    /// `read` makes the settings of the value, or nothing when the value is not what is `expected`.
    Settings {
        read: fn(&str) -> Option<Settings>,
        expected: &'static str,
    },
    /// The encoding of the database, fixed at its creation.
    CharacterSet,
    Ignored(&'static str),
    Refused {
        reason: &'static str,
        fix: &'static str,
    },
}

const fn mapped(name: &'static str, read: fn(&str) -> Option<Settings>, expected: &'static str) -> Attribute {
    Attribute { name, fate: Fate::Settings { read, expected } }
}

const fn ignored(name: &'static str, reason: &'static str) -> Attribute {
    Attribute { name, fate: Fate::Ignored(reason) }
}

const fn refused(name: &'static str, reason: &'static str, fix: &'static str) -> Attribute {
    Attribute { name, fate: Fate::Refused { reason, fix } }
}

const DURABLE: &str = "every commit is durable; replicationReturn says what more it promises";
const PLACES: &str = "the pair chooses its own directories";
const RECYCLED: &str = "PostgreSQL recycles its log files by itself; CkptLogVolume bounds them";
const MANAGED: &str = "the pair decides when its databases start and stop";
const ONE_STREAM: &str = "replication is one stream of the whole write-ahead log, in order";
const NO_REGIONS: &str = "PostgreSQL has no region of fixed size that could run full";
const SERVER: &str = "PostgreSQL does this by itself";
const NO_CACHE: &str = "there is no cache of another database";
const ORACLE_ONLY: &str = "has no counterpart in PostgreSQL";
const REMOVE: &str = "remove this line";

pub(super) static ATTRIBUTES: &[Attribute] = &[
    mapped("PermSize", perm_size, "a whole number of MB from 1 to 1048576"),
    mapped("TempSize", temp_size, "a whole number of MB from 1 to 1048576"),
    mapped("LogBufMB", log_buf_mb, "a whole number of MB from 1 to 2047"),
    mapped("Connections", connections, "a whole number from 1 to 32000"),
    Attribute { name: "DatabaseCharacterSet", fate: Fate::CharacterSet },
    mapped(
        "ConnectionCharacterSet",
        connection_character_set,
        "a character set of Oracle's, such as AL32UTF8",
    ),
    mapped(
        "CkptFrequency",
        ckpt_frequency,
        "0 (never by time) or a whole number of seconds from 30 to 86400",
    ),
    mapped(
        "CkptLogVolume",
        ckpt_log_volume,
        "0 (never by volume) or a whole number of MB from 32 to 2147483647",
    ),
    mapped("LockWait", lock_wait, "a number of seconds from 0 to 1000000, with at most three decimals"),
    mapped("SQLQueryTimeout", sql_query_timeout, "a whole number of seconds from 0 (no limit) to 2147483"),
    mapped(
        "SQLQueryTimeoutMSec",
        sql_query_timeout_msec,
        "a whole number of milliseconds from 0 (no limit) to 2147483647",
    ),
    mapped("QueryThreshold", query_threshold, "a whole number of seconds from 0 (off) to 2147483"),
    mapped("Isolation", isolation, "0 (serializable) or 1 (read committed)"),
    mapped("TypeMode", type_mode, "0, as schema.sql's types are read as Oracle's"),
    mapped("Temporary", temporary, "0, as a pair is never temporary"),
    ignored("LogFileSize", RECYCLED),
    ignored("LogPurge", RECYCLED),
    ignored("LogAutoTruncate", "crash recovery finds the end of the log by itself"),
    ignored("LogFlushMethod", DURABLE),
    ignored("LogBufParallelism", SERVER),
    ignored("Durability", DURABLE),
    ignored("DurableCommits", DURABLE),
    ignored("Preallocate", "storage is taken as it is needed"),
    ignored(
        "CkptRate",
        "PostgreSQL spreads a checkpoint over its interval; see pg.checkpoint_completion_target",
    ),
    ignored("CkptReadThreads", SERVER),
    ignored("RecoveryThreads", SERVER),
    ignored("MemoryLock", "write pg.huge_pages=on instead"),
    ignored("PermWarnThreshold", NO_REGIONS),
    ignored("TempWarnThreshold", NO_REGIONS),
    ignored("AutoCreate", MANAGED),
    ignored("Overwrite", MANAGED),
    ignored("ForceConnect", MANAGED),
    ignored("ForceDisconnectEnabled", MANAGED),
    ignored("RAMPolicy", MANAGED),
    ignored("WaitForConnect", MANAGED),
    ignored("DataStore", PLACES),
    ignored("LogDir", PLACES),
    ignored("Driver", "clients use any driver of PostgreSQL"),
    ignored("Description", "is for people"),
    ignored("ConnectionName", "is the client's; use application_name"),
    ignored("DDLReplicationLevel", ONE_STREAM),
    ignored("DDLReplicationAction", ONE_STREAM),
    ignored("ReplicationApplyOrdering", ONE_STREAM),
    ignored("ReplicationParallelism", ONE_STREAM),
    ignored("ReplicationTrack", ONE_STREAM),
    ignored("LockLevel", "PostgreSQL locks rows"),
    ignored("PrivateCommands", SERVER),
    ignored("Diagnostics", ORACLE_ONLY),
    ignored("DuplicateBindMode", ORACLE_ONLY),
    ignored("MatchLogOpts", ORACLE_ONLY),
    ignored("NLS_LENGTH_SEMANTICS", "lengths count characters"),
    ignored("NLS_NCHAR_CONV_EXCP", ORACLE_ONLY),
    ignored("NLS_SORT", "use COLLATE in SQL"),
    ignored("PLSQL", ORACLE_ONLY),
    ignored("PLSQL_MEMORY_SIZE", ORACLE_ONLY),
    ignored("PLSQL_MEMORY_ADDRESS", ORACLE_ONLY),
    ignored("PLSQL_TIMEOUT", "use SQLQueryTimeout"),
    refused("UID", "users are not settings", "put USER/PASSWORD in adminUser"),
    refused("PWD", "passwords do not belong in db.ini", "put USER/PASSWORD in adminUser"),
    refused("PWDCrypt", "passwords do not belong in db.ini", "put USER/PASSWORD in adminUser"),
    refused("OraclePWD", NO_CACHE, REMOVE),
    refused("OracleNetServiceName", NO_CACHE, REMOVE),
    refused("CacheAdmWallet", NO_CACHE, REMOVE),
    refused("CacheAWTMethod", NO_CACHE, REMOVE),
    refused("CacheAWTParallelism", NO_CACHE, REMOVE),
    refused("CacheGridEnable", NO_CACHE, REMOVE),
    refused("CacheADGStandbyTNS", NO_CACHE, REMOVE),
    refused("DynamicLoadEnable", NO_CACHE, REMOVE),
    refused("PassThrough", NO_CACHE, REMOVE),
];

fn number(value: &str, low: u64, high: u64) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|number| digits && (low..=high).contains(number))
}

fn one(setting: &'static str, value: String) -> Option<Settings> {
    Some(vec![(setting, value)])
}

fn perm_size(value: &str) -> Option<Settings> {
    one("shared_buffers", format!("{}MB", number(value, 1, 1_048_576)?))
}

/// `work_mem` is for one sort, `TempSize` for all together.
fn temp_size(value: &str) -> Option<Settings> {
    const POSTGRES_DEFAULT_MB: u64 = 4;
    let share = number(value, 1, 1_048_576)? / SORTS_AT_ONCE;
    one("work_mem", format!("{}MB", share.max(POSTGRES_DEFAULT_MB)))
}

fn log_buf_mb(value: &str) -> Option<Settings> {
    one("wal_buffers", format!("{}MB", number(value, 1, 2047)?))
}

fn connections(value: &str) -> Option<Settings> {
    let all = number(value, 1, 32_000)? + u64::from(RESERVED_CONNECTIONS);
    Some(vec![
        ("max_connections", all.to_string()),
        ("superuser_reserved_connections", RESERVED_CONNECTIONS.to_string()),
    ])
}

fn connection_character_set(value: &str) -> Option<Settings> {
    one("client_encoding", CharacterSet::of_client(value)?.postgres_name().to_owned())
}

fn ckpt_frequency(value: &str) -> Option<Settings> {
    const POSTGRES_LONGEST: u64 = 86_400;
    let seconds = match number(value, 0, POSTGRES_LONGEST)? {
        0 => POSTGRES_LONGEST,
        1..30 => return None,
        seconds => seconds,
    };
    one("checkpoint_timeout", format!("{seconds}s"))
}

fn ckpt_log_volume(value: &str) -> Option<Settings> {
    const POSTGRES_LARGEST: u64 = 2_147_483_647;
    let megabytes = match number(value, 0, POSTGRES_LARGEST)? {
        0 => POSTGRES_LARGEST,
        1..32 => return None,
        megabytes => megabytes,
    };
    one("max_wal_size", format!("{megabytes}MB"))
}

/// 0 means "do not wait" there and "wait for ever" in PostgreSQL, so it becomes the shortest wait.
fn lock_wait(value: &str) -> Option<Settings> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let thousandths = match decimals {
        "" => 0,
        _ if decimals.len() <= 3 => number(&format!("{decimals:0<3}"), 0, 999)?,
        _ => return None,
    };
    let milliseconds = number(whole, 0, 1_000_000)? * 1000 + thousandths;
    one("lock_timeout", format!("{}ms", milliseconds.max(1)))
}

fn sql_query_timeout(value: &str) -> Option<Settings> {
    one("statement_timeout", format!("{}ms", number(value, 0, 2_147_483)? * 1000))
}

fn sql_query_timeout_msec(value: &str) -> Option<Settings> {
    one("statement_timeout", format!("{}ms", number(value, 0, 2_147_483_647)?))
}

fn query_threshold(value: &str) -> Option<Settings> {
    let shown = match number(value, 0, 2_147_483)? {
        0 => "-1".to_owned(),
        seconds => format!("{}ms", seconds * 1000),
    };
    one("log_min_duration_statement", shown)
}

fn isolation(value: &str) -> Option<Settings> {
    let level = match number(value, 0, 1)? {
        0 => "serializable",
        _ => "read committed",
    };
    one("default_transaction_isolation", level.to_owned())
}

fn type_mode(value: &str) -> Option<Settings> {
    number(value, 0, 0).map(|_| Vec::new())
}

fn temporary(value: &str) -> Option<Settings> {
    number(value, 0, 0).map(|_| Vec::new())
}
