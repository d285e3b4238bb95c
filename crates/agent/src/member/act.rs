//! Carrying out one decision: short steps here, long ones as a job.

use std::rc::Rc;

use twinlock_pair::register::Change;
use twinlock_pair::view::Asked;
use twinlock_pair::{Action, Decision};
use twinlock_postgres::{Gate, Synchronous};

use super::jobs;
use super::lease::learn;
use super::settings::Wanted;
use super::shared::{GateState, Shared};
use crate::clock::now;
use crate::error::AgentError;

/// Carries out `decision`. Returns whether the agent ends.
pub(super) async fn act(shared: &Rc<Shared>, decision: &Decision) -> bool {
    let name = decision.action.name();
    let result = match &decision.action {
        Action::Wait | Action::AskPerson => return false,
        Action::End => return end(shared),
        Action::Change(change) => make(shared, change).await,
        Action::Kill => kill(shared),
        Action::GoAlone => shared.instance.set_synchronous(&Synchronous::Alone).map_err(AgentError::from),
        Action::NamePeer => name_peer(shared),
        Action::OpenGate => open_gate(shared),
        long => {
            jobs::start(shared, long);
            return false;
        }
    };
    match result {
        Ok(()) => shared.succeeded(name),
        Err(error) => shared.failed(name, &error),
    }
    // What was done may make the next step possible at once.
    shared.wake.notify_one();
    false
}

/// Asks the arbiter for a change and takes over what it says.
pub(super) async fn make(shared: &Shared, change: &Change) -> Result<(), AgentError> {
    let Some(reading) = shared.reading() else { return Ok(()) };
    let revision = reading.register.revision;
    if matches!(change, Change::Release { .. }) {
        // The answer may be lost, and the lease be somebody else's already.
        shared.lease_until.set(None);
    }
    let asked = now();
    shared.asked.set(Asked::Unanswered { revision });
    let answer = shared.witness.change(&shared.config.pair, revision, change).await;
    if let Ok(_) | Err(AgentError::Refused { .. }) = answer {
        shared.asked.set(Asked::Answered);
    }
    learn(shared, answer?);
    match change {
        Change::RetakeLease { .. } | Change::TakeOver { .. } => {
            shared.handed_over.set(None);
            let until = asked.after(shared.config.timing.holder_lease());
            shared.lease_until.set(Some(until));
            shared.extend_lease(until)?;
        }
        Change::Release { .. } => shared.handed_over.set(Some(now())),
        _ => {}
    }
    Ok(())
}

fn name_peer(shared: &Shared) -> Result<(), AgentError> {
    let peer = Synchronous::Standby(shared.config.peer.name.clone());
    Ok(shared.instance.set_synchronous(&peer)?)
}

fn kill(shared: &Shared) -> Result<(), AgentError> {
    shared.instance.kill_all()?;
    shared.disarm_guard()
}

fn open_gate(shared: &Shared) -> Result<(), AgentError> {
    shared.instance.configure(&shared.settings(Wanted::Primary, Gate::Open), &shared.tls_files())?;
    shared.instance.reload()?;
    shared.set_gate(GateState { open: true, position: None })
}

fn end(shared: &Shared) -> bool {
    let path = shared.config.stop_mark();
    match std::fs::write(&path, b"") {
        Ok(()) => true,
        Err(cause) => {
            shared.failed("end", &AgentError::File { operation: "write", path, cause });
            false
        }
    }
}
