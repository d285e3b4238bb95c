//! Who is active: pure decisions, the arbiter trait and its adapters.
