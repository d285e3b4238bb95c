//! Says before anything depends on a credential what is wrong with it.

use std::fmt;
use std::time::Duration as StdDuration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use crate::certificate::{Certificate, KeyAlgorithm};
use crate::credential::Credential;
use crate::error::WalletError;
use crate::names;
use crate::wallet::Wallet;

/// How long before a certificate's end to start warning.
pub const EXPIRES_SOON: Duration = Duration::days(30);

/// What a credential is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Member of a pair: server for its peer and client of it.
    Replication,
    /// Server for database clients.
    Server,
    /// Client of a database.
    Client,
    /// Metrics endpoint, which demands certificates of its clients.
    Exporter,
}

impl Purpose {
    fn serves(self) -> bool {
        !matches!(self, Self::Client)
    }

    fn connects(self) -> bool {
        matches!(self, Self::Replication | Self::Client)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replication => "replication",
            Self::Server => "server",
            Self::Client => "client",
            Self::Exporter => "exporter",
        })
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but somebody should act.
    Warning,
    /// It does not work.
    Error,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// There is no private key.
    NoPrivateKey,
    /// There is no certificate for the private key.
    NoCertificate,
    /// The private key is not the certificate's.
    KeyMismatch,
    /// A certificate's time is over.
    Expired,
    /// A certificate's time has not come.
    NotYetValid,
    /// A certificate's time is over soon.
    ExpiresSoon,
    /// Nothing is trusted, so no peer can be verified.
    NothingTrusted,
    /// The certificate does not lead to any trusted one.
    ChainBroken,
    /// The certificate may not be used for servers.
    ServerUsageMissing,
    /// The certificate may not be used for clients.
    ClientUsageMissing,
    /// The certificate has no name that `verify-full` can check.
    NoUsableName,
    /// The certificate does not cover the name asked for.
    NameNotCovered,
    /// The certificate has no common name, by which a server knows its clients.
    NoClientIdentity,
    /// A key is too weak.
    WeakKey,
    /// A certificate is signed with a broken digest.
    WeakSignature,
    /// A key is of a kind that not all parties support.
    UnusualKey,
    /// An authority's certificate is used as a party's own.
    AuthorityAsLeaf,
}

/// One thing that is wrong, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub problem: Problem,
    /// Which certificate, name, usage or date, and what to do.
    pub message: String,
}

impl Finding {
    fn error(problem: Problem, message: String) -> Self {
        Self { severity: Severity::Error, problem, message }
    }

    fn warning(problem: Problem, message: String) -> Self {
        Self { severity: Severity::Warning, problem, message }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", self.message)
    }
}

/// Checks the credential of `wallet`, and whether it has one at all.
pub fn wallet(
    wallet: &Wallet,
    purpose: Purpose,
    peer_name: Option<&str>,
    now: OffsetDateTime,
) -> Vec<Finding> {
    match wallet.credential() {
        Ok(credential) => preflight(&credential, purpose, peer_name, now),
        Err(WalletError::NoPrivateKey) => vec![Finding::error(
            Problem::NoPrivateKey,
            "the wallet has no private key; add one with its certificate (wallet add-identity)".into(),
        )],
        Err(_) => vec![Finding::error(
            Problem::NoCertificate,
            "the wallet has a private key but no certificate for it; add the certificate that was issued for it".into(),
        )],
    }
}

/// Checks a credential for a purpose at a moment.
///
/// `peer_name` is the name under which peers will verify this party when it is the server; without it only
/// the existence of a usable name is checked. An empty result means that nothing is wrong; one without
/// errors, that it works.
///
/// ```
/// use time::OffsetDateTime;
/// use twinlock_wallet::check::{self, Problem, Purpose};
/// use twinlock_wallet::issue::{self, KeyKind, Purposes, Template, Validity};
/// use twinlock_wallet::{Credential, PrivateKey};
///
/// let now = OffsetDateTime::now_utc();
/// let key = PrivateKey::generate(KeyKind::EcP256)?;
/// let template = Template::new("db1", Validity::days(now, 365)).purposes(Purposes::CLIENT);
/// let own = issue::self_sign(&template, &key)?;
/// let credential = Credential { chain: vec![own.clone()], key, trusted: vec![own] };
/// let findings = check::preflight(&credential, Purpose::Replication, Some("db1"), now);
/// assert_eq!(findings[0].problem, Problem::ServerUsageMissing);
/// # Ok::<(), twinlock_wallet::WalletError>(())
/// ```
pub fn preflight(
    credential: &Credential,
    purpose: Purpose,
    peer_name: Option<&str>,
    now: OffsetDateTime,
) -> Vec<Finding> {
    let leaf = credential.leaf();
    let mut findings = Vec::new();
    if !credential.key.matches(leaf) {
        findings.push(Finding::error(
            Problem::KeyMismatch,
            format!(
                "the private key does not belong to {}; add the key that it was issued for",
                described(leaf)
            ),
        ));
    }
    for certificate in path(credential) {
        findings.extend(dates(certificate, now));
        findings.extend(strength(certificate));
    }
    findings.extend(trust(credential, purpose, now));
    findings.extend(usage(leaf, purpose));
    if purpose.serves() {
        findings.extend(server_name(leaf, peer_name));
    }
    if purpose.connects() {
        findings.extend(client_identity(leaf));
    }
    findings
}

/// How long until the first certificate of the credential's path ends; negative when one has ended.
pub fn time_left(credential: &Credential, now: OffsetDateTime) -> Duration {
    let ends = path(credential).map(|certificate| certificate.not_after() - now);
    ends.min().unwrap_or(Duration::ZERO)
}

/// The chain and the trusted certificates that it ends in.
fn path(credential: &Credential) -> impl Iterator<Item = &Certificate> {
    let last = credential.chain.last();
    let roots = credential.trusted.iter().filter(move |root| {
        last.is_some_and(|last| last.is_issued_by(root)) && !credential.chain.contains(root)
    });
    credential.chain.iter().chain(roots)
}

fn described(certificate: &Certificate) -> String {
    format!("the certificate {} (serial {})", certificate.subject(), certificate.serial_hex())
}

fn date(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

fn dates(certificate: &Certificate, now: OffsetDateTime) -> Option<Finding> {
    let (from, until) = (certificate.not_before(), certificate.not_after());
    let who = described(certificate);
    if now > until {
        let message = format!("{who} expired on {}; renew it", date(until));
        return Some(Finding::error(Problem::Expired, message));
    }
    if now < from {
        let message = format!(
            "{who} is not valid before {}, and it is now {}; check the clock, or wait",
            date(from),
            date(now)
        );
        return Some(Finding::error(Problem::NotYetValid, message));
    }
    (until - now < EXPIRES_SOON).then(|| {
        let days = (until - now).whole_days();
        Finding::warning(
            Problem::ExpiresSoon,
            format!("{who} expires in {days} days, on {}; renew it", date(until)),
        )
    })
}

fn strength(certificate: &Certificate) -> Vec<Finding> {
    let who = described(certificate);
    let mut findings = Vec::new();
    match certificate.key_algorithm() {
        KeyAlgorithm::Rsa { bits } if bits < 2048 => findings.push(Finding::error(
            Problem::WeakKey,
            format!("the key of {who} is RSA with {bits} bits; at least 2048 are needed: make a new key"),
        )),
        KeyAlgorithm::Other(oid) => findings.push(Finding::warning(
            Problem::UnusualKey,
            format!("the key of {who} is of a kind ({oid}) that may not work everywhere; use ECDSA P-256"),
        )),
        KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::Rsa { .. } | KeyAlgorithm::Ed25519 => {}
    }
    // A root is trusted for being there, not for its signature.
    let digest = broken_digest(certificate.signature_algorithm()).filter(|_| !certificate.is_self_issued());
    if let Some(digest) = digest {
        let message =
            format!("{who} is signed with {digest}, which current TLS refuses; have it issued again");
        findings.push(Finding::error(Problem::WeakSignature, message));
    }
    findings
}

fn broken_digest(signature_algorithm: &str) -> Option<&'static str> {
    match signature_algorithm {
        "1.2.840.113549.1.1.2" | "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Some("SHA-1"),
        _ => None,
    }
}

fn trust(credential: &Credential, purpose: Purpose, now: OffsetDateTime) -> Vec<Finding> {
    let leaf = credential.leaf();
    if credential.trusted.is_empty() {
        let message = format!(
            "the wallet trusts no certificate, so {purpose} cannot verify its peers; add the root that issued theirs \
             (wallet add-trusted)"
        );
        return vec![Finding::error(Problem::NothingTrusted, message)];
    }
    if leaf.is_self_issued() && credential.trusted.contains(leaf) {
        return leaf
            .is_ca()
            .then(|| {
                let message = format!(
                    "{} is an authority's certificate and used as a party's own; PostgreSQL accepts that, other \
                     programs do not: have a certificate issued",
                    described(leaf)
                );
                Finding::warning(Problem::AuthorityAsLeaf, message)
            })
            .into_iter()
            .collect();
    }
    chain(credential, now).err().map(|error| broken_chain(credential, error)).into_iter().collect()
}

fn broken_chain(credential: &Credential, error: webpki::Error) -> Finding {
    let last = credential.chain.last().unwrap_or_else(|| credential.leaf());
    let message = match error {
        webpki::Error::UnknownIssuer if !credential.trusted.iter().any(|root| last.is_issued_by(root)) => {
            format!(
                "{} was issued by {}, which is not in the wallet; add that certificate (wallet add-trusted)",
                described(last),
                last.issuer()
            )
        }
        error => format!(
            "{} does not verify against the trusted certificates of the wallet ({error}); have it issued again, or \
             add the root that did",
            described(last)
        ),
    };
    Finding::error(Problem::ChainBroken, message)
}

/// Verifies the signatures from the leaf to a trusted certificate. Dates and purposes are judged elsewhere,
/// so the moment is one at which every certificate of the path is valid, if there is one.
fn chain(credential: &Credential, now: OffsetDateTime) -> Result<(), webpki::Error> {
    let leaf = CertificateDer::from(credential.leaf().der());
    let leaf = EndEntityCert::try_from(&leaf)?;
    let trusted: Vec<CertificateDer<'_>> =
        credential.trusted.iter().map(|root| CertificateDer::from(root.der())).collect();
    let anchors: Vec<TrustAnchor<'_>> =
        trusted.iter().filter_map(|root| webpki::anchor_from_trusted_cert(root).ok()).collect();
    let intermediates: Vec<CertificateDer<'_>> =
        credential.chain.iter().skip(1).map(|certificate| CertificateDer::from(certificate.der())).collect();
    let earliest = credential.chain.iter().map(Certificate::not_after).min().unwrap_or(now);
    let latest = credential.chain.iter().map(Certificate::not_before).max().unwrap_or(now);
    let moment = now.min(earliest).max(latest);
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &intermediates,
        unix_time(moment),
        AnyUsage,
        None,
        None,
    )
    .map(drop)
}

struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn unix_time(moment: OffsetDateTime) -> UnixTime {
    UnixTime::since_unix_epoch(StdDuration::from_secs(u64::try_from(moment.unix_timestamp()).unwrap_or(0)))
}

fn usage(leaf: &Certificate, purpose: Purpose) -> Vec<Finding> {
    let missing = |problem, side: &str| {
        let message = format!(
            "{} may not be used by a TLS {side}, and {purpose} needs that; have it issued with the extended key usage \
             {side}Auth and the key usage digitalSignature",
            described(leaf)
        );
        Finding::error(problem, message)
    };
    let server = (purpose.serves() && !leaf.allows_server_auth())
        .then(|| missing(Problem::ServerUsageMissing, "server"));
    let client = (purpose.connects() && !leaf.allows_client_auth())
        .then(|| missing(Problem::ClientUsageMissing, "client"));
    server.into_iter().chain(client).collect()
}

fn server_name(leaf: &Certificate, peer_name: Option<&str>) -> Option<Finding> {
    if peer_name.is_some_and(|name| leaf.verifies_name(name)) {
        return None;
    }
    let Some(own) = leaf.own_name() else {
        let message = format!(
            "{} has neither a DNS name nor a common name that verify-full can check; have it issued with an \
             alternative name",
            described(leaf)
        );
        return Some(Finding::error(Problem::NoUsableName, message));
    };
    match peer_name {
        Some(name) => {
            let message = format!(
                "{} is not for the name {name:?}; it is for {}: use one of those, or have it issued with that name",
                described(leaf),
                names_of(leaf)
            );
            Some(Finding::error(Problem::NameNotCovered, message))
        }
        None if leaf.dns_names().is_empty() && !names::is_host_name(own) => {
            let message = format!(
                "{} is known only by its common name {own:?}, which is no host name; libpq accepts that, other \
                 programs do not: have it issued with a DNS name",
                described(leaf)
            );
            Some(Finding::warning(Problem::NoUsableName, message))
        }
        None => None,
    }
}

fn names_of(leaf: &Certificate) -> String {
    let addresses = leaf.ip_addresses();
    let names: Vec<String> =
        leaf.dns_names().into_iter().chain(addresses.iter().map(ToString::to_string)).collect();
    match names.is_empty() {
        true => leaf.common_name().unwrap_or_default(),
        false => names.join(", "),
    }
}

fn client_identity(leaf: &Certificate) -> Option<Finding> {
    leaf.common_name().filter(|name| !name.is_empty()).is_none().then(|| {
        let message = format!(
            "{} has no common name, by which a server knows its clients; have it issued with one",
            described(leaf)
        );
        Finding::error(Problem::NoClientIdentity, message)
    })
}
