//! Who may run, who stands in line, who rests before its next start, and what is told when: pure. No descriptor, lock, clock or
//! chance in here; `carry_out.rs` and `starts.rs` do what is decided. The table of stages and events is printed into
//! docs/internals/supervisor-table.md by a test.
//!
//! ```text
//!   Joining --joined--> Queued --pull--> [Asking] --permit--> Starting --started--> Running --> Stopping
//!                        ^  ^               |                    |                     |            |
//!                        |  '---- Barred <--'                  failed                ended        ended
//!                        |      (no permit)                      v                     v            v
//!                      Resting <--again----------------------- Leaving <----------------------------'
//!                                                                |       (and from Queued, Resting, Barred: stop, shutdown)
//!                                                                '--over, given up--> gone
//! ```
//!
//! Only who is bound to a spawn budget is asked for (`flights.rs` has what a permit is, and how it ends), and only with a slot: the budget is
//! asked after `restart.rs` and right before the start. It answers under the same lock, so nobody is ever found Asking. Who gets no permit gives
//! the slot back; he waits Barred, without one, and those behind him go on: the only way to overtake in line, but for a priority. He keeps his
//! place, and of each key the first is asked for again, whenever a permit may be had. (And a spawn that finds nobody in line and a permit free
//! takes it: one that somebody else has just given back may go to it before we have heard of that.)
//!
//! A place in line is one number that has both in it, priority and arrival (`place`): so the line is one ordered map, whoever is first in it is
//! found in the time of its depth, and who keeps his place (barred) keeps his rank as well. A child has the priority that it was admitted with, for
//! its first start and for each that comes after a rest. Nobody is ended for a higher one, and who waits long is not raised: a low one waits as
//! long as higher ones come.
//!
//! A slot is taken before a process is made (`Starting`) and given back when its end is told: so there are never more than `max_running`,
//! however many threads spawn, and a child that is being stopped holds its slot. Between its end and the telling a child is `Leaving`: what it
//! kept is released outside the lock, which takes the file system's time. The traps of that moment:
//!
//! - Whoever is first in line takes the slot *then*, and is made before the end can be heard of. With nobody in line the slot stays taken
//!   until the end is told; else a start by another thread could be told before it.
//! - The world goes on meanwhile: a stop or a shutdown that came in between is looked for when the end is told, before a restart is entered.
//! - "Shutdown done" waits for everybody who is leaving.
//! - If the first in line gets no permit, the slot goes to the next, and if nobody takes it, it is the leaving child's again.

use std::collections::{BTreeMap, BTreeSet, TryReserveError};
use std::hash::{Hash, Hasher};

use super::dense::Dense;
pub use super::flights::{Answer, Number, Terms};
use super::flights::{Bound, Flights, Settled, Told};
pub use super::id::Id;
use super::restart::{Ended, History, Next};
use crate::clock::Deadline;
use crate::error::Status;
use crate::process::command::{PRIORITY_MAX, Restart};

/// Where a child stands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// A place in line is promised to it.
    Joining,
    /// In line, at this place: the higher priority first, then first in, first out.
    Queued(u64),
    /// It has a slot, and its budget is being asked.
    Asking,
    /// It waits for a permit, without a slot; this is its place in line.
    Barred(u64),
    /// Its turn has come, and it has a slot: its process is being made.
    Starting,
    /// The same, and that takes its time: nobody is at it here, so it can be called off.
    Begun,
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
    /// And was never ready, though one of the two was promised.
    Unready,
    /// Its process could not be made.
    Failed(Status),
    /// It waited for its (next) start, and will not be started.
    Cancelled(Status),
    /// It will be started again after so many nanoseconds.
    Restarting(i64),
    /// It has failed too often.
    GaveUp,
    /// Another start with its key is under way: it waits for that.
    Awaiting,
    /// The attempts of its budget are used up; it goes on in so many nanoseconds. And whether it is the first that is told so.
    Deferred(i64, bool),
    /// They are used up, and it will not be started (again).
    Exhausted(i64, bool),
}

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A child is to be started, under this policy, bound to this budget, with this priority.
    Admit(Option<Restart>, Option<Terms>, i32),
    /// The same of one that is never started again, whose process may take its time, and of which either is told: it was ready, or it failed.
    Begin(Option<Terms>, i32),
    /// Who was promised a place takes it.
    Joined(Id),
    /// Who was promised a place, or was to be started at once, is not to be had. Its caller is told, nobody else.
    Dropped(Id),
    /// A thread has time to start somebody.
    Pull,
    /// What its budget has answered.
    Permit(Id, Answer),
    /// A permit may be had that could not be had before.
    PermitsFree,
    /// All children of this replica set are admitted.
    SetIsWhole(u64),
    /// Its process is not made yet, and will be without us.
    Begun(Id),
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
    /// Ask its budget, at once, under the lock, then `Permit`: for a permit for this flight; `true`: which has landed, and is to be resumed.
    Ask(Id, Number, bool),
    /// All that started in this flight are ready.
    Land(Number),
    /// The flight is over: a success or not. Comes once for each permit that was granted.
    Finish(Number, bool),
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
    /// The same, for its budget is used up for so many nanoseconds.
    GiveUp(Id, i64),
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
    /// Of its priority.
    rank: u8,
    /// How it is kept alive, if it is.
    kept: Option<Box<(Restart, History)>>,
    /// Its owner has stopped it: it is not started (again).
    halted: bool,
    /// This run of it is ready.
    ready: bool,
    /// If it never is, that is told.
    promised: bool,
    /// How it is bound to a budget, if it is.
    bound: Option<Box<Bound>>,
}

/// Who is being asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Asked {
    id: Id,
    /// `None`: it is started at once, and its caller is told.
    place: Option<u64>,
    flight: Number,
    /// It has landed, and is to be resumed.
    resumed: bool,
    /// Whose slot it has.
    slot_of: Option<Id>,
}

impl Child {
    fn is_being_made(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Begun)
    }

    /// What comes after its process has ended, or could not be made.
    fn decide(&mut self, closing: bool, how: Ended, chance: u64) -> Next {
        match self.kept.as_deref_mut().filter(|_| !closing && !self.halted) {
            Some((restart, history)) => history.after(restart, how, chance),
            None => Next::Over,
        }
    }
}

/// The highest priority has 0.
fn rank_of(priority: i32) -> u8 {
    (PRIORITY_MAX - priority.clamp(-PRIORITY_MAX, PRIORITY_MAX)) as u8
}

/// A place in line: of two the one with the lower rank, and of the same rank the one that came first, is the lower.
fn place(rank: u8, arrival: u64) -> u64 {
    u64::from(rank) << ARRIVALS | arrival & ((1 << ARRIVALS) - 1)
}

/// The bits of a place that count arrivals: those of ages.
const ARRIVALS: u32 = 56;

const _: () = assert!(PRIORITY_MAX * 2 <= u8::MAX as i32);

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scheduler {
    children: Dense<Child>,
    line: BTreeMap<u64, Id>,
    rests: BTreeSet<(i64, Id)>,
    flights: Flights,
    asked: Option<Asked>,
    /// Somebody who was barred is in line again.
    called: bool,
    last_id: u64,
    /// How many have come into the line.
    arrivals: u64,
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
        children.sort_unstable_by_key(|(id, _)| *id);
        let counts = (self.active, self.stopping, self.joining, self.leaving, self.max_running, self.max_pending);
        let bound = (&self.flights, &self.asked, self.called);
        (children, &self.line, &self.rests, bound, self.last_id, self.arrivals, counts, self.ending).hash(to);
    }
}

impl Scheduler {
    /// One step. What is to be done is appended, in the order in which it is to be done.
    pub fn step(&mut self, event: Event, now: i64, actions: &mut Vec<Action>) {
        match event {
            Event::Admit(restart, terms, priority) => self.admit(restart, terms, (priority, false), actions),
            Event::Begin(terms, priority) => self.admit(None, terms, (priority, true), actions),
            Event::Joined(id) => self.joined(id, actions),
            Event::Dropped(id) => self.drop_child(id, actions),
            Event::Pull => drop(self.take_first(None, actions)),
            Event::Permit(id, answer) => self.permit(id, answer, now, actions),
            Event::PermitsFree => self.call_each(),
            Event::SetIsWhole(set) => {
                let settled = self.flights.close_set(set);
                self.settled(settled, actions);
            }
            Event::Begun(id) => self.begun(id, actions),
            Event::Started(id) => self.started(id, now, actions),
            Event::StartFailed(id, why, chance) => self.start_failed(id, why, chance, actions),
            Event::Ready(id) => self.ready(id, now, actions),
            Event::StopBegan(id) => self.stop_began(id),
            Event::Ended(id, how, chance) => self.ended(id, how, chance, actions),
            Event::Released(id) => self.released(id, now, actions),
            Event::Stop(id) => self.stop(id, actions),
            Event::Tick => self.tick(now, actions),
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
    /// which takes three for each child at a shutdown or close. Answers how many children there are then.
    pub fn make_room(&mut self) -> Result<usize, TryReserveError> {
        self.children.try_reserve(1)?;
        Ok(self.children.len() + 1)
    }

    // ---- what can be asked ----

    /// Where it stands; `None`: it is gone.
    pub fn stage(&self, id: Id) -> Option<Stage> {
        self.children.get(id).map(|child| child.stage.clone())
    }

    /// Whether somebody in line can be started.
    pub fn can_start(&self) -> bool {
        !self.line.is_empty() && self.has_room() && !self.is_closing()
    }

    /// How many may run at once; 0: no limit.
    pub fn max_running(&self) -> usize {
        self.max_running
    }

    /// How many could be started now, together: none, while others stand in line before them.
    pub fn free_slots(&self) -> usize {
        match self.max_running {
            _ if self.line.len() + self.joining > 0 => 0,
            0 => usize::MAX,
            most => most.saturating_sub(self.active),
        }
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
        let rest = self.rests.first().map(|(at, _)| *at);
        rest.into_iter().chain(self.flights.due()).min().into()
    }

    /// Who will have proved himself by then, unless he has ended: to be looked at before that is believed.
    pub fn proofs_due(&self, now: i64) -> impl Iterator<Item = Id> + '_ {
        self.flights.proofs_due(now)
    }

    /// How many wait for a permit.
    pub fn barred(&self) -> usize {
        self.flights.barred()
    }

    /// Whether somebody who was barred has come back into the line since this was asked last.
    pub fn take_called(&mut self) -> bool {
        std::mem::take(&mut self.called)
    }

    /// A replica set: its children are admitted under this number, until `SetIsWhole`.
    pub fn open_set(&mut self) -> u64 {
        self.flights.open_set()
    }

    /// Whether anybody waits, for a slot, for a permit or for a time.
    pub fn has_waiting(&self) -> bool {
        !self.line.is_empty() || !self.rests.is_empty() || self.flights.barred() > 0
    }

    /// Those in line, first to last.
    pub fn line(&self) -> impl Iterator<Item = Id> + '_ {
        self.line.values().copied()
    }

    /// Children that wait for a start, that hold a slot, and those of them that are being stopped.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.in_line() + self.rests.len(), self.active, self.stopping)
    }

    /// How many stand in line, out of it for want of a permit, or are promised a place.
    pub fn in_line(&self) -> usize {
        self.line.len() + self.joining + self.flights.barred()
    }

    fn has_room(&self) -> bool {
        self.max_running == 0 || self.active < self.max_running
    }

    // ---- the steps ----

    fn admit(&mut self, restart: Option<Restart>, terms: Option<Terms>, (priority, promised): (i32, bool), actions: &mut Vec<Action>) {
        if self.is_closing() {
            return actions.push(Action::Refused(Status::Shutdown));
        }
        let at_once = self.line.len() + self.joining == 0 && self.has_room();
        if !at_once && self.max_pending != 0 && self.in_line() >= self.max_pending {
            return actions.push(Action::Refused(Status::Limit));
        }
        self.last_id += 1;
        let id = Id(self.last_id);
        let kept = restart.map(|restart| Box::new((restart, History::default())));
        let bound = terms.map(|terms| Box::new(Bound::new(terms)));
        if let Some(bound) = &bound {
            self.flights.enter_set(bound);
        }
        let rank = rank_of(priority);
        self.children.insert(id, Child { stage: Stage::Joining, rank, kept, halted: false, ready: false, promised, bound });
        if at_once {
            self.active += 1;
            self.start(id, None, None, actions);
        } else {
            self.joining += 1;
            actions.push(Action::Promised(id));
        }
    }

    /// It has a slot: it is made, or its budget is asked first.
    fn start(&mut self, id: Id, place: Option<u64>, slot_of: Option<Id>, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(id) else { return };
        child.stage = Stage::Starting;
        if let Some(bound) = &mut child.bound {
            match self.flights.of_set(bound) {
                Some((flight, true)) => self.flights.join(bound, flight),
                of_set => {
                    child.stage = Stage::Asking;
                    let resumed = of_set.is_some();
                    let flight = of_set.map_or_else(|| self.flights.next(), |(flight, _)| flight);
                    self.asked = Some(Asked { id, place, flight, resumed, slot_of });
                    return actions.push(Action::Ask(id, flight, resumed));
                }
            }
        }
        actions.push(if place.is_none() { Action::Admitted(id) } else { Action::Make(id) });
    }

    fn permit(&mut self, id: Id, answer: Answer, now: i64, actions: &mut Vec<Action>) {
        let Some(Asked { place, flight, resumed, slot_of, .. }) = self.asked.take_if(|asked| asked.id == id) else { return };
        let Some(child) = self.children.get_mut(id) else { return };
        let Some(bound) = &mut child.bound else { return };
        let key = bound.terms.key;
        if answer == Answer::Granted {
            if resumed {
                self.flights.join(bound, flight);
            } else {
                self.flights.begin(flight, bound);
            }
            bound.told = Told::Nothing;
            child.stage = Stage::Starting;
            return actions.push(if place.is_none() { Action::Admitted(id) } else { Action::Make(id) });
        }
        self.active -= 1;
        let Some(place) = place else {
            self.remove(id);
            let exhausted = matches!(answer, Answer::Exhausted { .. });
            return actions.push(Action::Refused(if exhausted { Status::BudgetExhausted } else { Status::InProgress }));
        };
        match answer {
            Answer::Exhausted { retry_ns, storm } => {
                let waits = bound.terms.waits;
                self.exhausted(id, key, place, (retry_ns, storm), now, actions);
                self.give_up_barred(key, retry_ns, actions);
                if !waits {
                    // Who is left waits for the next window, and does not know when that is: it was barred while another start was under way.
                    self.call(key);
                }
            }
            Answer::InFlight(left) => {
                let tell = bound.ran && bound.told < Told::Awaiting;
                bound.told = bound.told.max(Told::Awaiting);
                self.bar(id, key, place, now.saturating_add(left));
                if tell {
                    actions.push(Action::Tell(id, News::Awaiting));
                }
            }
            Answer::Granted => {}
        }
        if let Some(leaving) = slot_of
            && !self.take_first(Some(leaving), actions)
        {
            self.keep_slot(leaving);
        }
    }

    /// There are no attempts left for it.
    fn exhausted(&mut self, id: Id, key: u64, place: u64, answer: (i64, bool), now: i64, actions: &mut Vec<Action>) {
        let (retry_ns, storm) = answer;
        let Some(bound) = self.children.get_mut(id).and_then(|child| child.bound.as_mut()) else { return };
        if !bound.terms.waits {
            self.leave(id, false, News::Exhausted(retry_ns, storm), Next::Over);
            return actions.push(Action::GiveUp(id, retry_ns));
        }
        // Told once, however often it is asked for until it has its permit; but a storm is told to one alone.
        let tell = storm || bound.told < Told::Deferred;
        bound.told = Told::Deferred;
        self.bar(id, key, place, now.saturating_add(retry_ns));
        if tell {
            actions.push(Action::Tell(id, News::Deferred(retry_ns, storm)));
        }
    }

    /// The others of this key would hear the same; who does not wait for the next window need not ask.
    fn give_up_barred(&mut self, key: u64, retry_ns: i64, actions: &mut Vec<Action>) {
        let mut from = 0;
        while let Some((place, id)) = self.flights.barred_from(key, from) {
            from = place + 1;
            if self.children.get(id).and_then(|child| child.bound.as_ref()).is_some_and(|bound| !bound.terms.waits) {
                self.flights.unbar(key, place);
                self.leave(id, false, News::Exhausted(retry_ns, false), Next::Over);
                actions.push(Action::GiveUp(id, retry_ns));
            }
        }
    }

    fn bar(&mut self, id: Id, key: u64, place: u64, due: i64) {
        self.flights.bar(key, place, id, due);
        self.set(id, Stage::Barred(place));
    }

    /// The first of this key that is barred comes back into the line, to its place.
    fn call(&mut self, key: u64) {
        if let Some((place, id)) = self.flights.unbar_first(key) {
            self.line.insert(place, id);
            self.set(id, Stage::Queued(place));
            self.called = true;
        }
    }

    fn call_each(&mut self) {
        let mut last = None;
        while let Some(key) = self.flights.next_barred_key(last) {
            self.call(key);
            last = Some(key);
        }
    }

    /// What became of a permit is to be done, and who waits for it is called.
    fn settled(&mut self, settled: Option<(Number, u64, Settled)>, actions: &mut Vec<Action>) {
        let Some((flight, key, how)) = settled else { return };
        actions.push(match how {
            Settled::Landed => Action::Land(flight),
            Settled::Finished(succeeded) => Action::Finish(flight, succeeded),
        });
        self.call(key);
    }

    /// It is ready, as its budget sees it.
    fn landed(&mut self, id: Id, now: i64, actions: &mut Vec<Action>) {
        let Some(bound) = self.children.get_mut(id).and_then(|child| child.bound.as_mut()) else { return };
        let settled = self.flights.ready(id, bound, now);
        self.settled(settled, actions);
    }

    /// Its process has ended, or was not made after all.
    fn left(&mut self, id: Id, failed: bool, actions: &mut Vec<Action>) {
        let Some(bound) = self.children.get_mut(id).and_then(|child| child.bound.as_mut()) else { return };
        let settled = self.flights.left(id, bound, failed);
        self.settled(settled, actions);
    }

    fn remove(&mut self, id: Id) {
        if let Some(mut bound) = self.children.remove(id).and_then(|child| child.bound) {
            self.flights.leave_set(&mut bound);
        }
    }

    fn joined(&mut self, id: Id, actions: &mut Vec<Action>) {
        if self.stage(id) != Some(Stage::Joining) {
            return;
        }
        self.joining -= 1;
        if self.is_closing() {
            self.remove(id);
            return actions.push(Action::Refused(Status::Shutdown));
        }
        self.queue(id);
    }

    fn queue(&mut self, id: Id) {
        let Some(child) = self.children.get_mut(id) else { return };
        self.arrivals += 1;
        let place = place(child.rank, self.arrivals);
        child.stage = Stage::Queued(place);
        self.line.insert(place, id);
    }

    fn drop_child(&mut self, id: Id, actions: &mut Vec<Action>) {
        match self.stage(id) {
            Some(Stage::Joining) => self.joining -= 1,
            Some(Stage::Starting) => self.active -= 1,
            _ => return,
        }
        self.left(id, false, actions);
        self.remove(id);
        actions.push(Action::Forget(id));
    }

    /// The first in line has a slot, perhaps that of one who leaves.
    fn take_first(&mut self, slot_of: Option<Id>, actions: &mut Vec<Action>) -> bool {
        if !self.can_start() {
            return false;
        }
        let Some((place, id)) = self.line.pop_first() else { return false };
        self.active += 1;
        self.start(id, Some(place), slot_of, actions);
        true
    }

    fn begun(&mut self, id: Id, actions: &mut Vec<Action>) {
        let closing = self.is_closing();
        let Some(child) = self.children.get_mut(id).filter(|child| child.stage == Stage::Starting) else { return };
        child.stage = Stage::Begun;
        // What came while it was being made.
        if child.halted || closing {
            let why = if child.halted { Status::Cancelled } else { Status::Shutdown };
            actions.push(Action::CallOff(id, why));
            self.call_off_begun(id, why, actions);
        }
    }

    /// Its process is not waited for any more. Its slot is given back when that is told.
    fn call_off_begun(&mut self, id: Id, why: Status, actions: &mut Vec<Action>) {
        self.left(id, false, actions);
        self.leave(id, true, News::Cancelled(why), Next::Over);
    }

    fn started(&mut self, id: Id, now: i64, actions: &mut Vec<Action>) {
        let closing = self.is_closing();
        let Some(child) = self.children.get_mut(id).filter(|child| child.is_being_made()) else { return };
        if closing {
            return actions.push(Action::Destroy(id));
        }
        (child.stage, child.ready) = (Stage::Running, false);
        if let Some(bound) = &mut child.bound {
            bound.ran = true;
        }
        let (halted, at_exec) = (child.halted, child.bound.as_ref().is_some_and(|bound| bound.terms.ready_at_exec));
        actions.push(Action::Tell(id, News::Started));
        if halted {
            actions.push(Action::Stop(id));
        }
        if at_exec {
            self.landed(id, now, actions);
        }
    }

    fn start_failed(&mut self, id: Id, why: Status, chance: u64, actions: &mut Vec<Action>) {
        let closing = self.is_closing();
        let Some(child) = self.children.get_mut(id).filter(|child| child.is_being_made()) else { return };
        let next = child.decide(closing, Ended::Failed(0), chance);
        let news = if closing { News::Cancelled(why) } else { News::Failed(why) };
        self.left(id, !closing, actions);
        self.leave(id, true, news, next);
        actions.push(Action::Release(id, next));
    }

    fn ready(&mut self, id: Id, now: i64, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(id).filter(|child| !child.ready) else { return };
        if matches!(child.stage, Stage::Running | Stage::Stopping) {
            child.ready = true;
            actions.push(Action::Tell(id, News::Ready));
            self.landed(id, now, actions);
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
        let Some(child) = self.children.get_mut(id) else { return };
        match child.stage {
            Stage::Running => {}
            Stage::Stopping => self.stopping -= 1,
            _ => return,
        }
        let next = child.decide(closing, how, chance);
        let (comes_back, unready) = (child.kept.is_some(), child.promised && !child.ready);
        // Before anybody is asked for: its own key's next one may be the first in line.
        self.left(id, how != Ended::Stopped, actions);
        self.active -= 1;
        if !comes_back && !self.can_start() {
            // Nothing to release, nobody to start: told at once.
            self.children.remove(id);
            actions.push(Action::Tell(id, News::Exited));
            actions.extend(unready.then_some(Action::Tell(id, News::Unready)));
            return actions.push(Action::Forget(id));
        }
        actions.push(Action::Release(id, next));
        self.leave(id, false, News::Exited, next);
        if !self.take_first(Some(id), actions) {
            self.keep_slot(id);
        }
    }

    /// Nobody takes the slot of one who leaves: it is his until that is told.
    fn keep_slot(&mut self, id: Id) {
        if let Some(Stage::Leaving(leaving)) = self.children.get_mut(id).map(|child| &mut child.stage) {
            leaving.slot = true;
            self.active += 1;
        }
    }

    fn leave(&mut self, id: Id, slot: bool, news: News, next: Next) {
        self.leaving += 1;
        self.set(id, Stage::Leaving(Box::new(Leaving { slot, news, next })));
    }

    fn released(&mut self, id: Id, now: i64, actions: &mut Vec<Action>) {
        let Some(Stage::Leaving(leaving)) = self.stage(id) else { return };
        let Leaving { slot, news, next } = *leaving;
        let Some(child) = self.children.get(id) else { return };
        let (halted, unready) = (child.halted, child.promised && !child.ready && news == News::Exited);
        self.active -= usize::from(slot);
        self.leaving -= 1;
        actions.push(Action::Tell(id, news));
        actions.extend(unready.then_some(Action::Tell(id, News::Unready)));
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
        self.remove(id);
        actions.push(Action::Forget(id));
    }

    fn call_off(&mut self, id: Id, why: Status, actions: &mut Vec<Action>) {
        if let Some(bound) = self.children.get_mut(id).and_then(|child| child.bound.as_mut()) {
            self.flights.leave_set(bound);
            // It may have been called back into the line: a permit may be had.
            let key = bound.terms.key;
            if !self.is_closing() {
                self.call(key);
            }
        }
        self.leave(id, false, News::Cancelled(why), Next::Over);
        actions.push(Action::CallOff(id, why));
    }

    fn stop(&mut self, id: Id, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(id) else { return };
        child.halted = true;
        match &child.stage {
            Stage::Queued(place) => drop(self.line.remove(place)),
            Stage::Resting(due) => drop(self.rests.remove(&(*due, id))),
            Stage::Barred(place) => drop(child.bound.as_ref().and_then(|bound| self.flights.unbar(bound.terms.key, *place))),
            Stage::Running | Stage::Stopping => return actions.push(Action::Stop(id)),
            Stage::Begun => {
                actions.push(Action::CallOff(id, Status::Cancelled));
                return self.call_off_begun(id, Status::Cancelled, actions);
            }
            // Seen when it starts, joins, or is told of.
            Stage::Joining | Stage::Asking | Stage::Starting | Stage::Leaving(_) => return,
        }
        self.call_off(id, Status::Cancelled, actions);
    }

    fn tick(&mut self, now: i64, actions: &mut Vec<Action>) {
        while let Some(id) = self.flights.proof_over(now) {
            let bound = self.children.get_mut(id).and_then(|child| child.bound.as_mut());
            let settled = bound.and_then(|bound| self.flights.proved(bound));
            self.settled(settled, actions);
        }
        while let Some(key) = self.flights.bar_over(now) {
            self.call(key);
        }
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
        while let Some(key) = self.flights.next_barred_key(None) {
            if let Some((_, id)) = self.flights.unbar_first(key) {
                self.call_off(id, Status::Shutdown, actions);
            }
        }
        let first = self.for_each(|stage| *stage == Stage::Begun, |id| Action::CallOff(id, Status::Shutdown), actions);
        for place in first..actions.len() {
            if let Action::CallOff(id, why) = actions[place] {
                self.call_off_begun(id, why, actions);
            }
        }
    }

    /// This for all that have a process.
    fn for_running(&self, act: fn(Id) -> Action, actions: &mut Vec<Action>) -> usize {
        self.for_each(|stage| matches!(stage, Stage::Running | Stage::Stopping), act, actions)
    }

    /// This for all that stand so, first to last: appended, for there is room in `actions` and not elsewhere. Answers where it begins.
    fn for_each(&self, stands: fn(&Stage) -> bool, act: fn(Id) -> Action, actions: &mut Vec<Action>) -> usize {
        let first = actions.len();
        let those = self.children.iter().filter(|(_, child)| stands(&child.stage));
        actions.extend(those.map(|(id, _)| act(Id(id))));
        actions[first..].sort_unstable_by_key(|action| match action {
            Action::Stop(id) | Action::Kill(id) | Action::CallOff(id, _) => *id,
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
        while let Some(flight) = self.flights.end_one() {
            actions.push(Action::Finish(flight, false));
        }
        let first = self.for_running(Action::Kill, actions);
        self.active -= actions.len() - first;
        self.stopping = 0;
        for place in first..actions.len() {
            if let Action::Kill(id) = actions[place] {
                self.remove(id);
                actions.push(Action::Forget(id));
            }
        }
    }

    fn set(&mut self, id: Id, stage: Stage) {
        if let Some(child) = self.children.get_mut(id) {
            child.stage = stage;
        }
    }
}
