//! A person orders a member to stop.

use super::build::*;
use crate::decide::Action;
use crate::view::{Follow, Job, Order};

const STOPPED: &str = "a person ordered this member to stop and the instance has stopped";

#[test]
fn the_instance_stops_first() {
    active()
        .both_in_sync()
        .order(Order::Shutdown)
        .decides(Action::StopFast, "a person ordered this member to stop");
}

#[test]
fn a_stopped_active_says_goodbye_so_that_the_standby_takes_over_at_once() {
    active()
        .both_in_sync()
        .instance(stopped(Follow::Rewind))
        .order(Order::Shutdown)
        .asks(release(), "the instance has stopped, saying goodbye");
}

#[test]
fn the_agent_ends_after_the_goodbye() {
    active()
        .instance(stopped(Follow::Rewind))
        .no_lease()
        .released()
        .order(Order::Shutdown)
        .decides(Action::End, STOPPED);
}

#[test]
fn a_goodbye_without_an_answer_is_not_waited_for() {
    active()
        .instance(stopped(Follow::Rewind))
        .no_lease()
        .order(Order::Shutdown)
        .decides(Action::End, STOPPED);
}

#[test]
fn a_standby_ends_without_a_goodbye() {
    standby().instance(stopped(Follow::Ready)).order(Order::Shutdown).decides(Action::End, STOPPED);
}

#[test]
fn an_absent_arbiter_does_not_keep_a_member_running() {
    standby()
        .unread()
        .order(Order::Shutdown)
        .decides(Action::StopFast, "a person ordered this member to stop");
    standby().refused().instance(stopped(Follow::Ready)).order(Order::Shutdown).decides(Action::End, STOPPED);
}

#[test]
fn a_running_step_is_not_cut_off() {
    active().job(Job::Promote).order(Order::Shutdown).waits("stopping once the running step has ended");
}

#[test]
fn an_instance_that_did_not_stop_in_order_is_killed() {
    active()
        .order(Order::Shutdown)
        .failed("stop", 0)
        .decides(Action::Kill, "a person ordered this member to stop and it did not stop in order");
}

#[test]
fn an_instance_without_lease_is_killed_rather_than_stopped() {
    active()
        .no_lease()
        .order(Order::Shutdown)
        .decides(Action::Kill, "the lease has lapsed and the instance could still commit");
}

#[test]
fn a_lapsed_lease_kills_while_the_stop_is_running() {
    active()
        .no_lease()
        .order(Order::Shutdown)
        .job(Job::Stop)
        .decides(Action::Kill, "the lease has lapsed and the instance could still commit");
}
