//! Which process it is: an id alone is given to another process sooner or later.

use std::fs;

/// A process id together with the moment that process was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    /// Start in clock ticks since boot, as in `/proc/PID/stat`.
    pub(crate) started_ticks: u64,
}

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) state: char,
    pub(crate) parent: u32,
    /// Device number of the controlling terminal, 0 for none.
    pub(crate) terminal: i64,
    pub(crate) started_ticks: u64,
}

impl Stat {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads the line. The second field is the name in parentheses and may itself hold spaces and parentheses.
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index).copied();
        Some(Self {
            state: number(0)?.chars().next()?,
            parent: number(1)?.parse().ok()?,
            terminal: number(4)?.parse().ok()?,
            started_ticks: number(19)?.parse().ok()?,
        })
    }
}

impl Identity {
    /// The process that has this id now, unless it has ended (a zombie has).
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = Stat::of(pid)?;
        (!matches!(stat.state, 'Z' | 'X')).then_some(Self { pid, started_ticks: stat.started_ticks })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_with_parentheses_do_not_confuse() {
        let line = "12 (a) R (b) S 7 12 12 34816 12 0 0 0 0 0 0 0 0 0 20 0 1 0 98765 0 0";
        let stat = Stat { state: 'S', parent: 7, terminal: 34816, started_ticks: 98765 };
        assert_eq!(Stat::parse(line), Some(stat));
    }

    #[test]
    fn this_process_is_itself() {
        let pid = std::process::id();
        assert_eq!(Identity::of(pid), Identity::of(pid));
        assert!(Identity::of(pid).is_some());
    }

    proptest! {
        #[test]
        fn any_line_parses_or_is_refused(line in ".{0,80}") {
            if let Some(stat) = Stat::parse(&line) {
                prop_assert!(line.contains(stat.state));
            }
        }
    }
}
