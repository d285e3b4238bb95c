//! A standby over mutual TLS: copying, following, taking over and coming back.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{BOUND, Member, WALLET_NAME, installation, pair, shared_credential, tls_files, tls12, tls13};
use twinlock_postgres::{
    ClusterState, Lsn, PostgresError, Progress, Protocol, RewindOutcome, RoleSettings, Session, StopMode,
    Synchronous, TlsPolicy, handshake,
};
use twinlock_testkit::{Place, TestCertificates, unprivileged, validity, wait_until, wait_until_async};
use twinlock_wallet::Credential;
use twinlock_wallet::issue::{KeyKind, Template};

fn address(member: &Member) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], member.settings.port))
}

#[test]
fn standby_streams_with_the_demanded_suite() {
    unprivileged!(async |place: &Place| {
        let (active, standby) = pair(place).await;
        let seen = active.observe().await;
        let sender = &seen.senders[0];
        let tls = sender.tls.as_ref().expect("it is encrypted");
        assert_eq!((tls.version.as_str(), tls.cipher.as_str()), ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"));
        assert_eq!(tls.client_dn.as_deref(), Some("/CN=repl.example"));
        assert!(tls.client_serial.is_some() && sender.client_port.is_some(), "{sender:?}");

        let other = standby.observe().await;
        assert!(other.in_recovery && other.timeline == 1 && other.write_lsn.is_none());
        assert_eq!(other.system_identifier, seen.system_identifier);
        assert_eq!(other.receiver.expect("it receives").port, Some(active.settings.port));

        active.sql("sample", "create table t as select generate_series(1, 1000) as a");
        let lsn: Lsn = active.sql("sample", "select pg_current_wal_lsn()").parse().unwrap();
        standby.instance.replayed_to(lsn, BOUND).await.unwrap();
        assert_eq!(standby.sql("sample", "select count(*) from t"), "1000");
    });
}

/// Brings up an active instance and looks at its end of a TLS connection and at its standby's.
async fn negotiated(place: &Place, policy: TlsPolicy, credential: &Credential) -> (Protocol, String, String) {
    let mut active = Member::new(place, 0, credential);
    active.settings.tls = policy.clone();
    active.begin().await;
    let mut standby = Member::new(place, 1, credential);
    standby.settings.tls = policy;
    standby.follow(&active).await;
    let seen = handshake(address(&active), WALLET_NAME, &active.tls, BOUND).await.expect("it speaks TLS");
    let sender = active.observe().await.senders.remove(0);
    (seen.protocol, seen.cipher, sender.tls.expect("it is encrypted").cipher)
}

#[test]
fn suite_of_tls12_caps_the_protocol() {
    unprivileged!(async |place: &Place| {
        let policy = tls12("ECDHE-ECDSA-AES256-GCM-SHA384");
        let (protocol, suite, cipher) = negotiated(place, policy, &shared_credential()).await;
        assert_eq!(protocol, Protocol::Tls12);
        assert_eq!(suite, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
        assert_eq!(cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
    });
}

#[test]
fn suite_of_tls13_is_the_only_one() {
    unprivileged!(async |place: &Place| {
        // Not the one that OpenSSL prefers by itself.
        let policy = tls13("TLS_CHACHA20_POLY1305_SHA256");
        let (protocol, suite, cipher) = negotiated(place, policy, &shared_credential()).await;
        assert_eq!(protocol, Protocol::Tls13);
        assert_eq!(suite, "TLS_CHACHA20_POLY1305_SHA256");
        assert_eq!(cipher, "TLS_CHACHA20_POLY1305_SHA256");
    });
}

#[test]
fn rsa_credential_serves_rsa_suites() {
    unprivileged!(async |place: &Place| {
        let template = Template::new(WALLET_NAME, validity()).alternative_name(WALLET_NAME);
        let credential = TestCertificates::new().credential_of(KeyKind::Rsa2048, template);
        let (_, suite, _) = negotiated(place, tls12("ECDHE-RSA-AES128-GCM-SHA256"), &credential).await;
        assert_eq!(suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    });
}

#[test]
fn certificate_with_only_a_common_name_is_verified_by_it() {
    unprivileged!(async |place: &Place| {
        let credential =
            TestCertificates::new().credential_of(KeyKind::EcP384, Template::new(WALLET_NAME, validity()));
        let active = Member::active(place, 0, &credential).await;
        let seen = handshake(address(&active), WALLET_NAME, &active.tls, BOUND).await.unwrap();
        assert!(seen.verified, "{:?}", seen.problem);
        assert_eq!(seen.subject, credential.leaf().subject());
        assert_eq!(seen.not_after, credential.leaf().not_after());
        let seen = handshake(address(&active), "other.example", &active.tls, BOUND).await.unwrap();
        assert!(!seen.verified && seen.problem.unwrap().contains("other.example"));
        let mut standby = Member::new(place, 1, &credential);
        standby.follow(&active).await;
    });
}

#[test]
fn stranger_with_a_certificate_of_the_same_name_is_refused() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        let stranger = Member::new(place, 1, &shared_credential());
        let upstream = active.upstream_for(&stranger);
        let error = stranger.instance.base_backup(&upstream, &stranger.settings, &stranger.tls, |_| ()).await;
        let error = error.expect_err("it trusts another root").to_string();
        assert!(error.contains("certificate verify failed"), "{error}");
        // Even when the stranger does trust the server, the server does not trust the stranger.
        let mut tls = stranger.tls.clone();
        tls.trusted_pem.clone_from(&active.tls.trusted_pem);
        let error = stranger.instance.base_backup(&upstream, &stranger.settings, &tls, |_| ()).await;
        let error = error.expect_err("its certificate is of another root").to_string();
        assert!(error.contains("unknown ca"), "{error}");
        assert!(!stranger.instance.data().exists());
        assert_eq!(std::fs::read_dir(place.disk("1")).unwrap().count(), 1, "only its log directory is there");
        let seen = handshake(address(&active), WALLET_NAME, &tls, BOUND).await;
        assert!(seen.is_err() || seen.is_ok_and(|seen| seen.verified));
    });
}

#[test]
fn other_name_of_the_same_root_gets_no_replication() {
    unprivileged!(async |place: &Place| {
        let certificates = TestCertificates::new();
        let active = Member::active(place, 0, &certificates.credential(WALLET_NAME)).await;
        let other = Member::new(place, 1, &certificates.credential("client.example"));
        let upstream = active.upstream_for(&other);
        let error = other.instance.base_backup(&upstream, &other.settings, &other.tls, |_| ()).await;
        let error = error.expect_err("its name is not in the map").to_string();
        assert!(error.contains("certificate authentication failed"), "{error}");
        // And a server with another name than the wallet's is not followed.
        let mut upstream = upstream;
        upstream.host_name = "elsewhere.example".to_owned();
        let member = Member::new(place, 2, &certificates.credential(WALLET_NAME));
        let error = member.instance.base_backup(&upstream, &member.settings, &member.tls, |_| ()).await;
        let error = error.expect_err("verify-full").to_string();
        assert!(error.contains("does not match host name \"elsewhere.example\""), "{error}");
    });
}

#[test]
fn there_is_no_way_in_without_tls() {
    unprivileged!(async |place: &Place| {
        let active = Member::active(place, 0, &shared_credential()).await;
        assert!(active.psql(&active.client("require"), "select 1").status.success());
        let refused = active.psql(&active.client("disable"), "select 1");
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && words.contains("no encryption"), "{words}");
        // The role of the standby has no password, and a password would not help it.
        for database in ["sample", "postgres"] {
            let conninfo = format!(
                "host=127.0.0.1 user=twinlock_replication dbname={database} sslmode=require sslcert=/none"
            );
            assert!(!active.psql(&conninfo, "select 1").status.success());
        }
        let superuser = "host=127.0.0.1 user=postgres dbname=postgres sslmode=require";
        assert!(!active.psql(superuser, "select 1").status.success());
    });
}

#[test]
fn plaintext_clients_come_in_where_allowed() {
    unprivileged!(async |place: &Place| {
        let mut active = Member::new(place, 0, &shared_credential());
        active.settings.plaintext_clients = true;
        active.begin().await;
        assert!(active.psql(&active.client("disable"), "select 1").status.success());
    });
}

#[test]
fn standby_takes_over_fast_and_the_former_active_is_rewound() {
    unprivileged!(async |place: &Place| {
        let (mut active, mut standby) = pair(place).await;
        active.rely_on(&standby).await;
        active.sql("sample", "create table t (a int); insert into t values (1)");
        // Known to both; then one that only the old active has, as after a cut network.
        standby.instance.stop_receiving(BOUND).await.unwrap();
        active.instance.set_synchronous(&Synchronous::Alone).unwrap();
        active.sql("sample", "insert into t values (2)");
        active.instance.kill_all().unwrap();

        let started = Instant::now();
        standby.instance.promote(BOUND).await.unwrap();
        let promotion = started.elapsed();
        assert!(promotion < Duration::from_secs(2), "{promotion:?}");
        eprintln!("promotion took {promotion:?}");
        standby.settings.role = RoleSettings::Primary;
        standby.configure();
        standby.instance.set_synchronous(&Synchronous::Alone).unwrap();
        assert_eq!(standby.observe().await.timeline, 2);
        standby.sql("sample", "insert into t values (3)");
        Session::new(&standby.instance).checkpoint(BOUND).await.unwrap();

        let upstream = standby.upstream_for(&active);
        active.settings.role = RoleSettings::Standby { upstream: upstream.clone() };
        let outcome = active.instance.rewind(&upstream, &active.settings, &active.tls).await.unwrap();
        assert_eq!(outcome, RewindOutcome::Rewound);
        active.start().await;
        standby.wait_for_sender(&active.settings.name).await;
        standby.rely_on(&active).await;
        standby.sql("sample", "insert into t values (4)");
        let lsn: Lsn = standby.sql("sample", "select pg_current_wal_lsn()").parse().unwrap();
        active.instance.replayed_to(lsn, BOUND).await.unwrap();
        assert_eq!(active.sql("sample", "select string_agg(a::text, ',' order by a) from t"), "1,3,4");
        assert_eq!(active.observe().await.timeline, 2);
    });
}

#[test]
fn upstream_without_a_timeline_of_its_own_is_not_taken_for_an_ancestor() {
    unprivileged!(async |place: &Place| {
        let (mut active, standby) = pair(place).await;
        active.sql("sample", "create table t (a int)");
        // The other one has not taken over: there is nothing to come back to.
        active.instance.kill_all().unwrap();
        let upstream = standby.upstream_for(&active);
        active.settings.role = RoleSettings::Standby { upstream: upstream.clone() };
        let error = active.instance.rewind(&upstream, &active.settings, &active.tls).await.unwrap_err();
        assert!(matches!(error, PostgresError::UpstreamNotReady { .. }), "{error}");
        assert!(!active.instance.data().join("standby.signal").exists());
        standby.instance.promote(BOUND).await.unwrap();
        // A checkpoint follows a promotion by itself, in its own time.
        wait_until_async("the upstream is fit to be a source", BOUND, async || {
            match active.instance.rewind(&upstream, &active.settings, &active.tls).await {
                Ok(outcome) => outcome == RewindOutcome::Rewound || outcome == RewindOutcome::NotRequired,
                Err(PostgresError::UpstreamNotReady { .. }) => {
                    Session::new(&standby.instance).checkpoint(BOUND).await.unwrap();
                    false
                }
                Err(error) => panic!("{error}"),
            }
        })
        .await;
        active.start().await;
        standby.instance.set_synchronous(&Synchronous::Alone).unwrap();
        standby.wait_for_sender(&active.settings.name).await;
        standby.rely_on(&active).await;
    });
}

#[test]
fn clean_handover_needs_no_rewind() {
    unprivileged!(async |place: &Place| {
        let (mut active, standby) = pair(place).await;
        active.sql("sample", "create table t (a int)");
        active.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        let last = active.instance.control().unwrap().checkpoint_lsn;
        standby.instance.replayed_to(last, BOUND).await.unwrap();
        standby.instance.promote(BOUND).await.unwrap();
        Session::new(&standby.instance).checkpoint(BOUND).await.unwrap();
        let upstream = standby.upstream_for(&active);
        active.settings.role = RoleSettings::Standby { upstream: upstream.clone() };
        active.configure();
        let outcome = active.instance.rewind(&upstream, &active.settings, &active.tls).await.unwrap();
        assert_eq!(outcome, RewindOutcome::NotRequired);
        active.start().await;
        standby.wait_for_sender(&active.settings.name).await;
    });
}

#[test]
fn interrupted_rewind_keeps_the_server_from_starting_until_a_base_backup() {
    unprivileged!(async |place: &Place| {
        let (active, standby) = pair(place).await;
        standby.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        std::fs::write(place.disk("1/data.rewinding"), b"").unwrap();
        let error = match standby.instance.start().await {
            Err(error) => error,
            Ok(_) => panic!("it is half rewound"),
        };
        assert!(matches!(error, PostgresError::NotADataDirectory { .. }), "{error}");
        let upstream = active.upstream_for(&standby);
        let seen = std::cell::RefCell::new(Vec::new());
        let note = |progress: Progress| seen.borrow_mut().push(progress);
        standby.instance.base_backup(&upstream, &standby.settings, &standby.tls, note).await.unwrap();
        assert!(seen.borrow().iter().any(|progress| progress.total_kib > 1000), "{seen:?}");
        standby.start().await;
        active.wait_for_sender(&standby.settings.name).await;
    });
}

#[test]
fn standby_stays_one_until_it_is_promoted() {
    unprivileged!(async |place: &Place| {
        let (_active, mut standby) = pair(place).await;
        standby.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        assert_eq!(standby.instance.control().unwrap().state, ClusterState::ShutDownInRecovery);
        // Wanting it to be the active one does not make it that.
        standby.settings.role = RoleSettings::Primary;
        standby.start().await;
        let seen = standby.observe().await;
        assert!(seen.in_recovery && seen.receiver.is_none(), "{seen:?}");
    });
}

#[test]
fn receiving_stops_and_begins_again() {
    unprivileged!(async |place: &Place| {
        let (active, standby) = pair(place).await;
        standby.instance.stop_receiving(BOUND).await.unwrap();
        wait_until_async("the sender is gone", BOUND, async || active.observe().await.senders.is_empty())
            .await;
        assert!(standby.observe().await.receiver.is_none());
        standby.configure();
        standby.instance.reload().unwrap();
        active.wait_for_sender(&standby.settings.name).await;
    });
}

#[test]
fn new_credential_is_shown_after_a_reload_and_the_stream_stays() {
    unprivileged!(async |place: &Place| {
        let certificates = TestCertificates::new();
        let mut active = Member::active(place, 0, &certificates.credential(WALLET_NAME)).await;
        let mut standby = Member::new(place, 1, &certificates.credential(WALLET_NAME));
        standby.follow(&active).await;
        let before = active.observe().await.senders.remove(0).pid;
        let renewed = certificates.credential(WALLET_NAME);
        active.tls = tls_files(&renewed);
        let outcome = active.instance.configure(&active.settings, &active.tls).unwrap();
        assert!(outcome.changed && !outcome.restart_needed);
        active.instance.reload().unwrap();
        wait_until_async("the new certificate is shown", BOUND, async || {
            let seen = handshake(address(&active), WALLET_NAME, &active.tls, BOUND).await.unwrap();
            assert!(seen.verified, "{:?}", seen.problem);
            seen.serial == renewed.leaf().serial_hex()
        })
        .await;
        assert_eq!(active.observe().await.senders.remove(0).pid, before);
    });
}

#[test]
fn frozen_standby_is_dropped_within_seconds() {
    unprivileged!(async |place: &Place| {
        let (active, standby) = pair(place).await;
        let stopped = Instant::now();
        for pid in twinlock_postgres::processes_of(standby.instance.data()).unwrap() {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            // One that was just ending when it was listed is gone by now.
            let _: Result<(), _> = rustix::process::kill_process(pid, rustix::process::Signal::STOP);
        }
        wait_until_async("the sender gives up", Duration::from_secs(15), async || {
            active.observe().await.senders.is_empty()
        })
        .await;
        eprintln!("dropped after {:?}", stopped.elapsed());
        assert_eq!(
            standby.instance.stop(StopMode::Fast, Duration::from_secs(1)).await.unwrap(),
            twinlock_postgres::Stopped::Killed
        );
    });
}

#[test]
fn handshake_says_what_is_not_postgresql() {
    unprivileged!(async |_place: &Place| {
        let tls = tls_files(&shared_credential());
        let closed = SocketAddr::from(([127, 0, 0, 1], twinlock_testkit::free_port()));
        assert!(matches!(handshake(closed, "x", &tls, BOUND).await, Err(PostgresError::Handshake { .. })));
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let bound = Duration::from_millis(200);
        let error = handshake(silent.local_addr().unwrap(), "x", &tls, bound).await.unwrap_err();
        assert!(matches!(error, PostgresError::TimedOut { .. }), "{error}");
        assert!(installation().version().is_supported());
        wait_until("nothing is left to wait for", bound, || true);
    });
}
