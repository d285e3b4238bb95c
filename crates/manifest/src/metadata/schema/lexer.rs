//! SQL text → tokens, by PostgreSQL's lexical rules (with `standard_conforming_strings` on, the default).

use crate::error::ManifestError;
use crate::metadata::text::malformed;

/// What a token is, as far as splitting and translating need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unquoted word: keyword or name.
    Word,
    /// `"a name"`.
    Quoted,
    /// A string in any of its notations, dollar quotes included.
    Text,
    Number,
    /// `::`
    TypeCast,
    /// One character that stands for itself.
    Sign(char),
}

/// A token of the text: everything but blanks and comments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes of the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Line of its first character, counted from 1.
    pub(super) line: u32,
}

impl Token {
    pub(super) fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.start..self.end]
    }

    pub(super) fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// Whether this is the unquoted word, in any case.
    pub(super) fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }

    pub(super) fn is_any_word(&self, sql: &str, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(sql, word))
    }
}

pub(super) fn tokens(sql: &str, file: &str) -> Result<Vec<Token>, ManifestError> {
    let mut lexer = Lexer { sql, file, at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    sql: &'a str,
    file: &'a str,
    at: usize,
    line: u32,
}

fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn continues_word(c: char) -> bool {
    begins_word(c) || c.is_ascii_digit() || c == '$'
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.sql[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Moves on by `bytes`, counting lines.
    fn advance(&mut self, bytes: usize) {
        let passed = &self.sql.as_bytes()[self.at..self.at + bytes];
        let breaks = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.at += bytes;
    }

    fn advance_while(&mut self, wanted: fn(char) -> bool) {
        let rest = self.rest();
        self.advance(rest.find(|c| !wanted(c)).unwrap_or(rest.len()));
    }

    fn next(&mut self) -> Result<Option<Token>, ManifestError> {
        self.skip_blanks_and_comments()?;
        let (start, line) = (self.at, self.line);
        let Some(first) = self.peek() else { return Ok(None) };
        let kind = self.token(first)?;
        Ok(Some(Token { kind, start, end: self.at, line }))
    }

    fn token(&mut self, first: char) -> Result<Kind, ManifestError> {
        match first {
            '\'' => self.string(false),
            '"' => self.quoted_name(),
            '$' => self.dollar(),
            _ if begins_word(first) => self.word(),
            _ if first.is_ascii_digit() => Ok(self.number()),
            ':' if self.rest().starts_with("::") => {
                self.advance(2);
                Ok(Kind::TypeCast)
            }
            _ => {
                self.advance(first.len_utf8());
                Ok(Kind::Sign(first))
            }
        }
    }

    fn skip_blanks_and_comments(&mut self) -> Result<(), ManifestError> {
        loop {
            self.advance_while(is_blank);
            if self.rest().starts_with("--") {
                self.skip_line_comment();
            } else if self.rest().starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn skip_line_comment(&mut self) {
        let rest = self.rest();
        self.advance(rest.find(['\n', '\r']).unwrap_or(rest.len()));
    }

    /// Block comments nest in PostgreSQL.
    fn skip_block_comment(&mut self) -> Result<(), ManifestError> {
        let line = self.line;
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.advance(2);
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.advance(2);
                if depth == 0 {
                    return Ok(());
                }
            } else {
                match rest.char_indices().skip(1).find(|(_, c)| matches!(c, '/' | '*')) {
                    Some((next, _)) => self.advance(next),
                    None => return Err(self.unfinished(line, "comment", "*/")),
                }
            }
        }
    }

    fn unfinished(&self, line: u32, what: &str, end: &str) -> ManifestError {
        malformed(
            self.file,
            line,
            format!("a {what} begins here and does not end"),
            format!("close it with {end}"),
        )
    }

    fn word(&mut self) -> Result<Kind, ManifestError> {
        let start = self.at;
        self.advance_while(continues_word);
        let word = &self.sql[start..self.at];
        if word.eq_ignore_ascii_case("e") && self.peek() == Some('\'') {
            return self.string(true);
        }
        // B'…', X'…', N'…' and U&'…' end as a plain string does, so the prefix may stay a word of its own.
        Ok(Kind::Word)
    }

    /// `escapes`: an E'…' string, in which a backslash escapes a quote.
    fn string(&mut self, escapes: bool) -> Result<Kind, ManifestError> {
        let line = self.line;
        self.advance(1);
        loop {
            let rest = self.rest();
            let Some(at) = rest.find(|c| c == '\'' || (escapes && c == '\\')) else {
                return Err(self.unfinished(line, "string", "'"));
            };
            let found = &rest[at..];
            if let Some(after) = found.strip_prefix('\\') {
                let Some(escaped) = after.chars().next() else {
                    return Err(self.unfinished(line, "string", "'"));
                };
                self.advance(at + 1 + escaped.len_utf8());
            } else if found.starts_with("''") {
                self.advance(at + 2);
            } else {
                self.advance(at + 1);
                if !(escapes && self.continued()) {
                    return Ok(Kind::Text);
                }
            }
        }
    }

    /// Whether another part of an E'…' string follows: on a later line, with nothing but blanks and comments
    /// between. It is still an E'…' string, so backslashes escape in it too. Moves to its inside.
    fn continued(&mut self) -> bool {
        let rest = self.rest();
        let mut at = 0;
        let mut new_line = false;
        loop {
            let here = &rest[at..];
            match here.chars().next() {
                Some(c) if is_blank(c) => {
                    new_line |= matches!(c, '\n' | '\r');
                    at += 1;
                }
                Some('-') if here.starts_with("--") => at += here.find(['\n', '\r']).unwrap_or(here.len()),
                Some('\'') if new_line => {
                    self.advance(at + 1);
                    return true;
                }
                _ => return false,
            }
        }
    }

    fn quoted_name(&mut self) -> Result<Kind, ManifestError> {
        let line = self.line;
        self.advance(1);
        loop {
            let rest = self.rest();
            let Some(at) = rest.find('"') else { return Err(self.unfinished(line, "quoted name", "\"")) };
            if rest[at..].starts_with("\"\"") {
                self.advance(at + 2);
            } else {
                self.advance(at + 1);
                return Ok(Kind::Quoted);
            }
        }
    }

    /// `$$…$$`, `$tag$…$tag$`, or the sign itself, as in `$1`.
    fn dollar(&mut self) -> Result<Kind, ManifestError> {
        let line = self.line;
        let rest = self.rest();
        let Some(delimiter) = dollar_delimiter(rest) else {
            self.advance(1);
            return Ok(Kind::Sign('$'));
        };
        match rest[delimiter.len()..].find(delimiter) {
            Some(at) => {
                self.advance(at + 2 * delimiter.len());
                Ok(Kind::Text)
            }
            None => Err(self.unfinished(line, "dollar-quoted string", delimiter)),
        }
    }

    fn number(&mut self) -> Kind {
        let rest = self.rest();
        let digits =
            |from: usize| rest[from..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'_').count();
        let mut end = digits(0);
        // Not the dot of `1..10`.
        if rest[end..].starts_with('.') && !rest[end..].starts_with("..") {
            end += 1;
            end += digits(end);
        }
        let exponent = rest[end..].strip_prefix(['e', 'E']);
        if let Some(exponent) = exponent {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let size = digits(end + 1 + sign);
            end += if size > 0 { 1 + sign + size } else { 0 };
        }
        self.advance(end);
        Kind::Number
    }
}

/// The opening `$…$` at the start of `text`.
fn dollar_delimiter(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let tag_length = inner.find(|c: char| !(begins_word(c) || c.is_ascii_digit()))?;
    let tag = &inner[..tag_length];
    let named = tag.is_empty() || tag.starts_with(begins_word);
    (named && inner[tag_length..].starts_with('$')).then(|| &text[..tag_length + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql, "f").unwrap().iter().map(|token| token.text(sql)).collect()
    }

    #[test]
    fn strings_in_every_notation_are_one_token() {
        for text in [
            "'a;b'",
            "'it''s'",
            "'back\\'",
            "E'it\\'s;'",
            "e'a\\\\'",
            "$$a;'$x$$",
            "$tag$ $$ ; $tag$",
            "\"a;\"\"b\"",
            "E'a' \n -- c\n 'b\\';'",
            "$ü1$;$ü1$",
        ] {
            assert_eq!(texts(text), [text], "{text}");
        }
        assert_eq!(texts("U&'d\\'"), ["U", "&", "'d\\'"]);
        assert_eq!(texts("somee'a\\'"), ["somee", "'a\\'"]);
        assert_eq!(texts("E'a' 'b\\'"), ["E'a'", "'b\\'"]);
    }

    #[test]
    fn words_numbers_and_signs_are_told_apart() {
        assert_eq!(
            texts("a$1 $1 x::y 1.5e-3 1..2 .5 t.c"),
            ["a$1", "$", "1", "x", "::", "y", "1.5e-3", "1", ".", ".", "2", ".", "5", "t", ".", "c"]
        );
        assert_eq!(texts("1e 2e+ 1_000 $1a$"), ["1", "e", "2", "e", "+", "1_000", "$", "1", "a$"]);
    }

    #[test]
    fn comments_are_no_tokens_and_nest() {
        assert_eq!(texts("a -- b;\nc /* d /* e */ ; */ f - -g"), ["a", "c", "f", "-", "-", "g"]);
    }

    #[test]
    fn what_does_not_end_names_the_line_it_begins_on() {
        for (text, shown) in [
            ("a\n'b\n", "f:2: a string begins here and does not end; close it with '"),
            ("\n\n/* /* */", "f:3: a comment begins here and does not end; close it with */"),
            ("$q$ $$", "f:1: a dollar-quoted string begins here and does not end; close it with $q$"),
            ("\"x", "f:1: a quoted name begins here and does not end; close it with \""),
            ("E'\\", "f:1: a string begins here and does not end; close it with '"),
        ] {
            assert_eq!(tokens(text, "f").unwrap_err().to_string(), shown);
        }
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let sql = "a\n'x\ny' /* \n */ $$\n$$ b";
        let lines: Vec<u32> = tokens(sql, "f").unwrap().iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 4, 5]);
    }
}
