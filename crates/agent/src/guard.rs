//! The guard: a small process that outlives its agent.
//!
//! It does two things and nothing else. It restarts a dead agent, and it kills every process of the
//! instance when the agent has not moved the lease deadline in time. It allocates nothing that grows,
//! opens no socket and reads no wallet, so that it works when everything else is in trouble.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use twinlock_postgres::kill_processes_of;

use crate::clock::now;
use crate::config::MemberConfig;
use crate::deadline::{self, Bound};
use crate::error::AgentError;
use crate::lock::Lock;
use crate::process::{self, Watched};

/// How often the deadline is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Pause before an agent that died at once is started again.
const RESTART_PAUSE: Duration = Duration::from_millis(250);

/// Runs the guard of the member in `home` until a person orders the member to stop.
///
/// # Errors
/// When the configuration cannot be read or another guard runs.
pub fn run(home: &Path) -> Result<(), AgentError> {
    let config = MemberConfig::read(home)?;
    process::detach();
    let _lock = Lock::take(&config.guard_lock())?;
    record_own_pid(&config)?;
    let mut agent = Agent::Gone;
    while !config.stop_mark().exists() {
        agent = agent.alive_or_restarted(&config);
        enforce(&config);
        agent.wait(LOOK);
    }
    Ok(())
}

/// The agent as the guard knows it.
enum Agent {
    /// Not running.
    Gone,
    /// Running, perhaps started by somebody else.
    Running { watched: Watched, child: Option<Child> },
}

impl Agent {
    fn alive_or_restarted(mut self, config: &MemberConfig) -> Agent {
        if let Agent::Running { watched, child } = &mut self {
            if !watched.has_ended() {
                return self;
            }
            if let Some(child) = child {
                // Reaps it; how it ended is in its log.
                drop(child.wait());
            }
        }
        adopt(config).or_else(|| start_agent(config)).unwrap_or(Agent::Gone)
    }

    /// Waits for the agent's end, `span` at most.
    fn wait(&self, span: Duration) {
        match self {
            Agent::Running { watched, .. } => {
                let mut entry = [PollFd::new(watched.descriptor(), PollFlags::IN)];
                let span = Timespec { tv_sec: 0, tv_nsec: i64::from(span.subsec_nanos()) };
                // A signal that interrupts the wait only makes the next look come earlier.
                let _interrupted = poll(&mut entry, Some(&span));
            }
            Agent::Gone => std::thread::sleep(span),
        }
    }
}

/// Takes back an agent that runs already: the guard itself was restarted by it.
fn adopt(config: &MemberConfig) -> Option<Agent> {
    let free = Lock::take(&config.agent_lock()).is_ok();
    if free {
        return None;
    }
    let watched = Watched::new(process::read_pid(&config.agent_lock())?)?;
    Some(Agent::Running { watched, child: None })
}

fn start_agent(config: &MemberConfig) -> Option<Agent> {
    let home = config.home.to_string_lossy().into_owned();
    let log = config.log().join("agent.log");
    let Ok(child) = process::start_self("the agent", &["agent", "--home", &home], &log) else {
        std::thread::sleep(RESTART_PAUSE);
        return None;
    };
    let watched = Watched::new(child.id())?;
    Some(Agent::Running { watched, child: Some(child) })
}

/// Kills the instance when its deadline has passed.
fn enforce(config: &MemberConfig) {
    let Bound::Until(deadline) = deadline::read(&config.deadline()) else { return };
    if now() < deadline {
        return;
    }
    // Nothing that can be done about a failure here but to try again at the next look.
    drop(kill_processes_of(&config.data()));
}

/// Starts the guard of a member, from its agent or from the command line.
pub(crate) fn start(config: &MemberConfig) {
    let home = config.home.to_string_lossy().into_owned();
    // The caller looks again soon; what went wrong is then tried again.
    drop(process::start_self("the guard", &["guard", "--home", &home], &config.log().join("guard.log")));
}

fn record_own_pid(config: &MemberConfig) -> Result<(), AgentError> {
    let path = config.guard_lock();
    std::fs::write(&path, std::process::id().to_string()).map_err(AgentError::file("write", &path))
}
