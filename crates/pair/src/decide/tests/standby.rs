//! The steps of a member that the register does not call active.

use super::build::*;
use crate::decide::Action;
use crate::moment::Moment;
use crate::view::{Follow, Instance, Job, RegisterKnowledge};

#[test]
fn a_streaming_standby_has_nothing_to_do() {
    standby().waits("following b");
}

#[test]
fn a_primary_that_is_not_active_is_killed() {
    standby().primary(alone()).decides(Action::Kill, "b is active now");
}

#[test]
fn a_primary_that_is_not_active_is_killed_although_its_lease_seems_to_last() {
    standby()
        .primary(alone())
        .with(|view| view.lease_until = Some(Moment(101_000)))
        .decides(Action::Kill, "b is active now");
}

#[test]
fn a_former_active_that_does_not_answer_is_killed() {
    standby().instance(unresponsive(0)).no_lease().decides(Action::Kill, "b is active now");
}

#[test]
fn a_standby_that_does_not_answer_is_given_time() {
    standby().instance(unresponsive(2_999)).waits("the instance does not answer yet");
    standby()
        .instance(unresponsive(3_000))
        .decides(Action::Kill, "the instance runs but does not answer, and is started anew");
}

#[test]
fn a_running_step_is_waited_for() {
    standby().instance(stopped(Follow::Ready)).job(Job::Start).waits("a step is running");
}

#[test]
fn a_lapsed_lease_is_taken_over() {
    standby().lease_lapsed().asks(take_over(), "nobody holds the lease and a has every acknowledged commit");
}

#[test]
fn a_lease_that_lapses_between_two_answers_of_the_arbiter_is_taken_over() {
    let read = |ago_ms| {
        standby().with(|view| {
            if let RegisterKnowledge::Read { at, .. } = &mut view.register {
                *at = Moment(NOW.0 - ago_ms);
            }
        })
    };
    read(2_999).waits("following b");
    read(3_000).asks(take_over(), "nobody holds the lease and a has every acknowledged commit");
}

#[test]
fn an_arbiter_that_restarted_is_not_asked_for_the_lease() {
    standby().lease_lapsed().register(|reading| reading.embargo_remaining_ms = 10).waits("following b");
}

#[test]
fn a_member_outside_the_set_does_not_seek_the_lease() {
    standby()
        .lease_lapsed()
        .in_sync(&[b()])
        .waits("nobody holds the lease, but a is not in the in-sync set and may miss commits");
}

#[test]
fn a_member_outside_the_set_starts_although_nobody_holds_the_lease() {
    standby()
        .lease_lapsed()
        .in_sync(&[b()])
        .instance(stopped(Follow::Ready))
        .decides(Action::StartStandby, "following b");
}

#[test]
fn a_promise_is_kept() {
    let promised = |until| standby().lease_lapsed().with(|view| view.promised_until = Some(Moment(until)));
    promised(100_001).waits("a promised b not to seek the lease yet");
    promised(100_000).asks(take_over(), "nobody holds the lease and a has every acknowledged commit");
}

#[test]
fn a_promise_that_a_restarted_agent_may_have_forgotten_is_waited_out() {
    let started = |at| standby().lease_lapsed().with(|view| view.agent_started = Moment(at));
    started(97_001).waits("a promised b not to seek the lease yet");
    started(97_000).asks(take_over(), "nobody holds the lease and a has every acknowledged commit");
}

#[test]
fn a_goodbye_ends_the_promise() {
    standby()
        .released()
        .with(|view| view.promised_until = Some(Moment(102_000)))
        .asks(take_over(), "nobody holds the lease and a has every acknowledged commit");
}

#[test]
fn a_stopped_standby_starts_before_it_takes_over() {
    standby()
        .lease_lapsed()
        .instance(stopped(Follow::Ready))
        .decides(Action::StartStandby, "nobody holds the lease; the instance starts before it takes over");
    standby()
        .lease_lapsed()
        .instance(Instance::Starting)
        .waits("the instance is starting before it takes over");
}

#[test]
fn a_member_whose_data_is_gone_leaves_the_set_even_when_nobody_holds_the_lease() {
    standby()
        .lease_lapsed()
        .instance(Instance::Absent)
        .asks(leave(), "leaving the in-sync set before the data directory changes");
}

#[test]
fn a_stopped_standby_follows() {
    standby().instance(stopped(Follow::Ready)).decides(Action::StartStandby, "following b");
    standby().instance(Instance::Starting).waits("the instance is starting");
}

#[test]
fn the_set_is_left_before_a_rewind_and_before_a_copy() {
    for follow in [Follow::Rewind, Follow::BaseBackup] {
        standby()
            .instance(stopped(follow))
            .peer(open())
            .asks(leave(), "leaving the in-sync set before the data directory changes");
    }
}

#[test]
fn an_absent_data_directory_is_copied_from_an_open_active() {
    let absent = || standby().in_sync(&[b()]).instance(Instance::Absent);
    absent().peer(open()).decides(Action::BaseBackup, "there is no data directory, copying b");
    absent().peer(ready()).waits("there is no data directory, waiting for b to be open");
    absent().peer_heard(open(), 3_001).waits("there is no data directory, waiting for b to be open");
}

#[test]
fn a_data_directory_that_cannot_be_rewound_is_copied() {
    standby()
        .in_sync(&[b()])
        .instance(stopped(Follow::BaseBackup))
        .peer(open())
        .decides(Action::BaseBackup, "the data directory cannot be rewound, copying b");
}

#[test]
fn a_former_active_is_rewound_once_the_new_one_has_checkpointed() {
    let former = || standby().in_sync(&[b()]).instance(stopped(Follow::Rewind));
    former().peer(open()).decides(Action::Rewind, "this member was active before b");
    let mut before_checkpoint = open();
    before_checkpoint.checkpointed_timeline = Some(1);
    former().peer(before_checkpoint).waits("waiting for b to be open and past a checkpoint");
    former().waits("waiting for b to be open and past a checkpoint");
}

#[test]
fn a_standby_without_a_stream_waits_for_it() {
    standby().instance(cut_off(60_000)).waits("waiting for a stream from b");
    standby().in_sync(&[b()]).instance(cut_off(9_999)).peer(open()).waits("waiting for a stream from b");
}

#[test]
fn a_standby_that_an_open_active_cannot_feed_is_stopped() {
    standby()
        .in_sync(&[b()])
        .instance(cut_off(10_000))
        .peer(open())
        .decides(Action::StopFast, "b is open but nothing was received for 10 s");
}
