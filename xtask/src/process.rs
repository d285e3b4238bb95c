//! Running other programs: with a bound where they may hang, and without what cargo adds to our environment.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How much of a failed program's output is repeated in the error.
const OUTPUT_TAIL_LINES: usize = 40;

/// How often a bounded wait looks at its child.
const POLL: Duration = Duration::from_millis(50);

/// How long a program that must stop has between TERM and KILL.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Starts to describe a program, in an environment like that of the shell we were called from.
///
/// `cargo run` adds the package's variables and a library path; passed on, they make nested builds differ from the
/// same build by hand, and a long-lived child would carry them for ever.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    for (key, _) in std::env::vars_os() {
        if key.to_str().is_some_and(is_set_by_cargo_run) {
            command.env_remove(key);
        }
    }
    match std::env::var("LD_LIBRARY_PATH").map(|path| without_cargo_directories(&path)) {
        Ok(rest) if rest.is_empty() => command.env_remove("LD_LIBRARY_PATH"),
        Ok(rest) => command.env("LD_LIBRARY_PATH", rest),
        Err(_) => &mut command,
    };
    command
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a program to its end; it shares our output, and has no input.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdin(Stdio::null()).status().map_err(|source| spawn_failure(command, source))?;
    succeeded(command, status, String::new)
}

/// Runs a program to its end and returns what it printed on standard output; its standard error is shown only if
/// it fails.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|source| spawn_failure(command, source))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    succeeded(command, output.status, || {
        format!("{}{}", tail(&printed), tail(&String::from_utf8_lossy(&output.stderr)))
    })?;
    Ok(printed)
}

/// Whether a program runs and succeeds, whatever it prints.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a program whose standard output we read line by line, and ends it with all its children at the bound.
pub(crate) fn run_bounded(
    command: &mut Command,
    bound: Duration,
    mut line: impl FnMut(&str) + Send,
) -> Result<(), Failure> {
    // A group of its own lets us end grandchildren too. On a terminal it stays in ours, so that Ctrl-C reaches it.
    let own_group = !std::io::stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|source| spawn_failure(command, source))?;
    let printed = child.stdout.take();
    let status = thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(printed) = printed {
                each_line(printed, &mut line);
            }
        });
        wait_until(&mut child, Instant::now() + bound, own_group)
    });
    match status {
        Ok(Some(status)) => succeeded(command, status, String::new),
        Ok(None) => Err(Failure::Program {
            program: shown(command),
            outcome: format!("stopped because it had not ended after {} s", bound.as_secs()),
            output: String::new(),
        }),
        Err(source) => Err(spawn_failure(command, source)),
    }
}

/// Where `name` is found along `PATH`, as a shell would; the system directories are searched too, because an
/// unprivileged `PATH` often lacks them.
pub(crate) fn find_on_path(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(Into::into))
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// A command as it could be typed.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// A word as a shell would need it written.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn is_set_by_cargo_run(key: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_"].iter().any(|prefix| key.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_BIN_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&key)
}

/// Drops the build and toolchain directories that `cargo run` puts in front of the library path.
fn without_cargo_directories(path: &str) -> String {
    let kept = path.split(':').filter(|directory| {
        !(directory.ends_with("/deps")
            || directory.ends_with("/debug")
            || directory.ends_with("/release")
            || directory.contains("/rustlib/")
            || directory.contains("/toolchains/")
            || directory.contains("/build/"))
    });
    kept.collect::<Vec<_>>().join(":")
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn each_line(printed: impl Read, line: &mut impl FnMut(&str)) {
    let mut reader = BufReader::new(printed);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        line(String::from_utf8_lossy(&bytes).trim_end_matches('\n'));
        bytes.clear();
    }
}

/// Waits for the child; at the deadline ends its group and returns `None`.
fn wait_until(child: &mut Child, deadline: Instant, own_group: bool) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            stop(child, own_group)?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn stop(child: &mut Child, own_group: bool) -> std::io::Result<()> {
    let target = if own_group { format!("-{}", child.id()) } else { child.id().to_string() };
    let _sent = succeeds(program("kill").args(["-TERM", "--", &target]));
    let deadline = Instant::now() + STOP_GRACE;
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        thread::sleep(POLL);
    }
    let _sent = succeeds(program("kill").args(["-KILL", "--", &target]));
    child.wait().map(drop)
}

fn succeeded(command: &Command, status: ExitStatus, output: impl FnOnce() -> String) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    let outcome = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    };
    Err(Failure::Program { program: shown(command), outcome, output: output() })
}

fn spawn_failure(command: &Command, source: std::io::Error) -> Failure {
    Failure::Spawn { program: shown(command), source }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(OUTPUT_TAIL_LINES)..]
        .iter()
        .fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_program_is_named_with_its_words() {
        let failure = output(program("sh").args(["-c", "echo out; echo err >&2; exit 7"])).unwrap_err();
        assert_eq!(failure.to_string(), "sh -c 'echo out; echo err >&2; exit 7': exited with 7\nout\nerr");
    }

    #[test]
    fn program_past_its_bound_ends_with_its_children() {
        let mut lines = Vec::new();
        let script = "sleep 600 & echo $!; wait";
        let result = run_bounded(program("sh").args(["-c", script]), Duration::from_millis(300), |l| {
            lines.push(l.to_owned())
        });
        assert!(matches!(result, Err(Failure::Program { .. })));
        if !std::io::stdin().is_terminal() {
            let sleeper = format!("/proc/{}/cmdline", lines[0]);
            // A reaped process has no such file; one not yet reaped by its new parent has an empty one.
            assert!(std::fs::read(sleeper).unwrap_or_default().is_empty());
        }
    }

    #[test]
    fn library_path_keeps_only_what_the_user_set() {
        let path =
            "/x/target/debug/build/a/out:/x/target/debug/deps:/x/target/debug:/y/rustlib/z/lib:/opt/lib";
        assert_eq!(without_cargo_directories(path), "/opt/lib");
        assert_eq!(without_cargo_directories("/x/target/debug/deps"), "");
    }

    #[test]
    fn words_are_quoted_only_when_needed() {
        assert_eq!(quoted("--name=a.b"), "--name=a.b");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
