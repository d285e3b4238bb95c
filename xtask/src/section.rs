//! What a person sees while a long task runs: a heading for each part and how long it took.

use std::fmt;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Prints the heading of a part.
pub(crate) fn heading(title: &str) {
    println!("\n== {title} {}", "=".repeat(72_usize.saturating_sub(title.chars().count() + 4)));
}

/// Runs one part under its heading and says at its end how long it took. The failure is for the caller to tell.
pub(crate) fn timed<T>(title: &str, part: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    heading(title);
    let started = Instant::now();
    let result = part();
    match &result {
        Ok(_) => println!("-- {title}: done in {}", Elapsed(started.elapsed())),
        Err(_) => println!("-- {title}: FAILED after {}", Elapsed(started.elapsed())),
    }
    result
}

/// A duration as a person reads it: `0.4 s`, `12.3 s`, `3 min 05 s`.
pub(crate) struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds < 60 {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        } else {
            write!(f, "{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(Elapsed(Duration::from_millis(420)).to_string(), "0.4 s");
        assert_eq!(Elapsed(Duration::from_millis(59_900)).to_string(), "59.9 s");
        assert_eq!(Elapsed(Duration::from_secs(185)).to_string(), "3 min 05 s");
    }
}
