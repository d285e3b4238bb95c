//! A point in time on the clock that counts suspend.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the machine booted, counting the time that it was suspended (`CLOCK_BOOTTIME`).
///
/// Wall-clock time has no place in a decision: it jumps. Two moments compare only on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `wait` after this one.
    #[must_use]
    pub fn after(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The moment `span` before this one, or boot.
    #[must_use]
    pub fn before(self, span: Duration) -> Moment {
        Moment(self.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_moment_is_zero_ago() {
        assert_eq!(Moment(5).since(Moment(9)), Duration::ZERO);
    }

    #[test]
    fn subtraction_stops_at_boot() {
        assert_eq!(Moment(5).before(Duration::from_secs(1)), Moment(0));
    }
}
