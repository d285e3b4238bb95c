//! Oracle's type names → PostgreSQL's, in one statement, only where a type stands.
//!
//! A column, table or function may be called `date` or `number`; so the places where a type stands are found
//! first (column definitions, `alter table`, casts, domains, composite types, arguments and results of
//! functions), and only there is a name replaced. Line breaks stay, so lines of errors stay right.

use super::lexer::{Kind, Token};
use super::split::creates_routine;
use super::types::{self, Edit};

/// The statement's text, translated.
pub(super) fn statement(sql: &str, tokens: &[Token]) -> String {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return String::new() };
    let mut translator = Translator { sql, tokens, edits: Vec::new() };
    translator.definitions();
    translator.casts();
    let mut edits = translator.edits;
    edits.sort_by_key(|edit| edit.range.start);
    edits.dedup_by_key(|edit| edit.range.start);
    let mut translated = String::new();
    let mut at = first.start;
    for edit in edits {
        translated.push_str(&sql[at..edit.range.start]);
        translated.push_str(edit.text);
        at = edit.range.end;
    }
    translated + &sql[at..last.end]
}

/// Words that begin a table constraint instead of a column.
const CONSTRAINTS: [&str; 6] = ["constraint", "primary", "unique", "check", "foreign", "like"];

struct Translator<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    edits: Vec<Edit>,
}

impl Translator<'_> {
    fn word(&self, index: usize, words: &[&str]) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is_any_word(self.sql, words))
    }

    fn sign(&self, index: usize, sign: char) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is_sign(sign))
    }

    fn is_name(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
    }

    /// The index after `words`, when they stand at `index` in this order.
    fn after(&self, index: usize, words: &[&str]) -> usize {
        let all = words.iter().enumerate().all(|(offset, word)| self.word(index + offset, &[word]));
        if all { index + words.len() } else { index }
    }

    /// The index after a name that may be qualified by dots.
    fn after_name(&self, mut index: usize) -> usize {
        index += 1;
        while self.sign(index, '.') {
            index += 2;
        }
        index
    }

    /// The statement's own definitions, by how it begins.
    fn definitions(&mut self) {
        if self.word(0, &["alter"]) && self.word(1, &["table", "type"]) {
            return self.alter();
        }
        if self.word(0, &["alter"]) && self.word(1, &["foreign"]) && self.word(2, &["table"]) {
            return self.alter();
        }
        if !self.word(0, &["create"]) {
            return;
        }
        if creates_routine(self.sql, self.tokens) {
            return self.routine();
        }
        let mut at = 1;
        while self.word(at, &["global", "local", "temp", "temporary", "unlogged", "foreign"]) {
            at += 1;
        }
        if self.word(at, &["table"]) {
            at = self.after_name(self.after(at + 1, &["if", "not", "exists"]));
            self.columns(at);
        } else if self.word(at, &["type"]) {
            at = self.after_name(at + 1);
            self.columns(self.after(at, &["as"]));
        } else if self.word(at, &["domain"]) {
            at = self.after_name(at + 1);
            self.type_at(self.after(at, &["as"]));
        }
    }

    /// `(name type …, name type …)`, when a parenthesis opens at `index`. Returns the index after it.
    fn columns(&mut self, index: usize) -> usize {
        self.elements(index, |translator, start, _| {
            let constraint = translator.word(start, &CONSTRAINTS)
                || (translator.word(start, &["exclude"])
                    && (translator.word(start + 1, &["using"]) || translator.sign(start + 1, '(')));
            if !constraint && translator.is_name(start) {
                translator.type_at(start + 1);
            }
        })
    }

    /// Calls `each` with the bounds of every comma-separated element of the parenthesis that opens at `index`.
    fn elements(&mut self, index: usize, each: fn(&mut Self, usize, usize)) -> usize {
        if !self.sign(index, '(') {
            return index;
        }
        let mut start = index + 1;
        loop {
            let end = self.end_of_element(start);
            each(self, start, end);
            if !self.sign(end, ',') {
                return end + 1;
            }
            start = end + 1;
        }
    }

    /// The index of the comma or closing parenthesis that ends the element beginning at `index`, or the end.
    fn end_of_element(&self, mut index: usize) -> usize {
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.get(index) {
            match token.kind {
                Kind::Sign('(' | '[') => depth += 1,
                Kind::Sign(')' | ']') if depth == 0 => return index,
                Kind::Sign(')' | ']') => depth -= 1,
                Kind::Sign(',') if depth == 0 => return index,
                _ => {}
            }
            index += 1;
        }
        index
    }

    /// `alter table|type name action, action, …`
    fn alter(&mut self) {
        let mut at = if self.word(1, &["foreign"]) { 3 } else { 2 };
        at = self.after(at, &["if", "exists"]);
        at = self.after(at, &["only"]);
        at = self.after_name(at);
        if self.sign(at, '*') {
            at += 1;
        }
        while at < self.tokens.len() {
            self.action(at);
            at = self.end_of_element(at) + 1;
        }
    }

    fn action(&mut self, at: usize) {
        let column = |translator: &Self, at: usize| {
            if translator.word(at, &["column", "attribute"]) && translator.is_name(at + 1) {
                at + 1
            } else {
                at
            }
        };
        if self.word(at, &["add"]) {
            let name = self.after(column(self, at + 1), &["if", "not", "exists"]);
            let constraint =
                name == at + 1 && (self.word(name, &CONSTRAINTS) || self.word(name, &["exclude"]));
            if !constraint {
                self.type_at(name + 1);
            }
        } else if self.word(at, &["alter"]) {
            let name = column(self, at + 1);
            let word = self.after(name + 1, &["set", "data"]);
            if self.word(word, &["type"]) {
                self.type_at(word + 1);
            }
        }
    }

    /// `create [or replace] function|procedure name (arguments) [returns …]`
    fn routine(&mut self) {
        let at = if self.word(1, &["or"]) { 4 } else { 2 };
        let open = self.after_name(at);
        if !self.sign(open, '(') {
            return;
        }
        let returns = self.elements(open, Self::argument);
        if !self.word(returns, &["returns"]) {
            return;
        }
        if self.word(returns + 1, &["table"]) {
            self.columns(returns + 2);
        } else {
            self.type_at(self.after(returns + 1, &["setof"]));
        }
    }

    /// `[mode] [name] [mode] type [default …]`
    fn argument(&mut self, start: usize, end: usize) {
        const MODES: [&str; 4] = ["in", "out", "inout", "variadic"];
        let skip_modes = |translator: &Self, mut at: usize| {
            while at < end && translator.word(at, &MODES) {
                at += 1;
            }
            at
        };
        let first = skip_modes(self, start);
        let second = skip_modes(self, first + 1);
        // A lone type is followed by nothing, its own arguments, brackets or a default; a name by its type.
        let named = second < end && self.is_name(second) && !self.word(second, &["default"]);
        self.type_at(if named { second } else { first });
    }

    /// `cast(… as type)` and `…::type`, anywhere.
    fn casts(&mut self) {
        // In `create cast (…)` and the like the word names the object.
        let named = if self.word(0, &["create", "drop"]) { Some(1) } else { None };
        // For each open parenthesis: whether it is a cast's, and where the type after its last `as` stands. One
        // pass, so that casts in casts cost no more than their length.
        let mut open: Vec<(bool, Option<usize>)> = Vec::new();
        for index in 0..self.tokens.len() {
            match self.tokens[index].kind {
                Kind::Sign('(') => {
                    let cast = index > 0 && self.word(index - 1, &["cast"]) && named != Some(index - 1);
                    open.push((cast, None));
                }
                Kind::Sign(')') => {
                    if let Some((_, Some(type_index))) = open.pop() {
                        self.type_at(type_index);
                    }
                }
                Kind::Word if self.word(index, &["as"]) => {
                    if let Some((true, type_index)) = open.last_mut() {
                        *type_index = Some(index + 1);
                    }
                }
                // `::` is PostgreSQL's own notation: who writes `::date` means PostgreSQL's date, without a time.
                Kind::TypeCast if !self.word(index + 1, &["date"]) => self.type_at(index + 1),
                _ => {}
            }
        }
    }

    /// Replaces the type at `index`, when it is one of Oracle's.
    fn type_at(&mut self, index: usize) {
        self.edits.extend(types::edits(self.sql, self.tokens.get(index..).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Schema;

    fn translated(sql: &str) -> String {
        let statements = Schema::translate(sql, "f").unwrap();
        assert_eq!(statements.len(), 1, "{sql}");
        statements.into_iter().map(|statement| statement.sql).collect()
    }

    fn unchanged(sql: &str) {
        assert_eq!(translated(sql), sql);
    }

    #[test]
    fn every_oracle_type_is_translated_in_a_column() {
        for (oracle, postgres) in [
            ("number", "numeric"),
            ("NUMBER(10)", "numeric(10)"),
            ("number(10,2)", "numeric(10,2)"),
            ("number ( 10 , -2 )", "numeric ( 10 , -2 )"),
            ("number(*,0)", "numeric(38,0)"),
            ("varchar2(20)", "varchar(20)"),
            ("varchar2(20 byte)", "varchar(20)"),
            ("varchar2(20  CHAR)", "varchar(20)"),
            ("varchar2(20\nbyte)", "varchar(20\n)"),
            ("nvarchar2(20)", "varchar(20)"),
            ("char(8 byte)", "char(8)"),
            ("varchar(8 char)", "varchar(8)"),
            ("clob", "text"),
            ("nclob", "text"),
            ("blob", "bytea"),
            ("raw(16)", "bytea"),
            ("raw /* k */ (16)", "bytea /* k */ "),
            ("raw(16)not null, c number", "bytea not null, c numeric"),
            ("date", "timestamp(0)"),
            ("number[]", "numeric[]"),
            ("binary_float", "real"),
            ("binary_double", "double precision"),
        ] {
            assert_eq!(
                translated(&format!("create table t (a int, b {oracle} not null, c int)")),
                format!("create table t (a int, b {postgres} not null, c int)")
            );
        }
    }

    #[test]
    fn names_that_sound_like_types_survive() {
        assert_eq!(
            translated("create table number (date date, number number(3), clob text, raw raw(1))"),
            "create table number (date timestamp(0), number numeric(3), clob text, raw bytea)"
        );
        for sql in [
            "select date, number, clob from raw where date > date '2020-01-01'",
            "insert into t (date, number) values ('number', $$blob$$ /* number */)",
            "create index number on t (date, number)",
            "create view v (date, number) as select 1 as date, 2 as number",
            "create table t (a \"date\", b \"number\", c s.number, d date '2020-01-01')",
            "create table t (a int default 1, b text check (b <> 'number'), primary key (date, number))",
            "create table t (a timestamp default date '2020-01-01', unique (number), check (number > 1))",
            "create table t (a int, foreign key (date) references number (date), exclude (number with =))",
            "create table t as select number from date",
            "create table p partition of t for values from (date '2020-01-01') to (date '2021-01-01')",
            "create table t (like number, constraint date unique (number))",
            "alter table t rename column date to number",
            "alter table t drop column date, alter column number set default 1, add constraint date unique (number)",
            "alter table t add primary key (date), add unique (number), add exclude (date with =)",
            "comment on column t.date is 'number'",
            "select x::date, date(x), extract(day from date), now()::date",
            "create cast (text as number) with inout",
            "grant select (date, number) on number to raw",
        ] {
            unchanged(sql);
        }
    }

    #[test]
    fn casts_are_translated_everywhere() {
        for (oracle, postgres) in [
            ("select cast(a as number(10,2)) from t", "select cast(a as numeric(10,2)) from t"),
            (
                "select CAST (cast(a as clob) AS varchar2(3 char))",
                "select CAST (cast(a as text) AS varchar(3))",
            ),
            (
                "select cast((select date as number from t) as date)",
                "select cast((select date as number from t) as timestamp(0))",
            ),
            ("select a::number(3)::varchar2(9), b::raw", "select a::numeric(3)::varchar(9), b::bytea"),
            (
                "create view v as select cast(date as date) as date from t",
                "create view v as select cast(date as timestamp(0)) as date from t",
            ),
            (
                "create table t (a int default cast('1' as number))",
                "create table t (a int default cast('1' as numeric))",
            ),
            (
                "select 1 from a join b on cast(x as number) = y",
                "select 1 from a join b on cast(x as numeric) = y",
            ),
        ] {
            assert_eq!(translated(oracle), postgres);
        }
    }

    #[test]
    fn other_definitions_are_translated() {
        for (oracle, postgres) in [
            (
                "create global temporary table if not exists s.t (a number)",
                "create global temporary table if not exists s.t (a numeric)",
            ),
            (
                "create unlogged table \"T\" (\"a b\" clob, exclude number)",
                "create unlogged table \"T\" (\"a b\" text, exclude numeric)",
            ),
            (
                "alter table if exists only s.t add column if not exists a number, add b date",
                "alter table if exists only s.t add column if not exists a numeric, add b timestamp(0)",
            ),
            (
                "alter table t add date date default now(), alter number type number(3) using number::number, alter column c set data type clob",
                "alter table t add date timestamp(0) default now(), alter number type numeric(3) using number::numeric, alter column c set data type text",
            ),
            ("alter table t add column date date", "alter table t add column date timestamp(0)"),
            (
                "alter type t add attribute a number, alter attribute b type clob",
                "alter type t add attribute a numeric, alter attribute b type text",
            ),
            (
                "create domain money_d as number(10,2) check (value > 0)",
                "create domain money_d as numeric(10,2) check (value > 0)",
            ),
            ("create type t as (a number, date date)", "create type t as (a numeric, date timestamp(0))"),
            (
                "create or replace function s.f(number, a number, b in varchar2, out date date, d date default date '2020-01-01', number number = 1) returns number language sql as $$ select 1::number $$",
                "create or replace function s.f(numeric, a numeric, b in varchar, out date timestamp(0), d timestamp(0) default date '2020-01-01', number numeric = 1) returns numeric language sql as $$ select 1::number $$",
            ),
            (
                "create function f() returns setof date language sql as 'select 1'",
                "create function f() returns setof timestamp(0) language sql as 'select 1'",
            ),
            (
                "create function f() returns table (date date, n number) language sql as 'x'",
                "create function f() returns table (date timestamp(0), n numeric) language sql as 'x'",
            ),
            (
                "create procedure p(in out x number) language sql as 'x'",
                "create procedure p(in out x numeric) language sql as 'x'",
            ),
        ] {
            assert_eq!(translated(oracle), postgres);
        }
    }

    #[test]
    fn what_is_no_argument_of_the_type_is_left_to_postgresql() {
        for sql in [
            "create table t (a number(x))",
            "create table t (a number())",
            "create table t (a number(*1), b number(1,2,3))",
            "create table t (a clob(10))",
            "create table t (a date(3))",
            "create table t (a raw(1,2))",
            "create table t (a varchar2(20 bytes))",
            "create table t (a number(10",
            "create table t (",
            "create table t",
            "create",
            "alter table t add",
            "select cast(a as",
            "select cast(",
            "select a::",
            "create function f(",
            "create function",
        ] {
            unchanged(sql);
        }
    }
}
