//! Whatever a wallet holds, it holds after being written and read.

use std::sync::LazyLock;

use proptest::prelude::*;
use time::macros::datetime;

use super::{cheap, cheap_and_old};
use crate::issue::{self, KeyKind, Purposes, Template, Validity};
use crate::{
    Certificate, CertificateRequest, ConnectCredential, MasterKey, MasterKeyId, Password, PrivateKey, Wallet,
};

type Identity = (PrivateKey, Certificate, CertificateRequest);

/// Making keys takes long; what is written into a file does not depend on which they are.
static IDENTITIES: LazyLock<Vec<Identity>> = LazyLock::new(|| {
    [KeyKind::EcP256, KeyKind::EcP384, KeyKind::Rsa2048, KeyKind::Ed25519]
        .into_iter()
        .map(|kind| {
            let key = PrivateKey::generate(kind).unwrap();
            let validity = Validity::days(datetime!(2026-01-01 00:00 UTC), 30);
            let template = Template::new(format!("{kind:?}"), validity).purposes(Purposes::BOTH);
            let certificate = issue::self_sign(&template, &key).unwrap();
            let request = issue::request(&template, &key).unwrap();
            (key, certificate, request)
        })
        .collect()
});

#[derive(Clone, Debug)]
enum Step {
    Secret(String, String),
    Credential(String, String, String),
    MasterKey([u8; 32]),
    Identity(usize),
    Request(usize),
    Trusted(usize),
    DeleteSecret(usize),
    RemoveIdentity(usize),
    RemoveTrusted(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..4usize;
    prop_oneof![
        4 => (".{0,20}", ".{0,300}").prop_map(|(name, value)| Step::Secret(name, value)),
        2 => (".{0,20}", ".{0,20}", ".{0,20}").prop_map(|(a, b, c)| Step::Credential(a, b, c)),
        1 => any::<[u8; 32]>().prop_map(Step::MasterKey),
        1 => which.clone().prop_map(Step::Identity),
        1 => which.clone().prop_map(Step::Request),
        1 => which.clone().prop_map(Step::Trusted),
        1 => (0..5usize).prop_map(Step::DeleteSecret),
        1 => which.clone().prop_map(Step::RemoveIdentity),
        1 => which.prop_map(Step::RemoveTrusted),
    ]
}

fn apply(wallet: &mut Wallet, step: Step) {
    match step {
        Step::Secret(name, value) => drop(wallet.set_secret(&name, &value)),
        Step::Credential(connect, user, password) => {
            wallet.set_connect_credential(&ConnectCredential::new(connect, user, password));
        }
        Step::MasterKey(key) => {
            let key =
                MasterKey::new(MasterKeyId::generate().unwrap(), key, Some(datetime!(2026-01-02 03:04:05)));
            wallet.set_master_key(&key);
            wallet.set_current_master_key(None, key.id()).unwrap();
        }
        Step::Identity(at) => {
            let (key, certificate, _) = IDENTITIES[at].clone();
            wallet.add_identity(key, certificate).unwrap();
        }
        Step::Request(at) => {
            let (key, _, request) = IDENTITIES[at].clone();
            wallet.add_request(key, request).unwrap();
        }
        Step::Trusted(at) => drop(wallet.add_trusted(IDENTITIES[at].1.clone())),
        Step::DeleteSecret(at) => {
            let name = wallet.secrets().nth(at).map(|secret| secret.name().to_owned());
            if let Some(name) = name {
                assert!(wallet.delete_secret(&name));
                assert_eq!(wallet.secret(&name), None);
            }
        }
        Step::RemoveIdentity(at) => drop(wallet.remove_identity(&IDENTITIES[at].1)),
        Step::RemoveTrusted(at) => drop(wallet.remove_trusted(&IDENTITIES[at].1)),
    }
}

/// Everything that can be asked of a wallet.
fn contents(wallet: &Wallet) -> impl PartialEq + std::fmt::Debug + use<> {
    let keys: Vec<Vec<u8>> = wallet.private_keys().map(|key| key.pkcs8_der().to_vec()).collect();
    let secrets: Vec<(String, String)> =
        wallet.secrets().map(|secret| (secret.name().to_owned(), secret.value().to_owned())).collect();
    let masters: Vec<(MasterKeyId, [u8; 32])> =
        wallet.master_keys().iter().map(|key| (key.id().clone(), *key.key())).collect();
    (
        keys,
        secrets,
        masters,
        wallet.certificates().cloned().collect::<Vec<_>>(),
        wallet.trusted().cloned().collect::<Vec<_>>(),
        wallet.requests().cloned().collect::<Vec<_>>(),
        wallet.connect_credentials(),
        wallet.plain_bags().iter().map(|bag| bag.to_vec()).collect::<Vec<_>>(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn wallet_read_is_the_wallet_written(steps in prop::collection::vec(step(), 0..12), password in "\\PC{1,40}") {
        let mut wallet = Wallet::new();
        steps.into_iter().for_each(|step| apply(&mut wallet, step));
        let expected = contents(&wallet);
        let password = Password::new(password);
        for derivation in [cheap(), cheap_and_old()] {
            let bytes = wallet.to_p12_bytes(&password, &derivation).unwrap();
            let read = Wallet::from_p12_bytes(&bytes, &password).unwrap();
            prop_assert_eq!(&contents(&read), &expected);
            // And from there into the other form.
            let sso = read.to_sso_bytes().unwrap();
            prop_assert_eq!(&contents(&Wallet::from_sso_bytes(&sso).unwrap()), &expected);
        }
    }

    #[test]
    fn certificate_names_are_read_back(name in "[a-z][a-z0-9]{0,20}(\\.[a-z][a-z0-9]{0,10}){0,3}", common in "[^\\x00-\\x1F]{1,20}") {
        let validity = Validity::days(datetime!(2026-01-01 00:00 UTC), 30);
        let template = Template::new(common.as_str(), validity).alternative_name(name.as_str());
        match issue::self_sign(&template, &IDENTITIES[0].0) {
            Ok(certificate) => {
                prop_assert_eq!(certificate.common_name(), Some(common));
                prop_assert!(certificate.verifies_name(&name));
                prop_assert_eq!(Certificate::from_pem(&certificate.to_pem()).unwrap(), certificate);
            }
            Err(_) => prop_assert!(common.trim().is_empty()),
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_wallet(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Wallet::from_p12_bytes(&bytes, &Password::new("x")).is_err());
        prop_assert!(Wallet::from_sso_bytes(&bytes).is_err());
        prop_assert!(Certificate::from_der(&bytes).is_err());
        prop_assert!(PrivateKey::from_pkcs8_der(&bytes).is_err());
        let file = [b"\xA1\xF8\x4E\x37\0\0\0\x06\0\0\0\x21\x06".as_slice(), &bytes].concat();
        prop_assert!(Wallet::from_sso_bytes(&file).is_err());
    }
}
