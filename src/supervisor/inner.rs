//! The books of a supervisor: who is watched, what is due, which events wait.
//!
//! Traps. An epoll entry must be removed before its descriptor is closed: the host may hold a duplicate, which keeps the entry
//! alive, or the number may come back as another child's. So the entry here holds its own share of each descriptor. And the
//! lock of `books` is never held while a child's lock is taken or anything waits: work is collected under it, done without it.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use nix::errno::Errno;

use super::events::{Event, EventKind, Queue};
use super::{Managed, shut_down};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::process::command::Command;
use crate::process::stop::LAST_WAIT_MS;
use crate::process::{lock, spawn};
use crate::registry::{Cause, Exit};
use crate::sys::memory;
use crate::sys::poll::{self, Flag, Set, Timer};

/// Word of the timer in the inner set; children have `key * 2` (pidfd) and `key * 2 + 1` (output).
const TIMER: u64 = u64::MAX;

#[derive(Default)]
struct Books {
    children: HashMap<u64, Entry>,
    last_key: u64,
    events: Queue,
    timers: BTreeSet<(i64, u64)>,
    /// Whether the flag is up.
    raised: bool,
    /// Children that could not be watched (no room in the set): looked at one by one.
    unwatched: Vec<Arc<Managed>>,
}

struct Entry {
    managed: Arc<Managed>,
    pidfd: Arc<OwnedFd>,
    pipe: Option<Arc<OwnedFd>>,
    due: Option<i64>,
    /// Not in the set: see `set_aside`.
    aside: bool,
}

pub(crate) struct Inner {
    instance: u32,
    is_default: bool,
    set: Set,
    timer: OnceLock<Timer>,
    outer: OnceLock<Set>,
    flag: OnceLock<Flag>,
    busy: AtomicUsize,
    closed: AtomicBool,
    rung: AtomicBool,
    books: Mutex<Books>,
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
            instance: memory::instance(),
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
        if self.instance != memory::instance() {
            return Err(Error::new(Status::Forked, "fork", "this supervisor belongs to the process that this one was forked from"));
        }
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

    /// Starts a command and watches it.
    ///
    /// `register` is told of the child before any event of it can be taken, and gives the word that events carry.
    pub(super) fn spawn(self: &Arc<Self>, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        self.check()?;
        let child = spawn::spawn(command)?;
        let managed = Arc::new(Managed::new(child, self.clone(), command.get_user_data()));
        managed.set_token(register(&managed));
        if self.is_default && !managed.child().needs_driving() {
            return Ok(managed);
        }
        if let Err(error) = self.attach(&managed) {
            // It cannot be watched: it must not run. A killed child is reaped at once.
            managed.child().kill(Cause::Owner);
            let _ = managed.child().wait(clock::deadline(LAST_WAIT_MS), false, || None, || {});
            return Err(error);
        }
        Ok(managed)
    }

    /// Takes a child into the books. Nothing happens if it is there or has ended.
    pub(super) fn attach(&self, managed: &Arc<Managed>) -> Result<()> {
        let child = managed.child();
        let Some(pidfd) = child.pidfd() else { return Ok(()) };
        let (pipe, due) = (child.capture_pipe(), child.due());
        let mut books = lock(&self.books);
        // `close` raises this before it takes the lock: a child is either seen by it or refused here.
        if self.closed.load(Ordering::Acquire) {
            return Err(shut_down());
        }
        if managed.key() != 0 && books.children.contains_key(&managed.key()) {
            return Ok(());
        }
        let watch = |errno| Error::system("epoll_ctl", errno, "cannot watch a child");
        books.last_key += 1;
        let key = books.last_key;
        self.set.add(&*pidfd, key * 2).map_err(watch)?;
        if let Some(pipe) = &pipe
            && let Err(errno) = self.set.add(&**pipe, key * 2 + 1)
        {
            self.set.remove(&*pidfd);
            return Err(watch(errno));
        }
        managed.set_key(key);
        books.children.insert(key, Entry { managed: managed.clone(), pidfd, pipe, due: None, aside: false });
        self.busy.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.schedule(&mut books, key, due) {
            self.release(&mut books, key);
            return Err(error);
        }
        if !self.is_default {
            let event = Event { kind: EventKind::Started, child: managed.clone(), time_ns: clock::now(), exit: None };
            books.events.push(event);
            self.signal_waiters(&mut books);
        }
        Ok(())
    }

    /// Keeps a child that cannot be watched, to be looked at in every pump.
    pub(super) fn keep(&self, managed: Arc<Managed>) {
        lock(&self.books).unwatched.push(managed);
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    fn look_at_unwatched(&self) {
        let mut unwatched = std::mem::take(&mut lock(&self.books).unwatched);
        if unwatched.is_empty() {
            return;
        }
        let before = unwatched.len();
        unwatched.retain(|managed| {
            managed.child().tick();
            matches!(managed.child().try_reap(), Ok(None))
        });
        self.busy.fetch_sub(before - unwatched.len(), Ordering::Relaxed);
        lock(&self.books).unwatched.append(&mut unwatched);
    }

    /// Takes a child of the default supervisor into its books if it is not there. `false`: there is no room in the set.
    /// Other supervisors have all their children there.
    pub(super) fn attach_default(&self, managed: &Arc<Managed>) -> bool {
        !self.is_default || self.instance != memory::instance() || self.attach(managed).is_ok()
    }

    /// Removes an entry and its descriptors from the set.
    fn release(&self, books: &mut Books, key: u64) -> Option<Arc<Managed>> {
        let entry = books.children.remove(&key)?;
        self.set.remove(&*entry.pidfd);
        if let Some(pipe) = &entry.pipe {
            self.set.remove(&**pipe);
        }
        if let Some(due) = entry.due {
            books.timers.remove(&(due, key));
        }
        self.busy.fetch_sub(1, Ordering::Relaxed);
        Some(entry.managed)
    }

    /// A child has ended: its entry becomes an EXITED event. The first caller does it, the others find it done.
    pub(super) fn finish(&self, managed: &Managed, exit: Exit) {
        if managed.key() == 0 || self.instance != memory::instance() {
            return;
        }
        let mut books = lock(&self.books);
        let Some(managed) = self.release(&mut books, managed.key()) else { return };
        if !self.is_default {
            books.events.push(Event { kind: EventKind::Exited, child: managed, time_ns: exit.ended_ns, exit: Some(exit) });
            self.signal_waiters(&mut books);
        }
    }

    /// Nobody wants this child's events any more.
    pub(super) fn forget(&self) {
        if self.instance == memory::instance() && !self.is_default {
            let mut books = lock(&self.books);
            books.events.forget();
            self.signal_waiters(&mut books);
        }
    }

    /// Brings the flag in line with the queue, if anybody looks at it.
    fn signal_waiters(&self, books: &mut Books) {
        let Some(flag) = self.flag.get() else { return };
        let wanted = !books.events.is_empty() || self.closed.load(Ordering::Acquire);
        if wanted != books.raised {
            books.raised = wanted;
            if wanted { flag.raise() } else { flag.lower() }
        }
    }

    fn flag(&self) -> Result<&Flag> {
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
    fn schedule(&self, books: &mut Books, key: u64, due: Option<i64>) -> Result<()> {
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

    fn set_timer(&self, books: &Books) -> Result<()> {
        let make = || {
            let timer = Timer::new()?;
            self.set.add(&timer, TIMER)?;
            Ok(timer)
        };
        let timer = filled(&self.timer, make).map_err(|errno| Error::system("timerfd_create", errno, "cannot keep a deadline"))?;
        timer.set(books.timers.first().map(|(due, _)| *due));
        Ok(())
    }

    /// A child's ladder or deadline has changed.
    pub(super) fn reschedule(&self, managed: &Managed) {
        let due = managed.child().due();
        let mut books = lock(&self.books);
        // Without a timer the ladder still climbs in every wait for the child.
        let _ = self.schedule(&mut books, managed.key(), due);
    }

    pub(super) fn pump_if_busy(&self) {
        if self.busy.load(Ordering::Relaxed) != 0 {
            self.pump();
        }
    }

    /// Does what is due: reaps, drains output, climbs ladders. Never waits; takes nobody's events.
    pub(super) fn pump(&self) {
        self.look_at_unwatched();
        let mut ready = Vec::new();
        self.set.ready(&mut ready);
        if ready.is_empty() {
            return;
        }
        let mut timer = false;
        for word in ready {
            if word == TIMER {
                timer = true;
                continue;
            }
            let managed = lock(&self.books).children.get(&(word / 2)).map(|entry| entry.managed.clone());
            let Some(managed) = managed else { continue };
            if word % 2 == 1 {
                if !managed.child().drain() {
                    self.forget_pipe(word / 2);
                }
            } else if let Ok(Some(exit)) = managed.child().reap_ended() {
                self.finish(&managed, exit);
            } else {
                self.set_aside(word / 2);
            }
        }
        if timer {
            self.run_timers();
        }
    }

    /// A pidfd that is readable though the child cannot be reaped (a tracer holds it, or another thread is about to): out of the
    /// set, where it would keep everybody awake, and looked at by the timer.
    fn set_aside(&self, key: u64) {
        let mut books = lock(&self.books);
        if let Some(entry) = books.children.get_mut(&key) {
            self.set.remove(&*entry.pidfd);
            entry.aside = true;
            if self.schedule(&mut books, key, Some(clock::now() + poll::PAUSE)).is_err()
                && let Some(entry) = books.children.get_mut(&key)
            {
                // No timer to be had: better awake than never told.
                entry.aside = false;
                let _ = self.set.add(&*entry.pidfd, key * 2);
            }
        }
    }

    fn forget_pipe(&self, key: u64) {
        let mut books = lock(&self.books);
        if let Some(pipe) = books.children.get_mut(&key).and_then(|entry| entry.pipe.take()) {
            self.set.remove(&*pipe);
        }
    }

    fn run_timers(&self) {
        let now = clock::now();
        let due: Vec<(Arc<Managed>, u64, bool)> = {
            let books = lock(&self.books);
            let keys = books.timers.range(..=(now, u64::MAX)).filter_map(|(_, key)| Some((books.children.get(key)?, *key)));
            keys.map(|(entry, key)| (entry.managed.clone(), key, entry.aside)).collect()
        };
        for (managed, key, aside) in &due {
            managed.child().tick();
            self.reschedule(managed);
            if *aside {
                match managed.child().reap_ended() {
                    Ok(Some(exit)) => self.finish(managed, exit),
                    _ => self.set_aside(*key),
                }
            }
        }
        // Clears the expiry that brought us here, also when nothing was due any more.
        let _ = self.set_timer(&lock(&self.books));
    }

    pub(super) fn next_event(&self, deadline: Option<i64>) -> Result<Option<Event>> {
        loop {
            self.check()?;
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            self.pump();
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            if deadline.is_some_and(|at| clock::now() >= at) {
                return Ok(None);
            }
            let flag = self.flag()?;
            let waited = poll::wait(&[self.set.as_fd(), flag.as_fd()], deadline);
            waited.map_err(|errno| Error::system("poll", errno, "cannot wait for events"))?;
        }
    }

    fn pop(&self) -> Option<Event> {
        let mut books = lock(&self.books);
        let event = books.events.pop();
        self.signal_waiters(&mut books);
        event
    }

    /// Kills, reaps, releases; answers the children that did not die in time.
    pub(super) fn close(&self) -> Vec<Arc<Managed>> {
        if self.instance != memory::instance() || self.closed.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        let children: Vec<Arc<Managed>> = {
            let mut books = lock(&self.books);
            let keys: Vec<u64> = books.children.keys().copied().collect();
            let children = keys.into_iter().filter_map(|key| self.release(&mut books, key)).collect();
            books.timers.clear();
            books.events.clear();
            self.signal_waiters(&mut books);
            children
        };
        for managed in &children {
            managed.child().kill(Cause::Shutdown);
        }
        let deadline = clock::deadline(LAST_WAIT_MS);
        children.into_iter().filter(|managed| !matches!(managed.child().wait(deadline, false, || None, || {}), Ok(Some(_)))).collect()
    }
}
