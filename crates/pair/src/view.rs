//! What a member's agent observed: the whole input of a decision.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ledger::Reading;
use crate::moment::Moment;
use crate::register::MemberName;
use crate::timing::Timing;

/// A write-ahead log position in bytes, PostgreSQL's `pg_lsn`.
pub type Lsn = u64;

/// Everything that the decision may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The moment of the decision.
    pub now: Moment,
    /// The member that decides.
    pub me: MemberName,
    /// The other member.
    pub peer: MemberName,
    /// Durations of the protocol.
    pub timing: Timing,
    /// When this agent started. A promise given before that is unknown and is waited out.
    pub agent_started: Moment,
    /// What is known of the register.
    pub register: RegisterKnowledge,
    /// What became of the last change that this member asked of the arbiter.
    pub asked: Asked,
    /// Until when this member may act as active: its own lease, or its standby's promise.
    pub lease_until: Option<Moment>,
    /// Until when this member promised not to seek the lease.
    pub promised_until: Option<Moment>,
    /// The instance of this member.
    pub instance: Instance,
    /// What the peer's agent last said, and when it was heard.
    pub peer_report: Option<(Moment, PeerReport)>,
    /// The long step that is running, if any.
    pub job: Option<Job>,
    /// The last step that failed, and when.
    pub last_failure: Option<(Moment, &'static str)>,
    /// When this member last gave the lease away on purpose. Forgotten when the peer has taken it.
    pub handed_over: Option<Moment>,
    /// What a person ordered. A switchover is forgotten when the active member has changed.
    pub order: Option<Order>,
}

/// What is known of the arbiter's register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterKnowledge {
    /// Not read since this agent started.
    Unread,
    /// Read at the given moment (when the answer arrived).
    Read {
        /// When.
        at: Moment,
        /// What.
        reading: Reading,
    },
    /// Absent, or older than this member has durably seen: a person must look.
    Refused {
        /// Why, for a person.
        why: String,
    },
}

/// What became of the last change that an agent asked of the arbiter.
///
/// A request without an answer may still be on its way and be made later, as long as the register stays
/// at the revision it was asked at. An agent that believes otherwise acknowledges alone while an
/// admission that it gave up waiting for puts the standby into the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nothing was asked since this agent started; its predecessor may have.
    Unknown,
    /// It was answered, by yes or by no.
    Answered,
    /// No answer came to the change asked at this revision.
    Unanswered {
        /// The register's revision that the change expects.
        revision: u64,
    },
}

impl Asked {
    /// Whether a change that was asked could still be made to a register at `revision`.
    #[must_use]
    pub fn may_still_change(self, revision: u64) -> bool {
        match self {
            Asked::Unknown => true,
            _ => self.unanswered_at(revision),
        }
    }

    /// Whether a change that this agent knows of could still be made to a register at `revision`.
    #[must_use]
    pub fn unanswered_at(self, revision: u64) -> bool {
        matches!(self, Asked::Unanswered { revision: expected } if expected >= revision)
    }
}

/// An order from a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// Swap the roles, losing nothing.
    Switchover,
    /// Stop the instance and end.
    Shutdown,
}

/// A long step that runs beside the decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Job {
    /// Creating the first member's database.
    Initialise,
    /// Copying the active's data directory.
    BaseBackup,
    /// Taking back what the peer does not have.
    Rewind,
    /// Starting the instance.
    Start,
    /// Stopping the instance.
    Stop,
    /// Promoting the instance.
    Promote,
    /// Showing that commits wait for the standby.
    Admit,
}

/// The instance of this member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instance {
    /// The data directory does not exist.
    Absent,
    /// No process of it is left.
    Stopped {
        /// What it needs before it can follow the peer.
        follow: Follow,
    },
    /// Its postmaster runs but nobody could ask it yet.
    Starting,
    /// It runs but does not answer since the given moment; whether it can commit is not known.
    Unresponsive {
        /// Since when.
        since: Moment,
    },
    /// It follows.
    Standby(StandbyFacts),
    /// It can commit.
    Primary(PrimaryFacts),
}

/// What a stopped data directory needs before it can follow the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Follow {
    /// Nothing: it was a standby and was never opened since. Started in place, it is a standby.
    Ready,
    /// It was opened for writing and may have what the peer does not. Started in place, it is a primary.
    Rewind,
    /// It cannot be repaired: a rewind failed or was interrupted, or what it would need was removed.
    BaseBackup,
}

/// What is known of a standby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandbyFacts {
    /// Whether its receiver streams from the active.
    pub streaming: bool,
    /// Since when it has not been streaming.
    pub silent_since: Option<Moment>,
    /// Position up to which it has received and flushed.
    pub received: Lsn,
    /// Position up to which it has replayed.
    pub replayed: Lsn,
    /// The timeline it follows.
    pub timeline: u32,
}

/// What is known of a primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryFacts {
    /// Whether clients may come in.
    pub gate_open: bool,
    /// Position that the standby must have flushed before clients may come in: the end of recovery
    /// of a start in place. `None` when nothing unreplicated can have become visible.
    pub gate_position: Option<Lsn>,
    /// The synchronous standby in force.
    pub synchronous: Synchronous,
    /// The register's revision at which it was last begun to show that commits wait for the peer, once
    /// that was shown. It proves nothing about a register that has changed since: the peer may have left
    /// the set to replace its data, and come back under the same name.
    pub waits_shown: Option<u64>,
    /// The peer's connection, if there is one.
    pub sender: Option<SenderFacts>,
    /// Since when there is no connection of the peer.
    pub sender_missing_since: Option<Moment>,
    /// Position up to which this instance has flushed.
    pub flushed: Lsn,
}

/// The synchronous standby that is in force on a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Synchronous {
    /// A standby that does not exist: nothing is acknowledged.
    Nobody,
    /// None: commits are acknowledged alone.
    Alone,
    /// The peer, by its exact name.
    Peer,
}

/// The peer's connection as the primary sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderFacts {
    /// Whether it is past catch-up.
    pub streaming: bool,
    /// Position that the peer confirmed as flushed.
    pub flushed: Lsn,
    /// How long the peer has said nothing although there was something to confirm.
    pub silent_for: Duration,
}

/// What the peer's agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerReport {
    /// Whether its instance runs as a standby that could be promoted.
    pub standby_ready: bool,
    /// Whether its instance is the open primary.
    pub primary_open: bool,
    /// The timeline of its last checkpoint as primary; a rewind needs it to be the current one.
    pub checkpointed_timeline: Option<u32>,
    /// The timeline it is on.
    pub timeline: Option<u32>,
    /// A person has ordered it to stop.
    pub stopping: bool,
}

impl View {
    /// What the peer said, if it was heard within `span`.
    #[must_use]
    pub fn fresh_peer(&self, span: Duration) -> Option<&PeerReport> {
        self.peer_report.as_ref().filter(|(at, _)| self.now.since(*at) <= span).map(|(_, report)| report)
    }

    /// Whether this member may act as active now.
    #[must_use]
    pub fn holds_lease(&self) -> bool {
        self.lease_until.is_some_and(|until| self.now < until)
    }
}
