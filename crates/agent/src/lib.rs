//! The daemon: supervises instances, acts on decisions, answers REST.
