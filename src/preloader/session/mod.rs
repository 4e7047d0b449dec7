//! A session: one attempt to start one process of an application, and the private directory through which the two sides speak.

mod arguments;
mod owner;
mod properties;
mod response;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

pub use arguments::{Arguments, Value};
pub use owner::Owner;
pub use properties::{Socket, Violations};
pub use response::{Response, Step};

use crate::clock::Deadline;
use crate::error::Result;
use crate::journey::{Journey, Progress};
pub use crate::report::dumps::{Dumps, Text};

/// What is started in a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// An application, by itself: SPAWN_DIRECTLY.
    Direct,
    /// A preloader: START_PRELOADER.
    StartPreloader,
    /// A worker, by a preloader: SPAWN_THROUGH_PRELOADER.
    Worker,
}

/// What the process has said through the finish FIFO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// Nothing yet.
    Nothing,
    /// It is ready.
    Success,
    /// It is not and will not be: this byte, or an end without one.
    Failure(Option<u8>),
}

/// One attempt. Dropped, it takes its directory away, unless the arguments say `debug_work_dir`.
#[derive(Debug)]
pub struct Session {
    finish: Arc<OwnedFd>,
}

impl Session {
    /// Makes the directory and everything in it that the process finds there. The step SPAWNING_KIT_PREPARATION of the journey is begun, and
    /// ended, or failed.
    pub fn prepare(arguments: &Arguments, purpose: Purpose, owner: &Owner, until: Deadline, journey: &mut Journey) -> Result<Self> {
        let _ = (arguments, purpose, owner, until, journey);
        unimplemented!()
    }

    /// Where its directory is: what the process gets as PASSENGER_SPAWN_WORK_DIR.
    pub fn path(&self) -> &Path {
        unimplemented!()
    }

    /// The same, held.
    pub fn directory(&self) -> &OwnedFd {
        unimplemented!()
    }

    /// What is started.
    pub fn purpose(&self) -> Purpose {
        unimplemented!()
    }

    /// Who the process will be.
    pub fn owner(&self) -> &Owner {
        unimplemented!()
    }

    /// What was asked for, with the predefined ones.
    pub fn arguments(&self) -> &Arguments {
        unimplemented!()
    }

    /// Makes a file; it must not be there. Its directory is one of the session's own (`envdump/envvars`). Before `finalize`.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        let _ = (relative, bytes);
        unimplemented!()
    }

    /// Writes down how far a step is that the host does for the process, by its name on the route. One that has no directory is passed over. Before
    /// `finalize`; once for each step.
    pub fn mark_step(&self, step: &str, state: Progress, begin: Option<i64>, end: Option<i64>) -> Result<()> {
        let _ = (step, state, begin, end);
        unimplemented!()
    }

    /// Gives all entries to the owner, the top last. Nothing is written after it.
    pub fn finalize(&self) -> Result<()> {
        unimplemented!()
    }

    /// Readable when there is something to read for `read_finish`. Silent until a first writer has come.
    pub fn finish(&self) -> &Arc<OwnedFd> {
        &self.finish
    }

    /// What was said; to be asked when `finish` has become readable. Never waits.
    pub fn read_finish(&self) -> Finish {
        unimplemented!()
    }

    /// Of a worker: the reading end of its output, non-blocking. Once.
    pub fn take_output(&self) -> Option<OwnedFd> {
        unimplemented!()
    }

    /// Of a worker: the writing end of its input, non-blocking. Until it is opened the worker waits. Never waits itself.
    pub fn open_stdin(&self) -> Result<OwnedFd> {
        unimplemented!()
    }

    /// The port that was found for the application.
    pub fn port(&self) -> Option<u16> {
        unimplemented!()
    }

    /// Where the process is to be found, by its own word, checked.
    pub fn sockets(&self) -> core::result::Result<Vec<Socket>, Violations> {
        unimplemented!()
    }

    /// All that it has left in writing, as far as that can be read.
    pub fn response(&self) -> Response {
        unimplemented!()
    }
}
