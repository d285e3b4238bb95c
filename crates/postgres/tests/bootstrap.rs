//! Roles, database and schema script of a new instance.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

mod common;

use common::{BOUND, Member, PASSWORD, shared_credential};
use twinlock_postgres::{Bootstrapped, InitOptions, PostgresError, Synchronous};
use twinlock_testkit::{Place, unprivileged};

/// A running instance without roles.
async fn bare(place: &Place) -> Member {
    let mut member = Member::new(place, 0, &shared_credential());
    // The most talkative log there is: no secret may be in it.
    for name in ["log_statement=all", "log_min_duration_statement=0", "log_connections=on"] {
        let (name, value) = name.split_once('=').unwrap();
        member.settings.user.insert(name.to_owned(), value.to_owned());
    }
    member.instance.initialise(&InitOptions::default()).await.unwrap();
    member.start().await;
    member.instance.set_synchronous(&Synchronous::Alone).unwrap();
    member
}

#[test]
fn script_runs_once_as_the_admin_user() {
    unprivileged!(async |place: &Place| {
        let member = bare(place).await;
        let plan = member.plan(&[
            (1, "create table employees (id int primary key)"),
            (2, "insert into employees values (1)"),
            (4, "create role clerk"),
            (5, "create schema other"),
        ]);
        assert_eq!(member.instance.bootstrap(&plan).await.unwrap(), Bootstrapped::Now);
        assert_eq!(member.instance.bootstrap(&plan).await.unwrap(), Bootstrapped::Before);
        let owner = "select tableowner || ' in ' || schemaname from pg_tables where tablename = 'employees'";
        assert_eq!(member.sql("sample", owner), "sampleuser in sampleuser");
        assert_eq!(member.sql("sample", "select count(*) from sampleuser.employees"), "1");
        let rights = "select rolsuper, rolcreaterole, rolreplication, rolcreatedb from pg_roles where rolname = 'sampleuser'";
        assert_eq!(member.sql("sample", rights), "f|t|f|f");
        let client = member.psql(&member.client("require"), "select count(*) from employees");
        assert_eq!(String::from_utf8_lossy(&client.stdout).trim(), "1");
    });
}

#[test]
fn error_names_its_line_and_leaves_nothing() {
    unprivileged!(async |place: &Place| {
        let member = bare(place).await;
        let failing = member.plan(&[
            (1, "create table kept (a int)"),
            (3, "create table broken (\n    a int,\n    b nosuchtype\n)"),
        ]);
        match member.instance.bootstrap(&failing).await.unwrap_err() {
            PostgresError::Statement { line: 5, message } => {
                assert_eq!(message, "type \"nosuchtype\" does not exist");
            }
            error => panic!("{error:?}"),
        }
        let tables = "select count(*) from pg_tables where tableowner = 'sampleuser'";
        assert_eq!(member.sql("sample", tables), "0");
        // The corrected script runs on the same instance.
        let plan = member.plan(&[(1, "create table kept (a int)")]);
        assert_eq!(member.instance.bootstrap(&plan).await.unwrap(), Bootstrapped::Now);
        assert_eq!(member.sql("sample", tables), "1");
    });
}

#[test]
fn script_cannot_become_the_superuser_or_end_its_transaction() {
    unprivileged!(async |place: &Place| {
        let member = bare(place).await;
        for statement in [
            "set session authorization postgres",
            "set role postgres",
            "alter role sampleuser superuser",
            "copy pg_class to program 'true'",
            "commit",
            "create table a (a int); commit",
            "do $$ begin commit; end $$",
        ] {
            let plan = member.plan(&[(1, "create table kept (a int)"), (2, statement)]);
            let error = member.instance.bootstrap(&plan).await.unwrap_err();
            assert!(matches!(error, PostgresError::Statement { line: 2, .. }), "{statement}: {error}");
            let tables = "select count(*) from pg_tables where tableowner = 'sampleuser'";
            assert_eq!(member.sql("sample", tables), "0", "{statement}");
        }
        let plan = member
            .plan(&[(1, "reset session authorization"), (2, "create table t as select session_user as a")]);
        member.instance.bootstrap(&plan).await.unwrap();
        assert_eq!(member.sql("sample", "select a from sampleuser.t"), "sampleuser");
    });
}

#[test]
fn neither_password_nor_verifier_is_in_the_log() {
    unprivileged!(async |place: &Place| {
        let member = bare(place).await;
        member.instance.bootstrap(&member.plan(&[(1, "select 1")])).await.unwrap();
        assert!(member.psql(&member.client("require"), "select 'marker'").status.success());
        twinlock_testkit::wait_until("the log is written", BOUND, || member.log().contains("marker"));
        let log = member.log();
        assert!(!log.contains(PASSWORD) && !log.contains("SCRAM-SHA-256"), "a secret is in the log");
        let stored =
            "select rolpassword like 'SCRAM-SHA-256$4096:%' from pg_authid where rolname = 'sampleuser'";
        assert_eq!(member.sql("postgres", stored), "t");
    });
}

#[test]
fn replication_role_can_do_nothing_but_its_work() {
    unprivileged!(async |place: &Place| {
        let member = bare(place).await;
        member.instance.bootstrap(&member.plan(&[])).await.unwrap();
        let rights = "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin \
                      from pg_roles where rolname = 'twinlock_replication'";
        assert_eq!(member.sql("postgres", rights), "f|f|f|t|f|t");
        assert_eq!(
            member.sql(
                "postgres",
                "select rolpassword is null from pg_authid where rolname = 'twinlock_replication'"
            ),
            "t"
        );
        let may = "select has_function_privilege('twinlock_replication', 'pg_read_file(text)', 'execute')";
        assert_eq!(member.sql("postgres", may), "f");
    });
}
