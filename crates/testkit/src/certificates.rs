//! Certificates for tests: one authority and what it issues.

use time::{Duration, OffsetDateTime};
use twinlock_wallet::issue::{Authority, KeyKind, Purposes, Template, Validity};
use twinlock_wallet::{Credential, PrivateKey};

/// An authority of its own, that trusts itself and nobody else.
#[derive(Debug)]
pub struct TestCertificates {
    authority: Authority,
}

impl Default for TestCertificates {
    fn default() -> Self {
        Self::new()
    }
}

impl TestCertificates {
    /// Makes an authority.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new() -> Self {
        let template = Template::new("test root", validity());
        let (authority, _) = Authority::create_root(&template, KeyKind::EcP256).expect("a root can be made");
        Self { authority }
    }

    /// A credential with this common and alternative name, for servers and clients.
    ///
    /// # Panics
    /// When the name cannot be used.
    pub fn credential(&self, name: &str) -> Credential {
        self.credential_of(KeyKind::EcP256, Template::new(name, validity()).alternative_name(name))
    }

    /// A credential with a key of this kind, otherwise as the template says.
    ///
    /// # Panics
    /// When the template cannot be used.
    pub fn credential_of(&self, kind: KeyKind, template: Template) -> Credential {
        let key = PrivateKey::generate(kind).expect("a key can be made");
        let template = template.purposes(Purposes::BOTH);
        let leaf = self.authority.issue(&template, &key).expect("a certificate can be issued");
        Credential { chain: vec![leaf], key, trusted: vec![self.authority.certificate().clone()] }
    }
}

/// Valid since yesterday for 30 days.
pub fn validity() -> Validity {
    Validity::days(OffsetDateTime::now_utc() - Duration::DAY, 30)
}
