//! The books of a supervisor: who is watched, what is due, which events wait.
//!
//! Traps. An epoll entry must be removed before its descriptor is closed: the host may hold a duplicate, which keeps the entry
//! alive, or the number may come back as another child's. So the entry here holds its own share of each descriptor. And the
//! lock of `books` is never held while anything waits: work is collected under it, done without it. (The
//! order is books, stage of a `Managed`, life of a child, output: never the other way round.)

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use nix::errno::Errno;

use super::events::{Event, EventKind, Queue};
use super::orphans::Orphans;
use super::restart::Next;
use super::{Managed, cancelled, shut_down};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::child::Child;
use crate::process::{Line, cgroup};
use crate::registry::{Cause, Exit};
use crate::sys::memory::Home;
use crate::sys::poll::{Flag, Set, Timer};

/// Word of the timer in the inner set; children have `key * WORDS` (pidfd) and the two after it (output).
pub(super) const TIMER: u64 = u64::MAX;
pub(super) const WORDS: u64 = 4;
/// Words from here on are orphans' (`orphans.rs`).
pub(super) const ORPHANS: u64 = 1 << 63;

/// Keys of timers that are nobody's: looks that are taken again.
pub(super) const HOUSEKEEPING: u64 = 0;
pub(super) const LOOK_FOR_ORPHANS: u64 = u64::MAX;

/// Output that nobody takes is read up to here; then the child's own pipe holds it back.
pub(super) const MAX_UNREAD: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Books {
    pub(super) children: HashMap<u64, Entry>,
    /// In line for a slot, in this order.
    pub(super) pending: BTreeMap<u64, Arc<Managed>>,
    /// Waiting for their next start; each has a timer.
    pub(super) resting: HashMap<u64, (i64, Arc<Managed>)>,
    /// Slots in use: children that are being made, run or are being stopped.
    pub(super) active: usize,
    pub(super) stopping: usize,
    /// Ends whose slot is free already, and that nobody has been told of yet.
    pub(super) telling: usize,
    /// The supervisor was freed: nothing is told any more, and nobody starts.
    pub(super) closed: bool,
    /// Places in line that were promised.
    pub(super) joining: usize,
    /// 0: no limit.
    pub(super) max_running: usize,
    pub(super) max_pending: usize,
    pub(super) shutdown: Option<Shutdown>,
    last_key: u64,
    pub(super) events: Queue,
    pub(super) timers: BTreeSet<(i64, u64)>,
    /// Which looks that are nobody's are among the timers.
    pub(super) looks: BTreeMap<u64, i64>,
    /// Whether the flag is up.
    raised: bool,
    /// Threads that are about to take an event, and will bring the flag in line themselves.
    pub(super) takers: usize,
    /// Children that could not be watched (no room in the set): looked at one by one.
    pub(super) unwatched: Vec<Arc<Managed>>,
    pub(super) orphans: Orphans,
}

/// A shutdown that has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shutdown {
    Begun,
    Done,
}

pub(super) struct Entry {
    pub(super) managed: Arc<Managed>,
    pub(super) child: Arc<Child>,
    pub(super) pidfd: Arc<OwnedFd>,
    pub(super) pipes: [Option<Arc<OwnedFd>>; 2],
    /// Its pipes are out of the set: nobody takes its output.
    pub(super) held_back: bool,
    pub(super) due: Option<i64>,
    /// Not in the set: see `set_aside`.
    pub(super) aside: bool,
    /// Counted as stopping.
    stopping: bool,
}

impl Books {
    pub(super) fn next_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// Whether one more may run.
    pub(super) fn has_room(&self) -> bool {
        self.max_running == 0 || self.active < self.max_running
    }

    /// Whether somebody in line can be started.
    pub(super) fn can_start(&self) -> bool {
        !self.pending.is_empty() && self.has_room() && !self.is_closing()
    }

    /// Whether it is over with starts.
    pub(super) fn is_closing(&self) -> bool {
        self.closed || self.shutdown.is_some()
    }

    pub(super) fn push(&mut self, kind: EventKind, managed: &Arc<Managed>, fill: impl FnOnce(&mut Event)) {
        if self.closed {
            return;
        }
        let mut event = Event {
            kind,
            pid: managed.child().map_or(0, |child| child.pid()),
            exit: None,
            run: managed.run_number(),
            child: Some(managed.clone()),
            time_ns: clock::now(),
            status: None,
            delay_ns: 0,
            line: None,
        };
        fill(&mut event);
        self.events.push(event);
    }

    fn push_lines(&mut self, managed: &Arc<Managed>, lines: Vec<Line>) {
        for line in lines {
            self.push(EventKind::Output, managed, |event| event.line = Some(line));
        }
    }
}

pub(crate) struct Inner {
    pub(super) home: Home,
    pub(super) is_default: bool,
    pub(super) set: Set,
    timer: OnceLock<Timer>,
    outer: OnceLock<Set>,
    pub(super) flag: OnceLock<Flag>,
    pub(super) busy: AtomicUsize,
    pub(super) closed: AtomicBool,
    rung: AtomicBool,
    pub(super) books: Mutex<Books>,
}

impl core::fmt::Debug for Inner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Supervisor").field("default", &self.is_default).field("watched", &self.busy).finish_non_exhaustive()
    }
}

/// Fills a cell whose value may fail to be made.
fn filled<T>(cell: &OnceLock<T>, make: impl FnOnce() -> core::result::Result<T, Errno>) -> core::result::Result<&T, Errno> {
    if cell.get().is_none() {
        let _ = cell.set(make()?);
    }
    cell.get().ok_or(Errno::ENOMEM)
}

impl Inner {
    pub(super) fn new(is_default: bool) -> core::result::Result<Arc<Self>, Errno> {
        let flag = OnceLock::new();
        if is_default {
            let _ = flag.set(Flag::new()?);
        }
        Ok(Arc::new(Self {
            home: Home::here(),
            is_default,
            set: Set::new()?,
            timer: OnceLock::new(),
            outer: OnceLock::new(),
            flag,
            busy: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            rung: AtomicBool::new(false),
            books: Mutex::default(),
        }))
    }

    /// A forked copy must not touch the books: a thread that was not copied may hold the lock.
    pub(super) fn check(&self) -> Result<()> {
        self.home.check("supervisor")?;
        if self.closed.load(Ordering::Acquire) { Err(shut_down()) } else { Ok(()) }
    }

    /// What a thread that waits for one child watches beside it: the set, so that timers and output of all go on. For the
    /// default supervisor, whose set is empty as a rule and dear to watch, only a bell, until it has rung.
    pub(super) fn watch(&self) -> Option<BorrowedFd<'_>> {
        match self.flag.get() {
            Some(bell) if self.is_default && !self.rung.load(Ordering::SeqCst) => Some(bell.as_fd()),
            _ => Some(self.set.as_fd()),
        }
    }

    /// Threads that wait for a child of the default supervisor must from now on watch the set. Rings for good: a bell that is
    /// lowered again might not have been heard by all.
    pub(super) fn ring(&self) {
        if self.is_default
            && !self.rung.swap(true, Ordering::SeqCst)
            && let Some(bell) = self.flag.get()
        {
            bell.raise();
        }
    }

    /// Takes a child of the default supervisor into the books. Nothing happens if it is there or has ended.
    pub(super) fn attach_running(&self, managed: &Arc<Managed>) -> Result<()> {
        let Some(child) = managed.child() else { return Ok(()) };
        let Some(pidfd) = child.pidfd() else { return Ok(()) };
        self.enter_books(managed, child, pidfd).map(drop)
    }

    /// Takes a new process into the books, and only then shows it to those who wait for it.
    pub(super) fn attach(&self, managed: &Arc<Managed>, child: &Arc<Child>) -> Result<()> {
        // Nobody else has it: it cannot have been reaped.
        let Some(pidfd) = child.pidfd() else { return Err(Error::new(Status::Internal, "attach", "a new child without a pidfd")) };
        let stop = self.enter_books(managed, child.clone(), pidfd)?;
        if managed.is_let_go() {
            child.drop_streams();
        }
        if let Some((grace_ms, cause)) = stop {
            let _ = child.stop(grace_ms, cause);
            self.reschedule(managed);
        }
        Ok(())
    }

    fn enter_books(&self, managed: &Arc<Managed>, child: Arc<Child>, pidfd: Arc<OwnedFd>) -> Result<Option<(i64, Cause)>> {
        let (pipes, due) = (child.pipes(), child.due());
        let mut books = lock(&self.books);
        // A child is either seen by `close` and `shut_down` or refused here.
        if books.is_closing() {
            return Err(shut_down());
        }
        if managed.key() != 0 && books.children.contains_key(&managed.key()) {
            return Ok(None);
        }
        let watch = |errno| Error::system("epoll_ctl", errno, "cannot watch a child");
        let key = books.next_key();
        self.set.add(&*pidfd, key * WORDS).map_err(watch)?;
        managed.set_key(key);
        // Its last run may have said more than anybody has taken so far.
        let held_back = managed.unread() > MAX_UNREAD;
        let entry =
            Entry { managed: managed.clone(), child: child.clone(), pidfd, pipes, held_back, due: None, aside: false, stopping: false };
        let watched = if held_back { Ok(()) } else { self.watch_pipes(&entry, key).map_err(watch) };
        books.children.insert(key, entry);
        self.busy.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = watched.and_then(|()| self.schedule(&mut books, key, due)) {
            // Its slot is given back by whoever took it.
            self.remove_entry(&mut books, key);
            return Err(error);
        }
        if self.is_default {
            return Ok(None);
        }
        let stop = managed.publish(child);
        books.push(EventKind::Started, managed, |_| ());
        self.signal_waiters(&mut books);
        Ok(stop)
    }

    pub(super) fn watch_pipes(&self, entry: &Entry, key: u64) -> core::result::Result<(), Errno> {
        for (place, pipe) in (1..).zip(&entry.pipes) {
            if let Some(pipe) = pipe {
                self.set.add(&**pipe, key * WORDS + place)?;
            }
        }
        Ok(())
    }

    pub(super) fn unwatch_pipes(&self, entry: &Entry) {
        for pipe in entry.pipes.iter().flatten() {
            self.set.remove(&**pipe);
        }
    }

    /// Keeps a child that cannot be watched, to be looked at in every pump.
    pub(super) fn keep(&self, managed: Arc<Managed>) {
        lock(&self.books).unwatched.push(managed);
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a child of the default supervisor into its books if it is not there. `false`: there is no room in the set.
    /// Other supervisors have all their children there.
    pub(super) fn attach_default(&self, managed: &Arc<Managed>) -> bool {
        !self.is_default || !self.home.is_here() || self.attach_running(managed).is_ok()
    }

    /// Removes an entry and its descriptors from the set.
    pub(super) fn remove_entry(&self, books: &mut Books, key: u64) -> Option<Entry> {
        let entry = books.children.remove(&key)?;
        self.set.remove(&*entry.pidfd);
        self.unwatch_pipes(&entry);
        if let Some(due) = entry.due {
            books.timers.remove(&(due, key));
        }
        if entry.stopping {
            books.stopping -= 1;
        }
        self.busy.fetch_sub(1, Ordering::Relaxed);
        Some(entry)
    }

    /// A process has ended: its entry becomes an EXITED event, and its slot the next one's. The first caller does it, the others find
    /// it done.
    pub(super) fn finish(self: &Arc<Self>, managed: &Managed, child: &Arc<Child>, exit: Exit) {
        let key = managed.key();
        if key == 0 || !self.home.is_here() {
            return;
        }
        let complaint = child.complaint().map(|error| error.status);
        let mut books = lock(&self.books);
        // By now the key may be that of its next process.
        if !books.children.get(&key).is_some_and(|entry| Arc::ptr_eq(&entry.child, child)) {
            return;
        }
        let Some(entry) = self.remove_entry(&mut books, key) else { return };
        if self.is_default {
            return;
        }
        let next = entry.managed.decide(super::restart::Ended::of(&exit), books.is_closing());
        books.active -= 1;
        if !books.can_start() && !entry.managed.has_recipe() {
            self.tell_end(&mut books, &entry, (exit, complaint), next);
            self.check_done(&mut books);
            self.signal_waiters(&mut books);
            return;
        }
        // Queued work is started before anybody hears of this end; the lock is not held over a spawn.
        books.telling += 1;
        let first = self.take_first(&mut books);
        // Nobody in line: the slot is kept until the end is told, so that no start by another thread is told before it.
        let held = first.is_none();
        books.active += usize::from(held);
        drop(books);
        let next = entry.managed.enter(next, None);
        let started = first.map(|first| (first.make(), first));
        let late = self.tell_end(&mut lock(&self.books), &entry, (exit, complaint), next);
        self.told(&entry.managed, late, held);
        if let Some((made, first)) = started {
            self.conclude_start(&first, made);
        }
        self.start_queued();
    }

    /// An end, or a failed start, has been told of. `late`: it was to be followed by another start, but somebody has stopped the child, or
    /// closed the supervisor, meanwhile. `held`: its slot is still taken.
    pub(super) fn told(&self, managed: &Arc<Managed>, late: bool, held: bool) {
        if late {
            self.call_off(managed, if managed.is_halted() { cancelled() } else { shut_down() });
        }
        let mut books = lock(&self.books);
        books.telling -= 1;
        books.active -= usize::from(held);
        self.check_done(&mut books);
        self.signal_waiters(&mut books);
    }

    /// The events of an end.
    /// As [`Inner::tell_next`].
    fn tell_end(&self, books: &mut Books, entry: &Entry, (exit, complaint): (Exit, Option<Status>), next: Next) -> bool {
        let managed = &entry.managed;
        books.push_lines(managed, entry.child.take_lines());
        books.push(EventKind::Exited, managed, |event| {
            event.time_ns = exit.ended_ns;
            event.exit = Some(exit);
            event.status = complaint;
        });
        self.look_after_orphans(books);
        self.keep_house(books);
        self.tell_next(books, managed, next, Some(exit), None)
    }

    /// What comes after an end or a failed start. `true`: it was to be started again, and it is too late for that.
    pub(super) fn tell_next(&self, books: &mut Books, managed: &Arc<Managed>, next: Next, exit: Option<Exit>, why: Option<Status>) -> bool {
        match next {
            Next::Over => {}
            Next::GiveUp => books.push(EventKind::GaveUp, managed, |event| (event.exit, event.status) = (exit, why)),
            Next::Again(_) if books.is_closing() || managed.is_halted() => return true,
            Next::Again(delay) => {
                let (key, due) = (books.next_key(), clock::now().saturating_add(delay));
                managed.set_key(key);
                books.resting.insert(key, (due, managed.clone()));
                books.timers.insert((due, key));
                self.busy.fetch_add(1, Ordering::Relaxed);
                // The timer was made when the child was first started.
                let _ = self.set_timer(books);
                books.push(EventKind::Restarting, managed, |event| (event.exit, event.status, event.delay_ns) = (exit, why, delay));
            }
        }
        false
    }

    /// Turns what a child has said into events; holds it back when nobody takes them. What is said by a process that is in no book (yet, or
    /// any more) stays where it is: whoever takes it in, or tells of its end, tells that too.
    pub(super) fn collect_output(&self, managed: &Managed, child: &Arc<Child>) {
        if !child.has_output_lines() || !self.home.is_here() {
            return;
        }
        let mut books = lock(&self.books);
        let key = managed.key();
        let Some(entry) = books.children.get(&key).filter(|entry| Arc::ptr_eq(&entry.child, child)) else { return };
        let managed = entry.managed.clone();
        // Under the lock: of two threads that read, the one that read first must tell first.
        let lines = child.take_lines();
        books.push_lines(&managed, lines);
        if managed.unread() > MAX_UNREAD
            && let Some(entry) = books.children.get_mut(&key).filter(|entry| !entry.held_back)
        {
            entry.held_back = true;
            self.unwatch_pipes(&books.children[&key]);
        }
        self.signal_waiters(&mut books);
    }

    /// A child whose output was taken may go on.
    pub(super) fn let_flow(&self, books: &mut Books, managed: &Managed) {
        let key = managed.key();
        if managed.unread() <= MAX_UNREAD / 2
            && let Some(entry) = books.children.get_mut(&key).filter(|entry| entry.held_back)
        {
            entry.pipes = entry.child.pipes();
            entry.held_back = false;
            // Without room in the set its output waits for its end.
            let _ = self.watch_pipes(&books.children[&key], key);
        }
    }

    /// Nobody wants this child's events any more.
    pub(super) fn forget(&self, events: usize) {
        if self.home.is_here() && !self.is_default {
            let mut books = lock(&self.books);
            books.events.forget(events);
            self.signal_waiters(&mut books);
        }
    }

    /// Brings the flag in line with what there is to do, if anybody looks at it.
    pub(super) fn signal_waiters(&self, books: &mut Books) {
        let Some(flag) = self.flag.get().filter(|_| !self.is_default && books.takers == 0) else { return };
        let wanted = !books.events.is_empty() || self.closed.load(Ordering::Acquire) || books.can_start();
        if wanted != books.raised {
            books.raised = wanted;
            if wanted { flag.raise() } else { flag.lower() }
        }
    }

    pub(super) fn flag(&self) -> Result<&Flag> {
        let flag = filled(&self.flag, Flag::new).map_err(|errno| Error::system("eventfd2", errno, "cannot wait for events"))?;
        self.signal_waiters(&mut lock(&self.books));
        Ok(flag)
    }

    /// The descriptor for event loops.
    pub(super) fn outer(&self) -> Result<&Set> {
        self.check()?;
        let flag = self.flag()?;
        let make = || {
            let outer = Set::new()?;
            outer.add(&self.set, 0)?;
            outer.add(flag, 1)?;
            Ok(outer)
        };
        filled(&self.outer, make).map_err(|errno| Error::system("epoll_create1", errno, "cannot make a descriptor to wait on"))
    }

    /// Sets or clears a child's timer.
    pub(super) fn schedule(&self, books: &mut Books, key: u64, due: Option<i64>) -> Result<()> {
        let Some(entry) = books.children.get_mut(&key) else { return Ok(()) };
        let before = std::mem::replace(&mut entry.due, due);
        if before == due {
            return Ok(());
        }
        let first = books.timers.first().copied();
        if let Some(before) = before {
            books.timers.remove(&(before, key));
        }
        if let Some(due) = due {
            books.timers.insert((due, key));
        }
        if books.timers.first().copied() != first {
            self.set_timer(books)?;
        }
        Ok(())
    }

    pub(super) fn set_timer(&self, books: &Books) -> Result<()> {
        let make = || {
            let timer = Timer::new()?;
            self.set.add(&timer, TIMER)?;
            Ok(timer)
        };
        let timer = filled(&self.timer, make).map_err(|errno| Error::system("timerfd_create", errno, "cannot keep a deadline"))?;
        timer.set(books.timers.first().map(|(due, _)| *due));
        Ok(())
    }

    /// A look that is taken after a while.
    pub(super) fn schedule_look(&self, books: &mut Books, what: u64, after: i64) {
        let due = clock::now().saturating_add(after);
        // One that is due soon is not put off; one that is far off comes nearer.
        if books.looks.get(&what).is_some_and(|known| *known <= due) {
            return;
        }
        if let Some(known) = books.looks.insert(what, due) {
            books.timers.remove(&(known, what));
        }
        books.timers.insert((due, what));
        let _ = self.set_timer(books);
    }

    /// Looks again at what could not be removed yet.
    pub(super) fn keep_house(&self, books: &mut Books) {
        if let Some(due) = cgroup::left_due() {
            self.schedule_look(books, HOUSEKEEPING, (due - clock::now()).max(0));
        }
    }

    /// A child's ladder or deadline has changed.
    pub(super) fn reschedule(&self, managed: &Managed) {
        let Some((due, stopping)) = managed.child().map(|child| (child.due(), child.is_stopping())) else { return };
        let mut books = lock(&self.books);
        // Without a timer the ladder still climbs in every wait for the child.
        let _ = self.schedule(&mut books, managed.key(), due);
        self.note_stopping(&mut books, managed.key(), stopping);
    }

    fn note_stopping(&self, books: &mut Books, key: u64, stopping: bool) {
        if let Some(entry) = books.children.get_mut(&key).filter(|entry| stopping && !entry.stopping) {
            entry.stopping = true;
            books.stopping += 1;
        }
    }
}
