//! The one register that says who is active, and the changes that may be made to it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of a member, e.g. `repltls-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberName(pub String);

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for MemberName {
    fn from(name: &str) -> Self {
        MemberName(name.to_owned())
    }
}

/// What the arbiter keeps for one pair; changed only by compare-and-swap on `revision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Register {
    /// Counts every change of this register. A member refuses one lower than it has durably seen.
    pub revision: u64,
    /// Counts the changes of the active member. Never goes back.
    pub generation: u64,
    /// The member that may accept commits while it holds the lease.
    pub active: MemberName,
    /// Members that have every acknowledged commit. Only these may become active.
    pub in_sync: BTreeSet<MemberName>,
    /// Who holds the lease; `None` after an orderly goodbye. When it lapses is the arbiter's to know.
    pub lease: Option<MemberName>,
    /// Whether the first member's database has been created.
    pub initialised: bool,
}

/// A change that a member asks of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum Change {
    /// The active member takes its lapsed or released lease again; the generation stays.
    RetakeLease {
        /// The active member.
        member: MemberName,
    },
    /// An in-sync member becomes active: it alone is in the set, and holds the lease.
    TakeOver {
        /// The new active member.
        member: MemberName,
    },
    /// The holder says goodbye: no process of its instance is left.
    Release {
        /// The holder.
        member: MemberName,
    },
    /// The active member adds its standby, whose confirmation commits are shown to wait for.
    Admit {
        /// The active member.
        member: MemberName,
        /// The standby.
        standby: MemberName,
    },
    /// The active member removes its standby, before it acknowledges commits without it.
    Remove {
        /// The active member.
        member: MemberName,
        /// The standby.
        standby: MemberName,
    },
    /// A standby takes itself out, before its data directory is rewound, replaced or restored.
    Leave {
        /// The standby.
        member: MemberName,
    },
    /// The active member has created the database.
    Initialised {
        /// The active member.
        member: MemberName,
    },
}

/// Why a change is not a legal move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "illegal")]
pub enum IllegalChange {
    /// Only the active member may make this change.
    #[error("{member} is not the active member; {active} is")]
    NotActive {
        /// Who asked.
        member: MemberName,
        /// Who is active.
        active: MemberName,
    },
    /// Only a member of the in-sync set may become active.
    #[error("{member} is not in the in-sync set and may miss acknowledged commits")]
    NotInSync {
        /// Who asked.
        member: MemberName,
    },
    /// The lease belongs to somebody else.
    #[error("the lease is held by {holder}")]
    LeaseHeld {
        /// Who holds it.
        holder: MemberName,
    },
    /// The change needs the lease.
    #[error("{member} does not hold the lease")]
    LeaseNotHeld {
        /// Who asked.
        member: MemberName,
    },
    /// The active member cannot leave the in-sync set.
    #[error("{member} is active and cannot leave the in-sync set")]
    ActiveCannotLeave {
        /// Who asked.
        member: MemberName,
    },
}

impl Register {
    /// A new pair's register: `active` is to create the database; nobody holds the lease.
    #[must_use]
    pub fn seed(active: MemberName) -> Register {
        Register {
            revision: 1,
            generation: 1,
            in_sync: BTreeSet::from([active.clone()]),
            active,
            lease: None,
            initialised: false,
        }
    }

    /// Whether `member` is in the in-sync set.
    #[must_use]
    pub fn in_sync(&self, member: &MemberName) -> bool {
        self.in_sync.contains(member)
    }

    /// The register after `change`: all legal moves are here and nowhere else.
    ///
    /// `lease_free` says that the arbiter could grant the lease now: nobody holds it, or it has lapsed.
    ///
    /// # Errors
    /// [`IllegalChange`]; the register is as it was.
    pub fn apply(&self, change: &Change, lease_free: bool) -> Result<Register, IllegalChange> {
        let mut next = self.clone();
        next.revision += 1;
        match change {
            Change::RetakeLease { member } => {
                self.require_active(member)?;
                self.require_free(member, lease_free)?;
                next.lease = Some(member.clone());
            }
            Change::TakeOver { member } => {
                self.require_free(member, lease_free)?;
                if !self.in_sync(member) {
                    return Err(IllegalChange::NotInSync { member: member.clone() });
                }
                next.generation += 1;
                next.active = member.clone();
                next.in_sync = BTreeSet::from([member.clone()]);
                next.lease = Some(member.clone());
            }
            Change::Release { member } => {
                self.require_lease(member, lease_free)?;
                next.lease = None;
            }
            Change::Admit { member, standby } => {
                self.require_active(member)?;
                self.require_lease(member, lease_free)?;
                next.in_sync.insert(standby.clone());
            }
            Change::Remove { member, standby } => {
                self.require_active(member)?;
                self.require_lease(member, lease_free)?;
                if member == standby {
                    return Err(IllegalChange::ActiveCannotLeave { member: member.clone() });
                }
                next.in_sync.remove(standby);
            }
            Change::Leave { member } => {
                if *member == self.active {
                    return Err(IllegalChange::ActiveCannotLeave { member: member.clone() });
                }
                next.in_sync.remove(member);
            }
            Change::Initialised { member } => {
                self.require_active(member)?;
                self.require_lease(member, lease_free)?;
                next.initialised = true;
            }
        }
        Ok(next)
    }

    fn require_active(&self, member: &MemberName) -> Result<(), IllegalChange> {
        if self.active == *member {
            return Ok(());
        }
        Err(IllegalChange::NotActive { member: member.clone(), active: self.active.clone() })
    }

    fn require_lease(&self, member: &MemberName, lease_free: bool) -> Result<(), IllegalChange> {
        if self.lease.as_ref() == Some(member) && !lease_free {
            return Ok(());
        }
        Err(IllegalChange::LeaseNotHeld { member: member.clone() })
    }

    fn require_free(&self, member: &MemberName, lease_free: bool) -> Result<(), IllegalChange> {
        match &self.lease {
            Some(holder) if holder != member && !lease_free => {
                Err(IllegalChange::LeaseHeld { holder: holder.clone() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MemberName {
        MemberName::from(text)
    }

    fn held_by_a() -> Register {
        Register::seed(name("a")).apply(&Change::RetakeLease { member: name("a") }, true).unwrap()
    }

    #[test]
    fn a_member_outside_the_set_never_takes_over() {
        let register = held_by_a();
        let refused = register.apply(&Change::TakeOver { member: name("b") }, true);
        assert_eq!(refused, Err(IllegalChange::NotInSync { member: name("b") }));
    }

    #[test]
    fn a_take_over_leaves_only_the_new_active_in_the_set() {
        let register =
            held_by_a().apply(&Change::Admit { member: name("a"), standby: name("b") }, false).unwrap();
        let taken = register.apply(&Change::TakeOver { member: name("b") }, true).unwrap();
        assert_eq!(taken.in_sync, BTreeSet::from([name("b")]));
        assert_eq!((taken.generation, taken.lease), (2, Some(name("b"))));
    }

    #[test]
    fn an_unexpired_lease_is_not_taken() {
        let register =
            held_by_a().apply(&Change::Admit { member: name("a"), standby: name("b") }, false).unwrap();
        let refused = register.apply(&Change::TakeOver { member: name("b") }, false);
        assert_eq!(refused, Err(IllegalChange::LeaseHeld { holder: name("a") }));
    }

    #[test]
    fn a_lapsed_holder_cannot_admit() {
        let refused = held_by_a().apply(&Change::Admit { member: name("a"), standby: name("b") }, true);
        assert_eq!(refused, Err(IllegalChange::LeaseNotHeld { member: name("a") }));
    }

    #[test]
    fn the_active_cannot_leave() {
        let refused = held_by_a().apply(&Change::Leave { member: name("a") }, false);
        assert_eq!(refused, Err(IllegalChange::ActiveCannotLeave { member: name("a") }));
    }

    #[test]
    fn a_standby_cannot_retake_the_active_lease() {
        let refused = held_by_a().apply(&Change::RetakeLease { member: name("b") }, true);
        assert!(matches!(refused, Err(IllegalChange::NotActive { .. })));
    }

    #[test]
    fn every_change_raises_the_revision() {
        assert_eq!(held_by_a().revision, 2);
    }
}
