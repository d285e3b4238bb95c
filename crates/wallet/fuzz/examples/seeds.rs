//! Writes the corpus that fuzzing starts from: `seeds DIR`, with DIR the directory `corpus`.

use std::error::Error;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use time::OffsetDateTime;
use twinlock_wallet::issue::{self, Authority, KeyKind, RevocationReason, Template, Validity};
use twinlock_wallet::{ConnectCredential, Derivation, Password, PrivateKey, Wallet};

/// An auto-login header of scheme 06 with its raw password, published with the format.
const SSO_HEADER: &str =
    "a1f84e36000000060000002106f39e1b5834aa958a10f3fcf3148f6084a1c6e01a49a0deb57d894bd00f164fb6";
const SSO_PASSWORD: &str = "465c505862637c176518145537220a7d";

/// A secret as mkstore writes it, published with the format.
const SECRET_BAG: &str = "307f060b2a864886f70d010c0a0105a0453043060a2a864886f70d01100c0ca03530330c266f7261636c652e7365\
    6375726974792e636c69656e742e636f6e6e6563745f737472696e67310c09615f70726f645f64623129302706092a864886f70d010915311a\
    0418e6b652dd0000000400000000000000060000000300000000";

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args().nth(1).ok_or("usage: seeds DIR")?;
    let write = |target: &str, name: &str, bytes: &[u8]| -> Result<(), Box<dyn Error>> {
        let directory = Path::new(&corpus).join(target);
        fs::create_dir_all(&directory)?;
        Ok(fs::write(directory.join(format!("seed-{name}")), bytes)?)
    };
    let now = OffsetDateTime::now_utc();
    let validity = Validity::days(now, 3650);
    let (root, _) = Authority::create_root(&Template::new("root", validity), KeyKind::EcP256)?;
    let template =
        Template::new("db1", validity).alternative_name("db1.example.com").alternative_name("127.0.0.1");

    let mut wallet = Wallet::new();
    for kind in [KeyKind::EcP256, KeyKind::Rsa2048, KeyKind::Ed25519] {
        let key = PrivateKey::generate(kind)?;
        let certificate = root.issue(&template, &key)?;
        write("der", &format!("certificate-{kind:?}"), certificate.der())?;
        write("der", &format!("key-{kind:?}"), key.pkcs8_der())?;
        write("der", &format!("pem-{kind:?}"), (certificate.to_pem() + &key.to_pem()).as_bytes())?;
        write("der", &format!("request-{kind:?}"), issue::request(&template, &key)?.der())?;
        let list =
            root.revoke(None, &certificate, RevocationReason::KeyCompromise, now, validity.not_after)?;
        write("der", &format!("list-{kind:?}"), list.der())?;
        if kind != KeyKind::Rsa2048 {
            wallet.add_identity(key, certificate)?;
        }
    }
    wallet.add_trusted(root.certificate().clone());
    let key = PrivateKey::generate(KeyKind::EcP256)?;
    let request = issue::request(&template, &key)?;
    wallet.add_request(key, request)?;
    wallet.set_connect_credential(&ConnectCredential::new("db1", "scott", "tiger"));

    for (name, derivation) in [("aes", Derivation::ORACLE), ("3des", Derivation::ORACLE_19C)] {
        let cheap =
            Derivation { iterations: NonZeroU32::MIN, code_iterations: NonZeroU32::MIN, ..derivation };
        write("p12", name, &wallet.to_p12_bytes(&Password::new("fuzz"), &cheap)?)?;
        write("p12", &format!("empty-{name}"), &Wallet::new().to_p12_bytes(&Password::new("fuzz"), &cheap)?)?;
        let inner = String::from_utf8(hex(SSO_PASSWORD))?;
        let file = [hex(SSO_HEADER), wallet.to_p12_bytes(&Password::new(inner), &cheap)?].concat();
        write("sso", name, &file)?;
    }
    write("p12", "plain", &plain_file(&hex(SECRET_BAG)))?;
    let lines = "oracle.security.client.connect_string1=db1\noracle.security.client.username1=scott\n\
                 oracle.security.client.password1=tiger\n\
                 AdAI4ksPz0//v5j6Cjf8ZQ0AAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\
                 AEMAASAAzz8dfB/n5MWRlEBxs6Ya3YAUQGHA4EVpvVIho0wBGMYDEAA9MiwNkiHGAkd9O6b3yCnhBQcAeHsLBg8DFQ==\n";
    write("secrets", "oracle", lines.as_bytes())
}

/// A PKCS#12 file with one bag, nothing encrypted and no authentication code: what a fuzzer can get into.
fn plain_file(bag: &[u8]) -> Vec<u8> {
    let data = |inner: &[u8]| {
        let oid = hex("06092a864886f70d010701");
        element(0x30, &[oid, element(0xA0, &element(0x04, inner))].concat())
    };
    let safe = element(0x30, &data(&element(0x30, bag)));
    element(0x30, &[vec![2, 1, 3], data(&safe)].concat())
}

fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("seeds are small");
    match length {
        0..=0x7F => [&[tag, value.len() as u8], value].concat(),
        0x80..=0xFF => [&[tag, 0x81, value.len() as u8], value].concat(),
        _ => [&[tag, 0x82], &length.to_be_bytes()[..], value].concat(),
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("constants are hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}
