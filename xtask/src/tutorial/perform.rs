//! Performs a tutorial in a scratch directory: writes its files, executes its blocks, always cleans up.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::compare;
use super::parse::{Block, Exchange, Step, Tutorial};
use super::session::{NoAnswer, Session};
use crate::check;
use crate::failure::{Failure, WithCauses};
use crate::section::Elapsed;
use crate::survivors::Mark;

/// How long a block that is repeated waits before it is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Where a tutorial is performed.
pub(super) struct Stage<'a> {
    /// The tutorial's own directory.
    pub(super) tutorial: &'a Path,
    /// The directory with `twinlock`, put first on the `PATH`.
    pub(super) programs: &'a Path,
    pub(super) keep: bool,
    pub(super) show: bool,
}

/// A tutorial on its stage.
pub(super) struct Performance<'a> {
    tutorial: &'a Tutorial,
    stage: &'a Stage<'a>,
    scratch: PathBuf,
    session: Session,
    mark: Mark,
}

impl<'a> Performance<'a> {
    /// Prepares the scratch directory and the shell.
    pub(super) fn of(tutorial: &'a Tutorial, stage: &'a Stage<'a>) -> Result<Self, Failure> {
        let name = stage.tutorial.file_name().unwrap_or_default().to_string_lossy();
        let scratch = std::env::temp_dir().join(format!("twinlock-tutorial-{name}-{}", std::process::id()));
        // Commands may run PostgreSQL as another user, who must be able to come in here.
        let work = scratch.join("work");
        std::fs::create_dir_all(&work).map_err(Failure::file("create", &work))?;
        let mark = Mark::new();
        let session = start_session(stage, &scratch, &mark)?;
        Ok(Self { tutorial, stage, scratch, session, mark })
    }

    /// Performs it to the end or to the first difference, and cleans up in either case.
    pub(super) fn perform(mut self) -> Result<(), Failure> {
        let told = self.tutorial.steps.iter().try_for_each(|step| self.step(step));
        let cleaned = self.clean_up();
        drop(self.session);
        let left = self.mark.end_survivors();
        if self.stage.keep {
            println!("kept: {}", self.scratch.display());
        } else {
            std::fs::remove_dir_all(&self.scratch).map_err(Failure::file("remove", &self.scratch))?;
        }
        told.and(cleaned)?;
        check::verdict(left, "A tutorial's cleanup must end what it started. (They were ended now.)")
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::File { path, text } => self.write(path, text),
            Step::Block(block) => self.block(block),
        }
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let path = self.scratch.join("work").join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Failure::file("create", parent))?;
        }
        std::fs::write(&path, text).map_err(Failure::file("write", &path))
    }

    /// Executes a block; one that may be repeated is repeated until it matches or its time is over.
    fn block(&mut self, block: &Block) -> Result<(), Failure> {
        let deadline = block.retry.map(|retry| Instant::now() + retry);
        loop {
            let tried = self.once(block);
            let again = deadline.is_some_and(|deadline| Instant::now() < deadline) && self.session.is_alive();
            if tried.is_ok() || !again {
                return tried;
            }
            std::thread::sleep(RETRY_PAUSE);
        }
    }

    fn once(&mut self, block: &Block) -> Result<(), Failure> {
        let last = block.exchanges.len() - 1;
        block.exchanges.iter().enumerate().try_for_each(|(index, exchange)| {
            let exit = if index == last { block.last_exit } else { 0 };
            self.exchange(exchange, exit, block.timeout)
        })
    }

    fn exchange(&mut self, exchange: &Exchange, exit: i32, timeout: Duration) -> Result<(), Failure> {
        let started = Instant::now();
        let answer = self.session.execute(&exchange.command, timeout);
        println!("  {:>5}  % {}  ({})", exchange.line, exchange.command, Elapsed(started.elapsed()));
        let answer = answer.map_err(|no_answer| self.problem(exchange, &describe(&no_answer, timeout)))?;
        if self.stage.show {
            answer.lines.iter().for_each(|line| println!("         {line}"));
        }
        if answer.exit != exit {
            let printed = answer.lines.join("\n");
            return Err(
                self.problem(exchange, &format!("exited with {}, not {exit}:\n{printed}", answer.exit))
            );
        }
        match compare::difference(&exchange.expected, &answer.lines, &self.tutorial.masks) {
            None => Ok(()),
            Some(difference) => {
                let what = format!("printed something else (- expected, + printed):\n{difference}");
                Err(self.problem(exchange, &what))
            }
        }
    }

    /// Runs every cleanup command, also after one that failed.
    fn clean_up(&mut self) -> Result<(), Failure> {
        let mut result = Ok(());
        for block in &self.tutorial.cleanup {
            for exchange in &block.exchanges {
                if !self.session.is_alive() {
                    self.session = start_session(self.stage, &self.scratch, &self.mark)?;
                }
                let what = match self.session.execute(&exchange.command, block.timeout) {
                    Ok(answer) if answer.exit == 0 => continue,
                    Ok(answer) => {
                        format!("cleanup exited with {}:\n{}", answer.exit, answer.lines.join("\n"))
                    }
                    Err(no_answer) => format!("cleanup {}", describe(&no_answer, block.timeout)),
                };
                let problem = self.problem(exchange, &what);
                println!("{}", WithCauses(&problem));
                result = Err(problem);
            }
        }
        result
    }

    fn problem(&self, exchange: &Exchange, what: &str) -> Failure {
        let page = self.stage.tutorial.join("README.md");
        Failure::Stopped(format!("{}:{}: `{}` {what}", page.display(), exchange.line, exchange.command))
    }
}

fn describe(no_answer: &NoAnswer, timeout: Duration) -> String {
    match no_answer {
        NoAnswer::TimedOut(lines) => {
            format!("had not ended after {} s:\n{}", timeout.as_secs(), lines.join("\n"))
        }
        NoAnswer::ShellEnded(lines) => format!("ended the tutorial's shell:\n{}", lines.join("\n")),
    }
}

fn start_session(stage: &Stage, scratch: &Path, mark: &Mark) -> Result<Session, Failure> {
    let path = std::env::var("PATH").unwrap_or_default();
    let work = scratch.join("work");
    let (variable, value) = mark.variable();
    let environment = [
        ("PATH", format!("{}:{path}", stage.programs.display())),
        ("HOME", work.display().to_string()),
        ("TUTORIAL_DIR", stage.tutorial.display().to_string()),
        ("LC_ALL", "C.UTF-8".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("NO_COLOR", "1".to_owned()),
        ("PAGER", "cat".to_owned()),
        (variable, value.to_owned()),
    ];
    Session::start(&work, &scratch.join("scripts"), &environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tutorial::parse::parse;

    fn perform(page: &str) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let stage =
            Stage { tutorial: directory.path(), programs: Path::new("/usr/bin"), keep: false, show: false };
        let tutorial = parse(page).unwrap();
        Performance::of(&tutorial, &stage).unwrap().perform().map_err(|failure| failure.to_string())
    }

    #[test]
    fn committed_example_passes() {
        assert_eq!(perform(include_str!("example.md")), Ok(()));
    }

    #[test]
    fn difference_names_the_line_of_the_page() {
        let error = perform("# Wrong\n\n```console\n% echo a\nb\n```\n").unwrap_err();
        assert!(error.contains("README.md:4: `echo a` printed something else"), "{error}");
        assert!(error.contains("- b\n+ a\n"), "{error}");
    }

    #[test]
    fn unexpected_exit_fails() {
        let error = perform("```console\n% false\n```\n").unwrap_err();
        assert!(error.contains("exited with 1, not 0"), "{error}");
        assert!(perform("<!-- exit: 3 -->\n```console\n% (exit 2)\n```\n").is_err());
    }

    #[test]
    fn cleanup_runs_after_a_failure_and_after_the_shell_ended() {
        let witness = tempfile::tempdir().unwrap();
        for wrong in ["false", "exit 0"] {
            let path = witness.path().join(wrong.replace(' ', "-"));
            let cleanup = format!("<!-- cleanup -->\n```console\n% touch {}\n```\n", path.display());
            assert!(perform(&format!("```console\n% {wrong}\n```\n{cleanup}")).is_err());
            assert!(path.exists(), "after `{wrong}`");
        }
    }

    #[test]
    fn failing_cleanup_fails_the_tutorial() {
        assert!(perform("<!-- cleanup -->\n```console\n% false\n```\n").is_err());
    }

    #[test]
    fn process_left_behind_fails_the_tutorial() {
        let error = perform("```console\n% sleep 600 >&- 2>&- &\n```\n").unwrap_err();
        assert!(error.contains("was left behind: sleep 600"), "{error}");
    }

    #[test]
    fn repeated_block_waits_for_its_state() {
        let page =
            "```console\n% rm -f n\n```\n<!-- retry: 20s -->\n```console\n% echo x >>n; wc -l <n\n3\n```\n";
        assert_eq!(perform(page), Ok(()));
    }
}
