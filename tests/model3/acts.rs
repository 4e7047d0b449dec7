//! The supervisor's driver: what its machine asks for, and what it finds out.

use super::mutant::Mutant;
use super::world::{Ending, Heard, Link, Order, Said, World};
use crate::clock::Deadline;
use crate::machine::supervisor::{Action, Event, Phase, Seen, Supervisor, Told, Who};
use crate::machine::word::{Stage, Word};
use crate::model::driver::{die, exited};
use crate::model::world::{Life, Process, Slot};

impl World {
    pub fn feed(&mut self, event: Event) {
        let (next, actions) = self.s.machine.step(event, 0);
        self.s.machine = next;
        let mut list: Vec<Action> = actions.iter().collect();
        match self.mutant {
            Mutant::KillsUnseen if list.contains(&Action::Freeze) => {
                list = vec![Action::Kill];
                (self.s.machine.phase, self.s.machine.deadline) = (Phase::Killing, Deadline::NEVER);
            }
            Mutant::StopsUnseen if next.phase == Phase::Looking => {
                list = vec![Action::Freeze];
                (self.s.machine.phase, self.s.machine.deadline) = (Phase::Freezing, Deadline::at(crate::machine::supervisor::STILL));
            }
            Mutant::NeverThaws => list.retain(|action| *action != Action::Thaw),
            Mutant::TellsNothing => list.retain(|action| !matches!(action, Action::Tell(Told::Aborted(_)))),
            Mutant::WaitsForTheOwner if next.phase == Phase::Concluding => self.s.machine.deadline = Deadline::NEVER,
            _ => {}
        }
        list.into_iter().for_each(|action| self.act(action));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::SpawnFirst => {
                (self.s.terms, self.s.last_child, self.s.order) = (false, None, Order::Given);
            }
            Action::SpawnSuccessor => {
                (self.s.last_child, self.s.order, self.s.recorded) = (None, Order::Given, false);
                self.announced = self.s.up && matches!(self.s.link, Link::Open(_));
                if self.mutant != Mutant::AnnouncesNobody {
                    self.say(Said::Announce);
                }
            }
            Action::Expect => {
                if let Some(child) = self.s.child.filter(|_| self.s.terms) {
                    self.say(Said::Expect(child));
                }
            }
            Action::CallOff => self.say(Said::CallOff(self.s.last_child)),
            Action::Freeze => {
                if self.s.child.is_some_and(|child| self.pair.at(child).app.serves) {
                    self.breaks("L4: one that serves is stopped");
                }
                self.signal(|process| process.life = Life::Stopped);
            }
            Action::Thaw => self.signal(|process| process.life = Life::Running),
            Action::Kill => self.s.judged = self.s.child,
            Action::StopChild | Action::StopOwner => self.breaks("nobody has asked for a stop"),
            Action::Adopt => match self.s.child.take() {
                Some(child) => self.s.owner = Some(child),
                None => self.s.last_owner = self.s.last_child,
            },
            Action::Look => {
                let seen = match self.seen() {
                    // On a page of its own, of which nothing is known here: the lock file names it.
                    Seen::Base | Seen::Offered if self.is_judged_by_name() => Seen::Child,
                    seen => seen,
                };
                self.feed(Event::Seen(seen));
            }
            Action::AskPermit => {
                let permit = self.s.permits > 0;
                self.s.permits = self.s.permits.saturating_sub(1);
                self.feed(Event::Permit(permit));
            }
            Action::Tell(Told::Committed) => self.tell_end(Ending::Committed),
            Action::Tell(Told::Aborted(_)) => self.tell_end(Ending::Aborted),
            Action::Tell(Told::GaveUp) => self.s.gave_up = true,
            Action::Tell(Told::Serving | Told::OwnerEnded | Told::Stopped) => {}
        }
    }

    fn tell_end(&mut self, ending: Ending) {
        if !self.s.asked {
            self.breaks("S12: a replacement has a second end");
        }
        (self.s.asked, self.s.terms, self.s.ending) = (false, false, ending);
    }

    fn say(&mut self, said: Said) {
        if self.s.up && matches!(self.s.link, Link::Open(_)) {
            self.said.push(said);
        }
    }

    /// Stops or continues the child. A process that is no child of this supervisor's own is never signalled.
    fn signal(&mut self, change: impl FnOnce(&mut Process)) {
        let Some(child) = self.s.child else { return };
        if !self.mine[child as usize] {
            self.breaks("S9: a signal to a process that is not proven to be its own");
        }
        if self.pair.at(child).lives() {
            change(self.pair.at_mut(child));
        }
    }

    /// What was judged is done, perhaps a little later. Never to one that was told to serve.
    pub fn kill(&mut self, slot: Slot) {
        self.s.judged = None;
        if !self.mine[slot as usize] {
            self.breaks("S9: a signal to a process that is not proven to be its own");
        }
        let process = *self.pair.at(slot);
        if !process.lives() {
            return;
        }
        let told = process.app.serves || process.app.notices.iter().any(|notice| matches!(notice, crate::machine::Notice::Live { .. }));
        let alone = matches!(self.pair.word.stage, Stage::Settled | Stage::Live);
        if told || self.pair.owner == slot && alone {
            self.breaks("S9: the owner is killed");
        }
        let before = self.pair;
        die(&mut self.pair, slot, false);
        self.follow(&before);
    }

    /// What the page says, as `supervisor/native/seeing.rs` reads it.
    fn seen(&self) -> Seen {
        let s = &self.s;
        let (word, signed): (Word, _) = match s.page {
            0 => return Seen::Unknown,
            page if page == self.page => (self.pair.word, self.signed),
            _ => self.before,
        };
        let owner = s.owner.or(s.last_owner);
        let child = s.last_child.filter(|_| s.machine.child || s.machine.replacing);
        let signer = Some(signed[word.generation as usize & 1]);
        match word.stage {
            Stage::Settled if child.is_some() && signer == child => Seen::Child,
            Stage::Settled if signer == owner => Seen::Base,
            Stage::Settled => Seen::Other,
            Stage::Offered => Seen::Offered,
            Stage::Committed | Stage::Live | Stage::Returned | Stage::Condemned => Seen::Handing,
        }
    }

    fn is_judged_by_name(&self) -> bool {
        let judges = matches!(self.s.machine.phase, Phase::Looking | Phase::Judging) && self.mutant != Mutant::JudgesByThePage;
        judges && self.named.is_some() && self.named == self.s.child
    }

    // ---- what comes in ----

    pub fn hears(&mut self) {
        match self.s.heard.pop() {
            None => {}
            Some(Heard::NotCalledOff) => self.feed(Event::Refused),
            Some(Heard::Outcome(with, committed)) => self.takes_record(with, committed, true),
            Some(Heard::Estate(slot, page, record)) => {
                (self.s.up, self.s.page, self.s.holds_listeners) = (true, page, true);
                if let Some((with, committed)) = record {
                    self.takes_record(with, committed, false);
                }
                let who = match slot {
                    _ if self.s.owner == Some(slot) => Who::Owner,
                    _ if self.s.child == Some(slot) => Who::Child,
                    _ => Who::Other,
                };
                if who == Who::Other {
                    self.s.owner = Some(slot);
                }
                self.feed(Event::Estate(who));
            }
        }
        if self.s.recovering && self.s.machine.phase == Phase::Watching {
            self.s.recovering = false;
        }
    }

    fn takes_record(&mut self, with: Slot, committed: bool, fresh: bool) {
        if self.s.recorded || self.s.last_child != Some(with) || !self.s.terms {
            return;
        }
        self.s.recorded = true;
        if fresh || !committed {
            self.feed(Event::Ended { committed });
        }
    }

    pub fn owner_seen_dead(&mut self) {
        let Some(owner) = self.s.owner.take() else { return };
        self.s.last_owner = Some(owner);
        self.drop_channel_of(owner);
        self.feed(Event::OwnerGone);
    }

    pub fn child_seen_dead(&mut self) {
        let Some(child) = self.s.child.take() else { return };
        self.drop_channel_of(child);
        self.feed(Event::ChildGone);
    }

    fn drop_channel_of(&mut self, slot: Slot) {
        if matches!(self.s.link, Link::Open(at) if at == slot) || self.s.link == Link::Ended {
            self.close_channel();
        }
    }

    /// Its own end.
    pub fn close_channel(&mut self) {
        if let Link::Open(slot) = self.s.link
            && self.serves == Some(slot)
        {
            self.closed = true;
        }
        (self.s.link, self.s.up) = (Link::None, false);
        self.s.heard.clear();
    }

    pub fn connect(&mut self, slot: Slot) {
        (self.s.link, self.serves, self.closed) = (Link::Open(slot), Some(slot), false);
        self.said.clear();
        self.s.heard.push(Heard::Estate(slot, self.page, self.record));
    }

    // ---- spawns ----

    pub fn forks(&mut self) {
        let Some(slot) = self.free() else { return };
        *self.pair.at_mut(slot) = Process::absent(Life::Running);
        // Another process than the one that was there before.
        let nobody = crate::model::world::SLOTS as Slot;
        self.signed.iter_mut().chain(&mut self.before.1).filter(|signer| **signer == slot).for_each(|signer| *signer = nobody);
        self.named = self.named.filter(|named| *named != slot);
        self.s.order = Order::Forked(slot);
        let at = slot as usize;
        (self.seeks[at], self.mine[at], self.given[at]) = (true, true, self.s.holds_listeners);
    }

    pub fn born(&mut self, slot: Slot) {
        (self.s.order, self.s.child, self.s.last_child, self.s.recorded) = (Order::None, Some(slot), Some(slot), false);
        self.feed(Event::Born);
    }

    // ---- its own end ----

    pub fn dies(&mut self, lossy: bool) {
        let before = self.pair;
        if self.mutant == Mutant::TiedToTheSupervisor
            && let Some(child) = self.s.child
            && self.pair.at(child).lives()
        {
            die(&mut self.pair, child, false);
            exited(&mut self.pair, child);
        }
        if let Link::Open(slot) = self.s.link
            && self.serves == Some(slot)
        {
            self.closed = true;
            if lossy {
                self.said.clear();
            }
        }
        if self.pair != before {
            self.breaks("L4: the death of the supervisor has changed something for a generation");
        }
        let stopped = self.s.child.is_some_and(|child| self.pair.at(child).life == Life::Stopped);
        self.left_stopped |= stopped;
        let ending = if self.s.asked { Ending::Lost } else { self.s.ending };
        let permits = self.s.permits;
        self.s = super::world::Observer {
            lives: false,
            machine: Supervisor::new(),
            owner: None,
            child: None,
            last_owner: None,
            last_child: None,
            order: Order::None,
            link: Link::None,
            up: false,
            heard: crate::model::fifo::Fifo::new(),
            page: 0,
            judged: None,
            terms: false,
            recorded: false,
            holds_listeners: false,
            recovering: false,
            permits,
            gave_up: false,
            asked: false,
            ending,
        };
        self.mine = [false; crate::model::world::SLOTS];
        self.bereaved = true;
    }

    pub fn comes_again(&mut self) {
        (self.s.lives, self.s.recovering) = (true, true);
        self.feed(Event::Recover);
    }

    /// `recover` finds nobody: the application starts one.
    pub fn finds_nobody(&mut self) {
        self.s.recovering = false;
        self.feed(Event::Forget);
        self.close_channel();
        self.feed(Event::Start);
    }
}
