//! What must be true in every world, and in every one that stands still. What two generations owe each other is looked at by `model/invariants.rs`, in
//! each of these worlds as well: whether a supervisor is there, hangs or is dead.

use super::world::{Link, Order, World};
use crate::machine::supervisor::Phase;
use crate::model::setup::Setup;
use crate::model::world::{self as pair, ALL, LOCK, Life};

impl World {
    pub fn check(&mut self, setup: &Setup) {
        if self.broken.is_some() {
            return;
        }
        if self.pair.broken.is_none() {
            setup.check(&mut self.pair);
        }
        if let Some((law, how)) = self.pair.broken {
            self.broken = Some(how);
            let _ = law;
            return;
        }
        self.always();
        if self.broken.is_none() && self.is_quiet(setup) {
            self.when_quiet();
        }
    }

    /// Nothing happens any more unless somebody wants something, or by a fault.
    pub fn is_quiet(&self, setup: &Setup) -> bool {
        let mut steps = Vec::with_capacity(16);
        self.own_steps(&mut steps);
        if steps.is_empty() {
            self.pair_steps(setup, &mut steps);
        }
        steps.is_empty()
    }

    fn always(&mut self) {
        let holds = |slot: pair::Slot| {
            let process = self.pair.at(slot);
            process.lives() && (self.given[slot as usize] || process.holds & ALL & !LOCK == ALL & !LOCK)
        };
        let held = self.s.lives && self.s.holds_listeners || pair::World::slots().any(holds);
        let anybody = pair::World::slots().any(|slot| self.is_party(slot));
        if !held && (!self.bereaved || anybody && pair::World::slots().any(|slot| self.is_party(slot) && !self.seeks[slot as usize])) {
            self.breaks("S5: a listener is closed, and somebody is there");
        }
        if self.expected.is_some_and(|expected| !expected.greeted) && self.serves.is_none() {
            self.breaks("L6: others are kept out for one whom nobody expects any more");
        }
        // Before the commit both go by one time.
        if let Some(owner) = self.serves.and_then(|slot| self.pair.at(slot).owner())
            && self.announced
            && owner.may_cancel()
            && self.offered_whole.is_some_and(|whole| whole != owner.whole())
        {
            self.breaks("LAW-15: owner and successor go by different times");
        }
        let waits = match self.s.machine.phase {
            Phase::Idle | Phase::Watching => true,
            Phase::Starting | Phase::Preparing => self.s.order != Order::None,
            Phase::Opening | Phase::Killing => self.s.child.is_some(),
            Phase::Replacing | Phase::Orphaned if self.s.machine.deadline.is_never() => self.s.child.is_some(),
            Phase::Searching if self.s.recovering => true,
            _ => !self.s.machine.deadline.is_never(),
        };
        if self.s.lives && !waits {
            self.breaks("L2: the supervisor waits without an end");
        }
        if matches!(self.s.machine.phase, Phase::Idle | Phase::Watching) && self.s.asked && self.s.order == Order::None {
            self.breaks("S12: a replacement has no end");
        }
    }

    fn when_quiet(&mut self) {
        let owner = self.pair.owner;
        let serving = self.pair.servers().count();
        let lives = pair::World::slots().any(|slot| self.is_party(slot));
        let expected = match self.s.machine.phase {
            Phase::Watching => self.s.owner == Some(owner) && serving == 1 && self.s.link == Link::Open(owner) && self.s.up,
            Phase::Idle => self.s.gave_up && !lives,
            _ => false,
        };
        if !expected {
            self.breaks(match self.s.machine.phase {
                Phase::Watching => "L1: the supervisor watches one that does not serve",
                Phase::Idle => "L1: nobody is started beside nobody",
                _ => "L2: the supervisor waits for ever",
            });
        }
        for slot in pair::World::slots() {
            let process = self.pair.at(slot);
            if process.lives() && slot != owner && !(process.life == Life::Stopped && self.left_stopped) {
                self.breaks("S8: a process is neither owner nor gone");
            }
        }
    }
}
