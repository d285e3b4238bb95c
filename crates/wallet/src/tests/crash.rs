//! A write stopped at any of its steps leaves the old wallet or the new one.

use std::fs;
use std::path::Path;

use super::cheap;
use crate::durable::failpoint;
use crate::{AutoLogin, Form, OpenOptions, Password, Standing, Unlock, Wallet, edit, standing};

fn password() -> Password {
    Password::new("Probe#2026-crash")
}

fn with_both_files(dir: &Path) {
    let mut wallet = Wallet::new();
    wallet.set_secret("generation", "old");
    wallet.save(dir, &Form { password: Some((password(), cheap())), auto_login: AutoLogin::Anyone }).unwrap();
}

fn set_generation(dir: &Path, value: &str) -> Result<(), crate::WalletError> {
    let unlock = Unlock::Password(password());
    edit(dir, &unlock, &OpenOptions::default(), |wallet| {
        wallet.set_secret("generation", value);
        Ok(())
    })
}

fn by_password(dir: &Path) -> String {
    let wallet = Wallet::open_with_password(dir, &password()).unwrap();
    wallet.secret("generation").unwrap().to_owned()
}

fn by_auto_login(dir: &Path) -> String {
    Wallet::open_auto_login(dir).unwrap().secret("generation").unwrap().to_owned()
}

#[test]
fn both_files_change_as_one_wherever_the_write_stops() {
    let mut seen = Vec::new();
    for steps in 0.. {
        let dir = tempfile::tempdir().unwrap();
        with_both_files(dir.path());
        failpoint::stop_after(steps);
        let written = set_generation(dir.path(), "new");
        let reached = failpoint::disarm();

        let (one, other) = (by_password(dir.path()), by_auto_login(dir.path()));
        let told = standing(dir.path()).unwrap();
        let expected = match (one.as_str(), other.as_str()) {
            ("old", "old") | ("new", "new") => Standing::InStep,
            ("new", "old") => Standing::AutoLoginBehind { update_waiting: true },
            mixture => panic!("{mixture:?} after {reached:?}"),
        };
        assert_eq!(told, expected, "after {reached:?}");
        seen.push((one.clone(), other));

        // The next writer needs no password to finish: it changes nothing, and both files say the same.
        let finishing = crate::directory::Directory::new(dir.path()).lock().unwrap();
        drop(finishing);
        assert_eq!(by_auto_login(dir.path()), one, "finished after {reached:?}");
        assert_eq!(standing(dir.path()).unwrap(), Standing::InStep);
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 3, "two files and the lock, nothing left over after {reached:?}");
        if written.is_ok() {
            break;
        }
    }
    let state = |one: &str, other: &str| seen.contains(&(one.to_owned(), other.to_owned()));
    assert!(state("old", "old") && state("new", "old") && state("new", "new"), "{seen:?}");
}

#[test]
fn writer_after_a_crash_builds_on_what_was_finished() {
    let dir = tempfile::tempdir().unwrap();
    with_both_files(dir.path());
    for steps in 0..14 {
        failpoint::stop_after(steps);
        drop(set_generation(dir.path(), &format!("stopped {steps}")));
        failpoint::disarm();
        set_generation(dir.path(), &format!("after {steps}")).unwrap();
        assert_eq!(by_password(dir.path()), format!("after {steps}"));
        assert_eq!(by_auto_login(dir.path()), format!("after {steps}"));
    }
}

#[test]
fn failed_write_takes_its_files_away() {
    let dir = tempfile::tempdir().unwrap();
    with_both_files(dir.path());
    // The name under which the second file would wait is taken by something that cannot be removed.
    fs::create_dir(dir.path().join(".cwallet.sso.new")).unwrap();
    assert!(set_generation(dir.path(), "new").is_err());
    assert_eq!((by_password(dir.path()), by_auto_login(dir.path())), ("old".into(), "old".into()));
    assert!(!dir.path().join(".ewallet.p12.new").exists());
}

#[test]
fn two_writers_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    with_both_files(dir.path());
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let dir = dir.path();
            scope.spawn(move || {
                for turn in 0..10 {
                    let unlock = Unlock::Password(password());
                    edit::<_, crate::WalletError>(dir, &unlock, &OpenOptions::default(), |wallet| {
                        wallet.set_secret(&format!("{writer}-{turn}"), "here");
                        Ok(())
                    })
                    .unwrap();
                }
            });
        }
    });
    let wallet = Wallet::open_auto_login(dir.path()).unwrap();
    assert_eq!(wallet.secrets().count(), 41);
    assert_eq!(standing(dir.path()).unwrap(), Standing::InStep);
}
