//! The clock of every decision.

use rustix::time::{ClockId, clock_gettime};
use twinlock_pair::Moment;

/// Now, on the clock that counts suspend and never jumps.
#[must_use]
pub fn now() -> Moment {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    Moment(seconds * 1_000 + nanoseconds / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_run_backwards() {
        let first = now();
        assert!(first.0 > 0 && now() >= first);
    }
}
