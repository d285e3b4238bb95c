//! `adminUser`: one line, `user/password`.

use super::text::malformed;
use crate::error::ManifestError;
use crate::secret::SecretText;

/// The first user of the database: it owns the database and may create roles, and is not a superuser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminUser {
    name: String,
    password: SecretText,
}

/// Longest name of a role in PostgreSQL, in bytes.
const NAME_LONGEST: usize = 63;

/// Names that mean something else to PostgreSQL, its `pg_hba.conf`, or Twinlock.
const RESERVED: &[&str] = &[
    "postgres",
    "public",
    "none",
    "all",
    "replication",
    "sameuser",
    "samerole",
    "samegroup",
    "twinlock",
    "replicator",
];

/// Words that SQL reserves (PostgreSQL 14–18): `schema.sql` could not name such a user's objects without quotes.
const SQL_RESERVED: &[&str] = &[
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

const FORM: &str = "write one line USER/PASSWORD, as in sampleuser/samplepw";

impl AdminUser {
    /// Reads the file's text. `file` is only for messages, which never show the password.
    ///
    /// # Errors
    /// When the text is not one line `user/password`, or the name is no role that a user may have.
    pub fn parse(text: &str, file: &str) -> Result<Self, ManifestError> {
        let (line_number, line) = only_line(text, file)?;
        let refuse = |problem: String, fix: &str| malformed(file, line_number, problem, fix);
        let Some((name, password)) = line.split_once('/') else {
            return Err(refuse("no `/` between user and password".into(), FORM));
        };
        if let Some(problem) = name_problem(name) {
            return Err(refuse(
                problem,
                "use a letter, then letters, digits, '_' or '$', at most 63, as in sampleuser",
            ));
        }
        let name = name.to_ascii_lowercase();
        if is_reserved(&name) {
            return Err(refuse(format!("the user name `{name}` is reserved"), "choose another name"));
        }
        if let Some(problem) = password_problem(password) {
            return Err(refuse(problem.into(), FORM));
        }
        Ok(Self { name, password: SecretText::new(password.to_owned()) })
    }

    /// The role's name. Letters are lower case, as PostgreSQL folds every unquoted name, so that
    /// `SampleUser.emp` in `schema.sql` is this user's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The password.
    pub fn password(&self) -> &SecretText {
        &self.password
    }
}

/// The only line that is not blank, with its number.
fn only_line<'a>(text: &'a str, file: &str) -> Result<(u32, &'a str), ManifestError> {
    let mut lines = (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let first = lines.next().ok_or_else(|| malformed(file, 1, "the file is empty", FORM))?;
    match lines.next() {
        None => Ok(first),
        Some((number, _)) => Err(malformed(file, number, "a second line", FORM)),
    }
}

fn name_problem(name: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    if name.is_empty() {
        return Some("the user name is empty".into());
    }
    if name.len() > NAME_LONGEST {
        return Some(format!("the user name has {} bytes", name.len()));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Some("the user name does not begin with a letter".into());
    }
    // The character is not shown: on a line without a user name, this may be part of the password.
    (!name.chars().all(inner)).then(|| "the user name holds a character that no user name may have".into())
}

fn is_reserved(name: &str) -> bool {
    name.starts_with("pg_")
        || name.starts_with("twinlock_")
        || RESERVED.contains(&name)
        || SQL_RESERVED.contains(&name)
}

fn password_problem(password: &str) -> Option<&'static str> {
    if password.is_empty() {
        return Some("the password is empty");
    }
    if password.chars().any(char::is_control) {
        return Some("the password holds a control character");
    }
    // Nobody sees a blank at the end of a line, and who types the password will not type it.
    (password.trim() != password).then_some("the password begins or ends with a blank")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        AdminUser::parse(text, "cm/adminUser").unwrap_err().to_string()
    }

    #[test]
    fn the_documents_user_is_read() {
        for text in ["sampleuser/samplepw", "sampleuser/samplepw\n", "\nSampleUser/samplepw\r\n\n"] {
            let user = AdminUser::parse(text, "f").unwrap();
            assert_eq!((user.name(), user.password().expose()), ("sampleuser", "samplepw"), "{text:?}");
        }
    }

    #[test]
    fn a_password_may_hold_slashes_and_any_letters() {
        let user = AdminUser::parse("u/a/b//ü 'x\"\n", "f").unwrap();
        assert_eq!(user.password().expose(), "a/b//ü 'x\"");
    }

    #[test]
    fn debug_hides_the_password() {
        let user = AdminUser::parse("sampleuser/samplepw", "f").unwrap();
        assert!(!format!("{user:?}").contains("samplepw"));
    }

    #[test]
    fn what_is_no_user_and_password_is_refused() {
        for (text, problem) in [
            ("", "cm/adminUser:1: the file is empty"),
            ("samplepw", "no `/`"),
            ("/samplepw", "user name is empty"),
            ("sampleuser/", "password is empty"),
            ("a/b\n\nc/d\n", "cm/adminUser:3: a second line"),
            ("1a/b", "does not begin with a letter"),
            ("_a/b", "does not begin with a letter"),
            ("a b/c", "holds a character"),
            ("a#b/c", "holds a character"),
            ("\"a\"/c", "does not begin with a letter"),
            ("POSTGRES/c", "`postgres` is reserved"),
            ("pg_monitor/c", "`pg_monitor` is reserved"),
            ("User/c", "`user` is reserved"),
            ("twinlock_repl/c", "reserved"),
            ("u/secret ", "begins or ends with a blank"),
            ("u/sec\tret", "control character"),
            (&format!("{}/c", "a".repeat(64)), "has 64 bytes"),
        ] {
            let shown = refusal(text);
            assert!(shown.contains(problem), "{text:?}: {shown}");
            assert!(!shown.contains("secret") && !shown.contains("sec\tret"), "{shown}");
        }
    }
}
