//! The next step of one member, and why: a pure function of what was observed.

mod active;
mod standby;

use std::time::Duration;

use crate::register::{Change, MemberName};
use crate::view::{Instance, Order, RegisterKnowledge, View};

/// One step that the agent takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing until something changes.
    Wait,
    /// Asks the arbiter for a change of the register.
    ///
    /// Before it asks for `Release` the agent forgets its own lease: an answer may be lost.
    Change(Change),
    /// Creates the database of a new pair.
    Initialise,
    /// Starts the instance in place as primary, with the gate closed.
    StartPrimary,
    /// Starts the instance as a standby of the peer.
    StartStandby,
    /// Stops the instance in order: what it committed reaches the standby.
    StopFast,
    /// Kills every process of the instance.
    Kill,
    /// Replays what was received, then opens the standby for writing.
    Promote,
    /// Acknowledges commits alone from now on.
    GoAlone,
    /// Lets clients in.
    OpenGate,
    /// Makes the peer the synchronous standby where commits already wait for nobody: nothing to show.
    NamePeer,
    /// Shows that commits wait, and makes the peer, which is not in the set, the synchronous standby.
    ShowWaits,
    /// Copies the peer's data directory.
    BaseBackup,
    /// Takes back what the peer does not have.
    Rewind,
    /// Ends this agent and its guard: a person ordered it and the instance is stopped.
    End,
    /// A person must look; the sentence says at what.
    AskPerson,
}

impl Action {
    /// Short name for logs and for the memory of failures.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Action::Wait => "wait",
            Action::Change(Change::RetakeLease { .. }) => "retake lease",
            Action::Change(Change::TakeOver { .. }) => "take over",
            Action::Change(Change::Release { .. }) => "release lease",
            Action::Change(Change::Admit { .. }) => "admit standby",
            Action::Change(Change::Remove { .. }) => "remove standby",
            Action::Change(Change::Leave { .. }) => "leave in-sync set",
            Action::Change(Change::Initialised { .. }) => "record initialisation",
            Action::Initialise => "initialise",
            Action::StartPrimary => "start primary",
            Action::StartStandby => "start standby",
            Action::StopFast => "stop",
            Action::Kill => "kill",
            Action::Promote => "promote",
            Action::GoAlone => "go alone",
            Action::OpenGate => "open gate",
            Action::NamePeer => "name peer",
            Action::ShowWaits => "show waits",
            Action::BaseBackup => "base backup",
            Action::Rewind => "rewind",
            Action::End => "end",
            Action::AskPerson => "ask person",
        }
    }
}

/// An action and the sentence that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Why: the log line, the status and what tests compare.
    pub because: String,
}

impl Decision {
    fn new(action: Action, because: impl Into<String>) -> Decision {
        Decision { action, because: because.into() }
    }

    fn wait(because: impl Into<String>) -> Decision {
        Decision::new(Action::Wait, because)
    }
}

/// How long a running instance may not answer before it counts as gone.
const UNRESPONSIVE: Duration = Duration::from_millis(3_000);

/// The next step of the member that sees `view`.
#[must_use]
pub fn decide(view: &View) -> Decision {
    let decision = choose(view);
    match view.last_failure {
        Some((at, name)) if name == decision.action.name() => {
            if view.now.since(at) < pause_after_failure(view, &decision.action) {
                return Decision::wait(format!("{name} failed and is tried again shortly"));
            }
            decision
        }
        _ => decision,
    }
}

/// A step that failed a moment ago is not hammered, except those that keep data safe.
fn pause_after_failure(view: &View, action: &Action) -> Duration {
    match action {
        Action::Wait | Action::Kill | Action::GoAlone | Action::End | Action::AskPerson => Duration::ZERO,
        // The register has been read again by then; a longer pause would be the clients' wait.
        Action::Change(_) => Duration::from_millis(view.timing.renew_ms),
        _ => Duration::from_millis(view.timing.retry_ms),
    }
}

fn choose(view: &View) -> Decision {
    if could_commit(view) && !view.holds_lease() {
        return Decision::new(Action::Kill, why_killed(view));
    }
    if view.order == Some(Order::Shutdown) {
        return shut_down(view);
    }
    match &view.register {
        RegisterKnowledge::Refused { why } => Decision::new(Action::AskPerson, why),
        RegisterKnowledge::Unread => Decision::wait("the arbiter has not answered yet"),
        RegisterKnowledge::Read { reading, .. } if reading.register.active == view.me => {
            active::choose(view, reading)
        }
        RegisterKnowledge::Read { at, reading } => standby::choose(view, reading, *at),
    }
}

/// Whether the instance could commit. One that does not answer could, if this member was active.
fn could_commit(view: &View) -> bool {
    match view.instance {
        Instance::Primary(_) => true,
        Instance::Unresponsive { .. } => view.lease_until.is_some(),
        _ => false,
    }
}

fn why_killed(view: &View) -> String {
    match &view.register {
        RegisterKnowledge::Unread => "the instance could commit and the arbiter has not answered yet".into(),
        RegisterKnowledge::Refused { why } => format!("the instance could commit without a lease: {why}"),
        RegisterKnowledge::Read { reading, .. } if reading.register.active == view.me => {
            "the lease has lapsed and the instance could still commit".into()
        }
        RegisterKnowledge::Read { .. } => format!("{} is active now", other(view)),
    }
}

/// A person wants this member stopped: the instance first, then the lease, then the agent.
fn shut_down(view: &View) -> Decision {
    if view.job.is_some() {
        return Decision::wait("stopping once the running step has ended");
    }
    match &view.instance {
        Instance::Absent | Instance::Stopped { .. } => say_goodbye(view),
        _ if view.last_failure.is_some_and(|(_, name)| name == Action::StopFast.name()) => {
            Decision::new(Action::Kill, "a person ordered this member to stop and it did not stop in order")
        }
        _ => Decision::new(Action::StopFast, "a person ordered this member to stop"),
    }
}

fn say_goodbye(view: &View) -> Decision {
    let holds = match &view.register {
        RegisterKnowledge::Read { reading, .. } => reading.register.lease.as_ref() == Some(&view.me),
        _ => false,
    };
    if holds && view.holds_lease() {
        let change = Change::Release { member: view.me.clone() };
        return Decision::new(Action::Change(change), "the instance has stopped, saying goodbye");
    }
    Decision::new(Action::End, "a person ordered this member to stop and the instance has stopped")
}

fn other(view: &View) -> &MemberName {
    &view.peer
}

#[cfg(test)]
pub(crate) mod tests;
