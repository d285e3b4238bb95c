//! `postgresql.auto.conf`, where `ALTER SYSTEM` writes.

use std::path::Path;

use crate::error::PostgresError;
use crate::files::replace;
use crate::render::is_owned;

/// Settings that must be at least as high on a standby as on its active, so that neither may have its own.
const EQUAL_ON_BOTH: [&str; 5] = [
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
];

/// Takes the settings that the pair owns out of the file; says whether there were any.
pub(super) fn remove_owned(path: &Path) -> Result<bool, PostgresError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(PostgresError::file("read", path)(error)),
    };
    let kept = without_owned(&text);
    if kept == text { Ok(false) } else { replace(path, kept.as_bytes()).map(|()| true) }
}

fn without_owned(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !sets_owned(line)).collect()
}

fn sets_owned(line: &str) -> bool {
    let name: String = line
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        .collect();
    is_owned(&name) || EQUAL_ON_BOTH.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_settings_are_taken_out_and_others_stay() {
        let text = "# Do not edit\nwork_mem = '8MB'\nsynchronous_standby_names = '*'\nPort=1\nmax_connections = '5'\n";
        assert_eq!(without_owned(text), "# Do not edit\nwork_mem = '8MB'\n");
    }
}
