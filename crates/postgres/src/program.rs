//! Runs the programs of PostgreSQL and says what went wrong with one.
//!
//! They get an environment of their own: libpq reads two dozen variables (`PGHOST`, `PGSSLMODE`, …) that would
//! redirect a connection, and nothing the caller holds in its environment reaches them.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::PostgresError;

/// Lines of standard error that an error carries.
const LINES_KEPT: usize = 12;
/// Bytes of one such line.
const LINE_BYTES_MAX: usize = 500;

type OnLine<'a> = Box<dyn FnMut(&str) + 'a>;

/// One run of a program.
pub(crate) struct Program<'a> {
    path: PathBuf,
    arguments: Vec<OsString>,
    input: Option<String>,
    environment: Vec<(&'static str, OsString)>,
    directory: Option<&'a Path>,
    on_line: Option<OnLine<'a>>,
}

impl<'a> Program<'a> {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            arguments: Vec::new(),
            input: None,
            environment: Vec::new(),
            directory: None,
            on_line: None,
        }
    }

    pub(crate) fn arguments<I, S>(mut self, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// What it reads from standard input, as often as it opens that anew; for what must not be seen among its
    /// arguments.
    pub(crate) fn input(mut self, input: String) -> Self {
        self.input = Some(input);
        self
    }

    pub(crate) fn environment(mut self, variables: &[(&'static str, OsString)]) -> Self {
        self.environment.extend_from_slice(variables);
        self
    }

    /// Working directory: makes the program count as a process of the instance whose data directory it is.
    pub(crate) fn directory(mut self, directory: &'a Path) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Called with each line of standard error; a carriage return ends a line too, as in progress reports.
    pub(crate) fn on_line(mut self, on_line: impl FnMut(&str) + 'a) -> Self {
        self.on_line = Some(Box::new(on_line));
        self
    }

    /// Runs to the end and returns standard output and error; for programs that end at once by themselves.
    pub(crate) fn output(self) -> Result<String, PostgresError> {
        let mut command = std::process::Command::new(&self.path);
        prepare(&mut command, &self.path, &self.environment, self.directory);
        let input = self.input.as_deref().map_or_else(|| Ok(Stdio::null()), in_memory);
        let input = input.map_err(|source| self.spawn_error(source))?;
        let output = command.args(&self.arguments).stdin(input).output();
        let Output { status, stdout, stderr } = output.map_err(|source| self.spawn_error(source))?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let mut tail = Tail::default();
        String::from_utf8_lossy(&stderr).lines().for_each(|line| tail.push(line));
        Err(self.failure(status, &tail))
    }

    /// Runs to the end, at most `bound`; a program that takes longer, or whose caller gives up, is killed.
    pub(crate) async fn run(mut self, bound: Duration) -> Result<String, PostgresError> {
        let mut command = std::process::Command::new(&self.path);
        prepare(&mut command, &self.path, &self.environment, self.directory);
        let mut command = tokio::process::Command::from(command);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        let mut child = command.spawn().map_err(|source| self.spawn_error(source))?;
        let mut stdout = child.stdout.take().expect("standard output is piped");
        let stderr = child.stderr.take().expect("standard error is piped");
        let mut on_line = self.on_line.take();
        let mut tail = Tail::default();
        let mut text = Vec::new();
        let all = async {
            let lines = read_lines(stderr, |line| {
                tail.push(line);
                if let Some(on_line) = &mut on_line {
                    on_line(line);
                }
            });
            let (_, _, status) = tokio::join!(lines, stdout.read_to_end(&mut text), child.wait());
            status
        };
        match tokio::time::timeout(bound, all).await {
            Ok(Ok(status)) if status.success() => Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(Ok(status)) => Err(self.failure(status, &tail)),
            Ok(Err(source)) => Err(self.spawn_error(source)),
            Err(_) => Err(PostgresError::TimedOut { what: format!("the end of {}", self.name()), bound }),
        }
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    fn spawn_error(&self, source: std::io::Error) -> PostgresError {
        PostgresError::Spawn { program: self.path.clone(), source }
    }

    fn failure(&self, status: ExitStatus, tail: &Tail) -> PostgresError {
        PostgresError::Program { program: self.name(), status: status.to_string(), stderr: tail.text() }
    }
}

/// A file that exists in memory only. Unlike a pipe it can be opened and read from its beginning again.
fn in_memory(contents: &str) -> std::io::Result<Stdio> {
    let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(contents.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}

/// Gives a command the environment and directory that every program of PostgreSQL gets.
pub(crate) fn prepare(
    command: &mut std::process::Command,
    program: &Path,
    environment: &[(&'static str, OsString)],
    directory: Option<&Path>,
) {
    let mut path = program.parent().unwrap_or(Path::new("/usr/bin")).as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    command.env_clear().env("PATH", path).env("LC_ALL", "C");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.current_dir(directory.unwrap_or(Path::new("/")));
}

async fn read_lines(mut from: impl AsyncRead + Unpin, mut each: impl FnMut(&str)) {
    let mut buffer = [0; 4096];
    let mut line = Vec::new();
    // A pipe that cannot be read is at its end for us: the exit status decides about success.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        for &byte in &buffer[..count] {
            match byte {
                b'\n' | b'\r' if line.is_empty() => {}
                b'\n' | b'\r' => each(&String::from_utf8_lossy(&std::mem::take(&mut line))),
                _ if line.len() < LINE_BYTES_MAX => line.push(byte),
                _ => {}
            }
        }
    }
    if !line.is_empty() {
        each(&String::from_utf8_lossy(&line));
    }
}

/// The last lines of a text.
#[derive(Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    pub(crate) fn push(&mut self, line: &str) {
        if self.0.len() == LINES_KEPT {
            self.0.pop_front();
        }
        let end = line.floor_char_boundary_at(LINE_BYTES_MAX);
        self.0.push_back(scrub(&line[..end]));
    }

    pub(crate) fn text(&self) -> String {
        match self.0.len() {
            0 => "it said nothing".to_owned(),
            _ => self.0.iter().map(String::as_str).collect::<Vec<_>>().join("\n"),
        }
    }
}

trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, index: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, index: usize) -> usize {
        (0..=index.min(self.len())).rev().find(|&at| self.is_char_boundary(at)).unwrap_or(0)
    }
}

/// Hides what looks like a password: an error must not carry one, whoever put it into a message.
fn scrub(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    match lower.find("password").filter(|at| {
        let rest = lower[at + "password".len()..].trim_start();
        rest.starts_with('=') || rest.starts_with('\'') || rest.starts_with("is ")
    }) {
        Some(at) => format!("{}password …", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Program<'static> {
        Program::new("/bin/sh".into()).arguments(["-c", script])
    }

    #[tokio::test(flavor = "current_thread")]
    async fn failure_carries_status_and_last_lines() {
        let error =
            shell("for i in $(seq 40); do echo line $i >&2; done; exit 3").run(Duration::from_secs(9)).await;
        let text = error.expect_err("exit 3").to_string();
        assert!(
            text.contains("exit status: 3") && text.contains("line 40") && !text.contains("line 28\n"),
            "{text}"
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_program_that_hangs_is_killed_at_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let started = Instant::now();
        let script = format!("echo $$ > {}; exec sleep 600", pid.display());
        let error = shell(&script).run(Duration::from_millis(300)).await.expect_err("it hangs");
        assert!(matches!(error, PostgresError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5));
        let pid = fs::read_to_string(&pid).unwrap().trim().to_owned();
        twinlock_testkit::wait_until("the program is gone", Duration::from_secs(5), || {
            fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
        });
    }

    #[tokio::test(flavor = "current_thread")]
    async fn carriage_returns_end_lines() {
        let mut lines = Vec::new();
        shell("printf 'a\\rb\\r\\nc' >&2")
            .on_line(|line| lines.push(line.to_owned()))
            .run(Duration::from_secs(9))
            .await
            .unwrap();
        assert_eq!(lines, ["a", "b", "c"]);
    }

    #[test]
    fn environment_of_the_caller_is_not_passed_on() {
        let output = Program::new("/usr/bin/env".into()).output().unwrap();
        let names: Vec<_> =
            output.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }

    #[test]
    fn passwords_in_messages_are_hidden() {
        let mut tail = Tail::default();
        tail.push("connection to \"host=a password=geheim\" failed");
        tail.push("FATAL: password authentication failed");
        let text = tail.text();
        assert!(!text.contains("geheim") && text.contains("password authentication failed"), "{text}");
    }
}
