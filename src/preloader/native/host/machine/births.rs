//! The births of a preloader, from the fork that was asked for to the worker that serves.
//!
//! ```text
//!   Asked --Registered, somebody waits------------------------> Adopted --Ready, NotReady, called off--> forgotten
//!     |  '--Registered, nobody does--> Idle --somebody waits--->--'  '--Died: its request waits again
//!     |                                  '--too old, too many, Died, its preloader is left--> forgotten
//!     '--stuck--> Gone --any answer--> forgotten
//! ```
//!
//! The trap: **who is not wanted any more still takes the preloader's time**. A birth whose request is over stays under way, for the next one or for the
//! pool, and one that was given up counts until it is answered; else whoever asks and calls off in a loop would fill the preloader's queue.

use std::collections::BTreeMap;

use super::words::{Action, Birth, Id};
use crate::clock::Deadline;

/// So many are under way at once: forks come one after the other, so more do not help, and a few keep it busy between two messages.
pub const AHEAD: usize = 4;
/// A birth that has not come to its gate for so long does not.
pub const BIRTH_NS: i64 = 30_000_000_000;
/// A pool whose births fail waits this long, then twice as long.
const REST_NS: i64 = 100_000_000;
/// And so long at the most: 25.6 s.
const MOST_DOUBLED: u32 = 8;
/// Who was taken from a full pool has the processor for so long, before what refills it takes that: a fork of a large application costs more than all
/// that the worker does until it is ready.
pub const PAUSE_NS: i64 = 1_000_000;

/// A request whose worker is to come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Waiting {
    pub until: Deadline,
    /// Something has died over it.
    pub again: bool,
    /// What is under way for it.
    pub birth: Option<Birth>,
}

impl Waiting {
    pub const fn new(until: Deadline) -> Self {
        Self { until, again: false, birth: None }
    }
}

/// How far a birth is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// The preloader was asked then; for whom, and whether it has named the process.
    Asked { at: i64, whose: Option<Id>, born: bool },
    /// It was asked then, and is not wanted any more.
    Gone { at: i64 },
    /// It waits at its gate since then.
    Idle { since: i64 },
    /// It was handed over; whether from the pool.
    Adopted { id: Id, request: Waiting, pooled: bool },
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Newborn {
    pub generation: u32,
    pub stage: Stage,
}

/// All of them, and what the pool shall be.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Births {
    all: BTreeMap<Birth, Newborn>,
    /// The number of the next one.
    pub next: Birth,
    /// How many shall be idle.
    pub target: usize,
    pub max_age_ns: Option<i64>,
    /// How many births in a row have failed.
    failures: u32,
    /// Nothing is born for the pool before.
    rest_until: i64,
    /// Nor before this: one was taken from it.
    pause_until: i64,
}

impl Births {
    pub fn new() -> Self {
        Self { all: BTreeMap::new(), next: 1, target: 0, max_age_ns: None, failures: 0, rest_until: i64::MIN, pause_until: i64::MIN }
    }

    pub fn get(&self, birth: Birth) -> Option<Newborn> {
        self.all.get(&birth).copied()
    }

    pub fn remove(&mut self, birth: Birth) -> Option<Newborn> {
        self.all.remove(&birth)
    }

    pub fn set(&mut self, birth: Birth, stage: Stage) {
        if let Some(newborn) = self.all.get_mut(&birth) {
            newborn.stage = stage;
        }
    }

    /// One more is asked for.
    pub fn ask(&mut self, generation: u32, whose: Option<Id>, now: i64) -> Birth {
        let birth = self.next;
        self.next += 1;
        self.all.insert(birth, Newborn { generation, stage: Stage::Asked { at: now, whose, born: false } });
        birth
    }

    /// The preloader has named the process.
    pub fn name(&mut self, birth: Birth) {
        if let Some(Newborn { stage: Stage::Asked { born, .. }, .. }) = self.all.get_mut(&birth) {
            *born = true;
        }
    }

    /// Whose birth it is from now on.
    pub fn give(&mut self, birth: Birth, to: Option<Id>) {
        if let Some(Newborn { stage: Stage::Asked { whose, .. }, .. }) = self.all.get_mut(&birth) {
            *whose = to;
        }
    }

    /// What a generation has not answered yet: when the first of them was asked for, and how many they are.
    pub fn under_way(&self, generation: u32) -> (Option<i64>, usize) {
        let asked = |newborn: &Newborn| match newborn.stage {
            Stage::Asked { at, .. } | Stage::Gone { at } if newborn.generation == generation => Some(at),
            _ => None,
        };
        (self.all.values().filter_map(asked).min(), self.all.values().filter_map(asked).count())
    }

    /// The oldest that is under way for nobody, of this generation or a newer.
    pub fn unclaimed(&self, generation: u32) -> Option<Birth> {
        self.all.iter().find(|(_, newborn)| newborn.is_unclaimed() && newborn.generation >= generation).map(|(birth, _)| *birth)
    }

    /// Whom to adopt: the oldest of the newest generation, of this one or a newer.
    pub fn best(&self, generation: u32) -> Option<Birth> {
        let idle = self.all.iter().filter(|(_, newborn)| newborn.is_idle() && newborn.generation >= generation);
        idle.max_by_key(|(birth, newborn)| (newborn.generation, std::cmp::Reverse(**birth))).map(|(birth, _)| *birth)
    }

    /// How many are idle; of this generation and newer ones, or of all. Newer: what was promoted, and was given up, has borne them.
    pub fn idle(&self, generation: Option<u32>) -> usize {
        let of = |newborn: &&Newborn| newborn.is_idle() && generation.is_none_or(|generation| generation <= newborn.generation);
        self.all.values().filter(of).count()
    }

    /// Whether one more is to be born for the pool.
    pub fn is_short(&self, generation: u32) -> bool {
        let coming = self.all.values().filter(|newborn| newborn.is_unclaimed()).count();
        self.idle(Some(generation)) + coming < self.target
    }

    /// The same, and it is not at rest.
    pub fn refills(&self, generation: u32, now: i64) -> bool {
        now >= self.rest_until.max(self.pause_until) && self.is_short(generation)
    }

    /// One was taken. Those that follow soon do not put it off.
    pub fn pause(&mut self, now: i64) {
        if now >= self.pause_until {
            self.pause_until = now.saturating_add(PAUSE_NS);
        }
    }

    /// A birth went wrong, or a worker did not live: the next one for the pool waits for a while.
    pub fn fail(&mut self, now: i64) {
        self.rest_until = now.saturating_add(REST_NS << self.failures.min(MOST_DOUBLED));
        self.failures += 1;
    }

    /// One went well, or everything begins anew.
    pub fn rested(&mut self) {
        (self.failures, self.rest_until) = (0, i64::MIN);
    }

    /// What is more than the pool shall have, oldest generation first.
    pub fn trim(&mut self, actions: &mut Vec<Action>) {
        for _ in self.target..self.idle(None) {
            if let Some(birth) = self.oldest_idle() {
                self.all.remove(&birth);
                actions.push(Action::Discard(birth));
            }
        }
    }

    fn oldest_idle(&self) -> Option<Birth> {
        let idle = self.all.iter().filter(|(_, newborn)| newborn.is_idle());
        idle.min_by_key(|(birth, newborn)| (newborn.generation, **birth)).map(|(birth, _)| *birth)
    }

    /// Those that have become too old.
    pub fn retire(&mut self, now: i64, actions: &mut Vec<Action>) {
        let max_age_ns = self.max_age_ns;
        self.discard_if(|newborn| newborn.is_over_age(max_age_ns, now), actions);
    }

    /// Nobody idle that this is true of is there any more.
    pub fn discard_if(&mut self, is: impl Fn(&Newborn) -> bool, actions: &mut Vec<Action>) {
        self.all.retain(|birth, newborn| {
            let gone = newborn.is_idle() && is(newborn);
            actions.extend(gone.then_some(Action::Discard(*birth)));
            !gone
        });
    }

    /// What a generation has under way comes to nothing; the requests that were to have it.
    pub fn settle(&mut self, generation: u32, actions: &mut Vec<Action>) -> Vec<Id> {
        let mut asked = Vec::new();
        self.all.retain(|birth, newborn| match newborn.stage {
            Stage::Asked { whose, .. } if newborn.generation == generation => {
                actions.push(Action::Discard(*birth));
                asked.extend(whose);
                false
            }
            Stage::Gone { .. } => newborn.generation != generation,
            _ => true,
        });
        asked
    }

    /// The oldest that is under way for too long.
    pub fn stuck(&self, now: i64) -> Option<Birth> {
        let is_late = |newborn: &Newborn| matches!(newborn.stage, Stage::Asked { at, .. } if now >= at.saturating_add(BIRTH_NS));
        self.all.iter().find(|(_, newborn)| is_late(newborn)).map(|(birth, _)| *birth)
    }

    /// Whose worker it is that was handed over for this request.
    pub fn adopted_by(&self, id: Id) -> Option<Birth> {
        let is_its = |newborn: &Newborn| matches!(newborn.stage, Stage::Adopted { id: by, .. } if by == id);
        self.all.iter().find(|(_, newborn)| is_its(newborn)).map(|(birth, _)| *birth)
    }

    /// When something here is due; `serving`: the one that would bear for the pool.
    pub fn due(&self, serving: Option<u32>) -> Deadline {
        let times = self.all.values().map(|newborn| match (newborn.stage, self.max_age_ns) {
            (Stage::Asked { at, .. }, _) => Deadline::at(at.saturating_add(BIRTH_NS)),
            (Stage::Idle { since }, Some(age)) => Deadline::at(since.saturating_add(age)),
            _ => Deadline::NEVER,
        });
        let rest = if serving.is_some_and(|generation| self.is_short(generation)) {
            Deadline::at(self.rest_until.max(self.pause_until))
        } else {
            Deadline::NEVER
        };
        times.fold(rest, Deadline::min)
    }
}

impl Newborn {
    fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle { .. })
    }

    fn is_unclaimed(&self) -> bool {
        matches!(self.stage, Stage::Asked { whose: None, .. })
    }

    fn is_over_age(&self, max_age_ns: Option<i64>, now: i64) -> bool {
        matches!((self.stage, max_age_ns), (Stage::Idle { since }, Some(age)) if now >= since.saturating_add(age))
    }
}
