//! Processes: detaching, starting, watching.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::error::AgentError;

/// Leaves the terminal and session of whoever started this process, and makes core files impossible:
/// keys are in memory.
pub(crate) fn detach() {
    // Fails only where this process already leads a session.
    let _leads_already = rustix::process::setsid();
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _cannot_fail = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

/// A runtime on this thread.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, AgentError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| AgentError::Spawn { what: "the runtime", cause })
}

/// Starts this program again with `arguments`, its output going to the file `log`. Returns its process id.
pub(crate) fn start_self(
    what: &'static str,
    arguments: &[&str],
    log: &Path,
) -> Result<std::process::Child, AgentError> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(log)
        .map_err(AgentError::file("open", log))?;
    let errors = file.try_clone().map_err(AgentError::file("open", log))?;
    // The running file itself, also after an upgrade replaced the path.
    Command::new("/proc/self/exe")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::from(file))
        .stderr(Stdio::from(errors))
        .spawn()
        .map_err(|cause| AgentError::Spawn { what, cause })
}

/// A process that can be told from a later one with the same id.
#[derive(Debug)]
pub struct Watched {
    pid: u32,
    descriptor: rustix::fd::OwnedFd,
}

impl Watched {
    /// Watches `pid`, or `None` if there is no such process.
    #[must_use]
    pub fn new(pid: u32) -> Option<Watched> {
        let id = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let descriptor = pidfd_open(id, PidfdFlags::empty()).ok()?;
        Some(Watched { pid, descriptor })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn descriptor(&self) -> &rustix::fd::OwnedFd {
        &self.descriptor
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let mut entry = [rustix::event::PollFd::new(&self.descriptor, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut entry, Some(&now)).is_ok_and(|ready| ready > 0)
    }
}

impl Watched {
    /// Returns when the process has ended. Needs a runtime.
    #[expect(deprecated, reason = "its replacement is unsafe, and the descriptor given away here is owned")]
    pub async fn ended(self) {
        match tokio::io::unix::AsyncFd::with_interest(self.descriptor, tokio::io::Interest::READABLE) {
            // Readable means ended, and so does an error: the next look tells.
            Ok(descriptor) => drop(descriptor.readable().await),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
        }
    }
}

/// The process id in the file `path`.
pub(crate) fn read_pid(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
