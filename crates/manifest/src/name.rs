//! Names of objects, by the rules of Kubernetes.

/// Longest name of a pair: its members are `NAME-0` and `NAME-1`, which must be DNS labels (63) too.
pub(crate) const PAIR_NAME_LONGEST: usize = 61;

/// Says why `name` is no DNS label of at most `longest` characters (RFC 1123), or nothing.
pub(crate) fn dns_label_problem(name: &str, longest: usize) -> Option<String> {
    if name.is_empty() {
        return Some("the name is empty".into());
    }
    if name.len() > longest {
        return Some(format!("the name has {} characters, at most {longest} are allowed", name.len()));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        return Some(format!("the name holds {c:?}"));
    }
    (name.starts_with('-') || name.ends_with('-')).then(|| "the name begins or ends with '-'".into())
}

/// Says why `name` is no DNS subdomain (labels joined by dots, RFC 1123), or nothing.
pub(crate) fn dns_subdomain_problem(name: &str) -> Option<String> {
    if name.len() > 253 {
        return Some(format!("the name has {} characters, at most 253 are allowed", name.len()));
    }
    if name.split('.').any(str::is_empty) {
        return Some("the name is empty, or empty before, between or after its dots".into());
    }
    name.split('.').find_map(|label| dns_label_problem(label, 253))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_lower_case_letters_digits_and_inner_hyphens() {
        for good in ["a", "repltls", "a-1", "0"] {
            assert_eq!(dns_label_problem(good, 61), None, "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a.b", "a_b", "é", "../x", &"a".repeat(62)] {
            assert!(dns_label_problem(bad, 61).is_some(), "{bad}");
        }
        assert_eq!(dns_subdomain_problem("a.b-c"), None);
        assert!(dns_subdomain_problem("a..b").is_some());
    }
}
