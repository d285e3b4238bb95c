//! Figures; run by hand: `cargo test -p twinlock-postgres --release --test measure -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "what a test cannot do ends it")]

mod common;

use std::time::{Duration, Instant};

use common::{BOUND, pair};
use twinlock_postgres::{Session, StopMode};
use twinlock_testkit::{Place, unprivileged};

#[test]
#[ignore = "a measurement"]
fn seconds_of_each_step() {
    unprivileged!(async |place: &Place| {
        let begun = Instant::now();
        let (active, standby) = pair(place).await;
        eprintln!("a pair from nothing: {:?}", begun.elapsed());
        let step = Instant::now();
        active.rely_on(&standby).await;
        eprintln!("admission: {:?}", step.elapsed());
        let session = Session::new(&active.instance);
        session.observe(BOUND).await.unwrap();
        let step = Instant::now();
        for _ in 0..100 {
            session.observe(BOUND).await.unwrap();
        }
        eprintln!("observation: {:?}", step.elapsed() / 100);
        let step = Instant::now();
        for _ in 0..100 {
            twinlock_postgres::processes_of(active.instance.data()).unwrap();
        }
        eprintln!("listing of processes: {:?}", step.elapsed() / 100);
        let step = Instant::now();
        active.instance.kill_all().unwrap();
        eprintln!("kill of everything: {:?}", step.elapsed());
        let step = Instant::now();
        standby.instance.stop_receiving(BOUND).await.unwrap();
        eprintln!("end of receiving: {:?}", step.elapsed());
        let step = Instant::now();
        standby.instance.promote(BOUND).await.unwrap();
        eprintln!("promotion: {:?}", step.elapsed());
        let step = Instant::now();
        standby.instance.stop(StopMode::Fast, BOUND).await.unwrap();
        eprintln!("fast stop: {:?}", step.elapsed());
        let step = Instant::now();
        standby.start().await;
        eprintln!("start until ready: {:?}", step.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(120));
    });
}
