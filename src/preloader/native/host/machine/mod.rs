//! Who gets which worker, from which preloader. Pure: the time is told, and what is to be done is answered.
//!
//! Traps. **A request is the host's until it is answered**: what a preloader was asked for is in no queue but ours, so when it dies with twenty under
//! way, each is asked once more of the next one, and no more than once (`Crashed`): else a request that kills preloaders would for ever. **Old code**:
//! after `Reload` nobody who was born before is adopted; who waits at a gate, or is on the way there, is discarded, and asked for anew. **A slow one
//! is nobody else's fault**: whose time is over fails alone, and its birth goes to the next in line or to the pool; a preloader is replaced for its
//! silence only when it has said nothing at all for [`SILENCE_NS`] with something under way. **What comes of a pool must not start by itself for
//! ever**: only a request, a warm-up or a reload starts a process; what fails in the background rests, twice as long each time.
//!
//! ```text
//! the one that serves   absent --wanted--> starting --Started--> ready --Ended, silent, Stop, Reload, too big, idle--> absent
//!                                                                  |  ^
//!                                                         Promote, |  | it ends, or too many of its births die:
//!                                                         Started  |  | the spare one serves again
//!                                                                  v  |
//!                                                  the new one serves, the old one is spare --first Ready of the new--> the old one is left
//! ```
//!
//! | a request, where    | a worker idle | Registered | BirthFailed: refused, unproven | died, late, lost; its preloader ended | Reload  | its time is over, called off |
//! |---------------------|---------------|------------|--------------------------------|---------------------------------------|---------|------------------------------|
//! | in line             | adopted       |            |                                |                                       |         | over                         |
//! | a birth is under way | adopted, the birth is the next one's | adopted | over         | in line, first; over the second time  | in line | over, the birth is the next one's or the pool's |
//! | adopted, not opened (`Died`) |      |            |                                | the same; from the pool: in line      |         | its worker's business        |
//! | adopted, opened     | the machine only counts whether it gets ready (`Ready`, `NotReady`)  |||                      |         |                              |
//!
//! | file         | what                                             |
//! |--------------|--------------------------------------------------|
//! | `words.rs`   | what it is told, and what it answers             |
//! | `births.rs`  | births, and the pool of those that are idle      |
//! | `answers.rs` | what becomes of a birth, and of its request      |
//! | `orders.rs`  | what starts, replaces, stops and promotes        |

mod answers;
mod births;
mod orders;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::births::{Births, Waiting};
pub use self::words::{Action, Birth, End, Event, Id, Preloader, Unpromoted, Why};
use crate::clock::Deadline;

pub use self::births::{AHEAD, BIRTH_NS, PAUSE_NS};

/// A preloader that has something under way and says nothing at all for so long is replaced.
pub const SILENCE_NS: i64 = 20_000_000_000;
/// A start that only the pool wants takes no longer.
pub const REFILL_NS: i64 = 60_000_000_000;

/// The process that serves, or starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Process {
    generation: u32,
    ready: bool,
    /// When it said something.
    heard: i64,
    /// It is replaced as soon as nothing is under way.
    too_big: bool,
}

/// A worker that is to be the next preloader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Promotion {
    birth: Birth,
    generation: u32,
    until: Deadline,
}

/// A preloader, its births, and those who want something of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    closed: bool,
    /// Of the last process that was started or promoted.
    generation: u32,
    serving: Option<Process>,
    /// The one before, as long as a promoted one has not proved itself.
    spare: Option<u32>,
    promotion: Option<Promotion>,
    births: Births,
    /// Births below this one are of what was replaced.
    oldest: Birth,
    line: BTreeMap<Id, Waiting>,
    warm: BTreeMap<Id, Waiting>,
    /// Until when the pool is a reason to start.
    refill: Option<Deadline>,
    /// How many births in a row have died before they were ready, and how many may.
    dead: u32,
    most_dead: u32,
    idle_ns: Option<i64>,
    last_used: i64,
}

impl Machine {
    /// Nobody wants anything.
    pub fn new(now: i64) -> Self {
        Self {
            closed: false,
            generation: 0,
            serving: None,
            spare: None,
            promotion: None,
            births: Births::new(),
            oldest: 0,
            line: BTreeMap::new(),
            warm: BTreeMap::new(),
            refill: None,
            dead: 0,
            most_dead: 0,
            idle_ns: None,
            last_used: now,
        }
    }

    /// Where the preloader is.
    pub fn preloader(&self) -> Preloader {
        match self.serving {
            _ if self.closed => Preloader::Closed,
            None => Preloader::Absent,
            Some(process) if process.ready => Preloader::Ready,
            Some(_) => Preloader::Starting,
        }
    }

    /// The generation of the last process that was started or promoted; 0: none was.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The generation of the one that is asked for workers, or starts.
    pub fn serving(&self) -> Option<u32> {
        self.serving.map(|process| process.generation)
    }

    /// When it was used last.
    pub fn last_used(&self) -> i64 {
        self.last_used
    }

    /// Until when somebody waits for its start.
    pub fn wanted_until(&self) -> Deadline {
        let all = self.line.values().chain(self.warm.values()).map(|waiting| waiting.until);
        all.chain(self.refill).max().unwrap_or(Deadline::PAST)
    }

    /// How many wait at their gates.
    pub fn idle(&self) -> usize {
        self.births.idle(None)
    }

    /// When `Tick` has something to do.
    pub fn due(&self) -> Deadline {
        let all = self.line.values().chain(self.warm.values()).map(|waiting| waiting.until);
        let all = all.chain(self.promotion.map(|promotion| promotion.until)).chain(self.refill);
        all.fold(self.births.due(self.bears()).min(self.silent_at()).min(self.idle_at()), Deadline::min)
    }

    /// The generation of the one that forks.
    fn ready(&self) -> Option<u32> {
        self.serving.filter(|process| process.ready).map(|process| process.generation)
    }

    /// The same, if it may be asked for one more.
    fn bears(&self) -> Option<u32> {
        let may = |generation: &u32| !self.is_blocked() && !self.is_too_big() && self.births.under_way(*generation).1 < AHEAD;
        self.ready().filter(may)
    }

    /// When it will have said nothing for too long.
    fn silent_at(&self) -> Deadline {
        let Some(process) = self.serving.filter(|process| process.ready) else { return Deadline::NEVER };
        let asked = self.births.under_way(process.generation).0;
        asked.map_or(Deadline::NEVER, |asked| Deadline::at(asked.max(process.heard).saturating_add(SILENCE_NS)))
    }

    /// When it will have been of no use for too long.
    fn idle_at(&self) -> Deadline {
        let is_at_rest = self.ready().is_some() && self.line.is_empty() && self.warm.is_empty() && self.promotion.is_none();
        self.idle_ns.filter(|_| is_at_rest).map_or(Deadline::NEVER, |idle_ns| Deadline::at(self.last_used.saturating_add(idle_ns)))
    }

    /// What this leads to.
    pub fn step(&mut self, event: Event, now: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Ask(id, _) | Event::Warm(id, _) if self.closed => actions.push(Action::Fail(id, End::Closed)),
            Event::Ask(id, until) => {
                self.last_used = now;
                self.line.insert(id, Waiting::new(until));
                if self.ready().is_none() {
                    self.want_pool(until, now);
                }
            }
            Event::Warm(id, until) => {
                self.last_used = now;
                self.warm.insert(id, Waiting::new(until));
            }
            Event::CallOff(id) => self.call_off(id),
            Event::Started(generation) => self.started(generation, now, &mut actions),
            Event::StartFailed(generation) => self.start_failed(generation, &mut actions),
            Event::Ended(generation) => self.ended(generation, now, &mut actions),
            Event::Born(birth) => {
                self.births.name(birth);
                self.heard(birth, now);
            }
            Event::Registered(birth) => self.registered(birth, now, &mut actions),
            Event::BirthFailed(birth, why) => self.birth_failed(birth, why, now, &mut actions),
            Event::Died(birth) => self.died(birth, now, &mut actions),
            Event::Ready(birth) => self.is_ready(birth, now, &mut actions),
            Event::NotReady(birth) => self.is_not_ready(birth, now, &mut actions),
            Event::Reload => self.reload(now, &mut actions),
            Event::Stop => self.stop(End::Stopped, &mut actions),
            Event::Close => {
                self.stop(End::Closed, &mut actions);
                self.closed = true;
            }
            Event::SetPool { idle, max_age_ns } => {
                (self.births.target, self.births.max_age_ns) = (idle as usize, max_age_ns);
                self.births.rested();
            }
            Event::SetIdle(idle_ns) => self.idle_ns = idle_ns,
            Event::SetLimits { dead_births } => self.most_dead = dead_births,
            Event::TooBig(generation) => {
                if let Some(process) = self.serving.as_mut().filter(|process| process.ready && process.generation == generation) {
                    process.too_big = true;
                }
            }
            Event::Promote(birth, until) => self.promote(birth, until, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
        }
        self.go_on(now, &mut actions);
        actions
    }

    /// The one that this is a birth of is alive.
    fn heard(&mut self, birth: Birth, now: i64) {
        let generation = self.births.get(birth).map(|newborn| newborn.generation);
        if let Some(process) = self.serving.as_mut().filter(|process| Some(process.generation) == generation) {
            process.heard = now;
        }
    }

    /// The pool is a reason to start: somebody wants something.
    fn want_pool(&mut self, until: Deadline, now: i64) {
        if self.births.target > 0 {
            let until = until.min(Deadline::at(now.saturating_add(REFILL_NS)));
            self.refill = self.refill.max(Some(until));
        }
    }

    fn tick(&mut self, now: i64, actions: &mut Vec<Action>) {
        if self.promotion.is_some_and(|promotion| promotion.until.is_over(now)) {
            self.unpromote(Unpromoted::Late, actions);
        }
        let starting = self.serving.filter(|process| !process.ready).map(|process| process.generation);
        let births = &mut self.births;
        for waiting in [&mut self.line, &mut self.warm] {
            waiting.retain(|id, waiting| {
                let late = waiting.until.is_over(now);
                if late {
                    let end = waiting.birth.map_or(End::LateInLine(starting), End::Late);
                    waiting.birth.inspect(|birth| births.give(*birth, None));
                    actions.push(Action::Fail(*id, end));
                }
                !late
            });
        }
        self.refill = self.refill.filter(|until| !until.is_over(now));
        if self.silent_at().is_over(now) {
            self.crash(now, actions);
        }
        while let Some(birth) = self.births.stuck(now) {
            self.give_up(birth, now, actions);
        }
        if self.idle_at().is_over(now) {
            self.leave_all(actions);
        }
    }

    /// Whoever waits gets what is there; what is missing is asked for, and what is too much goes.
    fn go_on(&mut self, now: i64, actions: &mut Vec<Action>) {
        self.births.retire(now, actions);
        if let Some(generation) = self.ready().filter(|generation| self.is_too_big() && self.births.under_way(*generation).1 == 0) {
            self.miss_warm(End::TooBig(generation), actions);
            self.leave_all(actions);
        }
        // Who wants a worker after a promotion wants one of the new generation; those that wait at the gates of the old one are kept for when it fails.
        let oldest = if self.spare.is_some() { self.serving().unwrap_or(0) } else { 0 };
        while let Some((id, birth)) = self.first_in_line(true).zip(self.births.best(oldest)) {
            self.adopt(birth, id, true, now, actions);
        }
        if self.is_blocked() {
            self.fail_line(End::DeadBirths(self.dead), actions);
        }
        while let Some((id, birth)) = self.first_in_line(false).zip(self.births.unclaimed(oldest)) {
            self.claim(birth, id);
        }
        self.start_or_leave(actions);
        if let Some(generation) = self.ready().filter(|_| !self.is_blocked() && !self.is_too_big()) {
            self.fork(generation, now, actions);
            if self.births.idle(Some(generation)) >= self.births.target {
                actions.extend(std::mem::take(&mut self.warm).into_keys().map(Action::Warmed));
            }
        }
        self.births.trim(actions);
    }

    fn claim(&mut self, birth: Birth, id: Id) {
        self.births.give(birth, Some(id));
        if let Some(waiting) = self.line.get_mut(&id) {
            waiting.birth = Some(birth);
        }
    }

    fn fork(&mut self, generation: u32, now: i64, actions: &mut Vec<Action>) {
        while self.births.under_way(generation).1 < AHEAD {
            let whose = self.first_in_line(false);
            if whose.is_none() && !self.births.refills(generation, now) {
                break;
            }
            let birth = self.births.ask(generation, whose, now);
            if let Some(id) = whose {
                self.claim(birth, id);
            }
            actions.push(Action::Fork(generation, birth, whose));
        }
    }

    /// The oldest request that nothing is under way for; or, where a worker is there at once, the oldest of all.
    fn first_in_line(&self, of_all: bool) -> Option<Id> {
        self.line.iter().find(|(_, waiting)| of_all || waiting.birth.is_none()).map(|(id, _)| *id)
    }

    fn is_too_big(&self) -> bool {
        self.serving.is_some_and(|process| process.too_big)
    }

    /// So many have died that nothing is born any more.
    fn is_blocked(&self) -> bool {
        self.most_dead > 0 && self.dead >= self.most_dead
    }
}
