//! A session: one attempt to start one process of an application, and the private directory through which the two sides speak.
//!
//! The trap: from `finalize` on everything in the directory is the application's, which may be hostile, and the host may be root. So all that is read
//! later is read through descriptors that were opened before, in bounds, never through a link, never waiting (`sys/foreign_file.rs`); and what the
//! application writes can be wrong in any way and is an answer all the same.
//!
//! | file                          | what                                                                       |
//! |-------------------------------|----------------------------------------------------------------------------|
//! | `arguments.rs` `variables.rs` | what a session is told, by name and type                                   |
//! | `violations.rs`               | whether that makes sense together                                          |
//! | `predefined.rs` `port.rs`     | what nobody has to say; a free port                                        |
//! | `owner.rs` `switching.rs`     | who the process will be; who it should be, where the host has rules (pure) |
//! | `place.rs` `private.rs`       | where directories are made; one of them, and its removal                   |
//! | `layout.rs` `prepare.rs`      | what stands in it; how it is all made                                      |
//! | `stdin.rs`                    | the gate: what a worker waits at                                           |
//! | `properties.rs`               | where a process is to be found, by its own word (pure)                     |
//! | `words.rs` `response.rs`      | states, times, categories (pure); all that a process has left in writing   |
//!
//! ```text
//!   prepare --> write, mark_step --> finalize --> [the process] --> read_finish --> sockets, response --> dropped: removed
//! ```

pub mod arguments;
mod layout;
mod owner;
mod place;
mod port;
mod predefined;
mod prepare;
mod private;
pub mod properties;
mod response;
mod stdin;
mod switching;
#[cfg(test)]
mod tests;
pub mod variables;
mod violations;
pub mod words;

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub use arguments::{Arguments, Value};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
pub use owner::Owner;
pub use properties::{Socket, Violations};
pub use response::{Response, Step};
pub use violations::uses_wrapper;

use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::journey::{Journey, Progress};
use crate::lock::lock;
pub use crate::report::dumps::{Dumps, Text};
use crate::sys::tree;

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

/// The directory for a process's sockets, where the caller has named none. Dropped, it is removed: it is to live as long as who listens there.
#[derive(Debug)]
pub struct Instance(private::Private);

/// What is kept of a session that was given up: who has looked up the name of a fifo, and does not wait there yet, would wait for ever when it has no
/// name and no other end any more. Dropped, it lets through who waits at the gate.
#[derive(Debug)]
pub struct Behind {
    gate: stdin::Behind,
    /// Of what it would write to.
    _readers: [Option<Arc<OwnedFd>>; 2],
}

impl Behind {
    /// Lets through who waits at the gate; `false`: not now, for there is no descriptor or no memory for it.
    pub fn let_through(&self) -> bool {
        self.gate.let_through()
    }
}

/// One attempt. Dropped, it takes its directory away, unless the arguments say `debug_work_dir`.
#[derive(Debug)]
pub struct Session {
    layout: layout::Layout,
    purpose: Purpose,
    owner: Owner,
    arguments: Arguments,
    port: Option<u16>,
    finish: Arc<OwnedFd>,
    output: Mutex<Option<OwnedFd>>,
    stdin: Option<stdin::Gate>,
    sockets: prepare::Sockets,
    instance: Mutex<Option<Instance>>,
}

impl Session {
    /// Makes the directory and everything in it that the process finds there. The step SPAWNING_KIT_PREPARATION of the journey is begun, and
    /// ended, or failed; which steps it has says which ones the process can tell of.
    ///
    /// Takes the time of the file system, and of the search for a port where one is asked for: never beyond `until` by more than 200 ms.
    pub fn prepare(arguments: &Arguments, purpose: Purpose, owner: &Owner, until: Deadline, journey: &mut Journey) -> Result<Self> {
        prepare::prepare(arguments, purpose, owner, until, journey)
    }

    /// Where its directory is: what the process gets as PASSENGER_SPAWN_WORK_DIR.
    pub fn path(&self) -> &Path {
        self.layout.top().path()
    }

    /// The same, held.
    pub fn directory(&self) -> &OwnedFd {
        self.layout.top().directory()
    }

    /// What is started.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Who the process will be.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What was asked for, with the predefined ones.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Makes a file; it must not be there. Its directory is one of the session's own (`envdump/envvars`). Before `finalize`.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        self.layout.write(relative, bytes)
    }

    /// Writes down how far a step is that the host does for the process, by its name on the route. One that has no directory is passed over. Before
    /// `finalize`; once for each step.
    pub fn mark_step(&self, step: &str, state: Progress, begin: Option<i64>, end: Option<i64>) -> Result<()> {
        let directory = format!("response/steps/{}", step.to_ascii_lowercase());
        if self.layout.directory(&directory).is_none() {
            return Ok(());
        }
        self.write(&format!("{directory}/state"), words::state_name(state).as_bytes())?;
        for (name, time) in [("begin_time_monotonic", begin), ("end_time_monotonic", end)] {
            if let Some(time) = time {
                self.write(&format!("{directory}/{name}"), words::seconds_text(time).as_bytes())?;
            }
        }
        Ok(())
    }

    /// Gives all entries to the owner, the top last. Nothing is written after it.
    pub fn finalize(&self) -> Result<()> {
        if let Some(Instance(instance)) = &*lock(&self.instance) {
            layout::give_instance(instance, prepare::SOCKETS, &self.owner)?;
        }
        self.layout.give(&self.owner)
    }

    /// Readable when there is something to read for `read_finish`. Silent until a first writer has come.
    pub fn finish(&self) -> &Arc<OwnedFd> {
        &self.finish
    }

    /// What was said; to be asked when `finish` has become readable. Never waits.
    pub fn read_finish(&self) -> Finish {
        let mut byte = [0];
        loop {
            match read(&self.finish, &mut byte) {
                Ok(0) if self.has_left() => return Finish::Failure(None),
                Ok(0) | Err(Errno::EAGAIN) => return Finish::Nothing,
                Ok(_) if byte == *b"1" => return Finish::Success,
                Ok(_) => return Finish::Failure(Some(byte[0])),
                Err(Errno::EINTR) => {}
                Err(_) => return Finish::Failure(None),
            }
        }
    }

    /// Whether a writer was there and is no more: a read says the same, nothing, before the first one has come.
    fn has_left(&self) -> bool {
        let mut set = [PollFd::new(self.finish.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut set, PollTimeout::ZERO), Ok(1)) && set[0].revents().is_some_and(|found| found.contains(PollFlags::POLLHUP))
    }

    /// Of a worker: the reading end of its output, non-blocking. Once.
    pub fn take_output(&self) -> Option<OwnedFd> {
        lock(&self.output).take()
    }

    /// The same once more, where that was taken and is lost: not to be read, but so that a worker that is let go does not wait for a reader.
    pub fn reopen_output(&self) -> Option<OwnedFd> {
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        tree::open_within(self.directory(), prepare::OUTPUT, flags).ok()
    }

    /// Of a worker: the writing end of its input, non-blocking. Until it is opened the worker waits. Never waits itself. Once.
    pub fn open_stdin(&self) -> Result<OwnedFd> {
        match &self.stdin {
            Some(gate) => gate.open(self.directory()),
            None => Err(Error::new(Status::State, "stdin", "this session's process gets its input when it is made")),
        }
    }

    /// Of a worker that nobody waits for any more: who waits at its gate goes on, and finds an end when the first of what is answered is dropped. The
    /// second is to be kept for a while, for who is on its way to one of the fifos. Never waits. Nothing, if the gate was opened.
    pub fn give_up(&self) -> Option<(Option<OwnedFd>, Behind)> {
        let (writer, gate) = self.stdin.as_ref()?.give_up(self.directory())?;
        let readers = [self.take_output().or_else(|| self.reopen_output()).map(Arc::new), Some(self.finish.clone())];
        Some((writer, Behind { gate, _readers: readers }))
    }

    /// The port that was found for the application.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The directory that was made for the process's sockets, if the caller has named none: to be kept as long as the process lives. Once; what is
    /// not taken goes with the session.
    pub fn take_instance(&self) -> Option<Instance> {
        lock(&self.instance).take()
    }

    /// Where the process is to be found, by its own word, checked.
    pub fn sockets(&self) -> core::result::Result<Vec<Socket>, Violations> {
        self.read_sockets()
    }

    /// All that it has left in writing, as far as that can be read.
    pub fn response(&self) -> Response {
        response::read(&self.layout)
    }

    /// What is of use of that, of a process that is ready: its steps; and of a preloader what it tells of itself, which is shown when one of its
    /// workers fails (PA-80).
    pub fn response_of_ready(&self) -> Response {
        response::read_of_ready(&self.layout, self.purpose == Purpose::StartPreloader)
    }
}
