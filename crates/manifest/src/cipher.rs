//! Cipher suites: the names users write, and what OpenSSL and PostgreSQL call them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::suggest::{did_you_mean, quoted};

/// The version of TLS that a suite belongs to. A suite of one version cannot be negotiated in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsProtocol {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsProtocol {
    /// The name that PostgreSQL uses in `ssl_min_protocol_version` and `pg_stat_ssl.version`.
    pub fn postgres_name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }
}

impl fmt::Display for TlsProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.postgres_name())
    }
}

/// The type of private key that a suite authenticates with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// An elliptic-curve key.
    Ecdsa,
    /// An RSA key.
    Rsa,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ecdsa => "ECDSA",
            Self::Rsa => "RSA",
        })
    }
}

/// What is known of one supported suite.
#[derive(Debug)]
struct Suite {
    iana: &'static str,
    openssl: &'static str,
    protocol: TlsProtocol,
    key_kind: Option<KeyKind>,
}

const fn tls12(iana: &'static str, openssl: &'static str, key_kind: KeyKind) -> Suite {
    Suite { iana, openssl, protocol: TlsProtocol::Tls12, key_kind: Some(key_kind) }
}

const fn tls13(name: &'static str) -> Suite {
    Suite { iana: name, openssl: name, protocol: TlsProtocol::Tls13, key_kind: None }
}

/// Forward secret and authenticated (AEAD): the suites of TLS 1.3, and what RFC 9325 recommends of TLS 1.2.
static SUITES: [Suite; 9] = [
    tls12("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", KeyKind::Ecdsa),
    tls12("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", KeyKind::Ecdsa),
    tls12("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", KeyKind::Ecdsa),
    tls12("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", KeyKind::Rsa),
    tls12("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", KeyKind::Rsa),
    tls12("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305", KeyKind::Rsa),
    tls13("TLS_AES_128_GCM_SHA256"),
    tls13("TLS_AES_256_GCM_SHA384"),
    tls13("TLS_CHACHA20_POLY1305_SHA256"),
];

/// A supported cipher suite, remembered as the user wrote it.
///
/// ```
/// use twinlock_manifest::cipher::{CipherSuite, KeyKind, TlsProtocol};
///
/// let suite: CipherSuite = "SSL_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".parse()?;
/// assert_eq!(suite.openssl_name(), "ECDHE-ECDSA-AES128-GCM-SHA256");
/// assert_eq!(suite.protocol(), TlsProtocol::Tls12);
/// assert_eq!(suite.key_kind(), Some(KeyKind::Ecdsa));
/// # Ok::<(), twinlock_manifest::cipher::CipherSuiteError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CipherSuite {
    suite: &'static Suite,
    written: String,
}

impl CipherSuite {
    /// OpenSSL's name, as in `ssl_ciphers`, `ssl_tls13_ciphers` and `pg_stat_ssl.cipher`.
    pub fn openssl_name(&self) -> &'static str {
        self.suite.openssl
    }

    /// The name in IANA's registry of TLS parameters.
    pub fn iana_name(&self) -> &'static str {
        self.suite.iana
    }

    /// The version of TLS that must be demanded for this suite to be the one negotiated.
    pub fn protocol(&self) -> TlsProtocol {
        self.suite.protocol
    }

    /// The type of key the certificate must have; `None` when either type will do (TLS 1.3).
    pub fn key_kind(&self) -> Option<KeyKind> {
        self.suite.key_kind
    }

    /// IANA's names of all supported suites.
    pub fn supported() -> impl Iterator<Item = &'static str> {
        SUITES.iter().map(|suite| suite.iana)
    }
}

/// The suite of a manifest that names none: TLS 1.3, which takes both types of key.
impl Default for CipherSuite {
    fn default() -> Self {
        const DEFAULT: usize = 7;
        Self { suite: &SUITES[DEFAULT], written: SUITES[DEFAULT].iana.to_owned() }
    }
}

/// Why a name is no supported cipher suite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherSuiteError {
    /// No suite is called that.
    #[error("unknown cipher suite `{name}`{suggestion}; known: {known}")]
    Unknown {
        /// The name, shortened.
        name: String,
        /// A near match as `; did you mean …?`, or empty.
        suggestion: String,
        /// All supported suites.
        known: String,
    },
    /// A real suite that protects too little.
    #[error("cipher suite `{name}` is refused: {reason}; the nearest supported one is `{nearest}`")]
    Insecure {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
        /// The supported suite nearest to it.
        nearest: &'static str,
    },
    /// A list, which some products take.
    #[error("`{name}` is a list; name exactly one cipher suite, so that the one in use is never in doubt")]
    List {
        /// The text, shortened.
        name: String,
    },
}

impl FromStr for CipherSuite {
    type Err = CipherSuiteError;

    fn from_str(written: &str) -> Result<Self, CipherSuiteError> {
        if written.contains([',', ':', ' ']) {
            return Err(CipherSuiteError::List { name: quoted(written) });
        }
        let iana = iana_spelling(written);
        if let Some(suite) = SUITES.iter().find(|suite| suite.iana == iana) {
            return Ok(Self { suite, written: written.to_owned() });
        }
        Err(insecurity(&iana).map_or_else(
            || unknown(written),
            |(reason, nearest)| CipherSuiteError::Insecure { name: quoted(written), reason, nearest },
        ))
    }
}

/// `SSL_…`, the spelling of Oracle and of Java, → `TLS_…`.
fn iana_spelling(written: &str) -> String {
    written.strip_prefix("SSL_").map_or_else(|| written.to_owned(), |rest| format!("TLS_{rest}"))
}

fn unknown(written: &str) -> CipherSuiteError {
    // OpenSSL's own name is the most likely stranger; it has an exact answer.
    let suggestion = match SUITES.iter().find(|suite| suite.openssl.eq_ignore_ascii_case(written)) {
        Some(suite) => format!("; did you mean `{}`?", suite.iana),
        None => did_you_mean(&iana_spelling(written), CipherSuite::supported()),
    };
    let known = CipherSuite::supported().collect::<Vec<_>>().join(", ");
    CipherSuiteError::Unknown { name: quoted(written), suggestion, known }
}

/// For a suite that exists but is not offered: the reason, and the nearest supported one.
fn insecurity(iana: &str) -> Option<(&'static str, &'static str)> {
    if matches!(iana, "TLS_AES_128_CCM_SHA256" | "TLS_AES_128_CCM_8_SHA256") {
        return Some((
            "CCM is switched off in OpenSSL unless asked for, so it is rarely tested",
            "TLS_AES_128_GCM_SHA256",
        ));
    }
    let (exchange, cipher) = iana.strip_prefix("TLS_")?.split_once("_WITH_")?;
    let cipher_problem = cipher_problem(cipher)?;
    let exchange_problem = exchange_problem(exchange)?;
    // What does not encrypt or authenticate at all is worse than what lacks forward secrecy.
    let reason =
        if cipher.starts_with("NULL") { cipher_problem } else { exchange_problem.or(cipher_problem) };
    let key_kind = if exchange.contains("ECDSA") { KeyKind::Ecdsa } else { KeyKind::Rsa };
    let bits = if cipher.contains("256_") && !cipher.ends_with("POLY1305_SHA256") {
        "AES_256_GCM"
    } else {
        "AES_128_GCM"
    };
    let nearest = SUITES.iter().find(|s| s.key_kind == Some(key_kind) && s.iana.contains(bits))?;
    Some((reason?, nearest.iana))
}

/// What is wrong with the cipher of a TLS 1.2 suite: outer `None`, no such cipher; inner `None`, nothing.
fn cipher_problem(cipher: &str) -> Option<Option<&'static str>> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| cipher.starts_with(prefix));
    let problem = match cipher {
        "AES_128_GCM_SHA256" | "AES_256_GCM_SHA384" | "CHACHA20_POLY1305_SHA256" => None,
        _ if cipher.starts_with("NULL_") => Some("NULL does not encrypt"),
        _ if cipher.starts_with("RC4_") => Some("RC4 is broken (RFC 7465)"),
        _ if cipher.starts_with("3DES_") => {
            Some("3DES has 64-bit blocks, which leak data on long connections (Sweet32)")
        }
        _ if begins(&["DES_", "DES40_", "RC2_", "IDEA_"]) => Some("its keys or blocks are too short"),
        _ if begins(&[
            "AES_128_CBC_",
            "AES_256_CBC_",
            "CAMELLIA_128_CBC_",
            "CAMELLIA_256_CBC_",
            "SEED_CBC_",
        ]) =>
        {
            Some("CBC with a separate MAC has a history of padding-oracle attacks")
        }
        _ if begins(&["AES_128_CCM", "AES_256_CCM", "ARIA_", "CAMELLIA_"]) => {
            Some("few peers have it, so it is rarely tested")
        }
        _ => return None,
    };
    Some(problem)
}

/// The same for the key exchange and authentication.
fn exchange_problem(exchange: &str) -> Option<Option<&'static str>> {
    let problem = match exchange {
        "ECDHE_ECDSA" | "ECDHE_RSA" => None,
        "RSA" | "ECDH_ECDSA" | "ECDH_RSA" | "DH_RSA" | "DH_DSS" => Some(
            "without an ephemeral key exchange (ECDHE), whoever gets the private key later reads all past traffic",
        ),
        "DHE_RSA" | "DHE_DSS" => Some("finite-field DHE is slow and often weak (Logjam); use ECDHE"),
        "NULL" | "DH_anon" | "ECDH_anon" => Some("it does not authenticate the peer"),
        "PSK" | "DHE_PSK" | "ECDHE_PSK" | "RSA_PSK" | "SRP_SHA" | "SRP_SHA_RSA" => {
            Some("it does not use the wallet's certificate")
        }
        _ if exchange.contains("EXPORT") => Some("export ciphers are broken by design"),
        _ => return None,
    };
    Some(problem)
}

/// Two names of the same suite are equal, whatever the spelling.
impl PartialEq for CipherSuite {
    fn eq(&self, other: &Self) -> bool {
        self.suite.iana == other.suite.iana
    }
}

impl Eq for CipherSuite {}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CipherSuite({})", self.written)
    }
}

/// As the user wrote it.
impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl TryFrom<String> for CipherSuite {
    type Error = CipherSuiteError;

    fn try_from(text: String) -> Result<Self, CipherSuiteError> {
        text.parse()
    }
}

impl From<CipherSuite> for String {
    fn from(suite: CipherSuite) -> String {
        suite.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        name.parse::<CipherSuite>().unwrap_err().to_string()
    }

    #[test]
    fn the_documents_suite_is_known_by_both_spellings() {
        let oracle: CipherSuite = "SSL_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".parse().unwrap();
        let iana: CipherSuite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".parse().unwrap();
        assert_eq!(oracle, iana);
        assert_eq!(oracle.to_string(), "SSL_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(oracle.iana_name(), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    }

    #[test]
    fn every_supported_suite_has_the_key_and_protocol_its_name_says() {
        for name in CipherSuite::supported() {
            let suite: CipherSuite = name.parse().unwrap();
            let expected = match name {
                _ if name.contains("ECDSA") => Some(KeyKind::Ecdsa),
                _ if name.contains("_RSA_") => Some(KeyKind::Rsa),
                _ => None,
            };
            assert_eq!(suite.key_kind(), expected, "{name}");
            assert_eq!(suite.protocol() == TlsProtocol::Tls12, name.contains("_WITH_"), "{name}");
        }
    }

    #[test]
    fn the_default_takes_either_type_of_key() {
        let suite = CipherSuite::default();
        assert_eq!(suite.iana_name(), "TLS_AES_256_GCM_SHA384");
        assert_eq!(suite.key_kind(), None);
    }

    #[test]
    fn a_weak_suite_is_refused_with_its_reason_and_a_better_one() {
        for (name, reason, nearest) in [
            ("SSL_RSA_WITH_AES_128_CBC_SHA256", "ephemeral", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("SSL_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "CBC", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            ("SSL_RSA_WITH_RC4_128_SHA", "ephemeral", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "RC4", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", "3DES", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            ("TLS_RSA_WITH_NULL_SHA256", "NULL does not encrypt", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "authenticate", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("TLS_AES_128_CCM_SHA256", "CCM", "TLS_AES_128_GCM_SHA256"),
        ] {
            let text = refusal(name);
            assert!(text.contains(reason) && text.contains(nearest) && text.contains(name), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        assert!(refusal("SSL_ECDHE_ECDSA_WITH_AES_129_GCM_SHA256")
            .starts_with("unknown cipher suite `SSL_ECDHE_ECDSA_WITH_AES_129_GCM_SHA256`; did you mean `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`?; known: TLS_"));
        assert!(
            refusal("ECDHE-RSA-AES256-GCM-SHA384")
                .contains("did you mean `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`")
        );
        assert!(refusal("HIGH:!aNULL").contains("is a list"));
        assert!(refusal("").contains("known: "));
    }

    #[test]
    fn json_keeps_the_users_spelling() {
        let suite: CipherSuite = "SSL_ECDHE_RSA_WITH_AES_128_GCM_SHA256".parse().unwrap();
        let json = serde_json::to_string(&suite).unwrap();
        assert_eq!(json, "\"SSL_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"");
        assert_eq!(serde_json::from_str::<CipherSuite>(&json).unwrap(), suite);
        assert!(serde_json::from_str::<CipherSuite>("\"X\"").is_err());
    }
}
