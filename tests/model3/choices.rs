//! Everything that can happen, and what comes of it.

use super::mutant::Mutant;
use super::world::{Ending, Fault, Heard, Link, Order, World};
use crate::clock::Deadline;
use crate::machine::supervisor::{Event, Phase};
use crate::model::product::Choice;
use crate::model::setup::{Setup, WHOLE, fault};
use crate::model::world::{self as pair, Life, Slot};

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// To owner or successor, or by them.
    Pair(Choice),
    OwnerHears,
    /// What was expected has its end.
    ExpectOver,
    /// One that looks for a generation before it: nobody holds the lock; somebody may answer; somebody holds it, and nobody answers.
    SeekFirst(Slot),
    SeekPath(Slot),
    SeekFails(Slot),

    /// The supervisor.
    Fork,
    Born(Slot),
    Hear,
    ChannelEnd,
    Connect(Slot),
    OwnerSeen,
    ChildSeen,
    Timeout,
    Still,
    LockFree,
    Kill(Slot),
    FindsNobody,
    ComesAgain,

    /// Its application.
    Replace,

    /// Faults.
    Cancel,
    Dies {
        lossy: bool,
    },
}

impl Act {
    fn is_deadline(self) -> bool {
        matches!(self, Act::Pair(Choice::Timeout(_)) | Act::Timeout | Act::ExpectOver | Act::SeekFails(_))
    }
}

impl World {
    /// What goes on by itself, without the supervisor.
    pub fn pair_steps(&self, setup: &Setup, out: &mut Vec<Act>) {
        let mut steps = Vec::with_capacity(16);
        setup.steps(&self.pair, &mut steps);
        let seeks = |slot: &Slot| self.seeks[*slot as usize];
        steps.retain(|choice| !matches!(choice, Choice::Greet(slot) | Choice::GreetByPath(slot) if seeks(slot)));
        out.extend(steps.into_iter().map(Act::Pair));
        if let Some(slot) = self.serves {
            let process = self.pair.at(slot);
            let hears = process.life == Life::Running && process.todo.is_empty() && !self.is_in_the_gap(slot);
            if hears && (!self.said.is_empty() || self.closed) {
                out.push(Act::OwnerHears);
            }
        }
        if self.expected.is_some_and(|expected| !expected.greeted) && self.mutant != Mutant::ExpectsForEver {
            out.push(Act::ExpectOver);
        }
        for slot in pair::World::slots().filter(|slot| self.seeks[*slot as usize] && self.pair.at(*slot).life == Life::Running) {
            let free = self.lock_is_free();
            if free {
                out.push(Act::SeekFirst(slot));
            } else {
                out.extend([Act::SeekPath(slot), Act::SeekFails(slot)]);
            }
        }
    }

    /// What the supervisor does by itself.
    pub fn own_steps(&self, out: &mut Vec<Act>) {
        let s = &self.s;
        if !s.lives {
            return out.push(Act::ComesAgain);
        }
        match s.order {
            // Nothing else is done in a call that spawns.
            Order::Given => {
                if self.free().is_some() {
                    out.push(Act::Fork);
                }
                return;
            }
            Order::Forked(slot) => return out.push(Act::Born(slot)),
            Order::None => {}
        }
        if let Some(slot) = s.judged {
            return out.push(Act::Kill(slot));
        }
        let dead = |slot: Option<Slot>| slot.is_some_and(|slot| self.pair.at(slot).is_dead());
        let phase = s.machine.phase;
        if !s.heard.is_empty() {
            out.push(Act::Hear);
        } else if s.link == Link::Ended {
            out.push(Act::ChannelEnd);
        }
        // T1.
        if s.heard.is_empty() {
            if dead(s.owner) {
                out.push(Act::OwnerSeen);
            }
            if dead(s.child) {
                out.push(Act::ChildSeen);
            }
            if !s.machine.deadline.is_never() && !dead(s.owner) && !dead(s.child) {
                out.push(Act::Timeout);
            }
        }
        let still = s.child.is_none_or(|child| self.pair.at(child).life != Life::Running);
        if phase == Phase::Freezing && still {
            out.push(Act::Still);
        }
        if s.machine.looks_on() && s.link == Link::None && self.serves.is_none() {
            out.extend(pair::World::slots().filter(|slot| self.accepts(*slot)).map(Act::Connect));
        }
        if phase == Phase::Searching && self.lock_is_free() {
            match s.recovering {
                false => out.push(Act::LockFree),
                true if s.link == Link::None => out.push(Act::FindsNobody),
                true => {}
            }
        }
    }

    /// What may happen besides.
    pub fn events(&self, setup: &Setup, out: &mut Vec<Act>) {
        let s = &self.s;
        if s.lives && s.order == Order::None && s.machine.phase == Phase::Watching && !self.replaced && self.page == 1 && !self.bereaved {
            out.push(Act::Replace);
        }
        if self.faults.is_full() || self.pair.faults >= setup.faults {
            return;
        }
        let mut faults = Vec::with_capacity(16);
        setup.events(&self.pair, &mut faults);
        out.extend(faults.into_iter().filter(|choice| choice.is_fault()).map(Act::Pair));
        // Before anybody has greeted the machine has no party.
        if s.lives {
            out.push(Act::Dies { lossy: false });
            if !self.said.is_empty() {
                out.push(Act::Dies { lossy: true });
            }
            if s.machine.replacing && s.order == Order::None && s.judged.is_none() {
                out.push(Act::Cancel);
            }
        }
    }

    /// Everything that can happen now.
    pub fn acts(&self, setup: &Setup, out: &mut Vec<Act>) {
        if self.broken.is_some() {
            return;
        }
        self.pair_steps(setup, out);
        self.own_steps(out);
        if self.bounded && out.iter().any(|act| act.is_deadline()) {
            let rest = out.iter().any(|act| !act.is_deadline());
            let first = out.iter().filter_map(|act| self.due(*act)).min();
            let may_be_late = !self.faults.is_full() && self.pair.faults < setup.faults;
            out.retain(|act| !act.is_deadline() || if rest { may_be_late } else { self.due(*act) == first });
        }
        self.events(setup, out);
    }

    /// How long after its wait has begun it comes, where everything else takes no time.
    fn due(&self, act: Act) -> Option<i64> {
        match act {
            Act::Pair(Choice::Timeout(slot)) => self.pair.at(slot).deadline(),
            Act::Timeout => self.s.machine.deadline.nanos(),
            Act::ExpectOver => Some(10_000_000_000),
            Act::SeekFails(_) => Some(1_000_000_000),
            _ => None,
        }
    }

    pub fn apply(&self, setup: &Setup, act: Act) -> Self {
        let mut next = *self;
        if self.bounded && act.is_deadline() {
            let mut steps = Vec::with_capacity(16);
            self.pair_steps(setup, &mut steps);
            self.own_steps(&mut steps);
            if steps.iter().any(|act| !act.is_deadline()) {
                next.fault(Fault::Late);
            }
        }
        next.happen(setup, act);
        next.check(setup);
        next
    }

    fn fault(&mut self, fault: Fault) {
        self.pair.faults += 1;
        self.faults.push(fault);
    }

    fn happen(&mut self, setup: &Setup, act: Act) {
        match act {
            Act::Pair(Choice::Accept(owner, guest)) => {
                let before = self.pair;
                self.greets(setup, owner, guest);
                self.follow(&before);
            }
            Act::Pair(choice) => {
                if let Choice::Crash(slot) | Choice::CrashLossy(slot) = choice {
                    let owns = self.pair.owner == slot || self.pair.at(slot).owner().is_some();
                    self.faults.push(if owns { Fault::OwnerDies } else { Fault::SuccessorDies });
                    // With what it had said, or without.
                    if matches!(choice, Choice::CrashLossy(_)) && self.s.link == Link::Open(slot) {
                        self.s.heard.clear();
                    }
                }
                let before = self.pair;
                self.pair = setup.apply(&self.pair, choice);
                self.follow(&before);
            }
            Act::OwnerHears => self.owner_hears(setup),
            Act::ExpectOver => (self.expected, self.announced) = (None, false),
            Act::SeekFirst(slot) => self.seeks_first(setup, slot),
            Act::SeekPath(slot) => self.seeks_by_path(slot),
            Act::SeekFails(slot) => {
                let before = self.pair;
                crate::model::driver::die(&mut self.pair, slot, false);
                crate::model::driver::exited(&mut self.pair, slot);
                self.follow(&before);
            }
            Act::Fork => self.forks(),
            Act::Born(slot) => self.born(slot),
            Act::Hear => self.hears(),
            Act::ChannelEnd => self.close_channel(),
            Act::Connect(slot) => self.connect(slot),
            Act::OwnerSeen => self.owner_seen_dead(),
            Act::ChildSeen => self.child_seen_dead(),
            Act::Timeout => self.feed(Event::Timeout),
            Act::Still => self.feed(Event::Still(true)),
            Act::LockFree => self.feed(Event::LockFree),
            Act::Kill(slot) => self.kill(slot),
            Act::FindsNobody => self.finds_nobody(),
            Act::ComesAgain => self.comes_again(),
            Act::Replace => {
                (self.replaced, self.s.asked, self.s.terms, self.s.ending) = (true, true, true, Ending::None);
                self.feed(Event::Replace { whole: Deadline::at(WHOLE) });
            }
            Act::Cancel => {
                self.fault(Fault::Cancelled);
                self.feed(Event::Cancel);
            }
            Act::Dies { lossy } => {
                self.fault(Fault::SupervisorDies);
                self.dies(lossy);
            }
        }
        if !self.s.machine.looks_on() && self.s.link != Link::None && self.s.lives {
            self.close_channel();
        }
    }
}

/// Deaths alone.
pub const DEATHS: u16 = fault::CRASH | fault::CRASH_LOSSY;

impl Heard {
    pub fn is_estate(self) -> bool {
        matches!(self, Heard::Estate(..))
    }
}
