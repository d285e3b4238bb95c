//! The words in which the state of a pair is told: to people, in events, over REST and in metrics.
//!
//! Each type's `Display`, `FromStr` and serde form is the word itself. When a state may be left, and for which,
//! is decided by the pair; here are only the words.

mod event;
mod words;

pub use event::{Event, EventReason, EventType, MESSAGE_LONGEST};
pub use words::{
    AgentState, DatabaseState, IntendedState, MemberState, PairState, RepAgentState, RepScheme, RepState,
    ServerState, UnknownWord, Updatable,
};
