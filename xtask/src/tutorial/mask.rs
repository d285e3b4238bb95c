//! Masks: names for what differs from run to run, written `<name>` in the expected output.

use regex_lite::Regex;

/// The masks that every tutorial has.
const BUILTIN: &[(&str, &str)] = &[
    // As `get` shows it: 50s, 3m45s, 2d4h.
    ("age", r"\d+(?:d\d+h|h\d+m|m\d+s|[dhms])?"),
    ("any", r".*"),
    ("duration", r"\d+(?:\.\d+)? ?(?:µs|us|ms|s|min|m)"),
    ("id", r"[0-9a-fA-F]+(?:-[0-9a-fA-F]+)*"),
    ("lsn", r"[0-9A-F]+/[0-9A-F]+"),
    ("n", r"\d+(?:\.\d+)?"),
    ("pid", r"\d+"),
    ("port", r"\d{1,5}"),
    ("time", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z| ?[+-]\d{2}:?\d{2}| UTC)?"),
    ("word", r"\S+"),
];

/// The masks of one tutorial.
#[derive(Debug)]
pub(super) struct Masks(Vec<(String, String)>);

impl Masks {
    /// Those that every tutorial has.
    pub(super) fn builtin() -> Self {
        Self(BUILTIN.iter().map(|(name, pattern)| ((*name).to_owned(), (*pattern).to_owned())).collect())
    }

    /// Adds one, or replaces one of the same name.
    pub(super) fn add(&mut self, name: &str, pattern: &str) -> Result<(), String> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("`{name}` is no name for a mask: letters, digits and hyphens are"));
        }
        Regex::new(pattern).map_err(|error| format!("mask {name}: {error}"))?;
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), pattern.to_owned()));
        Ok(())
    }

    /// A pattern for one expected line, or `None` if the line holds no mask and is meant literally.
    ///
    /// Beside a mask, two or more spaces match one or more: a value of another length moves the columns after it.
    pub(super) fn pattern(&self, line: &str) -> Option<Regex> {
        let mut pattern = String::from("^");
        let mut rest = line;
        let mut masked = false;
        while let Some((before, regex, after)) = self.next_mask(rest) {
            masked = true;
            pattern += &literal(before);
            pattern += &format!("(?:{regex})");
            rest = after;
        }
        pattern += &literal(rest);
        pattern.push('$');
        // Every part was checked or escaped, so the whole is well formed.
        masked.then(|| Regex::new(&pattern).ok()).flatten()
    }

    /// The first mask of a line: what stands before it, its pattern, what follows.
    fn next_mask<'a>(&'a self, line: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
        line.match_indices('<').find_map(|(at, _)| {
            let (name, after) = line[at + 1..].split_once('>')?;
            let (_, regex) = self.0.iter().find(|(known, _)| known == name)?;
            Some((&line[..at], regex.as_str(), after))
        })
    }
}

fn literal(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("  ") {
        pattern += &regex_lite::escape(&rest[..at]);
        pattern += " +";
        rest = rest[at..].trim_start_matches(' ');
    }
    pattern + &regex_lite::escape(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expected: &str, line: &str) -> bool {
        Masks::builtin().pattern(expected).is_some_and(|pattern| pattern.is_match(line))
    }

    #[test]
    fn ages_ids_and_times_are_masked() {
        let row = "repltls   Normal   repltls-0   <age>";
        for age in ["50s", "3m45s", "2m", "2d4h", "0s"] {
            assert!(matches(row, &format!("repltls   Normal   repltls-0   {age}")), "{age}");
        }
        assert!(!matches(row, "repltls   Normal   repltls-1   50s"));
        assert!(!matches(row, "repltls   Normal   repltls-0   soon"));
        assert!(matches("UID: <id>", "UID: a2915ef3-0fe0-11eb-8b9a-aaa0151611fe"));
        assert!(matches("at <time>.", "at 2023-04-30T18:51:43Z."));
    }

    #[test]
    fn columns_may_move_beside_a_mask() {
        assert!(matches("a   <n>     b", "a  1000 b"));
        assert!(!matches("a <n> b", "a 1  b"));
    }

    #[test]
    fn unknown_names_are_literal() {
        let masks = Masks::builtin();
        assert!(masks.pattern("Labels:   <none>").is_none());
        assert!(masks.pattern("a < b > c").is_none());
        assert!(matches("<none> <n> (x)", "<none> 5 (x)"));
    }

    #[test]
    fn tutorials_can_add_and_replace_masks() {
        let mut masks = Masks::builtin();
        masks.add("cipher", "[A-Z0-9-]+").unwrap();
        masks.add("n", "five").unwrap();
        assert!(masks.pattern("<cipher> <n>").unwrap().is_match("ECDHE-X five"));
        assert!(masks.add("bad", "(").is_err());
        assert!(masks.add("no spaces", "x").is_err());
    }
}
