//! No secret appears in anything that can be formatted.

use time::macros::datetime;

use crate::issue::{self, KeyKind, Template, Validity};
use crate::{
    AutoLogin, ConnectCredential, Derivation, Form, MasterKey, OpenOptions, Password, PrivateKey, Secret,
    Unlock, Wallet,
};

const CANARY: &str = "canary-in-a-coal-mine";

#[test]
fn nothing_formats_a_secret() {
    let now = datetime!(2026-06-01 00:00 UTC);
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    let certificate = issue::self_sign(&Template::new("db1", Validity::days(now, 10)), &key).unwrap();
    let (authority, _) =
        issue::Authority::create_root(&Template::new("root", Validity::days(now, 10)), KeyKind::EcP256)
            .unwrap();
    let request = issue::request(&Template::new("db1", Validity::days(now, 10)), &key).unwrap();
    let master = MasterKey::generate(datetime!(2026-01-01 00:00:00)).unwrap();

    let mut wallet = Wallet::new();
    wallet.add_identity(key.clone(), certificate.clone()).unwrap();
    wallet.add_trusted(certificate.clone());
    wallet.set_secret("name", CANARY);
    wallet.set_connect_credential(&ConnectCredential::new("db1", "scott", CANARY));
    wallet.set_master_key(&master);
    let password = Password::new(CANARY);
    let form = Form { password: Some((password.clone(), Derivation::ORACLE)), auto_login: AutoLogin::Anyone };

    let dir = tempfile::tempdir().unwrap();
    wallet.clone().save(dir.path(), &form).unwrap();
    std::fs::write(dir.path().join("ewallet.p12"), b"not a wallet").unwrap();
    let errors = [
        Wallet::open_with_password(dir.path(), &password).unwrap_err(),
        Wallet::from_p12_bytes(
            &wallet.to_p12_bytes(&password, &Derivation::ORACLE).unwrap(),
            &Password::new("x"),
        )
        .unwrap_err(),
        wallet.clone().save(dir.path(), &form).unwrap_err(),
        Wallet::new()
            .add_request(PrivateKey::generate(KeyKind::EcP256).unwrap(), request.clone())
            .unwrap_err(),
        Wallet::open(dir.path(), &Unlock::Password(password.clone()), &OpenOptions::default()).unwrap_err(),
    ];

    let formatted = [
        format!("{wallet:?} {wallet:#?}"),
        format!("{:?}", wallet.entries().collect::<Vec<_>>()),
        format!("{:?}", wallet.credential().unwrap()),
        format!("{:?} {:?} {:?}", wallet.connect_credentials(), wallet.master_keys(), master),
        format!("{key:?} {certificate:?} {request:?} {password:?} {form:?} {authority:?}"),
        format!("{:?} {:?}", Secret::new("name", CANARY), Unlock::Password(password.clone())),
        errors.iter().map(|error| format!("{error} {error:?} {:?}", error.kind())).collect(),
    ]
    .concat();

    assert!(formatted.contains("db1"), "the test formats what it means to");
    for secret in [CANARY.to_owned(), base64_of(key.pkcs8_der()), master.to_value().to_string()] {
        assert!(!formatted.contains(&secret));
    }
    for bytes in [key.pkcs8_der(), master.key().as_slice(), CANARY.as_bytes()] {
        assert!(!formatted.contains(&format!("{bytes:?}")));
        assert!(!formatted.contains(&format!("{:?}", &bytes[..8]).replace(']', "")));
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(bytes)
}
