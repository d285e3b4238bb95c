//! Looking at everything once, before a decision.

use std::time::Duration;

use twinlock_pair::view::View;
use twinlock_pair::view::{
    Follow, Instance as Seen, Job, PrimaryFacts, SenderFacts, StandbyFacts, Synchronous,
};
use twinlock_postgres::{Observation, Sender};

use super::shared::Shared;
use crate::clock::now;

/// How long the instance may take to answer one look.
const ANSWER: Duration = Duration::from_millis(1_000);

/// The view of this moment.
pub(super) async fn observe(shared: &Shared) -> View {
    let instance = look_at_instance(shared).await;
    View {
        now: now(),
        me: shared.me.clone(),
        peer: shared.peer_name.clone(),
        timing: shared.config.timing,
        agent_started: shared.started,
        asked: shared.asked.get(),
        register: shared.register.borrow().clone(),
        lease_until: shared.lease_until.get(),
        promised_until: shared.promised_until.get(),
        instance,
        peer_report: shared.peer_report.borrow().clone(),
        job: shared.job.get().map(|(job, _)| job),
        last_failure: shared.last_failure.get(),
        handed_over: shared.handed_over.get(),
        order: shared.order.get(),
    }
}

async fn look_at_instance(shared: &Shared) -> Seen {
    if !find_postmaster(shared) {
        forget_session(shared);
        return without_process(shared);
    }
    match shared.session.observe(ANSWER).await {
        Ok(observation) => {
            shared.silent_since.set(None);
            let seen = facts(shared, &observation);
            *shared.observation.borrow_mut() = Some(observation);
            seen
        }
        Err(_) if shared.observation.borrow().is_none() => Seen::Starting,
        Err(_) => {
            let since = shared.silent_since.get().unwrap_or_else(now);
            shared.silent_since.set(Some(since));
            Seen::Unresponsive { since }
        }
    }
}

/// Whether a postmaster runs, taking back one that this agent did not start.
fn find_postmaster(shared: &Shared) -> bool {
    let mut running = shared.running.borrow_mut();
    if running.as_ref().is_some_and(|running| running.has_exited()) {
        *running = None;
    }
    if running.is_none() {
        *running = shared.instance.adopt().ok().flatten();
    }
    running.is_some()
}

fn forget_session(shared: &Shared) {
    *shared.observation.borrow_mut() = None;
    shared.silent_since.set(None);
    shared.not_streaming_since.set(None);
    shared.sender_missing_since.set(None);
    shared.waits_shown.set(None);
    shared.checkpointed_timeline.set(None);
}

fn without_process(shared: &Shared) -> Seen {
    if !shared.instance.is_initialised() {
        return Seen::Absent;
    }
    // A postmaster that was killed leaves children for a moment; they count as running.
    match twinlock_postgres::processes_of(shared.instance.data()) {
        Ok(left)
            if left.is_empty() || matches!(shared.job.get(), Some((Job::Rewind | Job::BaseBackup, _))) => {}
        _ if shared.job.get().is_some() => return Seen::Starting,
        _ => drop(shared.instance.kill_all()),
    }
    let standby = shared.instance.data().join("standby.signal").exists();
    let follow = match (shared.rewind_failed.get(), standby) {
        (true, _) => Follow::BaseBackup,
        (false, true) => Follow::Ready,
        (false, false) => Follow::Rewind,
    };
    Seen::Stopped { follow }
}

fn facts(shared: &Shared, observation: &Observation) -> Seen {
    if observation.in_recovery {
        return Seen::Standby(standby_facts(shared, observation));
    }
    Seen::Primary(primary_facts(shared, observation))
}

fn standby_facts(shared: &Shared, observation: &Observation) -> StandbyFacts {
    let streaming = observation.receiver.as_ref().is_some_and(|receiver| receiver.status == "streaming");
    let since = (!streaming).then(|| shared.not_streaming_since.get().unwrap_or_else(now));
    shared.not_streaming_since.set(since);
    StandbyFacts {
        streaming,
        silent_since: since,
        received: observation.receive_lsn.map_or(0, |lsn| lsn.0),
        replayed: observation.replay_lsn.map_or(0, |lsn| lsn.0),
        timeline: observation.timeline,
    }
}

fn primary_facts(shared: &Shared, observation: &Observation) -> PrimaryFacts {
    let peer = &shared.config.peer.name;
    let sender = observation.senders.iter().find(|sender| {
        sender.application_name == *peer && matches!(sender.state.as_str(), "streaming" | "catchup")
    });
    let missing = sender.is_none().then(|| shared.sender_missing_since.get().unwrap_or_else(now));
    shared.sender_missing_since.set(missing);
    let flushed = observation.flush_lsn.map_or(0, |lsn| lsn.0);
    let synchronous = match observation.sync_names.trim_matches('"') {
        "" => Synchronous::Alone,
        name if name.contains(peer.as_str()) => Synchronous::Peer,
        _ => Synchronous::Nobody,
    };
    if synchronous != Synchronous::Peer {
        shared.waits_shown.set(None);
    }
    let gate = shared.gate();
    PrimaryFacts {
        gate_open: gate.open,
        gate_position: gate.position,
        synchronous,
        waits_shown: shared.waits_shown.get(),
        sender: sender.map(|sender| sender_facts(shared, sender, flushed)),
        sender_missing_since: missing,
        flushed,
    }
}

fn sender_facts(shared: &Shared, sender: &Sender, flushed: u64) -> SenderFacts {
    let confirmed = sender.flush_lsn.map_or(0, |lsn| lsn.0);
    let (last, since) = shared.sender_progress.get();
    let moved = confirmed != last || confirmed >= flushed;
    let since = if moved { now() } else { since };
    shared.sender_progress.set((confirmed, since));
    SenderFacts {
        streaming: sender.state == "streaming",
        flushed: confirmed,
        silent_for: if moved { Duration::ZERO } else { now().since(since) },
    }
}
