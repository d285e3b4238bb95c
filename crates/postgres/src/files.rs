//! Small files that are replaced as a whole.

use std::path::Path;

use crate::error::PostgresError;

/// Replaces a file that only its owner may read; durable where the file system is.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), PostgresError> {
    twinlock_wallet::durable::replace_file(path, contents, 0o600).map_err(PostgresError::file("write", path))
}

/// Replaces a file unless it has these contents already; says whether it did.
pub(crate) fn replace_if_different(path: &Path, contents: &[u8]) -> Result<bool, PostgresError> {
    if std::fs::read(path).is_ok_and(|present| present == contents) {
        return Ok(false);
    }
    replace(path, contents).map(|()| true)
}
