//! Quoting for each place where a name or a value is written.

use crate::error::PostgresError;

/// Longest name that PostgreSQL keeps, in bytes.
const NAME_BYTES_MAX: usize = 63;

/// One line `name = 'value'` of a configuration file.
pub(crate) fn assignment(name: &str, value: &str) -> String {
    let mut line = format!("{name} = '");
    for character in value.chars() {
        match character {
            '\'' => line.push_str("''"),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            other => line.push(other),
        }
    }
    line.push_str("'\n");
    line
}

/// An identifier in SQL.
pub(crate) fn sql_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string constant in SQL.
pub(crate) fn sql_literal(text: &str) -> String {
    // The E form means the same whatever `standard_conforming_strings` is.
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A word of `pg_hba.conf` or `pg_ident.conf`. [`usable_name`] vouches for what is in it.
pub(super) fn word(name: &str) -> String {
    format!("\"{name}\"")
}

/// Refuses a name that the access files or the list of standbys would read as something else.
///
/// # Errors
/// [`PostgresError::Unusable`] says why.
pub(crate) fn usable_name(what: &'static str, name: &str) -> Result<(), PostgresError> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_BYTES_MAX && what != CERTIFICATE_NAME {
        "it is longer than 63 bytes"
    } else if name.len() > 200 {
        "it is longer than 200 bytes"
    } else if name.starts_with(['/', '+', '@', '#']) {
        "its first character has a meaning of its own in pg_hba.conf or pg_ident.conf"
    } else if name == "*" {
        "it would stand for every standby"
    } else if name.contains(|c: char| c.is_control() || c == '"' || c == '\\') {
        "it contains a quote, a backslash or a control character"
    } else {
        return Ok(());
    };
    Err(PostgresError::Unusable { what, value: name.to_owned(), reason })
}

/// What errors call the common name of a certificate.
pub(crate) const CERTIFICATE_NAME: &str = "the common name of the certificate";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_quotes() {
        assert_eq!(assignment("a", "it's\\ \n"), "a = 'it''s\\\\ \\n'\n");
    }

    #[test]
    fn names_with_a_meaning_are_refused() {
        for name in ["", "*", "+admins", "/^.*$", "@file", "a\"b", "a\nb", &"x".repeat(64)] {
            assert!(usable_name("the role", name).is_err(), "{name:?}");
        }
        for name in ["repltls-0", "Replication Wallet", "ä"] {
            assert!(usable_name("the role", name).is_ok(), "{name:?}");
        }
    }
}
