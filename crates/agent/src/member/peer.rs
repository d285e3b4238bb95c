//! Hearing the other member.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;
use twinlock_pair::view::PeerReport;
use twinlock_postgres::Observation;

use super::shared::Shared;
use crate::client::AgentClient;
use crate::clock::now;

/// How often the peer is asked.
const PAUSE: Duration = Duration::from_millis(250);

/// Asks the peer for its report, for ever.
pub(super) async fn listen(shared: Rc<Shared>) {
    let peer = AgentClient::with(shared.config.peer.agent, shared.control.clone());
    loop {
        if let Ok(report) = peer.report().await {
            let news = shared.peer_report.borrow().as_ref().is_none_or(|(_, known)| *known != report);
            *shared.peer_report.borrow_mut() = Some((now(), report));
            if news {
                shared.wake.notify_one();
            }
        }
        sleep(PAUSE).await;
    }
}

/// What this member tells its peer.
pub(super) fn report(shared: &Shared) -> PeerReport {
    let observation = shared.observation.borrow();
    let alive = observation.as_ref().filter(|_| shared.silent_since.get().is_none());
    let active = shared.reading().is_some_and(|reading| reading.register.active == shared.me);
    let is = |in_recovery: bool| alive.is_some_and(|seen: &Observation| seen.in_recovery == in_recovery);
    PeerReport {
        standby_ready: is(true) && !active,
        primary_open: is(false) && active && shared.gate().open,
        checkpointed_timeline: shared.checkpointed_timeline.get(),
        timeline: alive.map(|seen| seen.timeline),
        stopping: shared.order.get() == Some(twinlock_pair::view::Order::Shutdown),
    }
}
