//! What a rewrite keeps, to the byte, and what it must not keep.

use std::fs;
use std::path::{Path, PathBuf};

use super::{cheap, cheap_and_old};
use crate::der as asn1;
use crate::limits::{Budget, Limits};
use crate::oid;
use crate::pkcs12::bag::OracleId;
use crate::pkcs12::pbe::Keys;
use crate::pkcs12::pfx::{self, Pfx};
use crate::sso::Sso;
use crate::{
    AutoLogin, Form, LocalIdentity, OpenOptions, Password, Standing, Unlock, Wallet, WalletError, edit,
    standing,
};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn oracle_at_dbhost() -> OpenOptions {
    let local = LocalIdentity { host: "dbhost".into(), user: "oracle".into() };
    OpenOptions { local: Some(local), ..OpenOptions::default() }
}

fn touch_nothing(dir: &Path, unlock: &Unlock) {
    edit::<_, WalletError>(dir, unlock, &oracle_at_dbhost(), |_| Ok(())).unwrap();
}

fn password() -> Password {
    Password::new("Probe#2026")
}

#[test]
fn unchanged_wallets_are_identical_to_the_byte() {
    let by_password = Unlock::Password(password());
    let cases: [(&[(&str, &str)], Unlock); 5] = [
        (&[("ewallet-3des.p12", "ewallet.p12")], by_password.clone()),
        (&[("ewallet-aes.p12", "ewallet.p12")], by_password),
        (&[("cwallet-37.sso", "cwallet.sso")], Unlock::AutoLogin),
        (&[("cwallet-38.sso", "cwallet.sso")], Unlock::AutoLogin),
        (&[("dotnet/ewallet.p12", "ewallet.p12")], Unlock::Password(Password::new("123Wallet"))),
    ];
    for (files, unlock) in cases {
        let dir = tempfile::tempdir().unwrap();
        for (from, to) in files {
            fs::copy(sample(from), dir.path().join(to)).unwrap();
        }
        touch_nothing(dir.path(), &unlock);
        for (from, to) in files {
            assert_eq!(fs::read(dir.path().join(to)).unwrap(), fs::read(sample(from)).unwrap(), "{from}");
        }
    }
}

#[test]
fn setting_what_is_there_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut wallet = Wallet::new();
    wallet.set_secret("a", "b");
    wallet.save_auto_login(dir.path()).unwrap();
    let before = fs::read(dir.path().join("cwallet.sso")).unwrap();
    edit::<_, WalletError>(dir.path(), &Unlock::AutoLogin, &OpenOptions::default(), |wallet| {
        assert!(wallet.set_secret("a", "b"));
        Ok(())
    })
    .unwrap();
    assert_eq!(fs::read(dir.path().join("cwallet.sso")).unwrap(), before);
}

#[test]
fn changed_wallet_gets_new_salts_and_vectors_and_both_files_share_the_codes_salt() {
    let dir = tempfile::tempdir().unwrap();
    let form = Form { password: Some((password(), cheap())), auto_login: AutoLogin::Anyone };
    Wallet::new().save(dir.path(), &form).unwrap();
    let salts = || {
        let p12 = fs::read(dir.path().join("ewallet.p12")).unwrap();
        let sso = fs::read(dir.path().join("cwallet.sso")).unwrap();
        let scheme = |bytes: &[u8], password: &Password| {
            let mut keys = Keys::new(password, Budget::unlimited());
            Pfx::read(bytes, &mut keys, &Limits::default(), true).unwrap().scheme.unwrap()
        };
        let parsed = Sso::read(&sso).unwrap();
        let inner = parsed.passwords(None).unwrap().remove(0);
        let shared = pfx::mac_salt(&p12).unwrap();
        assert_eq!(shared, pfx::mac_salt(parsed.pfx).unwrap());
        let (one, other) = (scheme(&p12, &password()), scheme(parsed.pfx, &inner));
        assert_ne!(one.salt, other.salt);
        (shared, one, other, sso[13..45].to_vec())
    };
    let before = salts();
    edit::<_, WalletError>(dir.path(), &Unlock::Password(password()), &OpenOptions::default(), |wallet| {
        wallet.set_secret("a", "b");
        wallet.delete_secret("a");
        Ok(())
    })
    .unwrap();
    let after = salts();
    assert_ne!(before.0, after.0);
    assert_ne!(before.1, after.1);
    assert_ne!(before.2, after.2);
    assert_ne!(before.3, after.3);
    assert_eq!(standing(dir.path()).unwrap(), Standing::InStep);
}

/// Sizes published for files that Oracle's SQLcl accepted.
#[test]
fn auto_login_files_have_the_sizes_of_oracles() {
    use base64ct::{Base64, Encoding as _};
    assert_eq!(Wallet::new().to_sso_bytes().unwrap().len(), 270);
    for (characters, size) in [(0, 391), (2, 391), (16, 409), (24, 426), (30, 426), (1024, 1771)] {
        let mut wallet = Wallet::new();
        let value = Base64::encode_string("x".repeat(characters).as_bytes());
        wallet.set_secret("dbtools.database.password.base64", &value);
        assert_eq!(wallet.to_sso_bytes().unwrap().len(), size, "{characters} characters");
    }
}

#[test]
fn secret_bag_is_as_mkstore_writes_it() {
    let secret = crate::Secret::new("oracle.security.client.connect_string1", "a_prod_db");
    let expected = "307f060b2a864886f70d010c0a0105a0453043060a2a864886f70d01100c0ca03530330c266f7261636c652e736563757269\
                    74792e636c69656e742e636f6e6e6563745f737472696e67310c09615f70726f645f64623129302706092a864886f70d0109\
                    15311a0418e6b652dd0000000400000000000000060000000300000000";
    let made: String =
        crate::pkcs12::bag::Bag::secret(secret, 3).raw().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(made, expected.replace(' ', ""));
}

/// A file with a bag of an unknown type, one with attributes that do not sort as DER wants them, and a whole
/// ContentInfo that is not understood.
fn strange_file(password: &Password, derivation: crate::Derivation) -> (Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
    let unknown_type = asn1::oid(&der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1"));
    let value = asn1::explicit(0, &[&asn1::octets(b"something")]);
    let attribute = |kind: &[u8], value: &[u8]| {
        asn1::sequence(&[
            &asn1::oid(&der::asn1::ObjectIdentifier::from_bytes(kind).unwrap()),
            &asn1::set(&[value]),
        ])
        .to_vec()
    };
    let unsorted = asn1::set(&[
        &attribute(&[0x2A, 0x09], &asn1::octets(b"zz")),
        &attribute(&[0x2A, 0x03], &asn1::octets(b"a")),
        &attribute(oid::LOCAL_KEY_ID.as_bytes(), &asn1::octets(b"id")),
    ]);
    let unknown_bag = asn1::sequence(&[&unknown_type, &value, &unsorted]);
    let body = asn1::sequence(&[
        &asn1::element(der::Tag::Utf8String, &[b"n"]),
        &asn1::element(der::Tag::Utf8String, &[b"v"]),
    ]);
    let secret = asn1::sequence(&[&asn1::oid(&oid::ORACLE_SECRET_10G), &asn1::explicit(0, &[&body])]);
    let known_bag =
        asn1::sequence(&[&asn1::oid(&oid::SECRET_BAG), &asn1::explicit(0, &[&secret]), &unsorted]);
    let content = asn1::sequence(&[&unknown_type, &asn1::explicit(0, &[&asn1::octets(b"enveloped")])]);

    let bags = [unknown_bag, known_bag];
    let mut keys = Keys::new(password, Budget::unlimited());
    let scheme = crate::pkcs12::pbe::Scheme::generate(derivation.encryption, derivation.iterations).unwrap();
    let protection =
        pfx::Protection { scheme, mac_salt: vec![7; 8], mac_iterations: derivation.code_iterations };
    let bytes = pfx::write(&bags, &[content.to_vec()], protection, &mut keys).unwrap();
    (bytes, bags.iter().map(|bag| bag.to_vec()).collect(), content.to_vec())
}

#[test]
fn unknown_bags_attributes_and_contents_survive_every_rewrite() {
    for derivation in [cheap(), cheap_and_old()] {
        let dir = tempfile::tempdir().unwrap();
        let (bytes, bags, content) = strange_file(&password(), derivation);
        fs::write(dir.path().join("ewallet.p12"), bytes).unwrap();
        crate::protect(dir.path(), &Unlock::Password(password()), &OpenOptions::default(), |_| Form {
            password: Some((Password::new("another one"), derivation)),
            auto_login: AutoLogin::Anyone,
        })
        .unwrap();
        let unlock = Unlock::Password(Password::new("another one"));
        edit::<_, WalletError>(dir.path(), &unlock, &OpenOptions::default(), |wallet| {
            assert_eq!(wallet.secret("n"), Some("v"));
            wallet.set_secret("added", "here");
            Ok(())
        })
        .unwrap();
        for reopened in [
            Wallet::open(dir.path(), &unlock, &OpenOptions::default()).unwrap(),
            Wallet::open_auto_login(dir.path()).unwrap(),
        ] {
            assert_eq!(reopened.bags.len(), 3);
            assert_eq!(reopened.bags[0].raw(), bags[0]);
            assert_eq!(reopened.bags[1].raw(), bags[1]);
            assert_eq!(reopened.unknown_contents, std::slice::from_ref(&content));
        }
    }
}

#[test]
fn another_writers_change_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let mut mine = Wallet::new();
    mine.save_auto_login(dir.path()).unwrap();
    let mut theirs = Wallet::open_auto_login(dir.path()).unwrap();
    theirs.set_secret("theirs", "kept");
    theirs.save_auto_login(dir.path()).unwrap();
    mine.set_secret("mine", "late");
    assert!(matches!(mine.save_auto_login(dir.path()), Err(WalletError::ChangedMeanwhile { .. })));
    assert!(matches!(Wallet::new().save_auto_login(dir.path()), Err(WalletError::Exists { .. })));
    assert_eq!(Wallet::open_auto_login(dir.path()).unwrap().secret("theirs"), Some("kept"));
}

#[test]
fn auto_login_writer_needs_the_password_where_there_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let form = Form { password: Some((password(), cheap())), auto_login: AutoLogin::Anyone };
    Wallet::new().save(dir.path(), &form).unwrap();
    let edited = edit::<(), WalletError>(dir.path(), &Unlock::AutoLogin, &OpenOptions::default(), |_| {
        panic!("not reached");
    });
    assert!(matches!(edited, Err(WalletError::PasswordNeeded { .. })));
    let mut wallet = Wallet::open_auto_login(dir.path()).unwrap();
    wallet.set_secret("a", "b");
    assert!(matches!(wallet.save_auto_login(dir.path()), Err(WalletError::PasswordNeeded { .. })));
}

#[test]
fn auto_login_file_is_made_tied_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let unlock = Unlock::Password(password());
    let form = Form { password: Some((password(), cheap())), auto_login: AutoLogin::No };
    Wallet::new().save(dir.path(), &form).unwrap();
    let set = |auto_login: AutoLogin| {
        crate::protect(dir.path(), &unlock, &oracle_at_dbhost(), |form| Form { auto_login, ..form }).unwrap();
        (standing(dir.path()).unwrap(), crate::auto_login_kind(dir.path()).unwrap())
    };
    let identity = oracle_at_dbhost().local.unwrap();
    let both = crate::AutoLoginKind::WithPasswordFile;
    assert_eq!(set(AutoLogin::Anyone), (Standing::InStep, Some(both)));
    assert_eq!(set(AutoLogin::Local(identity)), (Standing::InStep, Some(crate::AutoLoginKind::Local)));
    assert!(Wallet::open_auto_login(dir.path()).is_err());
    Wallet::open(dir.path(), &Unlock::AutoLogin, &oracle_at_dbhost()).unwrap();
    assert_eq!(set(AutoLogin::No), (Standing::PasswordOnly, None));
}

#[test]
fn trusted_certificates_carry_oracles_mark() {
    let wallet = Wallet::open_auto_login(&sample("cwallet-37.sso")).unwrap();
    let trusted = wallet.trusted().next().unwrap().clone();
    let mut copy = Wallet::new();
    copy.add_trusted(trusted);
    assert_eq!(copy.bags[0].oracle_id(), Some(OracleId { kind: OracleId::TRUSTED, index: 0, flags: 4 }),);
}

#[test]
fn saved_wallet_is_known_to_be_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut wallet = Wallet::new();
    wallet.set_secret("a", "b");
    let form = Form { password: Some((password(), cheap())), auto_login: AutoLogin::Anyone };
    wallet.save(dir.path(), &form).unwrap();
    let files = || ["ewallet.p12", "cwallet.sso"].map(|name| fs::read(dir.path().join(name)).unwrap());
    let first = files();
    wallet.save(dir.path(), &form).unwrap();
    assert_eq!(files(), first, "nothing changed, so nothing is written");
    wallet.set_secret("a", "c");
    wallet.save(dir.path(), &form).unwrap();
    assert_ne!(files(), first);
    assert_eq!(Wallet::open_auto_login(dir.path()).unwrap().secret("a"), Some("c"));
    let another = Form { password: Some((Password::new("another"), cheap())), ..form };
    wallet.save(dir.path(), &another).unwrap();
    assert!(Wallet::open_with_password(dir.path(), &password()).is_err());
}
