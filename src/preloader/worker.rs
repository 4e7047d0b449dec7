//! A worker: a process that serves or is on its way there, and what came of its handshake.
//!
//! The trap: who waits for one must be woken by whichever thread's look it was that settled it, and what READY promises must stand when READY is
//! told. So the outcome is settled first and told afterwards, and a wait drives the supervisor (`Host::drive`).

use std::sync::{Arc, Mutex};

use super::follow::{Arrived, Moment};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::lock::lock;
use crate::supervisor::{Host, Managed};
use crate::sys::memory::Home;

/// Whose child a worker is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum WorkerKind {
    /// Started by itself.
    #[strum(serialize = "PS_WORKER_DIRECT")]
    Direct = 0,
    /// Forked from a preloader, whose child it is.
    #[strum(serialize = "PS_WORKER_FORKED")]
    Forked = 1,
    /// Forked from a preloader, and the host's own child (CLONE_PARENT): how it ended is known first-hand.
    #[strum(serialize = "PS_WORKER_SIBLING")]
    Sibling = 2,
}

/// What came of a start: nothing yet, or this. Whoever makes it happen settles it.
#[derive(Debug, Default)]
pub struct Outcome(Mutex<Option<Result<Arc<Arrived>>>>);

impl Outcome {
    /// The first word counts.
    pub fn settle(&self, came: Result<Arrived>) {
        let came = came.map(Arc::new);
        lock(&self.0).get_or_insert(came);
    }

    /// Whether it is over.
    pub fn is_settled(&self) -> bool {
        lock(&self.0).is_some()
    }

    /// What came of it.
    pub fn get(&self) -> Option<Result<Arc<Arrived>>> {
        lock(&self.0).clone()
    }
}

/// A process that serves, or is on its way there.
#[derive(Debug)]
pub struct Worker {
    home: Home,
    host: Host,
    managed: Arc<Managed>,
    outcome: Arc<Outcome>,
    kind: WorkerKind,
    began: Moment,
}

impl Worker {
    /// One that was begun, at that moment.
    pub fn begun(kind: WorkerKind, host: Host, managed: Arc<Managed>, outcome: Arc<Outcome>, began: Moment) -> Self {
        Self { home: Home::here(), host, managed, outcome, kind, began }
    }

    /// Its process.
    pub fn managed(&self) -> &Arc<Managed> {
        &self.managed
    }

    /// Whose child it is; that it is the host's own is known when it is ready.
    pub fn kind(&self) -> WorkerKind {
        let post = self.outcome.get().and_then(core::result::Result::ok).and_then(|arrived| arrived.post.clone());
        if post.is_some_and(|post| post.sibling) { WorkerKind::Sibling } else { self.kind }
    }

    /// Whoever looks after it.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// When its making began.
    pub fn began(&self) -> Moment {
        self.began
    }

    /// Only in the process that it was made in.
    pub fn check(&self) -> Result<()> {
        self.home.check("worker")
    }

    /// Waits until it is ready or never will be, and looks after the supervisor's other children meanwhile. An error is the spawn's own, or
    /// says that it is not ready yet.
    pub fn wait(&self, deadline: Deadline) -> Result<Arc<Arrived>> {
        self.check()?;
        if !self.outcome.is_settled() {
            self.host.drive(deadline, &|| self.outcome.is_settled())?;
        }
        let not_yet = || Err(Error::new(Status::Timeout, "wait", "the worker is not ready yet"));
        self.outcome.get().unwrap_or_else(not_yet)
    }

    /// What is known of one that is ready, or why it never will be. Without a look.
    pub fn arrived(&self) -> Result<Arc<Arrived>> {
        self.check()?;
        let not_yet = || Err(Error::new(Status::State, "worker", "the worker is not ready yet"));
        self.outcome.get().unwrap_or_else(not_yet)
    }

    /// What came of it, if it is settled.
    pub fn outcome(&self) -> Option<Result<Arc<Arrived>>> {
        self.outcome.get()
    }

    /// The way it took, ready or not.
    pub fn journey(&self) -> Result<Journey> {
        match self.arrived() {
            Ok(arrived) => Ok(arrived.journey.clone()),
            Err(error) if self.outcome.is_settled() => {
                let none = || Error::new(Status::State, "journey", "the worker was never begun");
                error.journey.as_deref().cloned().ok_or_else(none)
            }
            Err(error) => Err(error),
        }
    }
}
