//! One shell that executes a tutorial's commands one after the other, as a person's would.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::process;

/// Reads file names on its input, executes each file as a part of itself, and prints a marker with the exit status.
///
/// A command has no input (it would eat the names of the next ones) and does not inherit ours.
const LOOP: &str = r#"exec 3<&0 </dev/null 2>&1
__mark=$1; shift
while IFS= read -r __file <&3; do . "$__file" 3<&-; printf '\n%s %s\n' "$__mark" "$?"; done"#;

/// Ends what a command prints. No program prints this by chance.
const MARK: &str = "@@twinlock-tutorial-command-ended@@";

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) lines: Vec<String>,
    pub(super) exit: i32,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// It did not end in time; the shell was ended. Holds what was printed until then.
    TimedOut(Vec<String>),
    /// It ended the shell itself.
    ShellEnded(Vec<String>),
}

/// A running shell. It is ended on drop; what its commands put in the background is not.
pub(super) struct Session {
    shell: Child,
    commands: ChildStdin,
    printed: Receiver<String>,
    scripts: PathBuf,
    ended: bool,
    own_group: bool,
}

impl Session {
    /// Starts a shell in `directory`; `scripts` is where the commands are put as files, outside of it.
    pub(super) fn start(
        directory: &Path,
        scripts: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self, Failure> {
        std::fs::create_dir_all(scripts).map_err(Failure::file("create", scripts))?;
        let mut command = shell(directory, environment);
        let own_group = !std::io::stdin().is_terminal();
        if own_group {
            command.process_group(0);
        }
        let spawned = command.spawn();
        let mut shell = spawned.map_err(|source| Failure::Spawn { program: "bash".into(), source })?;
        let (Some(commands), Some(output)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(Failure::Stopped("the tutorial's shell has no pipes".into()));
        };
        let (sender, printed) = channel();
        // The thread ends with the last holder of the pipe, which may be a daemon that outlives us: nobody joins it.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(output);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
                bytes.clear();
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { shell, commands, printed, scripts: scripts.to_owned(), ended: false, own_group })
    }

    /// Whether it can take another command.
    pub(super) fn is_alive(&self) -> bool {
        !self.ended
    }

    /// Executes one command and waits for it.
    pub(super) fn execute(&mut self, command: &str, timeout: Duration) -> Result<Answer, NoAnswer> {
        let script = self.scripts.join("command");
        let told = std::fs::write(&script, format!("{command}\n"))
            .and_then(|()| writeln!(self.commands, "{}", script.display()))
            .and_then(|()| self.commands.flush());
        if told.is_err() {
            self.ended = true;
            return Err(NoAnswer::ShellEnded(Vec::new()));
        }
        self.read_answer(Instant::now() + timeout)
    }

    fn read_answer(&mut self, deadline: Instant) -> Result<Answer, NoAnswer> {
        let mut lines = Vec::new();
        loop {
            match self.printed.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => match exit_of(&line) {
                    Some(exit) => {
                        // The marker brings its own line break, because output may end without one.
                        if lines.last().is_some_and(String::is_empty) {
                            lines.pop();
                        }
                        return Ok(Answer { lines, exit });
                    }
                    None => lines.push(line),
                },
                Err(RecvTimeoutError::Timeout) if self.shell_ended() => {
                    return Err(NoAnswer::ShellEnded(lines));
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.end();
                    return Err(NoAnswer::TimedOut(lines));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    return Err(NoAnswer::ShellEnded(lines));
                }
            }
        }
    }

    fn shell_ended(&mut self) -> bool {
        let ended = !matches!(self.shell.try_wait(), Ok(None));
        self.ended |= ended;
        ended
    }

    fn end(&mut self) {
        self.ended = true;
        if self.own_group {
            let group = format!("-{}", self.shell.id());
            let _sent = process::succeeds(process::program("kill").args(["-KILL", "--", &group]));
        } else {
            let _sent = self.shell.kill();
        }
        let _reaped = self.shell.wait();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.shell_ended() {
            let _sent = self.shell.kill();
            let _reaped = self.shell.wait();
        }
    }
}

fn shell(directory: &Path, environment: &[(&str, String)]) -> Command {
    let mut command = process::program("bash");
    command.args(["--noprofile", "--norc", "-c", LOOP, "tutorial", MARK]);
    command.current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    // What a person's terminal adds would differ from person to person.
    for name in
        ["TERM", "COLUMNS", "LINES", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "RUST_BACKTRACE", "RUST_LOG"]
    {
        command.env_remove(name);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn exit_of(line: &str) -> Option<i32> {
    line.strip_prefix(MARK)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(30);

    fn session(directory: &tempfile::TempDir) -> Session {
        Session::start(directory.path(), &directory.path().join("scripts"), &[("X", "1".into())]).unwrap()
    }

    #[test]
    fn commands_share_one_shell() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = session(&directory);
        assert_eq!(session.execute("y=2; cd /", SOON).unwrap(), Answer { lines: vec![], exit: 0 });
        let answer = session.execute("echo $X $y; pwd; echo oops >&2; (exit 4)", SOON).unwrap();
        assert_eq!(answer, Answer { lines: vec!["1 2".into(), "/".into(), "oops".into()], exit: 4 });
    }

    #[test]
    fn output_without_line_break_and_blank_lines_survive() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = session(&directory);
        assert_eq!(session.execute("printf a", SOON).unwrap().lines, ["a"]);
        assert_eq!(session.execute("printf 'a\\n\\nb\\n'", SOON).unwrap().lines, ["a", "", "b"]);
    }

    #[test]
    fn commands_have_no_input() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = session(&directory);
        assert_eq!(session.execute("cat", SOON).unwrap().lines, [""; 0]);
        assert_eq!(session.execute("echo still here", SOON).unwrap().lines, ["still here"]);
    }

    #[test]
    fn background_process_does_not_hold_up_the_next_command() {
        let directory = tempfile::tempdir().unwrap();
        let mut session = session(&directory);
        let answer = session.execute("sleep 600 & echo $!", SOON).unwrap();
        assert_eq!(session.execute(&format!("kill {}", answer.lines[0]), SOON).unwrap().exit, 0);
    }

    #[test]
    fn command_that_hangs_or_ends_the_shell_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let mut hanging = session(&directory);
        let answer = hanging.execute("echo a; sleep 600", Duration::from_millis(300));
        assert_eq!(answer, Err(NoAnswer::TimedOut(vec!["a".into()])));
        assert!(!hanging.is_alive());
        let mut ending = session(&directory);
        assert_eq!(ending.execute("echo b; exit 0", SOON), Err(NoAnswer::ShellEnded(vec!["b".into()])));
    }
}
