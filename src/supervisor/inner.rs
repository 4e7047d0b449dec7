//! The ledger of a supervisor: the scheduler that decides, who is watched, which events wait.
//!
//! Traps. The lock of the ledger is never held while anything waits (`carry_out.rs`), and is taken first: ledger, stage of a `Managed`, life of
//! a child, output, never the other way round. And what is watched has a key of its own for each process, never used again: a thread
//! that was told of a readable pidfd may come late, and "its pidfd was seen readable" must not be believed of the next process of the same
//! child.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, LinkedList, TryReserveError};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::Managed;
use super::carry_out::Done;
use super::dense::Dense;
use super::errands::Errands;
use super::errors::shut_down;
use super::events::{Event, Queue, Run, What};
use super::orphans::Orphans;
use super::permits::Held;
use super::restart::Next;
use super::scheduler::{self, Action, Number, Scheduler};
use super::spawner::Spawners;
use crate::clock::{self, Deadline};
use crate::coordination::budget::Budget;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::child::Child;
use crate::process::{Lines, Lost, leftovers};
use crate::sys::Fault;
use crate::sys::memory::Home;
use crate::sys::poll;
use crate::sys::reactor::{Reactor, Shape, Token};
use crate::sys::reserve::out_of_memory;

/// A watched process has the token `key * PLACES` (pidfd, and its own times), the two after it (output), that by which it is ready, its
/// NOTIFY_SOCKET, and its input.
pub(super) const PLACES: u64 = 6;
pub(super) const READY: u64 = 3;
pub(super) const SAYS: u64 = 4;
pub(super) const INPUT: u64 = 5;
/// Tokens from here on are errands' (`errands/`).
pub(super) const ERRANDS: u64 = 1 << 62;
/// Tokens from here on are orphans' (`orphans.rs`).
pub(super) const ORPHANS: u64 = 1 << 63;
/// Times that are no process's: the next start of one that rests, and looks that are taken again. No key is 0.
pub(super) const RESTS: Token = Token(0);
pub(super) const HOUSEKEEPING: Token = Token(1);
pub(super) const LOOK_FOR_ORPHANS: Token = Token(2);
/// A permit of a spawn budget may be had.
pub(super) const PERMITS: Token = Token(3);

/// Output that nobody takes is read up to here, in memory and in lines; then the child's own pipe holds it back.
pub(super) const MAX_UNREAD: usize = 256 * 1024;
pub(super) const MAX_UNREAD_LINES: usize = 8 * 1024;
/// A thread that waits for the child reads on, or both would wait for each other; what nobody has taken is kept up to here. The rest is
/// lost, and told of where it would have stood.
pub(super) const MAX_KEPT: usize = 16 << 20;

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) scheduler: Scheduler,
    /// Everybody whom the scheduler knows.
    pub(super) members: Dense<Member>,
    /// Processes that are watched, by key.
    pub(super) watched: Dense<Entry>,
    last_key: u64,
    pub(super) events: Queue,
    /// Threads that are about to take an event, and will bring the wake-up in line themselves.
    pub(super) takers: usize,
    /// Children that could not be watched (no room in the set): looked at one by one.
    pub(super) unwatched: LinkedList<Arc<Managed>>,
    pub(super) orphans: Orphans,
    /// Permits of spawn budgets that are out.
    pub(super) permits: BTreeMap<Number, Held>,
    /// Budgets that tell us of permits that may be had.
    pub(super) heard: Vec<Weak<Budget>>,
    /// What the scheduler answered last; its memory is used again.
    pub(super) actions: Vec<Action>,
    /// Room for what a shutdown or close has to do.
    pub(super) jobs: Vec<Job>,
    /// What was left to be done by a call that panicked (`pump.rs`).
    pub(super) stranded: Vec<Job>,
}

/// What a decision of the scheduler asks for that takes time: done without the lock (`carry_out.rs`).
pub(super) enum Job {
    Make(Arc<Managed>),
    Release(Arc<Managed>, Next, Option<Box<Error>>),
    CallOff(Arc<Managed>, Status),
    GiveUp(Arc<Managed>, i64),
    Stop(Arc<Managed>),
    Kill(Arc<Managed>),
    /// What a call has done that panicked before it was told.
    Conclude(Done),
}

/// A child as the scheduler's actions need it.
pub(super) struct Member {
    pub(super) managed: Arc<Managed>,
    /// What is left to be told of it; nothing, most of the time.
    pub(super) passing: Option<Box<Passing>>,
}

/// What is there for a while.
#[derive(Default)]
pub(super) struct Passing {
    /// Its new process, until it is shown to those who wait for it.
    pub(super) fresh: Option<Arc<Child>>,
    /// What became of its last run, while there is something to tell of it.
    pub(super) last: Option<Last>,
    /// What it has said that was lost, and not been told of: it stands behind all that is in the queue.
    pub(super) lost: Lost,
}

/// A run that is over.
pub(super) struct Last {
    pub(super) run: Run,
    /// Its process, which may have lines to tell still.
    pub(super) child: Option<Arc<Child>>,
    /// Why it was ended before it was ready, or why its output could not be put in place.
    pub(super) complaint: Option<Status>,
}

/// A watched process. The shares of its pipes and sockets are the reactor's.
pub(super) struct Entry {
    pub(super) managed: Arc<Managed>,
    pub(super) child: Arc<Child>,
    /// Open until its end was told: whoever reaps it in another way may not tell it, and the set would forget it with its descriptor.
    pidfd: Arc<OwnedFd>,
    /// Its pipes are out of the set: nobody takes its output.
    pub(super) held_back: bool,
}

impl Entry {
    pub(super) fn pidfd(&self) -> &Arc<OwnedFd> {
        &self.pidfd
    }
}

pub(crate) struct Inner {
    pub(super) home: Home,
    pub(super) is_default: bool,
    pub(super) reactor: Reactor,
    /// Processes and waits that somebody has to look after.
    pub(super) busy: AtomicUsize,
    pub(super) closed: AtomicBool,
    pub(super) rung: AtomicBool,
    /// What the default supervisor waits with was made, or need not be made early.
    prepared: AtomicBool,
    /// Until then events are handed out without a look for work (`pump.rs`).
    pub(super) next_look: AtomicI64,
    /// The thread that starts those in line stays on its processor meanwhile: by this request (`sys/processor.rs`); 0: it does not.
    pub(super) holding: AtomicU64,
    /// Some child owns something that may take its time to be released.
    pub(super) has_owners: AtomicBool,
    /// A call has panicked, and left jobs.
    pub(super) is_stranded: AtomicBool,
    /// How many wait for a permit.
    pub(super) barred: AtomicUsize,
    /// What budgets know it by.
    pub(super) me: Weak<Inner>,
    /// Keys of budgets are known to the scheduler by their hashes.
    pub(super) secret: RandomState,
    pub(super) errands: Errands,
    /// Its children are made by a spawner.
    pub(super) has_spawner: AtomicBool,
    pub(super) spawners: Mutex<Spawners>,
    pub(super) ledger: Mutex<Ledger>,
}

impl core::fmt::Debug for Inner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Supervisor").field("default", &self.is_default).field("watched", &self.busy).finish_non_exhaustive()
    }
}

impl Member {
    /// Nobody that anything is to be told of.
    pub(super) fn of(managed: Arc<Managed>) -> Self {
        Self { managed, passing: None }
    }

    pub(super) fn passing(&mut self) -> &mut Passing {
        self.passing.get_or_insert_default()
    }

    /// Its new process, once.
    pub(super) fn take_fresh(&mut self) -> Option<Arc<Child>> {
        let fresh = self.passing.as_mut()?.fresh.take();
        self.tidy();
        fresh
    }

    /// What is missing of what it has said, once.
    pub(super) fn take_lost(&mut self) -> Lost {
        let lost = self.passing.as_mut().map_or_else(Lost::default, |passing| std::mem::take(&mut passing.lost));
        self.tidy();
        lost
    }

    /// Its last run is not spoken of any more.
    pub(super) fn forget_last(&mut self) {
        if let Some(passing) = &mut self.passing {
            passing.last = None;
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        self.passing.take_if(|passing| passing.fresh.is_none() && passing.last.is_none() && passing.lost.is_nothing());
    }

    fn has_lost(&self) -> bool {
        self.passing.as_ref().is_some_and(|passing| !passing.lost.is_nothing())
    }

    pub(super) fn last(&mut self) -> Option<&mut Last> {
        self.passing.as_mut()?.last.as_mut()
    }

    pub(super) fn last_run(&self) -> Option<Run> {
        self.passing.as_ref()?.last.as_ref().map(|last| last.run)
    }
}

impl Ledger {
    /// Makes the room that one child more can come to need, before it is made: its end, its stop and a shutdown of all must not want for memory.
    /// Nodes of trees and boxes are small, so the reserve has them (`sys/reserve.rs`); what grows in one piece stands here.
    pub(super) fn make_room(&mut self) -> core::result::Result<(), TryReserveError> {
        let count = self.scheduler.make_room()?;
        self.members.try_reserve(count.saturating_sub(self.members.len()))?;
        self.actions.try_reserve(3 * count + 2)?;
        self.jobs.try_reserve(count)?;
        self.events.make_room(count)
    }

    /// Adds an event, unless nothing is told any more.
    pub(super) fn push(&mut self, managed: &Arc<Managed>, time_ns: i64, what: What) {
        if self.scheduler.is_closed() {
            return;
        }
        let pid = managed.child().map_or(0, |child| child.pid());
        self.events.push(Event { what, child: Some(managed.clone()), pid, run: managed.run_number(), time_ns });
    }

    /// What it has said; what is missing of it is told where it is missing.
    pub(super) fn push_lines(&mut self, managed: &Arc<Managed>, mut lines: Lines) {
        if self.scheduler.is_closed() {
            return;
        }
        // A gap that is open is told first; what comes behind it is lost as well as long as it cannot be.
        if managed.unread() > MAX_KEPT || !self.events.has_room() || !(lines.is_empty() || self.push_lost(managed)) {
            return self.note_lost(managed, lines.into_lost());
        }
        let lost = lines.take_lost();
        if !lines.is_empty() {
            let pid = managed.child().map_or(0, |child| child.pid());
            self.events.push_lines(lines, managed, pid, clock::now());
        }
        self.note_lost(managed, lost);
    }

    fn note_lost(&mut self, managed: &Managed, lost: Lost) {
        if let Some(member) = self.members.get_mut(managed.id()).filter(|_| !lost.is_nothing()) {
            member.passing().lost.add(lost);
        }
    }

    /// Tells of what is missing: what comes next stands behind the gap. `false`: there is no memory for it and what comes next.
    pub(super) fn push_lost(&mut self, managed: &Arc<Managed>) -> bool {
        let Some(member) = self.members.get_mut(managed.id()).filter(|member| member.has_lost()) else { return true };
        if !self.events.has_room() {
            return false;
        }
        let lost = member.take_lost();
        self.push(managed, clock::now(), What::OutputLost(lost));
        self.events.has_room()
    }
}

impl Inner {
    pub(super) fn new(is_default: bool) -> core::result::Result<Arc<Self>, Fault> {
        // The default supervisor has nothing to watch as a rule, and a host with few descriptors must get its first child all the same.
        let reactor = if is_default { Reactor::lasting(Shape::Layered) } else { Reactor::new(Shape::Layered)? };
        Ok(Arc::new_cyclic(|me| Self {
            home: Home::here(),
            is_default,
            reactor,
            busy: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            rung: AtomicBool::new(false),
            prepared: AtomicBool::new(!is_default),
            next_look: AtomicI64::new(0),
            holding: AtomicU64::new(0),
            has_owners: AtomicBool::new(false),
            is_stranded: AtomicBool::new(false),
            barred: AtomicUsize::new(0),
            me: me.clone(),
            secret: RandomState::new(),
            errands: Errands::default(),
            has_spawner: AtomicBool::new(false),
            spawners: Mutex::default(),
            ledger: Mutex::default(),
        }))
    }

    /// Whether what it waits with was made early.
    pub(super) fn is_prepared(&self) -> bool {
        self.prepared.load(Ordering::Relaxed)
    }

    /// Makes what it waits with; by one thread, where there is plenty of room. Else it is made when it is needed.
    pub(super) fn prepare(&self) {
        if !self.prepared.swap(true, Ordering::Relaxed) {
            let _ = self.reactor.wake_up().and_then(|_| self.reactor.work());
        }
    }

    /// In a forked copy: closes the descriptors of the original's. Takes no lock.
    pub(super) fn give_back(&self) {
        self.reactor.give_back();
    }

    /// A forked copy must not touch the ledger: a thread that was not copied may hold the lock.
    pub(super) fn check(&self) -> Result<()> {
        self.home.check("supervisor")?;
        if self.closed.load(Ordering::Acquire) { Err(shut_down()) } else { Ok(()) }
    }

    /// What a thread that waits for one child watches beside it: the work, so that timers and output of all go on. For the
    /// default supervisor, whose set is empty as a rule and dear to watch, only the wake-up, until it has been raised. `None`: no descriptor
    /// is to be had for it; who waits must look from time to time.
    pub(super) fn watch(&self) -> Option<BorrowedFd<'_>> {
        let early = self.is_default && !self.rung.load(Ordering::SeqCst);
        if self.is_default && !early {
            self.reactor.arm_now();
        }
        if early { self.reactor.wake_up().map(AsFd::as_fd).ok() } else { self.reactor.work().ok() }
    }

    /// Threads that wait for a child of the default supervisor must from now on watch the set. For good: a wake-up that is
    /// lowered again might not have been heard by all.
    pub(super) fn wake_all(&self) {
        if self.is_default && !self.rung.swap(true, Ordering::SeqCst) {
            self.reactor.set_raised(true);
        }
    }

    // ---- who is watched ----

    /// Takes a child of the default supervisor into the ledger. Nothing happens if it is there or has ended.
    pub(super) fn attach_running(&self, managed: &Arc<Managed>) -> Result<()> {
        let Some(child) = managed.child() else { return Ok(()) };
        let Some(pidfd) = child.pidfd() else { return Ok(()) };
        let due = child.due();
        let mut ledger = lock(&self.ledger);
        if self.closed.load(Ordering::Acquire) {
            return Err(shut_down());
        }
        // Keys are a supervisor's own: a child that a closed one has handed over has one of that.
        if ledger.watched.get(managed.key()).is_some_and(|entry| Arc::ptr_eq(&entry.managed, managed)) {
            return Ok(());
        }
        self.watch_process(&mut ledger, managed, child, &pidfd, due)
    }

    /// Watches a process: its pidfd, its output, its times.
    pub(super) fn watch_process(
        &self,
        ledger: &mut Ledger,
        managed: &Arc<Managed>,
        child: Arc<Child>,
        pidfd: &Arc<OwnedFd>,
        due: Deadline,
    ) -> Result<()> {
        let failed = |fault: Fault| fault.error("cannot watch a child");
        ledger.watched.try_reserve(1).map_err(out_of_memory)?;
        ledger.last_key += 1;
        let key = ledger.last_key;
        self.reactor.await_one(Token(key * PLACES), pidfd).map_err(failed)?;
        managed.set_key(key);
        if !self.has_owners.load(Ordering::Relaxed) && (child.owns() || managed.owns()) {
            self.has_owners.store(true, Ordering::Relaxed);
        }
        // Its last run may have said more than anybody has taken so far.
        let held_back = managed.is_ahead();
        let watched = if held_back { Ok(()) } else { self.watch_pipes(&child, key).map_err(failed) };
        // (Under a new key nothing is watched yet.)
        let watched = watched.and_then(|()| self.watch_input(&child, key).map_err(failed));
        let watched = watched.and_then(|()| if child.is_quiet() { Ok(()) } else { self.watch_signs(&child, key).map_err(failed) });
        ledger.watched.insert(key, Entry { managed: managed.clone(), child, pidfd: pidfd.clone(), held_back });
        self.busy.fetch_add(1, Ordering::Relaxed);
        watched.and_then(|()| self.schedule(key, due)).inspect_err(|_| drop(self.unwatch(ledger, key)))
    }

    fn watch_pipes(&self, child: &Child, key: u64) -> core::result::Result<(), Fault> {
        for (place, pipe) in (1..).zip(&child.pipes()) {
            if let Some(pipe) = pipe {
                self.reactor.add(Token(key * PLACES + place), pipe)?;
            }
        }
        Ok(())
    }

    /// What is to be typed at its terminal may be more than that takes at once.
    fn watch_input(&self, child: &Child, key: u64) -> core::result::Result<(), Fault> {
        let Some(fd) = child.input_awaits() else { return Ok(()) };
        self.wake_all();
        self.reactor.put_outlet(Token(key * PLACES + INPUT), &fd)
    }

    fn unwatch_pipes(&self, key: u64) {
        self.reactor.remove(Token(key * PLACES + 1));
        self.reactor.remove(Token(key * PLACES + 2));
    }

    /// Watches a process no more.
    pub(super) fn unwatch(&self, ledger: &mut Ledger, key: u64) -> Option<Entry> {
        let entry = ledger.watched.remove(key)?;
        self.take_out(key, &entry);
        Some(entry)
    }

    /// The same of one that is out of the ledger already.
    pub(super) fn take_out(&self, key: u64, entry: &Entry) {
        // Most have been reaped by now: their pidfd has said what it had to say, or goes with the entry.
        self.reactor.forget_one(Token(key * PLACES), entry.child.pidfd());
        if entry.child.has_output() {
            self.unwatch_pipes(key);
        }
        if entry.child.has_signs() {
            self.reactor.remove(Token(key * PLACES + READY));
            self.reactor.remove(Token(key * PLACES + SAYS));
        }
        if entry.child.is_fed() {
            self.reactor.remove(Token(key * PLACES + INPUT));
        }
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }

    /// Watches that by which a child is heard, and no more what it was by before: a connect has another descriptor at every try.
    fn watch_signs(&self, child: &Child, key: u64) -> core::result::Result<(), Fault> {
        let (by, socket) = child.signs();
        for (place, sign) in [(READY, by), (SAYS, socket.map(|socket| (socket, false)))] {
            let token = Token(key * PLACES + place);
            match sign {
                None => drop(self.reactor.remove(token)),
                Some((fd, writing)) => self.reactor.put(token, &fd, writing)?,
            }
        }
        Ok(())
    }

    // ---- readiness ----

    /// Tells what a child has said of itself since the last time, and keeps an eye on what it says next. Under the lock: STARTED was told before
    /// anybody can come here, and EXITED is after it.
    pub(super) fn collect_signs(self: &Arc<Self>, managed: &Managed, child: &Arc<Child>) {
        if !child.has_signs() || !self.home.is_here() {
            return;
        }
        // The default supervisor tells nothing.
        if self.is_default && child.is_quiet() {
            child.take_news();
            return;
        }
        let mut ledger = lock(&self.ledger);
        let key = managed.key();
        let Some(entry) = ledger.watched.get(key).filter(|entry| Arc::ptr_eq(&entry.child, child)) else {
            // Whoever takes it in, or tells of its end, tells that too; the default supervisor tells nothing.
            if self.is_default {
                child.take_news();
            }
            return;
        };
        let managed = entry.managed.clone();
        // Without room in the set there is the timer of its next try, and every wait for it.
        let _ = self.watch_signs(child, key);
        let _ = self.schedule(key, child.due());
        let mut jobs = self.tell_signs(&mut ledger, &managed, child);
        if child.is_stopping() && !self.is_default {
            jobs.extend(self.step(&mut ledger, scheduler::Event::StopBegan(managed.id())));
        }
        self.show(&mut ledger);
        drop(ledger);
        self.carry_out(jobs);
    }

    /// Keeps a child that cannot be watched, to be looked at in every pump.
    pub(super) fn keep(&self, managed: Arc<Managed>) {
        lock(&self.ledger).unwatched.push_back(managed);
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a child of the default supervisor into its ledger if it is not there. `false`: there is no room in the set.
    /// Other supervisors have all their children there.
    pub(super) fn attach_default(&self, managed: &Arc<Managed>) -> bool {
        !self.is_default || !self.home.is_here() || self.attach_running(managed).is_ok()
    }

    // ---- output ----

    /// Turns what a child has said into events; holds it back when nobody takes them. What is said by a process that is not watched (yet, or
    /// any more) stays where it is: whoever takes it in, or tells of its end, tells that too.
    pub(super) fn collect_output(&self, managed: &Managed, child: &Arc<Child>) {
        if !child.has_output_lines() || !self.home.is_here() {
            return;
        }
        let mut ledger = lock(&self.ledger);
        let key = managed.key();
        let Some(entry) = ledger.watched.get(key).filter(|entry| Arc::ptr_eq(&entry.child, child)) else { return };
        let managed = entry.managed.clone();
        // Under the lock: of two threads that read, the one that read first must tell first.
        let lines = child.take_lines();
        ledger.push_lines(&managed, lines);
        if child.tells_pieces() {
            // What is left of a line is told later. A time that comes sooner stays: it finds nothing to do, or something else.
            let (due, known) = (child.due(), self.reactor.due(Token(key * PLACES)));
            if due < known {
                let _ = self.schedule(key, due);
            }
        }
        if managed.is_ahead()
            && let Some(entry) = ledger.watched.get_mut(key).filter(|entry| !entry.held_back)
        {
            entry.held_back = true;
            self.unwatch_pipes(key);
        }
        self.show(&mut ledger);
    }

    // ---- stopped or not ----

    /// Tells that a child is stopped, or goes on.
    pub(super) fn collect_stops(&self, managed: &Managed, child: &Arc<Child>) {
        if !child.has_stop_news() || !self.home.is_here() {
            return;
        }
        // Under the lock: STARTED was told before anybody can come here, and EXITED is after it.
        let mut ledger = lock(&self.ledger);
        if ledger.watched.get(managed.key()).is_some_and(|entry| Arc::ptr_eq(&entry.child, child)) {
            self.tell_stops(&mut ledger, managed, child);
            self.show(&mut ledger);
        }
    }

    /// A child whose output was taken may go on.
    pub(super) fn let_flow(&self, ledger: &mut Ledger, managed: &Managed) {
        let key = managed.key();
        if managed.is_caught_up()
            && let Some(entry) = ledger.watched.get_mut(key).filter(|entry| entry.held_back)
        {
            // Without room in the set it is tried again: a child whose pipe is full would never come to its end.
            entry.held_back = self.watch_pipes(&entry.child, key).is_err();
            if entry.held_back {
                self.unwatch_pipes(key);
                let _ = self.reactor.set_due(Token(key * PLACES), Deadline::after(poll::PAUSE));
            }
        }
    }

    // ---- input ----

    /// Watches what waits for a child to read, or watches it no more; and tells who had more that there is room.
    pub(super) fn collect_input(&self, managed: &Managed, child: &Arc<Child>) {
        if !child.is_fed() || !self.home.is_here() {
            return;
        }
        let mut ledger = lock(&self.ledger);
        let key = managed.key();
        let Some(entry) = ledger.watched.get(key).filter(|entry| Arc::ptr_eq(&entry.child, child)) else { return };
        let managed = entry.managed.clone();
        let token = Token(key * PLACES + INPUT);
        // Under the lock: of two threads the one that looks last has seen what the other one has written.
        let awaits = child.input_awaits();
        let mut again = false;
        match &awaits {
            None => drop(self.reactor.remove(token)),
            // Without room in the set the clock asks for it.
            Some(fd) => again = self.reactor.put_outlet(token, fd).is_err(),
        }
        if child.has_room_news() {
            // The default supervisor tells nothing. One that waits to be told is enough: who takes it tries again.
            if self.is_default || managed.has_room_told() || ledger.events.has_room() {
                child.take_room_news();
                if !self.is_default && !managed.note_room() {
                    ledger.push(&managed, clock::now(), What::InputRoom);
                }
            } else {
                again = true;
            }
        }
        if again {
            let _ = self.schedule(key, child.due().min(Deadline::after(poll::PAUSE)));
        }
        self.show(&mut ledger);
        drop(ledger);
        if self.is_default && awaits.is_some() {
            self.wake_all();
        }
    }

    /// Nobody wants this child's events any more.
    pub(super) fn forget(&self, events: usize) {
        if self.home.is_here() && !self.is_default {
            let mut ledger = lock(&self.ledger);
            ledger.events.forget(events);
            self.show(&mut ledger);
        }
    }

    // ---- the descriptor, and time ----

    /// Brings the wake-up in line with what there is to do.
    pub(super) fn show(&self, ledger: &mut Ledger) {
        if !self.is_default {
            let wanted = !ledger.events.is_empty() || self.closed.load(Ordering::Acquire) || ledger.scheduler.can_start();
            // What somebody is about to take need not be shown; that there is nothing must be, or others would look for it all the while.
            if ledger.takers == 0 || !wanted {
                self.reactor.set_raised(wanted);
            }
        }
    }

    /// The descriptor for event loops.
    pub(super) fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.check()?;
        self.reactor.fd().map_err(|fault| fault.error("cannot make a descriptor to wait on"))
    }

    /// Sets or clears the time of a watched process.
    pub(super) fn schedule(&self, key: u64, due: Deadline) -> Result<()> {
        let set = self.reactor.set_due(Token(key * PLACES), due);
        set.map_err(|fault| fault.error("cannot keep a deadline"))
    }

    /// A look that is taken after a while. One that is due soon is not put off; one that is far off comes nearer.
    pub(super) fn schedule_look(&self, what: Token, after: i64) {
        let due = Deadline::after(after);
        if due < self.reactor.due(what) {
            let _ = self.reactor.set_due(what, due);
        }
    }

    /// Looks again at what could not be removed yet.
    pub(super) fn keep_house(&self) {
        let due = leftovers::due();
        if !due.is_never() && due < self.reactor.due(HOUSEKEEPING) {
            let _ = self.reactor.set_due(HOUSEKEEPING, due);
        }
    }

    /// A child's ladder or deadline has changed.
    pub(super) fn reschedule(&self, managed: &Managed) {
        let Some(child) = managed.child() else { return };
        let mut ledger = lock(&self.ledger);
        // Under the lock: of two threads that stop it, the one that looks last has seen the other's.
        let (due, stopping) = (child.due(), child.is_stopping());
        let key = managed.key();
        if !ledger.watched.get(key).is_some_and(|entry| Arc::ptr_eq(&entry.child, &child)) {
            return;
        }
        // Without a timer the ladder still climbs in every wait for the child.
        let _ = self.schedule(key, due);
        if stopping && !self.is_default {
            self.step(&mut ledger, scheduler::Event::StopBegan(managed.id()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each live child there is one of these; tables take up to two places for each.
    #[test]
    fn what_stands_for_each_child_is_small() {
        let sizes = [size_of::<Managed>(), size_of::<Child>(), size_of::<Member>(), size_of::<Entry>()];
        assert!(sizes.iter().zip([136, 168, 16, 32]).all(|(size, most)| *size <= most), "{sizes:?}");
    }
}
