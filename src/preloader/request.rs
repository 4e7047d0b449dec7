//! One worker that was asked for, whatever its preloader speaks: it waits for its place at its supervisor, then for its turn at the preloader.
//!
//! The trap: what is asked for may be called off at any moment, also while it is being made. `made` says whether it still was wanted, and the
//! first word on what came of it counts.

use std::sync::{Arc, OnceLock};

use super::core::{Core, Hand, Id};
use super::session::Arguments;
use super::worker::Outcome;
use crate::clock::Deadline;
use crate::error::{Error, Status};
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
    command: Command,
    arguments: Arguments,
    time: Time,
    until: OnceLock<Deadline>,
    managed: OnceLock<Arc<Managed>>,
    outcome: Arc<Outcome>,
}

impl<H: Hand> Request<H> {
    pub fn new(id: Id, core: Arc<Core<H>>, host: Host, command: Command, arguments: Arguments, time: Time, outcome: Arc<Outcome>) -> Self {
        let (until, managed) = (OnceLock::new(), OnceLock::new());
        Self { id, core, host, command, arguments, time, until, managed, outcome }
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
        &self.command
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
