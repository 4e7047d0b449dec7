//! One worker that was asked for, whatever its preloader speaks: it waits for its place at its supervisor, then for its turn at the preloader.
//!
//! The trap: what is asked for may be called off at any moment, also while it is being made. `made` says whether it still was wanted, and the
//! first word on what came of it counts.

use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};

use super::core::{Core, Hand, Id};
use super::session::Arguments;
use super::worker::Outcome;
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::process::command::Command;
use crate::supervisor::{Host, Made, Managed, Start};

/// When it must be ready.
#[derive(Clone, Copy, Debug)]
pub enum Time {
    /// So many milliseconds after its turn has come.
    After(i64),
    /// Then.
    Until(Deadline),
}

/// One that was asked for.
#[derive(Debug)]
pub struct Request<H: Hand> {
    pub id: Id,
    core: Arc<Core<H>>,
    host: Host,
    /// As it was given: what is lent in it is so by number, and only as long as the caller's thread is in the call.
    command: Arc<Command>,
    pinned: OnceLock<Result<Arc<Command>>>,
    /// Who does nothing but wait for it.
    waits: Option<ThreadId>,
    arguments: Arguments,
    time: Time,
    until: OnceLock<Deadline>,
    managed: OnceLock<Arc<Managed>>,
    outcome: Arc<Outcome>,
}

impl<H: Hand> Request<H> {
    /// `command`: whose lent descriptors are its own ([`Command::pinned`]).
    pub fn new(id: Id, core: Arc<Core<H>>, host: Host, command: Command, arguments: Arguments, time: Time, outcome: Arc<Outcome>) -> Self {
        let command = Arc::new(command);
        let pinned = OnceLock::from(Ok(command.clone()));
        Self { pinned, ..Self::lent(id, core, host, command, arguments, time, outcome) }
    }

    /// The same with what is lent as it is, for the call of this thread: which pins it before it begins to wait for anything but what its worker says.
    pub fn lent(
        id: Id,
        core: Arc<Core<H>>,
        host: Host,
        command: Arc<Command>,
        arguments: Arguments,
        time: Time,
        outcome: Arc<Outcome>,
    ) -> Self {
        let waits = matches!(time, Time::Until(_)).then(|| thread::current().id());
        let (pinned, until, managed) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { id, core, host, command, pinned, waits, arguments, time, until, managed, outcome }
    }

    /// Whether this thread waits for it, in this very call.
    pub fn is_waited_for_here(&self) -> bool {
        self.waits.is_some_and(|thread| thread == thread::current().id())
    }

    /// What is lent is its own from now on. Whoever else does so just now is waited for: so none looks at a number when the call is over.
    pub fn pin(&self) -> Result<()> {
        self.pinned.get_or_init(|| self.command.pinned().map(Arc::new)).as_ref().map(drop).map_err(Clone::clone)
    }

    /// When its time is over.
    pub fn until(&self) -> Deadline {
        *self.until.get_or_init(|| match self.time {
            Time::After(ms) => Deadline::of_millis(ms),
            Time::Until(end) => end,
        })
    }

    /// The preloader that it was asked of.
    pub fn core(&self) -> &Arc<Core<H>> {
        &self.core
    }

    /// Whoever looks after the worker.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// What the worker is beside what the preloader makes of it.
    pub fn command(&self) -> &Command {
        match self.pinned.get() {
            Some(Ok(pinned)) => pinned,
            _ => &self.command,
        }
    }

    /// Whether what is lent in it is so by number.
    pub fn is_lent(&self) -> bool {
        self.pinned.get().is_none()
    }

    /// Arguments of its session, where there is one.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// What its handle stands for, since its turn has come.
    pub fn managed(&self) -> Option<&Arc<Managed>> {
        self.managed.get()
    }

    /// What came of it.
    pub fn outcome(&self) -> &Arc<Outcome> {
        &self.outcome
    }

    /// It gets no worker.
    pub fn fail(&self, error: Error) {
        self.outcome.settle(Err(error.clone()));
        if let Some(managed) = self.managed.get() {
            // Of one that has a process already, which is known to be none that serves.
            managed.tell_failed(error.clone());
            managed.made(Err(error));
        }
        self.host.rouse();
    }
}

/// How a child gets its process: the request, in the supervisor's hand.
#[derive(Debug)]
pub struct Asked<H: Hand>(pub Arc<Request<H>>);

impl<H: Hand> Start for Asked<H> {
    fn make(&self, managed: &Arc<Managed>) -> Made {
        let request = &self.0;
        let _ = request.managed.set(managed.clone());
        let _ = request.until();
        request.core.clone().ask(request);
        Made::Later
    }

    fn called_off(&self) {
        let request = &self.0;
        request.outcome.settle(Err(Error::new(Status::Cancelled, "spawn", "the worker was called off before it had a process")));
        request.core.call_off(request.id);
    }

    fn could_not_be_watched(&self, why: &Error) {
        self.0.outcome.settle(Err(why.clone()));
        self.0.core.call_off(self.0.id);
    }
}
