//! The durations that the pair's rules use, and how they must relate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Durations of the lease protocol, equal on both members and the arbiter.
///
/// The order that must hold is checked by [`Timing::check`]: a member renews several times within a
/// lease, and stops before the arbiter may grant the lease to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// How long a granted or renewed lease lasts, counted by the arbiter from its receipt, milliseconds.
    pub lease_ms: u64,
    /// How often the holder renews, milliseconds.
    pub renew_ms: u64,
    /// How long before the arbiter could regrant the lease the instance is gone, milliseconds.
    ///
    /// Covers the guard's reaction, the time to kill every process, and clocks that run at
    /// different rates.
    pub margin_ms: u64,
    /// How long a standby's promise not to seek the lease lasts, milliseconds.
    pub promise_ms: u64,
    /// How long the connection of a standby of the in-sync set may be missing before it leaves the set, milliseconds.
    pub standby_missing_ms: u64,
    /// How long a connected standby of the in-sync set may be silent before it leaves the set, milliseconds.
    pub standby_silent_ms: u64,
    /// How long a member that handed the lease over waits before it takes the lease back, milliseconds.
    pub handover_ms: u64,
    /// How long a failed step waits before it is tried again, milliseconds.
    pub retry_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            lease_ms: 3_000,
            renew_ms: 500,
            margin_ms: 500,
            promise_ms: 3_000,
            standby_missing_ms: 500,
            standby_silent_ms: 2_500,
            handover_ms: 10_000,
            retry_ms: 2_000,
        }
    }
}

impl Timing {
    /// Whether the durations keep the lease safe; the message names the two that do not.
    ///
    /// # Errors
    /// A sentence naming the rule that is broken.
    pub fn check(&self) -> Result<(), String> {
        if self.renew_ms == 0 || self.renew_ms * 3 > self.lease_ms - self.margin_ms.min(self.lease_ms) {
            return Err(format!(
                "a lease of {} ms less a margin of {} ms leaves no room for three renewals {} ms apart",
                self.lease_ms, self.margin_ms, self.renew_ms
            ));
        }
        if self.margin_ms < 200 {
            return Err(format!("a margin of {} ms is too short to kill an instance in", self.margin_ms));
        }
        Ok(())
    }

    /// How long after it asked for a lease or renewal the holder may act on the answer.
    #[must_use]
    pub fn holder_lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms.saturating_sub(self.margin_ms))
    }

    /// How long after it asked for a promise the active may act on the answer.
    #[must_use]
    pub fn holder_promise(&self) -> Duration {
        Duration::from_millis(self.promise_ms.saturating_sub(self.margin_ms))
    }

    /// How long the arbiter keeps a lease for its holder.
    #[must_use]
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_keep_the_lease_safe() {
        assert_eq!(Timing::default().check(), Ok(()));
    }

    #[test]
    fn a_renewal_as_long_as_the_lease_is_refused() {
        let timing = Timing { renew_ms: 3_000, ..Timing::default() };
        assert!(timing.check().is_err());
    }

    #[test]
    fn a_margin_longer_than_the_lease_is_refused() {
        let timing = Timing { margin_ms: 9_000, ..Timing::default() };
        assert!(timing.check().is_err());
    }

    #[test]
    fn the_holder_stops_before_the_arbiter_regrants() {
        let timing = Timing::default();
        assert!(timing.holder_lease() < timing.lease());
    }
}
