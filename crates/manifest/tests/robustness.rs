//! No input makes a parser panic, and text without Oracle's types passes through unchanged.

use std::collections::BTreeMap;

use proptest::prelude::*;
use twinlock_manifest::metadata::{AdminUser, DbIni, Files, MetadataFiles, Schema};
use twinlock_manifest::{CipherSuite, PairSpec, documents, quantity::Quantity};

/// Pieces that the grammars care about, so that random text reaches deep.
fn pieces(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

const YAML: &[&str] = &[
    "apiVersion: twinlock.dev/v1\n",
    "apiVersion: v1\n",
    "kind: Pair\n",
    "kind: Secret\n",
    "kind: List\n",
    "items:\n",
    "metadata: { name: a }\n",
    "spec:\n",
    "  dbSecret: [",
    "a",
    "]\n",
    "{",
    "}",
    ": ",
    "- ",
    "\n",
    "  ",
    "---\n",
    "&a ",
    "*a",
    "!!str ",
    "'",
    "\"",
    "|\n",
    "# c\n",
    "\t",
    "data: ",
    "é",
    "\u{0}",
    "? ",
    "<<: ",
    "%YAML 1.2\n",
    "...\n",
    "\\u12",
];

const SQL: &[&str] = &[
    "create ",
    "table ",
    "function ",
    "alter ",
    "type ",
    "add ",
    "column ",
    "domain ",
    "as ",
    "cast",
    "(",
    ")",
    ",",
    "number",
    "date",
    "raw",
    "varchar2",
    "20",
    " byte",
    "*",
    "::",
    "'",
    "\"",
    "$$",
    "$a$",
    "E'",
    "\\",
    "--",
    "/*",
    "*/",
    ";",
    "\n",
    " ",
    "é",
    "or replace ",
    "returns ",
    "begin ",
    "end ",
    "case ",
    "copy ",
    "stdin",
    ".",
    "[",
    "]",
    "if not exists ",
    "default ",
    "/",
];

const INI: &[&str] = &[
    "PermSize",
    "=",
    "200",
    "\n",
    "pg.",
    "work_mem",
    "'",
    "''",
    "#",
    "[",
    "LockWait",
    "0.",
    "DatabaseCharacterSet",
    "AL32UTF8",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig {
        // `PROPTEST_CASES=1000000` for a longer look.
        cases: ProptestConfig::default().cases.max(2000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,200}") {
        drop(documents::parse(&text, "f"));
        drop(DbIni::parse(&text, "f"));
        drop(AdminUser::parse(&text, "f"));
        drop(Schema::translate(&text, "f"));
        drop(text.parse::<CipherSuite>());
        drop(text.parse::<Quantity>());
    }

    #[test]
    fn no_yaml_like_text_makes_the_manifest_reader_panic(text in pieces(YAML)) {
        drop(documents::parse(&text, "f"));
    }

    #[test]
    fn no_ini_like_text_makes_the_attribute_reader_panic(text in pieces(INI)) {
        drop(DbIni::parse(&text, "f"));
    }

    #[test]
    fn no_bytes_make_resolving_panic(name in "(db\\.ini|adminUser|schema\\.sql|replicationWallet|[a-zA-Z./]{0,20})",
                                     bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let spec = PairSpec { db_secret: vec!["s".into()], ..PairSpec::default() };
        let files = Files::from([(name, bytes), ("replicationWallet".into(), vec![1])]);
        drop(MetadataFiles::resolve(&spec, &BTreeMap::new(), &BTreeMap::from([("s".into(), files)])));
    }

    #[test]
    fn statements_keep_their_line_breaks_and_lines(text in pieces(SQL)) {
        if let Ok(statements) = Schema::translate(&text, "f") {
            let breaks = |text: &str| u32::try_from(text.matches('\n').count()).unwrap();
            let mut last = 1;
            for statement in statements {
                prop_assert!(statement.line >= last, "{statement:?}");
                last = statement.line + breaks(&statement.sql);
            }
            prop_assert!(last <= 1 + breaks(&text));
        }
    }

    #[test]
    fn text_without_oracle_types_passes_through_unchanged(
        statements in prop::collection::vec(plain_statement(), 0..8),
    ) {
        let text = statements.join(";\n");
        let split: Vec<String> = Schema::translate(&text, "f").unwrap().into_iter().map(|s| s.sql).collect();
        prop_assert_eq!(split, statements);
    }

    #[test]
    fn a_translated_schema_translates_to_itself(text in pieces(SQL)) {
        // Nothing is left to translate, and no edit may join two tokens or open a string or comment.
        if let Ok(first) = Schema::translate(&text, "f") {
            for statement in first {
                let again = Schema::translate(&statement.sql, "f").unwrap();
                let again: Vec<&str> = again.iter().map(|s| s.sql.trim()).collect();
                prop_assert_eq!(again, vec![statement.sql.trim()]);
            }
        }
    }
}

#[test]
fn long_and_deep_texts_take_linear_time() {
    // Each of these is quadratic for a careless reader: minutes instead of a moment.
    for piece in [
        "cast(",
        "x::number(",
        "create function f(a number, ",
        "/*",
        "'a' ",
        "E'a'\n",
        "(",
        "alter table t add c number,",
    ] {
        let text = piece.repeat(200_000);
        drop(Schema::translate(&text, "f"));
    }
    drop(DbIni::parse(&"PermSize=1\n".repeat(100_000), "f"));
    drop(documents::parse(&"[".repeat(1_000_000), "f"));
    drop(documents::parse(&"a: &a [*a]\n".repeat(10_000), "f"));
}

/// A statement in which no Oracle type stands, though every place where one could.
fn plain_statement() -> impl Strategy<Value = String> {
    const BEGINNINGS: &[&str] =
        &["create table t", "alter table t add", "create function f", "create domain d", "select"];
    const MIDDLES: &[&str] = &[
        "(x integer, number_x numeric(3), y timestamp)",
        "(clob_ text default 1, unique (date_))",
        "cast(a as text)",
        "::",
        "'number; date'",
        "\"varchar2\"",
        "$$ clob; raw $$",
        "/* number; */",
        "-- date;\n",
        "E'\\'; blob'",
        "x",
        "y.z",
        "1.5",
        "=",
        "-",
        ",",
        "returns text",
        "column",
    ];
    let middle = prop::collection::vec(prop::sample::select(MIDDLES), 0..12);
    (prop::sample::select(BEGINNINGS), middle)
        .prop_map(|(beginning, middle)| format!("{beginning} {} end_of_it", middle.join(" ")))
}
