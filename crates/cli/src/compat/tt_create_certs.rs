//! `ttCreateCerts -dir DIR [-force] [-validity DAYS] [-eccurve p256|p384] [-sign_alg ecdsasha256|ecdsasha384]`

use std::path::PathBuf;

use twinlock_wallet::certs::DEFAULT_VALID_DAYS;

use super::arguments::{Given, Known, flag, value};
use crate::certs::{Create, CurveArg};
use crate::wallet::{Failure, output};

const USAGE: &str = "\
usage: ttCreateCerts -dir WALLETDIR [options...]
       ttCreateCerts [-h | -help]
       ttCreateCerts [-V | -version]
options:
  -f | -force
  -verbose
  -validity DAYS
  -sign_alg ALGORITHM (ecdsasha256 ecdsasha384)
  -eccurve TYPE  (p256 p384)
not supported: -valid_from, -valid_until, -dryrun, p521, ecdsasha512";

const KNOWN: &[Known] = &[
    value("-dir"),
    flag("-f"),
    flag("-force"),
    flag("-verbose"),
    value("-validity"),
    value("-sign_alg"),
    value("-eccurve"),
    flag("-h"),
    flag("-help"),
    flag("-V"),
    flag("-version"),
];

pub(super) fn run(arguments: &[String]) -> Result<(), Failure> {
    let given = Given::parse("ttCreateCerts", arguments, KNOWN)?;
    if given.has("-h") || given.has("-help") {
        return output::line(USAGE);
    }
    if given.has("-V") || given.has("-version") {
        return output::line(concat!("ttCreateCerts (twinlock ", env!("CARGO_PKG_VERSION"), ")"));
    }
    let dir = PathBuf::from(given.required("-dir")?);
    if !dir.is_dir() {
        return Err(Failure::new(format!("{} is not a directory", dir.display()))
            .hint("nothing was made; make it first"));
    }
    let force = given.has("-f") || given.has("-force");
    let days = given.number("-validity")?.unwrap_or(DEFAULT_VALID_DAYS);
    Create::documented(dir, days, curve(&given)?, force).run()
}

/// Signature and curve go together: each curve is used with the digest of its own strength.
fn curve(given: &Given) -> Result<CurveArg, Failure> {
    let curve = given.value("-eccurve").map(str::to_ascii_lowercase);
    let digest = given.value("-sign_alg").map(str::to_ascii_lowercase);
    match (curve.as_deref(), digest.as_deref()) {
        (None | Some("p256"), None | Some("ecdsasha256")) => Ok(CurveArg::P256),
        (Some("p384"), None | Some("ecdsasha384")) | (None, Some("ecdsasha384")) => Ok(CurveArg::P384),
        (curve, digest) => Err(Failure::usage(format!(
            "ttCreateCerts: -eccurve {} with -sign_alg {} is not supported",
            curve.unwrap_or("p256"),
            digest.unwrap_or("ecdsasha256"),
        ))
        .hint("nothing was made; supported are p256 with ecdsasha256 and p384 with ecdsasha384")),
    }
}
