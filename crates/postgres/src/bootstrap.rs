//! What a new instance gets before anybody uses it: roles, the database, and the schema script.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::ErrorPosition;
use zeroize::Zeroizing;

use crate::error::{PostgresError, explain};
use crate::instance::{AGENT_NAME, Instance, SUPERUSER};
use crate::render::{sql_identifier, sql_literal, usable_name};
use crate::session::{Address, Connection, Session, column};

const ANSWER_BOUND: Duration = Duration::from_secs(10);
const CREATE_BOUND: Duration = Duration::from_secs(120);
/// Comment on the database that says, set in the same transaction as the script, that the script has run.
const DONE: &str = "Made by Twinlock; its schema script has run.";
/// What `pg_rewind` calls on its source. As its own role it needs nothing else.
const REWIND_FUNCTIONS: [&str; 4] = [
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
];

/// What to create.
#[derive(Clone)]
pub struct BootstrapPlan {
    /// The role of the standby. It has no password: it logs in with a certificate.
    pub replication_role: String,
    /// Owner of the database: can create roles and schemas, is no superuser.
    pub admin_user: Option<String>,
    /// Its password; never sent to the server, which gets a verifier.
    pub admin_password: Option<Zeroizing<String>>,
    /// The database, with a schema named after its owner.
    pub database: Option<String>,
    /// Statements of the schema script with the line on which each begins, from 1.
    pub statements: Vec<(usize, String)>,
    /// The longest that the script may take.
    pub script_bound: Duration,
}

/// Whether the script was run by this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bootstrapped {
    /// It was, or there was none.
    Now,
    /// An earlier call had done it.
    Before,
}

impl Instance {
    /// Creates what the plan says and is missing, then runs the script as the admin user in one transaction.
    ///
    /// Each part can be repeated after an interruption; the script has run entirely or not at all, and once.
    ///
    /// # Errors
    /// [`PostgresError::Statement`] with the line of the script; otherwise what PostgreSQL said.
    pub async fn bootstrap(&self, plan: &BootstrapPlan) -> Result<Bootstrapped, PostgresError> {
        check(plan)?;
        let session = Session::new(self);
        quiet(&session).await?;
        create_replication_role(&session, &plan.replication_role).await?;
        let (Some(admin), Some(database)) = (&plan.admin_user, &plan.database) else {
            return Ok(Bootstrapped::Now);
        };
        create_admin(&session, admin, plan.admin_password.as_ref().map(|password| password.as_str())).await?;
        create_database(&session, database, admin).await?;
        let address = Address::of(self, admin, database, AGENT_NAME);
        let connection = Connection::open(&address, ANSWER_BOUND).await?;
        let script = run_script(connection.client(), plan, admin, database);
        match tokio::time::timeout(plan.script_bound, script).await {
            Ok(result) => result,
            Err(_) => Err(PostgresError::TimedOut {
                what: "the end of the schema script".to_owned(),
                bound: plan.script_bound,
            }),
        }
    }
}

fn check(plan: &BootstrapPlan) -> Result<(), PostgresError> {
    usable_name("the replication role", &plan.replication_role)?;
    for (what, name) in [("the admin user", &plan.admin_user), ("the database", &plan.database)] {
        if let Some(name) = name {
            usable_name(what, name)?;
        }
    }
    let taken = [Some(SUPERUSER), Some(plan.replication_role.as_str())];
    match &plan.admin_user {
        Some(admin) if taken.contains(&Some(admin.as_str())) || admin.starts_with("pg_") => {
            let reason = "PostgreSQL or the pair uses this name itself";
            Err(PostgresError::Unusable { what: "the admin user", value: admin.clone(), reason })
        }
        _ => Ok(()),
    }
}

/// Keeps what follows out of the server's log, whatever the user's settings say: it holds verifiers.
async fn quiet(session: &Session) -> Result<(), PostgresError> {
    let sql = "select set_config('log_statement', 'none', false), set_config('log_min_duration_statement', '-1', false), \
               set_config('log_min_error_statement', 'panic', false), set_config('log_duration', 'off', false), \
               set_config('log_min_duration_sample', '-1', false), \
               set_config('log_transaction_sample_rate', '0', false)";
    session.query("prepare a session", sql, ANSWER_BOUND).await.map(drop)
}

async fn create_replication_role(session: &Session, role: &str) -> Result<(), PostgresError> {
    let operation = "create the replication role";
    if !role_exists(session, role).await? {
        let sql = format!("create role {} login replication", sql_identifier(role));
        session.query(operation, &sql, ANSWER_BOUND).await?;
    }
    let functions = REWIND_FUNCTIONS.map(|function| format!("pg_catalog.{function}")).join(", ");
    let sql = format!("grant execute on function {functions} to {}", sql_identifier(role));
    session.query(operation, &sql, ANSWER_BOUND).await.map(drop)
}

async fn create_admin(session: &Session, admin: &str, password: Option<&str>) -> Result<(), PostgresError> {
    let verb = if role_exists(session, admin).await? { "alter" } else { "create" };
    let password = match password {
        Some(password) => {
            let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
            format!(" password {}", sql_literal(&verifier))
        }
        None => String::new(),
    };
    let sql = format!("{verb} role {} login createrole{password}", sql_identifier(admin));
    session.query("create the admin user", &sql, ANSWER_BOUND).await.map(drop)
}

async fn create_database(session: &Session, database: &str, owner: &str) -> Result<(), PostgresError> {
    let operation = "create the database";
    let sql = format!("select exists (select from pg_database where datname = {})", sql_literal(database));
    if column(&session.one(operation, &sql, ANSWER_BOUND).await?, 0)? {
        return Ok(());
    }
    let sql = format!("create database {} owner {}", sql_identifier(database), sql_identifier(owner));
    session.query(operation, &sql, CREATE_BOUND).await.map(drop)
}

async fn role_exists(session: &Session, role: &str) -> Result<bool, PostgresError> {
    let sql = format!("select exists (select from pg_roles where rolname = {})", sql_literal(role));
    column(&session.one("look for a role", &sql, ANSWER_BOUND).await?, 0)
}

/// Runs the script in a session that really is the admin user's: from one that only acts as that user, the
/// script could go back to being the superuser.
async fn run_script(
    client: &Client,
    plan: &BootstrapPlan,
    admin: &str,
    database: &str,
) -> Result<Bootstrapped, PostgresError> {
    let operation = "run the schema script";
    let failed = |source| PostgresError::Query { operation, source };
    let sql =
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()";
    let row = client.query_one(sql, &[]).await.map_err(failed)?;
    if column::<Option<String>>(&row, 0)?.as_deref() == Some(DONE) {
        return Ok(Bootstrapped::Before);
    }
    client.batch_execute("begin").await.map_err(failed)?;
    let schema = format!("create schema if not exists {}", sql_identifier(admin));
    client.batch_execute(&schema).await.map_err(failed)?;
    for (line, statement) in &plan.statements {
        refuse_transaction_control(*line, statement)?;
        // Prepared, because that takes one statement only, whatever the text holds.
        client.execute(statement.as_str(), &[]).await.map_err(|error| in_script(*line, statement, &error))?;
    }
    // The script may have become another of the user's roles.
    let done = format!(
        "reset role; comment on database {} is {}; commit",
        sql_identifier(database),
        sql_literal(DONE)
    );
    let last = plan.statements.last().map_or(1, |(line, _)| *line);
    client.batch_execute(&done).await.map_err(|error| in_script(last, "", &error))?;
    Ok(Bootstrapped::Now)
}

/// A script that ended the transaction would leave half of itself behind after an error.
fn refuse_transaction_control(line: usize, statement: &str) -> Result<(), PostgresError> {
    let word: String = without_comments(statement)
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    let control = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"];
    if control.contains(&word.as_str()) {
        let message =
            format!("{} is not possible here: the script runs in one transaction", word.to_uppercase());
        return Err(PostgresError::Statement { line, message });
    }
    Ok(())
}

/// The statement from its first word on.
fn without_comments(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    loop {
        let after = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            after_block_comment(rest)
        } else {
            return rest;
        };
        rest = after.trim_start();
    }
}

/// Block comments nest in SQL.
fn after_block_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &text[at..];
            }
        } else {
            at += 1;
        }
    }
    ""
}

/// Says on which line of the script PostgreSQL found the error.
fn in_script(line: usize, statement: &str, error: &tokio_postgres::Error) -> PostgresError {
    let position = error.as_db_error().and_then(|database| match database.position() {
        Some(ErrorPosition::Original(position)) => Some(*position as usize),
        _ => None,
    });
    let before = position.map_or(0, |position| position.saturating_sub(1));
    let lines_before = statement.chars().take(before).filter(|character| *character == '\n').count();
    PostgresError::Statement { line: line + lines_before, message: explain(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_control_is_refused_behind_comments_too() {
        for statement in
            ["commit", " -- a\n/* b /* c */ */ ROLLBACK to x", "/**/begin;", "Prepare transaction 'x'"]
        {
            let error = refuse_transaction_control(7, statement).unwrap_err().to_string();
            assert!(error.starts_with("line 7: "), "{error}");
        }
        for statement in
            ["select 1", "create table commits ()", "-- only a comment", "/* unended", "", "beginning"]
        {
            refuse_transaction_control(1, statement).unwrap();
        }
    }

    #[test]
    fn names_with_a_meaning_of_their_own_are_refused_as_admin() {
        for name in ["postgres", "pg_monitor", "twinlock_replication", "a\"b"] {
            let plan = BootstrapPlan {
                replication_role: "twinlock_replication".to_owned(),
                admin_user: Some(name.to_owned()),
                admin_password: None,
                database: None,
                statements: Vec::new(),
                script_bound: ANSWER_BOUND,
            };
            assert!(check(&plan).is_err(), "{name}");
        }
    }
}
