//! Forks, and what is said of them.
//!
//! ```text
//!   wait for a birth --> hook: before --> threads? --> stdio flushed --> signals blocked --> fork
//!                                            |                                               |--> the copy: its gate (newborn.rs)
//!                                         REFUSED <------------- no --------------- fails? <-'--> BORN (where it is wanted), hook: in the preloader
//! ```
//!
//! A runtime that must fork by itself does the middle: [`Preload::accept`] answers which birth, [`Preload::forked`] is told what came of it, on
//! both sides.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::asked::Asked;
use super::control::cannot_watch;
use super::newborn;
use super::{Moment, Pass, Preload, Role, Stand, Way, state};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::sys::fork::{self, Side, TidAddress};
use crate::sys::signal::Blocked;
use crate::sys::wait::{self, Seen};
use crate::sys::{fds, getpid, pidfd, poll};

/// What a wait for a birth came to.
enum Next {
    Birth(Asked<Arc<OwnedFd>>),
    Stop,
    /// A handler of the application has run: it may want to do something about that.
    Interrupted,
}

impl Preload {
    /// Waits for a birth.
    #[inline(never)]
    fn await_birth(&self, deadline: Deadline) -> Result<Next> {
        loop {
            let reactor = {
                let mut guard = self.state.lock();
                let Stand::Serving(control) = &mut guard.stand else {
                    return match guard.stand {
                        Stand::Over => Ok(Next::Stop),
                        Stand::Loading(_) => Err(state("ready", "ps_preload_ready has not been called yet")),
                        _ => Err(state("role", "this process is a worker, and no preloader")),
                    };
                };
                if let Some(asked) = control.next() {
                    return Ok(Next::Birth(asked));
                }
                if control.is_stopped() {
                    return Ok(Next::Stop);
                }
                Arc::clone(control.reactor())
            };
            if deadline.has_come() {
                return Err(Error::new(Status::Timeout, "poll", "nothing was asked for in that time"));
            }
            let woken = poll::wait_or_interrupted(reactor.work().map_err(cannot_watch)?, deadline);
            let woken = woken.map_err(|errno| Error::system("poll", errno, "cannot wait for the host"))?;
            if !woken {
                return Ok(Next::Interrupted);
            }
        }
    }

    /// Makes the next worker, if one is asked for in that time. `pass`: what has to be done in the copy so that its caller finds this object.
    ///
    /// What the copy goes through is one piece of code, as small as can be: `newborn.rs`.
    #[inline(always)]
    pub fn fork(&self, timeout_ms: i64, pass: impl Pass) -> Result<Role> {
        let asked = match self.await_birth(Deadline::of_timeout("timeout_ms", timeout_ms)?) {
            Ok(Next::Birth(asked)) => asked,
            Ok(Next::Stop) => return Ok(Role::Stop),
            Ok(Next::Interrupted) => return Ok(Role::Preloader),
            // Only a look was wanted.
            Err(error) if error.status == Status::Timeout && timeout_ms == 0 => return Ok(Role::Preloader),
            Err(error) => return Err(error),
        };
        let (asked, end) = self.prepare(asked)?.parted();
        let legacy = newborn::Legacy::of(self);
        let has_hook = self.has_hook();
        let (number, goes_first) = {
            let state = &mut *self.state.lock();
            // Not where somebody waits for the next one, or for what is to be said of this one.
            let is_last = matches!(&state.stand, Stand::Serving(control) if !control.has_more());
            (state.forking.put(end), is_last && asked.hello_will_do && !asked.pooled)
        };
        let blocked = Blocked::all();
        match self.fork_itself(!asked.hello_will_do) {
            Ok((Side::Copy, own)) => {
                let link = newborn::begin_forked(self, asked, own, &legacy, pass);
                blocked.lift();
                // To free what is in it would be one more piece of code.
                std::mem::forget(legacy);
                self.become_worker(link, has_hook);
                Ok(Role::Worker)
            }
            Ok((Side::Original(pid, pidfd), own)) => {
                // Of a child of its own there is more to be done here than of a sibling.
                if own && goes_first {
                    fork::let_the_copy_go_first();
                }
                blocked.lift();
                if own || !asked.hello_will_do {
                    let pidfd = pidfd.or_else(|| pidfd::open(pid).ok());
                    self.tell(|control| control.born(asked.birth, pid, pidfd, own, !asked.hello_will_do));
                }
                fds::close_copy(&number);
                if has_hook {
                    self.call_hook(Moment::InPreloader);
                }
                Ok(Role::Preloader)
            }
            Err(errno) => {
                blocked.lift();
                let error = cannot_fork(errno);
                let end = self.state.lock().forking.take();
                if let Some(end) = end {
                    self.tell(|control| control.refuse(asked.with(end), &error));
                }
                self.call_hook(Moment::InPreloader);
                Err(error)
            }
        }
    }

    /// Makes ready for a fork, or refuses the birth.
    #[inline(never)]
    fn prepare(&self, asked: Asked<Arc<OwnedFd>>) -> Result<Asked<Arc<OwnedFd>>> {
        self.call_hook(Moment::Before);
        if let Err(error) = self.check_threads() {
            self.tell(|control| control.refuse(asked, &error));
            self.call_hook(Moment::InPreloader);
            return Err(error);
        }
        fork::flush();
        Ok(asked)
    }

    fn tell(&self, what: impl FnOnce(&mut super::Control)) {
        if let Stand::Serving(control) = &mut self.state.lock().stand {
            what(control);
        }
    }

    /// The fork, and whether the copy is this process's own child.
    /// `pidfd`: of a sibling one is wanted.
    #[inline(always)]
    fn fork_itself(&self, pidfd: bool) -> core::result::Result<(Side, bool), Errno> {
        let sibling: Option<TidAddress> = {
            let state = self.state.lock();
            state.tid.filter(|_| state.way == Way::Sibling)
        };
        if let Some(tid) = sibling {
            match fork::sibling(tid, pidfd) {
                // It may have none: an emulator, or something that has changed since.
                Err(Errno::EINVAL | Errno::ENOSYS | Errno::EPERM) => self.state.lock().tid = None,
                other => return other.map(|side| (side, false)),
            }
        }
        fork::fork().map(|side| (side, true))
    }

    #[inline(always)]
    fn become_worker(&self, link: super::Link, has_hook: bool) {
        let before = std::mem::replace(&mut self.state.lock().stand, Stand::Worker(super::Private::new(link)));
        // It was nothing: what was the original's is forgotten by now.
        std::mem::forget(before);
        if has_hook {
            self.call_hook(Moment::InWorker);
        }
    }

    /// For a runtime that forks by itself: which birth is asked for. `None`: a handler of the application has run. 0: it shall go.
    pub fn accept(&self, timeout_ms: i64) -> Result<Option<u64>> {
        if self.state.lock().accepted.is_some() {
            return Err(state("accept", "what came of the last birth has not been told: ps_preload_forked"));
        }
        let asked = match self.await_birth(Deadline::of_timeout("timeout_ms", timeout_ms)?)? {
            Next::Birth(asked) => asked,
            Next::Stop => return Ok(Some(0)),
            Next::Interrupted => return Ok(None),
        };
        let asked = self.prepare(asked)?;
        let birth = asked.birth;
        let mut state = self.state.lock();
        (state.accepted, state.maker) = (Some(asked), getpid());
        Ok(Some(birth))
    }

    fn accepted(&self, birth: u64) -> Result<Asked<Arc<OwnedFd>>> {
        let mut state = self.state.lock();
        let is_it = state.accepted.as_ref().is_some_and(|asked| asked.birth == birth);
        let taken = if is_it { state.accepted.take() } else { None };
        taken.ok_or_else(|| Error::invalid("request", format!("{birth} is not what ps_preload_accept has answered last")))
    }

    /// What came of it, in the process that has forked: the new one's number, or why there is none.
    pub fn forked(&self, birth: u64, made: core::result::Result<i32, Errno>) -> Result<()> {
        let asked = self.accepted(birth)?;
        match made {
            Ok(pid) => {
                // A child of ours, or a sibling; one that was reaped already is nobody's.
                let own = wait::look(-1, pid) != Seen::Gone;
                let pidfd = pidfd::open(pid).ok();
                self.tell(|control| control.born(birth, pid, pidfd, own, true));
            }
            Err(errno) => self.tell(|control| control.refuse(asked, &cannot_fork(errno))),
        }
        self.call_hook(Moment::InPreloader);
        Ok(())
    }

    /// The same in the new process: it waits at its gate, and is a worker when this returns.
    pub fn is_copy(&self, birth: u64, pass: impl Pass) -> Result<()> {
        let blocked = Blocked::all();
        let asked = self.accepted(birth)?;
        // The runtime's fork may have been a clone with CLONE_PARENT.
        let own = fork::parent() == self.state.lock().maker;
        let link = newborn::begin(self, asked, own, &newborn::Legacy::of(self), pass);
        blocked.lift();
        self.become_worker(link, self.has_hook());
        Ok(())
    }
}

fn cannot_fork(errno: Errno) -> Error {
    Error::system("fork", errno, "cannot make a worker")
}
