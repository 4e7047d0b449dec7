//! The owner's end of the observer's channel, and the control path: whom it takes, whom it expects, what it tells.

use super::mutant::Mutant;
use super::world::{Expected, Heard, Link, OWN_WHOLE, Said, World};
use crate::machine::owner::{self, Owner};
use crate::machine::word::{Stage, Word};
use crate::machine::{Mode, Notice, Reason, successor};
use crate::model::setup::Setup;
use crate::model::world::{self as pair, ALL, Channel, Life, Machine, Process, Slot};

impl World {
    /// Reads the next thing that its observer has said.
    pub fn owner_hears(&mut self, setup: &Setup) {
        let Some(slot) = self.serves else { return };
        let Some(said) = self.said.pop() else {
            // The end.
            return self.owner_loses_observer(slot);
        };
        let taken = match said {
            Said::Announce => self.may_expect(slot).then_some(Expected { who: None, greeted: false }),
            Said::Expect(who) if !self.pair.at(who).lives() => None,
            Said::Expect(who) if self.is_under_way(slot, who) => {
                self.hasten(slot);
                Some(Expected { who: Some(who), greeted: true })
            }
            Said::Expect(who) => self.may_expect(slot).then_some(Expected { who: Some(who), greeted: false }),
            Said::CallOff(who) => return self.call_off(setup, slot, who),
        };
        if taken.is_some() {
            self.expected = taken;
        } else {
            self.announced = false;
        }
    }

    fn owner_loses_observer(&mut self, slot: Slot) {
        (self.closed, self.serves, self.announced) = (false, None, false);
        if self.s.link == Link::Open(slot) {
            self.s.link = Link::Ended;
        }
        if self.mutant != Mutant::ExpectsForEver {
            self.expected = None;
        }
    }

    fn may_expect(&self, slot: Slot) -> bool {
        let process = self.pair.at(slot);
        process.owner().is_some_and(|owner| owner.phase == owner::Phase::Serving) && process.app.notices.is_empty()
    }

    fn is_under_way(&self, slot: Slot, with: Slot) -> bool {
        let process = self.pair.at(slot);
        process.owner().is_some_and(|owner| owner.may_cancel()) && process.peer == Some(with)
    }

    fn hasten(&mut self, slot: Slot) {
        if let Machine::Owner(machine) = &mut self.pair.at_mut(slot).machine {
            machine.hasten(OWN_WHOLE, None);
        }
    }

    fn call_off(&mut self, setup: &Setup, slot: Slot, who: Option<Slot>) {
        match self.expected.filter(|expected| who.is_none() || expected.who == who) {
            Some(Expected { greeted: false, .. }) => {
                self.expected = None;
                self.tell_observer(slot, Heard::NotCalledOff);
            }
            Some(Expected { who: Some(with), .. }) if self.is_under_way(slot, with) => {
                let before = self.pair;
                setup.feed_owner(&mut self.pair, slot, owner::Event::Cancel);
                setup.run(&mut self.pair, slot);
                self.follow(&before);
            }
            _ => self.tell_observer(slot, Heard::NotCalledOff),
        }
    }

    pub fn tell_observer(&mut self, slot: Slot, heard: Heard) {
        if self.s.link == Link::Open(slot) && self.s.lives {
            self.s.heard.push(heard);
        }
    }

    /// Whether this guest is kept out, because another is expected.
    fn is_kept_out(&self, guest: Slot) -> bool {
        let alive = |who: Slot| self.pair.at(who).lives();
        let awaited = |expected: &Expected| !expected.greeted && expected.who.is_none_or(alive);
        let meant = |expected: &Expected| match expected.who {
            Some(who) => who == guest,
            None => self.mine[guest as usize],
        };
        self.expected.as_ref().is_some_and(|expected| awaited(expected) && !meant(expected))
    }

    /// An owner takes a guest's greeting, or refuses it.
    pub fn greets(&mut self, setup: &Setup, owner: Slot, guest: Slot) {
        use crate::model::product::Choice;
        // T2.
        while self.serves == Some(owner) && (!self.said.is_empty() || self.closed) {
            self.owner_hears(setup);
        }
        let still = self.pair.at(owner).owner().is_some_and(|owner| owner.phase == owner::Phase::Serving);
        if !still || self.is_kept_out(guest) {
            self.pair = setup.apply(&self.pair, Choice::Refuse(guest));
            return;
        }
        self.pair = setup.apply(&self.pair, Choice::Accept(owner, guest));
        let expected = self.expected.as_mut().filter(|expected| !expected.greeted);
        if let Some(expected) = expected {
            *expected = Expected { who: Some(guest), greeted: true };
            self.hasten(owner);
        }
        self.offered_whole = self.pair.at(owner).owner().map(|owner| owner.whole());
    }

    /// What follows from a step of a process for those who look on.
    pub fn follow(&mut self, before: &pair::World) {
        for slot in pair::World::slots() {
            let (was, is) = (before.at(slot), *self.pair.at(slot));
            self.follow_owner(slot, was, &is);
            if !is.lives() && was.lives() {
                self.follow_death(slot);
            }
            // T4.
            let lost = |notice| matches!(notice, Notice::Aborted(Reason::Died | Reason::HungUp));
            let ended = is.successor().is_some_and(|machine| machine.phase == successor::Phase::Ended);
            if is.lives() && ended && is.holds == 0 && is.todo.is_empty() && is.app.notices.iter().any(lost) {
                *self.pair.at_mut(slot) = Process { life: is.life, ..Process::absent(Life::Running) };
                self.seeks[slot as usize] = true;
            }
        }
        let (was, is) = (before.word, self.pair.word);
        let owned = matches!(is.stage, Stage::Settled | Stage::Live);
        if owned && (was.generation != is.generation || was.stage != is.stage && !matches!(was.stage, Stage::Offered | Stage::Settled)) {
            self.signed[is.generation as usize & 1] = self.pair.owner;
        }
    }

    fn follow_owner(&mut self, slot: Slot, was: &Process, is: &Process) {
        let idle = |owner: Owner| matches!(owner.phase, owner::Phase::Starting | owner::Phase::Serving);
        if let (Some(then), Some(now)) = (was.owner(), is.owner()) {
            let over = idle(now) || now.phase == owner::Phase::Retired;
            if !idle(then)
                && then.phase != owner::Phase::Retired
                && over
                && let Some(peer) = was.peer
            {
                self.ends = Some((slot, peer, now.phase == owner::Phase::Retired));
                if self.serves == Some(slot) && self.expected.is_some_and(|expected| expected.greeted) {
                    self.expected = None;
                }
            }
        }
        let untold = |action| {
            use pair::Action::Owner as A;
            matches!(action, A(owner::Action::Tell(Notice::Aborted(_) | Notice::Retire)))
        };
        if let Some((owner, peer, committed)) = self.ends.filter(|(owner, ..)| *owner == slot)
            && is.lives()
            && !is.todo.iter().any(untold)
        {
            self.ends = None;
            self.record = Some((peer, committed));
            self.tell_observer(owner, Heard::Outcome(peer, committed));
            if committed && self.serves == Some(owner) {
                self.part(owner);
            }
        }
    }

    /// The owner's end of the channel is closed.
    fn part(&mut self, owner: Slot) {
        self.said.clear();
        (self.serves, self.expected, self.closed, self.announced) = (None, None, false, false);
        if self.s.link == Link::Open(owner) {
            self.s.link = Link::Ended;
        }
    }

    fn follow_death(&mut self, slot: Slot) {
        if self.serves == Some(slot) {
            self.part(slot);
        }
        if self.ends.is_some_and(|(owner, ..)| owner == slot) {
            self.ends = None;
        }
        (self.seeks[slot as usize], self.given[slot as usize]) = (false, false);
    }

    // ---- who looks for a generation before it ----

    pub fn seeks_first(&mut self, setup: &Setup, slot: Slot) {
        let mut others = pair::World::slots().filter(|other| *other != slot);
        if others.any(|other| self.pair.at(other).lives() && self.pair.at(other).app.serves && setup.mode == Mode::Exclusive) {
            self.breaks("S2: a first generation is started beside one that serves");
        }
        self.bound_anew |= !self.given[slot as usize];
        self.before = (self.pair.word, self.signed);
        self.page += 1;
        let generation = self.pair.newest.0 + 2;
        self.pair.word = Word { generation, handoff: 0, stage: Stage::Settled };
        (self.pair.owner, self.pair.newest, self.pair.heir, self.pair.sealed) = (slot, (generation, slot), None, true);
        self.signed[generation as usize & 1] = slot;
        (self.record, self.named) = (None, Some(slot));
        self.seeks[slot as usize] = false;
        let process = self.pair.at_mut(slot);
        process.machine = Machine::Owner(Owner::new(true, setup.mode, setup.limits));
        process.app.notices.push(Notice::Live { unsealed: false });
        (process.app.stale, process.holds) = (false, ALL);
    }

    pub fn seeks_by_path(&mut self, slot: Slot) {
        use crate::clock::Deadline;
        use crate::model::setup::OFFER;
        self.seeks[slot as usize] = false;
        let process = self.pair.at_mut(slot);
        process.machine = Machine::Successor(successor::Successor::new(Deadline::at(OFFER)));
        process.channel = Channel::Waiting;
    }
}
