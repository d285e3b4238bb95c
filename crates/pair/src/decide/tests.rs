//! Every branch of the decision, by the action and the sentence.

pub(crate) mod build;

mod active;
mod shutdown;
mod standby;
mod unread;
