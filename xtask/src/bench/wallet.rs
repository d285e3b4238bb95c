//! Opening wallets, against `openssl pkcs12 -nokeys` on the same file: whole processes, in turns.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::kit::{Table, interleaved, rounded};
use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// What is promised: at most this many times OpenSSL's time.
const RATIO_AT_MOST: f64 = 1.1;
const ROUNDS: usize = 41;
const PASSWORD: &str = "Bench#2026-wallet";

struct Case {
    name: &'static str,
    secrets: u32,
    cipher: &'static str,
}

/// The promise is about the first two; the large one shows how time and memory grow.
const CASES: &[Case] = &[
    Case { name: "AES-256, 10,000 iterations", secrets: 4, cipher: "aes" },
    Case { name: "3DES, 10,000 iterations", secrets: 4, cipher: "3des" },
    Case { name: "AES-256, a thousand entries", secrets: 1000, cipher: "aes" },
];

/// Builds, measures, and fails when OpenSSL is faster than promised.
pub(crate) fn run(workspace: &Workspace, _arguments: &[String]) -> Result<(), Failure> {
    let build =
        ["build", "--release", "--package", "twinlock-wallet", "--example", "open", "--example", "make"];
    process::run(workspace.cargo().args(build))?;
    let programs = workspace.target.join("release/examples");
    let place = workspace.target.join("bench-wallet");
    // A run that was interrupted may have left it.
    drop(std::fs::remove_dir_all(&place));
    std::fs::create_dir_all(&place).map_err(Failure::file("make the directory", &place))?;
    let measured = measure_all(&programs, &place);
    std::fs::remove_dir_all(&place).map_err(Failure::file("remove the directory", &place))?;
    let missed = measured?;
    match missed.is_empty() {
        true => Ok(()),
        false => {
            Err(Failure::Stopped(format!("slower than {RATIO_AT_MOST} times OpenSSL: {}", missed.join(", "))))
        }
    }
}

fn measure_all(programs: &Path, place: &Path) -> Result<Vec<&'static str>, Failure> {
    let password = place.join("password");
    std::fs::write(&password, PASSWORD).map_err(Failure::file("write", &password))?;
    let mut table = Table::new(&["wallet", "ours, ms", "OpenSSL, ms", "ratio", "our memory"]);
    let mut missed = Vec::new();
    for case in CASES {
        let wallet = place.join(case.secrets.to_string() + case.cipher);
        let mut make = process::program(programs.join("make"));
        process::run(make.arg(&wallet).arg(&password).args([&case.secrets.to_string(), case.cipher]))?;
        let mut ours = process::program(programs.join("open"));
        ours.arg(&wallet).arg(&password);
        let memory = memory_of(&process::output(&mut ours)?);
        let mut theirs = openssl(&wallet.join("ewallet.p12"), &password);
        let outcome =
            interleaved(ROUNDS, || milliseconds(&mut ours), || milliseconds(&mut theirs), |_, _, _| ())?;
        let outcome = outcome.ok_or_else(|| Failure::Stopped("nothing was measured".into()))?;
        table.row(&[&case.name, &outcome.ours, &outcome.theirs, &outcome.ratio, &memory]);
        if outcome.ratio.median() > RATIO_AT_MOST {
            missed.push(case.name);
        }
    }
    println!("{table}");
    println!("promised: a median ratio of at most {}", rounded(RATIO_AT_MOST));
    Ok(missed)
}

fn openssl(file: &Path, password: &Path) -> Command {
    let mut command = process::program("openssl");
    command.args(["pkcs12", "-nokeys", "-in"]).arg(file).arg("-passin");
    command.arg(PathBuf::from(format!("file:{}", password.display())));
    command
}

fn milliseconds(command: &mut Command) -> Result<f64, Failure> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let succeeded = process::succeeds(quiet);
    let took = started.elapsed().as_secs_f64() * 1000.0;
    match succeeded {
        true => Ok(took),
        false => Err(Failure::Stopped(format!("{} failed", process::shown(command)))),
    }
}

/// What our example prints last, as the kernel counts it.
fn memory_of(printed: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".into(), |size| size.trim().to_owned())
}
