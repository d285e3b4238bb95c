//! Events of a member: one JSON object a line.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use twinlock_manifest::state::Event;

use crate::error::AgentError;

/// Adds an event. Events tell a story to people: a crash may cost the last one, never the file.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, event: &Event) -> Result<(), AgentError> {
    let mut line =
        serde_json::to_vec(event).map_err(|cause| AgentError::Format { path: path.to_owned(), cause })?;
    line.push(b'\n');
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(AgentError::file("open", path))?;
    file.write_all(&line).map_err(AgentError::file("write", path))
}

/// All events, oldest first. A line that a crash cut short is left out; no file means no events.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<Event>, AgentError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(AgentError::file("read", path)(error)),
    };
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    #[test]
    fn events_are_read_in_order_without_a_torn_last_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let event = Event::created(OffsetDateTime::UNIX_EPOCH, "Pair", "p");
        append(&path, &event).unwrap();
        append(&path, &event).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"at\":").unwrap();
        assert_eq!(read(&path).unwrap(), vec![event.clone(), event]);
    }

    #[test]
    fn no_file_is_no_events() {
        assert!(read(Path::new("/nonexistent/events")).unwrap().is_empty());
    }
}
