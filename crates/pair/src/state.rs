//! The state of a pair, in the words that people, events, REST and metrics use.
//!
//! The state tells; it decides nothing. It is a function of what is known of both members and of the
//! state told before, because some words tell where a pair comes from: `Initializing` lasts until the
//! pair was first complete, and a member that opens is a take-over or a restart.

use serde::{Deserialize, Serialize};
use twinlock_manifest::state::PairState;

use crate::view::Job;

/// What the state of a pair is told from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFacts {
    /// What is known of the arbiter's register.
    pub register: RegisterFacts,
    /// The member that the register calls active; `None` when nothing is known of it now.
    pub active: Option<MemberFacts>,
    /// The other member; `None` when nothing is known of it now.
    pub other: Option<MemberFacts>,
    /// Creating the database failed for good: trying again would fail again.
    pub initialisation_failed: bool,
    /// A member decided [`crate::Action::AskPerson`].
    pub person_asked: bool,
    /// A person asks for another look.
    pub reexamine: bool,
}

/// What is known of the register, as far as the state tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterFacts {
    /// No member has read it: who is active is not known, and `active` and `other` are in any order.
    Unread,
    /// The members refuse it: a person must look.
    Refused,
    /// The last that a member read.
    Read {
        /// Whether the other member is in the in-sync set.
        other_in_sync: bool,
    },
}

/// What is known of one member, from its own agent or, for a standby, from the active's connection to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberFacts {
    /// Its instance.
    pub instance: InstanceState,
    /// The long step that is running, if any.
    pub job: Option<Job>,
    /// Whether it may act as active now: by its lease or its standby's promise.
    pub holds_lease: bool,
}

/// The instance of a member, as far as the state tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InstanceState {
    /// A primary that clients may enter.
    PrimaryOpen,
    /// A primary that clients may not enter yet.
    PrimaryClosed,
    /// A standby that receives from the active.
    StandbyStreaming,
    /// A standby that does not.
    Standby,
    /// Starting, or not answering yet.
    Starting,
    /// Stopping, or running without an answer.
    Stopping,
    /// No process of it is left.
    Stopped,
    /// It has no data directory.
    Absent,
}

/// The state of a pair that was told to be in `previous` and of which `facts` are known now.
///
/// A state is left as soon as the facts say so, except `Failed`, which lasts until the pair is removed.
#[must_use]
pub fn pair_state(previous: PairState, facts: &PairFacts) -> PairState {
    if previous == PairState::Failed || facts.initialisation_failed {
        return PairState::Failed;
    }
    if facts.reexamine && previous == PairState::ManualInterventionRequired {
        return PairState::Reexamine;
    }
    let observed = observed(previous, facts);
    match (previous, observed) {
        (_, PairState::ManualInterventionRequired) => observed,
        (PairState::Initializing, state) if state != PairState::Normal => PairState::Initializing,
        _ => observed,
    }
}

fn observed(previous: PairState, facts: &PairFacts) -> PairState {
    let other_in_sync = match facts.register {
        _ if facts.person_asked => return PairState::ManualInterventionRequired,
        RegisterFacts::Refused => return PairState::ManualInterventionRequired,
        RegisterFacts::Unread => return unread(previous, facts),
        RegisterFacts::Read { other_in_sync } => other_in_sync,
    };
    let other = Standing::of_other(facts.other);
    match phase_of_active(facts.active) {
        Phase::Open => with_standby(previous, other, other_in_sync),
        Phase::Promoting => PairState::ActiveTakeover,
        Phase::Closed | Phase::Starting if taking_over(previous) => PairState::ActiveTakeover,
        Phase::Closed => PairState::ConfiguringActive,
        Phase::Starting => PairState::WaitingForActive,
        Phase::Down => without_active(other, other_in_sync),
    }
}

/// Nobody has read the register: only whether anybody is there can be told.
fn unread(previous: PairState, facts: &PairFacts) -> PairState {
    match (&facts.active, &facts.other) {
        (None, None) => PairState::BothDown,
        _ => previous,
    }
}

/// How far the member that the register calls active has come.
enum Phase {
    Open,
    Closed,
    Starting,
    Promoting,
    Down,
}

fn phase_of_active(active: Option<MemberFacts>) -> Phase {
    let Some(member) = active else { return Phase::Down };
    match (member.instance, member.job) {
        (_, Some(Job::Promote)) => Phase::Promoting,
        (InstanceState::PrimaryOpen, _) if member.holds_lease => Phase::Open,
        (InstanceState::PrimaryClosed, _) if member.holds_lease => Phase::Closed,
        (InstanceState::Standby | InstanceState::StandbyStreaming, _) => Phase::Promoting,
        (InstanceState::Starting, _) | (_, Some(Job::Start | Job::Initialise)) => Phase::Starting,
        _ => Phase::Down,
    }
}

/// How the member that is not active stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Streaming,
    Unconnected,
    BeingMade,
    Down,
}

impl Standing {
    fn of_other(other: Option<MemberFacts>) -> Standing {
        let Some(member) = other else { return Standing::Down };
        match (member.instance, member.job) {
            (InstanceState::StandbyStreaming, _) => Standing::Streaming,
            (_, Some(Job::BaseBackup | Job::Rewind | Job::Start)) => Standing::BeingMade,
            (InstanceState::Starting, _) => Standing::BeingMade,
            (InstanceState::Standby, _) => Standing::Unconnected,
            _ => Standing::Down,
        }
    }
}

/// A member opened after the active was lost, rather than being started in place.
fn taking_over(previous: PairState) -> bool {
    matches!(previous, PairState::ActiveDown | PairState::ActiveTakeover)
}

fn with_standby(previous: PairState, other: Standing, in_sync: bool) -> PairState {
    match (other, in_sync) {
        (Standing::Streaming, true) => PairState::Normal,
        (Standing::Streaming, false) => PairState::StandbyCatchup,
        // A connection that is remade within half a second is no event.
        (Standing::Unconnected, true) if previous == PairState::Normal => PairState::Normal,
        // Commits wait until the standby has left the set.
        (_, true) => PairState::ActiveTakeover,
        (Standing::BeingMade, false) => PairState::StandbyStarting,
        (Standing::Unconnected, false) if previous == PairState::StandbyStarting => previous,
        (Standing::Unconnected | Standing::Down, false) => PairState::StandbyDown,
    }
}

fn without_active(other: Standing, in_sync: bool) -> PairState {
    match (other, in_sync) {
        (Standing::Down, _) => PairState::BothDown,
        (_, true) => PairState::ActiveDown,
        (_, false) => PairState::WaitingForActive,
    }
}

#[cfg(test)]
mod tests;
