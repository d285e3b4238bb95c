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
