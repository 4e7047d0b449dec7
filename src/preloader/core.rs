//! What a preloader's handle, its requests and the errands of their supervisors share, whatever is spoken: an inbox, and whoever has the work in
//! hand.
//!
//! Traps. **Nobody waits for a lock that is held over work**: whoever has something to tell leaves it in the inbox; one thread at a time has
//! the work in hand, outside all locks, and goes on until the inbox is empty. So a start, a proof, a removal of a directory hold up nobody,
//! and what it calls back (`made`, `run`, another supervisor's turn) may come here again. **Whoever is driven drives all**: a request of one
//! supervisor is moved along by the look of any other one that has an errand here, for it may stand before theirs. **What was replaced must not
//! bear any more**: `oldest` is written by `reload` itself, and asked right before a worker is taken in, both under the inbox's lock.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::request::Request;
use super::visit::Visits;
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::supervisor::{Host, Supervisor, Wants};
use crate::sys::memory::Home;
use crate::sys::reactor::WakeUp;
use crate::sys::{fds, poll};

/// How long a process may take to go by itself.
pub const GRACE: i64 = 5_000 * MILLI;
/// How long the end of a preloader that is freed takes at the most, before it is killed.
const LAST_GRACE: i64 = 1_000 * MILLI;
/// How long one that was killed is waited for.
const AFTER_KILL: i64 = 2_000 * MILLI;

/// A request, by a number that is never used again. The smaller one is the older one.
pub type Id = u64;

/// What is in the hand of whoever drives: what one protocol makes of it. Nothing in it waits, but for an exec; nothing of it is under a lock.
pub trait Hand: Debug + Send + Sized + 'static {
    /// What may be left in the inbox.
    type Item: Debug + Send;
    /// What its processes are made of.
    type Recipe: Clone + Debug + Send;

    /// One that asks for a worker.
    fn ask(request: Arc<Request<Self>>) -> Self::Item;
    /// One that is not asked for any more.
    fn call_off(id: Id) -> Self::Item;
    /// The processes shall go, for good or not, and what is there has no more time than that.
    fn end(for_good: bool, by: Deadline) -> Self::Item;
    /// The application has changed.
    fn reload() -> Self::Item;
    /// How long a process may be of no use; `None`: for ever.
    fn idle(idle_ns: Option<i64>) -> Self::Item;

    /// Looks at all that may have changed by itself.
    fn look(&mut self, core: &Arc<Core<Self>>);
    /// Looks at the one process that somebody waits for, and at nothing else. `false`: nothing was said there that leads on.
    fn look_at_one(&mut self, _core: &Arc<Core<Self>>, _process: u64) -> bool {
        false
    }
    /// The same, and what follows for others is left to the next look.
    fn hear_one(&mut self, _process: u64) -> bool {
        false
    }
    /// What somebody has left.
    fn hear(&mut self, core: &Arc<Core<Self>>, item: Self::Item);
    /// Whatever is due.
    fn keep_times(&mut self, core: &Arc<Core<Self>>);
    /// What is to be waited for.
    fn wants(&self, core: &Core<Self>) -> Wants;
    /// Whether this, which is waited for now, will do until the next look at all: nothing else is to be waited for, and nothing earlier. (What is
    /// kept earlier than it need be costs a turn for nothing; to keep it anew after each word of each process costs more.)
    fn will_do(&self, _wants: &Wants) -> bool {
        false
    }
    /// Whether there is nothing to be waited for.
    fn is_quiet(&self) -> bool;
    /// The oldest process that is there.
    fn first_process(&self) -> Option<u32>;
    /// Whether the next one that asks for a worker has it at once: whatever else has changed is no matter of his, and is looked at by the next
    /// look.
    fn has_one_ready(&self) -> bool {
        false
    }
    /// The request is answered at once, and whoever asks waits for what its worker says: nothing is to be waited for anew before that, or he looks himself.
    /// `false`: it was taken, and all must be looked at as ever.
    fn give_at_once(&mut self, _core: &Arc<Core<Self>>, _request: &Arc<Request<Self>>) -> bool {
        false
    }
}

#[derive(Debug)]
struct Inbox<H: Hand> {
    items: VecDeque<H::Item>,
    /// In nobody's hand.
    work: Option<Box<H>>,
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
pub struct Core<H: Hand> {
    pub home: Home,
    pub private: Supervisor,
    /// Readable when the private supervisor has something to do.
    pub private_fd: Arc<OwnedFd>,
    recipe: Mutex<H::Recipe>,
    inbox: Mutex<Inbox<H>>,
    pub visits: Visits<H>,
    next: AtomicU64,
    /// What can be asked without waiting for anybody.
    pub generation: AtomicU32,
    pub pid: AtomicI32,
    pub last_used: AtomicI64,
}

/// What is looked at first by who goes on.
enum Look {
    All,
    /// A process that has said something.
    One(u64),
    /// Nothing, if whoever asks now can be answered at once.
    Nowhere,
    /// Nothing: that was just found to be so.
    Nothing,
}

/// The work in one thread's hand; a panic gives it back, too.
struct InHand<'a, H: Hand> {
    core: &'a Core<H>,
    work: Option<Box<H>>,
}

impl<H: Hand> Drop for InHand<'_, H> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            lock(&self.core.inbox).work = Some(work);
        }
    }
}

impl<H: Hand> Core<H> {
    /// With a supervisor of its own for its processes.
    pub fn new(recipe: H::Recipe, work: H) -> Result<Self> {
        let private = Supervisor::new()?;
        let private_fd = private.fd()?.try_clone_to_owned();
        let private_fd = private_fd.map_err(|error| {
            Error::system("fcntl", nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0)), "cannot watch a preloader")
        })?;
        let private_fd = fds::above_standard(private_fd).map_err(|errno| Error::system("fcntl", errno, "cannot watch a preloader"))?;
        let inbox = Inbox {
            items: VecDeque::new(),
            work: Some(Box::new(work)),
            again: false,
            wants: Wants { fds: Vec::new(), due: Deadline::NEVER },
            version: 0,
            quiet: true,
            oldest: 0,
            first: None,
            waiters: Vec::new(),
        };
        Ok(Self {
            home: Home::here(),
            private,
            private_fd: Arc::new(private_fd),
            recipe: Mutex::new(recipe),
            inbox: Mutex::new(inbox),
            visits: Visits::default(),
            next: AtomicU64::new(1),
            generation: AtomicU32::new(0),
            pid: AtomicI32::new(0),
            last_used: AtomicI64::new(clock::now()),
        })
    }

    /// A number for a request. The older one has the smaller one, as far as that can be said of two threads.
    pub fn number(&self) -> Id {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// What the next process is made of.
    pub fn recipe(&self) -> H::Recipe {
        lock(&self.recipe).clone()
    }

    pub fn change_recipe<T>(&self, change: impl FnOnce(&mut H::Recipe) -> Result<T>) -> Result<T> {
        change(&mut lock(&self.recipe))
    }

    /// Leaves something to be told.
    pub fn put(&self, item: H::Item) {
        lock(&self.inbox).items.push_back(item);
    }

    /// A worker is wanted.
    pub fn ask(self: Arc<Self>, request: &Arc<Request<H>>) {
        if request.is_waited_for_here() && self.visits.is_at(request.host()) && self.give_at_once(request) {
            return;
        }
        // What is lent is lent for the call, and whoever gives it on may come later.
        if let Err(error) = request.pin() {
            return request.fail(error);
        }
        self.put(H::ask(request.clone()));
        if let Err(error) = self.visits.enter(&self, request.host()) {
            // Nobody there would move it along.
            self.call_off(request.id);
            return request.fail(error);
        }
        self.go_on(Look::Nowhere, None);
    }

    /// It is not wanted any more.
    pub fn call_off(self: &Arc<Self>, id: Id) {
        self.tell(H::call_off(id));
    }

    /// Something to be told, and looked at at once.
    pub fn tell(self: &Arc<Self>, item: H::Item) {
        self.put(item);
        self.drive();
    }

    /// The application has changed: what was started so far bears no more.
    pub fn reload(self: &Arc<Self>) {
        {
            let mut inbox = lock(&self.inbox);
            inbox.oldest = self.generation.load(Ordering::Acquire);
            inbox.items.push_back(H::reload());
        }
        self.drive();
    }

    /// How long its process may be of no use before it is stopped; -1: for ever. 0 is 1.
    pub fn set_idle_stop(self: &Arc<Self>, ms: i64) -> Result<()> {
        clock::check_timeout("ms", ms)?;
        self.tell(H::idle((ms >= 0).then(|| ms.max(1).saturating_mul(MILLI))));
        Ok(())
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
        self.go_on(Look::All, None);
    }

    /// The same in a turn of the errand that has seen this, and that sees what is wanted right behind it: it is not told.
    pub fn drive_in(self: &Arc<Self>, seen: &AtomicU64) {
        self.go_on(Look::All, Some(seen));
    }

    /// The same for one who waits for this process and has found that it says something. `false`: it says nothing that leads on, or another thread
    /// has the work in hand.
    pub fn drive_one(self: &Arc<Self>, process: u64) -> bool {
        self.go_on(Look::One(process), None)
    }

    /// The work, if nobody has it in hand and nothing was left for it.
    fn take_if_idle(&self) -> Option<InHand<'_, H>> {
        let mut inbox = lock(&self.inbox);
        let is_idle = self.home.is_here() && inbox.items.is_empty() && !inbox.again;
        let work = if is_idle { inbox.work.take() } else { None };
        work.map(|work| InHand { core: self, work: Some(work) })
    }

    /// Gives it back, though what is wanted has changed: whoever came meanwhile has all looked at.
    fn give_back(self: &Arc<Self>, mut hand: InHand<'_, H>) {
        let (again, version) = {
            let mut inbox = lock(&self.inbox);
            inbox.work = hand.work.take();
            (inbox.again || !inbox.items.is_empty() || !inbox.waiters.is_empty(), inbox.version)
        };
        if again {
            self.drive();
        } else {
            self.visits.tell(version);
        }
    }

    /// Gives it back, where nothing was left for it meanwhile, and what is waited for will do. `false`: it is in hand still. Whoever has asked meanwhile
    /// what is to be waited for has heard "nothing", and is told.
    fn give_back_as_it_was(&self, hand: &mut InHand<'_, H>) -> bool {
        let mut inbox = lock(&self.inbox);
        let is_left_alone = !inbox.again && inbox.items.is_empty() && inbox.waiters.is_empty();
        let as_it_was = |work: &&H| work.is_quiet() == inbox.quiet && work.first_process() == inbox.first && work.will_do(&inbox.wants);
        let given = is_left_alone && hand.work.as_deref().filter(as_it_was).is_some();
        if !given {
            return false;
        }
        inbox.work = hand.work.take();
        let version = inbox.version;
        drop(inbox);
        self.visits.tell(version);
        true
    }

    fn give_at_once(self: &Arc<Self>, request: &Arc<Request<H>>) -> bool {
        let Some(mut hand) = self.take_if_idle() else { return false };
        let Some(work) = hand.work.as_mut().filter(|work| work.has_one_ready()) else {
            self.give_back(hand);
            return false;
        };
        let given = work.give_at_once(self, request);
        if !given && self.give_back_as_it_was(&mut hand) {
            return true;
        }
        self.give_back(hand);
        if !given {
            // It is being made, and what is to be waited for is another thing now.
            self.go_on(Look::Nothing, None);
        }
        true
    }

    /// For one who waits for this process alone, under this supervisor: nothing else is looked at, and what follows is left to its looks, from then on.
    pub fn hear_at_once(self: &Arc<Self>, process: u64, host: &Host, from: i64) -> bool {
        let Some(mut hand) = self.take_if_idle() else { return false };
        let leads_on = hand.work.as_mut().is_some_and(|work| work.hear_one(process));
        self.give_back(hand);
        if leads_on {
            self.visits.poke_from(host, from);
        }
        leads_on
    }

    fn go_on(self: &Arc<Self>, first: Look, in_turn: Option<&AtomicU64>) -> bool {
        if !self.home.is_here() {
            return false;
        }
        let mut hand = {
            let mut inbox = lock(&self.inbox);
            let Some(work) = inbox.work.take() else {
                inbox.again = true;
                return false;
            };
            InHand { core: self, work: Some(work) }
        };
        let (mut look, mut leads_on) = (first, true);
        loop {
            let mut is_heard = false;
            let Some(work) = hand.work.as_mut() else { return false };
            match std::mem::replace(&mut look, Look::All) {
                Look::One(process) => {
                    leads_on = work.look_at_one(self, process);
                    is_heard = leads_on;
                }
                Look::Nothing => {}
                Look::Nowhere if work.has_one_ready() => {}
                Look::All | Look::Nowhere => work.look(self),
            }
            if is_heard && self.give_back_as_it_was(&mut hand) {
                return true;
            }
            let Some(work) = hand.work.as_mut() else { return false };
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
            if let Some(seen) = in_turn {
                seen.store(version, Ordering::Release);
            }
            drop(inbox);
            waiters.iter().for_each(|waiter| waiter.raise());
            self.visits.tell(version);
            return leads_on;
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
    fn has_process(&self, generation: u32) -> bool {
        let inbox = lock(&self.inbox);
        inbox.work.is_none() || !inbox.items.is_empty() || inbox.first.is_some_and(|first| first <= generation)
    }

    /// Rung when something has changed; what is waited for meanwhile.
    fn wait_on(&self, waiter: &Arc<WakeUp>) -> Wants {
        let mut inbox = lock(&self.inbox);
        if !inbox.waiters.iter().any(|known| Arc::ptr_eq(known, waiter)) {
            inbox.waiters.push(waiter.clone());
        }
        // In another thread's hand: it rings when it is done.
        if inbox.work.is_none() { Wants { fds: Vec::new(), due: Deadline::NEVER } } else { inbox.wants.clone() }
    }

    /// Drives it until then, or until it is `done`. `false`: it is not.
    pub fn wait_until(self: &Arc<Self>, by: Deadline, done: impl Fn() -> bool) -> Result<bool> {
        let waiter = Arc::new(WakeUp::new().map_err(|fault| fault.error("cannot wait for a preloader"))?);
        let came = self.wait_by(&waiter, by, done);
        lock(&self.inbox).waiters.retain(|known| !Arc::ptr_eq(known, &waiter));
        came
    }

    fn wait_by(self: &Arc<Self>, waiter: &Arc<WakeUp>, by: Deadline, done: impl Fn() -> bool) -> Result<bool> {
        loop {
            self.drive();
            waiter.lower();
            // In this order: what changes after the look that follows is heard.
            let wants = self.wait_on(waiter);
            if done() {
                return Ok(true);
            }
            if by.has_come() {
                return Ok(false);
            }
            let mut watched = vec![waiter.as_fd()];
            watched.extend(wants.fds.iter().filter(|(_, writing)| !writing).map(|(fd, _)| fd.as_fd()));
            poll::wait(&watched, wants.due.min(by)).map_err(|errno| Error::system("poll", errno, "cannot wait for a preloader"))?;
        }
    }

    /// Its process goes: it is asked, and killed when it has not gone in this time (-1: 5 s).
    pub fn stop(self: &Arc<Self>, grace_ms: i64) -> Result<()> {
        clock::check_timeout("grace_ms", grace_ms)?;
        let by = if grace_ms < 0 { Deadline::after(GRACE) } else { Deadline::of_millis(grace_ms) };
        if self.finish(false, by)? {
            return Ok(());
        }
        Err(Error::new(Status::Timeout, "stop", "a process of the preloader is there still, though it was killed"))
    }

    /// The same for good; its workers live on. What does not go is killed.
    pub fn close(self: &Arc<Self>) {
        if self.home.is_here() {
            let _ = self.finish(true, Deadline::after(LAST_GRACE));
            self.private.close();
        }
    }

    /// Tells that it shall go, and waits until no process is left; those that are there at that time are killed. `false`: one of them is there still.
    fn finish(self: &Arc<Self>, for_good: bool, by: Deadline) -> Result<bool> {
        // Of those that another thread starts meanwhile, only the last end waits.
        let last_of_them = if for_good { u32::MAX } else { self.generation.load(Ordering::Acquire) };
        self.put(H::end(for_good, by));
        self.wait_until(by.plus(AFTER_KILL), || !self.has_process(last_of_them))
    }

    /// For who is told of a start when nobody may be left to hear it.
    pub fn weak(self: &Arc<Self>) -> Weak<Self> {
        Arc::downgrade(self)
    }

    /// There is an errand under this supervisor from now on.
    pub fn visit(self: &Arc<Self>, host: &Host) -> Result<()> {
        self.visits.enter(self, host)
    }
}

fn is_same(one: &Wants, other: &Wants) -> bool {
    let mut both = one.fds.iter().zip(&other.fds);
    one.due == other.due
        && one.fds.len() == other.fds.len()
        && both.all(|((one, writing), (other, also))| Arc::ptr_eq(one, other) && writing == also)
}

/// Requests by number.
pub type Requests<H> = BTreeMap<Id, Arc<Request<H>>>;
