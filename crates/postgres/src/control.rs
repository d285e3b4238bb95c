//! The control file: what a data directory says of itself while no server runs.

use std::collections::BTreeMap;

use crate::error::PostgresError;
use crate::instance::Instance;
use crate::lsn::Lsn;
use crate::program::Program;

/// What the control file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlData {
    /// In what state the server was last.
    pub state: ClusterState,
    /// Timeline of the latest checkpoint.
    pub timeline: u32,
    /// Position of the latest checkpoint.
    pub checkpoint_lsn: Lsn,
    /// Where the latest checkpoint would start recovery.
    pub redo_lsn: Lsn,
    /// A standby is consistent only from here on; 0 on a primary.
    pub minimum_recovery_lsn: Lsn,
    /// Timeline of that position; 0 on a primary.
    pub minimum_recovery_timeline: u32,
    /// Same on both members of a pair, different between any two that were initialised apart.
    pub system_identifier: u64,
    /// Whether pages carry checksums.
    pub data_checksums: bool,
}

/// In what state a server was last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// Being made, or being made from a backup.
    StartingUp,
    /// Stopped as a primary, by a checkpoint.
    ShutDown,
    /// Stopped as a standby.
    ShutDownInRecovery,
    /// On its way down.
    ShuttingDown,
    /// Recovering from a crash.
    InCrashRecovery,
    /// A standby, running or killed.
    InArchiveRecovery,
    /// A primary, running or killed.
    InProduction,
}

impl ClusterState {
    /// Whether the data directory is consistent without recovery.
    pub fn is_clean(self) -> bool {
        matches!(self, Self::ShutDown | Self::ShutDownInRecovery)
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "starting up" => Self::StartingUp,
            "shut down" => Self::ShutDown,
            "shut down in recovery" => Self::ShutDownInRecovery,
            "shutting down" => Self::ShuttingDown,
            "in crash recovery" => Self::InCrashRecovery,
            "in archive recovery" => Self::InArchiveRecovery,
            "in production" => Self::InProduction,
            _ => return None,
        })
    }
}

impl Instance {
    /// Reads the control file, by PostgreSQL's own program.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn control(&self) -> Result<ControlData, PostgresError> {
        let program = Program::new(self.installation().program("pg_controldata"));
        let output = program.arguments([self.data()]).output()?;
        parse(&output)
    }
}

fn parse(output: &str) -> Result<ControlData, PostgresError> {
    let values: BTreeMap<&str, &str> = output
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let unexpected = |name: &str| PostgresError::Unexpected {
        what: "the output of pg_controldata",
        answer: format!("{name}: {}", values.get(name).unwrap_or(&"(missing)")),
    };
    let text = |name: &'static str| values.get(name).copied().ok_or_else(|| unexpected(name));
    let number = |name| text(name)?.parse::<u64>().map_err(|_| unexpected(name));
    let timeline = |name| number(name).and_then(|number| u32::try_from(number).map_err(|_| unexpected(name)));
    let lsn = |name| text(name)?.parse::<Lsn>().map_err(|_| unexpected(name));
    let state = "Database cluster state";
    Ok(ControlData {
        state: ClusterState::parse(text(state)?).ok_or_else(|| unexpected(state))?,
        timeline: timeline("Latest checkpoint's TimeLineID")?,
        checkpoint_lsn: lsn("Latest checkpoint location")?,
        redo_lsn: lsn("Latest checkpoint's REDO location")?,
        minimum_recovery_lsn: lsn("Minimum recovery ending location")?,
        minimum_recovery_timeline: timeline("Min recovery ending loc's timeline")?,
        system_identifier: number("Database system identifier")?,
        data_checksums: number("Data page checksum version")? != 0,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "\
pg_control version number:            1300
Database system identifier:           7441234567890123456
Database cluster state:               shut down in recovery
pg_control last modified:             Tue 20 May 2025 10:00:00 AM UTC
Latest checkpoint location:           0/3000028
Latest checkpoint's REDO location:    0/3000000
Latest checkpoint's TimeLineID:       2
Minimum recovery ending location:     1/A0000100
Min recovery ending loc's timeline:   3
Data page checksum version:           1
";

    #[test]
    fn sample_is_read() {
        let control = parse(SAMPLE).unwrap();
        assert_eq!(control.state, ClusterState::ShutDownInRecovery);
        assert!(control.state.is_clean() && control.data_checksums);
        assert_eq!((control.timeline, control.minimum_recovery_timeline), (2, 3));
        assert_eq!(control.minimum_recovery_lsn, Lsn(0x1_A000_0100));
        assert_eq!(control.system_identifier, 7_441_234_567_890_123_456);
    }

    #[test]
    fn what_is_missing_or_strange_is_named() {
        let error = parse(&SAMPLE.replace("shut down in recovery", "on holiday")).unwrap_err();
        assert!(error.to_string().contains("Database cluster state: on holiday"), "{error}");
        assert!(parse("").is_err());
    }

    proptest! {
        #[test]
        fn any_output_parses_or_is_refused(output in ".{0,200}") {
            drop(parse(&output));
        }
    }
}
