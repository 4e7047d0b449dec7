//! The other process: its identity is a pidfd; what may be done to it depends on who made it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::{self, MILLI};
use crate::process::child::Child;
use crate::registry::Cause;
use crate::sys::getpid;
use crate::sys::pidfd::{self, Life, SendError};
use crate::sys::wait::{self, Seen};

/// What ties it to this process.
#[derive(Debug)]
enum Tie {
    /// A child that procsup looks after like any other.
    Child(Box<Child>),
    /// Our child, but from the commit on it goes its own way.
    Disowned,
    /// Started by anyone.
    Stranger,
}

/// The other process.
#[derive(Debug)]
pub struct Peer {
    /// For display.
    pub pid: i32,
    pidfd: Arc<OwnedFd>,
    tie: Tie,
}

impl Peer {
    /// A child that was just spawned.
    pub fn spawned(child: Child) -> Option<Self> {
        Some(Self { pid: child.pid(), pidfd: child.pidfd()?, tie: Tie::Child(Box::new(child)) })
    }

    /// A process that somebody else has started.
    pub fn stranger(pid: i32, pidfd: OwnedFd) -> Self {
        Self { pid, pidfd: Arc::new(pidfd), tie: Tie::Stranger }
    }

    /// Whether this process is not allowed to end it: then it could never be replaced if it hangs.
    pub fn is_out_of_reach(&self) -> bool {
        pidfd::signal(self.pidfd.as_raw_fd(), 0) == Err(SendError::Errno(Errno::EPERM))
    }

    /// Readable when it has ended.
    pub fn pidfd(&self) -> &Arc<OwnedFd> {
        &self.pidfd
    }

    /// The proof of its death.
    pub fn is_dead(&self) -> bool {
        pidfd::life(self.pidfd.as_raw_fd()) != Life::Running
    }

    /// From now on it is no child to be swept.
    pub fn disown(&mut self) {
        if let Tie::Child(child) = &self.tie {
            child.disown();
            self.tie = Tie::Disowned;
        }
    }

    /// Kills it, and it alone.
    pub fn kill(&self) {
        // Two generations in one process: for tests of a server. To end the one is to end both.
        if self.pid == getpid() {
            return;
        }
        let ours = !matches!(self.tie, Tie::Stranger);
        // A host that ignores SIGCHLD has its children reaped at once: then the number may be another's.
        signal(&self.pidfd, self.pid, libc::SIGKILL, ours && !self.is_dead());
    }

    /// Lets it end if this process has made it; what is left to do for that.
    pub fn dismiss(self) -> Option<Leaving> {
        match self.tie {
            Tie::Child(child) => {
                let _ = child.stop(-1, Cause::Stop);
                Some(Leaving { pidfd: self.pidfd, pid: self.pid, how: How::Child(child), again: None })
            }
            Tie::Disowned => {
                // Where it was reaped already its number may be another's.
                if !self.is_dead() {
                    signal(&self.pidfd, self.pid, libc::SIGTERM, true);
                }
                Some(Leaving { pidfd: self.pidfd, pid: self.pid, how: How::Bare { kill_at: clock::now() + GRACE }, again: None })
            }
            Tie::Stranger => None,
        }
    }
}

/// What a disowned successor has between TERM and KILL.
const GRACE: i64 = 2_000 * MILLI;

/// `ours`: a child that nobody has reaped, so its number cannot be another's.
fn signal(pidfd: &OwnedFd, pid: i32, number: i32, ours: bool) {
    if pidfd::signal(pidfd.as_raw_fd(), number) == Err(SendError::Unavailable) && ours {
        let _ = pidfd::kill_number(pid, number);
    }
}

#[derive(Debug)]
enum How {
    Child(Box<Child>),
    Bare { kill_at: i64 },
}

/// A successor that is not needed, on its way out.
#[derive(Debug)]
pub struct Leaving {
    pidfd: Arc<OwnedFd>,
    pid: i32,
    how: How,
    /// It has ended and cannot be reaped yet: when to look again.
    pub again: Option<i64>,
}

impl Leaving {
    /// Readable when it has ended.
    pub fn pidfd(&self) -> &Arc<OwnedFd> {
        &self.pidfd
    }

    /// Moves its end along; `true` when it was reaped.
    pub fn tick(&mut self, now: i64) -> bool {
        match &mut self.how {
            How::Child(child) => {
                child.tick();
                !matches!(child.try_reap(false), Ok(None))
            }
            How::Bare { kill_at } => {
                let fd = self.pidfd.as_raw_fd();
                if wait::look(fd, self.pid) == Seen::Running {
                    if now >= *kill_at {
                        signal(&self.pidfd, self.pid, libc::SIGKILL, true);
                        *kill_at = now + GRACE;
                    }
                    return false;
                }
                // The rest of its group, while the zombie pins the number.
                if pidfd::signal_group(fd, libc::SIGKILL) == Err(SendError::Unavailable)
                    && matches!(wait::look(fd, self.pid), Seen::Ended(_))
                {
                    let _ = pidfd::kill_number(-self.pid, libc::SIGKILL);
                }
                wait::reap(fd, self.pid) != Seen::Running
            }
        }
    }

    /// When it is to be looked at again by the clock.
    pub fn due(&self) -> Option<i64> {
        let due = match &self.how {
            How::Child(child) => child.due().nanos(),
            How::Bare { kill_at } => Some(*kill_at),
        };
        [due, self.again].into_iter().flatten().min()
    }

    /// Kills it now.
    pub fn kill(&mut self) {
        match &mut self.how {
            How::Child(child) => child.kill(Cause::Shutdown),
            How::Bare { kill_at } => *kill_at = 0,
        }
    }
}
