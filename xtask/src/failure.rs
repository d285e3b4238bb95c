//! Why a task stopped, in words that say what to do next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a task stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line was not understood.
    Usage(String),
    /// A file or directory could not be used.
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A program could not be started.
    Spawn { program: String, source: io::Error },
    /// A program ran and failed; `output` is the end of what it said, if it was not shown already.
    Program { program: String, outcome: String, output: String },
    /// The machine lacks something that only a person can install.
    Missing { what: Vec<String>, remedy: String },
    /// A check found something to mend.
    Findings { findings: Vec<String>, remedy: &'static str },
    /// Steps of `cargo xtask test` that failed; they reported themselves already.
    Steps { failed: Vec<&'static str> },
    /// Anything else, as a sentence that says what to do.
    Stopped(String),
}

impl Failure {
    /// Names what was being done with `path` when the system refused; for `map_err`.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }

    /// 2 for a command line that was not understood, 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => write!(f, "{what}\n\n{}", crate::args::USAGE),
            Self::File { doing, path, .. } => write!(f, "{doing} {}", path.display()),
            Self::Spawn { program, .. } => write!(f, "start {program}"),
            Self::Program { program, outcome, output } => {
                write!(f, "{program}: {outcome}")?;
                if output.is_empty() { Ok(()) } else { write!(f, "\n{}", output.trim_end()) }
            }
            Self::Missing { what, remedy } => {
                write!(f, "this machine lacks {}. Nothing was changed.\n{remedy}", what.join(", "))
            }
            Self::Findings { findings, remedy } => {
                for finding in findings {
                    writeln!(f, "{finding}")?;
                }
                write!(f, "{} found. {remedy}", findings.len())
            }
            Self::Steps { failed } => write!(f, "failed: {}", failed.join(", ")),
            Self::Stopped(why) => f.write_str(why),
        }
    }
}

/// A failure with all its causes on one line, for the place where it is handled.
pub(crate) struct WithCauses<'a>(pub(crate) &'a Failure);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } | Self::Spawn { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let failure = Failure::file("read", Path::new("a.txt"))(io::Error::other("no such luck"));
        assert_eq!(failure.to_string(), "read a.txt");
        assert_eq!(WithCauses(&failure).to_string(), "read a.txt: no such luck");
    }
}
