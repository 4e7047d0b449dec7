//! Waits of one thread: poll(2), ppoll(2), sched_yield(2). What is watched for longer than one wait belongs to a `reactor`.

use core::cell::Cell;
use std::collections::TryReserveError;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::raw::{check, syscall};
use crate::clock::{self, Deadline};

/// How long what cannot be waited for is left alone before it is looked at again.
pub const PAUSE: i64 = 10 * clock::MILLI;

/// Milliseconds for the kernel: rounded up, so that no wait ends just before its deadline.
fn millis(nanos: i64) -> i32 {
    i32::try_from(nanos.saturating_add(999_999) / 1_000_000).unwrap_or(i32::MAX)
}

fn timeout(deadline: Deadline) -> PollTimeout {
    if deadline.is_never() {
        return PollTimeout::NONE;
    }
    PollTimeout::try_from(millis(deadline.left(clock::now()))).unwrap_or(PollTimeout::MAX)
}

/// How long one who waits goes on: until a moment; and, where that was asked for, until a signal handler of the host's has interrupted a wait.
///
/// The kernel says so by EINTR, whatever SA_RESTART says: poll(2) is never restarted after a handler, and always after a stop (signal(7)). A handler
/// that runs between two waits is not seen. Once one was, no more is waited: who has this takes a last look at what is there, and returns.
#[derive(Debug)]
pub struct Patience {
    deadline: Deadline,
    heeds: bool,
    interrupted: Cell<bool>,
}

impl Patience {
    /// Until then, whatever handlers run.
    pub fn until(deadline: Deadline) -> Self {
        Self { deadline, heeds: false, interrupted: Cell::new(false) }
    }

    /// Until then, or a handler.
    pub fn or_handler(deadline: Deadline) -> Self {
        Self { heeds: true, ..Self::until(deadline) }
    }

    /// When it is over; past, once a handler has ended it.
    pub fn deadline(&self) -> Deadline {
        if self.interrupted.get() { Deadline::PAST } else { self.deadline }
    }

    /// Whether it is.
    pub fn is_over(&self) -> bool {
        self.deadline().has_come()
    }

    /// Whether a handler has ended it.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted.get()
    }

    /// Waits as [`wait`] does, until `by` at the latest.
    pub fn wait<'a>(&self, fds: &[BorrowedFd<'a>], by: Deadline) -> Result<bool, Errno> {
        let entry = |fd: &BorrowedFd<'a>| PollFd::new(*fd, PollFlags::POLLIN);
        // Most wait for one or two: they need no memory.
        let (mut few, mut many);
        let set = match fds {
            [] => &mut [][..],
            [one] => {
                few = [entry(one), entry(one)];
                &mut few[..1]
            }
            [one, other] => {
                few = [entry(one), entry(other)];
                &mut few[..]
            }
            more => {
                many = more.iter().map(entry).collect::<Vec<_>>();
                &mut many[..]
            }
        };
        let until = by.min(self.deadline());
        let heeds = self.heeds_until(until);
        loop {
            match nix::poll::poll(set, timeout(until)) {
                Err(Errno::EINTR) if !heeds => {}
                Err(Errno::EINTR) => {
                    self.interrupted.set(true);
                    return Ok(false);
                }
                // The kernel is short of memory for a moment: let the caller look for himself.
                Err(Errno::ENOMEM | Errno::EAGAIN) if !self.heeds => return Ok(false),
                // More descriptors than the soft RLIMIT_NOFILE, which a host may lower at any time: look from time to time.
                Err(Errno::ENOMEM | Errno::EAGAIN | Errno::EINVAL) => {
                    self.pause(until);
                    return Ok(false);
                }
                Err(errno) => return Err(errno),
                Ok(0) if !until.has_come() => {}
                Ok(_) => return Ok(set.first().is_some_and(|first| first.any().unwrap_or(true))),
            }
        }
    }

    /// A look without a wait can have EINTR, too, and is none that a handler ends.
    fn heeds_until(&self, until: Deadline) -> bool {
        self.heeds && !until.has_come()
    }

    /// Sleeps as [`pause`] does, not past `by`.
    pub fn pause(&self, by: Deadline) {
        let nanos = by.min(self.deadline()).left(clock::now()).min(PAUSE);
        if rest(-1, nanos) == Err(Errno::EINTR) && self.heeds && nanos > 0 {
            self.interrupted.set(true);
        }
    }
}

/// Waits until one of the descriptors is readable or hung up, or the deadline has come. A signal does not end the wait.
/// Answers whether the first of them is.
pub fn wait(fds: &[BorrowedFd<'_>], deadline: Deadline) -> Result<bool, Errno> {
    Patience::until(deadline).wait(fds, deadline)
}

/// Waits until a descriptor is readable or hung up, or the deadline has come; `false`: a signal handler has run meanwhile.
pub fn wait_or_interrupted(fd: BorrowedFd<'_>, deadline: Deadline) -> Result<bool, Errno> {
    any_or_interrupted(&[fd], deadline)
}

/// The same of several: until one of them is.
pub fn any_or_interrupted(fds: &[BorrowedFd<'_>], deadline: Deadline) -> Result<bool, Errno> {
    let patience = Patience::or_handler(deadline);
    patience.wait(fds, deadline)?;
    Ok(!patience.was_interrupted())
}

/// As many descriptors as one likes, for one wait after the other: each is kept open as long as it is in here.
#[derive(Debug, Default)]
pub struct Many {
    kept: Vec<Arc<OwnedFd>>,
    set: Vec<libc::pollfd>,
}

impl Many {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.set.clear();
    }

    /// One more, before a wait.
    pub fn push(&mut self, fd: Arc<OwnedFd>) -> Result<(), TryReserveError> {
        self.set.try_reserve(1)?;
        self.kept.try_reserve(1)?;
        self.set.push(entry(fd.as_raw_fd()));
        self.kept.push(fd);
        Ok(())
    }

    /// Waits until one of these or of those beside them is readable or hung up, or the patience is over, or `by` has come. `false`: the kernel could
    /// not say (no memory; more descriptors than the soft RLIMIT_NOFILE), and after a pause each is to be looked at.
    pub fn wait(&mut self, beside: &[BorrowedFd<'_>], patience: &Patience, by: Deadline) -> Result<bool, Errno> {
        self.set.truncate(self.kept.len());
        self.set.try_reserve(beside.len()).map_err(|_| Errno::ENOMEM)?;
        self.set.extend(beside.iter().map(|fd| entry(fd.as_raw_fd())));
        let until = by.min(patience.deadline());
        let count = self.set.len() as libc::nfds_t;
        let heeds = patience.heeds_until(until);
        loop {
            let limit = i32::from(timeout(until));
            // SAFETY: so many pollfds of our own, whose descriptors are kept open meanwhile.
            match Errno::result(unsafe { libc::poll(self.set.as_mut_ptr(), count, limit) }) {
                Err(Errno::EINTR) if !heeds => {}
                Err(Errno::EINTR) => {
                    patience.interrupted.set(true);
                    return Ok(true);
                }
                Err(Errno::ENOMEM | Errno::EAGAIN | Errno::EINVAL) => {
                    patience.pause(until);
                    return Ok(false);
                }
                Err(errno) => return Err(errno),
                Ok(0) if !until.has_come() => {}
                Ok(_) => return Ok(true),
            }
        }
    }

    /// Whether this one was readable or hung up at the end of the last wait.
    pub fn is_ready(&self, index: usize) -> bool {
        self.set.get(index).is_some_and(|entry| entry.revents != 0)
    }
}

/// Waits until a descriptor takes something more. `false`: the deadline came first.
pub fn is_writable(fd: BorrowedFd<'_>, deadline: Deadline) -> Result<bool, Errno> {
    until(fd, PollFlags::POLLOUT, deadline)
}

/// Waits until nobody holds the other end of a pipe any more, whatever was written there. `false`: the deadline came first.
pub fn is_hung_up(fd: BorrowedFd<'_>, deadline: Deadline) -> Result<bool, Errno> {
    until(fd, PollFlags::empty(), deadline)
}

/// Whether a descriptor is readable (or has room, where that is asked for, too) or hung up, now.
pub fn is_ready(fd: BorrowedFd<'_>, writing: bool) -> bool {
    let what = if writing { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
    until(fd, what, Deadline::PAST).unwrap_or(false)
}

fn until(fd: BorrowedFd<'_>, what: PollFlags, deadline: Deadline) -> Result<bool, Errno> {
    loop {
        match nix::poll::poll(&mut [PollFd::new(fd, what)], timeout(deadline)) {
            Err(Errno::EINTR) => {}
            // The kernel is short of memory, or the host has lowered its limit below the descriptors it has.
            Err(Errno::ENOMEM | Errno::EAGAIN | Errno::EINVAL) if !deadline.has_come() => pause(deadline),
            Err(errno) => return Err(errno),
            Ok(0) if !deadline.has_come() => {}
            Ok(found) => return Ok(found > 0),
        }
    }
}

/// Waits, as long as it takes, until one of two descriptors is readable or hung up, and says which. For a process that has just been forked: nothing is
/// allocated, and nothing of another library called.
#[inline(always)]
pub fn either(one: RawFd, other: Option<RawFd>) -> (bool, bool) {
    let mut set = [entry(one), entry(other.unwrap_or(-1))];
    let count = if other.is_some() { 2 } else { 1 };
    loop {
        // SAFETY: two pollfds on our own stack; no limit, no mask.
        match check(unsafe { syscall!(libc::SYS_ppoll, set.as_mut_ptr(), count, 0, 0, 8) }) {
            Err(Errno::EINTR) => {}
            // As in `wait`: let the caller look for himself, from time to time.
            Err(_) => {
                wait_raw(-1, PAUSE);
                return (true, false);
            }
            Ok(_) => return (set[0].revents != 0, set[1].revents != 0),
        }
    }
}

/// Sleeps for the little while after which something that cannot be waited for is looked at again; not past the deadline.
pub fn pause(deadline: Deadline) {
    Patience::until(deadline).pause(deadline);
}

/// A wait for one process by a thread of its own, beside whatever else must go on meanwhile: poll(2), since an epoll set for one wait would
/// cost more than the wait.
///
/// The trap: a pidfd can be readable though its process cannot be reaped (a tracer holds it, or another thread is about to). Who just
/// polled again would spin. So a process that was readable and has not been taken is set aside for a little while.
#[derive(Debug, Default)]
pub struct ProcessWait {
    aside: bool,
}

impl ProcessWait {
    /// Waits as [`wait`] does; answers whether the process has ended. If it had the last time already, it is left alone for a
    /// moment, in which nothing else is looked at either.
    pub fn wait(&mut self, fds: &[BorrowedFd<'_>], deadline: Deadline) -> Result<bool, Errno> {
        self.wait_with(fds, &Patience::until(deadline), deadline)
    }

    /// The same with patience, until `by` at the latest.
    pub fn wait_with(&mut self, fds: &[BorrowedFd<'_>], patience: &Patience, by: Deadline) -> Result<bool, Errno> {
        if self.aside {
            patience.pause(by);
        }
        self.aside = patience.wait(fds, by)?;
        Ok(self.aside)
    }
}

/// Waits at most `nanos` for one descriptor, without touching errno; for signal handlers. A wrong number returns at once.
pub fn wait_raw(fd: RawFd, nanos: i64) {
    let _ = rest(fd, nanos);
}

fn rest(fd: RawFd, nanos: i64) -> Result<usize, Errno> {
    let mut set = entry(fd);
    let limit = libc::timespec { tv_sec: nanos / 1_000_000_000, tv_nsec: nanos % 1_000_000_000 };
    // SAFETY: one pollfd and one timespec on our own stack.
    check(unsafe { syscall!(libc::SYS_ppoll, &raw mut set, 1, &raw const limit, 0, 8) })
}

#[inline(always)]
const fn entry(fd: RawFd) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// Whether the other end of this number is closed, whatever is still to be read, now. For signal handlers; a wrong number counts as closed.
pub fn has_hung_up(fd: RawFd) -> bool {
    let mut set = libc::pollfd { fd, events: 0, revents: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one pollfd and one timespec on our own stack.
    unsafe { syscall!(libc::SYS_ppoll, &raw mut set, 1, &raw const now, 0, 8) > 0 }
}

/// Lets other threads run. Leaves errno alone.
pub fn relax() {
    // SAFETY: no arguments.
    unsafe { syscall!(libc::SYS_sched_yield) };
}

/// Lets other threads run until `done`, for at most so long; answers what it said last. Leaves errno alone.
pub fn relax_until(nanos: i64, mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..1000 {
        if done() {
            return true;
        }
        relax();
    }
    let limit = Deadline::after(nanos);
    while !done() {
        if limit.has_come() {
            return false;
        }
        wait_raw(-1, clock::MILLI);
    }
    true
}
