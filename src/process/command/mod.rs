//! What shall run, and how. Every setter checks its value and leaves the command as it was when it refuses.
//!
//! A command is a description: it can be spawned any number of times, from several threads at once. Descriptors it names are
//! borrowed (looked up at each spawn), but those given by [`Command::own_fd`] move to the first child.
//!
//! | part            | file            | says                                                             |
//! |-----------------|-----------------|------------------------------------------------------------------|
//! | [`Program`]     | `program.rs`    | what is run: arguments, environment, directory                   |
//! | [`Streams`]     | `streams.rs`    | its descriptors, and what becomes of what it says                |
//! |                 | `terminal.rs`   | which terminal it has                                            |
//! |                 | `passed.rs`     | which descriptors it is given by number, each number once        |
//! | [`Identity`]    | `identity.rs`   | user, limits, group or session                                   |
//! |                 | `inheritance.rs`| what it has of its host's signals, which group it joins, who goes first when memory is out |
//! |                 | `processors.rs` | on which processors it runs, by which policy of the scheduler    |
//! |                 | `landlock.rs`   | which paths are open to it                                       |
//! |                 | `credentials.rs` | its setters for user and groups                                 |
//! | [`Lifetime`]    | `life.rs`       | stop plan and whom it reaches, deadline, survivors, restarts     |
//! | [`Gifts`]       | `belongings.rs` | what its child owns: directory, descriptors, control group       |
//! | [`Readiness`]   | `readiness.rs`  | by what its child is known to be ready                           |
//! | all at once     | `prepared.rs`  | what every spawn by a spawner would make of it anew               |
//! |                 | `lasting.rs`    | what ties a child to its host; what was lent                     |
//! |                 | `contained.rs`  | a child alone in a namespace of processes, and what that rules out |
//! |                 | `piped.rs`      | what keeps it from being a part of a pipeline                    |
//! |                 | `view.rs`       | what rooms above may read of it; another program in its place    |
//! |                 | `line.rs`       | program and arguments as a line for a shell, and of one          |

mod belongings;
mod contained;
mod credentials;
mod identity;
mod inheritance;
mod landlock;
mod lasting;
mod life;
mod line;
mod passed;
mod piped;
mod prepared;
mod processors;
mod program;
mod readiness;
mod streams;
mod terminal;
mod view;

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

pub use self::belongings::Gifts;
pub use self::identity::Identity;
pub use self::life::{Budgeted, Lifetime, PRIORITY_MAX, Restart, RestartWhen};
pub use self::prepared::{Known, Prepared};
pub use self::program::Program;
pub use self::readiness::Readiness;
pub use self::streams::{PipeDirection, Stdio, Streams};
pub(super) use self::terminal::window;
pub use super::environment::Base as EnvBase;
pub use super::scope::StopScope;
use crate::error::{Error, Result};
use crate::sys::reserve;
pub use crate::sys::spawn::Credentials;

/// A command. Cheap to clone: large parts are shared.
#[derive(Clone, Debug)]
pub struct Command {
    pub(super) program: Program,
    pub(super) streams: Streams,
    pub(super) identity: Identity,
    pub(super) lifetime: Lifetime,
    pub(super) gifts: Gifts,
    pub(super) readiness: Readiness,
    pub(super) prepared: Prepared,
}

impl Command {
    /// A command that runs `program`, searched in PATH if it holds no slash. The setters stand with their parts.
    pub fn new(program: impl AsRef<OsStr>) -> Result<Self> {
        Ok(Self {
            program: Program::new(program)?,
            streams: Streams::default(),
            identity: Identity::default(),
            lifetime: Lifetime::default(),
            gifts: Gifts::default(),
            readiness: Readiness::default(),
            prepared: Prepared::default(),
        })
    }

    /// What fails, for an error.
    pub(super) fn cannot(&self) -> String {
        format!("cannot run {}", self.shown())
    }

    /// Whether there is memory for what is copied without asking: small for every program that can be run, whatever a caller gives. (Arguments and
    /// environment may be large in earnest: those are shared, and their arrays asked for where they are made.)
    pub fn check_size(&self) -> Result<()> {
        let groups = size_of_val(self.named_groups());
        reserve::check(self.program.bytes().max(self.streams.bytes()).max(groups))
    }
}

fn c_string(step: &'static str, bytes: impl AsRef<OsStr>) -> Result<CString> {
    CString::new(bytes.as_ref().as_bytes()).map_err(|error| holds_nul(step, error.nul_position()))
}

/// No string of C holds one: it would be cut there.
fn holds_nul(step: &'static str, at: usize) -> Error {
    Error::invalid(step, format!("{step}: the string holds a NUL byte, at offset {at}"))
}
