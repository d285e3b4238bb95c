//! Bytes of a metadata file → text.

use crate::error::{ManifestError, Place};

/// Largest text file read as metadata.
const LONGEST_BYTES: usize = 16 * 1024 * 1024;

/// The text of a metadata file: UTF-8, without a byte-order mark, without NUL.
pub(crate) fn decode<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, ManifestError> {
    if bytes.len() > LONGEST_BYTES {
        return Err(ManifestError::TooLarge {
            at: Place::in_file(file),
            what: "file",
            limit: "16 MiB".into(),
            fix: "load large amounts of data with psql after the pair is up",
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        malformed(file, line_of(valid), "not UTF-8 text", "save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.find('\0') {
        None => Ok(text),
        Some(at) => Err(malformed(
            file,
            line_of(&text.as_bytes()[..at]),
            "a NUL byte",
            "save the file as plain UTF-8 text",
        )),
    }
}

/// The line, counted from 1, that follows `before`.
fn line_of(before: &[u8]) -> u32 {
    let breaks = before.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(breaks).unwrap_or(u32::MAX - 1) + 1
}

pub(crate) fn malformed(
    file: &str,
    line: u32,
    problem: impl Into<String>,
    fix: impl Into<String>,
) -> ManifestError {
    ManifestError::Malformed { at: Place::at_line(file, line), problem: problem.into(), fix: fix.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_without_mark_and_nul() {
        assert_eq!(decode("\u{feff}a".as_bytes(), "f").unwrap(), "a");
        assert_eq!(
            decode(b"a\n\xff", "f").unwrap_err().to_string(),
            "f:2: not UTF-8 text; save the file as UTF-8"
        );
        assert!(decode(b"a\0", "f").unwrap_err().to_string().starts_with("f:1: a NUL byte"));
        assert!(matches!(decode(&vec![b'a'; LONGEST_BYTES + 1], "f"), Err(ManifestError::TooLarge { .. })));
    }
}
