//! Work of a room above that is done within a supervisor's looks.

use std::fmt::Debug;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::Managed;
use super::default::inner as default_inner;
use super::inner::Inner;
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::process::child::Child;
use crate::process::command::Command;

/// What an errand waits for.
#[derive(Clone, Debug)]
pub struct Wants {
    /// Descriptors to be told of when they are readable; `true`: or have room to write. At most [`MAX_FDS`].
    pub fds: Vec<(Arc<OwnedFd>, bool)>,
    /// When it is to have a turn whatever has come.
    pub due: Deadline,
}

/// How many descriptors an errand may watch.
pub const MAX_FDS: usize = 8;

/// Work that is done within a supervisor's looks.
pub trait Errand: Send + Sync + Debug {
    /// Something it wanted came, or it was poked. Never waits. `None`: it is over.
    fn turn(&self, now: i64) -> Option<Wants>;

    /// Its host goes (or it has panicked) before it was over: it has no more turns.
    fn called_off(&self) {}
}

/// An errand that was run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ErrandId(u64);

/// What became of a start.
#[derive(Debug)]
pub enum Made {
    /// It is made, or could not be.
    Now(Result<Child>),
    /// It takes its time: [`Managed::made`] follows.
    Later,
}

/// How a child gets its process, where that is not one spawn.
pub trait Start: Send + Sync + Debug {
    /// Its turn has come: a slot of the supervisor is its own.
    fn make(&self, managed: &Arc<Managed>) -> Made;

    /// It was cancelled before it had a process, also between `Later` and [`Managed::made`]. Comes once at the most.
    fn called_off(&self);
}

/// A supervisor, or the default one.
#[derive(Clone, Debug)]
pub struct Host(pub(super) Arc<Inner>);

/// The default supervisor.
pub fn default_host() -> Result<Host> {
    default_inner().map(|inner| Host(inner.clone()))
}

impl Host {
    /// Runs it; its first turn is at once.
    pub fn run(&self, errand: Arc<dyn Errand>) -> Result<ErrandId> {
        let _ = errand;
        Err(Error::new(Status::Unsupported, "errand", "not yet"))
    }

    /// It shall have a turn soon; from any thread.
    pub fn poke(&self, id: ErrandId) {
        let _ = id;
    }

    /// Begins a child whose start may take its time.
    pub fn begin(&self, command: &Command, start: Arc<dyn Start>, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let _ = (command, start, register);
        Err(Error::new(Status::Unsupported, "begin", "not yet"))
    }

    /// Looks after everything until `done` (`true`) or the deadline (`false`).
    pub fn drive(&self, deadline: Deadline, done: &dyn Fn() -> bool) -> Result<bool> {
        let _ = (deadline, done);
        Err(Error::new(Status::Unsupported, "drive", "not yet"))
    }
}

impl Managed {
    /// What `Later` promised.
    pub fn made(self: &Arc<Self>, made: Result<Arc<Child>>) {
        drop(made);
    }

    /// One whose command is ready when told is so. `true`: it stands ready.
    pub fn tell_ready(self: &Arc<Self>) -> bool {
        false
    }

    /// One whose command is ready when told never will be, for this reason; it is killed, unless it is being stopped.
    pub fn tell_failed(self: &Arc<Self>, error: Error) {
        drop(error);
    }
}
