//! What a preloader's handle, its requests and the errands of their supervisors share: the machine, and whoever carries out what it decides.
//!
//! Traps. **Nobody waits for a lock that is held over work**: whoever has something to tell leaves it in the inbox; one thread at a time has
//! the work in hand, outside all locks, and goes on until the inbox is empty. So a start, a proof, a removal of a directory hold up nobody,
//! and what it calls back (`made`, `run`, another supervisor's turn) may come here again. **Whoever is driven drives all**: a request of one
//! supervisor is moved along by the look of any other one that has an errand here, for it may stand before theirs. **What was replaced must not
//! bear any more**: `oldest` is written by `reload` itself, and asked right before a worker is taken in, both under the inbox's lock.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::machine::{Event, Id};
use super::process::Recipe;
use super::request::Request;
use super::visit::Visits;
use super::work::Work;
use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::lock::lock;
use crate::preloader::follow::Arrived;
use crate::supervisor::{Supervisor, Wants};
use crate::sys::memory::Home;
use crate::sys::reactor::WakeUp;

/// Something to be told.
#[derive(Debug)]
pub enum Item {
    Ask(Arc<Request>),
    Started(u32, Box<Result<Arrived>>),
    /// An event of the machine's, as it is.
    Event(Event),
    /// It shall go, for good or not, and what is there has no more time than that.
    End {
        for_good: bool,
        by: Deadline,
    },
    Idle(Option<i64>),
}

#[derive(Debug)]
struct Inbox {
    items: VecDeque<Item>,
    /// In nobody's hand.
    work: Option<Box<Work>>,
    /// Somebody has something to be looked at.
    again: bool,
    /// What is waited for between two looks.
    wants: Wants,
    /// Changes with `wants`.
    version: u64,
    /// Whether there is nothing to be waited for at all.
    quiet: bool,
    /// Generations up to this one bear no more.
    oldest: u32,
    /// The oldest process that is there.
    first: Option<u32>,
    waiters: Vec<Arc<WakeUp>>,
}

/// See above.
#[derive(Debug)]
pub struct Core {
    pub home: Home,
    pub private: Supervisor,
    /// Readable when the private supervisor has something to do.
    pub private_fd: Arc<OwnedFd>,
    recipe: Mutex<Recipe>,
    inbox: Mutex<Inbox>,
    pub visits: Visits,
    next: AtomicU64,
    /// What can be asked without waiting for anybody.
    pub generation: AtomicU32,
    pub pid: AtomicI32,
    pub last_used: AtomicI64,
}

/// The work in one thread's hand; a panic gives it back, too.
struct Hand<'a> {
    core: &'a Core,
    work: Option<Box<Work>>,
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            lock(&self.core.inbox).work = Some(work);
        }
    }
}

impl Core {
    pub fn new(recipe: Recipe, private: Supervisor, private_fd: OwnedFd) -> Self {
        let now = clock::now();
        let inbox = Inbox {
            items: VecDeque::new(),
            work: Some(Box::new(Work::new(now))),
            again: false,
            wants: Wants { fds: Vec::new(), due: Deadline::NEVER },
            version: 0,
            quiet: true,
            oldest: 0,
            first: None,
            waiters: Vec::new(),
        };
        Self {
            home: Home::here(),
            private,
            private_fd: Arc::new(private_fd),
            recipe: Mutex::new(recipe),
            inbox: Mutex::new(inbox),
            visits: Visits::default(),
            next: AtomicU64::new(1),
            generation: AtomicU32::new(0),
            pid: AtomicI32::new(0),
            last_used: AtomicI64::new(now),
        }
    }

    /// A number for a request. The older one has the smaller one, as far as that can be said of two threads.
    pub fn number(&self) -> Id {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// What the next process is made of.
    pub fn recipe(&self) -> Recipe {
        lock(&self.recipe).clone()
    }

    pub fn change_recipe<T>(&self, change: impl FnOnce(&mut Recipe) -> Result<T>) -> Result<T> {
        change(&mut lock(&self.recipe))
    }

    /// Leaves something to be told.
    pub fn put(&self, item: Item) {
        lock(&self.inbox).items.push_back(item);
    }

    /// A worker is wanted.
    pub fn ask(self: Arc<Self>, request: &Arc<Request>) {
        self.put(Item::Ask(request.clone()));
        if let Err(error) = self.visits.enter(&self, request.host()) {
            // Nobody there would move it along.
            self.call_off(request.id);
            return request.fail(error);
        }
        self.drive();
    }

    /// It is not wanted any more.
    pub fn call_off(self: &Arc<Self>, id: Id) {
        self.put(Item::Event(Event::CallOff(id)));
        self.drive();
    }

    /// What was started so far bears no more.
    pub fn replace(self: &Arc<Self>) {
        {
            let mut inbox = lock(&self.inbox);
            inbox.oldest = self.generation.load(Ordering::Acquire);
            inbox.items.push_back(Item::Event(Event::Reload));
        }
        self.drive();
    }

    /// Whether a worker of that generation may be taken in.
    pub fn may_bear(&self, generation: u32) -> bool {
        lock(&self.inbox).oldest < generation
    }

    /// The next generation is counted; under the lock, so that `replace` means it or does not.
    pub fn count(&self, generation: u32) {
        let _inbox = lock(&self.inbox);
        self.generation.store(generation, Ordering::Release);
    }

    /// Goes on, unless another thread does: that goes on once more. Never waits, but for an exec.
    pub fn drive(self: &Arc<Self>) {
        if !self.home.is_here() {
            return;
        }
        let mut hand = {
            let mut inbox = lock(&self.inbox);
            let Some(work) = inbox.work.take() else {
                inbox.again = true;
                return;
            };
            Hand { core: self, work: Some(work) }
        };
        loop {
            let Some(work) = hand.work.as_mut() else { return };
            work.look(self);
            let items = {
                let mut inbox = lock(&self.inbox);
                inbox.again = false;
                std::mem::take(&mut inbox.items)
            };
            for item in items {
                work.hear(self, item);
            }
            work.keep_times(self);
            let (wants, quiet) = (work.wants(self), work.is_quiet());
            let mut inbox = lock(&self.inbox);
            if inbox.again || !inbox.items.is_empty() {
                continue;
            }
            if !is_same(&inbox.wants, &wants) {
                (inbox.wants, inbox.version) = (wants, inbox.version + 1);
            }
            (inbox.quiet, inbox.first) = (quiet, work.first_process());
            inbox.work = hand.work.take();
            let waiters = std::mem::take(&mut inbox.waiters);
            let version = inbox.version;
            drop(inbox);
            waiters.iter().for_each(|waiter| waiter.raise());
            return self.visits.tell(version);
        }
    }

    /// What is waited for between two looks; `seen` is its version, noted under the lock, or whoever has the work in hand would not tell. `None`:
    /// nothing is, and `leave` was called under the lock.
    pub fn wants(&self, seen: &AtomicU64, leave: impl FnOnce()) -> Option<Wants> {
        let inbox = lock(&self.inbox);
        if inbox.quiet && inbox.items.is_empty() && inbox.work.is_some() {
            leave();
            return None;
        }
        // In another thread's hand: what was waited for may have come, and is looked at there; who does that tells everybody whose version is not its own.
        if inbox.work.is_none() {
            seen.store(u64::MAX, Ordering::Release);
            return Some(Wants { fds: Vec::new(), due: Deadline::NEVER });
        }
        seen.store(inbox.version, Ordering::Release);
        Some(inbox.wants.clone())
    }

    /// Whether a process up to this generation is there still.
    pub fn has_process(&self, generation: u32) -> bool {
        let inbox = lock(&self.inbox);
        inbox.work.is_none() || !inbox.items.is_empty() || inbox.first.is_some_and(|first| first <= generation)
    }

    /// Rung when something has changed; what is waited for meanwhile.
    pub fn wait_on(&self, waiter: &Arc<WakeUp>) -> Wants {
        let mut inbox = lock(&self.inbox);
        if !inbox.waiters.iter().any(|known| Arc::ptr_eq(known, waiter)) {
            inbox.waiters.push(waiter.clone());
        }
        // In another thread's hand: it rings when it is done.
        if inbox.work.is_none() { Wants { fds: Vec::new(), due: Deadline::NEVER } } else { inbox.wants.clone() }
    }

    /// For who is told of a start when nobody may be left to hear it.
    pub fn weak(self: &Arc<Self>) -> Weak<Self> {
        Arc::downgrade(self)
    }
}

fn is_same(one: &Wants, other: &Wants) -> bool {
    let mut both = one.fds.iter().zip(&other.fds);
    one.due == other.due
        && one.fds.len() == other.fds.len()
        && both.all(|((one, writing), (other, also))| Arc::ptr_eq(one, other) && writing == also)
}

/// Requests by number.
pub type Requests = BTreeMap<Id, Arc<Request>>;
