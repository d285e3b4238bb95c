//! The steps of the member that the register calls active.

use std::time::Duration;

use super::{Action, Decision, UNRESPONSIVE, other};
use crate::ledger::Reading;
use crate::register::Change;
use crate::view::{Follow, Instance, Job, Order, PrimaryFacts, Synchronous, View};

/// How recently the peer must have been heard for a hand-over to it.
const PEER_FRESH: Duration = Duration::from_millis(1_500);

/// How long a running instance may not answer before it is killed although no standby can take over.
const UNRESPONSIVE_ALONE: Duration = Duration::from_secs(60);

/// How many times the wait after a hand-over that nobody took must pass before the next one.
const HANDOVER_AGAIN: u32 = 6;

/// A standby that confirmed up to this many bytes behind is admitted without a long wait for commits.
const ADMISSION_LAG_BYTES: u64 = 1 << 20;

pub(super) fn choose(view: &View, reading: &Reading) -> Decision {
    if !view.holds_lease() {
        return without_lease(view, reading);
    }
    if lapsed_at_arbiter(view, reading) {
        return Decision::new(
            Action::Change(Change::RetakeLease { member: view.me.clone() }),
            format!("the arbiter is back; until now only the promise of {} counted", other(view)),
        );
    }
    match &view.instance {
        _ if view.job.is_some() && view.job != Some(Job::Admit) => Decision::wait("a step is running"),
        Instance::Absent if !reading.register.initialised => {
            Decision::new(Action::Initialise, "the pair is new and has no database yet")
        }
        Instance::Absent => lost_data(view, reading),
        Instance::Stopped { follow } => stopped(view, reading, *follow),
        Instance::Starting => Decision::wait("the instance is starting"),
        Instance::Unresponsive { since } => unresponsive(view, reading, *since),
        Instance::Standby(_) => {
            Decision::new(Action::Promote, "this member is active and its instance still follows")
        }
        Instance::Primary(primary) => serving(view, reading, primary),
    }
}

/// The lease is not held: nothing may commit here until it is taken again.
fn without_lease(view: &View, reading: &Reading) -> Decision {
    match &view.instance {
        Instance::Unresponsive { .. } => {
            Decision::new(Action::Kill, "the instance does not answer and this member has no lease")
        }
        _ if view.job.is_some() => Decision::wait("the lease has lapsed and a step is still running"),
        // An own wish for the lease may have been granted after its asker had given it up.
        _ if view.promised_until.is_some_and(|until| view.now < until) => {
            Decision::wait(format!("{} was promised that nobody else becomes active yet", other(view)))
        }
        _ if handed_over(view, 1) => Decision::wait(format!("the lease was handed over to {}", other(view))),
        _ if reading.embargo_remaining_ms > 0 => Decision::wait(format!(
            "the arbiter restarted and grants nothing for another {} ms",
            reading.embargo_remaining_ms
        )),
        _ => Decision::new(
            Action::Change(Change::RetakeLease { member: view.me.clone() }),
            "this member is active and its lease is free",
        ),
    }
}

/// The arbiter kept no lease for this member when it last answered, and grants again.
fn lapsed_at_arbiter(view: &View, reading: &Reading) -> bool {
    reading.lease_free() && reading.register.lease.as_ref() == Some(&view.me)
}

/// Gives the peer `times` the usual time to take the lease that was given away to it.
fn handed_over(view: &View, times: u32) -> bool {
    let wait = Duration::from_millis(view.timing.handover_ms) * times;
    view.handed_over.is_some_and(|at| view.now.since(at) < wait)
}

fn lost_data(view: &View, reading: &Reading) -> Decision {
    if peer_can_take_over(view, reading) {
        return hand_over(view, "the data directory is gone and the standby has every commit");
    }
    Decision::new(
        Action::AskPerson,
        format!(
            "the data directory of the active member {} is gone and no standby has every commit; \
             restore it from a backup, then start the member again",
            view.me
        ),
    )
}

/// The instance stopped, by itself or in order.
fn stopped(view: &View, reading: &Reading, follow: Follow) -> Decision {
    if peer_can_take_over(view, reading) {
        let because = match view.order {
            Some(Order::Switchover) => "the instance has stopped for the switchover",
            _ => "the instance died and the standby has every commit",
        };
        return hand_over(view, because);
    }
    match follow {
        Follow::BaseBackup => Decision::new(
            Action::AskPerson,
            "the data directory of the active member was only half rewound; restore it from a backup",
        ),
        // It took over and died before it was promoted: what it received is replayed first.
        Follow::Ready => Decision::new(Action::StartStandby, "this member is active and is to be promoted"),
        Follow::Rewind => {
            Decision::new(Action::StartPrimary, "the instance is not running and no standby can take over")
        }
    }
}

fn unresponsive(view: &View, reading: &Reading, since: crate::Moment) -> Decision {
    let silent = view.now.since(since);
    if silent < UNRESPONSIVE {
        return Decision::wait("the instance does not answer yet");
    }
    if peer_can_take_over(view, reading) {
        return Decision::new(
            Action::Kill,
            "the instance runs but does not answer, and the standby has every commit",
        );
    }
    if silent >= UNRESPONSIVE_ALONE {
        return Decision::new(Action::Kill, "the instance has not answered for long and is started anew");
    }
    Decision::wait("the instance runs but does not answer, and no standby can take over")
}

fn peer_can_take_over(view: &View, reading: &Reading) -> bool {
    reading.register.in_sync(other(view))
        && !handed_over(view, HANDOVER_AGAIN)
        && view.fresh_peer(PEER_FRESH).is_some_and(|peer| peer.standby_ready && !peer.stopping)
}

fn hand_over(view: &View, because: &str) -> Decision {
    Decision::new(
        Action::Change(Change::Release { member: view.me.clone() }),
        format!("{because}, handing over to {}", other(view)),
    )
}

/// The instance is primary and the lease is held.
fn serving(view: &View, reading: &Reading, primary: &PrimaryFacts) -> Decision {
    let in_sync = reading.register.in_sync(other(view));
    if !reading.register.initialised {
        return Decision::new(
            Action::Initialise,
            "the database was started but its creation was not finished",
        );
    }
    if in_sync && let Some(because) = lost_standby(view, primary) {
        return Decision::new(remove(view), because);
    }
    if in_sync && primary.synchronous == Synchronous::Alone {
        let because = format!("commits are acknowledged without {}", other(view));
        return Decision::new(remove(view), because);
    }
    if in_sync && primary.synchronous == Synchronous::Nobody && view.job.is_none() {
        // A restarted instance comes up naming nobody; the set still holds the peer.
        return Decision::new(Action::NamePeer, format!("{} is in sync and must be waited for", other(view)));
    }
    if !in_sync && primary.synchronous == Synchronous::Nobody && view.job.is_none() {
        return go_alone(view, reading);
    }
    if !primary.gate_open && gate_may_open(primary, in_sync) {
        return Decision::new(
            Action::OpenGate,
            "everything visible here is on the standby, or the standby has left",
        );
    }
    if !in_sync {
        return admission(view, reading, primary);
    }
    if view.order == Some(Order::Switchover) {
        return switch_over(view, reading);
    }
    if !primary.gate_open {
        return Decision::wait(format!("clients wait until {} has everything visible here", other(view)));
    }
    Decision::wait(format!("active, {} in sync", other(view)))
}

fn remove(view: &View) -> Action {
    Action::Change(Change::Remove { member: view.me.clone(), standby: other(view).clone() })
}

/// Acknowledges alone, once no admission that was asked before can put the standby into the set.
fn go_alone(view: &View, reading: &Reading) -> Decision {
    if view.asked.may_still_change(reading.register.revision) {
        return Decision::new(remove(view), format!("{} may yet be admitted by a late request", other(view)));
    }
    Decision::new(Action::GoAlone, format!("{} is not in the in-sync set", other(view)))
}

/// Why the standby of the in-sync set must leave it, if it must.
fn lost_standby(view: &View, primary: &PrimaryFacts) -> Option<String> {
    if view.job.is_some() {
        return None;
    }
    let missing = primary.sender_missing_since.map(|since| view.now.since(since));
    if missing.is_some_and(|span| span >= Duration::from_millis(view.timing.standby_missing_ms)) {
        return Some(format!("{} is no longer connected", other(view)));
    }
    let silent = primary.sender.as_ref().map(|sender| sender.silent_for);
    if silent.is_some_and(|span| span >= Duration::from_millis(view.timing.standby_silent_ms)) {
        return Some(format!("{} no longer confirms what it receives", other(view)));
    }
    None
}

fn gate_may_open(primary: &PrimaryFacts, in_sync: bool) -> bool {
    if !in_sync {
        return primary.synchronous == Synchronous::Alone;
    }
    let confirmed = |position| primary.sender.as_ref().is_some_and(|sender| sender.flushed >= position);
    primary.synchronous == Synchronous::Peer && primary.gate_position.is_none_or(confirmed)
}

fn switch_over(view: &View, reading: &Reading) -> Decision {
    if view.job.is_some() {
        return Decision::wait("the switchover starts once the running step has ended");
    }
    if !peer_can_take_over(view, reading) {
        return Decision::wait(format!("the switchover waits until {} is in sync and answers", other(view)));
    }
    Decision::new(Action::StopFast, format!("switching over to {}", other(view)))
}

/// The peer is connected or not, and not in the set: bring it in, step by step.
fn admission(view: &View, reading: &Reading, primary: &PrimaryFacts) -> Decision {
    if view.job == Some(Job::Admit) {
        return Decision::wait(format!("showing that commits wait for {}", other(view)));
    }
    if primary.synchronous == Synchronous::Peer {
        let shown = primary.waits_shown == Some(reading.register.revision);
        if !shown || primary.sender.is_none() {
            return go_alone(view, reading);
        }
        let change = Change::Admit { member: view.me.clone(), standby: other(view).clone() };
        return Decision::new(
            Action::Change(change),
            format!("commits are shown to wait for {}", other(view)),
        );
    }
    match &primary.sender {
        None => Decision::wait(format!("active alone, {} is not connected", other(view))),
        Some(sender) if !sender.streaming => Decision::wait(format!("{} is catching up", other(view))),
        Some(sender) if primary.flushed.saturating_sub(sender.flushed) > ADMISSION_LAG_BYTES => {
            Decision::wait(format!("{} is catching up", other(view)))
        }
        Some(_) => Decision::new(Action::ShowWaits, format!("{} has caught up", other(view))),
    }
}
