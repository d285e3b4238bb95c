//! Compares what was printed with what the page promises, and shows the difference.

use regex_lite::Regex;

use super::mask::Masks;

/// An expected line that stands for any number of lines.
const GAP: &str = "...";

/// Compares; `None` if it matches, else the difference as text: `-` expected and missing, `+` printed and not expected.
pub(super) fn difference(expected: &[String], printed: &[String], masks: &Masks) -> Option<String> {
    let wanted: Vec<Wanted> =
        without_blank_end(expected).iter().map(|line| Wanted::of(line, masks)).collect();
    let printed = without_blank_end(printed);
    let costs = Costs::of(&wanted, printed);
    (costs.at(0, 0) > 0).then(|| render(&wanted, printed, &costs))
}

/// One expected line, prepared for many comparisons.
enum Wanted<'a> {
    Gap,
    Literal(&'a str),
    Masked(&'a str, Regex),
}

impl<'a> Wanted<'a> {
    fn of(line: &'a str, masks: &Masks) -> Self {
        let line = line.trim_end();
        match masks.pattern(line) {
            _ if line.trim() == GAP => Self::Gap,
            Some(pattern) => Self::Masked(line, pattern),
            None => Self::Literal(line),
        }
    }

    fn matches(&self, line: &str) -> bool {
        let line = line.trim_end();
        match self {
            Self::Gap => true,
            Self::Literal(literal) => *literal == line,
            Self::Masked(_, pattern) => pattern.is_match(line),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Gap => GAP,
            Self::Literal(line) | Self::Masked(line, _) => line,
        }
    }
}

/// For every pair of suffixes, how many lines must be added or removed to make them match. Also finds the best place
/// for each gap, so the difference shown is the smallest there is.
struct Costs {
    columns: usize,
    cells: Vec<usize>,
}

impl Costs {
    fn of(wanted: &[Wanted], printed: &[String]) -> Self {
        let columns = printed.len() + 1;
        let mut costs = Self { columns, cells: vec![0; (wanted.len() + 1) * columns] };
        for i in (0..=wanted.len()).rev() {
            for j in (0..=printed.len()).rev() {
                costs.cells[i * columns + j] = costs.cell(wanted, printed, i, j);
            }
        }
        costs
    }

    fn at(&self, i: usize, j: usize) -> usize {
        self.cells[i * self.columns + j]
    }

    fn cell(&self, wanted: &[Wanted], printed: &[String], i: usize, j: usize) -> usize {
        match (wanted.get(i), printed.get(j)) {
            (None, None) => 0,
            (None, Some(_)) => printed.len() - j,
            (Some(Wanted::Gap), None) => self.at(i + 1, j),
            (Some(Wanted::Gap), Some(_)) => self.at(i + 1, j).min(self.at(i, j + 1)),
            (Some(_), None) => 1 + self.at(i + 1, j),
            (Some(line), Some(other)) if line.matches(other) => self.at(i + 1, j + 1),
            (Some(_), Some(_)) => 1 + self.at(i + 1, j).min(self.at(i, j + 1)),
        }
    }
}

fn render(wanted: &[Wanted], printed: &[String], costs: &Costs) -> String {
    let (mut i, mut j) = (0, 0);
    let mut text = String::new();
    while i < wanted.len() || j < printed.len() {
        let here = costs.at(i, j);
        match (wanted.get(i), printed.get(j)) {
            (Some(Wanted::Gap), Some(_)) if costs.at(i + 1, j) != here => j += 1,
            (Some(Wanted::Gap), _) => {
                text += "  ...\n";
                i += 1;
            }
            (Some(line), Some(other)) if line.matches(other) => {
                text += &format!("  {other}\n");
                i += 1;
                j += 1;
            }
            (Some(line), other) if other.is_none() || costs.at(i + 1, j) + 1 == here => {
                text += &format!("- {}\n", line.text());
                i += 1;
            }
            (_, Some(other)) => {
                text += &format!("+ {other}\n");
                j += 1;
            }
            (_, None) => break,
        }
    }
    text
}

fn without_blank_end(lines: &[String]) -> &[String] {
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    &lines[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(expected: &str, printed: &str) -> Option<String> {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        difference(&lines(expected), &lines(printed), &Masks::builtin())
    }

    #[test]
    fn equal_output_has_no_difference() {
        assert_eq!(diff("a\nb", "a\nb"), None);
        assert_eq!(diff("a\n\n", "a"), None);
        assert_eq!(diff("a", "a   \n\n"), None);
        assert_eq!(diff("", ""), None);
        assert_eq!(diff("NAME  AGE\nx     <age>", "NAME  AGE\nx     3m45s"), None);
    }

    #[test]
    fn gaps_stand_for_any_lines() {
        assert_eq!(diff("a\n...\nz", "a\nb\nc\nz"), None);
        assert_eq!(diff("a\n...\nz", "a\nz"), None);
        assert_eq!(diff("...", ""), None);
        assert_eq!(diff("...\nx\n...\ny\n...", "1\nx\n2\nx\ny"), None);
        assert!(diff("a\n...\nz", "a\nb").is_some());
    }

    #[test]
    fn difference_shows_both_sides_in_place() {
        assert_eq!(diff("a\nb\nc", "a\nx\nc").unwrap(), "  a\n- b\n+ x\n  c\n");
        assert_eq!(diff("", "surprise").unwrap(), "+ surprise\n");
        assert_eq!(diff("promise", "").unwrap(), "- promise\n");
        assert_eq!(diff("a\n...\nz\nlast", "a\nb\nz").unwrap(), "  a\n  ...\n  z\n- last\n");
    }
}
