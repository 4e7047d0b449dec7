//! Errands: work of a room above that is done within a supervisor's looks, so that blocking calls, `next_event` and the host's own loop all move
//! it along, without a thread. An errand is an object that has *turns*; between two of them it waits for what its last turn wanted.
//!
//! Traps.
//! - **One turn at a time.** Of several threads that find it ready one turns it. What comes meanwhile (a poke, another descriptor) means one turn
//!   more, by the same thread; and the descriptor is set aside until then, or the others would spin on it.
//! - **A turn may call back**: spawn, run, poke, tell. So it is taken with no lock held. And since a chain of errands that poke each other must not
//!   become a chain of frames, a poke within a turn is left to the look that follows, and what looks after others in passing does not do so there.
//! - **Nobody has to read.** A descriptor that is ready still after so many turns is set aside, as one that a tracer holds: the host's loop is not
//!   kept awake by who does nothing.
//! - **Who drives waits for a condition that only turns change**: every turn rings all who do (`Host::drive`).
//!
//! | file        | what                                              |
//! |-------------|---------------------------------------------------|
//! | `mod.rs`    | what the rooms above see: errands, hosts          |
//! | `turns.rs`  | turns, and what is watched between them           |
//! | `begun.rs`  | children whose start may take its time            |
//! | `told.rs`   | children that are ready when somebody above says so |
//!
//! Locks: an errand's `turning`, then the table, then the reactor's. None is held over a turn, nor over anything that takes the ledger.

mod begun;
mod told;
mod turns;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Weak};

pub(super) use self::begun::Promise;
pub use self::begun::{Child, Made, Start, spawned};
pub(super) use self::turns::{Errands, in_turn};
use super::default::{inner as default_inner, poke};
use super::inner::Inner;
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::sys::poll;

/// How many descriptors an errand may watch; more are only looked at from time to time.
pub const MAX_FDS: usize = 8;

/// What an errand waits for.
#[derive(Clone, Debug)]
pub struct Wants {
    /// Descriptors to be told of when they are readable; `true`: or have room to write. At most [`MAX_FDS`]. One that stays ready through many
    /// turns is told of from time to time only. What the supervisor itself is going to watch (a new child's pidfd) is to be a duplicate.
    pub fds: Vec<(Arc<OwnedFd>, bool)>,
    /// When it is to have a turn whatever has come.
    pub due: Deadline,
}

/// Where what a drive waits for may be heard without a look at everything else.
pub trait Shortcut {
    /// Readable when it speaks. `None`: it does not speak there (yet, or any more).
    fn socket(&self) -> Option<Arc<OwnedFd>>;
    /// Readable when who speaks there has ended: somebody else may hold the other end of that socket, and a third one reap.
    fn process(&self) -> Option<Arc<OwnedFd>> {
        None
    }
    /// One of them was readable. `false`: that has led to nothing, and it is left to the looks.
    fn take(&self) -> bool;
}

/// There is none.
struct NoShortcut;

impl Shortcut for NoShortcut {
    fn socket(&self) -> Option<Arc<OwnedFd>> {
        None
    }

    fn take(&self) -> bool {
        false
    }
}

/// Work that is done within a supervisor's looks. A forked copy of the host may drop it, and never turns it.
pub trait Errand: Send + Sync {
    /// Something it wanted came, or it was poked, or neither: turns may come for nothing. Never waits. `None`: it is over. Its locks must not be
    /// held by whoever pokes it.
    fn turn(&self, now: i64) -> Option<Wants>;

    /// Its host was closed, or a turn has panicked, before it was over: it has no more turns. Never while it has one.
    fn called_off(&self) {}
}

// Not asked of each: the library would hold, for every field of every one of them, how it is shown.
impl core::fmt::Debug for dyn Errand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Errand")
    }
}

/// An errand that was run, for its host. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ErrandId(u64);

/// A supervisor, or the default one. It does not keep a supervisor open.
#[derive(Clone, Debug)]
pub struct Host(pub(super) Arc<Inner>);

/// The default supervisor.
pub fn default_host() -> Result<Host> {
    default_inner().map(|inner| Host(inner.clone()))
}

impl Host {
    /// Whether both are one supervisor.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Runs it: its first turn is taken here and now. May be called in a turn.
    pub fn run(&self, errand: Arc<dyn Errand>) -> Result<ErrandId> {
        self.0.check()?;
        // Its times must be to be had when they are needed.
        self.0.reactor.prepare_timer().map_err(|fault| fault.error("cannot keep a deadline"))?;
        let run = self.0.errands.enter(errand)?;
        self.0.errand_entered();
        self.0.take_turn(&run, None);
        self.0.follow_pokes();
        Ok(ErrandId(run.id))
    }

    /// It shall have a turn: now if nobody is in one here, else soon. From any thread; in a turn, too, also its own. Nothing happens to one that is
    /// over.
    pub fn poke(&self, id: ErrandId) {
        if self.0.home.is_here() {
            self.0.poke_errand(id.0);
        }
    }

    /// Whether it runs still.
    pub fn runs(&self, id: ErrandId) -> bool {
        self.0.home.is_here() && self.0.errands.find(id.0).is_some()
    }

    /// Looks after everything this supervisor has, children and errands, until `done` (`true`) or the deadline (`false`); takes nobody's events.
    /// `done` is asked after every turn of an errand, whoever took it, and after [`Host::rouse`]; it must not wait. Not in a turn. An error if the
    /// supervisor is closed before it is done.
    pub fn drive(&self, deadline: Deadline, done: &dyn Fn() -> bool) -> Result<bool> {
        self.drive_by(deadline, done, &NoShortcut)
    }

    /// The same, where what is waited for may be heard at a socket: that is looked at first.
    pub fn drive_by(&self, deadline: Deadline, done: &dyn Fn() -> bool, shortcut: &dyn Shortcut) -> Result<bool> {
        let inner = &self.0;
        inner.home.check("supervisor")?;
        if in_turn() {
            return Err(Error::new(Status::Internal, "drive", "an errand would wait in its turn"));
        }
        // All was looked at when what is waited for was begun: what speaks there by now is heard before all others.
        let mut only_there = shortcut.socket().is_some();
        if !only_there {
            poke();
        }
        // A default supervisor's set is watched from now on: it may have nothing yet that it was rung for.
        inner.wake_all();
        let driver = inner.errands.drive();
        // The socket that was left to the looks, if one was. What is made in its place has another.
        let mut left: Weak<OwnedFd> = Weak::new();
        // Who speaks there has ended, and cannot be reaped here yet: it stays readable, so it is looked at from time to time.
        let mut has_ended = false;
        loop {
            if done() {
                return Ok(true);
            }
            inner.check()?;
            if !std::mem::take(&mut only_there) {
                inner.pump_watched();
                if done() {
                    return Ok(true);
                }
            }
            if deadline.has_come() {
                return Ok(false);
            }
            let watched = inner.watch();
            // Without a descriptor to be woken by: a look from time to time.
            let heard = watched.is_some() && driver.wake_up.is_some() && !has_ended;
            let until = if heard { deadline } else { deadline.min(Deadline::after(poll::PAUSE)) };
            let there = shortcut.socket().filter(|socket| !core::ptr::eq(Arc::as_ptr(socket), left.as_ptr()));
            let process = there.as_ref().filter(|_| !has_ended).and_then(|_| shortcut.process());
            let mut fds = Vec::with_capacity(4);
            fds.extend(there.iter().chain(&process).map(AsFd::as_fd));
            fds.extend(driver.wake_up.as_deref().map(AsFd::as_fd));
            fds.extend(watched);
            match (poll::wait(&fds, until).map_err(|errno| Error::system("poll", errno, "cannot wait"))?, &there) {
                // What was left to others is found by who looks after all.
                (true, Some(socket)) => {
                    only_there = shortcut.take();
                    if !only_there {
                        left = Arc::downgrade(socket);
                    }
                }
                (true, None) => driver.heard(),
                // Nothing at all to wait on.
                (false, _) if fds.is_empty() => poll::pause(deadline),
                (false, Some(_)) => {
                    has_ended |= process.is_some_and(|process| poll::is_ready(process.as_fd(), false));
                    driver.heard();
                }
                (false, None) => {}
            }
        }
    }

    /// Waits until this is readable: `true`. `false`: the deadline has come, or there is something to be looked at here.
    pub fn wait_beside(&self, fd: &OwnedFd, deadline: Deadline) -> Result<bool> {
        let failed = |errno| Error::system("poll", errno, "cannot wait");
        match self.0.watch() {
            Some(watched) => poll::wait(&[fd.as_fd(), watched], deadline).map_err(failed),
            None => poll::wait(&[fd.as_fd()], deadline.min(Deadline::after(poll::PAUSE))).map_err(failed),
        }
    }

    /// It shall have a turn then, or before: by the first look from then on.
    pub fn poke_from(&self, id: ErrandId, from: i64) {
        if self.0.home.is_here() {
            self.0.poke_errand_from(id.0, from);
        }
    }

    /// Something that a drive waits for has changed, outside a turn.
    pub fn rouse(&self) {
        if self.0.home.is_here() {
            self.0.errands.rouse();
        }
    }
}
