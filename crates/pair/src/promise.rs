//! The standby's promise, under which an active goes on while the arbiter is away.

use crate::register::MemberName;
use crate::view::{Instance, RegisterKnowledge, View};

/// Whether the standby that sees `view` may promise the active of `generation` not to seek the lease.
///
/// The promise lasts for [`crate::Timing::promise_ms`] from now on and is noted in
/// [`View::promised_until`] before it is sent.
///
/// # Errors
/// A sentence saying why not.
pub fn may_promise(view: &View, asker: &MemberName, generation: u64) -> Result<(), &'static str> {
    let RegisterKnowledge::Read { reading, .. } = &view.register else {
        return Err("the register is not known here");
    };
    let register = &reading.register;
    if register.active != *asker || register.generation != generation {
        return Err("the asker is not the active member of the register known here");
    }
    if register.lease.as_ref() != Some(asker) {
        return Err("the active member has said goodbye");
    }
    // The wish for the lease may be granted after the promise was given.
    if view.asked.unanswered_at(register.revision) {
        return Err("this member has asked for a change that may still be made");
    }
    // Only an active whose commits are confirmed here gains from going on.
    match &view.instance {
        Instance::Standby(facts) if facts.streaming => Ok(()),
        _ => Err("the instance does not follow the active member"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::build::{b, cut_off, standby};
    use crate::view::Asked;

    #[test]
    fn a_streaming_standby_promises() {
        assert_eq!(may_promise(&standby().0, &b(), 1), Ok(()));
    }

    #[test]
    fn nothing_is_promised_to_another_generation() {
        assert!(may_promise(&standby().0, &b(), 0).is_err());
        assert!(may_promise(&standby().0, &b(), 2).is_err());
    }

    #[test]
    fn nothing_is_promised_to_a_member_that_is_not_active() {
        assert!(may_promise(&standby().0, &"a".into(), 1).is_err());
    }

    #[test]
    fn nothing_is_promised_after_a_goodbye() {
        assert!(may_promise(&standby().released().0, &b(), 1).is_err());
    }

    #[test]
    fn nothing_is_promised_while_an_own_wish_for_the_lease_may_be_granted() {
        let asked = |revision| standby().with(|view| view.asked = Asked::Unanswered { revision }).0;
        assert!(may_promise(&asked(7), &b(), 1).is_err());
        assert_eq!(may_promise(&asked(6), &b(), 1), Ok(()));
    }

    #[test]
    fn a_standby_without_a_stream_promises_nothing() {
        assert!(may_promise(&standby().instance(cut_off(1)).0, &b(), 1).is_err());
    }

    #[test]
    fn nothing_is_promised_before_the_arbiter_has_answered() {
        assert!(may_promise(&standby().unread().0, &b(), 1).is_err());
    }
}
