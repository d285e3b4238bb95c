//! The preflight names exactly what is wrong.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use time::{Duration, OffsetDateTime};
use twinlock_wallet::check::{self, Finding, Problem, Purpose, Severity};
use twinlock_wallet::issue::{self, Authority, KeyKind, Purposes, Template, Validity};
use twinlock_wallet::{Certificate, Credential, PrivateKey, Wallet, read_pem};

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

fn validity() -> Validity {
    Validity::days(now(), 100)
}

fn root(name: &str) -> Authority {
    Authority::create_root(&Template::new(name, validity()), KeyKind::EcP256).unwrap().0
}

fn template() -> Template {
    Template::new("db1", validity()).alternative_name("db1.example.com")
}

fn credential_of(template: &Template) -> Credential {
    let root = root("root");
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let leaf = root.issue(template, &key).unwrap();
    Credential { chain: vec![leaf], key, trusted: vec![root.certificate().clone()] }
}

fn at(credential: &Credential, purpose: Purpose, moment: OffsetDateTime) -> Vec<Finding> {
    check::preflight(credential, purpose, None, moment)
}

fn problems(findings: &[Finding]) -> Vec<(Severity, Problem)> {
    findings.iter().map(|finding| (finding.severity, finding.problem)).collect()
}

fn error(problem: Problem) -> Vec<(Severity, Problem)> {
    vec![(Severity::Error, problem)]
}

#[test]
fn sound_credential_has_nothing_to_report() {
    let credential = credential_of(&template());
    for purpose in [Purpose::Replication, Purpose::Server, Purpose::Client, Purpose::Exporter] {
        assert_eq!(at(&credential, purpose, now()), []);
    }
    assert_eq!(check::time_left(&credential, now()).whole_days(), 100);
}

#[test]
fn dates_are_judged_one_by_one() {
    let credential = credential_of(&template());
    let both = |severity, problem| vec![(severity, problem); 2];
    let day = Duration::days(1);
    let cases = [
        (now() - Duration::hours(2), both(Severity::Error, Problem::NotYetValid)),
        (now() + 69 * day, vec![]),
        (now() + 71 * day, both(Severity::Warning, Problem::ExpiresSoon)),
        (now() + 101 * day, both(Severity::Error, Problem::Expired)),
    ];
    for (moment, expected) in cases {
        assert_eq!(problems(&at(&credential, Purpose::Replication, moment)), expected, "{moment}");
    }
    let message = &at(&credential, Purpose::Server, now() + 101 * day)[0].message;
    assert!(message.contains("CN=db1") && message.contains("expired on 2027-04-25T08:00:00Z"), "{message}");
}

#[test]
fn key_of_another_certificate_is_named() {
    let mut credential = credential_of(&template());
    credential.key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    assert_eq!(problems(&at(&credential, Purpose::Client, now())), error(Problem::KeyMismatch));
}

#[test]
fn missing_root_is_named() {
    let mut credential = credential_of(&template());
    credential.trusted = vec![root("another root").certificate().clone()];
    let findings = at(&credential, Purpose::Client, now());
    assert_eq!(problems(&findings), error(Problem::ChainBroken));
    assert!(
        findings[0].message.contains("was issued by CN=root, which is not in the wallet"),
        "{findings:?}"
    );

    // A root of the same name that is not the one.
    credential.trusted = vec![root("root").certificate().clone()];
    assert_eq!(problems(&at(&credential, Purpose::Client, now())), error(Problem::ChainBroken));

    credential.trusted.clear();
    assert_eq!(problems(&at(&credential, Purpose::Client, now())), error(Problem::NothingTrusted));
}

#[test]
fn usage_must_fit_the_purpose() {
    let (server, client) = (Problem::ServerUsageMissing, Problem::ClientUsageMissing);
    let cases = [
        (Purposes::SERVER, Purpose::Server, vec![]),
        (Purposes::SERVER, Purpose::Exporter, vec![]),
        (Purposes::SERVER, Purpose::Client, vec![client]),
        (Purposes::SERVER, Purpose::Replication, vec![client]),
        (Purposes::CLIENT, Purpose::Client, vec![]),
        (Purposes::CLIENT, Purpose::Replication, vec![server]),
        (Purposes::CLIENT, Purpose::Exporter, vec![server]),
        (Purposes::BOTH, Purpose::Replication, vec![]),
    ];
    for (purposes, purpose, expected) in cases {
        let findings = at(&credential_of(&template().purposes(purposes)), purpose, now());
        let found: Vec<Problem> = findings.iter().map(|finding| finding.problem).collect();
        assert_eq!(found, expected, "{purposes:?} for {purpose}");
    }
}

#[test]
fn name_must_be_one_that_verify_full_can_check() {
    let credential = credential_of(&template());
    assert_eq!(credential.name(), Some("db1.example.com"));
    let named = |name| problems(&check::preflight(&credential, Purpose::Replication, Some(name), now()));
    assert_eq!(named("DB1.example.com"), []);
    assert_eq!(
        named("db1"),
        error(Problem::NameNotCovered),
        "the common name does not count beside a DNS name"
    );

    let only_common_name = credential_of(&Template::new("Sales database", validity()));
    let warned = problems(&at(&only_common_name, Purpose::Server, now()));
    assert_eq!(warned, [(Severity::Warning, Problem::NoUsableName)]);
    let asked = check::preflight(&only_common_name, Purpose::Server, Some("Sales database"), now());
    assert_eq!(asked, []);

    let wildcard = credential_of(&Template::new("db1", validity()).alternative_name("*.example.com"));
    assert_eq!(problems(&at(&wildcard, Purpose::Server, now())), error(Problem::NoUsableName));
    let covered = check::preflight(&wildcard, Purpose::Server, Some("db7.example.com"), now());
    assert_eq!(covered, []);
}

#[test]
fn intermediates_make_the_chain() {
    let root = root("root");
    let (middle_key, leaf_key) =
        (PrivateKey::generate(KeyKind::EcP256).unwrap(), PrivateKey::generate(KeyKind::EcP256).unwrap());
    let template_of_middle = Template::new("middle", validity()).purposes(Purposes::AUTHORITY);
    let middle = root.issue(&template_of_middle, &middle_key).unwrap();
    let leaf = Authority::new(middle.clone(), &middle_key).unwrap().issue(&template(), &leaf_key).unwrap();

    let mut wallet = Wallet::new();
    wallet.add_identity(leaf_key, leaf.clone()).unwrap();
    wallet.add_trusted(root.certificate().clone());
    assert_eq!(problems(&check::wallet(&wallet, Purpose::Server, None, now())), error(Problem::ChainBroken));
    wallet.add_trusted(middle.clone());
    assert_eq!(check::wallet(&wallet, Purpose::Server, None, now()), []);
    assert_eq!(wallet.credential().unwrap().chain, [leaf, middle]);
}

#[test]
fn wallet_can_trust_the_old_and_the_new_root_at_once() {
    let (old, new) = (root("root"), root("root"));
    let issue = |authority: &Authority| {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        (authority.issue(&template(), &key).unwrap(), key)
    };
    let (certificate, key) = issue(&old);
    let mut wallet = Wallet::new();
    wallet.add_identity(key, certificate).unwrap();
    wallet.add_trusted(old.certificate().clone());
    wallet.add_trusted(new.certificate().clone());
    assert_eq!(check::wallet(&wallet, Purpose::Replication, None, now()), []);

    let (renewed, key) = issue(&new);
    let previous = wallet.credential().unwrap();
    wallet.add_identity(key, renewed.clone()).unwrap();
    wallet.remove_identity(previous.leaf());
    assert_eq!(*wallet.credential().unwrap().leaf(), renewed);
    assert_eq!(check::wallet(&wallet, Purpose::Replication, None, now()), []);

    assert!(wallet.remove_trusted(old.certificate()));
    assert_eq!(check::wallet(&wallet, Purpose::Replication, None, now()), []);
    assert_eq!(wallet.private_keys().count(), 1);
}

#[test]
fn wallet_without_key_or_certificate_is_told() {
    let mut wallet = Wallet::new();
    assert_eq!(problems(&check::wallet(&wallet, Purpose::Client, None, now())), error(Problem::NoPrivateKey));
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let request = issue::request(&template(), &key).unwrap();
    wallet.add_request(key, request).unwrap();
    assert_eq!(
        problems(&check::wallet(&wallet, Purpose::Client, None, now())),
        error(Problem::NoCertificate)
    );
}

#[test]
fn weak_key_and_weak_signature_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let output = std::process::Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(dir.path())
            .output()
            .expect("openssl is installed");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let certificate = |name: &str| -> Certificate { read_pem(&read(name)).unwrap().certificates.remove(0) };
    let usages = "-addext extendedKeyUsage=serverAuth,clientAuth -addext subjectAltName=DNS:db1";
    openssl(&format!(
        "req -x509 -newkey rsa:1024 -nodes -keyout weak.pem -out weak.crt -subj /CN=db1 -days 99 {usages}"
    ));
    let weak = certificate("weak.crt");
    let key = PrivateKey::from_pem(&read("weak.pem")).unwrap();
    assert!(key.matches(&weak), "a weak key is still recognised");
    let credential = Credential { chain: vec![weak.clone()], key, trusted: vec![weak.clone()] };
    let findings = at(&credential, Purpose::Server, weak.not_before() + Duration::hours(1));
    assert!(problems(&findings).contains(&(Severity::Error, Problem::WeakKey)), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.message.contains("RSA with 1024 bits")));

    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.pem -out ca.crt -subj /CN=ca -days 99");
    openssl("req -new -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=db1");
    openssl("x509 -req -in req.pem -CA ca.crt -CAkey ca.pem -CAcreateserial -sha1 -days 99 -out sha1.crt");
    let leaf = certificate("sha1.crt");
    let key = PrivateKey::from_pem(&read("key.pem")).unwrap();
    let credential = Credential { chain: vec![leaf.clone()], key, trusted: vec![certificate("ca.crt")] };
    let findings = at(&credential, Purpose::Server, leaf.not_before() + Duration::hours(1));
    assert!(problems(&findings).contains(&(Severity::Error, Problem::WeakSignature)), "{findings:?}");
}

#[test]
fn self_signed_authority_in_use_as_a_party_is_a_warning() {
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let own = issue::self_sign(&template().purposes(Purposes::EVERYTHING), &key).unwrap();
    let mut wallet = Wallet::new();
    wallet.add_identity(key, own.clone()).unwrap();
    wallet.add_trusted(own);
    let findings = check::wallet(&wallet, Purpose::Replication, None, now());
    assert_eq!(problems(&findings), [(Severity::Warning, Problem::AuthorityAsLeaf)]);
}
