//! Oracle's type names, and the edits that turn one into PostgreSQL's.

use std::ops::Range;

use super::lexer::{Kind, Token};

/// A replacement in the text.
pub(super) struct Edit {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) text: &'static str,
}

/// What follows a type's name in parentheses, and what becomes of it.
#[derive(Clone, Copy)]
enum Arguments {
    /// Kept; `*` for the precision becomes 38, Oracle's largest.
    Numeric,
    /// Kept, without the unit `byte` or `char`.
    Length,
    /// Removed.
    Dropped,
    /// There are none.
    None,
}

/// Oracle's name, PostgreSQL's name, arguments. The manual's table says the same.
const TYPES: &[(&str, &str, Arguments)] = &[
    ("number", "numeric", Arguments::Numeric),
    ("varchar2", "varchar", Arguments::Length),
    ("nvarchar2", "varchar", Arguments::Length),
    ("char", "char", Arguments::Length),
    ("nchar", "nchar", Arguments::Length),
    ("varchar", "varchar", Arguments::Length),
    ("clob", "text", Arguments::None),
    ("nclob", "text", Arguments::None),
    ("blob", "bytea", Arguments::None),
    ("raw", "bytea", Arguments::Dropped),
    ("date", "timestamp(0)", Arguments::None),
    ("binary_float", "real", Arguments::None),
    ("binary_double", "double precision", Arguments::None),
];

/// The edits for the type with which `tokens` begin; none when it is not one of Oracle's, or has arguments that
/// are none of the type's, which PostgreSQL will refuse.
pub(super) fn edits(sql: &str, tokens: &[Token]) -> Vec<Edit> {
    translated(sql, tokens).unwrap_or_default()
}

fn translated(sql: &str, tokens: &[Token]) -> Option<Vec<Edit>> {
    let (token, following) = tokens.split_first()?;
    let (oracle, postgres, arguments) = TYPES.iter().find(|(oracle, ..)| token.is_word(sql, oracle))?;
    let mut edits = Vec::new();
    if oracle != postgres {
        edits.push(Edit { range: token.start..token.end, text: postgres });
    }
    match following.first().map(|next| next.kind) {
        // `schema.number` is a type of the user's own, and `date '2020-01-01'` a value.
        Some(Kind::Sign('.') | Kind::Text) => return None,
        Some(Kind::Sign('(')) => edits.extend(argument_edits(sql, following, *arguments)?),
        _ => {}
    }
    Some(edits)
}

/// The edits inside the parenthesis with which `tokens` begin; `None` when they are no arguments of the type.
fn argument_edits(sql: &str, tokens: &[Token], arguments: Arguments) -> Option<Vec<Edit>> {
    // The longest arguments are `( 10 , - 2 )`. Without a bound, unclosed ones would cost quadratic time.
    let close = tokens.iter().take(6).position(|token| token.is_sign(')'))?;
    let inner = &tokens[1..close];
    match arguments {
        Arguments::None => None,
        Arguments::Numeric => numeric(inner),
        Arguments::Length => length(sql, inner),
        Arguments::Dropped => dropped(&tokens[..=close], tokens.get(close + 1)),
    }
}

fn is_number(token: &Token) -> bool {
    token.kind == Kind::Number
}

/// `10`, `10,2`, `10,-2`, `*`, `*,0`.
fn numeric(inner: &[Token]) -> Option<Vec<Edit>> {
    let (precision, scale) = match inner {
        [precision] => (precision, None),
        [precision, comma, scale] if comma.is_sign(',') => (precision, Some(scale)),
        [precision, comma, minus, scale] if comma.is_sign(',') && minus.is_sign('-') => {
            (precision, Some(scale))
        }
        _ => return None,
    };
    let star = precision.is_sign('*');
    if !(star || is_number(precision)) || !scale.is_none_or(is_number) {
        return None;
    }
    let largest = Edit { range: precision.start..precision.end, text: "38" };
    Some(if star { vec![largest] } else { Vec::new() })
}

/// `20`, `20 byte`, `20 char`.
fn length(sql: &str, inner: &[Token]) -> Option<Vec<Edit>> {
    match inner {
        [length] if is_number(length) => Some(Vec::new()),
        [length, unit] if is_number(length) && unit.is_any_word(sql, &["byte", "char"]) => {
            // The blank before the unit goes too, unless a comment or line break stands there.
            let gap = &sql[length.end..unit.start];
            let start = if gap.chars().all(|c| c == ' ') { length.end } else { unit.start };
            Some(vec![Edit { range: start..unit.end, text: "" }])
        }
        _ => None,
    }
}

/// `(16)`, removed; comments and line breaks inside stay.
fn dropped(tokens: &[Token], next: Option<&Token>) -> Option<Vec<Edit>> {
    let [open, size, close] = tokens else { return None };
    // `raw(16)not null`: the parenthesis also kept two words apart.
    let adjoins_word =
        next.is_some_and(|next| next.start == close.end && !matches!(next.kind, Kind::Sign(_)));
    let end = if adjoins_word { " " } else { "" };
    is_number(size).then(|| {
        [(open, ""), (size, ""), (close, end)]
            .map(|(token, text)| Edit { range: token.start..token.end, text })
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::TYPES;

    #[test]
    fn the_manual_lists_every_type() {
        let manual = include_str!("../../../../../docs/manifest.md");
        for (oracle, postgres, _) in TYPES.iter().filter(|(oracle, postgres, _)| oracle != postgres) {
            let row = manual.lines().find(|line| line.starts_with(&format!("| `{oracle}")));
            assert!(row.is_some_and(|row| row.contains(&format!("`{postgres}"))), "{oracle}");
        }
    }
}
