//! What a machine must have: detected by what is used, installed by Debian's package of it.

use crate::debian;
use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// What the machine is asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Build and run.
    Start,
    /// Also run every check and test.
    Test,
}

/// One thing that must be there.
struct Need {
    package: &'static str,
    why: &'static str,
    purpose: Purpose,
    found: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        package: "build-essential",
        why: "C compiler and linker for the cryptography library",
        purpose: Purpose::Start,
        found: || process::find_on_path("cc").is_some(),
    },
    Need {
        package: "postgresql",
        why: "the database itself, with pg_basebackup and pg_rewind",
        purpose: Purpose::Start,
        found: || !debian::postgres_bindirs().is_empty(),
    },
    Need {
        package: "git",
        why: "the checks look at the files that git knows",
        purpose: Purpose::Test,
        found: || process::find_on_path("git").is_some(),
    },
    Need {
        package: "openssl",
        why: "tests compare with an implementation that is not ours",
        purpose: Purpose::Test,
        found: || process::find_on_path("openssl").is_some(),
    },
    Need {
        package: "default-jdk-headless",
        why: "tests open our wallets with keytool",
        purpose: Purpose::Test,
        found: || process::find_on_path("keytool").is_some(),
    },
    Need {
        package: "systemd",
        why: "tests seal wallets with systemd-creds",
        purpose: Purpose::Test,
        found: || process::find_on_path("systemd-creds").is_some(),
    },
    Need {
        package: "tpm2-tools",
        why: "tests seal wallets",
        purpose: Purpose::Test,
        found: || process::find_on_path("tpm2_unseal").is_some(),
    },
    Need {
        package: "swtpm",
        why: "tests seal wallets to a TPM in software",
        purpose: Purpose::Test,
        found: || process::find_on_path("swtpm").is_some(),
    },
    Need {
        package: "shellcheck",
        why: "the shell scripts are checked",
        purpose: Purpose::Test,
        found: || process::find_on_path("shellcheck").is_some(),
    },
];

/// Parts of the Rust toolchain, which no package manager of ours may touch.
const RUST_PARTS: &[(&str, &[&str])] =
    &[("rustfmt", &["fmt", "--version"]), ("clippy", &["clippy", "--version"])];

/// Installs what is missing for `purpose`, or says exactly what a person must install, changing nothing.
pub(crate) fn ensure(workspace: &Workspace, purpose: Purpose) -> Result<(), Failure> {
    if purpose == Purpose::Test {
        rust_parts_are_there(workspace)?;
    }
    let missing: Vec<&Need> =
        NEEDS.iter().filter(|need| is_needed(need.purpose, purpose) && !(need.found)()).collect();
    if missing.is_empty() {
        println!("nothing is missing");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !debian::can_install() {
        return Err(Failure::Missing {
            what: missing.iter().map(|need| format!("{} ({})", need.package, need.why)).collect(),
            remedy: format!(
                "As root: apt-get update && apt-get install -y --no-install-recommends {}",
                packages.join(" ")
            ),
        });
    }
    debian::install(&packages)?;
    match missing.iter().find(|need| !(need.found)()) {
        None => Ok(()),
        Some(need) => Err(Failure::Stopped(format!(
            "package {} was installed, and what it is for is still not found: {}",
            need.package, need.why
        ))),
    }
}

fn is_needed(need: Purpose, purpose: Purpose) -> bool {
    need == Purpose::Start || need == purpose
}

fn rust_parts_are_there(workspace: &Workspace) -> Result<(), Failure> {
    let absent = |(_, arguments): &&(&str, &[&str])| !process::succeeds(workspace.cargo().args(*arguments));
    let missing: Vec<String> = RUST_PARTS.iter().filter(absent).map(|(part, _)| (*part).to_owned()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let remedy = format!("Install with: rustup component add {}", missing.join(" "));
    Err(Failure::Missing { what: missing, remedy })
}
