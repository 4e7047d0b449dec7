//! The end of a child: reaped by whoever comes first, recorded once, released once; and the waits for that.
//!
//! The exit is state, not a message: whoever asks, in whatever thread and how often, gets the same record until the handle
//! is gone. `settle` is the one place where what a child owned is released: the registry slot, the pidfd, the sandbox, its
//! descriptors; it runs exactly once, under the lock of `life`.
//!
//! Who may reap: any thread here, a signal handler through the registry, a host that waits for everything. All of them end
//! in a published slot; this file turns that into the record and the release.

use std::num::NonZero;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use nix::errno::Errno;

use super::{Child, Life, keep_open, wanting};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::belongings::Resources;
use crate::registry::{Exit, Lease, Reaped, Slot};
use crate::sys::poll::{self, ProcessWait};

/// Reaps, without those who were to and have not for long enough.
fn reap_slot(slot: Slot, ended: bool, life: &mut Life) -> Reaped {
    let reaped = slot.try_reap(ended);
    if reaped != Reaped::Elsewhere {
        return reaped;
    }
    let now = clock::now();
    let since = life.elsewhere_since.get_or_insert(NonZero::new(now).unwrap_or(NonZero::<i64>::MIN)).get();
    if now - since > slot.patience() { slot.reap_alone() } else { reaped }
}

/// Until when one waits at the most: without a descriptor to be woken by, a look from time to time.
fn soon(wakes: bool) -> Deadline {
    if wakes { Deadline::NEVER } else { Deadline::after(poll::PAUSE) }
}

/// Where it stands for who waits.
enum Glance {
    Over(Exit),
    /// What it owned is being released.
    Ends,
    /// Until then nobody needs to look.
    Runs(Arc<OwnedFd>, Deadline),
}

impl Glance {
    fn watched(self) -> (Option<Arc<OwnedFd>>, Deadline) {
        match self {
            Self::Runs(pidfd, due) => (Some(pidfd), due),
            Self::Over(_) | Self::Ends => (None, Deadline::NEVER),
        }
    }
}

impl Child {
    /// Nothing is read, heard or told of it before its end: as of most. Then a wait is for its end, and its times.
    fn is_plain(&self) -> bool {
        self.rare.as_deref().is_none_or(|rare| {
            rare.output.is_none() && rare.feed.is_none() && rare.terminal.is_none() && rare.readying.is_none() && rare.stops.is_none()
        })
    }

    fn glance(&self) -> Glance {
        let life = lock(&self.life);
        match (&life.exit, &life.pidfd) {
            (Some(exit), _) => Glance::Over(**exit),
            (None, None) => Glance::Ends,
            (None, Some(pidfd)) => Glance::Runs(pidfd.clone(), life.due()),
        }
    }

    /// The exit record if it has ended; reaps and releases. Never blocks. `read`: reads what it has said so far.
    pub fn try_reap(&self, read: bool) -> Result<Option<Exit>> {
        self.check()?;
        if let Some(output) = self.rare().output.as_ref().filter(|_| read) {
            lock(output).drain(self.look_size());
        }
        self.reap_if(None)
    }

    /// What it was to put in place shall not be: it was never wanted.
    pub fn discard_output(&self) {
        let file = lock(&self.life).resources.as_mut().and_then(|resources| resources.take_file());
        drop(file);
    }

    /// The same when its pidfd was seen readable, by then.
    pub fn reap_ended(&self, seen: i64) -> Result<Option<Exit>> {
        self.reap_if(Some(seen))
    }

    /// `seen`: when it was known to have ended, at the latest; where nobody has looked at the clock for that, its record says so.
    fn reap_if(&self, seen: Option<i64>) -> Result<Option<Exit>> {
        self.check()?;
        let ended = seen.is_some();
        self.read_last_signs(ended);
        let (mut exit, pidfd, resources, lease) = {
            let mut life = lock(&self.life);
            let slot = life.lease.as_ref().and_then(Lease::slot);
            match slot {
                Some(slot) if reap_slot(slot, ended, &mut life) == Reaped::Published => {
                    // Read before the slot is retired: the next child writes its own there.
                    let exit = slot.exit();
                    let (pidfd, resources, lease) = self.settle(&mut life);
                    (exit, pidfd, resources, lease)
                }
                _ => return Ok(life.exit.as_deref().copied()),
            }
        };
        // Closing and removing may take the file system's time: not under the lock. But nobody sees the exit before it is done.
        // Neither is a frame waited for there that has not come back.
        if let Some(lease) = lease
            && !lease.retire()
        {
            keep_open(pidfd.as_ref(), resources.as_deref());
        }
        drop(pidfd);
        let dead = seen.unwrap_or(i64::MAX).min(exit.ended_ns);
        wanting::tell(&mut exit, resources.as_deref().and_then(|resources| resources.cgroup.as_ref()), dead);
        self.end_terminal();
        let complaint = resources.and_then(|resources| resources.release(&mut exit)).map(Box::new);
        let awaited = {
            let mut life = lock(&self.life);
            life.complaint = complaint;
            life.exit = Some(Box::new(exit));
            life.awaiting != 0
        };
        // Ringing is a system call, heard or not.
        if awaited {
            self.settled.notify_all();
        }
        Ok(Some(exit))
    }

    /// The one release: who took the lease does it. Answers what is to be dropped outside the lock.
    fn settle(&self, life: &mut Life) -> (Option<Arc<OwnedFd>>, Option<Box<Resources>>, Option<Lease>) {
        if let Some(output) = &self.rare().output {
            lock(output).finish(!self.sweep);
        }
        if let Some(feed) = &self.rare().feed {
            lock(feed).discard();
        }
        if let Some(cgroup) = life.cgroup().filter(|_| self.sweep) {
            cgroup.group().kill();
        }
        if let Some(readying) = &self.rare().readying {
            lock(readying).end(self.whom(life, true), clock::now());
        }
        (life.pidfd.take(), life.resources.take(), life.lease.take())
    }

    /// Another thread is releasing what the child owned: waits for that.
    pub(super) fn await_settled(&self, deadline: Deadline) {
        let mut life = lock(&self.life);
        life.awaiting += 1;
        let busy = |life: &mut Life| life.exit.is_none();
        let limit = Duration::from_nanos(deadline.left(clock::now()) as u64);
        let waited = self.settled.wait_timeout_while(life, limit, busy);
        waited.unwrap_or_else(PoisonError::into_inner).0.awaiting -= 1;
    }

    /// What outlasted this process could not be removed with its child, for this reason.
    pub fn note_removal(&self, errno: Errno) {
        if let Some(exit) = &mut lock(&self.life).exit {
            exit.removal = Some(errno);
        }
    }

    /// Why its output could not be put in place, once it has ended.
    pub fn complaint(&self) -> Option<Error> {
        lock(&self.life).complaint.as_deref().cloned()
    }

    /// Waits for the end, driving ladder, deadline and output meanwhile. `also` (asked before each sleep) is watched too, and
    /// `pump` called after each. `None`: the deadline came first, or (`give_up`) the stop plan is through and the child still there.
    pub fn wait<'a>(
        &self,
        deadline: Deadline,
        give_up: bool,
        also: impl Fn() -> Option<BorrowedFd<'a>>,
        pump: impl Fn(),
    ) -> Result<Option<Exit>> {
        if self.is_plain() {
            return self.wait_plain(deadline, give_up, &also, &pump);
        }
        let mut process = ProcessWait::default();
        let mut ended = false;
        // A wait that may block begins with the poll: most children have not ended yet.
        let mut look = !deadline.is_never();
        loop {
            if let Some(output) = &self.rare().output {
                lock(output).drain(1 << 20);
            }
            if (look || ended || self.exit().is_some())
                && let Some(exit) = self.reap_if(ended.then_some(i64::MAX))?
            {
                return Ok(Some(exit));
            }
            look = true;
            self.check()?;
            self.tick();
            if self.has_news() {
                pump();
            }
            if deadline.has_come() || (give_up && self.is_unkillable()) {
                return Ok(None);
            }
            let Some(pidfd) = self.pidfd() else {
                self.await_settled(deadline);
                continue;
            };
            let (pipes, (by, socket)) = (self.pipes(), self.signs());
            let mut watched = vec![pidfd.as_fd()];
            watched.extend(pipes.iter().flatten().map(|pipe| pipe.as_fd()));
            watched.extend(by.iter().filter(|(_, writing)| !writing).map(|(fd, _)| fd.as_fd()));
            watched.extend(socket.iter().map(|fd| fd.as_fd()));
            let beside = also();
            watched.extend(beside);
            let until = deadline.min(self.due()).min(soon(beside.is_some()));
            ended = process.wait(&watched, until).map_err(|errno| Error::system("poll", errno, "cannot wait"))?;
            pump();
        }
    }

    /// The same of one that is waited for by its end and its times alone.
    fn wait_plain<'a>(
        &self,
        deadline: Deadline,
        give_up: bool,
        also: &dyn Fn() -> Option<BorrowedFd<'a>>,
        pump: &dyn Fn(),
    ) -> Result<Option<Exit>> {
        let (mut process, mut ended, mut look) = (ProcessWait::default(), false, !deadline.is_never());
        loop {
            if (look || ended)
                && let Some(exit) = self.reap_if(ended.then_some(i64::MAX))?
            {
                return Ok(Some(exit));
            }
            look = true;
            self.check()?;
            let (pidfd, due) = match self.glance() {
                Glance::Over(exit) => return Ok(Some(exit)),
                Glance::Runs(_, due) if due.has_come() => {
                    self.tick();
                    self.glance().watched()
                }
                running => running.watched(),
            };
            if deadline.has_come() || (give_up && self.is_unkillable()) {
                return Ok(None);
            }
            let Some(pidfd) = pidfd else {
                self.await_settled(deadline);
                continue;
            };
            let beside = also();
            let watched = [pidfd.as_fd(), beside.unwrap_or(pidfd.as_fd())];
            let until = deadline.min(due).min(soon(beside.is_some()));
            let watched = &watched[..1 + usize::from(beside.is_some())];
            ended = process.wait(watched, until).map_err(|errno| Error::system("poll", errno, "cannot wait"))?;
            pump();
        }
    }
}
