//! Which starts are under way under which permit of a spawn budget, and who waits for one: pure.
//!
//! A *flight* is one permit that is out, with the starts that share it: one child's, or those of a whole replica set.
//!
//! ```text
//!              all ready                     all up for healthy_ms
//!   in flight -----------> landed (proving) -----------------------> succeeded: the counts begin anew
//!       |                      |
//!       '-- one has ended -----'----------------------------------> failed: the counts stay
//! ```
//!
//! While it is in flight nobody else with its key is started; landed, it holds up nobody, but its outcome is open. Traps:
//!
//! - **Ready and dead at once is a failure.** So a success is booked when its time has come, not when it is told.
//! - **Who is stopped meanwhile is neither.** His attempt was used when it began; without another who proves himself the flight ends as one that
//!   failed, which changes no counts.
//! - **A failure of one in a set does not end the flight while others of it are still starting**: the next start would be a second one beside
//!   them.
//! - **A set is open until the call that makes it is done**: its first child may be ready, or dead, before the second is asked for. Who of a
//!   set stood in line and starts when the flight is over takes a permit of his own.
//! - **Attempts that are used up while an outcome is open are no reason to give up**: of ten replicas that died together three come back at once,
//!   and the others once those have proved themselves. To one who can wait the budget answers `InFlight` until then.
//! - A flight has a number of its own. Known by who began it, it would be taken for his next one by those who shared it.
//!
//! Who finds a permit taken is *barred*: out of the line, with his place in it, so that those behind him go on. Of each key the first
//! that is barred comes back into the line, to his place, when a permit may be had; he is asked for again when he has a slot.

use std::collections::{BTreeMap, BTreeSet};

use super::id::Id;

/// A flight; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Number(pub u64);

/// How a child is bound to a budget.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Terms {
    /// Stands for the budget and the key in it.
    pub key: u64,
    /// It rests while the attempts are used up, and goes on when the window reopens.
    pub waits: bool,
    /// How long it must be up, once ready, to be a success.
    pub healthy_ns: i64,
    /// It is ready when its program has begun.
    pub ready_at_exec: bool,
    /// The replica set that it is one of.
    pub set: Option<u64>,
}

/// What a budget answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// Here is a permit.
    Granted,
    /// Another start is under way, for so many nanoseconds at most (`i64::MAX`: nobody knows).
    InFlight(i64),
    /// The attempts are used up.
    Exhausted {
        /// So long until there are new ones.
        retry_ns: i64,
        /// The first to be told so in this window.
        storm: bool,
    },
}

/// What is to be done about a permit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Settled {
    /// All that started under it are ready.
    Landed,
    /// It is over: a success or not.
    Finished(bool),
}

/// A child that is bound to a budget.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Bound {
    /// How.
    pub terms: Terms,
    /// What it was started in, while it has not proved itself.
    flight: Option<Number>,
    /// When it will have.
    proof: Option<i64>,
    /// It has had a process.
    pub ran: bool,
    /// What was told of why it waits for this start.
    pub told: Told,
}

/// Why one waits for its start; each is told once, and nothing after the last but a storm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// Another's start is under way.
    Awaiting,
    /// The attempts are used up.
    Deferred,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Flight {
    key: u64,
    starting: usize,
    proving: usize,
    proved: bool,
    failed: bool,
    landed: bool,
    open: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Set {
    open: bool,
    /// What it starts in.
    flight: Option<Number>,
    /// Those of it that have not been started.
    waiting: usize,
}

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flights {
    flights: BTreeMap<Number, Flight>,
    last: u64,
    sets: BTreeMap<u64, Set>,
    last_set: u64,
    /// When who will have proved himself.
    proofs: BTreeSet<(i64, Id)>,
    /// Who is barred, by key and place in line.
    barred: BTreeMap<(u64, u64), (Id, i64)>,
    /// When that is over: time, key, place.
    bars: BTreeSet<(i64, u64, u64)>,
}

impl Bound {
    /// So bound, and not started.
    pub fn new(terms: Terms) -> Self {
        Self { terms, flight: None, proof: None, ran: false, told: Told::Nothing }
    }
}

impl Flights {
    // ---- who is barred ----

    /// It waits for a permit until this time (or until somebody says that there may be one), and keeps its place.
    pub fn bar(&mut self, key: u64, place: u64, id: Id, due: i64) {
        self.barred.insert((key, place), (id, due));
        if due != i64::MAX {
            self.bars.insert((due, key, place));
        }
    }

    /// It does not any more.
    pub fn unbar(&mut self, key: u64, place: u64) -> Option<Id> {
        let (id, due) = self.barred.remove(&(key, place))?;
        self.bars.remove(&(due, key, place));
        Some(id)
    }

    /// The first of a key that is barred: it is so no more.
    pub fn unbar_first(&mut self, key: u64) -> Option<(u64, Id)> {
        let (place, _) = self.barred_from(key, 0)?;
        self.unbar(key, place).map(|id| (place, id))
    }

    /// The first of a key that is barred at this place or behind it.
    pub fn barred_from(&self, key: u64, place: u64) -> Option<(u64, Id)> {
        self.barred.range((key, place)..=(key, u64::MAX)).next().map(|((_, place), (id, _))| (*place, *id))
    }

    /// The first key after this one of which anybody is barred.
    pub fn next_barred_key(&self, after: Option<u64>) -> Option<u64> {
        let from = after.map_or(Some(0), |key| key.checked_add(1))?;
        self.barred.range((from, 0)..).next().map(|((key, _), _)| *key)
    }

    /// How many are barred.
    pub fn barred(&self) -> usize {
        self.barred.len()
    }

    /// The key of one whose bar is over by now. One for whom that is not enough, since another is before him, waits for word from then on.
    pub fn bar_over(&mut self, now: i64) -> Option<u64> {
        let (due, key, place) = self.bars.first().copied().filter(|(due, ..)| *due <= now)?;
        self.bars.remove(&(due, key, place));
        if let Some((_, due)) = self.barred.get_mut(&(key, place)) {
            *due = i64::MAX;
        }
        Some(key)
    }

    // ---- sets ----

    /// A replica set whose children are about to be admitted. Answers its number.
    pub fn open_set(&mut self) -> u64 {
        self.last_set += 1;
        self.sets.insert(self.last_set, Set { open: true, flight: None, waiting: 0 });
        self.last_set
    }

    /// One more of this set.
    pub fn enter_set(&mut self, bound: &Bound) {
        if let Some(set) = bound.terms.set.and_then(|set| self.sets.get_mut(&set)) {
            set.waiting += 1;
        }
    }

    /// It is started, or never will be: it has no part in its set any more.
    pub fn leave_set(&mut self, bound: &mut Bound) {
        let Some(number) = bound.terms.set.take() else { return };
        if let Some(set) = self.sets.get_mut(&number) {
            set.waiting = set.waiting.saturating_sub(1);
            if set.waiting == 0 && !set.open {
                self.sets.remove(&number);
            }
        }
    }

    /// Its children are admitted. Answers what became of its permit.
    pub fn close_set(&mut self, number: u64) -> Option<(Number, u64, Settled)> {
        let set = self.sets.get_mut(&number)?;
        set.open = false;
        let flight = set.flight;
        if set.waiting == 0 {
            self.sets.remove(&number);
        }
        let flight = flight?;
        self.flights.get_mut(&flight)?.open = false;
        self.settle(flight)
    }

    // ---- flights ----

    /// The permit of its set, if there is one; and whether that is in flight. One that has landed must be asked for again: another start may be
    /// under way by now.
    pub fn of_set(&self, bound: &Bound) -> Option<(Number, bool)> {
        let flight = bound.terms.set.and_then(|set| self.sets.get(&set)).and_then(|set| set.flight)?;
        self.flights.get(&flight).map(|found| (flight, !found.landed))
    }

    /// It is started under that permit, which is in flight (again).
    pub fn join(&mut self, bound: &mut Bound, flight: Number) {
        if let Some(found) = self.flights.get_mut(&flight) {
            found.starting += 1;
            found.landed = false;
            bound.flight = Some(flight);
        }
        self.leave_set(bound);
    }

    /// The number of the next flight, if there is to be one.
    pub fn next(&self) -> Number {
        Number(self.last + 1)
    }

    /// It has a permit of its own.
    pub fn begin(&mut self, number: Number, bound: &mut Bound) {
        self.last = number.0;
        let mut open = false;
        if let Some(set) = bound.terms.set.and_then(|set| self.sets.get_mut(&set)) {
            set.flight = Some(number);
            open = set.open;
        }
        let flight = Flight { key: bound.terms.key, starting: 1, proving: 0, proved: false, failed: false, landed: false, open };
        self.flights.insert(number, flight);
        bound.flight = Some(number);
        self.leave_set(bound);
    }

    /// It is ready.
    pub fn ready(&mut self, id: Id, bound: &mut Bound, now: i64) -> Option<(Number, u64, Settled)> {
        if bound.proof.is_some() {
            return None;
        }
        let number = bound.flight?;
        let flight = self.flights.get_mut(&number)?;
        flight.starting -= 1;
        if bound.terms.healthy_ns > 0 {
            flight.proving += 1;
            let due = now.saturating_add(bound.terms.healthy_ns);
            bound.proof = Some(due);
            self.proofs.insert((due, id));
        } else {
            flight.proved = true;
            bound.flight = None;
        }
        self.settle(number)
    }

    /// Who has proved himself by now.
    pub fn proof_over(&mut self, now: i64) -> Option<Id> {
        let (due, id) = self.proofs.first().copied().filter(|(due, _)| *due <= now)?;
        self.proofs.remove(&(due, id));
        Some(id)
    }

    /// Those who will have proved themselves by then, unless they have ended.
    pub fn proofs_due(&self, now: i64) -> impl Iterator<Item = Id> + '_ {
        self.proofs.iter().take_while(move |(due, _)| *due <= now).map(|(_, id)| *id)
    }

    /// This one has.
    pub fn proved(&mut self, bound: &mut Bound) -> Option<(Number, u64, Settled)> {
        bound.proof = None;
        let number = bound.flight.take()?;
        let flight = self.flights.get_mut(&number)?;
        flight.proving -= 1;
        flight.proved = true;
        self.settle(number)
    }

    /// It has ended, or was not started after all.
    pub fn left(&mut self, id: Id, bound: &mut Bound, failed: bool) -> Option<(Number, u64, Settled)> {
        let proof = bound.proof.take();
        if let Some(due) = proof {
            self.proofs.remove(&(due, id));
        }
        let number = bound.flight.take()?;
        let flight = self.flights.get_mut(&number)?;
        let of = if proof.is_some() { &mut flight.proving } else { &mut flight.starting };
        *of -= 1;
        flight.failed |= failed;
        self.settle(number)
    }

    fn settle(&mut self, number: Number) -> Option<(Number, u64, Settled)> {
        let flight = self.flights.get_mut(&number)?;
        if flight.open || flight.starting > 0 {
            return None;
        }
        let key = flight.key;
        if flight.failed || flight.proving == 0 {
            let succeeded = !flight.failed && flight.proved;
            self.flights.remove(&number);
            return Some((number, key, Settled::Finished(succeeded)));
        }
        (!std::mem::replace(&mut flight.landed, true)).then_some((number, key, Settled::Landed))
    }

    /// Everything is over: one permit that is out.
    pub fn end_one(&mut self) -> Option<Number> {
        self.proofs.clear();
        self.flights.pop_first().map(|(number, _)| number)
    }

    /// When time has something to do.
    pub fn due(&self) -> Option<i64> {
        let proof = self.proofs.first().map(|(due, _)| *due);
        let bar = self.bars.first().map(|(due, ..)| *due);
        proof.into_iter().chain(bar).min()
    }
}
