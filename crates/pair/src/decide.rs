//! The next step of one member, and why: a pure function of what was observed.

mod active;
mod standby;

use std::time::Duration;

use crate::ledger::Reading;
use crate::moment::Moment;
use crate::register::{Change, MemberName};
use crate::view::{Instance, Order, RegisterKnowledge, View};

/// One step that the agent takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing until something changes.
    Wait,
    /// Asks the arbiter for a change of the register.
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
    /// Shows that commits wait for the peer, and makes it the synchronous standby.
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

/// The next step of the member that sees `view`.
#[must_use]
pub fn decide(view: &View) -> Decision {
    let decision = choose(view);
    match view.last_failure {
        // A step that failed a moment ago is not hammered, except those that keep data safe.
        Some((at, name)) if retries_later(&decision.action) && name == decision.action.name() => {
            let wait = Duration::from_millis(view.timing.retry_ms);
            if view.now.since(at) < wait {
                return Decision::wait(format!("{name} failed and is tried again shortly"));
            }
            decision
        }
        _ => decision,
    }
}

fn retries_later(action: &Action) -> bool {
    !matches!(action, Action::Wait | Action::Kill | Action::GoAlone | Action::End | Action::AskPerson)
}

fn choose(view: &View) -> Decision {
    let (read_at, reading) = match &view.register {
        RegisterKnowledge::Refused { why } => return refused(view, why),
        RegisterKnowledge::Unread if runs_as_primary(view) && !view.holds_lease() => {
            return Decision::new(Action::Kill, "the instance is primary and the register was never read");
        }
        RegisterKnowledge::Unread => return Decision::wait("the arbiter has not answered yet"),
        RegisterKnowledge::Read { at, reading } => (*at, reading),
    };
    if view.order == Some(Order::Shutdown) {
        return shut_down(view, reading);
    }
    if reading.register.active == view.me {
        active::choose(view, reading)
    } else {
        standby::choose(view, reading, read_at)
    }
}

fn refused(view: &View, why: &str) -> Decision {
    if runs_as_primary(view) && !view.holds_lease() {
        return Decision::new(Action::Kill, format!("the instance is primary without a lease: {why}"));
    }
    Decision::new(Action::AskPerson, why)
}

/// A person wants this member stopped: the instance first, then the lease, then the agent.
fn shut_down(view: &View, reading: &Reading) -> Decision {
    if view.job.is_some() {
        return Decision::wait("stopping once the running step has ended");
    }
    match &view.instance {
        Instance::Absent | Instance::Stopped { .. } => {}
        _ => return Decision::new(Action::StopFast, "a person ordered this member to stop"),
    }
    if reading.register.lease.as_ref() == Some(&view.me) && view.holds_lease() {
        return Decision::new(
            Action::Change(Change::Release { member: view.me.clone() }),
            "the instance has stopped, saying goodbye",
        );
    }
    Decision::new(Action::End, "a person ordered this member to stop and the instance has stopped")
}

fn runs_as_primary(view: &View) -> bool {
    matches!(view.instance, Instance::Primary(_))
}

/// Whether the lease looks free, judging from a reading that is `view.now - read_at` old.
fn lease_looks_free(view: &View, reading: &Reading, read_at: Moment) -> bool {
    let age = view.now.since(read_at).as_millis();
    let remaining = reading.lease_remaining_ms.max(reading.embargo_remaining_ms);
    u128::from(remaining) <= age
}

fn other(view: &View) -> &MemberName {
    &view.peer
}
