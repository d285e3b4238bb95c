//! "Did you mean": the nearest known name.

/// The known name nearest to `found`, when one is near enough to be a slip of the keyboard.
pub(crate) fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a longer one is no slip, and the distance is quadratic in the length.
    const LONGEST: usize = 128;
    if found.len() > LONGEST {
        return None;
    }
    let wanted = found.to_ascii_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_ascii_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `; did you mean …?` for the nearest known name, or nothing.
pub(crate) fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(found, known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// At most `limit` characters of what a user wrote, safe to print on one line of a terminal.
pub(crate) fn quoted(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut shown: String =
        text.chars().take(LIMIT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["storageSize", "dbSecret"];
        assert_eq!(nearest("storageSise", known), Some("storageSize"));
        assert_eq!(nearest("DBSECRET", known), Some("dbSecret"));
        assert_eq!(nearest("replicas", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }

    #[test]
    fn quoted_text_has_one_line_and_a_bound() {
        assert_eq!(quoted("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(quoted(&"y".repeat(100)).chars().count(), 61);
    }
}
