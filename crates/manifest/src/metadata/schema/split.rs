//! Tokens → statements, split where `psql` would split; refusal of what cannot run inside one transaction.

use super::lexer::{Kind, Token};
use crate::error::{ManifestError, Place};
use crate::metadata::text::malformed;
use crate::suggest::quoted;

/// The statements of the text, each as its tokens, without the semicolon. None is empty.
pub(super) fn statements<'t>(
    sql: &str,
    tokens: &'t [Token],
    file: &str,
) -> Result<Vec<&'t [Token]>, ManifestError> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut nesting = Nesting::default();
    for (index, token) in tokens.iter().enumerate() {
        if token.is_sign('\\') {
            return Err(meta_command(sql, &tokens[index..], file));
        }
        nesting.meet(sql, &tokens[start..], token);
        if token.is_sign(';') && nesting.is_outside() {
            push(sql, &tokens[start..index], file, &mut statements)?;
            start = index + 1;
            nesting = Nesting::default();
        }
    }
    push(sql, &tokens[start..], file, &mut statements)?;
    Ok(statements)
}

fn push<'t>(
    sql: &str,
    statement: &'t [Token],
    file: &str,
    statements: &mut Vec<&'t [Token]>,
) -> Result<(), ManifestError> {
    if !statement.is_empty() {
        refuse(sql, statement, file)?;
        statements.push(statement);
    }
    Ok(())
}

fn meta_command(sql: &str, from: &[Token], file: &str) -> ManifestError {
    let command = from.get(1).filter(|next| next.start == from[0].end && next.kind == Kind::Word);
    let command = quoted(command.map_or("", |token| token.text(sql)));
    let fix = "remove it: the file is sent to the server, which knows only SQL";
    malformed(file, from[0].line, format!("`\\{command}` is a command of psql, not SQL"), fix)
}

/// Parentheses, and the `begin atomic … end` of an SQL-standard function body, both of which hide semicolons.
#[derive(Default)]
struct Nesting {
    parentheses: usize,
    blocks: usize,
}

impl Nesting {
    fn is_outside(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn meet(&mut self, sql: &str, statement: &[Token], token: &Token) {
        match token.kind {
            Kind::Sign('(') => self.parentheses += 1,
            // An unmatched one is PostgreSQL's to refuse.
            Kind::Sign(')') => self.parentheses = self.parentheses.saturating_sub(1),
            Kind::Word if self.parentheses == 0 && creates_routine(sql, statement) => {
                self.meet_word(sql, token)
            }
            _ => {}
        }
    }

    fn meet_word(&mut self, sql: &str, token: &Token) {
        if token.is_word(sql, "begin") || (self.blocks > 0 && token.is_word(sql, "case")) {
            self.blocks += 1;
        } else if token.is_word(sql, "end") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }
}

/// `create [or replace] function|procedure`.
pub(super) fn creates_routine(sql: &str, statement: &[Token]) -> bool {
    let word = |index: usize, words: &[&str]| statement.get(index).is_some_and(|t| t.is_any_word(sql, words));
    let routine = ["function", "procedure"];
    word(0, &["create"])
        && (word(1, &routine) || (word(1, &["or"]) && word(2, &["replace"]) && word(3, &routine)))
}

/// Words that begin a statement which would begin, end or divide the transaction.
const TRANSACTION: [&str; 8] =
    ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"];

fn refuse(sql: &str, statement: &[Token], file: &str) -> Result<(), ManifestError> {
    let first = &statement[0];
    let refused = |reason: &str, fix: &str| {
        Err(ManifestError::Unsupported {
            at: Place::at_line(file, first.line),
            field: quoted(&statement.iter().take(2).map(|t| t.text(sql)).collect::<Vec<_>>().join(" ")),
            reason: reason.into(),
            fix: fix.into(),
        })
    };
    if first.is_any_word(sql, &TRANSACTION) || is_two_phase(sql, statement) {
        return refused(
            "the whole file runs in one transaction, so that nothing of it remains after an error",
            "remove this statement",
        );
    }
    if copies_to_or_from_client(sql, statement) {
        return refused(
            "there is no client to copy from or to",
            "use insert, or load the data when the pair is up",
        );
    }
    if first.is_sign('/') && statement.get(1).is_none_or(|next| next.line > first.line) {
        return Err(malformed(
            file,
            first.line,
            "a `/` alone is a command of SQL*Plus, not SQL",
            "remove it",
        ));
    }
    Ok(())
}

fn is_two_phase(sql: &str, statement: &[Token]) -> bool {
    statement[0].is_word(sql, "prepare") && statement.get(1).is_some_and(|t| t.is_word(sql, "transaction"))
}

fn copies_to_or_from_client(sql: &str, statement: &[Token]) -> bool {
    let mut pairs = statement.windows(2);
    statement[0].is_word(sql, "copy")
        && pairs.any(|two| {
            two[0].is_any_word(sql, &["from", "to"]) && two[1].is_any_word(sql, &["stdin", "stdout"])
        })
}

#[cfg(test)]
mod tests {
    use super::super::Schema;

    fn split(sql: &str) -> Vec<(u32, String)> {
        Schema::translate(sql, "f").unwrap().into_iter().map(|s| (s.line, s.sql)).collect()
    }

    fn refusal(sql: &str) -> String {
        Schema::translate(sql, "f").unwrap_err().to_string()
    }

    #[test]
    fn semicolons_split_only_between_statements() {
        let sql = "select ';';\n-- ;\nselect $$;$$ /* ; */ ;; \n\nselect 1";
        assert_eq!(
            split(sql),
            [(1, "select ';'".into()), (3, "select $$;$$".into()), (5, "select 1".into())]
        );
        assert_eq!(split("create rule r as on insert to t do (select 1; select 2); select 3").len(), 2);
        assert!(split(" ;; -- nothing\n").is_empty());
    }

    #[test]
    fn an_atomic_body_is_one_statement() {
        let sql = "create or replace function f() returns int begin atomic select case when true then 1 end; \
                   select 2; end; select begin from t; select 3";
        assert_eq!(split(sql).len(), 3);
    }

    #[test]
    fn what_would_leave_the_transaction_is_refused_by_name() {
        for (sql, shown) in [
            ("select 1;\nBEGIN;", "f:2: BEGIN: not supported: the whole file runs in one transaction"),
            ("commit work", "f:1: commit work: not supported"),
            ("rollback to savepoint x", "f:1: rollback to"),
            ("start transaction", "f:1: start transaction"),
            ("prepare transaction 'x'", "f:1: prepare transaction"),
            ("copy t from stdin;", "f:1: copy t: not supported: there is no client"),
            ("select 1;\n\\i other.sql", "f:2: `\\i` is a command of psql"),
            ("select 1 \\gset", "f:1: `\\gset` is a command of psql"),
            ("select 1;\n/\nselect 2", "f:2: a `/` alone"),
        ] {
            let found = refusal(sql);
            assert!(found.starts_with(shown), "{found}");
        }
        assert_eq!(split("prepare p as select 1; copy t from '/x'; select 4\n/\n2").len(), 3);
    }
}
