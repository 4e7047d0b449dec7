//! The one event loop: what is watched, until when, and a level that says "there is something to take". epoll(7), timerfd_create(2),
//! eventfd(2). A host waits on its descriptor; nothing here has a thread.
//!
//! ```text
//!   Shape::Layered       fd() --> outer epoll         Shape::Flat    fd() = work() --> epoll
//!                                  |       |                                            |
//!    entries, timer --> work() epoll   wake-up                     entries, timer, wake-up
//! ```
//!
//! In the layered shape a thread that only moves things along watches `work()`: were the wake-up in that set, events that such a thread must
//! not take would keep it spinning. Where nobody does that, the flat shape saves a level between the host's loop and the descriptor.
//!
//! Traps.
//! - **An entry must go before its descriptor is closed.** The kernel removes an entry only with the last duplicate of its open file
//!   description; one that the host (or a child between fork and exec) holds keeps it alive, and the number may come back as another's. So the
//!   reactor holds its own share of every descriptor, and gives it back after the entry is gone.
//! - **What is watched for one word** ([`Reactor::await_one`]: a pidfd says that its process has ended, and never anything else) is told once, and
//!   silent from then on (EPOLLONESHOT). So the entry may outlive its descriptor, and need not be taken out: a copy of the host that holds a
//!   duplicate keeps nobody awake. No share is held of it, and there is nothing here to be made for it. The price: who is told, and does not
//!   act on it, must say so ([`Reactor::ask_again`]), or nobody ever is.
//! - **Readable, and nothing to be done about it** (a pidfd whose process a tracer holds, a listener when descriptors have run out): a
//!   level-triggered set would keep everybody awake. Such an entry is *set aside*: out of the set, and back, told as ready, after
//!   [`poll::PAUSE`].
//! - **The timer is one for all**, and made when it is first needed. It is only ever brought forward, or set anew once it has gone off: a time that
//!   was put off or taken back costs one look for nothing, and no system call where a call counts. Reading it is not needed: setting it anew
//!   clears what has gone off.
//! - **Who takes a time must act on it at once**: it is set no more, so nobody else will. So times are taken one by one (`pop_time`), after the slow
//!   work, and the timer stays gone off until the last of them was: another thread finds what the first has not come to.
//! - **A turn tells of at most [`BATCH`] entries**, in turn: the kernel puts what it has told of behind the rest. Who must know that nothing is left
//!   takes turns until one is empty, at most [`Reactor::looks`] of them, for entries may be ready again at once. Who stops earlier gets no new
//!   edge for the rest ([`Reactor::nudge`] makes one).
//! - **A token is not told which of its entries it meant**: who gives one to another entry may be told of the old one once more.
//! - **A forked copy of the host shares the sets**: nothing here may be called there. Who holds a reactor checks its `Home`.
//!
//! Its lock is a leaf: it is taken last, and nothing is called under it but the kernel.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, OnceLock};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use rustc_hash::FxHashMap;

use super::custody::Custody;
use super::poll::Patience;
use super::{Fault, fds, poll};
use crate::clock::{self, Deadline};
use crate::lock::lock;

/// What an entry, or a time, is known by. Its user chooses the number; the two highest are the reactor's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Token(pub u64);

/// Entries that one turn tells of at the most.
pub const BATCH: usize = 64;
/// And the least that anybody asks for.
pub const FEW: usize = 16;

const TIMER: u64 = u64::MAX;
const WAKE_UP: u64 = u64::MAX - 1;

/// Whether the wake-up has a level of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Threads may watch the work without the wake-up.
    Layered,
    /// One set for all.
    Flat,
}

/// What there is to do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    /// Entries that are readable (or writable, where that was asked for).
    pub ready: Vec<Token>,
    /// The timer has gone off: [`Reactor::pop_time`] has something, or had.
    pub timer: bool,
}

/// What one look has found, to be taken one by one. It asks for no memory.
pub struct Found {
    events: [EpollEvent; BATCH],
    first: usize,
    end: usize,
    /// As in [`Turn`].
    pub timer: bool,
}

impl Found {
    /// Nothing.
    pub fn nothing() -> Self {
        Self { events: [EpollEvent::empty(); BATCH], first: 0, end: 0, timer: false }
    }

    /// This one alone.
    pub fn one(token: Token) -> Self {
        let mut found = Self::nothing();
        found.events[0] = EpollEvent::new(EpollFlags::empty(), token.0);
        found.end = 1;
        found
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// The next one.
    pub fn first(&self) -> Option<Token> {
        self.events[self.first..self.end].first().map(|event| Token(event.data()))
    }

    /// Takes it.
    pub fn pop(&mut self) -> Option<Token> {
        let first = self.first();
        self.first += usize::from(first.is_some());
        first
    }

    /// Keeps these alone, in their order.
    pub fn retain(&mut self, mut is_kept: impl FnMut(Token) -> bool) {
        let mut end = self.first;
        for at in self.first..self.end {
            if is_kept(Token(self.events[at].data())) {
                self.events[end] = self.events[at];
                end += 1;
            }
        }
        self.end = end;
    }

    /// One that was not kept, behind all others.
    pub fn put_last(&mut self, token: Token) {
        self.events[self.end] = EpollEvent::new(EpollFlags::empty(), token.0);
        self.end += 1;
    }

    /// Those before the others.
    pub fn prefer(&mut self, is_preferred: impl Fn(Token) -> bool) {
        self.events[self.first..self.end].sort_unstable_by_key(|event| !is_preferred(Token(event.data())));
    }
}

/// Whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Time {
    /// What was set for this token is over, and set no more.
    Due(Token),
    /// This entry was set aside, and is in the set again: look at it as at one that is ready.
    Back(Token),
}

/// A level that can be raised and lowered, to make a descriptor readable.
#[derive(Debug)]
pub struct WakeUp(EventFd);

impl WakeUp {
    /// A lowered one.
    pub fn new() -> Result<Self, Fault> {
        Self::descriptor().map(Self::from_owned)
    }

    fn descriptor() -> Result<OwnedFd, Fault> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let fd = EventFd::from_value_and_flags(0, flags).map_err(Fault::of("eventfd"))?;
        fds::above_standard(OwnedFd::from(fd)).map_err(Fault::of("fcntl"))
    }

    fn from_owned(fd: OwnedFd) -> Self {
        // SAFETY: the descriptor is an eventfd and ours alone.
        Self(unsafe { EventFd::from_owned_fd(fd) })
    }

    /// Makes it readable.
    pub fn raise(&self) {
        let _ = self.0.write(1);
    }

    /// Makes it unreadable.
    pub fn lower(&self) {
        let _ = self.0.read();
    }
}

impl AsFd for WakeUp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What a time is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Purpose {
    /// Its user's.
    Due,
    /// An entry comes back into the set.
    Back,
}

#[derive(Debug)]
struct Entry {
    fd: Arc<OwnedFd>,
    /// What it is watched for.
    interest: Interest,
    /// Out of the set, until the time in `aside`.
    is_aside: bool,
}

#[derive(Debug, Default)]
struct State {
    entries: FxHashMap<Token, Entry>,
    aside: FxHashMap<Token, i64>,
    due: FxHashMap<Token, i64>,
    times: BTreeSet<(i64, Purpose, Token)>,
    /// What the timer is set to.
    armed: Option<i64>,
    /// Whether the wake-up is wanted up.
    raised: bool,
    /// For so many entries there is room in `due`.
    roomy: usize,
    /// Descriptors that are awaited for one word.
    awaited: usize,
}

impl State {
    /// Room for one entry more, and its time: a stop that sets it must not want for memory. Twice as many, for then the table puts itself in order
    /// where it is, whatever was taken out before.
    fn make_room(&mut self) -> Result<(), Errno> {
        let (count, no_memory) = (self.entries.len() + self.awaited + 1, |_| Errno::ENOMEM);
        if count > self.roomy {
            let roomy = count.max(self.roomy * 2).max(8);
            self.due.try_reserve(2 * roomy + 8).map_err(no_memory)?;
            self.roomy = roomy;
        }
        Ok(())
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct Reactor {
    shape: Shape,
    /// Its descriptors are marked, for a forked copy to give them back.
    lasting: bool,
    /// Where they stand, and all that is watched, for a forked copy to close them.
    custody: Option<Custody>,
    work: OnceLock<Epoll>,
    outer: OnceLock<Epoll>,
    wake_up: OnceLock<WakeUp>,
    timer: OnceLock<TimerFd>,
    state: Mutex<State>,
}

/// A set keeps an eye on something of ours.
fn join(set: &Epoll, fd: impl AsFd, token: u64) -> Result<(), Fault> {
    set.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token)).map_err(Fault::of("epoll_ctl"))
}

/// Fills a cell whose value may fail to be made.
fn filled<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, Fault>) -> Result<&T, Fault> {
    if cell.get().is_none() {
        let _ = cell.set(make()?);
    }
    cell.get().ok_or(Fault { step: "memory", errno: Errno::ENOMEM })
}

/// It is set aside no more.
fn take_from_aside(state: &mut State, token: Token) {
    if let Some(at) = state.aside.remove(&token) {
        state.times.remove(&(at, Purpose::Back, token));
    }
}

/// It is due no more. The timer may go off for nothing.
fn take_from_due(state: &mut State, token: Token) {
    if let Some(at) = state.due.remove(&token) {
        state.times.remove(&(at, Purpose::Due, token));
    }
}

/// The timer goes off at this time, or at once.
fn set_off(timer: &TimerFd, at: i64) -> Result<(), Errno> {
    let at = at.max(1);
    let when = TimeSpec::new(at / 1_000_000_000, at % 1_000_000_000);
    timer.set(Expiration::OneShot(when), TimerSetTimeFlags::TFD_TIMER_ABSTIME)
}

/// What a descriptor is awaited for that has one thing to say.
const ONE_WORD: EpollFlags = EpollFlags::EPOLLIN.union(EpollFlags::EPOLLONESHOT);

/// What a descriptor is watched for; an end is told in any case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Interest {
    Reading,
    Both,
    /// Whatever the other side says to it.
    Writing,
}

impl Interest {
    fn of(writing: bool) -> Self {
        if writing { Self::Both } else { Self::Reading }
    }

    fn flags(self) -> EpollFlags {
        match self {
            Self::Reading => EpollFlags::EPOLLIN,
            Self::Both => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT,
            Self::Writing => EpollFlags::EPOLLOUT,
        }
    }
}

impl Reactor {
    /// One that watches nothing yet. It has one descriptor, more when they are needed: timer, wake-up, and the outer level.
    pub fn new(shape: Shape) -> Result<Self, Fault> {
        let reactor = Self { lasting: false, ..Self::lasting(shape) };
        reactor.set()?;
        Ok(reactor)
    }

    /// The same, and its descriptors and all that it watches are noted there. Nobody but its user may have what it watches.
    pub fn kept(shape: Shape, custody: Custody) -> Result<Self, Fault> {
        let reactor = Self { lasting: false, custody: Some(custody), ..Self::lasting(shape) };
        reactor.set()?;
        Ok(reactor)
    }

    /// One that the process keeps for good. It has no descriptor at all until it watches something, and a forked copy can give them back.
    pub fn lasting(shape: Shape) -> Self {
        let (work, outer, wake_up, timer) = (OnceLock::new(), OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { shape, lasting: true, custody: None, work, outer, wake_up, timer, state: Mutex::default() }
    }

    /// In a forked copy: closes the descriptors of the original's. Takes no lock.
    pub fn give_back(&self) {
        self.numbers().for_each(fds::give_back);
    }

    /// All descriptors that are the reactor's own: a process that has just been forked, and in which this is never dropped, closes its copies of them.
    pub fn numbers(&self) -> impl Iterator<Item = RawFd> {
        let sets = [&self.work, &self.outer].map(|set| set.get().map(|set| set.0.as_raw_fd()));
        let wake_up = self.wake_up.get().map(|wake_up| wake_up.as_fd().as_raw_fd());
        let timer = self.timer.get().map(|timer| timer.as_fd().as_raw_fd());
        sets.into_iter().chain([wake_up, timer]).flatten()
    }

    /// Marks a descriptor of one that lasts, or notes it.
    fn marked(&self, fd: OwnedFd) -> OwnedFd {
        if self.lasting {
            fds::mark(&fd, fds::Mark::Lasting);
        }
        if let Some(custody) = self.custody {
            custody.note(&fd);
        }
        fd
    }

    fn epoll(&self) -> Result<Epoll, Fault> {
        let fd = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Fault::of("epoll_create1"))?.0;
        let fd = fds::above_standard(fd).map_err(Fault::of("fcntl"))?;
        Ok(Epoll(self.marked(fd)))
    }

    fn set(&self) -> Result<&Epoll, Fault> {
        filled(&self.work, || self.epoll())
    }

    // ---- entries ----

    /// Watches a descriptor for reading, level-triggered, and keeps a share of it. A token in use is `EEXIST`.
    pub fn add(&self, token: Token, fd: &Arc<OwnedFd>) -> Result<(), Fault> {
        self.add_for(Interest::Reading, token, fd)
    }

    fn add_for(&self, interest: Interest, token: Token, fd: &Arc<OwnedFd>) -> Result<(), Fault> {
        debug_assert!(token.0 < WAKE_UP);
        let mut state = lock(&self.state);
        if state.entries.contains_key(&token) {
            return Err(Fault { step: "epoll_ctl", errno: Errno::EEXIST });
        }
        state.entries.try_reserve(1).map_err(|_| Fault { step: "memory", errno: Errno::ENOMEM })?;
        state.make_room().map_err(Fault::of("memory"))?;
        self.set()?.add(fd, EpollEvent::new(interest.flags(), token.0)).map_err(Fault::of("epoll_ctl"))?;
        if let Some(custody) = self.custody {
            custody.note(fd);
        }
        state.entries.insert(token, Entry { fd: fd.clone(), interest, is_aside: false });
        Ok(())
    }

    /// Tells once that a descriptor is readable that stays so from then on: a pidfd. The caller keeps it open until then, and gives each token
    /// once in the life of the reactor.
    pub fn await_one(&self, token: Token, fd: impl AsFd) -> Result<(), Fault> {
        debug_assert!(self.custody.is_none() && token.0 < WAKE_UP);
        let mut state = lock(&self.state);
        state.make_room().map_err(Fault::of("memory"))?;
        self.set()?.add(fd, EpollEvent::new(ONE_WORD, token.0)).map_err(Fault::of("epoll_ctl"))?;
        state.awaited += 1;
        Ok(())
    }

    /// It was told, and is left to whoever comes next. `false`: that cannot be.
    pub fn tell_again(&self, token: Token, fd: impl AsFd) -> bool {
        self.work.get().is_some_and(|set| set.modify(fd, &mut EpollEvent::new(ONE_WORD, token.0)).is_ok())
    }

    /// It was told, and nothing could be done about it: told again after a little while. `fd`: where there is no timer, or no memory, it is told again
    /// at once.
    pub fn ask_again(&self, token: Token, fd: Option<impl AsFd>) {
        let timed = self.timer().is_ok() && {
            let mut state = lock(&self.state);
            let room = state.aside.contains_key(&token) || state.aside.try_reserve(1).is_ok();
            if room {
                take_from_aside(&mut state, token);
                self.come_back_at(&mut state, token, clock::now().saturating_add(poll::PAUSE));
            }
            room
        };
        if let Some(fd) = fd.filter(|_| !timed) {
            self.tell_again(token, fd);
        }
    }

    /// It is awaited no more, and its time goes. `fd`: it is open still, and may speak yet.
    pub fn forget_one(&self, token: Token, fd: Option<impl AsFd>) {
        let mut state = lock(&self.state);
        state.awaited = state.awaited.saturating_sub(1);
        take_from_aside(&mut state, token);
        take_from_due(&mut state, token);
        if let Some((set, fd)) = self.work.get().zip(fd) {
            let _ = set.delete(fd);
        }
    }

    /// Watches this descriptor under this token, whatever was watched under it before.
    pub fn put(&self, token: Token, fd: &Arc<OwnedFd>, writing: bool) -> Result<(), Fault> {
        self.put_for(Interest::Reading, token, fd)?;
        self.set_writing(token, writing).map_err(Fault::of("epoll_ctl"))
    }

    /// The same for room to write alone: what the other side says to it wakes nobody.
    pub fn put_outlet(&self, token: Token, fd: &Arc<OwnedFd>) -> Result<(), Fault> {
        self.put_for(Interest::Writing, token, fd)
    }

    fn put_for(&self, interest: Interest, token: Token, fd: &Arc<OwnedFd>) -> Result<(), Fault> {
        let is_there = lock(&self.state).entries.get(&token).map(|entry| Arc::ptr_eq(&entry.fd, fd));
        if is_there == Some(true) {
            return Ok(());
        }
        self.remove(token);
        match self.add_for(interest, token, fd) {
            // Another thread was faster with it, and looks at it next.
            Err(Fault { errno: Errno::EEXIST, .. }) | Ok(()) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Watches no more, and gives the share back. Its time stays. `false`: it was not watched.
    pub fn remove(&self, token: Token) -> bool {
        let mut state = lock(&self.state);
        let removed = self.take_out(&mut state, token);
        // The descriptor may be the last of a large file: not under the lock.
        drop(state);
        removed.is_some()
    }

    /// The same, and its time goes, too.
    pub fn forget(&self, token: Token) {
        let mut state = lock(&self.state);
        let removed = self.take_out(&mut state, token);
        take_from_due(&mut state, token);
        drop(state);
        drop(removed);
    }

    fn take_out(&self, state: &mut State, token: Token) -> Option<Entry> {
        let entry = state.entries.remove(&token)?;
        if let Some(custody) = self.custody {
            custody.unwatch(&entry.fd);
        }
        if !entry.is_aside {
            // ENOENT is all that can happen, and says that it is done.
            let _ = self.work.get().map(|set| set.delete(&entry.fd));
        } else {
            take_from_aside(state, token);
        }
        Some(entry)
    }

    /// Whether it is watched (or set aside).
    pub fn has(&self, token: Token) -> bool {
        lock(&self.state).entries.contains_key(&token)
    }

    /// Watches an entry for room to write as well, or no more.
    pub fn set_writing(&self, token: Token, writing: bool) -> Result<(), Errno> {
        let mut state = lock(&self.state);
        let Some(entry) = state.entries.get_mut(&token) else { return Err(Errno::ENOENT) };
        let interest = Interest::of(writing);
        if entry.interest != interest {
            if !entry.is_aside {
                let set = self.work.get().ok_or(Errno::ENOENT)?;
                set.modify(&entry.fd, &mut EpollEvent::new(interest.flags(), token.0))?;
            }
            entry.interest = interest;
        }
        Ok(())
    }

    /// It is ready, and nothing can be done about it now: told again after a little while. Without a timer it stays in the set:
    /// better awake than never told.
    pub fn set_aside(&self, token: Token) {
        self.set_aside_for(token, poll::PAUSE);
    }

    /// The same for so many nanoseconds.
    pub fn set_aside_for(&self, token: Token, nanos: i64) {
        if self.timer().is_err() {
            return;
        }
        let mut state = lock(&self.state);
        let at = clock::now().saturating_add(nanos);
        if state.entries.get(&token).is_none_or(|entry| entry.is_aside) {
            return;
        }
        // No room to remember it: it stays.
        if state.aside.try_reserve(1).is_err() {
            return;
        }
        let Some(entry) = state.entries.get_mut(&token) else { return };
        let _ = self.work.get().map(|set| set.delete(&entry.fd));
        entry.is_aside = true;
        self.come_back_at(&mut state, token, at);
    }

    /// It can be dealt with sooner than that: it is in the set again.
    pub fn take_back(&self, token: Token) {
        let mut state = lock(&self.state);
        if let Some(at) = state.aside.remove(&token) {
            state.times.remove(&(at, Purpose::Back, token));
            self.bring_back(&mut state, token);
        }
    }

    fn come_back_at(&self, state: &mut State, token: Token, at: i64) {
        state.aside.insert(token, at);
        state.times.insert((at, Purpose::Back, token));
        // There is a timer: it cannot fail.
        let _ = self.arm(state);
    }

    fn bring_back(&self, state: &mut State, token: Token) {
        let Some(entry) = state.entries.get_mut(&token) else {
            // One that is awaited for one word, and has said it.
            state.aside.remove(&token);
            return;
        };
        let back = |set: &Epoll| set.add(&entry.fd, EpollEvent::new(entry.interest.flags(), token.0));
        entry.is_aside = self.work.get().is_none_or(|set| back(set).is_err());
        if entry.is_aside {
            // No room in the set any more: the clock asks for it, for ever. Its place in `aside` is there still.
            self.come_back_at(state, token, clock::now().saturating_add(poll::PAUSE));
        } else {
            state.aside.remove(&token);
        }
    }

    // ---- times ----

    /// Sets when this token is due, in place of what was set; NEVER: not at all. A token needs no entry for that. Fails only if there is
    /// no timer yet and none is to be had; then nothing has changed.
    pub fn set_due(&self, token: Token, deadline: Deadline) -> Result<(), Fault> {
        let mut state = lock(&self.state);
        self.note_due(&mut state, token, deadline)?;
        self.arm(&mut state)
    }

    /// The same for a set that nobody waits on now: who is about to calls [`Reactor::arm_now`] first.
    pub fn set_due_quietly(&self, token: Token, deadline: Deadline) -> Result<(), Fault> {
        self.note_due(&mut lock(&self.state), token, deadline)
    }

    /// Brings the timer in line with what was set quietly.
    pub fn arm_now(&self) {
        let _ = self.arm(&mut lock(&self.state));
    }

    fn note_due(&self, state: &mut State, token: Token, deadline: Deadline) -> Result<(), Fault> {
        let before = state.due.get(&token).copied();
        if before == deadline.nanos() {
            return Ok(());
        }
        if deadline.nanos().is_some() {
            self.timer()?;
            state.due.try_reserve(1).map_err(|_| Fault { step: "memory", errno: Errno::ENOMEM })?;
        }
        if let Some(before) = before {
            state.due.remove(&token);
            state.times.remove(&(before, Purpose::Due, token));
        }
        if let Some(at) = deadline.nanos() {
            state.due.insert(token, at);
            state.times.insert((at, Purpose::Due, token));
        }
        Ok(())
    }

    /// Whether [`Reactor::pop_time`] has something.
    pub fn is_due(&self, now: i64) -> bool {
        lock(&self.state).times.first().is_some_and(|(at, ..)| *at <= now)
    }

    /// When this token is due.
    pub fn due(&self, token: Token) -> Deadline {
        lock(&self.state).due.get(&token).copied().into()
    }

    /// Makes the timer now, so that no later call can fail for want of one.
    pub fn prepare_timer(&self) -> Result<(), Fault> {
        self.timer().map(drop)
    }

    fn timer(&self) -> Result<&TimerFd, Fault> {
        let make = || {
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK);
            let timer = timer.map_err(Fault::of("timerfd_create"))?;
            let fd = self.marked(fds::above_standard(OwnedFd::from(timer)).map_err(Fault::of("fcntl"))?);
            // SAFETY: the descriptor is a timerfd and ours alone.
            let timer = unsafe { TimerFd::from_owned_fd(fd) };
            join(self.set()?, &timer, TIMER)?;
            Ok(timer)
        };
        filled(&self.timer, make)
    }

    /// Brings the timer in line with the next time.
    fn arm(&self, state: &mut State) -> Result<(), Fault> {
        let next = state.times.first().map(|(at, ..)| *at);
        if next == state.armed {
            return Ok(());
        }
        let early = state.armed.is_some_and(|armed| next.is_none_or(|next| armed <= next) && clock::now() < armed);
        if early {
            return Ok(());
        }
        let timer = self.timer()?;
        match next {
            None => {
                state.armed = None;
                let _ = timer.unset();
            }
            // One that a filter refuses is asked for again by whoever sets the next.
            Some(at) => state.armed = set_off(timer, at).or_else(|_| set_off(timer, at)).ok().map(|()| at),
        }
        Ok(())
    }

    /// Brings the timer forward to this time, if it is later: a call now for a call saved where it would count.
    pub fn arm_by(&self, at: i64) {
        let mut state = lock(&self.state);
        if state.armed.is_none_or(|armed| at < armed)
            && let Ok(timer) = self.timer()
        {
            state.armed = set_off(timer, at).ok().map(|()| at);
        }
    }

    // ---- the wake-up ----

    /// Makes `fd()` readable until it is lowered again, whatever else there is. Nothing happens as long as nobody has asked for the
    /// wake-up: it is brought in line when somebody does.
    pub fn set_raised(&self, raised: bool) {
        let mut state = lock(&self.state);
        if state.raised != raised {
            state.raised = raised;
            self.show_raised(raised);
        }
    }

    /// An edge for who watches `fd()` edge-triggered, and nothing else: what is ready stays so.
    pub fn nudge(&self) {
        let state = lock(&self.state);
        if let Some(wake_up) = self.wake_up.get() {
            wake_up.raise();
            if !state.raised {
                wake_up.lower();
            }
        }
    }

    fn show_raised(&self, raised: bool) {
        if let Some(wake_up) = self.wake_up.get() {
            if raised { wake_up.raise() } else { wake_up.lower() }
        }
    }

    /// The wake-up, made now if need be; in the flat shape it joins the set.
    pub fn wake_up(&self) -> Result<&WakeUp, Fault> {
        let mut made = false;
        let make = || {
            let wake_up = WakeUp::from_owned(self.marked(WakeUp::descriptor()?));
            if self.shape == Shape::Flat {
                join(self.set()?, &wake_up, WAKE_UP)?;
            }
            made = true;
            Ok(wake_up)
        };
        if self.wake_up.get().is_some() {
            return filled(&self.wake_up, WakeUp::new);
        }
        // Under the lock: whoever raises it meanwhile finds it, or is found.
        let state = lock(&self.state);
        let wake_up = filled(&self.wake_up, make)?;
        if made && state.raised {
            wake_up.raise();
        }
        Ok(wake_up)
    }

    // ---- waiting ----

    /// What a thread watches that moves things along and takes nothing; and the whole in the flat shape.
    pub fn work(&self) -> Result<BorrowedFd<'_>, Fault> {
        self.set().map(|set| set.0.as_fd())
    }

    /// The descriptor for event loops: readable while there is work, or the wake-up is raised.
    pub fn fd(&self) -> Result<BorrowedFd<'_>, Fault> {
        let wake_up = self.wake_up()?;
        if self.shape == Shape::Flat {
            return self.work();
        }
        let make = || {
            let outer = self.epoll()?;
            join(&outer, self.work()?, 0)?;
            join(&outer, wake_up, WAKE_UP)?;
            Ok(outer)
        };
        filled(&self.outer, make).map(|outer| outer.0.as_fd())
    }

    /// Waits until there is work or the wake-up is raised, or the deadline has come. A signal does not end the wait.
    pub fn wait(&self, deadline: Deadline) -> Result<(), Fault> {
        self.wait_with(&Patience::until(deadline))
    }

    /// The same, as long as the patience lasts.
    pub fn wait_with(&self, patience: &Patience) -> Result<(), Fault> {
        let wake_up = self.wake_up()?;
        let both = [self.work()?, wake_up.as_fd()];
        let watched = if self.shape == Shape::Flat { &both[..1] } else { &both };
        patience.wait(watched, Deadline::NEVER).map(drop).map_err(Fault::of("poll"))
    }

    /// After so many turns everything that was ready before them has been told of.
    pub fn looks(&self) -> usize {
        let state = lock(&self.state);
        (state.entries.len() + state.awaited) / FEW + 2
    }

    /// What there is to do now, up to [`BATCH`] of it; never waits. What is ready is told again and again until it is done, removed or set aside.
    pub fn turn(&self) -> Turn {
        self.turn_of(BATCH)
    }

    /// The same of so much at the most.
    pub fn turn_of(&self, most: usize) -> Turn {
        let mut found = Found::nothing();
        self.look(&mut found, most);
        let timer = found.timer;
        Turn { ready: core::iter::from_fn(|| found.pop()).collect(), timer }
    }

    /// The same, without memory: what is awaited for one word is told to nobody else. `found` has nothing.
    pub fn look(&self, found: &mut Found, most: usize) {
        let events = &mut found.events[..most.clamp(FEW, BATCH)];
        let count = self.work.get().and_then(|set| set.wait(events, EpollTimeout::ZERO).ok()).unwrap_or(0);
        for at in 0..count {
            let event = found.events[at];
            match event.data() {
                TIMER => found.timer = true,
                WAKE_UP => {}
                _ => {
                    found.events[found.end] = event;
                    found.end += 1;
                }
            }
        }
    }

    /// The first whose time has come by `now`, which is no time of its own any more. `None`: there is none, and the timer stands at the next.
    pub fn pop_time(&self, now: i64) -> Option<Time> {
        let mut state = lock(&self.state);
        let Some(&(at, purpose, token)) = state.times.first().filter(|(at, ..)| *at <= now) else {
            // Clears the expiry that has brought somebody here, also when nothing was due any more.
            state.armed = None;
            if state.times.is_empty() {
                let _ = self.timer().map(TimerFd::unset);
            }
            let _ = self.arm(&mut state);
            return None;
        };
        state.times.remove(&(at, purpose, token));
        Some(match purpose {
            Purpose::Due => {
                state.due.remove(&token);
                Time::Due(token)
            }
            Purpose::Back => {
                self.bring_back(&mut state, token);
                Time::Back(token)
            }
        })
    }
}

#[cfg(test)]
mod tests;
