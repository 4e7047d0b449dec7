//! A worker: the process, and what came of its handshake.

use std::sync::{Arc, Mutex};

use super::follow::Arrived;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::supervisor::{Host, Managed};

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
    host: Host,
    managed: Arc<Managed>,
    outcome: Arc<Outcome>,
}

impl Worker {
    /// One that was begun.
    pub fn begun(host: Host, managed: Arc<Managed>, outcome: Arc<Outcome>) -> Self {
        Self { host, managed, outcome }
    }

    /// Its process.
    pub fn managed(&self) -> &Arc<Managed> {
        &self.managed
    }

    /// Waits until it is ready or never will be; `Err` of the spawn itself, or that it is not ready yet.
    pub fn wait(&self, deadline: Deadline) -> Result<Arc<Arrived>> {
        self.host.drive(deadline, &|| self.outcome.is_settled())?;
        self.outcome.get().unwrap_or_else(|| Err(Error::new(crate::error::Status::Timeout, "wait", "the worker is not ready yet")))
    }

    /// What is known of one that is ready; `PS_ERR_STATE` before.
    pub fn arrived(&self) -> Result<Arc<Arrived>> {
        let not_yet = || Err(Error::new(crate::error::Status::State, "worker", "the worker is not ready yet"));
        self.outcome.get().unwrap_or_else(not_yet)
    }
}
