//! The witness's registers: a request and a time in, an answer out.
//!
//! Rules that must hold (`ARCHITECTURE.md`, "What is guaranteed"):
//! - a register changes only by compare-and-swap on its revision;
//! - a ledger that was just loaded grants nothing new for one full lease, because it does not know
//!   what its predecessor renewed last;
//! - a lapsed lease is never renewed: the member takes it again by compare-and-swap;
//! - an absent register is created only by a person's seed, never by a member.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::register::{Change, IllegalChange, MemberName, Register};

/// What a member is told of its pair's register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// The register as it is now.
    pub register: Register,
    /// How long the lease still lasts, milliseconds; zero when nobody holds it or it has lapsed.
    pub lease_remaining_ms: u64,
    /// How long the arbiter will still grant nothing new, milliseconds.
    pub embargo_remaining_ms: u64,
}

impl Reading {
    /// Whether the arbiter would grant the lease to an entitled member now.
    #[must_use]
    pub fn lease_free(&self) -> bool {
        self.lease_remaining_ms == 0 && self.embargo_remaining_ms == 0
    }
}

/// Why the ledger refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "refused")]
pub enum Refusal {
    /// No such register. It is either not seeded yet or was lost.
    #[error("the arbiter has no register for pair {pair}")]
    Absent {
        /// The pair asked for.
        pair: String,
    },
    /// Somebody changed the register first.
    #[error("the register is at revision {revision}, not {expected}")]
    Conflict {
        /// Revision that the member expected.
        expected: u64,
        /// Revision that the register has.
        revision: u64,
    },
    /// The move is not legal.
    #[error(transparent)]
    Illegal {
        /// Why.
        #[serde(flatten)]
        cause: IllegalChange,
    },
    /// The arbiter restarted and grants nothing new for a while.
    #[error("the arbiter restarted and grants nothing for another {remaining_ms} ms")]
    Embargo {
        /// Milliseconds to wait.
        remaining_ms: u64,
    },
    /// The lease lapsed or belongs to another.
    #[error("the lease of {member} has lapsed")]
    Lapsed {
        /// Who asked for a renewal.
        member: MemberName,
    },
    /// A register exists already and may not be seeded over.
    #[error("pair {pair} has a register at revision {revision} already")]
    Exists {
        /// The pair.
        pair: String,
        /// Its revision.
        revision: u64,
    },
}

/// All registers of one witness, with the leases' ends, which are never written to disk.
#[derive(Debug, Clone)]
pub struct Ledger {
    registers: BTreeMap<String, Register>,
    lease_ends: BTreeMap<String, Moment>,
    lease: Duration,
    grants_from: Moment,
}

impl Ledger {
    /// A ledger with the registers of the durable file, starting its embargo at `now`.
    #[must_use]
    pub fn load(registers: BTreeMap<String, Register>, lease: Duration, now: Moment) -> Ledger {
        Ledger { registers, lease_ends: BTreeMap::new(), lease, grants_from: now.after(lease) }
    }

    /// The registers, to be written durably after every change.
    #[must_use]
    pub fn registers(&self) -> &BTreeMap<String, Register> {
        &self.registers
    }

    /// What `pair`'s register says at `now`.
    ///
    /// # Errors
    /// [`Refusal::Absent`].
    pub fn read(&self, pair: &str, now: Moment) -> Result<Reading, Refusal> {
        let register = self.register(pair)?.clone();
        let lease_remaining_ms = match (&register.lease, self.lease_ends.get(pair)) {
            (Some(_), Some(end)) => end.0.saturating_sub(now.0),
            _ => 0,
        };
        Ok(Reading {
            register,
            lease_remaining_ms,
            embargo_remaining_ms: self.grants_from.0.saturating_sub(now.0),
        })
    }

    /// Creates `pair`'s register at a person's word.
    ///
    /// # Errors
    /// [`Refusal::Exists`] unless the register there is the same seed.
    pub fn seed(&mut self, pair: &str, register: Register, now: Moment) -> Result<Reading, Refusal> {
        if let Some(there) = self.registers.get(pair) {
            return Err(Refusal::Exists { pair: pair.to_owned(), revision: there.revision });
        }
        self.registers.insert(pair.to_owned(), register);
        self.read(pair, now)
    }

    /// Forgets `pair` at a person's word. Returns whether there was one.
    pub fn forget(&mut self, pair: &str) -> bool {
        self.lease_ends.remove(pair);
        self.registers.remove(pair).is_some()
    }

    /// Makes `change` if the register is still at `expected`. The caller writes the file before it answers.
    ///
    /// # Errors
    /// Any [`Refusal`]; nothing is changed then.
    pub fn change(
        &mut self,
        pair: &str,
        expected: u64,
        change: &Change,
        now: Moment,
    ) -> Result<Reading, Refusal> {
        let reading = self.read(pair, now)?;
        if reading.register.revision != expected {
            return Err(Refusal::Conflict { expected, revision: reading.register.revision });
        }
        let grants = matches!(change, Change::RetakeLease { .. } | Change::TakeOver { .. });
        if grants && reading.embargo_remaining_ms > 0 && reading.lease_remaining_ms == 0 {
            return Err(Refusal::Embargo { remaining_ms: reading.embargo_remaining_ms });
        }
        let next = reading
            .register
            .apply(change, reading.lease_remaining_ms == 0)
            .map_err(|cause| Refusal::Illegal { cause })?;
        self.registers.insert(pair.to_owned(), next);
        if grants {
            self.lease_ends.insert(pair.to_owned(), now.after(self.lease));
        }
        self.read(pair, now)
    }

    /// Renews the lease of `member`, which must hold it unexpired. Needs no write to disk.
    ///
    /// While a restarted ledger grants nothing new it does not know when the lease of its register lapses.
    /// It takes the word of the recorded holder, which asks only while it may act: nobody else can have got
    /// the lease, since that would be recorded. So a restart of the witness stops no active that is alone.
    ///
    /// # Errors
    /// [`Refusal::Lapsed`] when it does not; [`Refusal::Absent`].
    pub fn renew(
        &mut self,
        pair: &str,
        member: &MemberName,
        generation: u64,
        now: Moment,
    ) -> Result<Reading, Refusal> {
        let reading = self.read(pair, now)?;
        let register = &reading.register;
        let holds = register.lease.as_ref() == Some(member) && register.generation == generation;
        let unexpired = reading.lease_remaining_ms > 0 || self.restarted(pair, &reading);
        if !holds || !unexpired {
            return Err(Refusal::Lapsed { member: member.clone() });
        }
        self.lease_ends.insert(pair.to_owned(), now.after(self.lease));
        self.read(pair, now)
    }

    /// Whether the lease's end is unknown because of a restart, and nothing was granted since.
    fn restarted(&self, pair: &str, reading: &Reading) -> bool {
        reading.embargo_remaining_ms > 0 && !self.lease_ends.contains_key(pair)
    }

    fn register(&self, pair: &str) -> Result<&Register, Refusal> {
        self.registers.get(pair).ok_or_else(|| Refusal::Absent { pair: pair.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(3);

    fn name(text: &str) -> MemberName {
        MemberName::from(text)
    }

    /// A ledger past its embargo in which `a` holds the lease and `b` is in sync, at 3000 ms.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::load(BTreeMap::new(), LEASE, Moment(0));
        ledger.seed("p", Register::seed(name("a")), Moment(0)).unwrap();
        ledger.change("p", 1, &Change::RetakeLease { member: name("a") }, Moment(3000)).unwrap();
        ledger
            .change("p", 2, &Change::Admit { member: name("a"), standby: name("b") }, Moment(3000))
            .unwrap();
        ledger
    }

    #[test]
    fn a_new_ledger_grants_nothing_for_one_lease() {
        let mut ledger = Ledger::load(BTreeMap::new(), LEASE, Moment(0));
        ledger.seed("p", Register::seed(name("a")), Moment(0)).unwrap();
        let refused = ledger.change("p", 1, &Change::RetakeLease { member: name("a") }, Moment(2999));
        assert_eq!(refused, Err(Refusal::Embargo { remaining_ms: 1 }));
    }

    #[test]
    fn a_restarted_ledger_does_not_know_who_renewed_and_waits() {
        let mut restarted = Ledger::load(ledger().registers().clone(), LEASE, Moment(10_000));
        let refused = restarted.change("p", 3, &Change::TakeOver { member: name("b") }, Moment(12_000));
        assert!(matches!(refused, Err(Refusal::Embargo { .. })));
        assert!(restarted.change("p", 3, &Change::TakeOver { member: name("b") }, Moment(13_000)).is_ok());
    }

    #[test]
    fn a_lapsed_lease_is_not_renewed() {
        let refused = ledger().renew("p", &name("a"), 1, Moment(6_000));
        assert_eq!(refused, Err(Refusal::Lapsed { member: name("a") }));
    }

    #[test]
    fn a_restarted_ledger_renews_for_the_recorded_holder_only() {
        let mut restarted = Ledger::load(ledger().registers().clone(), LEASE, Moment(10_000));
        assert!(restarted.renew("p", &name("b"), 1, Moment(11_000)).is_err());
        let renewed = restarted.renew("p", &name("a"), 1, Moment(11_000)).unwrap();
        assert_eq!(renewed.lease_remaining_ms, 3_000);
    }

    #[test]
    fn a_restarted_ledger_renews_nothing_once_it_grants() {
        let mut restarted = Ledger::load(ledger().registers().clone(), LEASE, Moment(10_000));
        let refused = restarted.renew("p", &name("a"), 1, Moment(13_000));
        assert_eq!(refused, Err(Refusal::Lapsed { member: name("a") }));
    }

    #[test]
    fn a_renewed_lease_lasts_a_full_lease_from_receipt() {
        let reading = ledger().renew("p", &name("a"), 1, Moment(5_000)).unwrap();
        assert_eq!(reading.lease_remaining_ms, 3_000);
    }

    #[test]
    fn a_standby_takes_over_only_after_the_lease_lapsed() {
        let mut ledger = ledger();
        assert!(ledger.change("p", 3, &Change::TakeOver { member: name("b") }, Moment(5_999)).is_err());
        assert!(ledger.change("p", 3, &Change::TakeOver { member: name("b") }, Moment(6_000)).is_ok());
    }

    #[test]
    fn a_released_lease_is_free_at_once() {
        let mut ledger = ledger();
        ledger.change("p", 3, &Change::Release { member: name("a") }, Moment(3_100)).unwrap();
        assert!(ledger.change("p", 4, &Change::TakeOver { member: name("b") }, Moment(3_101)).is_ok());
    }

    #[test]
    fn the_second_of_two_changes_conflicts() {
        let mut ledger = ledger();
        let change = Change::Release { member: name("a") };
        ledger.change("p", 3, &change, Moment(3_100)).unwrap();
        assert_eq!(
            ledger.change("p", 3, &change, Moment(3_100)),
            Err(Refusal::Conflict { expected: 3, revision: 4 })
        );
    }

    #[test]
    fn a_register_is_never_seeded_over() {
        let refused = ledger().seed("p", Register::seed(name("b")), Moment(4_000));
        assert_eq!(refused, Err(Refusal::Exists { pair: "p".into(), revision: 3 }));
    }

    #[test]
    fn an_old_generation_cannot_renew() {
        assert!(ledger().renew("p", &name("a"), 0, Moment(4_000)).is_err());
    }
}
