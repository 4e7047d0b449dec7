//! What a handle stands for: a lock that is waited for, then held; with a descriptor for event loops.
//!
//! ```text
//!   WAITING --look: taken--> HELD --release--> RELEASED
//!      |'------look: error, the time is over--> FAILED --release--> RELEASED
//!      '--release--> RELEASED
//! ```
//!
//! Traps.
//! - **A look opens and compares files, which can take a file system's time**: no mutex is held meanwhile. Who looks takes the attempt out; another thread
//!   that comes then has nothing to do, and a release that comes then is found by the one who looks, who lets go what he has got.
//! - **The descriptor is silent while there is nothing to do**: readable when the watch or the clock says so, or a result waits. A watch that is told
//!   without end is set aside (`pace.rs`).
//! - **The lock is a copy's, too**, after a fork: all is noted in a custody, by the name of the handle ([`Claim::give_back`]).

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::attempt::Attempt;
use super::held::SpawnLock;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::custody::{self, Custody};
use crate::sys::memory::Home;
use crate::sys::poll::Patience;
use crate::sys::reactor::{Reactor, Shape, Token};

const WATCH: Token = Token(0);

/// What an event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum EventKind {
    /// The lock is held.
    #[strum(serialize = "PS_SPAWN_LOCK_ACQUIRED")]
    Acquired = 1,
    /// It is not, and it is waited for no more; status says why.
    #[strum(serialize = "PS_SPAWN_LOCK_FAILED")]
    Failed = 2,
}

/// What came of a wait, told once.
#[derive(Clone, Debug)]
pub enum Event {
    /// The lock is held.
    Acquired,
    /// It is not, and will not be.
    Failed(Box<Error>),
}

#[derive(Debug)]
enum State {
    Waiting(Box<Attempt>),
    /// A thread has the attempt.
    Looking,
    Held(Arc<SpawnLock>),
    Failed(Box<Error>),
    Released,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// What waits to be told.
    untold: Option<Event>,
    /// What the reactor watches.
    watch: Option<Arc<OwnedFd>>,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Claim {
    inner: Mutex<Inner>,
    /// For who waits in an event loop.
    reactor: Option<Reactor>,
    custody: Custody,
    home: Home,
}

impl Claim {
    /// Takes the lock, and waits for it: [`SpawnLock::acquire`].
    pub fn acquire(path: &Path, timeout_ms: i64) -> Result<Self> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        let custody = Custody::new();
        let held = SpawnLock::acquire_noted(path, deadline, custody)?;
        Ok(Self::of(State::Held(Arc::new(held)), None, custody))
    }

    /// Tries, and waits without a thread: [`Claim::fd`], [`Claim::next_event`]. What no time mends is answered at once.
    pub fn begin(path: &Path, timeout_ms: i64) -> Result<Self> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        let custody = Custody::new();
        let failed = |fault: crate::sys::Fault| fault.error("cannot wait for a lock");
        let attempt = Box::new(Attempt::noted(path, deadline, custody)?);
        let reactor = Reactor::kept(Shape::Flat, custody).map_err(failed)?;
        reactor.prepare_timer().map_err(failed)?;
        reactor.wake_up().map_err(failed)?;
        let claim = Self::of(State::Waiting(attempt), Some(reactor), custody);
        claim.look()?;
        // Whether it is held or too late: to be taken as an event.
        match &lock(&claim.inner).untold {
            Some(Event::Failed(error)) if !matches!(error.status, Status::Locked | Status::LockReplaced) => return Err((**error).clone()),
            _ => {}
        }
        Ok(claim)
    }

    fn of(state: State, reactor: Option<Reactor>, custody: Custody) -> Self {
        let inner = Mutex::new(Inner { state, untold: None, watch: None });
        Self { inner, reactor, custody, home: Home::here() }
    }

    fn reactor(&self) -> Result<&Reactor> {
        self.home.check("spawn lock")?;
        self.reactor
            .as_ref()
            .ok_or_else(|| Error::new(Status::State, "spawn lock", "this lock was taken by a call that waits: it has no events"))
    }

    /// The descriptor for event loops: readable while `next_event` has something to do.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.reactor()?.fd().map_err(|fault| fault.error("cannot watch a lock"))
    }

    /// Takes what has come of the wait; looks whether the lock is to be had, if that is due. `None`: not yet, or it was told.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Event>> {
        let reactor = self.reactor()?;
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        // A handler of the host's ends it as its time does: after a last look.
        let patience = Patience::or_handler(deadline);
        loop {
            let turn = reactor.turn();
            let mut is_due = !turn.ready.is_empty();
            while turn.timer && reactor.pop_time(clock::now()).is_some() {
                is_due = true;
            }
            let is_looking = is_due && !self.look()?;
            if let Some(event) = self.take()? {
                return Ok(Some(event));
            }
            if patience.is_over() {
                return Ok(None);
            }
            if is_looking {
                patience.pause(deadline);
            }
            reactor.wait_with(&patience).map_err(|fault| fault.error("cannot wait for a lock"))?;
        }
    }

    fn take(&self) -> Result<Option<Event>> {
        let mut inner = lock(&self.inner);
        if matches!(inner.state, State::Released) {
            return Err(Error::new(Status::Shutdown, "spawn lock", "the lock was released meanwhile"));
        }
        let event = inner.untold.take();
        if event.is_some()
            && let Some(reactor) = &self.reactor
        {
            reactor.set_raised(false);
        }
        Ok(event)
    }

    /// Looks, if it is waited for. `false`: another thread does.
    fn look(&self) -> Result<bool> {
        let mut inner = lock(&self.inner);
        let mut attempt = match core::mem::replace(&mut inner.state, State::Looking) {
            State::Waiting(attempt) => attempt,
            other => {
                let is_looking = matches!(other, State::Looking);
                inner.state = other;
                return Ok(!is_looking);
            }
        };
        drop(inner);
        let looked = attempt.look();
        let mut inner = lock(&self.inner);
        // Whatever it has come to goes without the mutex.
        if matches!(inner.state, State::Released) {
            drop(inner);
            return Ok(true);
        }
        let reactor = self.reactor()?;
        let is_over = !matches!(looked, Ok(None));
        let watch = attempt.watch().filter(|_| !is_over);
        if !same(watch, inner.watch.as_ref()) {
            if inner.watch.take().is_some() {
                reactor.remove(WATCH);
            }
            // Where it cannot be had the clock alone says when.
            inner.watch = watch.filter(|watch| reactor.add(WATCH, watch).is_ok()).cloned();
        }
        let due = if is_over { Deadline::NEVER } else { attempt.next_look() };
        // There is a timer: it can want for memory only, which it had when it was first set.
        let set = reactor.set_due(WATCH, due);
        if is_over {
            // A timer that is armed still would go off once, for nothing.
            let _ = reactor.pop_time(clock::now());
        }
        let spent = match looked {
            Ok(None) if set.is_ok() => {
                inner.state = State::Waiting(attempt);
                None
            }
            Ok(Some(held)) => {
                inner.state = State::Held(Arc::new(held));
                inner.untold = Some(Event::Acquired);
                Some(attempt)
            }
            other => {
                let error = other.err().unwrap_or_else(|| crate::sys::reserve::out_of_memory(()));
                inner.state = State::Failed(Box::new(error.clone()));
                inner.untold = Some(Event::Failed(Box::new(error)));
                Some(attempt)
            }
        };
        if inner.untold.is_some() {
            reactor.set_raised(true);
        }
        drop(inner);
        drop(spent);
        Ok(true)
    }

    /// Whether it is held, and the path still names what is locked. `false`: it is waited for.
    pub fn check(&self) -> Result<bool> {
        self.home.check("spawn lock")?;
        let held = match &lock(&self.inner).state {
            State::Held(held) => held.clone(),
            State::Waiting(_) | State::Looking => return Ok(false),
            State::Failed(error) => return Err((**error).clone()),
            State::Released => return Err(Error::new(Status::Shutdown, "spawn lock", "the lock was released meanwhile")),
        };
        held.check().map(|()| true)
    }

    /// Releases the lock, or waits for it no more. A thread that waits for it hears of that.
    pub fn release(&self) {
        if !self.home.is_here() {
            return;
        }
        let mut inner = lock(&self.inner);
        let before = core::mem::replace(&mut inner.state, State::Released);
        let watch = inner.watch.take();
        inner.untold = None;
        drop(inner);
        drop(before);
        if let Some(reactor) = &self.reactor {
            reactor.forget(WATCH);
            reactor.set_raised(true);
        }
        drop(watch);
    }

    // ---- forked copies ----

    /// Under which name a copy finds what it has inherited.
    pub fn set_name(&self, name: u64) {
        self.custody.set_name(name);
    }

    /// The handle is free.
    pub fn forget_name(name: u64) {
        custody::forget_name(name);
    }

    /// In a forked copy of the host: closes what it has inherited of that claim. The lock stays its holder's.
    pub fn give_back(name: u64) {
        custody::give_back(name);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.release();
    }
}

fn same(one: Option<&Arc<OwnedFd>>, other: Option<&Arc<OwnedFd>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}
