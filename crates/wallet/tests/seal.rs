//! A wallet's password is sealed to a TPM or to systemd's host key and comes back from there only.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use twinlock_wallet::seal::{self, Protection, Sealer};
use twinlock_wallet::{AutoLogin, Derivation, Form, Password, Wallet, WalletError};

/// A software TPM of its own, ended when dropped.
struct Tpm {
    process: Child,
    tcti: String,
}

impl Tpm {
    fn start(state: &Path) -> Self {
        for _ in 0..20 {
            let port = free_pair_of_ports();
            let mut process = Command::new("swtpm")
                .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"])
                .arg(format!("dir={}", state.display()))
                .arg("--server")
                .arg(format!("type=tcp,port={port},bindaddr=127.0.0.1"))
                .arg("--ctrl")
                .arg(format!("type=tcp,port={},bindaddr=127.0.0.1", port + 1))
                .stderr(Stdio::null())
                .spawn()
                .expect("swtpm is installed (cargo xtask test installs it)");
            let tcti = format!("swtpm:host=127.0.0.1,port={port}");
            let give_up = Instant::now() + Duration::from_secs(20);
            while Instant::now() < give_up && process.try_wait().unwrap().is_none() {
                let answer = Command::new("tpm2_getrandom").args(["--tcti", &tcti, "4"]).output();
                if answer.expect("tpm2-tools are installed (cargo xtask test installs them)").status.success()
                {
                    return Self { process, tcti };
                }
            }
            // Another process took the port in the meantime: try another one.
            drop(process.kill());
            drop(process.wait());
        }
        panic!("no software TPM came up");
    }

    fn sealer(&self) -> Sealer {
        Sealer::Tpm { tcti: Some(self.tcti.clone()) }
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn free_pair_of_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

fn password() -> Password {
    Password::new("Sealed#2026-secret")
}

fn wallet_in(dir: &Path, auto_login: AutoLogin) {
    let mut wallet = Wallet::new();
    wallet.set_secret("name", "value");
    wallet.save(dir, &Form { password: Some((password(), Derivation::ORACLE)), auto_login }).unwrap();
}

fn opens_with(dir: &Path, password: &Password) -> bool {
    Wallet::open_with_password(dir, password).is_ok()
}

#[test]
fn tpm_gives_the_password_back_and_another_tpm_does_not() {
    let (dir, state, other_state) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    wallet_in(dir.path(), AutoLogin::No);
    let tpm = Tpm::start(state.path());
    let told = seal::seal(dir.path(), &password(), &tpm.sealer()).unwrap();
    assert_eq!(told, Protection::Hardware);
    assert_eq!(told.to_string(), "hardware bound");
    assert_eq!(seal::protection(dir.path()).unwrap(), Some(Protection::Hardware));
    assert!(opens_with(dir.path(), &seal::unseal(dir.path(), Some(&tpm.tcti)).unwrap()));

    let text = std::fs::read_to_string(dir.path().join(seal::SEALED_FILE)).unwrap();
    assert!(!text.contains("Sealed#"));

    let other = Tpm::start(other_state.path());
    let refused = seal::unseal(dir.path(), Some(&other.tcti)).unwrap_err();
    assert!(matches!(refused, WalletError::Program { program: "tpm2_load", .. }), "{refused:?}");
}

#[test]
fn host_key_is_reported_as_no_protection_against_theft() {
    let dir = tempfile::tempdir().unwrap();
    wallet_in(dir.path(), AutoLogin::No);
    let told = seal::seal(dir.path(), &password(), &Sealer::SystemdHost).unwrap();
    assert_eq!(told.to_string(), "host file, same disk: not protected against theft");
    assert!(opens_with(dir.path(), &seal::unseal(dir.path(), None).unwrap()));
}

#[test]
fn sealing_is_refused_beside_an_auto_login_file() {
    let dir = tempfile::tempdir().unwrap();
    wallet_in(dir.path(), AutoLogin::Anyone);
    let error = seal::seal(dir.path(), &password(), &Sealer::SystemdHost).unwrap_err();
    assert!(matches!(error, WalletError::Exists { .. }), "{error:?}");
    assert_eq!(seal::protection(dir.path()).unwrap(), None);
}

#[test]
fn wrong_password_is_not_sealed() {
    let dir = tempfile::tempdir().unwrap();
    wallet_in(dir.path(), AutoLogin::No);
    let error = seal::seal(dir.path(), &Password::new("other"), &Sealer::SystemdHost).unwrap_err();
    assert!(matches!(error.kind(), WalletError::WrongPassword), "{error:?}");
}

#[test]
fn damaged_sealed_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for text in ["", "twinlock sealed wallet password, version 1\nmagic\nAAAA\n", "x\ntpm2\nAAAA\n"] {
        std::fs::write(dir.path().join(seal::SEALED_FILE), text).unwrap();
        assert!(seal::protection(dir.path()).is_err(), "{text:?}");
    }
}
