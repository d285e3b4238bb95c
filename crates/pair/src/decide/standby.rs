//! The steps of the member that the register does not call active.

use std::time::Duration;

use super::{Action, Decision, UNRESPONSIVE, other};
use crate::ledger::Reading;
use crate::moment::Moment;
use crate::register::Change;
use crate::view::{Follow, Instance, RegisterKnowledge, StandbyFacts, View};

/// How long a running standby may stay without a stream, while its active is open, before it is rewound.
const NOT_STREAMING: Duration = Duration::from_secs(10);

/// How recently the peer must have been heard to be copied from.
const PEER_FRESH: Duration = Duration::from_secs(3);

pub(super) fn choose(view: &View, reading: &Reading, read_at: Moment) -> Decision {
    match view.instance {
        Instance::Primary(_) => {
            return Decision::new(Action::Kill, format!("{} is active now", other(view)));
        }
        Instance::Unresponsive { since } => return unresponsive(view, since),
        _ => {}
    }
    if view.job.is_some() {
        return Decision::wait("a step is running");
    }
    if lease_looks_free(view, reading, read_at) {
        return seek(view, reading);
    }
    follow(view, reading)
}

/// Whether the lease looks free, judging from a reading that is `view.now - read_at` old.
fn lease_looks_free(view: &View, reading: &Reading, read_at: Moment) -> bool {
    let age = view.now.since(read_at).as_millis();
    let remaining = reading.lease_remaining_ms.max(reading.embargo_remaining_ms);
    u128::from(remaining) <= age
}

/// A standby that does not answer may still confirm what it receives, so it is given time.
fn unresponsive(view: &View, since: Moment) -> Decision {
    if view.now.since(since) < UNRESPONSIVE {
        return Decision::wait("the instance does not answer yet");
    }
    Decision::new(Action::Kill, "the instance runs but does not answer, and is started anew")
}

/// Nobody holds the lease: take over, if nothing acknowledged can be missing here.
fn seek(view: &View, reading: &Reading) -> Decision {
    if !reading.register.in_sync(&view.me) {
        return match view.instance {
            Instance::Standby(_) | Instance::Starting => Decision::wait(format!(
                "nobody holds the lease, but {} is not in the in-sync set and may miss commits",
                view.me
            )),
            _ => follow(view, reading),
        };
    }
    if let Some(wait) = bound_by_promise(view, reading) {
        return wait;
    }
    match &view.instance {
        Instance::Standby(_) => Decision::new(
            Action::Change(Change::TakeOver { member: view.me.clone() }),
            format!("nobody holds the lease and {} has every acknowledged commit", view.me),
        ),
        Instance::Stopped { follow: Follow::Ready } => Decision::new(
            Action::StartStandby,
            "nobody holds the lease; the instance starts before it takes over",
        ),
        Instance::Starting => Decision::wait("the instance is starting before it takes over"),
        _ => follow(view, reading),
    }
}

/// A promise is kept; one that a restarted agent may have forgotten is waited out.
///
/// An active that said goodbye has stopped before, and acts on no promise until it has taken the lease again.
fn bound_by_promise(view: &View, reading: &Reading) -> Option<Decision> {
    reading.register.lease.as_ref()?;
    let forgotten = view.agent_started.after(Duration::from_millis(view.timing.promise_ms));
    let until = view.promised_until.map_or(forgotten, |promised| promised.max(forgotten));
    if view.now < until {
        return Some(Decision::wait(format!(
            "{} promised {} not to seek the lease yet",
            view.me,
            other(view)
        )));
    }
    None
}

/// The peer is active: follow it.
fn follow(view: &View, reading: &Reading) -> Decision {
    match &view.instance {
        Instance::Absent => copy(view, reading, "there is no data directory"),
        Instance::Stopped { follow: Follow::BaseBackup } => {
            copy(view, reading, "the data directory cannot be rewound")
        }
        Instance::Stopped { follow: Follow::Rewind } => rewind(view, reading),
        Instance::Stopped { follow: Follow::Ready } => {
            Decision::new(Action::StartStandby, format!("following {}", other(view)))
        }
        Instance::Standby(facts) => following(view, facts),
        _ => Decision::wait("the instance is starting"),
    }
}

/// Replacing the data directory: out of the set first, and only from an open primary.
fn copy(view: &View, reading: &Reading, because: &str) -> Decision {
    if let Some(first) = leave_first(view, reading) {
        return first;
    }
    match view.fresh_peer(PEER_FRESH) {
        Some(peer) if peer.primary_open => {
            Decision::new(Action::BaseBackup, format!("{because}, copying {}", other(view)))
        }
        _ => Decision::wait(format!("{because}, waiting for {} to be open", other(view))),
    }
}

fn rewind(view: &View, reading: &Reading) -> Decision {
    if let Some(first) = leave_first(view, reading) {
        return first;
    }
    match view.fresh_peer(PEER_FRESH) {
        // pg_rewind believes the source's last checkpoint: before one on the new timeline it says
        // "no rewind required" although histories differ.
        Some(peer)
            if peer.primary_open
                && peer.timeline.is_some()
                && peer.checkpointed_timeline == peer.timeline =>
        {
            Decision::new(Action::Rewind, format!("this member was active before {}", other(view)))
        }
        _ => Decision::wait(format!("waiting for {} to be open and past a checkpoint", other(view))),
    }
}

fn leave_first(view: &View, reading: &Reading) -> Option<Decision> {
    if !reading.register.in_sync(&view.me) {
        return None;
    }
    Some(Decision::new(
        Action::Change(Change::Leave { member: view.me.clone() }),
        "leaving the in-sync set before the data directory changes",
    ))
}

fn following(view: &View, facts: &StandbyFacts) -> Decision {
    if facts.streaming {
        return Decision::wait(format!("following {}", other(view)));
    }
    let silent = facts.silent_since.map_or(Duration::ZERO, |since| view.now.since(since));
    let peer_open = view.fresh_peer(PEER_FRESH).is_some_and(|peer| peer.primary_open);
    let in_sync = match &view.register {
        RegisterKnowledge::Read { reading, .. } => reading.register.in_sync(&view.me),
        _ => true,
    };
    if peer_open && !in_sync && silent >= NOT_STREAMING {
        return Decision::new(
            Action::StopFast,
            format!("{} is open but nothing was received for {} s", other(view), silent.as_secs()),
        );
    }
    Decision::wait(format!("waiting for a stream from {}", other(view)))
}
