//! The manual names everything that the code knows.

use twinlock_manifest::CipherSuite;
use twinlock_manifest::metadata::{CharacterSet, DbIni};

const MANUAL: &str = include_str!("../../../docs/manifest.md");
const EVERY_CLASSIC_FIELD: &str = include_str!("valid/classic-every-ignored-field.yaml");
const EVERY_PAIR_FIELD: &str = include_str!("valid/everything-in-one-file.yaml");

#[test]
fn the_manual_names_every_attribute_suite_and_character_set() {
    let names = DbIni::known_attributes().chain(CipherSuite::supported()).chain(CharacterSet::known());
    let missing: Vec<&str> = names.filter(|name| !MANUAL.contains(&format!("`{name}`"))).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_manual_names_every_field() {
    // Fields of `ttspec` are indented by four, those of a Pair's `spec` by two.
    let fields = |text: &'static str, indent: usize| {
        let lines = text.lines().filter(move |line| line.len() - line.trim_start().len() == indent);
        lines.filter_map(|line| line.trim_start().split_once(':')).map(|(field, _)| field)
    };
    let pair = EVERY_PAIR_FIELD.split("\nspec:").nth(1).unwrap_or_default();
    let named =
        |field: &&str| [format!("`{field}`"), format!("`{field}: ")].iter().any(|text| MANUAL.contains(text));
    let missing: Vec<&str> =
        fields(EVERY_CLASSIC_FIELD, 4).chain(fields(pair, 2)).filter(|field| !named(field)).collect();
    assert_eq!(missing, [""; 0]);
}
