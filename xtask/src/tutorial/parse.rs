//! Reads a tutorial's page into what is to be done. The format is described at [the parent](super).

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::mask::Masks;

/// How long a command may take unless its block says otherwise.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

/// A tutorial, as it is to be executed.
#[derive(Debug)]
pub(super) struct Tutorial {
    pub(super) masks: Masks,
    /// In the order of the page.
    pub(super) steps: Vec<Step>,
    /// What is run at the end in any case.
    pub(super) cleanup: Vec<Block>,
}

/// One fenced block that means something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Text to write to a file, relative to the scratch directory.
    File {
        path: PathBuf,
        text: String,
    },
    Block(Block),
}

/// Commands, and how they are to be run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) exchanges: Vec<Exchange>,
    /// What the last command must exit with; all others exit with zero.
    pub(super) last_exit: i32,
    pub(super) timeout: Duration,
    /// How long the block is repeated until it matches; `None`: it must match the first time.
    pub(super) retry: Option<Duration>,
}

/// A command and what it must print.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) command: String,
    pub(super) expected: Vec<String>,
    /// Where the command is on the page, from 1.
    pub(super) line: usize,
}

/// What is wrong with a page, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageError {
    line: usize,
    what: String,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

/// Reads a page.
pub(super) fn parse(page: &str) -> Result<Tutorial, PageError> {
    let mut reader = Reader::default();
    for (index, line) in page.lines().enumerate() {
        reader.line = index + 1;
        match reader.fence.take() {
            Some(fence) => reader.inside(fence, line)?,
            None => reader.outside(line)?,
        }
    }
    match reader.fence {
        Some(fence) => Err(PageError { line: fence.line, what: "this block is not closed".into() }),
        None => {
            reader.no_pending()?;
            Ok(reader.tutorial)
        }
    }
}

impl Default for Tutorial {
    fn default() -> Self {
        Self { masks: Masks::builtin(), steps: Vec::new(), cleanup: Vec::new() }
    }
}

/// What a comment said about the block that follows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Directives {
    file: Option<PathBuf>,
    exit: Option<i32>,
    retry: Option<Duration>,
    timeout: Option<Duration>,
    skip: bool,
    cleanup: bool,
}

/// A block that is being read.
#[derive(Debug)]
struct Fence {
    ticks: String,
    language: String,
    indent: usize,
    line: usize,
    lines: Vec<String>,
}

#[derive(Default)]
struct Reader {
    line: usize,
    fence: Option<Fence>,
    pending: Directives,
    tutorial: Tutorial,
}

impl Reader {
    fn outside(&mut self, line: &str) -> Result<(), PageError> {
        let text = line.trim();
        if text.starts_with("```") {
            self.fence = Some(Fence {
                ticks: text.chars().take_while(|c| *c == '`').collect(),
                language: text
                    .trim_start_matches('`')
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                indent: line.len() - line.trim_start().len(),
                line: self.line,
                lines: Vec::new(),
            });
            return Ok(());
        }
        match directive(text) {
            Some((word, value)) => self.directive(word, value),
            None if text.is_empty() => Ok(()),
            None => self.no_pending(),
        }
    }

    fn inside(&mut self, mut fence: Fence, line: &str) -> Result<(), PageError> {
        if line.trim() == fence.ticks {
            return self.close(fence);
        }
        let indent = fence.indent.min(line.len() - line.trim_start().len());
        fence.lines.push(line[indent..].to_owned());
        self.fence = Some(fence);
        Ok(())
    }

    fn close(&mut self, fence: Fence) -> Result<(), PageError> {
        let said = std::mem::take(&mut self.pending);
        if let Some(path) = said.file {
            let text = fence.lines.iter().fold(String::new(), |all, line| all + line + "\n");
            self.tutorial.steps.push(Step::File { path, text });
            return Ok(());
        }
        if said.skip {
            return Ok(());
        }
        if fence.language != "console" {
            let unused = Directives::default() == said;
            return if unused { Ok(()) } else { Err(self.error("only a `console` block can be executed")) };
        }
        let block = Block {
            exchanges: exchanges(&fence)?,
            last_exit: said.exit.unwrap_or(0),
            timeout: said.timeout.unwrap_or(COMMAND_TIMEOUT),
            retry: said.retry,
        };
        if said.cleanup {
            self.tutorial.cleanup.push(block);
        } else {
            self.tutorial.steps.push(Step::Block(block));
        }
        Ok(())
    }

    fn directive(&mut self, word: &str, value: &str) -> Result<(), PageError> {
        let duration = || parse_duration(value).ok_or_else(|| self.error("a duration reads like 60s or 5m"));
        match (word, value.is_empty()) {
            ("mask", false) => {
                let pair = value.split_once('=').ok_or_else(|| self.error("a mask reads NAME=REGEX"))?;
                let added = self.tutorial.masks.add(pair.0.trim(), pair.1.trim());
                return added.map_err(|what| PageError { line: self.line, what });
            }
            ("file", false) => {
                self.pending.file = Some(inside_scratch(value).ok_or_else(|| {
                    self.error("a file's path is relative and stays in the scratch directory")
                })?)
            }
            ("exit", false) => {
                self.pending.exit =
                    Some(value.parse().map_err(|_| self.error("an exit status is a number"))?);
            }
            ("retry", false) => self.pending.retry = Some(duration()?),
            ("timeout", false) => self.pending.timeout = Some(duration()?),
            ("skip", true) => self.pending.skip = true,
            ("cleanup", true) => self.pending.cleanup = true,
            _ => {
                return Err(
                    self.error("no such directive; a comment that is none begins with a capital letter")
                );
            }
        }
        Ok(())
    }

    fn no_pending(&self) -> Result<(), PageError> {
        if self.pending == Directives::default() {
            return Ok(());
        }
        Err(self.error("a directive must stand directly before the block that it is about"))
    }

    fn error(&self, what: &str) -> PageError {
        PageError { line: self.line, what: what.to_owned() }
    }
}

/// `<!-- word: value -->` or `<!-- word -->` with a word in lower case; any other comment is prose.
fn directive(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    let (word, value) = inner.split_once(':').unwrap_or((inner, ""));
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    is_word.then(|| (word, value.trim()))
}

fn inside_scratch(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| path.to_owned())
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let seconds_per_unit = match unit {
        "s" => 1,
        "m" => 60,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds_per_unit)?))
}

/// Divides a block into commands and what each must print.
fn exchanges(fence: &Fence) -> Result<Vec<Exchange>, PageError> {
    let mut found: Vec<Exchange> = Vec::new();
    let mut continues = false;
    for (index, text) in fence.lines.iter().enumerate() {
        let line = fence.line + 1 + index;
        let command = text.strip_prefix("% ").or_else(|| text.strip_prefix("$ "));
        match (command, found.last_mut()) {
            (None, Some(last)) if continues || (last.expected.is_empty() && text.starts_with("> ")) => {
                let more = text.strip_prefix("> ").unwrap_or(text);
                last.command = format!("{}\n{more}", last.command);
                continues = more.ends_with('\\');
            }
            (Some(command), _) => {
                found.push(Exchange { command: command.to_owned(), expected: Vec::new(), line });
                continues = command.ends_with('\\');
            }
            (None, Some(last)) => last.expected.push(text.clone()),
            (None, None) => {
                return Err(PageError {
                    line,
                    what: "output before the first command (`% ` or `$ `)".into(),
                });
            }
        }
    }
    if found.is_empty() {
        return Err(PageError { line: fence.line, what: "a console block without a command".into() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(page: &str) -> Vec<Block> {
        let steps = parse(page).unwrap().steps.into_iter();
        steps.filter_map(|step| if let Step::Block(block) = step { Some(block) } else { None }).collect()
    }

    fn error(page: &str) -> String {
        parse(page).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn commands_and_output_are_told_apart() {
        let found = blocks("Text.\n\n```console\n% echo a\na\n$ true\n```\n");
        let expected = [
            Exchange { command: "echo a".into(), expected: vec!["a".into()], line: 4 },
            Exchange { command: "true".into(), expected: vec![], line: 6 },
        ];
        assert_eq!(found[0].exchanges, expected);
    }

    #[test]
    fn commands_continue_over_lines() {
        let found = blocks("```console\n% echo a \\\n  b\na b\n% cat <<E\n> x\n> E\nx\n```\n");
        assert_eq!(found[0].exchanges[0].command, "echo a \\\n  b");
        assert_eq!(found[0].exchanges[0].expected, ["a b"]);
        assert_eq!(found[0].exchanges[1].command, "cat <<E\nx\nE");
        assert_eq!(found[0].exchanges[1].expected, ["x"]);
    }

    #[test]
    fn quoting_in_output_is_output() {
        let found = blocks("```console\n% printf 'a\\n> b\\n'\na\n> b\n```\n");
        assert_eq!(found[0].exchanges[0].expected, ["a", "> b"]);
    }

    #[test]
    fn directives_apply_to_the_next_block_only() {
        let page = "<!-- exit: 3 -->\n<!-- retry: 60s -->\n\n```console\n% x\n```\n```console\n% y\n```\n";
        let found = blocks(page);
        assert_eq!((found[0].last_exit, found[0].retry), (3, Some(Duration::from_secs(60))));
        assert_eq!((found[1].last_exit, found[1].retry), (0, None));
    }

    #[test]
    fn blocks_in_lists_lose_their_indentation() {
        let page = "1. Do:\n\n   <!-- file: a/b.yaml -->\n   ```yaml\n   x:\n     y: 1\n   ```\n";
        let steps = parse(page).unwrap().steps;
        assert_eq!(steps, [Step::File { path: "a/b.yaml".into(), text: "x:\n  y: 1\n".into() }]);
    }

    #[test]
    fn cleanup_is_kept_apart_and_skip_is_skipped() {
        let page = "<!-- skip -->\n```console\n% vi x\n```\n<!-- cleanup -->\n```console\n% rm x\n```\n";
        let tutorial = parse(page).unwrap();
        assert_eq!(tutorial.steps, []);
        assert_eq!(tutorial.cleanup[0].exchanges[0].command, "rm x");
    }

    #[test]
    fn other_languages_and_prose_comments_are_left_alone() {
        let tutorial = parse("<!-- Why: prose. -->\n```yaml\na: 1\n```\n```sh\nrm -rf x\n```\n").unwrap();
        assert_eq!(tutorial.steps, []);
    }

    #[test]
    fn mistakes_name_their_line() {
        assert!(error("```console\n% x\n").starts_with("1: this block is not closed"));
        assert!(error("\n<!-- flie: x -->\n").starts_with("2: no such directive"));
        assert!(error("<!-- file: ../x -->\n").starts_with("1: a file's path"));
        assert!(error("<!-- file: /etc/x -->\n").starts_with("1: a file's path"));
        assert!(error("<!-- exit: one -->\n").starts_with("1: an exit status"));
        assert!(error("<!-- retry: soon -->\n").starts_with("1: a duration"));
        assert!(error("<!-- skip -->\nProse.\n").starts_with("2: a directive must stand"));
        assert!(error("<!-- exit: 1 -->\n```yaml\nx\n```\n").starts_with("4: only a `console`"));
        assert!(error("```console\nout\n% x\n```\n").starts_with("2: output before"));
        assert!(error("```console\n```\n").starts_with("1: a console block without"));
        assert!(error("<!-- mask: x=( -->\n").starts_with("1: "));
    }
}
