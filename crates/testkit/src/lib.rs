//! Scratch clusters and fault injection for tests.
