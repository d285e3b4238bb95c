//! YAML text → a tree of nodes, each with its place.
//!
//! The tree is made here, from the parser's events, because a manifest needs three things together that a
//! ready-made loader does not give: the place of every key and value, refusal of a key given twice, and a bound
//! on what aliases may expand to.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use zeroize::Zeroizing;

use crate::error::{ManifestError, Place};
use crate::suggest::quoted;

/// Largest text read: a Secret may hold 1 MiB, a third more in base64, and a file several of them.
pub(crate) const TEXT_LONGEST_BYTES: usize = 8 * 1024 * 1024;
/// Deepest nesting accepted. The deepest manifest in use has about ten levels.
const DEEPEST_LEVELS: usize = 64;
/// Most nodes accepted, aliases expanded, so that a few lines cannot fill the memory ("billion laughs").
const MOST_NODES: usize = 50_000;
/// Most bytes of scalars accepted, aliases expanded.
const MOST_SCALAR_BYTES: usize = 2 * TEXT_LONGEST_BYTES;

/// A position: line and column, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Position {
    fn of(marker: &Marker) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: number(marker.line().max(1)), column: number(marker.col().saturating_add(1)) }
    }

    pub(crate) fn in_file(self, file: &str) -> Place {
        Place::at_column(file, self.line, self.column)
    }
}

/// A value and where it begins.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// What a node holds. A scalar's text may be secret, so the tree is wiped when dropped.
#[derive(Clone)]
pub(crate) enum Value {
    Scalar {
        text: Zeroizing<String>,
        /// Written without quotes, so that `1`, `true` and `null` are no strings.
        plain: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One `key: value`.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: Position,
    pub(crate) value: Node,
}

/// Reads every document of `text`. Empty documents are left out.
pub(crate) fn load(text: &str, file: &str) -> Result<Vec<Node>, ManifestError> {
    if text.len() > TEXT_LONGEST_BYTES {
        return Err(too_large(Place::in_file(file), "file", "8 MiB".into()));
    }
    Loader {
        parser: Parser::new_from_str(text),
        file,
        anchors: BTreeMap::new(),
        nodes_left: MOST_NODES,
        bytes_left: MOST_SCALAR_BYTES,
    }
    .documents()
}

fn too_large(at: Place, what: &'static str, limit: String) -> ManifestError {
    ManifestError::TooLarge { at, what, limit, fix: "split it into several manifests" }
}

struct Loader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    file: &'a str,
    anchors: BTreeMap<usize, Node>,
    nodes_left: usize,
    bytes_left: usize,
}

impl<'a> Loader<'a> {
    fn documents(mut self) -> Result<Vec<Node>, ManifestError> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(documents),
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
                (event, span) => {
                    let node = self.node(event, span, 0)?;
                    // An anchor is known only in its own document.
                    self.anchors.clear();
                    if !node.is_null() {
                        documents.push(node);
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ManifestError> {
        match self.parser.next_event() {
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                Err(ManifestError::Yaml { at: self.place(error.marker()), problem: error.info().to_owned() })
            }
        }
    }

    fn place(&self, marker: &Marker) -> Place {
        Position::of(marker).in_file(self.file)
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, ManifestError> {
        let at = Position::of(&span.start);
        if depth > DEEPEST_LEVELS {
            return Err(too_large(at.in_file(self.file), "nesting", format!("{DEEPEST_LEVELS} levels")));
        }
        self.spend(1, 0, at)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(0, text.len(), at)?;
                let plain = style == ScalarStyle::Plain && !self.is_string_tag(tag.as_deref(), at)?;
                (Value::Scalar { text: Zeroizing::new(text.into_owned()), plain }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, at),
            _ => {
                return Err(ManifestError::Yaml {
                    at: at.in_file(self.file),
                    problem: "expected a value".into(),
                });
            }
        };
        let node = Node { at, value };
        if anchor > 0 {
            self.spend_copy(&node, at)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// Whether a tag makes a plain scalar a string. Other tags change what a value means in ways no manifest
    /// uses, so they are refused instead of overlooked.
    fn is_string_tag(&self, tag: Option<&Tag>, at: Position) -> Result<bool, ManifestError> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(true),
            Some(tag)
                if tag.is_yaml_core_schema() && matches!(&*tag.suffix, "int" | "bool" | "null" | "float") =>
            {
                Ok(false)
            }
            Some(tag) => Err(ManifestError::Yaml {
                at: at.in_file(self.file),
                problem: format!("the tag `{}` is not known here; remove it", quoted(&tag.to_string())),
            }),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, ManifestError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, ManifestError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Mapping(entries));
            }
            let key_node = self.node(event, span, depth + 1)?;
            let key_at = key_node.at;
            let Value::Scalar { text, .. } = &key_node.value else {
                return Err(ManifestError::Yaml {
                    at: key_at.in_file(self.file),
                    problem: "a key must be a plain word, not a list or a mapping".into(),
                });
            };
            let key = String::clone(text);
            if let Some(first) = seen.insert(key.clone(), key_at.line) {
                return Err(ManifestError::Duplicate {
                    at: key_at.in_file(self.file),
                    field: quoted(&key),
                    first: format!("on line {first}"),
                });
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            entries.push(Entry { key, key_at, value });
        }
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<Node, ManifestError> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(ManifestError::Yaml {
                at: at.in_file(self.file),
                problem: "the alias stands inside what it refers to".into(),
            });
        };
        self.spend_copy(&node, at)?;
        Ok(node)
    }

    fn spend_copy(&mut self, node: &Node, at: Position) -> Result<(), ManifestError> {
        let (nodes, bytes) = node.size();
        self.spend(nodes, bytes, at)
    }

    fn spend(&mut self, nodes: usize, bytes: usize, at: Position) -> Result<(), ManifestError> {
        match (self.nodes_left.checked_sub(nodes), self.bytes_left.checked_sub(bytes)) {
            (Some(nodes), Some(bytes)) => {
                (self.nodes_left, self.bytes_left) = (nodes, bytes);
                Ok(())
            }
            _ => Err(too_large(
                at.in_file(self.file),
                "content (with aliases expanded)",
                format!("{MOST_NODES} values or {} MiB", MOST_SCALAR_BYTES / 1024 / 1024),
            )),
        }
    }
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    /// Number of nodes and bytes of scalars, this node included. The depth is bounded by the loader.
    fn size(&self) -> (usize, usize) {
        let add = |a: (usize, usize), b: (usize, usize)| (a.0.saturating_add(b.0), a.1.saturating_add(b.1));
        match &self.value {
            Value::Scalar { text, .. } => (1, text.len()),
            Value::Sequence(items) => items.iter().map(Node::size).fold((1, 0), add),
            Value::Mapping(entries) => {
                entries.iter().map(|e| add(e.value.size(), (1, e.key.len()))).fold((1, 0), add)
            }
        }
    }

    /// What a user would call this value, for "expected …, found …". Never the text of a string, which may be secret.
    pub(crate) fn described(&self) -> String {
        match &self.value {
            _ if self.is_null() => "nothing".into(),
            Value::Sequence(_) => "a list".into(),
            Value::Mapping(_) => "a mapping".into(),
            Value::Scalar { plain: false, .. } => "a string".into(),
            Value::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => {
                    format!("the boolean {}", text.as_str())
                }
                number if is_number(number) => format!("the number {}", quoted(number)),
                _ => "a string".into(),
            },
        }
    }

    /// Whether this is a string: quoted, or plain and nothing else by the YAML 1.2 core schema.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain: false } => Some(text),
            Value::Scalar { text, plain: true } => (self.described() == "a string").then_some(text.as_str()),
            _ => None,
        }
    }

    /// The plain scalar's text.
    pub(crate) fn as_plain(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }
}

/// Integers and floats of the YAML 1.2 core schema.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|b| (b'0'..=b'7').contains(&b));
    }
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|b| b.is_ascii_digit())
        && unsigned.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> String {
        load(text, "t").unwrap()[0].described()
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        assert_eq!(described("12"), "the number 12");
        assert_eq!(described("-1.5e3"), "the number -1.5e3");
        assert_eq!(described("true"), "the boolean true");
        for text in ["'12'", "!!str 12", "yes", "1.2.3", "12a", "50Gi", "-", "."] {
            assert_eq!(
                load(text, "t").map(|n| n.first().map(Node::described)).ok().flatten().unwrap_or_default(),
                if text == "-" { "a list" } else { "a string" },
                "{text}"
            );
        }
    }

    #[test]
    fn places_count_from_one() {
        let documents = load("a: 1\n---\n\nb:\n  c: x\n", "t").unwrap();
        let Value::Mapping(entries) = &documents[1].value else { panic!("a mapping") };
        let Value::Mapping(inner) = &entries[0].value.value else { panic!("a mapping") };
        assert_eq!((inner[0].key_at.line, inner[0].key_at.column), (5, 3));
        assert_eq!((inner[0].value.at.line, inner[0].value.at.column), (5, 6));
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let error = load("a: 1\nb: 2\na: 3\n", "t").err().unwrap().to_string();
        assert_eq!(error, "t:3:1: a: given twice, first on line 1; keep one of them");
    }

    #[test]
    fn aliases_work_within_bounds() {
        assert_eq!(load("a: &x [1, 2]\nb: *x\n", "t").unwrap().len(), 1);
        let mut laughs = String::from("l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for level in 1..9 {
            let refers = vec![format!("*l{}", level - 1); 10].join(", ");
            laughs.push_str(&format!("l{level}: &l{level} [{refers}]\n"));
        }
        assert!(matches!(load(&laughs, "t"), Err(ManifestError::TooLarge { .. })));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = "[".repeat(100_000);
        assert!(load(&deep, "t").is_err());
        assert!(matches!(
            load(&format!("{}{}", "[".repeat(70), "]".repeat(70)), "t"),
            Err(ManifestError::TooLarge { .. })
        ));
    }
}
