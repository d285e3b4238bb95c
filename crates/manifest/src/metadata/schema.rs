//! `schema.sql`: SQL that runs once, as the admin user, in one transaction, when the pair is made.
//!
//! The text is split into statements, each with its line, so that an error names the line the user wrote. Names
//! of Oracle's types are translated where a type stands; everything else is left exactly as it is. There is no
//! SQL parser here on purpose: PostgreSQL's own grammar differs between the supported versions, and only
//! PostgreSQL decides what is valid.

mod lexer;
mod split;
mod translate;
mod types;

use std::fmt;

use crate::error::ManifestError;

/// A `schema.sql`, split and translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    file: String,
    statements: Vec<Statement>,
}

/// One SQL statement. `Debug` does not show it, as it may set a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line of the file on which the statement begins, counted from 1.
    pub line: u32,
    /// The statement, translated, without its semicolon. It has as many line breaks as what the user wrote.
    pub sql: String,
}

impl Schema {
    /// Reads a whole file.
    ///
    /// # Errors
    /// As [`Schema::translate`].
    pub fn read(sql: &str, file: &str) -> Result<Self, ManifestError> {
        Ok(Self { file: file.to_owned(), statements: Self::translate(sql, file)? })
    }

    /// Splits `sql` into statements and translates the names of Oracle's types.
    ///
    /// # Errors
    /// A string, quoted name or comment that does not end; a meta-command of `psql`; a statement that would
    /// begin or end a transaction, or read data from the client. Each names its line.
    pub fn translate(sql: &str, file: &str) -> Result<Vec<Statement>, ManifestError> {
        let tokens = lexer::tokens(sql, file)?;
        split::statements(sql, &tokens, file)?
            .into_iter()
            .map(|tokens| Ok(Statement { line: tokens[0].line, sql: translate::statement(sql, tokens) }))
            .collect()
    }

    /// The file, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The statements, in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

impl Statement {
    /// The line of the file at which PostgreSQL found an error: `position` is the error's position in
    /// [`Statement::sql`] as PostgreSQL reports it, in characters counted from 1; 0 when it reported none.
    pub fn line_at(&self, position: u32) -> u32 {
        let before = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        let breaks = self.sql.chars().take(before).filter(|c| *c == '\n').count();
        self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX))
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statement(line {}, {} bytes)", self.line, self.sql.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_schema_is_split_and_translated() {
        let text = "create sequence sampleuser.s;\ncreate table sampleuser.emp (\n  id number not null primary key,\n  \
                    name char(32)\n);\n";
        let statements = Schema::translate(text, "schema.sql").unwrap();
        assert_eq!(
            statements,
            [
                Statement { line: 1, sql: "create sequence sampleuser.s".into() },
                Statement {
                    line: 2,
                    sql: "create table sampleuser.emp (\n  id numeric not null primary key,\n  name char(32)\n)".into()
                },
            ]
        );
    }

    #[test]
    fn an_error_position_becomes_a_line_of_the_file() {
        let statement = &Schema::translate("\n\nselect\n  'ü',\n  nope", "f").unwrap()[0];
        let position = statement.sql.chars().position(|c| c == 'n').unwrap() as u32 + 1;
        assert_eq!((statement.line, statement.line_at(position), statement.line_at(0)), (3, 5, 3));
    }
}
