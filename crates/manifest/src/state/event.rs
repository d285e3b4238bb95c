//! Events: what happened to a pair, in one line each.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::words::words;
use super::{
    AgentState, DatabaseState, IntendedState, MemberState, PairState, RepAgentState, RepScheme, RepState,
    ServerState, Updatable,
};
use crate::documents::PairKind;

/// Longest message of an event, in characters. Longer ones are cut.
pub const MESSAGE_LONGEST: usize = 1023;

words! {
    /// Whether a person should look.
    EventType, "event type" {
        /// Nothing to do.
        Normal = "Normal",
        /// Something was lost or is not as declared.
        Warning = "Warning",
    }
}

words! {
    /// Why an event was written.
    EventReason, "event reason" {
        /// Something was made.
        Create = "Create",
        /// A state changed.
        StateChange = "StateChange",
        /// Something worth knowing.
        Info = "Info",
        /// Something went wrong.
        Error = "Error",
        /// Something may go wrong.
        Warning = "Warning",
        /// A step of an upgrade.
        Upgrade = "Upgrade",
        /// A step of an upgrade went wrong.
        UpgradeError = "UpgradeError",
        /// An upgrade failed.
        FailedUpgrade = "FailedUpgrade",
        /// The pair, or a part, could not be made.
        FailedCreate = "FailedCreate",
        /// A changed manifest could not be applied.
        FailedUpdate = "FailedUpdate",
        /// A member's status could not be read.
        FailedGetStatus = "FailedGetStatus",
        /// Cleaning up failed.
        FailedFinalizer = "FailedFinalizer",
        /// A definition could not be registered.
        FailedRegister = "FailedRegister",
        /// An event could not be written.
        FailedCreateEvent = "FailedCreateEvent",
        /// A task of a member failed.
        TaskFailed = "TaskFailed",
        /// A declared value changed.
        Change = "Change",
        /// The program had to stop.
        Fatal = "Fatal",
        /// Something failed and stays so.
        Failed = "Failed",
        /// Something was there and is gone.
        Disappeared = "Disappeared",
        /// For developers.
        Debug = "Debug",
    }
}

/// Something that happened to a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, as given by the caller; this crate has no clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whether a person should look.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Why it was written.
    pub reason: EventReason,
    /// One line, at most [`MESSAGE_LONGEST`] characters.
    pub message: String,
}

impl Event {
    /// Any event. Control characters become spaces and a long message is cut, so an event is always one line.
    pub fn new(at: OffsetDateTime, kind: EventType, reason: EventReason, message: impl AsRef<str>) -> Self {
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        let message = message.as_ref().chars().map(one_line).take(MESSAGE_LONGEST).collect();
        Self { at, kind, reason, message }
    }

    /// `Pair was X, now Y`: a warning when the pair leaves `Normal`, fails, or needs a person.
    pub fn pair_state(at: OffsetDateTime, pair: PairKind, was: PairState, now: PairState) -> Self {
        let alarming = [PairState::Failed, PairState::ManualInterventionRequired].contains(&now);
        let kind = if was == PairState::Normal || alarming { EventType::Warning } else { EventType::Normal };
        let failed = now == PairState::Failed;
        let reason = if failed { EventReason::FailedCreate } else { EventReason::StateChange };
        Self::new(at, kind, reason, format!("{pair} was {was}, now {now}"))
    }

    /// `WHAT NAME created`, as in `Secret repl-tls created`.
    pub fn created(at: OffsetDateTime, what: &str, name: &str) -> Self {
        Self::new(at, EventType::Normal, EventReason::Create, format!("{what} {name} created"))
    }

    /// Something about one member: `Pod NAME TEXT`, or `Member NAME TEXT`.
    pub fn member(at: OffsetDateTime, pair: PairKind, member: &str, text: &str) -> Self {
        let message = format!("{} {member} {text}", pair.member_word());
        Self::new(at, EventType::Normal, EventReason::StateChange, message)
    }

    /// `Pod p State 'Healthy'`; a warning unless the state is a good one.
    pub fn member_state(at: OffsetDateTime, pair: PairKind, member: &str, now: MemberState) -> Self {
        let mut event = Self::member(at, pair, member, &format!("State '{now}'"));
        let bad =
            [MemberState::Down, MemberState::OtherDown, MemberState::Terminal, MemberState::UpgradeFailed];
        if bad.contains(&now) {
            event.kind = EventType::Warning;
        }
        event
    }

    /// `Pod p Intended State 'Active'`.
    pub fn intended_state(at: OffsetDateTime, pair: PairKind, member: &str, now: IntendedState) -> Self {
        Self::member(at, pair, member, &format!("Intended State '{now}'"))
    }

    /// `Pod p Agent Up`.
    pub fn agent(at: OffsetDateTime, pair: PairKind, member: &str, now: AgentState) -> Self {
        Self::member(at, pair, member, &format!("Agent {now}"))
    }

    /// `Pod p Release 17.2`: the version of PostgreSQL.
    pub fn release(at: OffsetDateTime, pair: PairKind, member: &str, version: &str) -> Self {
        Self::member(at, pair, member, &format!("Release {version}"))
    }

    /// `Pod p Daemon Up`: the PostgreSQL server process.
    pub fn server(at: OffsetDateTime, pair: PairKind, member: &str, now: ServerState) -> Self {
        Self::member(at, pair, member, &format!("Daemon {now}"))
    }

    /// `Pod p Database Loaded`.
    pub fn database(at: OffsetDateTime, pair: PairKind, member: &str, now: DatabaseState) -> Self {
        Self::member(at, pair, member, &format!("Database {now}"))
    }

    /// `Pod p Database Updatable`, or `Not Updatable`.
    pub fn updatable(at: OffsetDateTime, pair: PairKind, member: &str, now: Updatable) -> Self {
        Self::member(at, pair, member, &format!("Database {now}"))
    }

    /// `Pod p RepAgent Running`.
    pub fn rep_agent(at: OffsetDateTime, pair: PairKind, member: &str, now: RepAgentState) -> Self {
        Self::member(at, pair, member, &format!("RepAgent {now}"))
    }

    /// `Pod p RepScheme Exists`.
    pub fn rep_scheme(at: OffsetDateTime, pair: PairKind, member: &str, now: RepScheme) -> Self {
        Self::member(at, pair, member, &format!("RepScheme {now}"))
    }

    /// `Pod p RepState ACTIVE`.
    pub fn rep_state(at: OffsetDateTime, pair: PairKind, member: &str, now: RepState) -> Self {
        Self::member(at, pair, member, &format!("RepState {now}"))
    }

    /// `Pod p is Ready`, or `is Not Ready`.
    pub fn ready(at: OffsetDateTime, pair: PairKind, member: &str, ready: bool) -> Self {
        Self::member(at, pair, member, if ready { "is Ready" } else { "is Not Ready" })
    }

    /// `Pod p is Active Ready`, or `is Not Active Ready`: whether writes are led here.
    pub fn active_ready(at: OffsetDateTime, pair: PairKind, member: &str, ready: bool) -> Self {
        Self::member(at, pair, member, if ready { "is Active Ready" } else { "is Not Active Ready" })
    }

    /// After both were lost: which member was chosen, and what it was before.
    pub fn best_chosen(at: OffsetDateTime, member: &str, was: IntendedState) -> Self {
        let message = format!(
            "Based on replication configuration {member} will be the new 'active'; its previous role was {was}"
        );
        Self::new(at, EventType::Normal, EventReason::Info, message)
    }

    /// After both were lost: nothing known says which member has every acknowledged commit.
    pub fn best_unknown(at: OffsetDateTime) -> Self {
        Self::new(at, EventType::Warning, EventReason::Error, "Operator cannot determine Best database")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn leaving_normal_is_a_warning_and_reaching_it_is_not() {
        use PairState::{ActiveDown, Failed, Initializing, Normal};
        let reached = Event::pair_state(AT, PairKind::TimesTenClassic, Initializing, Normal);
        assert_eq!(reached.message, "TimesTenClassic was Initializing, now Normal");
        assert_eq!((reached.kind, reached.reason), (EventType::Normal, EventReason::StateChange));
        let left = Event::pair_state(AT, PairKind::Pair, Normal, ActiveDown);
        assert_eq!(
            (left.kind, left.message.as_str()),
            (EventType::Warning, "Pair was Normal, now ActiveDown")
        );
        let failed = Event::pair_state(AT, PairKind::Pair, Initializing, Failed);
        assert_eq!((failed.kind, failed.reason), (EventType::Warning, EventReason::FailedCreate));
    }

    #[test]
    fn member_events_have_the_documents_words() {
        let pair = PairKind::TimesTenClassic;
        let messages = [
            Event::agent(AT, pair, "repltls-1", AgentState::Up),
            Event::server(AT, pair, "repltls-1", ServerState::Up),
            Event::database(AT, pair, "repltls-0", DatabaseState::Loaded),
            Event::updatable(AT, pair, "repltls-1", Updatable::No),
            Event::rep_agent(AT, pair, "repltls-0", RepAgentState::NotRunning),
            Event::rep_scheme(AT, pair, "repltls-0", RepScheme::None),
            Event::rep_state(AT, pair, "repltls-1", RepState::Standby),
        ]
        .map(|event| event.message);
        assert_eq!(
            messages.join("; "),
            "Pod repltls-1 Agent Up; Pod repltls-1 Daemon Up; Pod repltls-0 Database Loaded; \
             Pod repltls-1 Database Not Updatable; Pod repltls-0 RepAgent Not Running; \
             Pod repltls-0 RepScheme None; Pod repltls-1 RepState STANDBY"
        );
        assert_eq!(Event::ready(AT, PairKind::Pair, "p-0", true).message, "Member p-0 is Ready");
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        let event = Event::new(AT, EventType::Normal, EventReason::Info, format!("a\nb{}", "é".repeat(2000)));
        assert_eq!(event.message.chars().count(), MESSAGE_LONGEST);
        assert!(event.message.starts_with("a b"));
    }

    #[test]
    fn json_reads_back() {
        let event = Event::created(AT, "Secret", "repl-tls");
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"at":"1970-01-01T00:00:00Z","type":"Normal","reason":"Create","message":"Secret repl-tls created"}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }
}
