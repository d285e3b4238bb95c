//! Where the commands print: data to standard output, what a person should know to standard error.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

use super::failure::Failure;

/// The form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    #[default]
    Text,
    /// JSON for scripts.
    Json,
}

/// Prints a line of data.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    write_all(&format!("{}\n", text.as_ref()))
}

/// Prints data as it is.
pub(crate) fn write_all(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new("cannot print").because(error))
}

pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    line(format!("{value:#}"))
}

/// Tells a person something that is not data.
pub(crate) fn note(text: impl AsRef<str>) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "{}", text.as_ref()));
}
