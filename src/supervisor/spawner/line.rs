//! A supervisor's spawner, and who is being made by it. The machine decides (`births.rs`); here it is done.
//!
//! Traps.
//! - **The answer may come before the question is out of our hands**: who is asked for stands in the table before the message is sent, and both under the
//!   lock. What takes time, or the ledger's lock (a reap, what is told to the supervisor), is a *deed*, done without it, in order, by who has the turn.
//! - **It may die at any time**, and be killed with all others in a signal handler. Its channel then ends; it is reaped before anybody is asked
//!   about the births that it owed: from then on no other comes.
//! - **A death that repeats itself**: it is started again once in [`PATIENCE`]; then whoever needs it is told why it is not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use rustc_hash::FxHashMap;

use super::births::{Action, Births, Event, Id, Why};
use super::dying::Dying;
use super::process::Process;
use super::unsettled::{Known, Unsettled, look};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::awaited::{Asked, Awaited};
use crate::process::child::Child;
use crate::process::stop::LAST_WAIT_MS;
use crate::registry::Cause;
use crate::supervisor::errands::{Errand, ErrandId, Host, Wants};
use crate::supervisor::{Inner, Managed};
use crate::sys::poll::PAUSE;
use crate::sys::reserve::out_of_memory;
use crate::sys::spawn::Failure;
use crate::sys::spawner::{Fate, Reply, Slot, prove};

use std::os::fd::OwnedFd;

/// One that dies again so soon after a restart is not started again.
const PATIENCE: i64 = 10_000 * MILLI;

/// The number of the last birth, of any spawner.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Replies that one turn takes.
const REPLIES: usize = 256;

/// See the head of this file.
pub(in crate::supervisor) struct Line {
    of: Weak<Inner>,
    errand: OnceLock<ErrandId>,
    state: Mutex<State>,
}

impl core::fmt::Debug for Line {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Line")
    }
}

#[derive(Default)]
struct State {
    births: Births,
    /// What they answered last; its memory is used again.
    actions: Vec<Action>,
    entries: FxHashMap<Id, Entry>,
    asked: FxHashMap<Slot, Id>,
    /// Of spawners that have ended.
    unsettled: Vec<Unsettled>,
    process: Option<Arc<Process>>,
    /// A thread is starting one.
    starting: bool,
    /// Its channel has ended; it has not been reaped.
    gone: bool,
    restarted: Option<i64>,
    /// Why there will be none.
    failed: Option<Error>,
    /// No more are asked for; it goes with the last of them.
    retired: bool,
    closed: bool,
    /// Killed, and to be reaped.
    dying: Vec<Dying>,
    /// When the next turn comes at the latest.
    due: i64,
}

/// Who is being made.
struct Entry {
    managed: Arc<Managed>,
    /// Not there while a deed has it.
    awaited: Option<Box<Awaited>>,
    /// Why its last try has failed.
    error: Option<Error>,
    /// What was said of its process.
    came: Option<(i32, Option<OwnedFd>)>,
}

/// What is done without the lock.
enum Deed {
    Show(Arc<Managed>, Box<Awaited>, i32, Option<OwnedFd>),
    Tell(Arc<Managed>, Error),
    Discard(Box<Awaited>, i32, Option<OwnedFd>),
    Forget(Option<Box<Awaited>>),
}

impl Line {
    /// Starts a spawner for this supervisor, and waits until it has said that it runs.
    pub fn start(inner: &Arc<Inner>) -> Result<Arc<Self>> {
        let process = Process::start()?;
        process.await_hello()?;
        let state = State { process: Some(Arc::new(process)), due: i64::MAX, ..State::default() };
        let line = Arc::new(Self { of: Arc::downgrade(inner), errand: OnceLock::new(), state: Mutex::new(state) });
        match Host(inner.clone()).run(line.clone()) {
            Ok(id) => {
                let _ = line.errand.set(id);
                Ok(line)
            }
            Err(error) => {
                line.close(Deadline::after(LAST_WAIT_MS * MILLI));
                Err(error)
            }
        }
    }

    /// Whether there is no spawner, and will be none.
    pub fn has_failed(&self) -> bool {
        lock(&self.state).failed.is_some()
    }

    /// No more are asked for.
    pub fn retire(&self) {
        lock(&self.state).retired = true;
        self.poke();
    }

    /// Asks for the process of a child, whose `made` follows. An error: it cannot be asked for, and nothing follows.
    pub fn ask(&self, managed: &Arc<Managed>, awaited: Box<Awaited>, now: i64) -> Result<()> {
        let due = awaited.due();
        let mut deeds = Vec::new();
        let (id, sooner) = {
            let mut state = lock(&self.state);
            if state.process.is_none() {
                drop(state);
                self.ensure_process()?;
                state = lock(&self.state);
            }
            state.entries.try_reserve(1).map_err(out_of_memory)?;
            state.asked.try_reserve(1).map_err(out_of_memory)?;
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.closed {
                return Err(crate::supervisor::errors::shut_down());
            }
            let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
            managed.set_birth(id);
            state.entries.insert(id, Entry { managed: managed.clone(), awaited: Some(awaited), error: None, came: None });
            self.step_at(&mut state, Event::Ask(id, due.nanos().unwrap_or(i64::MAX)), now, &mut deeds);
            let sooner = state.births.due() < state.due || state.births.waits_for_room();
            (id, sooner)
        };
        let mut refused = None;
        let of_this = |deed: &Deed| matches!(deed, Deed::Tell(whose, _) if Arc::ptr_eq(whose, managed));
        if let Some(at) = deeds.iter().position(of_this)
            && let Deed::Tell(_, error) = deeds.remove(at)
        {
            refused = Some(error);
        }
        self.carry_out(deeds);
        if let Some(error) = refused {
            managed.clear_birth(id);
            return Err(error);
        }
        if sooner {
            self.poke();
        }
        Ok(())
    }

    /// Nobody wants it any more.
    pub fn call_off(&self, id: Id) {
        let mut deeds = Vec::new();
        self.step(&mut lock(&self.state), Event::CallOff(id), &mut deeds);
        self.carry_out(deeds);
        self.poke();
    }

    fn poke(&self) {
        if let (Some(inner), Some(id)) = (self.of.upgrade(), self.errand.get()) {
            Host(inner).poke(*id);
        }
    }

    // ---- the machine ----

    /// One step. What can be done under the lock is; the rest is answered.
    fn step(&self, state: &mut State, event: Event, deeds: &mut Vec<Deed>) {
        self.step_at(state, event, clock::now(), deeds);
    }

    fn step_at(&self, state: &mut State, event: Event, now: i64, deeds: &mut Vec<Deed>) {
        let mut actions = std::mem::take(&mut state.actions);
        state.births.step(event, now, &mut actions);
        let mut next = 0;
        while let Some(action) = actions.get(next).copied() {
            next += 1;
            let answer = match action {
                Action::Send(id) => Self::send(state, id, now),
                Action::Kill(id) => {
                    if let Some(awaited) = state.entries.get(&id).and_then(|entry| entry.awaited.as_ref()) {
                        awaited.kill(Cause::Shutdown);
                    }
                    None
                }
                Action::Tell(id, why) => {
                    let entry = state.entries.get_mut(&id);
                    deeds.extend(entry.and_then(|entry| Some(Deed::Tell(entry.managed.clone(), entry.why(why)?))));
                    None
                }
                Action::Show(id) => {
                    if let Some(Entry { managed, awaited: Some(awaited), came, .. }) = state.entries.remove(&id) {
                        let (pid, pidfd) = came.unwrap_or((0, None));
                        deeds.push(Deed::Show(managed, awaited, pid, pidfd));
                    }
                    None
                }
                Action::Discard(id) => {
                    if let Some(Entry { awaited: Some(awaited), came, .. }) = state.entries.remove(&id) {
                        let (pid, pidfd) = came.unwrap_or((0, None));
                        deeds.push(Deed::Discard(awaited, pid, pidfd));
                    }
                    None
                }
                Action::Forget(id) => {
                    deeds.extend(state.entries.remove(&id).map(|entry| Deed::Forget(entry.awaited)));
                    None
                }
            };
            if let Some(event) = answer {
                state.births.step(event, now, &mut actions);
            }
        }
        actions.clear();
        state.actions = actions;
    }

    /// `Some`: it was not sent.
    fn send(state: &mut State, id: Id, now: i64) -> Option<Event> {
        let (Some(process), Some(entry)) = (&state.process, state.entries.get_mut(&id)) else { return Some(Event::Busy(id)) };
        let awaited = entry.awaited.as_mut()?;
        match awaited.ask(&process.link, now) {
            Ok(Asked::Sent(slot)) => {
                state.asked.insert(slot, id);
                None
            }
            // Its end is about to be read.
            Ok(Asked::Busy | Asked::Gone) => Some(Event::Busy(id)),
            Err(error) => {
                entry.error = Some(error);
                Some(Event::Failed(id))
            }
        }
    }

    fn carry_out(&self, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Show(managed, awaited, pid, pidfd) => self.tell(&managed, awaited.born(pid, pidfd)),
                Deed::Tell(managed, error) => self.tell(&managed, Err(error)),
                Deed::Discard(awaited, pid, pidfd) => {
                    if let Ok(child) = awaited.born(pid, pidfd) {
                        self.doom(Arc::new(child));
                    }
                }
                Deed::Forget(awaited) => drop(awaited),
            }
        }
    }

    fn tell(&self, managed: &Arc<Managed>, made: Result<Child>) {
        if let Some(inner) = self.of.upgrade() {
            inner.conclude_birth(managed, made, |child| self.doom(child));
        } else if let Ok(child) = made {
            self.doom(Arc::new(child));
        }
    }

    /// Nobody wants it: it is killed, and reaped in passing.
    fn doom(&self, child: Arc<Child>) {
        let dying = Dying::kill(child);
        if dying.is_reaped() {
            return;
        }
        let mut state = lock(&self.state);
        if !state.closed {
            return state.dying.push(dying);
        }
        drop(state);
        dying.wait(Deadline::after(LAST_WAIT_MS * MILLI));
    }

    // ---- what the spawner says ----

    /// Takes its replies. `false`: it has ended.
    fn listen(&self, process: &Process) -> bool {
        for _ in 0..REPLIES {
            match process.link.receive() {
                Ok(None) => return true,
                Ok(Some(Reply::Hello | Reply::Born(..))) => {}
                Ok(Some(Reply::Began(slot, pid, pidfd))) => self.began(process, slot, pid, pidfd),
                Ok(Some(Reply::Failed(slot, pid, pidfd, failure))) => self.failed(process, slot, (pid, pidfd), failure),
                Ok(Some(Reply::Gone)) | Err(_) => return false,
            }
        }
        true
    }

    fn began(&self, process: &Process, slot: Slot, pid: i32, pidfd: Option<OwnedFd>) {
        let asked = lock(&self.state).asked.remove(&slot);
        if let Some(id) = asked {
            self.has_begun(id, pid, pidfd);
        }
        // Not before: until the registry has its number, that is read there, and would be nobody's, or the next one's.
        process.link.release(slot);
        self.has_room();
    }

    fn has_room(&self) {
        let mut deeds = Vec::new();
        self.step(&mut lock(&self.state), Event::Room, &mut deeds);
        self.carry_out(deeds);
    }

    fn has_begun(&self, id: Id, pid: i32, pidfd: Option<OwnedFd>) {
        let mut deeds = Vec::new();
        {
            let mut state = lock(&self.state);
            if let Some(entry) = state.entries.get_mut(&id) {
                entry.came = Some((pid, pidfd));
            }
            self.step(&mut state, Event::Began(id), &mut deeds);
        }
        self.carry_out(deeds);
    }

    fn failed(&self, process: &Process, slot: Slot, came: (i32, Option<OwnedFd>), failure: Failure) {
        let asked = lock(&self.state).asked.remove(&slot);
        if let Some(id) = asked {
            self.has_failed_to_begin(process, slot, id, came, failure);
        }
    }

    fn has_failed_to_begin(&self, process: &Process, slot: Slot, id: Id, (pid, pidfd): (i32, Option<OwnedFd>), failure: Failure) {
        let awaited = lock(&self.state).entries.get_mut(&id).and_then(|entry| entry.awaited.take());
        let Some(mut awaited) = awaited else { return };
        let error = awaited.failed(pid, pidfd, failure);
        let mut deeds = Vec::new();
        {
            let mut state = lock(&self.state);
            process.link.release(slot);
            if let Some(entry) = state.entries.get_mut(&id) {
                (entry.awaited, entry.error) = (Some(awaited), Some(error));
            }
            self.step(&mut state, Event::Failed(id), &mut deeds);
            self.step(&mut state, Event::Room, &mut deeds);
        }
        self.carry_out(deeds);
    }

    // ---- its life ----

    /// There is a spawner to be asked, or one that is being started.
    fn ensure_process(&self) -> Result<()> {
        {
            let mut state = lock(&self.state);
            if state.process.is_some() || state.starting || state.closed {
                return Ok(());
            }
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            state.starting = true;
        }
        let started = Process::start();
        let mut deeds = Vec::new();
        let failed = {
            let mut state = lock(&self.state);
            state.starting = false;
            match started {
                Ok(process) if state.closed => {
                    drop(state);
                    process.end(Deadline::after(LAST_WAIT_MS * MILLI));
                    None
                }
                Ok(process) => {
                    state.process = Some(Arc::new(process));
                    self.step(&mut state, Event::Up, &mut deeds);
                    None
                }
                Err(error) => {
                    state.failed = Some(error.clone());
                    self.step(&mut state, Event::Gone, &mut deeds);
                    Some(error)
                }
            }
        };
        self.carry_out(deeds);
        self.poke();
        failed.map_or(Ok(()), Err)
    }

    /// It has ended and was reaped: what became of those that it was asked for?
    fn settle(&self, process: &Arc<Process>) {
        let mut deeds = Vec::new();
        let owed: Vec<(Slot, Id)> = {
            let mut state = lock(&self.state);
            (state.gone, state.process) = (false, None);
            self.step(&mut state, Event::Down, &mut deeds);
            state.asked.iter().map(|(slot, id)| (*slot, *id)).collect()
        };
        for (slot, id) in owed {
            match look(process, slot) {
                Known::Begun(pid) => self.began(process, slot, pid, prove(pid)),
                Known::Failed(pid, failure) => self.failed(process, slot, (pid, prove(pid)), failure),
                Known::OnItsWay(pid) => {
                    let mut state = lock(&self.state);
                    state.asked.remove(&slot);
                    state.unsettled.push(Unsettled::new(process, slot, id, pid));
                }
                Known::Unborn => {
                    let mut state = lock(&self.state);
                    state.asked.remove(&slot);
                    process.link.release(slot);
                    let Some(entry) = state.entries.get_mut(&id) else { continue };
                    let Some(awaited) = entry.awaited.as_mut() else { continue };
                    awaited.unborn();
                    let event = if awaited.was_to_be_killed() {
                        entry.error = Some(awaited.killed());
                        Event::Failed(id)
                    } else if awaited.may_be_asked_again() {
                        Event::Unborn(id)
                    } else {
                        entry.error = Some(awaited.lost());
                        Event::Failed(id)
                    };
                    self.step(&mut state, event, &mut deeds);
                }
            }
        }
        let now = clock::now();
        {
            let mut state = lock(&self.state);
            if !(process.was_killed_with_all() || state.retired) {
                match state.restarted {
                    Some(at) if now - at < PATIENCE => {
                        let why = "the spawner has ended twice within ten seconds, and is not started again";
                        state.failed = Some(Error::new(Status::Aborted, "spawner", why));
                        self.step(&mut state, Event::Gone, &mut deeds);
                    }
                    _ => state.restarted = Some(now),
                }
            }
        }
        self.carry_out(deeds);
    }

    /// Looks at those that were on their way when their spawner ended.
    fn look_at_the_unsettled(&self) {
        let unsettled = std::mem::take(&mut lock(&self.state).unsettled);
        for Unsettled { process, slot, id, pid, pidfd } in unsettled {
            match look(&process, slot) {
                Known::OnItsWay(_) => lock(&self.state).unsettled.push(Unsettled { process, slot, id, pid, pidfd }),
                Known::Failed(pid, failure) => self.has_failed_to_begin(&process, slot, id, (pid, pidfd), failure),
                Known::Begun(_) | Known::Unborn => self.has_begun(id, pid, pidfd),
            }
        }
    }

    /// Reaps who was killed.
    fn reap_the_dying(&self) {
        let dying = std::mem::take(&mut lock(&self.state).dying);
        let left: Vec<Dying> = dying.into_iter().filter(|dying| !dying.is_reaped()).collect();
        lock(&self.state).dying.extend(left);
    }

    /// The supervisor is over: kills the spawner and all that it was asked for, reaps and releases.
    pub fn close(&self, deadline: Deadline) {
        let (process, mut dying) = {
            let mut state = lock(&self.state);
            state.closed = true;
            (state.process.take(), std::mem::take(&mut state.dying))
        };
        if let Some(process) = &process {
            // Those that it has made so far need not run until it is gone.
            lock(&self.state).entries.values().filter_map(|entry| entry.awaited.as_ref()).for_each(|awaited| awaited.kill(Cause::Shutdown));
            if !process.end(deadline) {
                // One that cannot be killed: its children stay in the registry, and so does it.
                return;
            }
        }
        let (asked, unsettled, mut entries) = {
            let mut state = lock(&self.state);
            (std::mem::take(&mut state.asked), std::mem::take(&mut state.unsettled), std::mem::take(&mut state.entries))
        };
        for Unsettled { id, pid, pidfd, .. } in unsettled {
            let awaited = entries.remove(&id).and_then(|entry| entry.awaited);
            dying.extend(awaited.and_then(|awaited| awaited.born(pid, pidfd).ok()).map(|child| Dying::kill(Arc::new(child))));
        }
        for (slot, id) in asked {
            let Some(mut awaited) = entries.remove(&id).and_then(|entry| entry.awaited) else { continue };
            match process.as_ref().map_or(Fate::Unborn, |process| process.link.fate(slot)) {
                Fate::Unborn => awaited.unborn(),
                Fate::Born(pid) => dying.extend(awaited.born(pid, prove(pid)).map(|child| Dying::kill(Arc::new(child)))),
                Fate::Failed(pid, step, errno) => {
                    let failure = Failure { step, errno, background: crate::sys::spawn::Background::None };
                    let _ = awaited.failed(pid, prove(pid), failure);
                }
            }
        }
        drop(entries);
        dying.iter().for_each(|dying| dying.wait(deadline));
    }

    fn wants(&self) -> Option<Wants> {
        let mut state = lock(&self.state);
        if state.closed || state.retired && state.process.is_none() && state.births.count() == 0 && state.dying.is_empty() {
            return None;
        }
        let soon = state.gone || !state.dying.is_empty() || !state.unsettled.is_empty() || state.births.waits_for_room();
        let soon = if soon { Deadline::after(PAUSE) } else { Deadline::NEVER };
        let due = Deadline::at(state.births.due()).min(soon);
        state.due = due.nanos().unwrap_or(i64::MAX);
        // Of one that is ending the end.
        let of = |process: &Arc<Process>| if state.gone { process.child.pidfd() } else { Some(process.watched.clone()) };
        let watched = state.process.as_ref().and_then(of).map(|fd| (fd, false));
        Some(Wants { fds: watched.into_iter().collect(), due })
    }
}

impl Entry {
    /// The error that its owner is told; `None` where nobody is to be told.
    fn why(&mut self, why: Why) -> Option<Error> {
        let awaited = self.awaited.as_ref();
        match why {
            Why::Failed => self.error.take(),
            Why::Late => awaited.map(|awaited| awaited.late()),
            Why::Lost => awaited.map(|awaited| awaited.lost()),
        }
    }
}

impl Errand for Line {
    fn turn(&self, _now: i64) -> Option<Wants> {
        let process = lock(&self.state).process.clone();
        if let Some(process) = process {
            if !self.listen(&process) {
                lock(&self.state).gone = true;
            }
            let over = {
                let mut state = lock(&self.state);
                state.gone |= state.retired && state.births.count() == 0;
                state.gone
            };
            if over && process.kill() {
                self.settle(&process);
            }
        }
        self.look_at_the_unsettled();
        let mut deeds = Vec::new();
        self.step(&mut lock(&self.state), Event::Tick, &mut deeds);
        let retry = {
            let mut state = lock(&self.state);
            if state.births.waits_for_room() {
                self.step(&mut state, Event::Room, &mut deeds);
            }
            state.births.count() > 0 && state.process.is_none()
        };
        self.carry_out(deeds);
        if retry {
            let _ = self.ensure_process();
        }
        self.reap_the_dying();
        self.wants()
    }

    fn called_off(&self) {
        // The supervisor's close goes on here (`Line::close`).
    }
}
