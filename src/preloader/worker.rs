//! A worker: a process that serves or is on its way there, and what came of its handshake.
//!
//! The trap: who waits for one must be woken by whichever thread's look it was that settled it, and what READY promises must stand when READY is
//! told. So the outcome is settled first and told afterwards, and a wait drives the supervisor (`Host::drive`).

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, Weak};

use super::follow::{Arrived, Moment};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::lock::lock;
use crate::supervisor::{Host, Managed, Shortcut};
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
pub struct Outcome {
    came: Mutex<Option<Result<Arc<Arrived>>>>,
    /// Where it speaks that it is waited for: who waits may look there at once.
    gate: Mutex<Option<Gate>>,
}

/// The channel of a process that is not ready yet.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The process, for whoever listens.
    pub process: u64,
    /// Not a share: it is the tie by which the process is let go.
    pub socket: Weak<OwnedFd>,
    pub listener: Weak<dyn Listens>,
    /// It was let in by who waits for it now: all else was left as it was.
    pub at_once: bool,
}

/// Who listens at gates.
pub trait Listens: Send + Sync {
    /// This process has said something. `false`: nothing that leads on, as far as can be seen at once.
    fn listen(self: Arc<Self>, process: u64) -> bool;
    /// The same, and all that follows is left to the looks of this supervisor.
    fn listen_at_once(self: Arc<Self>, process: u64, host: &Host) -> bool;
    /// Looks at all.
    fn look(self: Arc<Self>);
}

impl Outcome {
    /// The first word counts.
    pub fn settle(&self, came: Result<Arrived>) {
        let came = came.map(Arc::new);
        let gate = lock(&self.gate).take();
        drop(gate);
        lock(&self.came).get_or_insert(came);
    }

    /// Where it is to be heard from now on.
    pub fn set_gate(&self, gate: Gate) {
        let before = lock(&self.gate).replace(gate);
        drop(before);
    }

    /// Who waits may do so there alone.
    pub fn hear_at_once(&self) {
        if let Some(gate) = lock(&self.gate).as_mut() {
            gate.at_once = true;
        }
    }

    /// The same, asked.
    pub fn is_heard_at_once(&self) -> bool {
        lock(&self.gate).as_ref().is_some_and(|gate| gate.at_once)
    }

    /// Whether it is over.
    pub fn is_settled(&self) -> bool {
        lock(&self.came).is_some()
    }

    /// What came of it.
    pub fn get(&self) -> Option<Result<Arc<Arrived>>> {
        lock(&self.came).clone()
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
        self.hear_at_once(deadline)?;
        if !self.outcome.is_settled() {
            let came = self.host.drive_by(deadline, &|| self.is_settled(), self);
            if !self.outcome.is_settled() {
                self.leave();
            }
            came?;
        }
        let not_yet = || Err(Error::new(Status::Timeout, "wait", "the worker is not ready yet"));
        self.outcome.get().unwrap_or_else(not_yet)
    }

    /// Where its supervisor has seen its end, and nobody its channel's, who follows it looks for it.
    fn is_settled(&self) -> bool {
        if self.outcome.is_settled() {
            return true;
        }
        let is_heard_here = lock(&self.outcome.gate).is_some();
        if is_heard_here && self.managed.process_so_far().is_some_and(|child| child.exit().is_some()) {
            self.leave();
        }
        self.outcome.is_settled()
    }

    /// It is heard by whoever looks from now on, not by who waits alone.
    fn leave(&self) {
        let listener = lock(&self.outcome.gate).as_ref().and_then(|gate| gate.listener.upgrade());
        if let Some(listener) = listener {
            listener.look();
        }
    }

    /// One that was just let in: its word is heard before anybody looks at anything else.
    fn hear_at_once(&self, deadline: Deadline) -> Result<()> {
        let gate = lock(&self.outcome.gate).as_mut().and_then(|gate| std::mem::take(&mut gate.at_once).then(|| gate.clone()));
        let Some(gate) = gate else { return Ok(()) };
        let Some(listener) = gate.listener.upgrade() else { return Ok(()) };
        let speaks = match gate.socket.upgrade() {
            Some(socket) => self.host.wait_beside(&socket, deadline)?,
            None => false,
        };
        if !(speaks && listener.clone().listen_at_once(gate.process, &self.host)) {
            listener.look();
        }
        Ok(())
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

impl Shortcut for Worker {
    fn socket(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.outcome.gate).as_ref()?.socket.upgrade()
    }

    fn process(&self) -> Option<Arc<OwnedFd>> {
        self.managed.process_so_far()?.pidfd()
    }

    fn take(&self) -> bool {
        let gate = lock(&self.outcome.gate).clone();
        gate.and_then(|gate| Some(gate.listener.upgrade()?.listen(gate.process))).unwrap_or(false)
    }
}
