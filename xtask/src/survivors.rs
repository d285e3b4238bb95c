//! Finds the processes that a test run left behind, and ends them.
//!
//! A run marks its environment, and processes inherit it; so what is found was started by that run, whatever it is
//! called, and nothing else is ever touched.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::process;

/// The environment variable that carries the mark.
const VARIABLE: &str = "TWINLOCK_DEV_RUN";

/// How long processes that are ending already may take.
const GRACE: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_millis(100);

/// The mark of one run.
pub(crate) struct Mark(String);

impl Mark {
    /// A mark that no other run has.
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(format!("{}-{}", std::process::id(), now.as_nanos()))
    }

    /// The variable and value to set for what is to be marked.
    pub(crate) fn variable(&self) -> (&'static str, &str) {
        (VARIABLE, &self.0)
    }

    /// Gives marked processes a moment to end, ends those that do not, and describes them.
    pub(crate) fn end_survivors(&self) -> Vec<String> {
        let survivors = self.wait(GRACE);
        let described =
            survivors.iter().map(|id| format!("process {id} was left behind: {}", command_line(*id)));
        let described: Vec<String> = described.collect();
        self.signal("-TERM");
        self.wait(GRACE);
        self.signal("-KILL");
        described
    }

    /// Waits until none is left, or the time is over.
    fn wait(&self, bound: Duration) -> Vec<u32> {
        let deadline = Instant::now() + bound;
        loop {
            let survivors = self.survivors();
            if survivors.is_empty() || Instant::now() >= deadline {
                return survivors;
            }
            std::thread::sleep(POLL);
        }
    }

    fn signal(&self, signal: &str) {
        for id in self.survivors() {
            // It may have ended by itself since it was listed.
            let _sent = process::succeeds(process::program("kill").args([signal, "--", &id.to_string()]));
        }
    }

    fn survivors(&self) -> Vec<u32> {
        let marked = format!("{VARIABLE}={}", self.0);
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        ids.filter(|id| {
            // An ended process that nobody has waited for yet has an empty environment, and so is not counted.
            let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == marked.as_bytes())
        })
        .collect()
    }
}

fn command_line(id: u32) -> String {
    let raw = std::fs::read(Path::new("/proc").join(id.to_string()).join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw).replace('\0', " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_process_is_found_and_ended() {
        let mark = Mark::new();
        let (name, value) = mark.variable();
        // The shell ends at once and leaves its child to init, as a daemon would be.
        let printed = process::output(
            process::program("sh").args(["-c", "sleep 600 >/dev/null 2>&1 & echo $!"]).env(name, value),
        );
        let id: u32 = printed.unwrap().trim().parse().unwrap();
        assert_eq!(mark.survivors(), [id]);
        mark.signal("-KILL");
        assert!(mark.wait(GRACE).is_empty());
        assert!(Mark::new().survivors().is_empty());
    }
}
