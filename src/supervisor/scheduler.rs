//! Who may run, who stands in line, who rests before its next start, and what is told when: pure. No descriptor, lock, clock or
//! chance in here; `carry_out.rs` and `starts.rs` do what is decided. The table of stages and events is printed into
//! docs/internals/supervisor-table.md by a test.
//!
//! ```text
//!   Joining --joined--> Queued --pull--> Starting --started--> Running --> Stopping
//!                         ^                 |                     |            |
//!                         |               failed                ended        ended
//!                         |                 v                     v            v
//!                      Resting <--again-- Leaving <----------------------------'
//!                                           |        (and from Queued, Resting: stop, shutdown)
//!                                           '--over, given up--> gone
//! ```
//!
//! A slot is taken before a process is made (`Starting`) and given back when its end is told: so there are never more than `max_running`,
//! however many threads spawn, and a child that is being stopped holds its slot. Between its end and the telling a child is `Leaving`: what it
//! kept is released outside the lock, which takes the file system's time. The traps of that moment:
//!
//! - Whoever is first in line takes the slot *then*, and is made before the end can be heard of. With nobody in line the slot stays taken
//!   until the end is told; else a start by another thread could be told before it.
//! - The world goes on meanwhile: a stop or a shutdown that came in between is looked for when the end is told, before a restart is entered.
//! - "Shutdown done" waits for everybody who is leaving.

use std::collections::{BTreeMap, BTreeSet, TryReserveError};
use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;

use super::restart::{Ended, History, Next};
use crate::clock::Deadline;
use crate::error::Status;
use crate::process::command::Restart;

/// A child; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(pub u64);

/// Where a child stands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// A place in line is promised to it.
    Joining,
    /// In line, at this place: first in, first out.
    Queued(u64),
    /// Its turn has come, and it has a slot: its process is being made.
    Starting,
    /// Its process runs.
    Running,
    /// Its stop plan runs; it holds its slot.
    Stopping,
    /// Out of everything but perhaps its slot. Once what it kept is released, the news is told and it goes on.
    Leaving(Box<Leaving>),
    /// It waits for its next start until this time.
    Resting(i64),
}

/// What is left to do about one that leaves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Leaving {
    /// Its slot is taken still.
    pub slot: bool,
    /// What is to be told.
    pub news: News,
    /// What comes after that.
    pub next: Next,
}

/// What is told of a child.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum News {
    /// Its program has begun.
    Started,
    /// It is ready.
    Ready,
    /// Its process has ended.
    Exited,
    /// Its process could not be made.
    Failed(Status),
    /// It waited for its (next) start, and will not be started.
    Cancelled(Status),
    /// It will be started again after so many nanoseconds.
    Restarting(i64),
    /// It has failed too often.
    GaveUp,
}

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A child is to be started, under this policy.
    Admit(Option<Restart>),
    /// Who was promised a place takes it.
    Joined(Id),
    /// Who was promised a place, or was to be started at once, is not to be had. Its caller is told, nobody else.
    Dropped(Id),
    /// A thread has time to start somebody.
    Pull,
    /// Its process is made.
    Started(Id),
    /// Its process could not be made. `chance`: any number.
    StartFailed(Id, Status, u64),
    /// Its process is ready.
    Ready(Id),
    /// Its stop plan has begun.
    StopBegan(Id),
    /// Its process has ended.
    Ended(Id, Ended, u64),
    /// What it kept is released.
    Released(Id),
    /// Its owner wants it stopped.
    Stop(Id),
    /// Time has passed.
    Tick,
    /// So many may run at once, and so many wait (0: no limit; `None`: as it was).
    Limit(Option<usize>, Option<usize>),
    /// Nothing starts any more; everybody is stopped; one word at the end.
    Shutdown,
    /// Nothing starts any more, nothing is told any more, everybody is killed.
    Close,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// The child has a slot: make its process.
    Admitted(Id),
    /// A place in line is promised to the child.
    Promised(Id),
    /// It cannot be: the line is full, or everything is over.
    Refused(Status),
    /// Make its process; outside the lock, then `Started` or `StartFailed`.
    Make(Id),
    /// It must not run: kill and reap it, then `StartFailed`.
    Destroy(Id),
    /// Tell this.
    Tell(Id, News),
    /// Run its stop plan.
    Stop(Id),
    /// Kill it.
    Kill(Id),
    /// Release what it kept for its next process, unless there is one; then `Released`.
    Release(Id, Next),
    /// It will not be (again), for this reason: release what it kept; then `Released`.
    CallOff(Id, Status),
    /// There is nothing more about it.
    Forget(Id),
    /// Tell that the shutdown is done.
    TellDone,
}

/// How far the end of it all is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Ending {
    #[default]
    Open,
    /// A shutdown has begun.
    Begun,
    /// And its end was told.
    Done,
    /// Nothing is told any more.
    Closed,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Child {
    stage: Stage,
    /// How it is kept alive, if it is.
    kept: Option<Box<(Restart, History)>>,
    /// Its owner has stopped it: it is not started (again).
    halted: bool,
    /// This run of it is ready.
    ready: bool,
}

impl Child {
    /// What comes after its process has ended, or could not be made.
    fn decide(&mut self, closing: bool, how: Ended, chance: u64) -> Next {
        match self.kept.as_deref_mut().filter(|_| !closing && !self.halted) {
            Some((restart, history)) => history.after(restart, how, chance),
            None => Next::Over,
        }
    }
}

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scheduler {
    children: FxHashMap<Id, Child>,
    line: BTreeMap<u64, Id>,
    rests: BTreeSet<(i64, Id)>,
    last_id: u64,
    last_place: u64,
    /// Slots in use.
    active: usize,
    stopping: usize,
    joining: usize,
    leaving: usize,
    /// 0: no limit.
    max_running: usize,
    max_pending: usize,
    ending: Ending,
}

impl Hash for Scheduler {
    /// For searches through many states: the same whatever the order in the table.
    fn hash<H: Hasher>(&self, to: &mut H) {
        let mut children: Vec<_> = self.children.iter().collect();
        children.sort_unstable_by_key(|(id, _)| **id);
        let counts = (self.active, self.stopping, self.joining, self.leaving, self.max_running, self.max_pending);
        (children, &self.line, &self.rests, self.last_id, self.last_place, counts, self.ending).hash(to);
    }
}

impl Scheduler {
    /// One step. What is to be done is appended, in the order in which it is to be done.
    pub fn step(&mut self, event: Event, now: i64, actions: &mut Vec<Action>) {
        match event {
            Event::Admit(restart) => self.admit(restart, actions),
            Event::Joined(id) => self.joined(id, actions),
            Event::Dropped(id) => self.drop_child(id, actions),
            Event::Pull => drop(self.take_first(actions)),
            Event::Started(id) => self.started(id, actions),
            Event::StartFailed(id, why, chance) => self.start_failed(id, why, chance, actions),
            Event::Ready(id) => self.ready(id, actions),
            Event::StopBegan(id) => self.stop_began(id),
            Event::Ended(id, how, chance) => self.ended(id, how, chance, actions),
            Event::Released(id) => self.released(id, now, actions),
            Event::Stop(id) => self.stop(id, actions),
            Event::Tick => self.tick(now),
            Event::Limit(running, pending) => {
                self.max_running = running.unwrap_or(self.max_running);
                self.max_pending = pending.unwrap_or(self.max_pending);
            }
            Event::Shutdown => self.shut_down(actions),
            Event::Close => self.close(actions),
        }
        if self.ending == Ending::Begun && self.active == 0 && self.leaving == 0 {
            self.ending = Ending::Done;
            actions.push(Action::TellDone);
        }
    }

    /// Makes the room that one child more can need, before it is admitted: no later step needs memory in one large piece, `actions` aside,
    /// which takes two for each child at a shutdown or close. Answers how many children there are then.
    pub fn make_room(&mut self) -> Result<usize, TryReserveError> {
        self.children.try_reserve(1)?;
        Ok(self.children.len() + 1)
    }

    // ---- what can be asked ----

    /// Where it stands; `None`: it is gone.
    pub fn stage(&self, id: Id) -> Option<Stage> {
        self.children.get(&id).map(|child| child.stage.clone())
    }

    /// Whether somebody in line can be started.
    pub fn can_start(&self) -> bool {
        !self.line.is_empty() && self.has_room() && !self.is_closing()
    }

    /// Whether it is over with starts.
    pub fn is_closing(&self) -> bool {
        self.ending != Ending::Open
    }

    /// Whether nothing is told any more.
    pub fn is_closed(&self) -> bool {
        self.ending == Ending::Closed
    }

    /// When time will have something to do.
    pub fn due(&self) -> Deadline {
        self.rests.first().map(|(at, _)| *at).into()
    }

    /// Whether anybody waits, for a slot or for a time.
    pub fn has_waiting(&self) -> bool {
        !self.line.is_empty() || !self.rests.is_empty()
    }

    /// Those in line, first to last.
    pub fn line(&self) -> impl Iterator<Item = Id> + '_ {
        self.line.values().copied()
    }

    /// Children that wait for a start, that hold a slot, and those of them that are being stopped.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.in_line() + self.rests.len(), self.active, self.stopping)
    }

    /// How many stand in line or are promised a place.
    pub fn in_line(&self) -> usize {
        self.line.len() + self.joining
    }

    fn has_room(&self) -> bool {
        self.max_running == 0 || self.active < self.max_running
    }

    // ---- the steps ----

    fn admit(&mut self, restart: Option<Restart>, actions: &mut Vec<Action>) {
        if self.is_closing() {
            return actions.push(Action::Refused(Status::Shutdown));
        }
        let waiting = self.in_line();
        let at_once = waiting == 0 && self.has_room();
        if !at_once && self.max_pending != 0 && waiting >= self.max_pending {
            return actions.push(Action::Refused(Status::Limit));
        }
        self.last_id += 1;
        let id = Id(self.last_id);
        let stage = if at_once { Stage::Starting } else { Stage::Joining };
        let kept = restart.map(|restart| Box::new((restart, History::default())));
        self.children.insert(id, Child { stage, kept, halted: false, ready: false });
        if at_once {
            self.active += 1;
            actions.push(Action::Admitted(id));
        } else {
            self.joining += 1;
            actions.push(Action::Promised(id));
        }
    }

    fn joined(&mut self, id: Id, actions: &mut Vec<Action>) {
        if self.stage(id) != Some(Stage::Joining) {
            return;
        }
        self.joining -= 1;
        if self.is_closing() {
            self.children.remove(&id);
            return actions.push(Action::Refused(Status::Shutdown));
        }
        self.queue(id);
    }

    fn queue(&mut self, id: Id) {
        self.last_place += 1;
        self.line.insert(self.last_place, id);
        self.set(id, Stage::Queued(self.last_place));
    }

    fn drop_child(&mut self, id: Id, actions: &mut Vec<Action>) {
        match self.stage(id) {
            Some(Stage::Joining) => self.joining -= 1,
            Some(Stage::Starting) => self.active -= 1,
            _ => return,
        }
        self.children.remove(&id);
        actions.push(Action::Forget(id));
    }

    fn take_first(&mut self, actions: &mut Vec<Action>) -> bool {
        if !self.can_start() {
            return false;
        }
        let Some((_, id)) = self.line.pop_first() else { return false };
        self.active += 1;
        self.set(id, Stage::Starting);
        actions.push(Action::Make(id));
        true
    }

    fn started(&mut self, id: Id, actions: &mut Vec<Action>) {
        let closing = self.is_closing();
        let Some(child) = self.children.get_mut(&id).filter(|child| child.stage == Stage::Starting) else { return };
        if closing {
            return actions.push(Action::Destroy(id));
        }
        (child.stage, child.ready) = (Stage::Running, false);
        actions.push(Action::Tell(id, News::Started));
        if child.halted {
            actions.push(Action::Stop(id));
        }
    }

    fn start_failed(&mut self, id: Id, why: Status, chance: u64, actions: &mut Vec<Action>) {
        let closing = self.is_closing();
        let Some(child) = self.children.get_mut(&id).filter(|child| child.stage == Stage::Starting) else { return };
        let next = child.decide(closing, Ended::Failed(0), chance);
        let news = if closing { News::Cancelled(why) } else { News::Failed(why) };
        self.leave(id, true, news, next);
        actions.push(Action::Release(id, next));
    }

    fn ready(&mut self, id: Id, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id).filter(|child| !child.ready) else { return };
        if matches!(child.stage, Stage::Running | Stage::Stopping) {
            child.ready = true;
            actions.push(Action::Tell(id, News::Ready));
        }
    }

    fn stop_began(&mut self, id: Id) {
        if self.stage(id) == Some(Stage::Running) {
            self.stopping += 1;
            self.set(id, Stage::Stopping);
        }
    }

    fn ended(&mut self, id: Id, how: Ended, chance: u64, actions: &mut Vec<Action>) {
        let closing = self.is_closing();
        let Some(child) = self.children.get_mut(&id) else { return };
        match child.stage {
            Stage::Running => {}
            Stage::Stopping => self.stopping -= 1,
            _ => return,
        }
        let next = child.decide(closing, how, chance);
        let comes_back = child.kept.is_some();
        self.active -= 1;
        if !comes_back && !self.can_start() {
            // Nothing to release, nobody to start: told at once.
            self.children.remove(&id);
            actions.extend([Action::Tell(id, News::Exited), Action::Forget(id)]);
            return;
        }
        actions.push(Action::Release(id, next));
        let slot = !self.take_first(actions);
        self.active += usize::from(slot);
        self.leave(id, slot, News::Exited, next);
    }

    fn leave(&mut self, id: Id, slot: bool, news: News, next: Next) {
        self.leaving += 1;
        self.set(id, Stage::Leaving(Box::new(Leaving { slot, news, next })));
    }

    fn released(&mut self, id: Id, now: i64, actions: &mut Vec<Action>) {
        let Some(Stage::Leaving(leaving)) = self.stage(id) else { return };
        let Leaving { slot, news, next } = *leaving;
        let halted = self.children.get(&id).is_some_and(|child| child.halted);
        self.active -= usize::from(slot);
        self.leaving -= 1;
        actions.push(Action::Tell(id, news));
        match next {
            Next::Again(_) if halted || self.is_closing() => {
                // Too late for that.
                return self.call_off(id, if halted { Status::Cancelled } else { Status::Shutdown }, actions);
            }
            Next::Again(delay) => {
                let due = now.saturating_add(delay);
                self.rests.insert((due, id));
                self.set(id, Stage::Resting(due));
                return actions.push(Action::Tell(id, News::Restarting(delay)));
            }
            Next::GiveUp => actions.push(Action::Tell(id, News::GaveUp)),
            Next::Over => {}
        }
        self.children.remove(&id);
        actions.push(Action::Forget(id));
    }

    fn call_off(&mut self, id: Id, why: Status, actions: &mut Vec<Action>) {
        self.leave(id, false, News::Cancelled(why), Next::Over);
        actions.push(Action::CallOff(id, why));
    }

    fn stop(&mut self, id: Id, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        child.halted = true;
        match &child.stage {
            Stage::Queued(place) => drop(self.line.remove(place)),
            Stage::Resting(due) => drop(self.rests.remove(&(*due, id))),
            Stage::Running | Stage::Stopping => return actions.push(Action::Stop(id)),
            // Seen when it starts, joins, or is told of.
            Stage::Joining | Stage::Starting | Stage::Leaving(_) => return,
        }
        self.call_off(id, Status::Cancelled, actions);
    }

    fn tick(&mut self, now: i64) {
        while let Some((_, id)) = self.rests.first().copied().filter(|(due, _)| *due <= now) {
            self.rests.pop_first();
            self.queue(id);
        }
    }

    fn call_off_waiting(&mut self, actions: &mut Vec<Action>) {
        while let Some((_, id)) = self.line.pop_first() {
            self.call_off(id, Status::Shutdown, actions);
        }
        while let Some((_, id)) = self.rests.pop_first() {
            self.call_off(id, Status::Shutdown, actions);
        }
    }

    /// This for all that have a process, first to last: appended, for there is room in `actions` and not elsewhere. Answers where it begins.
    fn for_running(&self, act: fn(Id) -> Action, actions: &mut Vec<Action>) -> usize {
        let first = actions.len();
        let running = self.children.iter().filter(|(_, child)| matches!(child.stage, Stage::Running | Stage::Stopping));
        actions.extend(running.map(|(id, _)| act(*id)));
        actions[first..].sort_unstable_by_key(|action| match action {
            Action::Stop(id) | Action::Kill(id) => *id,
            _ => Id(0),
        });
        first
    }

    fn shut_down(&mut self, actions: &mut Vec<Action>) {
        if self.ending == Ending::Open {
            self.ending = Ending::Begun;
        }
        self.call_off_waiting(actions);
        self.for_running(Action::Stop, actions);
    }

    fn close(&mut self, actions: &mut Vec<Action>) {
        self.ending = Ending::Closed;
        self.call_off_waiting(actions);
        let first = self.for_running(Action::Kill, actions);
        self.active -= actions.len() - first;
        self.stopping = 0;
        for place in first..actions.len() {
            if let Action::Kill(id) = actions[place] {
                self.children.remove(&id);
                actions.push(Action::Forget(id));
            }
        }
    }

    fn set(&mut self, id: Id, stage: Stage) {
        if let Some(child) = self.children.get_mut(&id) {
            child.stage = stage;
        }
    }
}
