//! What a member does whose register is not known.

use super::build::*;
use crate::decide::Action;

#[test]
fn nothing_starts_before_the_arbiter_has_answered() {
    standby().unread().waits("the arbiter has not answered yet");
}

#[test]
fn a_restarted_agent_keeps_a_primary_whose_lease_lasts() {
    active().unread().waits("the arbiter has not answered yet");
}

#[test]
fn a_primary_without_lease_is_killed_before_the_arbiter_has_answered() {
    active()
        .unread()
        .no_lease()
        .decides(Action::Kill, "the instance could commit and the arbiter has not answered yet");
}

#[test]
fn a_refused_register_needs_a_person() {
    standby().refused().decides(Action::AskPerson, "the register is gone");
}

#[test]
fn a_refused_register_stops_no_active_whose_lease_lasts() {
    active().refused().decides(Action::AskPerson, "the register is gone");
}

#[test]
fn a_primary_without_lease_is_killed_under_a_refused_register() {
    active()
        .refused()
        .no_lease()
        .decides(Action::Kill, "the instance could commit without a lease: the register is gone");
}

#[test]
fn a_failed_step_is_not_hammered() {
    let stopped = || active().instance(stopped(crate::view::Follow::Rewind));
    stopped().failed("start primary", 1_999).waits("start primary failed and is tried again shortly");
    stopped()
        .failed("start primary", 2_000)
        .decides(Action::StartPrimary, "the instance is not running and no standby can take over");
}

#[test]
fn a_refused_change_is_asked_again_after_one_renewal() {
    let free = || standby().released();
    free().failed("take over", 499).waits("take over failed and is tried again shortly");
    free()
        .failed("take over", 500)
        .asks(take_over(), "nobody holds the lease and a has every acknowledged commit");
}

#[test]
fn a_failed_step_delays_no_other() {
    active()
        .instance(stopped(crate::view::Follow::Rewind))
        .failed("promote", 0)
        .decides(Action::StartPrimary, "the instance is not running and no standby can take over");
}

#[test]
fn a_failed_kill_is_tried_again_at_once() {
    active()
        .no_lease()
        .failed("kill", 0)
        .decides(Action::Kill, "the lease has lapsed and the instance could still commit");
}
