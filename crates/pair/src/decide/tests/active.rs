//! The steps of the member that the register calls active.

use super::build::*;
use crate::decide::Action;
use crate::moment::Moment;
use crate::view::{Asked, Follow, Instance, Job, Order, PrimaryFacts, SenderFacts, Synchronous};
use std::time::Duration;

const NOBODY_CAN: &str = "the instance is not running and no standby can take over";
const DIED: &str = "the instance died and the standby has every commit, handing over to b";

// The lease.

#[test]
fn a_lapsed_lease_kills_the_instance() {
    active().no_lease().decides(Action::Kill, "the lease has lapsed and the instance could still commit");
}

#[test]
fn a_lapsed_lease_kills_an_instance_that_does_not_answer() {
    active()
        .no_lease()
        .instance(unresponsive(0))
        .decides(Action::Kill, "the lease has lapsed and the instance could still commit");
    active()
        .with(|view| view.lease_until = None)
        .instance(unresponsive(0))
        .decides(Action::Kill, "the instance does not answer and this member has no lease");
}

#[test]
fn a_free_lease_is_taken_again() {
    active()
        .no_lease()
        .instance(stopped(Follow::Rewind))
        .asks(retake(), "this member is active and its lease is free");
}

#[test]
fn the_lease_is_not_taken_while_a_step_is_running() {
    active()
        .no_lease()
        .instance(Instance::Starting)
        .job(Job::Start)
        .waits("the lease has lapsed and a step is still running");
}

#[test]
fn an_arbiter_that_restarted_is_waited_for() {
    active()
        .no_lease()
        .instance(stopped(Follow::Rewind))
        .register(|reading| reading.embargo_remaining_ms = 700)
        .waits("the arbiter restarted and grants nothing for another 700 ms");
}

#[test]
fn a_member_that_promised_does_not_become_active_by_a_late_grant() {
    active()
        .no_lease()
        .instance(following())
        .with(|view| view.promised_until = Some(Moment(100_001)))
        .waits("b was promised that nobody else becomes active yet");
}

#[test]
fn the_peer_gets_time_to_take_what_was_handed_over() {
    let handed_over = |ago_ms| {
        active()
            .both_in_sync()
            .no_lease()
            .released()
            .instance(stopped(Follow::Rewind))
            .peer(ready())
            .with(|view| view.handed_over = Some(Moment(NOW.0 - ago_ms)))
    };
    handed_over(9_999).waits("the lease was handed over to b");
    handed_over(10_000).asks(retake(), "this member is active and its lease is free");
}

#[test]
fn a_hand_over_that_nobody_took_is_not_repeated() {
    let retaken = |ago_ms| {
        active()
            .both_in_sync()
            .instance(stopped(Follow::Rewind))
            .peer(ready())
            .with(|view| view.handed_over = Some(Moment(NOW.0 - ago_ms)))
    };
    retaken(59_999).decides(Action::StartPrimary, NOBODY_CAN);
    retaken(60_000).asks(release(), DIED);
}

#[test]
fn the_lease_is_taken_again_after_the_arbiter_was_away() {
    let because = "the arbiter is back; until now only the promise of b counted";
    active().both_in_sync().primary(paired()).lease_lapsed().asks(retake(), because);
    active()
        .both_in_sync()
        .primary(paired())
        .lease_lapsed()
        .register(|reading| reading.embargo_remaining_ms = 1)
        .waits("active, b in sync");
}

// An instance that is not primary.

#[test]
fn a_new_pair_is_initialised() {
    active()
        .instance(Instance::Absent)
        .register(|reading| reading.register.initialised = false)
        .decides(Action::Initialise, "the pair is new and has no database yet");
}

#[test]
fn an_unfinished_creation_is_finished() {
    active()
        .register(|reading| reading.register.initialised = false)
        .decides(Action::Initialise, "the database was started but its creation was not finished");
}

#[test]
fn an_active_that_lost_its_data_hands_over() {
    active()
        .both_in_sync()
        .instance(Instance::Absent)
        .peer(ready())
        .asks(release(), "the data directory is gone and the standby has every commit, handing over to b");
}

#[test]
fn an_active_that_lost_its_data_and_has_no_standby_needs_a_person() {
    active().instance(Instance::Absent).decides(
        Action::AskPerson,
        "the data directory of the active member a is gone and no standby has every commit; \
         restore it from a backup, then start the member again",
    );
}

#[test]
fn a_dead_instance_is_handed_over_to_a_standby_in_sync() {
    active().both_in_sync().instance(stopped(Follow::Rewind)).peer(ready()).asks(release(), DIED);
}

#[test]
fn a_dead_instance_starts_in_place_when_the_standby_cannot_take_over() {
    let died = || active().both_in_sync().instance(stopped(Follow::Rewind));
    died().decides(Action::StartPrimary, NOBODY_CAN);
    died().peer_heard(ready(), 1_501).decides(Action::StartPrimary, NOBODY_CAN);
    died().in_sync(&[a()]).peer(ready()).decides(Action::StartPrimary, NOBODY_CAN);
    let mut stopping = ready();
    stopping.stopping = true;
    died().peer(stopping).decides(Action::StartPrimary, NOBODY_CAN);
    let mut starting = ready();
    starting.standby_ready = false;
    died().peer(starting).decides(Action::StartPrimary, NOBODY_CAN);
}

#[test]
fn an_active_that_died_before_its_promotion_starts_as_standby() {
    active()
        .instance(stopped(Follow::Ready))
        .decides(Action::StartStandby, "this member is active and is to be promoted");
}

#[test]
fn a_half_rewound_active_needs_a_person() {
    active().instance(stopped(Follow::BaseBackup)).decides(
        Action::AskPerson,
        "the data directory of the active member was only half rewound; restore it from a backup",
    );
}

#[test]
fn a_starting_instance_and_a_running_step_are_waited_for() {
    active().instance(Instance::Starting).waits("the instance is starting");
    active().instance(Instance::Starting).job(Job::Start).waits("a step is running");
}

#[test]
fn a_frozen_instance_is_killed_when_the_standby_can_take_over() {
    let frozen = |for_ms| active().both_in_sync().instance(unresponsive(for_ms)).peer(ready());
    frozen(2_999).waits("the instance does not answer yet");
    frozen(3_000)
        .decides(Action::Kill, "the instance runs but does not answer, and the standby has every commit");
}

#[test]
fn a_frozen_instance_without_standby_is_given_a_minute() {
    active()
        .instance(unresponsive(59_999))
        .waits("the instance runs but does not answer, and no standby can take over");
    active()
        .instance(unresponsive(60_000))
        .decides(Action::Kill, "the instance has not answered for long and is started anew");
}

#[test]
fn the_new_active_is_promoted() {
    active()
        .instance(following())
        .decides(Action::Promote, "this member is active and its instance still follows");
}

// A promoted or restarted primary, until clients come in.

fn shut(primary: PrimaryFacts) -> PrimaryFacts {
    PrimaryFacts { gate_open: false, ..primary }
}

#[test]
fn a_promoted_instance_acknowledges_alone_before_it_opens() {
    let promoted = PrimaryFacts { synchronous: Synchronous::Nobody, ..shut(alone()) };
    active().primary(promoted).decides(Action::GoAlone, "b is not in the in-sync set");
    active()
        .primary(shut(alone()))
        .decides(Action::OpenGate, "everything visible here is on the standby, or the standby has left");
}

#[test]
fn a_restarted_active_waits_again_for_its_standby_in_sync() {
    let restarted =
        PrimaryFacts { synchronous: Synchronous::Nobody, gate_position: Some(50 << 20), ..shut(paired()) };
    active()
        .both_in_sync()
        .primary(restarted)
        .decides(Action::NamePeer, "b is in sync and must be waited for");
}

#[test]
fn the_gate_opens_when_the_standby_has_everything_that_recovery_made_visible() {
    let recovered = |lag_bytes| {
        active().both_in_sync().primary(PrimaryFacts {
            gate_position: Some(50 << 20),
            sender: Some(sender(lag_bytes)),
            ..shut(paired())
        })
    };
    recovered(1).waits("clients wait until b has everything visible here");
    recovered(0)
        .decides(Action::OpenGate, "everything visible here is on the standby, or the standby has left");
}

#[test]
fn the_gate_opens_when_the_standby_has_left() {
    let recovered = PrimaryFacts { gate_position: Some(50 << 20), ..shut(alone()) };
    active()
        .primary(recovered)
        .decides(Action::OpenGate, "everything visible here is on the standby, or the standby has left");
}

#[test]
fn a_closed_gate_does_not_keep_a_lost_standby_in_the_set() {
    let recovered = PrimaryFacts {
        gate_position: Some(50 << 20),
        sender: None,
        sender_missing_since: Some(Moment(NOW.0 - 500)),
        ..shut(paired())
    };
    active().both_in_sync().primary(recovered).asks(remove(), "b is no longer connected");
}

// The standby leaves.

#[test]
fn a_disconnected_standby_leaves_the_set_after_half_a_second() {
    let missing = |for_ms| {
        active().both_in_sync().primary(PrimaryFacts {
            sender: None,
            sender_missing_since: Some(Moment(NOW.0 - for_ms)),
            ..paired()
        })
    };
    missing(499).waits("active, b in sync");
    missing(500).asks(remove(), "b is no longer connected");
}

#[test]
fn a_silent_standby_leaves_the_set() {
    let silent = |for_ms| {
        active().both_in_sync().primary(PrimaryFacts {
            sender: Some(SenderFacts { silent_for: Duration::from_millis(for_ms), ..sender(0) }),
            ..paired()
        })
    };
    silent(2_499).waits("active, b in sync");
    silent(2_500).asks(remove(), "b no longer confirms what it receives");
}

#[test]
fn an_active_goes_alone_only_after_the_removal() {
    let gone = PrimaryFacts { synchronous: Synchronous::Peer, ..alone() };
    active().primary(gone).decides(Action::GoAlone, "b is not in the in-sync set");
}

#[test]
fn an_active_does_not_go_alone_while_an_admission_may_still_arrive() {
    for asked in [Asked::Unanswered { revision: 7 }, Asked::Unknown] {
        for synchronous in [Synchronous::Peer, Synchronous::Nobody] {
            active()
                .primary(PrimaryFacts { synchronous, ..alone() })
                .with(|view| view.asked = asked)
                .asks(remove(), "b may yet be admitted by a late request");
        }
    }
    active()
        .primary(PrimaryFacts { synchronous: Synchronous::Peer, ..alone() })
        .with(|view| view.asked = Asked::Unanswered { revision: 6 })
        .decides(Action::GoAlone, "b is not in the in-sync set");
}

#[test]
fn a_standby_that_is_not_waited_for_cannot_stay_in_the_set() {
    active()
        .both_in_sync()
        .primary(PrimaryFacts { synchronous: Synchronous::Alone, ..paired() })
        .asks(remove(), "commits are acknowledged without b");
}

// The standby comes back.

#[test]
fn an_active_without_standby_works_alone() {
    active().waits("active alone, b is not connected");
}

#[test]
fn a_standby_that_is_behind_is_waited_for() {
    let behind = |sender| active().primary(PrimaryFacts { sender: Some(sender), ..alone() });
    behind(SenderFacts { streaming: false, ..sender(0) }).waits("b is catching up");
    behind(sender((1 << 20) + 1)).waits("b is catching up");
    behind(sender(1 << 20)).decides(Action::ShowWaits, "b has caught up");
}

#[test]
fn the_showing_is_waited_for() {
    for synchronous in [Synchronous::Nobody, Synchronous::Peer] {
        active()
            .primary(PrimaryFacts { synchronous, ..paired() })
            .job(Job::Admit)
            .waits("showing that commits wait for b");
    }
}

#[test]
fn a_standby_is_admitted_once_commits_are_shown_to_wait_for_it() {
    active()
        .primary(PrimaryFacts { waits_shown: Some(7), ..paired() })
        .asks(admit(), "commits are shown to wait for b");
}

#[test]
fn waits_shown_before_the_register_changed_admit_nobody() {
    for waits_shown in [None, Some(6)] {
        active()
            .primary(PrimaryFacts { waits_shown, ..paired() })
            .decides(Action::GoAlone, "b is not in the in-sync set");
    }
}

#[test]
fn a_standby_that_went_away_before_its_admission_is_not_admitted() {
    active()
        .primary(PrimaryFacts { waits_shown: Some(7), sender: None, ..paired() })
        .decides(Action::GoAlone, "b is not in the in-sync set");
}

#[test]
fn a_complete_pair_has_nothing_to_do() {
    active().both_in_sync().primary(paired()).waits("active, b in sync");
}

// Switchover.

#[test]
fn a_switchover_stops_the_instance_first() {
    let ordered = || active().both_in_sync().order(Order::Switchover).peer(ready());
    ordered().primary(paired()).decides(Action::StopFast, "switching over to b");
    ordered()
        .instance(stopped(Follow::Rewind))
        .asks(release(), "the instance has stopped for the switchover, handing over to b");
}

#[test]
fn a_switchover_waits_for_a_standby_that_answers() {
    active()
        .both_in_sync()
        .primary(paired())
        .order(Order::Switchover)
        .waits("the switchover waits until b is in sync and answers");
}

#[test]
fn a_switchover_does_not_keep_the_standby_out_of_the_set() {
    active()
        .primary(PrimaryFacts { waits_shown: Some(7), ..paired() })
        .order(Order::Switchover)
        .peer(ready())
        .asks(admit(), "commits are shown to wait for b");
}

#[test]
fn a_switchover_waits_for_a_running_step() {
    active()
        .both_in_sync()
        .primary(paired())
        .order(Order::Switchover)
        .peer(ready())
        .job(Job::Admit)
        .waits("the switchover starts once the running step has ended");
}

#[test]
fn a_switchover_whose_standby_disappears_starts_the_active_again() {
    active()
        .both_in_sync()
        .instance(stopped(Follow::Rewind))
        .order(Order::Switchover)
        .peer_heard(ready(), 2_000)
        .decides(Action::StartPrimary, NOBODY_CAN);
}
