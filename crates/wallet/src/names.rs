//! Distinguished names as text, and the host names that certificates are checked against.

use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::x509::X509Name;

/// The name in the form of RFC 4514: most specific part first, parts separated by commas.
pub(crate) fn distinguished(name: &X509Name<'_>) -> String {
    let parts: Vec<String> = name
        .iter()
        .map(|part| {
            let pairs: Vec<String> = part
                .iter()
                .map(|pair| format!("{}={}", key(&pair.attr_type().to_id_string()), value(pair.attr_value())))
                .collect();
            pairs.join("+")
        })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// The text of a string value in any of X.509's string types.
pub(crate) fn text(value: &Any<'_>) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            String::from_utf8(value.data.to_vec()).ok()
        }
        Tag::T61String => Some(value.data.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let units: Vec<u16> =
                value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// Whether the certificate name `pattern` covers the host `name`, by the rules of libpq: letters in either
/// case, and a leading `*.` for exactly one label.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    match (pattern.strip_prefix('*'), name.split_once('.')) {
        (Some(suffix), Some((label, rest))) if suffix.len() > 1 => {
            let suffix = suffix.strip_prefix('.');
            !label.is_empty() && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(rest))
        }
        _ => false,
    }
}

/// Whether `name` can be a DNS name: labels of letters, digits, hyphens and underscores.
pub(crate) fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn key(oid: &str) -> &str {
    match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        other => other,
    }
}

fn value(value: &Any<'_>) -> String {
    match text(value) {
        Some(text) => escape(&text),
        // RFC 4514, 2.4: what is not a string is shown as its DER.
        None => std::iter::once("#".to_owned())
            .chain(value.data.iter().map(|byte| format!("{byte:02x}")))
            .collect(),
    }
}

fn escape(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => out.extend(['\\', character]),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            '#' if at == 0 => out.push_str("\\#"),
            control if control.is_control() => {
                let mut bytes = [0; 4];
                control
                    .encode_utf8(&mut bytes)
                    .bytes()
                    .for_each(|byte| out.push_str(&format!("\\{byte:02X}")));
            }
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcard_stands_for_one_label() {
        assert!(matches("db1.example.com", "DB1.example.com"));
        assert!(matches("*.example.com", "db1.example.com"));
        for (pattern, name) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "a.db1.example.com"),
            ("*.example.com", ".example.com"),
            ("*", "localhost"),
            ("*example.com", "db1.example.com"),
            ("db*.example.com", "db1.example.com"),
        ] {
            assert!(!matches(pattern, name), "{pattern} must not cover {name}");
        }
    }

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escape(" a,b=\"c\"\n "), "\\ a\\,b=\\\"c\\\"\\0A\\ ");
        assert_eq!(escape("#1"), "\\#1");
    }

    #[test]
    fn host_names_are_told_from_other_text() {
        for name in ["db1", "db1.example.com", "_svc.example", "10"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in ["", "a b", "-a", "a-", "a..b", "*.example.com", "ünï", &"a".repeat(64)] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
