//! Starting, following and stopping one instance of real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

mod common;

use std::time::{Duration, Instant};

use common::{BOUND, Member, shared_credential};
use rustix::process::{Pid, Signal, kill_process};
use twinlock_postgres::{
    ClusterState, Gate, InitOptions, PostgresError, Session, StopMode, Stopped, processes_of,
};
use twinlock_testkit::{Place, unprivileged, wait_until, wait_until_async};

/// Signals a process, unless it has ended since it was listed.
fn signal(pid: u32, signal: Signal) {
    match kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => panic!("cannot signal {pid}: {error}"),
    }
}

#[test]
fn instance_starts_and_stops_cleanly() {
    unprivileged!(async |place: &Place| {
        let member = Member::new(place, 0, &shared_credential());
        member.instance.initialise(&InitOptions::default()).await.unwrap();
        member.start().await;
        assert!(!processes_of(member.instance.data()).unwrap().is_empty());
        let seen = member.observe().await;
        assert!(!seen.in_recovery && seen.timeline == 1 && seen.flush_lsn.is_some(), "{seen:?}");
        assert_eq!(seen.sync_names, "twinlock_nobody");
        assert_eq!(member.instance.stop(StopMode::Fast, BOUND).await.unwrap(), Stopped::Cleanly);
        let control = member.instance.control().unwrap();
        assert_eq!((control.state, control.data_checksums), (ClusterState::ShutDown, true));
        assert_eq!(control.system_identifier, seen.system_identifier);
        assert_eq!(member.instance.stop(StopMode::Fast, BOUND).await.unwrap(), Stopped::WasNotRunning);
    });
}

#[test]
fn data_directory_that_is_there_is_left_untouched() {
    unprivileged!(async |place: &Place| {
        let member = Member::new(place, 0, &shared_credential());
        std::fs::create_dir_all(member.instance.data()).unwrap();
        std::fs::write(member.instance.data().join("precious"), "x").unwrap();
        let error = member.instance.initialise(&InitOptions::default()).await.unwrap_err();
        assert!(matches!(error, PostgresError::AlreadyExists { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(member.instance.data().join("precious")).unwrap(), "x");
    });
}

#[test]
fn running_server_is_taken_back_and_its_end_noticed_at_once() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        let again = member.instance.clone();
        let running = again.adopt().unwrap().expect("it runs");
        assert!(!running.has_exited());
        let ended = tokio::spawn(async move {
            running.exited().await;
            Instant::now()
        });
        tokio::task::yield_now().await;
        let killed = Instant::now();
        signal(again.adopt().unwrap().unwrap().pid(), Signal::KILL);
        let noticed = tokio::time::timeout(BOUND, ended).await.unwrap().unwrap();
        assert!(noticed - killed < Duration::from_millis(500), "{:?}", noticed - killed);
        again.kill_all().unwrap();
        assert!(again.adopt().unwrap().is_none());
        // The next start recovers; its gate and its synchronous standby are the caller's to decide anew.
        member.start().await;
        assert_eq!(member.observe().await.sync_names, "twinlock_nobody");
    });
}

#[test]
fn server_is_seen_and_killed_from_its_first_moment() {
    unprivileged!(async |place: &Place| {
        let member = Member::new(place, 0, &shared_credential());
        member.instance.initialise(&InitOptions::default()).await.unwrap();
        member.configure();
        // While it starts, an older server leaves its directory for about a tenth of a millisecond.
        for round in 0..60 {
            let running = member.instance.start().await.unwrap();
            for _ in 0..round {
                assert!(
                    processes_of(member.instance.data()).unwrap().contains(&running.pid()),
                    "round {round}"
                );
            }
            assert!(member.instance.kill_all().unwrap() > 0);
            assert!(running.has_exited(), "round {round}");
        }
    });
}

#[test]
fn killed_server_starts_again_before_anybody_collected_it() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        // Nothing here waits, so the task that collects the exit status has not run: its id is still a zombie's.
        member.instance.kill_all().unwrap();
        drop(member.instance.start().await.unwrap());
        member.instance.wait_ready(BOUND).await.unwrap();
    });
}

#[test]
fn pid_file_of_a_stranger_is_not_believed() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        member.instance.stop(StopMode::Immediate, BOUND).await.unwrap();
        let file = member.instance.data().join("postmaster.pid");
        std::fs::write(&file, format!("{}\n/x\n1\n1\n/x\n\n1 1\nready\n", std::process::id())).unwrap();
        assert!(member.instance.adopt().unwrap().is_none());
        member.start().await;
    });
}

#[test]
fn frozen_server_is_stopped_all_the_same() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        for pid in processes_of(member.instance.data()).unwrap() {
            signal(pid, Signal::STOP);
        }
        let stopped = member.instance.stop(StopMode::Fast, Duration::from_millis(300)).await.unwrap();
        assert_eq!(stopped, Stopped::Killed);
        assert_eq!(processes_of(member.instance.data()).unwrap(), []);
    });
}

#[test]
fn children_of_a_killed_server_are_found_and_killed() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        let client =
            member.psql_command(&format!("host={} user=postgres", member.socket()), "select pg_sleep(600)");
        let mut client = { client }
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the client sleeps", BOUND, || {
            member.sql("postgres", "select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' and state = 'active'") != "0"
        });
        // Frozen children do not notice that their server is gone.
        let server = member.instance.adopt().unwrap().unwrap().pid();
        for pid in processes_of(member.instance.data()).unwrap() {
            if pid != server {
                signal(pid, Signal::STOP);
            }
        }
        signal(server, Signal::KILL);
        let error = match member.instance.start().await {
            Err(error) => error,
            Ok(_) => panic!("it must not start beside processes of an earlier one"),
        };
        assert!(matches!(error, PostgresError::StillRunning { .. }), "{error}");
        assert!(member.instance.kill_all().unwrap() > 0);
        assert_eq!(processes_of(member.instance.data()).unwrap(), []);
        client.wait().unwrap();
        member.start().await;
    });
}

#[test]
fn crash_of_one_backend_ends_the_server_instead_of_opening_it_again() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        let running = member.instance.adopt().unwrap().unwrap();
        let mut client = member
            .psql_command(&format!("host={} user=postgres", member.socket()), "select pg_sleep(600)")
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let sleeping = "select pid from pg_stat_activity where query = 'select pg_sleep(600)'";
        wait_until("the client sleeps", BOUND, || !member.sql("postgres", sleeping).is_empty());
        signal(member.sql("postgres", sleeping).parse().unwrap(), Signal::KILL);
        tokio::time::timeout(BOUND, running.exited()).await.unwrap();
        client.wait().unwrap();
        // Some of its children may take a moment longer.
        let stopped = member.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        assert!(matches!(stopped, Stopped::WasNotRunning | Stopped::Killed), "{stopped:?}");
        assert_eq!(processes_of(member.instance.data()).unwrap(), []);
        assert!(!member.instance.control().unwrap().state.is_clean());
    });
}

#[test]
fn failed_start_says_why() {
    unprivileged!(async |place: &Place| {
        let mut member = Member::new(place, 0, &shared_credential());
        member.instance.initialise(&InitOptions::default()).await.unwrap();
        let taken = twinlock_testkit::FreePort::new();
        member.settings.port = taken.number();
        member.configure();
        drop(member.instance.start().await.unwrap());
        let error = member.instance.wait_ready(BOUND).await.unwrap_err().to_string();
        assert!(
            error.contains("could not bind") || error.contains("could not create any TCP/IP sockets"),
            "{error}"
        );
    });
}

#[test]
fn only_settings_of_a_start_need_one() {
    unprivileged!(async |place: &Place| {
        let mut member = Member::active(place, 0, &shared_credential()).await;
        let configure = |member: &Member| member.instance.configure(&member.settings, &member.tls).unwrap();
        let same = configure(&member);
        assert_eq!((same.changed, same.restart_needed), (false, false));
        member.settings.user.insert("work_mem".to_owned(), "9MB".to_owned());
        let reload = configure(&member);
        assert_eq!((reload.changed, reload.restart_needed), (true, false));
        member.settings.user.insert("max_connections".to_owned(), "42".to_owned());
        assert!(configure(&member).restart_needed);
        // It stays so until a restart, and is over when the value is taken back.
        assert!(configure(&member).restart_needed);
        member.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        assert!(!configure(&member).restart_needed);
        member.start().await;
        assert!(!configure(&member).restart_needed);
        assert_eq!(member.sql("postgres", "show max_connections"), "42");
        assert_eq!(member.sql("postgres", "show work_mem"), "9MB");
    });
}

#[test]
fn started_by_hand_it_acknowledges_nothing() {
    unprivileged!(async |place: &Place| {
        let member = Member::active(place, 0, &shared_credential()).await;
        member.sql("postgres", "create table t (a int)");
        // Not even a user's ALTER SYSTEM of earlier times survives.
        let auto = member.instance.data().join("postgresql.auto.conf");
        member.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        std::fs::write(&auto, "synchronous_standby_names = ''\nlisten_addresses = '*'\n").unwrap();
        member.configure();
        let socket = member.instance.directories().socket();
        let mut server = std::process::Command::new(member.instance.installation().program("postgres"));
        server
            .arg("-D")
            .arg(member.instance.data())
            .arg("-k")
            .arg(&socket)
            .args(["-p", &member.settings.port.to_string()]);
        let log = std::fs::File::create(place.disk("by-hand.log")).unwrap();
        let mut server = server.current_dir(member.instance.data()).stderr(log).spawn().unwrap();
        member.instance.wait_ready(BOUND).await.unwrap();
        assert_eq!(member.sql("postgres", "show listen_addresses"), "");
        let conninfo = format!("host={} user=postgres dbname=postgres", member.socket());
        // The checkpointer arms the wait a moment after the start, so the first commits may pass: see admission.
        let waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
        let mut commit = None;
        wait_until("commits wait", BOUND, || {
            let running = commit.get_or_insert_with(|| {
                member.psql_command(&conninfo, "insert into t values (1)").spawn().unwrap()
            });
            if running.try_wait().unwrap().is_some() {
                commit = None;
            }
            member.sql("postgres", waiting) == "1"
        });
        assert!(!member.psql(&member.client("require"), "select 1").status.success());
        member.instance.stop(StopMode::Immediate, BOUND).await.unwrap();
        assert!(!commit.unwrap().wait().unwrap().success());
        server.wait().unwrap();
    });
}

#[test]
fn closed_gate_keeps_clients_out_and_they_can_be_ended() {
    unprivileged!(async |place: &Place| {
        let mut member = Member::active(place, 0, &shared_credential()).await;
        let mut client = member.psql_command(&member.client("require"), "select pg_sleep(600)");
        let mut client = client.spawn().unwrap();
        let sessions = "select string_agg(query, ';') from pg_stat_activity where usename = 'sampleuser'";
        // In the runtime's time, so that it can close the session of the bootstrap, which was this user's too.
        wait_until_async("the client alone is in", BOUND, async || {
            assert_eq!(client.try_wait().unwrap(), None, "it was refused; the server says: {}", member.log());
            member.sql("postgres", sessions) == "select pg_sleep(600)"
        })
        .await;
        member.settings.gate = Gate::Closed;
        member.configure();
        member.instance.reload().unwrap();
        wait_until("new clients stay out", BOUND, || {
            !member.psql(&member.client("require"), "select 1").status.success()
        });
        let session = Session::new(&member.instance);
        assert_eq!(session.terminate_clients(BOUND).await.unwrap(), 1);
        assert!(!client.wait().unwrap().success());
        assert_eq!(session.file_errors(BOUND).await.unwrap(), Vec::<String>::new());
        member.settings.gate = Gate::Open;
        member.configure();
        member.instance.reload().unwrap();
        wait_until("clients come in", BOUND, || {
            member.psql(&member.client("require"), "select 1").status.success()
        });
    });
}
