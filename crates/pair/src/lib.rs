//! Who is active: pure decisions, the arbiter's register and its rules.
//!
//! Nothing in this crate touches a socket, a file, a process or a clock. [`decide::decide`] is given a
//! [`view::View`] of everything that a member's agent observed, with the time of the observation, and
//! returns the next [`decide::Action`] with one sentence saying why. [`ledger::Ledger`] is the witness's
//! register in the same style: a request and a time in, an answer out. So both can be simulated
//! millions of times.
//!
//! The guarantees that the rules keep are listed in `ARCHITECTURE.md`, section "What is guaranteed".

pub mod decide;
pub mod ledger;
pub mod moment;
pub mod promise;
pub mod register;
pub mod state;
pub mod timing;
pub mod view;

pub use decide::{Action, Decision, decide};
pub use moment::Moment;
pub use register::{MemberName, Register};
pub use state::pair_state;
pub use timing::Timing;
