//! Makes a wallet with a certificate of its own, a trusted root and many secrets:
//! `make DIR PASSWORD-FILE SECRETS (aes|3des)`.

use std::error::Error;
use std::path::Path;

use time::OffsetDateTime;
use twinlock_wallet::issue::{Authority, KeyKind, Template, Validity};
use twinlock_wallet::{AutoLogin, Derivation, Form, Password, PrivateKey, Wallet};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, password_file, secrets, cipher] = arguments.as_slice() else {
        return Err("usage: make DIR PASSWORD-FILE SECRETS (aes|3des)".into());
    };
    let password = Password::new(std::fs::read_to_string(password_file)?.trim_end());
    let derivation = if cipher == "3des" { Derivation::ORACLE_19C } else { Derivation::ORACLE };

    let validity = Validity::days(OffsetDateTime::now_utc(), 365);
    let (root, _root_key) =
        Authority::create_root(&Template::new("example root", validity), KeyKind::EcP256)?;
    let key = PrivateKey::generate(KeyKind::EcP256)?;
    let certificate =
        root.issue(&Template::new("db1", validity).alternative_name("db1.example.com"), &key)?;

    let mut wallet = Wallet::new();
    wallet.add_identity(key, certificate)?;
    wallet.add_trusted(root.certificate().clone());
    for number in 0..secrets.parse::<u32>()? {
        wallet.set_secret(&format!("example.secret.{number}"), &format!("the value of secret {number}"));
    }
    std::fs::create_dir_all(directory)?;
    wallet.save(
        Path::new(directory),
        &Form { password: Some((password, derivation)), auto_login: AutoLogin::Anyone },
    )?;
    Ok(())
}
