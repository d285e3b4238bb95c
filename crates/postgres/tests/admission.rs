//! Commits are shown to wait before a standby is relied upon; nothing else counts as shown.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

mod common;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{BOUND, Member, pair, shared_credential};
use rustix::process::{Pid, Signal, kill_process};
use twinlock_postgres::admission::show_commits_wait;
use twinlock_postgres::{PostgresError, Synchronous};
use twinlock_testkit::{Place, unprivileged, wait_until};

fn signal(pid: &str, signal: Signal) {
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), signal).unwrap();
}

/// A client that commits one row.
fn insert(member: &Member) -> Child {
    let conninfo = format!("host={} user=postgres dbname=sample", member.socket());
    let mut command = member.psql_command(&conninfo, "insert into t values (1)");
    command.stderr(Stdio::null()).spawn().unwrap()
}

fn waiting(member: &Member) -> usize {
    member
        .sql("postgres", "select count(*) from pg_stat_activity where wait_event = 'SyncRep'")
        .parse()
        .unwrap()
}

#[test]
fn probe_is_released_by_the_named_standby_only() {
    unprivileged!(async |place: &Place| {
        let (active, standby) = pair(place).await;
        active.sql("sample", "create table t (a int)");
        let probe = show_commits_wait(&active.instance, BOUND).await.unwrap();
        // The standby streams, yet it is not the one that is waited for.
        let mut client = insert(&active);
        wait_until("the probe and the client wait", BOUND, || waiting(&active) == 2);
        active.instance.set_synchronous(&Synchronous::Standby(standby.settings.name.clone())).unwrap();
        let lsn = probe.lsn();
        probe.released(BOUND).await.unwrap();
        assert!(client.wait().unwrap().success());
        let sender = active.observe().await.senders.remove(0);
        assert!(sender.sync_state == "sync" && sender.flush_lsn >= Some(lsn), "{sender:?}");
    });
}

#[test]
fn sleeping_checkpointer_is_never_taken_for_a_wait() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        let checkpointer =
            active.sql("postgres", "select pid from pg_stat_activity where backend_type = 'checkpointer'");
        signal(&checkpointer, Signal::STOP);
        let started = Instant::now();
        let error = show_commits_wait(&active.instance, Duration::from_millis(700)).await.unwrap_err();
        assert!(matches!(error, PostgresError::CommitsDoNotWait { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(3));
        // Every session was told; only the one that matters slept.
        assert_eq!(active.observe().await.sync_names, "");
        signal(&checkpointer, Signal::CONT);
        // It went back to waiting for nobody, so clients go on.
        active.sql("sample", "create table t (a int)");
    });
}

#[test]
fn late_checkpointer_is_waited_for() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        let checkpointer =
            active.sql("postgres", "select pid from pg_stat_activity where backend_type = 'checkpointer'");
        signal(&checkpointer, Signal::STOP);
        let waker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400));
            signal(&checkpointer, Signal::CONT);
        });
        let started = Instant::now();
        let probe = show_commits_wait(&active.instance, BOUND).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(350), "{:?}", started.elapsed());
        waker.join().unwrap();
        assert_eq!(waiting(&active), 1);
        drop(probe);
    });
}

#[test]
fn after_a_success_nothing_is_acknowledged_however_the_checkpointer_is_disturbed() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        active.sql("sample", "create table t (a int)");
        let checkpointer =
            active.sql("postgres", "select pid from pg_stat_activity where backend_type = 'checkpointer'");
        let (mut shown, mut refused) = (0, 0);
        for round in 0..12_u64 {
            // In every third round it sleeps through the attempt, in the others from some moment of it on.
            let throughout = round % 3 == 0;
            if throughout {
                signal(&checkpointer, Signal::STOP);
            }
            let other = checkpointer.clone();
            let disturber = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(round * 3 % 7));
                signal(&other, Signal::STOP);
                std::thread::sleep(Duration::from_millis(if throughout { 400 } else { 60 }));
                signal(&other, Signal::CONT);
            });
            match show_commits_wait(&active.instance, Duration::from_millis(250)).await {
                Ok(probe) => {
                    let mut client = insert(&active);
                    wait_until("the client's commit waits", BOUND, || waiting(&active) == 2);
                    assert_eq!(client.try_wait().unwrap(), None);
                    active.instance.set_synchronous(&Synchronous::Alone).unwrap();
                    client.wait().unwrap();
                    drop(probe);
                    shown += 1;
                }
                Err(_) => refused += 1,
            }
            disturber.join().unwrap();
            wait_until("nothing waits", BOUND, || waiting(&active) == 0);
        }
        assert!(shown > 0 && refused > 0, "{shown} shown, {refused} refused: both must be met");
    });
}

#[test]
fn standby_that_does_not_flush_is_not_admitted() {
    unprivileged!(async |place: &Place| {
        let (active, standby) = pair(place).await;
        active.sql("sample", "create table t (a int)");
        let receiver = standby.sql("postgres", "select pid from pg_stat_wal_receiver");
        signal(&receiver, Signal::STOP);
        let probe = show_commits_wait(&active.instance, BOUND).await.unwrap();
        active.instance.set_synchronous(&Synchronous::Standby(standby.settings.name.clone())).unwrap();
        let mut client = insert(&active);
        let error = probe.released(Duration::from_millis(500)).await.unwrap_err();
        assert!(matches!(error, PostgresError::TimedOut { .. }), "{error}");
        // Commits are alone again, and the one that waited goes on.
        assert!(client.wait().unwrap().success());
        wait_until("nothing waits", BOUND, || waiting(&active) == 0);
        signal(&receiver, Signal::CONT);
    });
}

#[test]
fn cancelled_wait_is_not_taken_for_a_flush() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        for end in ["pg_cancel_backend", "pg_terminate_backend"] {
            let probe = show_commits_wait(&active.instance, BOUND).await.unwrap();
            active.sql("postgres", &format!("select {end}({})", probe.pid()));
            let error = probe.released(BOUND).await.unwrap_err();
            assert!(matches!(error, PostgresError::CommitsDoNotWait { .. }), "{end}: {error}");
        }
    });
}

#[test]
fn release_without_any_standby_is_not_taken_for_a_flush() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        let probe = show_commits_wait(&active.instance, BOUND).await.unwrap();
        active.instance.set_synchronous(&Synchronous::Alone).unwrap();
        let error = probe.released(BOUND).await.unwrap_err();
        assert!(matches!(error, PostgresError::CommitsDoNotWait { .. }), "{error}");
    });
}

#[test]
fn server_that_is_gone_shows_nothing() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        let probe = show_commits_wait(&active.instance, BOUND).await.unwrap();
        active.instance.kill_all().unwrap();
        assert!(probe.released(BOUND).await.is_err());
        assert!(show_commits_wait(&active.instance, BOUND).await.is_err());
    });
}
