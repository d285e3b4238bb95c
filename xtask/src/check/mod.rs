//! What must hold of the source besides compiling and passing its tests. Each check is a file; each decides purely
//! on what it is given, and is tested on that.

pub(crate) mod direction;
pub(crate) mod generated;
pub(crate) mod length;
pub(crate) mod licences;
pub(crate) mod links;
pub(crate) mod machine;
pub(crate) mod shell;
pub(crate) mod unsafe_code;

use crate::failure::Failure;

/// Passes if nothing was found.
pub(crate) fn verdict(findings: Vec<String>, remedy: &'static str) -> Result<(), Failure> {
    if findings.is_empty() { Ok(()) } else { Err(Failure::Findings { findings, remedy }) }
}
