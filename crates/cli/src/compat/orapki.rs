//! `orapki wallet ...` and `orapki cert create`

use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use twinlock_wallet::issue::{self, Authority, KeyKind, Purposes, Template, Validity};
use twinlock_wallet::{
    AutoLogin, Certificate, CertificateRequest, Derivation, Form, PASSWORD_FILE, PrivateKey, Unlock, Wallet,
    durable, edit, protect,
};

use super::arguments::{Given, Known, flag, value};
use super::{ask, mkstore};
use crate::wallet::place;
use crate::wallet::{Failure, output, pem};

const WALLET: Known = value("-wallet");
const PASSWORD: Known = value("-pwd");

const USAGE: &str = "\
orapki wallet create -wallet DIR [-pwd PASSWORD] [-auto_login | -auto_login_local | -auto_login_only]
orapki wallet display -wallet DIR [-pwd PASSWORD] [-complete | -summary]
orapki wallet add -wallet DIR -dn DN [-keysize BITS | -asym_alg ECC [-eccurve p256|p384]] [-self_signed -validity DAYS]
orapki wallet add -wallet DIR (-trusted_cert | -user_cert) -cert FILE [-pwd PASSWORD]
orapki wallet remove -wallet DIR -trusted_cert -dn DN [-pwd PASSWORD]
orapki wallet export -wallet DIR -dn DN (-cert FILE | -request FILE) [-pwd PASSWORD]
orapki wallet change_pwd -wallet DIR [-oldpwd PASSWORD] [-newpwd PASSWORD]
orapki cert create -wallet DIR -request FILE -cert FILE -validity DAYS [-pwd PASSWORD]";

pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).take(2).collect();
    let rest = arguments.get(2..).unwrap_or_default();
    let parse = |known: &[Known]| Given::parse(&format!("orapki {}", words.join(" ")), rest, known);
    match words[..] {
        [] | ["help" | "-help", ..] => output::line(USAGE),
        ["wallet", "create"] => create(&parse(&[
            WALLET,
            PASSWORD,
            flag("-auto_login"),
            flag("-auto_login_local"),
            flag("-auto_login_only"),
        ])?),
        ["wallet", "display"] => display(&parse(&[WALLET, PASSWORD, flag("-complete"), flag("-summary")])?),
        ["wallet", "add"] => add(&parse(&[
            WALLET,
            PASSWORD,
            value("-dn"),
            value("-keysize"),
            value("-asym_alg"),
            value("-eccurve"),
            value("-sign_alg"),
            flag("-self_signed"),
            value("-validity"),
            flag("-trusted_cert"),
            flag("-user_cert"),
            value("-cert"),
        ])?),
        ["wallet", "remove"] => remove(&parse(&[WALLET, PASSWORD, flag("-trusted_cert"), value("-dn")])?),
        ["wallet", "export"] => {
            export(&parse(&[WALLET, PASSWORD, value("-dn"), value("-cert"), value("-request")])?)
        }
        ["wallet", "change_pwd"] => change_password(&parse(&[WALLET, value("-oldpwd"), value("-newpwd")])?),
        ["cert", "create"] => {
            certify(&parse(&[WALLET, PASSWORD, value("-request"), value("-cert"), value("-validity")])?)
        }
        _ => Err(Failure::usage(format!("orapki {} is not supported", words.join(" "))).hint(USAGE)),
    }
}

fn directory(given: &Given) -> Result<&Path, Failure> {
    given.required("-wallet").map(Path::new)
}

fn unlock(given: &Given) -> Result<Unlock, Failure> {
    match directory(given)?.join(PASSWORD_FILE).exists() {
        true => Ok(Unlock::Password(ask::password(given.secret("-pwd", 0))?)),
        false => Ok(Unlock::AutoLogin),
    }
}

fn open(given: &Given) -> Result<Wallet, Failure> {
    Ok(Wallet::open(directory(given)?, &unlock(given)?, &place::options())?)
}

fn change<T>(given: &Given, change: impl FnOnce(&mut Wallet) -> Result<T, Failure>) -> Result<T, Failure> {
    edit(directory(given)?, &unlock(given)?, &place::options(), change)
}

fn create(given: &Given) -> Result<(), Failure> {
    let auto_login =
        match (given.has("-auto_login_local"), given.has("-auto_login") || given.has("-auto_login_only")) {
            (true, _) => AutoLogin::Local(
                place::local_identity()
                    .ok_or_else(|| Failure::new("the system does not tell the host's and the user's name"))?,
            ),
            (false, true) => AutoLogin::Anyone,
            (false, false) => AutoLogin::No,
        };
    if auto_login != AutoLogin::No && directory(given)?.join(PASSWORD_FILE).exists() {
        // As documented: on a wallet that is there, this makes its auto-login file.
        let unlock = unlock(given)?;
        return Ok(protect(directory(given)?, &unlock, &place::options(), |form| Form {
            auto_login,
            ..form
        })?);
    }
    let password = match given.has("-auto_login_only") {
        true => None,
        false => Some((ask::new_password(given.secret("-pwd", 0))?, Derivation::ORACLE)),
    };
    mkstore::make(directory(given)?, &Form { password, auto_login })
}

fn display(given: &Given) -> Result<(), Failure> {
    let wallet = open(given)?;
    output::line("Requested Certificates:")?;
    wallet
        .requests()
        .try_for_each(|request| output::line(format!("Subject:        {}", request.subject())))?;
    output::line("User Certificates:")?;
    wallet.certificates().try_for_each(shown)?;
    output::line("Trusted Certificates:")?;
    wallet.trusted().try_for_each(shown)
}

fn shown(certificate: &Certificate) -> Result<(), Failure> {
    output::line(format!("Subject:        {}", certificate.subject()))
}

fn add(given: &Given) -> Result<(), Failure> {
    match (given.has("-trusted_cert"), given.has("-user_cert"), given.has("-self_signed")) {
        (true, false, false) => {
            let certificates = pem::certificates(Path::new(given.required("-cert")?))?;
            change(given, |wallet| {
                for certificate in certificates {
                    wallet.add_trusted(certificate);
                }
                Ok(())
            })
        }
        (false, true, false) => add_user_certificate(given),
        (false, false, true) => {
            let (template, key) = subject(given)?;
            let certificate = issue::self_sign(&template.purposes(Purposes::EVERYTHING), &key)?;
            change(given, |wallet| {
                wallet.add_identity(key, certificate.clone())?;
                // orapki puts it among the trusted as well.
                wallet.add_trusted(certificate);
                Ok(())
            })
        }
        (false, false, false) => {
            let (template, key) = subject(given)?;
            let request = issue::request(&template, &key)?;
            change(given, |wallet| Ok(wallet.add_request(key, request)?))
        }
        _ => Err(Failure::usage(
            "orapki wallet add: -trusted_cert, -user_cert and -self_signed exclude each other",
        )),
    }
}

fn add_user_certificate(given: &Given) -> Result<(), Failure> {
    let mut certificates = pem::certificates(Path::new(given.required("-cert")?))?.into_iter();
    change(given, |wallet| {
        if let Some(own) = certificates.next() {
            wallet.add_certificate(own)?;
        }
        for certificate in certificates {
            wallet.add_trusted(certificate);
        }
        Ok(())
    })
}

/// Who a new key is for, and the key.
fn subject(given: &Given) -> Result<(Template, PrivateKey), Failure> {
    let days = given.number("-validity")?.unwrap_or(365);
    let template =
        Template::from_dn(given.required("-dn")?, Validity::days(OffsetDateTime::now_utc(), days))?;
    if let Some(algorithm) =
        given.value("-sign_alg").filter(|name| !matches!(*name, "sha256" | "ecdsasha256"))
    {
        return Err(Failure::usage(format!("orapki wallet add: -sign_alg {algorithm} is not supported")));
    }
    Ok((template, PrivateKey::generate(key_kind(given)?)?))
}

fn key_kind(given: &Given) -> Result<KeyKind, Failure> {
    let refused = |what: &str, value: &str| {
        Err(Failure::usage(format!("orapki wallet add: {what} {value} is not supported")))
    };
    match (given.value("-asym_alg").unwrap_or("RSA"), given.value("-keysize"), given.value("-eccurve")) {
        ("RSA", None | Some("2048"), None) => Ok(KeyKind::Rsa2048),
        ("RSA", Some("3072"), None) => Ok(KeyKind::Rsa3072),
        ("RSA", Some("4096"), None) => Ok(KeyKind::Rsa4096),
        ("ECC", None, None | Some("p256")) => Ok(KeyKind::EcP256),
        ("ECC", None, Some("p384")) => Ok(KeyKind::EcP384),
        ("RSA", Some(size), None) => refused("-keysize", size),
        ("ECC", None, Some(curve)) => refused("-eccurve", curve),
        (algorithm, ..) => refused("-asym_alg", algorithm),
    }
}

fn remove(given: &Given) -> Result<(), Failure> {
    if !given.has("-trusted_cert") {
        return Err(Failure::usage("orapki wallet remove: only -trusted_cert is supported"));
    }
    let wanted = comparable(given.required("-dn")?);
    change(given, |wallet| {
        let found =
            wallet.trusted().find(|certificate| comparable(&certificate.subject()) == wanted).cloned();
        let certificate = found.ok_or_else(|| no_such("trusted certificate", given))?;
        wallet.remove_trusted(&certificate);
        Ok(())
    })
}

fn export(given: &Given) -> Result<(), Failure> {
    let (wallet, wanted) = (open(given)?, comparable(given.required("-dn")?));
    let (path, text) = match (given.value("-cert"), given.value("-request")) {
        (Some(path), None) => {
            let mut all = wallet.certificates().chain(wallet.trusted());
            (
                path,
                all.find(|certificate| comparable(&certificate.subject()) == wanted).map(Certificate::to_pem),
            )
        }
        (None, Some(path)) => {
            let found = wallet.requests().find(|request| comparable(request.subject()) == wanted);
            (path, found.map(CertificateRequest::to_pem))
        }
        _ => return Err(Failure::usage("orapki wallet export: give either -cert or -request")),
    };
    write(path, &text.ok_or_else(|| no_such("certificate or request", given))?)
}

fn no_such(kind: &str, given: &Given) -> Failure {
    Failure::new(format!("the wallet has no {kind} {:?}", given.value("-dn").unwrap_or_default()))
        .hint("nothing was changed; `orapki wallet display` shows the names")
}

/// Names are compared without regard to spaces after commas and to case.
fn comparable(name: &str) -> String {
    name.split(',').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>().join(",")
}

fn change_password(given: &Given) -> Result<(), Failure> {
    let unlock = Unlock::Password(ask::password(given.secret("-oldpwd", 0))?);
    let new = ask::new_password(given.secret("-newpwd", 0))?;
    Ok(protect(directory(given)?, &unlock, &place::options(), |form| {
        let password = form.password.map(|(_, derivation)| (new, derivation));
        Form { password, ..form }
    })?)
}

fn certify(given: &Given) -> Result<(), Failure> {
    let path = PathBuf::from(given.required("-request")?);
    let cannot = || format!("cannot read {}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::new(cannot()).because(error))?;
    let request =
        CertificateRequest::from_pem(&text).map_err(|error| Failure::new(cannot()).because(error))?;
    let days = given.number("-validity")?.unwrap_or(365);
    let credential = open(given)?.credential()?;
    let authority = Authority::new(credential.leaf().clone(), &credential.key)?;
    let validity = Validity::days(OffsetDateTime::now_utc(), days);
    write(given.required("-cert")?, &authority.sign(&request, validity, Purposes::BOTH)?.to_pem())
}

fn write(path: &str, text: &str) -> Result<(), Failure> {
    durable::replace_file(Path::new(path), text.as_bytes(), 0o644)
        .map_err(|error| Failure::new(format!("cannot write {path}")).because(error))
}
