//! What stands behind handles that is more than one object of the rooms below. Data alone: `handles.rs` knows it, and whoever knows handles may use it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::preloader::session::Arguments;
use crate::preloader::worker::Worker;
use crate::process::command::Command;

/// A command, and what the session of a worker is told that runs it.
pub(super) struct CommandObject(pub(super) Mutex<Described>);

pub(super) struct Described {
    pub command: Arc<Command>,
    pub session: Arc<Arguments>,
}

/// A worker, and the handle of its child.
pub(super) struct WorkerObject {
    pub worker: Worker,
    pub child: u64,
    /// That handle is the caller's.
    pub given: AtomicBool,
}
