//! The spawner's own process: a child of the host as any other, in the registry, made by the host itself.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::process::awaited::spawner_command;
use crate::process::belongings::Belongings;
use crate::process::child::Child;
use crate::process::spawn;
use crate::registry::{self, Cause};
use crate::sys::spawner::{self, Link, Outfit, Reply};
use crate::sys::{Fault, fds, poll};

/// How long a spawner may take to its first word.
const HELLO_MS: i64 = 5_000;

/// One spawner, from its start to its end.
pub(super) struct Process {
    pub link: Link,
    /// A share of the link's descriptor, to be watched.
    pub watched: Arc<OwnedFd>,
    pub child: Child,
    /// Rounds of kill-all that had begun before.
    rounds: u64,
}

impl Process {
    /// Starts one. Blocks as long as the exec of a file in memory takes.
    pub fn start() -> Result<Self> {
        let rounds = registry::rounds();
        let (link, outfit) = spawner::prepare().map_err(refused)?;
        let watched = fds::duplicate(link.fd()).map_err(Fault::of("fcntl")).map_err(refused)?;
        let command = spawner_command(Outfit::PROGRAM, &outfit.passed())?;
        let child = spawn::spawn(&command, Belongings::default()).map_err(|error| match error.errno {
            // vm.memfd_noexec, a file system of /proc that is not there, a policy.
            Some(Errno::EACCES | Errno::EPERM | Errno::ENOENT | Errno::ENOEXEC) if error.step == "exec" => {
                error.with_status(Status::Unsupported)
            }
            _ => error,
        })?;
        Ok(Self { link, watched: Arc::new(watched), child, rounds })
    }

    /// Waits until it has said that it runs. One that has not is killed.
    pub fn await_hello(&self) -> Result<()> {
        let deadline = Deadline::after(HELLO_MS * clock::MILLI);
        let failed = |status, why: &str| {
            self.end(deadline);
            Err(Error::new(status, "spawner", format!("cannot start a spawner: {why}")))
        };
        loop {
            match self.link.receive() {
                Ok(Some(Reply::Hello)) => return Ok(()),
                Ok(None) => {}
                Ok(Some(Reply::Gone)) => return failed(Status::Unsupported, "it ended at once"),
                Ok(Some(_)) => continue,
                Err(fault) => {
                    self.end(deadline);
                    return Err(fault.error("cannot start a spawner"));
                }
            }
            if deadline.has_come() {
                return failed(Status::Timeout, "it has said nothing for five seconds");
            }
            let _ = poll::wait(&[self.watched.as_fd()], deadline);
        }
    }

    /// Whether it was killed with everybody: that is no fault of its own.
    pub fn was_killed_with_all(&self) -> bool {
        registry::rounds() != self.rounds
    }

    /// Kills it. `true`: it has been reaped.
    pub fn kill(&self) -> bool {
        // Also where a signal is refused: it ends with its channel.
        self.link.shut();
        self.child.kill(Cause::Shutdown);
        matches!(self.child.try_reap(false), Ok(Some(_)))
    }

    /// Kills it, and waits until it has been reaped. `false`: the deadline came first.
    pub fn end(&self, deadline: Deadline) -> bool {
        self.kill() || matches!(self.child.wait(deadline, false, || None, || {}), Ok(Some(_)))
    }
}

fn refused(fault: Fault) -> Error {
    let error = fault.error("cannot start a spawner");
    let why = match (fault.step, fault.errno) {
        ("spawner", Errno::EINVAL) => ": children are born into another pid namespace, whose first process cannot make siblings",
        ("spawner", _) => ": this build of the library has no program for it",
        ("memfd_create", Errno::EACCES | Errno::EPERM | Errno::ENOSYS) => ": a file in memory may not be executed here (vm.memfd_noexec)",
        _ => return error,
    };
    error.with_status(Status::Unsupported).with(|it| it.message += why)
}
