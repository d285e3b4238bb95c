//! Watching the register, and keeping the lease.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;
use twinlock_pair::ledger::{Reading, Refusal};
use twinlock_pair::view::{Order, RegisterKnowledge};

use super::shared::Shared;
use crate::api::PromiseRequest;
use crate::client::WitnessClient;
use crate::clock::now;
use crate::error::AgentError;

/// Pause before the arbiter is asked again after a failure.
const AGAIN: Duration = Duration::from_millis(150);

/// Keeps what is known of the register up to date, for ever.
pub(super) async fn watch(shared: Rc<Shared>) {
    let witness = WitnessClient::with(shared.config.witness, shared.control.clone());
    loop {
        let known = shared.reading().map_or(0, |reading| reading.register.revision);
        match witness.watch(&shared.config.pair, known).await {
            Ok(reading) => {
                let idle = reading.register.revision == known && reading.lease_free();
                learn(&shared, reading);
                if idle {
                    sleep(AGAIN).await;
                }
            }
            Err(error) => {
                not_answered(&shared, &error);
                sleep(AGAIN).await;
            }
        }
    }
}

/// Takes over what the arbiter said, unless it is older than what this member has seen.
pub(super) fn learn(shared: &Shared, reading: Reading) {
    let revision = reading.register.revision;
    let seen = shared.seen_revision.get().unwrap_or(0);
    let refusal = if revision < seen {
        Some(format!(
            "the arbiter's register is at revision {revision}, but {} has seen {seen}: it was restored from an old \
             copy; a person must seed it again",
            shared.me
        ))
    } else {
        shared.remember_seen(revision).err().map(|error| error.line())
    };
    if let Some(why) = refusal {
        *shared.register.borrow_mut() = RegisterKnowledge::Refused { why };
        shared.wake.notify_one();
        return;
    }
    if reading.register.lease.as_ref() != Some(&shared.me) {
        shared.lease_until.set(None);
    }
    if reading.register.active != shared.me {
        // What was given away has been taken, and a switchover is done.
        shared.handed_over.set(None);
        shared.order.set(shared.order.get().filter(|order| *order != Order::Switchover));
    }
    let changed =
        shared.reading().is_none_or(|known| known.register.revision != revision) || reading.lease_free();
    *shared.register.borrow_mut() = RegisterKnowledge::Read { at: now(), reading };
    if changed {
        shared.wake.notify_one();
    }
}

fn not_answered(shared: &Shared, error: &AgentError) {
    let AgentError::Refused { cause: Refusal::Absent { pair } } = error else { return };
    if shared.seen_revision.get().is_some() {
        let why = format!("the arbiter has lost the register of pair {pair}; a person must seed it again");
        *shared.register.borrow_mut() = RegisterKnowledge::Refused { why };
        shared.wake.notify_one();
    }
}

/// Renews the lease while it is held, for ever. While the arbiter is away, the standby's promise takes its place.
pub(super) async fn keep(shared: Rc<Shared>) {
    let pause = Duration::from_millis(shared.config.timing.renew_ms);
    loop {
        sleep(pause).await;
        let Some(reading) = shared.reading() else { continue };
        let holds = reading.register.lease.as_ref() == Some(&shared.me)
            && shared.lease_until.get().is_some_and(|until| now() < until);
        if !holds {
            continue;
        }
        let asked = now();
        let generation = reading.register.generation;
        let renewed = shared.witness.renew(&shared.config.pair, &shared.me, generation, 2 * pause).await;
        let until = match renewed {
            Ok(_) => Some(asked.after(shared.config.timing.holder_lease())),
            Err(AgentError::Refused { .. }) => None,
            Err(_) if reading.register.in_sync(&shared.peer_name) => promised(&shared, generation).await,
            Err(_) => None,
        };
        // A renewal that was answered after the lease had lapsed here is not used: the guard has acted.
        let in_time = shared.lease_until.get().is_some_and(|held| now() < held);
        if let (Some(until), true) = (until, in_time)
            && let Err(error) = shared.extend_lease(until)
        {
            shared.failed("extend lease", &error);
        }
    }
}

async fn promised(shared: &Shared, generation: u64) -> Option<twinlock_pair::Moment> {
    let asked = now();
    let request = PromiseRequest { member: shared.me.0.clone(), generation };
    let answer = shared.peer.promise(&request).await.ok()?;
    let margin = Duration::from_millis(shared.config.timing.margin_ms);
    Some(asked.after(Duration::from_millis(answer.promised_ms).saturating_sub(margin)))
}
