//! A small builder of views: member `a` looks, `b` is its peer, at 100 s, with the default timing.

use std::time::Duration;

use crate::decide::{Action, decide};
use crate::ledger::Reading;
use crate::moment::Moment;
use crate::register::{Change, MemberName, Register};
use crate::timing::Timing;
use crate::view::{
    Asked, Follow, Instance, Job, Order, PeerReport, PrimaryFacts, RegisterKnowledge, SenderFacts,
    StandbyFacts, Synchronous, View,
};

/// The moment of every view.
pub(crate) const NOW: Moment = Moment(100_000);

pub(crate) fn a() -> MemberName {
    MemberName::from("a")
}

pub(crate) fn b() -> MemberName {
    MemberName::from("b")
}

/// `a` is active, holds the lease, and works alone.
pub(crate) fn active() -> Looks {
    Looks(View {
        now: NOW,
        me: a(),
        peer: b(),
        timing: Timing::default(),
        agent_started: Moment(0),
        register: RegisterKnowledge::Read { at: NOW, reading: reading(a(), &[a()]) },
        asked: Asked::Answered,
        lease_until: Some(Moment(102_000)),
        promised_until: None,
        instance: Instance::Primary(alone()),
        peer_report: None,
        job: None,
        last_failure: None,
        handed_over: None,
        order: None,
    })
}

/// `b` is active and holds the lease; `a` follows it and is in sync.
pub(crate) fn standby() -> Looks {
    let mut looks = active();
    looks.0.register = RegisterKnowledge::Read { at: NOW, reading: reading(b(), &[a(), b()]) };
    looks.0.lease_until = None;
    looks.instance(following())
}

/// The register at revision 7, its lease held for another 3 s by `active`.
fn reading(active: MemberName, in_sync: &[MemberName]) -> Reading {
    let register = Register {
        revision: 7,
        generation: 1,
        lease: Some(active.clone()),
        active,
        in_sync: in_sync.iter().cloned().collect(),
        initialised: true,
    };
    Reading { register, lease_remaining_ms: 3_000, embargo_remaining_ms: 0 }
}

/// An open primary that acknowledges alone and has no connection of its peer.
pub(crate) fn alone() -> PrimaryFacts {
    PrimaryFacts {
        gate_open: true,
        gate_position: None,
        synchronous: Synchronous::Alone,
        waits_shown: None,
        sender: None,
        sender_missing_since: Some(Moment(0)),
        flushed: 50 << 20,
    }
}

/// An open primary whose commits wait for its connected peer.
pub(crate) fn paired() -> PrimaryFacts {
    PrimaryFacts {
        synchronous: Synchronous::Peer,
        sender: Some(sender(0)),
        sender_missing_since: None,
        ..alone()
    }
}

/// The connection of a peer that confirmed all but `lag_bytes` of what [`alone`] has flushed.
pub(crate) fn sender(lag_bytes: u64) -> SenderFacts {
    SenderFacts { streaming: true, flushed: (50 << 20) - lag_bytes, silent_for: Duration::ZERO }
}

pub(crate) fn following() -> Instance {
    Instance::Standby(StandbyFacts {
        streaming: true,
        silent_since: None,
        received: 100,
        replayed: 100,
        timeline: 1,
    })
}

/// A standby without a stream for `silent_ms`.
pub(crate) fn cut_off(silent_ms: u64) -> Instance {
    Instance::Standby(StandbyFacts {
        streaming: false,
        silent_since: Some(Moment(NOW.0 - silent_ms)),
        received: 100,
        replayed: 100,
        timeline: 1,
    })
}

pub(crate) fn stopped(follow: Follow) -> Instance {
    Instance::Stopped { follow }
}

pub(crate) fn unresponsive(for_ms: u64) -> Instance {
    Instance::Unresponsive { since: Moment(NOW.0 - for_ms) }
}

/// A peer that follows and could be promoted.
pub(crate) fn ready() -> PeerReport {
    PeerReport {
        standby_ready: true,
        primary_open: false,
        checkpointed_timeline: None,
        timeline: Some(1),
        stopping: false,
    }
}

/// A peer that is the open primary, past a checkpoint on its timeline.
pub(crate) fn open() -> PeerReport {
    PeerReport {
        standby_ready: false,
        primary_open: true,
        checkpointed_timeline: Some(2),
        timeline: Some(2),
        stopping: false,
    }
}

/// A view in the making.
pub(crate) struct Looks(pub(crate) View);

impl Looks {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut View)) -> Looks {
        change(&mut self.0);
        self
    }

    pub(crate) fn register(self, change: impl FnOnce(&mut Reading)) -> Looks {
        self.with(|view| match &mut view.register {
            RegisterKnowledge::Read { reading, .. } => change(reading),
            other => panic!("{other:?} has no reading"),
        })
    }

    pub(crate) fn unread(self) -> Looks {
        self.with(|view| view.register = RegisterKnowledge::Unread)
    }

    pub(crate) fn refused(self) -> Looks {
        self.with(|view| view.register = RegisterKnowledge::Refused { why: "the register is gone".into() })
    }

    pub(crate) fn in_sync(self, members: &[MemberName]) -> Looks {
        self.register(|reading| reading.register.in_sync = members.iter().cloned().collect())
    }

    /// Both members are in the set.
    pub(crate) fn both_in_sync(self) -> Looks {
        self.in_sync(&[a(), b()])
    }

    /// The lease has lapsed at the arbiter.
    pub(crate) fn lease_lapsed(self) -> Looks {
        self.register(|reading| reading.lease_remaining_ms = 0)
    }

    /// The holder has said goodbye.
    pub(crate) fn released(self) -> Looks {
        self.lease_lapsed().register(|reading| reading.register.lease = None)
    }

    pub(crate) fn no_lease(self) -> Looks {
        self.with(|view| view.lease_until = Some(NOW))
    }

    pub(crate) fn instance(self, instance: Instance) -> Looks {
        self.with(|view| view.instance = instance)
    }

    pub(crate) fn primary(self, primary: PrimaryFacts) -> Looks {
        self.instance(Instance::Primary(primary))
    }

    pub(crate) fn job(self, job: Job) -> Looks {
        self.with(|view| view.job = Some(job))
    }

    pub(crate) fn order(self, order: Order) -> Looks {
        self.with(|view| view.order = Some(order))
    }

    pub(crate) fn failed(self, name: &'static str, ago_ms: u64) -> Looks {
        self.with(|view| view.last_failure = Some((Moment(NOW.0 - ago_ms), name)))
    }

    pub(crate) fn peer(self, report: PeerReport) -> Looks {
        self.peer_heard(report, 0)
    }

    pub(crate) fn peer_heard(self, report: PeerReport, ago_ms: u64) -> Looks {
        self.with(|view| view.peer_report = Some((Moment(NOW.0 - ago_ms), report)))
    }

    pub(crate) fn waits(self, because: &str) {
        self.decides(Action::Wait, because);
    }

    pub(crate) fn asks(self, change: Change, because: &str) {
        self.decides(Action::Change(change), because);
    }

    pub(crate) fn decides(self, action: Action, because: &str) {
        let decision = decide(&self.0);
        assert_eq!((decision.action, decision.because.as_str()), (action, because), "seeing {:#?}", self.0);
    }
}

pub(crate) fn remove() -> Change {
    Change::Remove { member: a(), standby: b() }
}

pub(crate) fn admit() -> Change {
    Change::Admit { member: a(), standby: b() }
}

pub(crate) fn release() -> Change {
    Change::Release { member: a() }
}

pub(crate) fn retake() -> Change {
    Change::RetakeLease { member: a() }
}

pub(crate) fn take_over() -> Change {
    Change::TakeOver { member: a() }
}

pub(crate) fn leave() -> Change {
    Change::Leave { member: a() }
}
