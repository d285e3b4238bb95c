//! Each state by the facts that make it, and the walks that users know.

use twinlock_manifest::state::PairState::{self, *};

use super::*;

fn member(instance: InstanceState) -> MemberFacts {
    MemberFacts { instance, job: None, holds_lease: false }
}

fn serving() -> MemberFacts {
    MemberFacts { holds_lease: true, ..member(InstanceState::PrimaryOpen) }
}

fn closed() -> MemberFacts {
    MemberFacts { holds_lease: true, ..member(InstanceState::PrimaryClosed) }
}

fn streaming() -> MemberFacts {
    member(InstanceState::StandbyStreaming)
}

fn doing(job: Job) -> MemberFacts {
    MemberFacts { job: Some(job), ..member(InstanceState::Stopped) }
}

fn facts(active: Option<MemberFacts>, other: Option<MemberFacts>, other_in_sync: bool) -> PairFacts {
    PairFacts {
        register: RegisterFacts::Read { other_in_sync },
        active,
        other,
        initialisation_failed: false,
        person_asked: false,
        reexamine: false,
    }
}

fn state(previous: PairState, facts: &PairFacts) -> PairState {
    pair_state(previous, facts)
}

/// The states told, without repetitions, of a pair that starts in `previous`.
fn walk(previous: PairState, seen: &[PairFacts]) -> Vec<PairState> {
    let mut told = vec![previous];
    for facts in seen {
        told.push(pair_state(told[told.len() - 1], facts));
    }
    told.dedup();
    told
}

/// From the new active alone to the complete pair.
fn standby_returns(make: Job) -> Vec<PairFacts> {
    vec![
        facts(Some(serving()), None, false),
        facts(Some(serving()), Some(member(InstanceState::Stopped)), false),
        facts(Some(serving()), Some(doing(make)), false),
        facts(Some(serving()), Some(doing(Job::Start)), false),
        facts(Some(serving()), Some(member(InstanceState::Standby)), false),
        facts(Some(serving()), Some(streaming()), false),
        facts(Some(serving()), Some(streaming()), true),
    ]
}

#[test]
fn a_complete_pair_is_normal() {
    assert_eq!(state(StandbyCatchup, &facts(Some(serving()), Some(streaming()), true)), Normal);
}

#[test]
fn a_primary_without_lease_is_down() {
    let lapsed = MemberFacts { holds_lease: false, ..serving() };
    assert_eq!(state(Normal, &facts(Some(lapsed), Some(streaming()), true)), ActiveDown);
}

#[test]
fn a_connection_that_is_remade_is_no_event() {
    let remade = facts(Some(serving()), Some(member(InstanceState::Standby)), true);
    assert_eq!(state(Normal, &remade), Normal);
}

#[test]
fn an_active_that_is_about_to_go_on_alone_takes_over() {
    assert_eq!(state(Normal, &facts(Some(serving()), None, true)), ActiveTakeover);
}

#[test]
fn a_standby_that_cannot_connect_is_down() {
    let cut = facts(Some(serving()), Some(member(InstanceState::Standby)), false);
    assert_eq!(state(Normal, &cut), StandbyDown);
    assert_eq!(state(StandbyStarting, &cut), StandbyStarting);
}

#[test]
fn a_standby_being_copied_rewound_or_started_is_starting() {
    for job in [Job::BaseBackup, Job::Rewind, Job::Start] {
        assert_eq!(state(StandbyDown, &facts(Some(serving()), Some(doing(job)), false)), StandbyStarting);
    }
}

#[test]
fn a_streaming_standby_outside_the_set_catches_up() {
    assert_eq!(state(StandbyStarting, &facts(Some(serving()), Some(streaming()), false)), StandbyCatchup);
}

#[test]
fn a_lost_active_whose_standby_is_in_sync_is_down() {
    assert_eq!(state(Normal, &facts(None, Some(streaming()), true)), ActiveDown);
    let stopped = Some(member(InstanceState::Stopped));
    assert_eq!(state(Normal, &facts(stopped, Some(member(InstanceState::Standby)), true)), ActiveDown);
}

#[test]
fn a_lost_active_whose_standby_may_miss_commits_is_waited_for() {
    assert_eq!(state(StandbyCatchup, &facts(None, Some(streaming()), false)), WaitingForActive);
}

#[test]
fn two_lost_members_are_both_down() {
    assert_eq!(state(Normal, &facts(None, None, true)), BothDown);
    let unread = PairFacts { register: RegisterFacts::Unread, ..facts(None, None, false) };
    assert_eq!(state(Normal, &unread), BothDown);
}

#[test]
fn an_unread_register_keeps_the_state() {
    let unread = PairFacts { register: RegisterFacts::Unread, ..facts(Some(serving()), None, false) };
    assert_eq!(state(StandbyDown, &unread), StandbyDown);
}

#[test]
fn a_restart_in_place_waits_and_then_configures() {
    let starting = Some(member(InstanceState::Starting));
    assert_eq!(state(BothDown, &facts(starting, None, true)), WaitingForActive);
    assert_eq!(state(WaitingForActive, &facts(Some(closed()), None, true)), ConfiguringActive);
}

#[test]
fn a_pair_stays_initializing_until_it_is_first_complete() {
    let seen = [
        facts(None, None, false),
        facts(Some(doing(Job::Initialise)), None, false),
        facts(Some(closed()), None, false),
        facts(Some(serving()), Some(doing(Job::BaseBackup)), false),
        facts(Some(serving()), Some(streaming()), false),
        facts(Some(serving()), Some(streaming()), true),
    ];
    assert_eq!(walk(Initializing, &seen), [Initializing, Normal]);
}

#[test]
fn a_failed_initialisation_fails_the_pair_for_good() {
    let failed = PairFacts { initialisation_failed: true, ..facts(None, None, false) };
    assert_eq!(state(Initializing, &failed), Failed);
    assert_eq!(state(Failed, &facts(Some(serving()), Some(streaming()), true)), Failed);
}

#[test]
fn a_question_to_a_person_is_told_even_while_initializing() {
    let asked = PairFacts { person_asked: true, ..facts(Some(serving()), Some(streaming()), true) };
    assert_eq!(state(Initializing, &asked), ManualInterventionRequired);
    let refused = PairFacts { register: RegisterFacts::Refused, ..facts(None, None, false) };
    assert_eq!(state(Normal, &refused), ManualInterventionRequired);
}

#[test]
fn walk_active_lost() {
    let mut seen = vec![
        facts(None, Some(streaming()), true),
        facts(None, Some(member(InstanceState::Standby)), true),
        facts(Some(member(InstanceState::Standby)), None, false),
        facts(Some(doing(Job::Promote)), None, false),
        facts(Some(closed()), None, false),
    ];
    seen.extend(standby_returns(Job::Rewind));
    assert_eq!(
        walk(Normal, &seen),
        [Normal, ActiveDown, ActiveTakeover, StandbyDown, StandbyStarting, StandbyCatchup, Normal]
    );
}

#[test]
fn walk_standby_lost() {
    let mut seen = vec![facts(Some(serving()), None, true)];
    seen.extend(standby_returns(Job::BaseBackup));
    assert_eq!(
        walk(Normal, &seen),
        [Normal, ActiveTakeover, StandbyDown, StandbyStarting, StandbyCatchup, Normal]
    );
}

#[test]
fn walk_both_lost() {
    let mut seen = vec![
        facts(None, None, true),
        facts(Some(doing(Job::Start)), None, true),
        facts(Some(closed()), None, true),
        facts(Some(closed()), None, false),
    ];
    seen.extend(standby_returns(Job::Start));
    assert_eq!(
        walk(Normal, &seen),
        [
            Normal,
            BothDown,
            WaitingForActive,
            ConfiguringActive,
            StandbyDown,
            StandbyStarting,
            StandbyCatchup,
            Normal
        ]
    );
}

#[test]
fn walk_both_lost_and_not_decidable() {
    let asked = PairFacts { person_asked: true, ..facts(Some(member(InstanceState::Absent)), None, false) };
    assert_eq!(
        walk(Normal, &[facts(None, None, false), asked]),
        [Normal, BothDown, ManualInterventionRequired]
    );
}

#[test]
fn walk_a_person_mends() {
    let asked = PairFacts { person_asked: true, ..facts(Some(member(InstanceState::Absent)), None, false) };
    let again = PairFacts { reexamine: true, ..asked.clone() };
    let mended = PairFacts { reexamine: true, ..facts(Some(serving()), Some(streaming()), true) };
    let seen = [asked.clone(), again, asked, mended.clone(), mended];
    assert_eq!(
        walk(BothDown, &seen),
        [BothDown, ManualInterventionRequired, Reexamine, ManualInterventionRequired, Reexamine, Normal]
    );
}
