//! OpenSSL and Java open what we write, and we open what they write.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::Path;
use std::process::{Command, Output};

use time::OffsetDateTime;
use twinlock_wallet::issue::{self, Authority, KeyKind, Purposes, RevocationReason, Template, Validity};
use twinlock_wallet::{
    AutoLogin, Certificate, Derivation, Form, OpenOptions, Password, PrivateKey, Unlock, Wallet, WalletError,
};

const PASSWORD: &str = "Probe#2026-long";

fn run(dir: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .output()
        .unwrap_or_else(|error| panic!("{program} is installed (cargo xtask test installs it): {error}"))
}

fn succeed(dir: &Path, program: &str, arguments: &[&str]) -> String {
    let output = run(dir, program, arguments);
    let text = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}:\n{text}");
    text
}

/// OpenSSL 3 keeps the old ciphers apart.
fn openssl(dir: &Path, arguments: &str) -> String {
    succeed(dir, "openssl", &arguments.split(' ').collect::<Vec<_>>())
}

fn validity() -> Validity {
    Validity::days(OffsetDateTime::now_utc(), 30)
}

fn root() -> (Authority, PrivateKey) {
    Authority::create_root(&Template::new("interop root", validity()), KeyKind::EcP256).unwrap()
}

fn wallet_with_identity(kind: KeyKind) -> Wallet {
    let (authority, _) = root();
    let key = PrivateKey::generate(kind).unwrap();
    let template = Template::new("db1", validity()).alternative_name("db1.example.com");
    let certificate = authority.issue(&template, &key).unwrap();
    let mut wallet = Wallet::new();
    wallet.add_identity(key, certificate).unwrap();
    wallet.add_trusted(authority.certificate().clone());
    wallet
}

fn derivations() -> [Derivation; 3] {
    let stronger = Derivation::with_iterations(50_000.try_into().unwrap());
    [Derivation::ORACLE, Derivation::ORACLE_19C, stronger]
}

#[test]
fn openssl_opens_every_form_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    for kind in [KeyKind::EcP256, KeyKind::EcP384, KeyKind::Rsa2048, KeyKind::Ed25519] {
        for derivation in derivations() {
            let mut wallet = wallet_with_identity(kind);
            wallet.set_secret("name", "value");
            let bytes = wallet.to_p12_bytes(&Password::new(PASSWORD), &derivation).unwrap();
            std::fs::write(dir.path().join("ewallet.p12"), bytes).unwrap();
            let text = openssl(
                dir.path(),
                &format!("pkcs12 -in ewallet.p12 -passin pass:{PASSWORD} -nodes -legacy -info"),
            );
            let credential = wallet.credential().unwrap();
            assert!(text.contains(credential.leaf().to_pem().trim()), "{kind:?} {derivation:?}");
            assert!(text.contains(credential.key_pem().trim()), "{kind:?} {derivation:?}");
            assert!(text.contains(&format!("MAC: sha1, Iteration {}", derivation.code_iterations)), "{text}");
            assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2);
            assert!(text.contains("Secret bag"));
        }
    }
}

#[test]
fn openssl_opens_passwords_beyond_ascii() {
    let dir = tempfile::tempdir().unwrap();
    let password = "Pässwörter-€-🔑";
    let wallet = wallet_with_identity(KeyKind::EcP256);
    for derivation in derivations() {
        let bytes = wallet.to_p12_bytes(&Password::new(password), &derivation).unwrap();
        std::fs::write(dir.path().join("ewallet.p12"), bytes).unwrap();
        openssl(dir.path(), &format!("pkcs12 -in ewallet.p12 -passin pass:{password} -nodes -legacy"));
    }
}

#[test]
fn unchanged_key_and_certificate_come_back_from_openssl() {
    let dir = tempfile::tempdir().unwrap();
    openssl(
        dir.path(),
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=from-openssl",
    );
    let certificate =
        Certificate::from_pem(&std::fs::read_to_string(dir.path().join("cert.pem")).unwrap()).unwrap();
    let forms = [
        "",
        " -legacy",
        " -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        " -keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha256",
        " -keypbe AES-256-CBC -certpbe NONE -macalg sha512 -iter 1",
        " -keypbe NONE -certpbe NONE -macalg sha384",
        " -legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40",
        " -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-2DES",
        " -iter 300000 -maciter",
        " -nomaciter",
        " -name friendly",
    ];
    for form in forms {
        let command =
            format!("pkcs12 -export -in cert.pem -inkey key.pem -out out.p12 -passout pass:{PASSWORD}{form}");
        openssl(dir.path(), &command);
        let path = dir.path().join("out.p12");
        let wallet = Wallet::open_with_password(&path, &Password::new(PASSWORD)).unwrap_or_else(|error| {
            panic!("{form}: {error:?}");
        });
        let credential = wallet.credential().unwrap();
        assert_eq!(*credential.leaf(), certificate, "{form}");
        let error = Wallet::open_with_password(&path, &Password::new("wrong")).unwrap_err();
        assert!(matches!(error.kind(), WalletError::WrongPassword), "{form}: {error:?}");
    }
}

#[test]
fn file_without_authentication_code_is_taken_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    openssl(dir.path(), "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x");
    openssl(
        dir.path(),
        &format!("pkcs12 -export -in cert.pem -inkey key.pem -out out.p12 -passout pass:{PASSWORD} -nomac"),
    );
    let path = dir.path().join("out.p12");
    let error = Wallet::open_with_password(&path, &Password::new(PASSWORD)).unwrap_err();
    assert!(matches!(error.kind(), WalletError::NoAuthenticationCode), "{error:?}");
    let options = OpenOptions { allow_unauthenticated: true, ..OpenOptions::default() };
    let wallet = Wallet::open(&path, &Unlock::Password(Password::new(PASSWORD)), &options).unwrap();
    wallet.credential().unwrap();
}

#[test]
fn openssl_file_changed_by_us_still_opens_there() {
    let dir = tempfile::tempdir().unwrap();
    openssl(dir.path(), "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x");
    openssl(
        dir.path(),
        &format!(
            "pkcs12 -export -in cert.pem -inkey key.pem -out ewallet.p12 -passout pass:{PASSWORD} -name friendly"
        ),
    );
    let unlock = Unlock::Password(Password::new(PASSWORD));
    twinlock_wallet::edit::<_, WalletError>(dir.path(), &unlock, &OpenOptions::default(), |wallet| {
        wallet.set_secret("added", "here");
        Ok(())
    })
    .unwrap();
    let text = openssl(dir.path(), &format!("pkcs12 -in ewallet.p12 -passin pass:{PASSWORD} -nodes"));
    assert!(text.contains("friendlyName: friendly"), "attributes survive:\n{text}");
    assert!(text.contains("BEGIN PRIVATE KEY") && text.contains("BEGIN CERTIFICATE"));
}

#[test]
fn keytool_lists_the_private_key_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    for kind in [KeyKind::EcP256, KeyKind::Rsa2048] {
        for derivation in derivations() {
            let mut wallet = wallet_with_identity(kind);
            let form =
                Form { password: Some((Password::new(PASSWORD), derivation)), auto_login: AutoLogin::No };
            let wallet_dir = tempfile::tempdir_in(dir.path()).unwrap();
            wallet.save(wallet_dir.path(), &form).unwrap();
            let file = wallet_dir.path().join("ewallet.p12");
            let arguments = [
                "-list",
                "-v",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                file.to_str().unwrap(),
            ];
            let text = succeed(dir.path(), "keytool", &arguments);
            assert!(text.contains("PrivateKeyEntry"), "{kind:?} {derivation:?}\n{text}");
            assert!(text.contains("Certificate chain length: 2"), "{kind:?} {derivation:?}\n{text}");
        }
    }
}

#[test]
fn keystores_of_keytool_open() {
    let dir = tempfile::tempdir().unwrap();
    let generate = [
        "-genkeypair",
        "-alias",
        "db1",
        "-keyalg",
        "EC",
        "-groupname",
        "secp256r1",
        "-dname",
        "CN=db1,O=Example",
        "-storetype",
        "PKCS12",
        "-keystore",
        "java.p12",
        "-storepass",
        PASSWORD,
        "-validity",
        "30",
    ];
    succeed(dir.path(), "keytool", &generate);
    let secret = [
        "-genseckey",
        "-alias",
        "aes",
        "-keyalg",
        "AES",
        "-keysize",
        "256",
        "-storetype",
        "PKCS12",
        "-keystore",
        "java.p12",
        "-storepass",
        PASSWORD,
    ];
    succeed(dir.path(), "keytool", &secret);
    for old in [false, true] {
        let file = if old { "old.p12" } else { "java.p12" };
        if old {
            let import = [
                "-J-Dkeystore.pkcs12.legacy=true",
                "-importkeystore",
                "-srckeystore",
                "java.p12",
                "-srcstorepass",
                PASSWORD,
                "-srcalias",
                "db1",
                "-destkeystore",
                file,
                "-deststoretype",
                "PKCS12",
                "-deststorepass",
                PASSWORD,
            ];
            succeed(dir.path(), "keytool", &import);
        }
        let wallet = Wallet::open_with_password(&dir.path().join(file), &Password::new(PASSWORD)).unwrap();
        assert_eq!(wallet.credential().unwrap().leaf().subject(), "CN=db1,O=Example", "{file}");
    }
}

#[test]
fn openssl_verifies_what_we_issue_and_revoke() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    for kind in [KeyKind::EcP256, KeyKind::EcP384, KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Ed25519] {
        let (authority, _) = Authority::create_root(&Template::new("root", validity()), kind).unwrap();
        let key = PrivateKey::generate(kind).unwrap();
        let template =
            Template::new("db1", validity()).alternative_name("db1.example.com").alternative_name("::1");
        let request = issue::request(&template, &key).unwrap();
        let certificate = authority.sign(&request, validity(), Purposes::BOTH).unwrap();
        let renewed = authority.renew(&certificate, &key, validity()).unwrap();
        assert_ne!(renewed.serial_hex(), certificate.serial_hex());
        assert_eq!(renewed.dns_names(), ["db1.example.com"]);
        assert_eq!(renewed.subject(), certificate.subject());
        write("root.pem", &authority.certificate().to_pem());
        write("cert.pem", &certificate.to_pem());
        write("renewed.pem", &renewed.to_pem());
        write("request.pem", &request.to_pem());
        openssl(dir.path(), "req -in request.pem -verify -noout");
        for name in
            ["-purpose sslserver", "-purpose sslclient", "-verify_hostname db1.example.com", "-verify_ip ::1"]
        {
            openssl(dir.path(), &format!("verify -x509_strict -CAfile root.pem {name} cert.pem"));
        }

        let now = OffsetDateTime::now_utc();
        let list = authority
            .revoke(None, &certificate, RevocationReason::KeyCompromise, now, now + time::Duration::days(7))
            .unwrap();
        write("crl.pem", &list.to_pem());
        openssl(dir.path(), "verify -crl_check -CAfile root.pem -CRLfile crl.pem renewed.pem");
        let refused = run(
            dir.path(),
            "openssl",
            &["verify", "-crl_check", "-CAfile", "root.pem", "-CRLfile", "crl.pem", "cert.pem"],
        );
        assert!(
            String::from_utf8_lossy(&refused.stderr).contains("certificate revoked"),
            "{kind:?}: {refused:?}"
        );
    }
}

#[test]
fn requests_and_chains_of_openssl_are_understood() {
    let dir = tempfile::tempdir().unwrap();
    openssl(
        dir.path(),
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out r.pem -subj /C=DE/O=Ex/CN=db2 \
         -addext subjectAltName=DNS:db2.example.com",
    );
    let request = std::fs::read_to_string(dir.path().join("r.pem")).unwrap();
    let request = twinlock_wallet::CertificateRequest::from_pem(&request).unwrap();
    assert_eq!(request.subject(), "CN=db2,O=Ex,C=DE");
    let (authority, _) = root();
    let certificate = authority.sign(&request, validity(), Purposes::SERVER).unwrap();
    assert_eq!(certificate.subject(), "CN=db2,O=Ex,C=DE");
    assert_eq!(certificate.dns_names(), ["db2.example.com"]);
    let key = PrivateKey::from_pem(&std::fs::read_to_string(dir.path().join("k.pem")).unwrap()).unwrap();
    assert!(key.matches(&certificate) && request.is_for(&key));
    assert!(certificate.allows_server_auth() && !certificate.allows_client_auth());
}
