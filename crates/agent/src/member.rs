//! The agent of one member: observes, asks `twinlock_pair::decide`, acts.
//!
//! One loop on one thread. Beside it run small tasks that only observe (the register, the peer, the end of
//! the postmaster) or keep the lease; long steps run as one job at a time. Nothing but this loop acts.

mod act;
mod jobs;
mod lease;
mod observe;
mod peer;
mod rest;
mod settings;
mod shared;
mod status;
mod story;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::config::MemberConfig;
use crate::error::AgentError;
use crate::guard;
use crate::lock::Lock;
use crate::process::{self, Watched};
use shared::Shared;

/// How often the instance is looked at when nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// Runs the agent of the member in `home` until a person orders it to stop.
///
/// # Errors
/// When the configuration, a wallet or PostgreSQL cannot be used, the port is taken, or another agent runs.
pub fn run(home: &Path) -> Result<(), AgentError> {
    let config = MemberConfig::read(home)?;
    process::detach();
    let _lock = Lock::take(&config.agent_lock())?;
    let path = config.agent_lock();
    std::fs::write(&path, std::process::id().to_string()).map_err(AgentError::file("write", &path))?;
    process::runtime()?.block_on(LocalSet::new().run_until(live(config)))
}

async fn live(config: MemberConfig) -> Result<(), AgentError> {
    let listener = crate::http::listen(config.agent).await?;
    let shared = Rc::new(Shared::open(config)?);
    tokio::task::spawn_local(rest::serve(Rc::clone(&shared), listener));
    tokio::task::spawn_local(lease::watch(Rc::clone(&shared)));
    tokio::task::spawn_local(lease::keep(Rc::clone(&shared)));
    tokio::task::spawn_local(peer::listen(Rc::clone(&shared)));
    tokio::task::spawn_local(watch_guard(Rc::clone(&shared)));
    tokio::task::spawn_local(watch_postmaster(Rc::clone(&shared)));
    shared.story.borrow_mut().begin();
    loop {
        let view = observe::observe(&shared).await;
        *shared.view.borrow_mut() = Some(view.clone());
        let decision = shared.decide(&view);
        let ended = act::act(&shared, &decision).await;
        story::tell(&shared, &view);
        if ended {
            return Ok(());
        }
        // A wake-up shortens the pause; missing one costs a tick.
        drop(timeout(TICK, shared.wake.notified()).await);
    }
}

/// Wakes the loop at once when the postmaster ends.
async fn watch_postmaster(shared: Rc<Shared>) {
    loop {
        match shared.instance.adopt() {
            Ok(Some(running)) => {
                running.exited().await;
                shared.wake.notify_one();
            }
            _ => tokio::time::sleep(TICK).await,
        }
    }
}

/// Restarts a dead guard: without one, nobody would stop the instance if this agent hung.
async fn watch_guard(shared: Rc<Shared>) {
    loop {
        let pid = process::read_pid(&shared.config.guard_lock());
        let watched = pid.and_then(Watched::new).filter(|watched| !watched.has_ended());
        shared.guard_pid.set(watched.as_ref().map(Watched::pid));
        match watched {
            Some(watched) => watched.ended().await,
            None if shared.config.stop_mark().exists() => return,
            None => guard::start(&shared.config),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
