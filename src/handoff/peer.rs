//! The other process: what may be done to it depends on who made it (`process/foreign.rs`).
//!
//! The trap: one that has crashed is not dead before its core is written, which may take minutes, and until then its channel is open and its pidfd
//! silent. It runs no more, so it counts as dead; but a kill would cut its core.
//!
//! The other trap: before Linux 6.5 a pidfd of who speaks is opened by his number, which may be another's by then. His start time tells, if both
//! sides can read it: not below a root without /proc. Where nobody can tell, what he sends afterwards does: the kernel names its sender, and who has
//! the number then is the one behind the pidfd. Or that one has ended, and the number, which no pidfd holds, has come round: then a kill through the
//! pidfd is none. Until such a message he is not killed; nor is one admitted who has said it before the pidfd was opened, as another may have had his
//! number then.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::{self, Deadline};
use crate::process::child::Child;
use crate::process::foreign::Foreign;
use crate::process::stop;
use crate::registry::Cause;
use crate::sys::wait::Seen;
use crate::sys::{getpid, procfs, socket};

/// The other process.
#[derive(Debug)]
pub struct Peer {
    /// For display.
    pub pid: i32,
    pidfd: Arc<OwnedFd>,
    process: Foreign,
    /// It is looked after like any other child, until the commit, from which on it goes its own way.
    child: Option<Box<Child>>,
    /// It is known to be the process behind the pidfd.
    certain: bool,
}

/// Who speaks on this socket under this number, and began then, as he says himself: a pidfd, and whether it is certain that it is his. `None`: it is
/// another's, he has ended.
pub fn identify(socket: impl AsFd, pid: i32, start: Option<u64>) -> Result<Option<(OwnedFd, bool)>, Errno> {
    let (pidfd, exact) = socket::peer_pidfd(socket, pid)?;
    let said = start.filter(|start| *start != 0);
    let is_he = if exact { Some(true) } else { said.zip(procfs::start_time(pid)).map(|(said, found)| said == found) };
    Ok((is_he != Some(false)).then_some((pidfd, is_he.is_some())))
}

impl Peer {
    /// A child that was just spawned.
    pub fn spawned(child: Child) -> Option<Self> {
        let (pid, pidfd) = (child.pid(), child.pidfd()?);
        Some(Self { pid, pidfd: pidfd.clone(), process: Foreign::leader(pid, pidfd), child: Some(Box::new(child)), certain: true })
    }

    /// A process that somebody else has started, as [`identify`] has found it.
    pub fn stranger(pid: i32, (pidfd, certain): (OwnedFd, bool)) -> Self {
        let pidfd = Arc::new(pidfd);
        Self { pid, pidfd: pidfd.clone(), process: Foreign::stranger(pid, pidfd), child: None, certain }
    }

    /// It has sent a message that it cannot have sent before the pidfd was opened: nothing lay in the channel then.
    pub fn has_answered(&mut self) {
        self.certain = true;
    }

    /// Whether this process cannot end it: a kill would be none.
    pub fn is_out_of_reach(&self) -> bool {
        !self.certain || !self.process.can_be_signalled()
    }

    /// Whether this process has started it, and may end it as any child.
    pub fn is_made_here(&self) -> bool {
        self.child.is_some()
    }

    /// Readable when it has ended.
    pub fn pidfd(&self) -> &Arc<OwnedFd> {
        &self.pidfd
    }

    /// The proof of its death.
    pub fn is_dead(&self) -> bool {
        self.process.is_dead()
    }

    /// As good as dead.
    pub fn is_dumping(&self) -> bool {
        self.pid != getpid() && self.process.is_dumping()
    }

    /// On the way to that: to end it would only cut its core.
    fn writes_core(&self) -> bool {
        self.pid != getpid() && self.process.writes_core()
    }

    /// From now on it is no child to be swept.
    pub fn disown(&mut self) {
        if let Some(child) = self.child.take() {
            child.disown();
        }
    }

    /// Kills it, and it alone.
    pub fn kill(&self) {
        // Two generations in one process: for tests of a server. To end the one is to end both.
        if self.certain && self.pid != getpid() && !self.writes_core() {
            self.process.kill();
        }
    }

    /// Lets it end if this process has made it; what is left to do for that. One that dumps its core needs nothing but to be reaped.
    pub fn dismiss(mut self) -> Option<Leaving> {
        let ends = self.writes_core();
        let how = match self.child {
            Some(child) => {
                if !ends {
                    let _ = child.stop(-1, Cause::Stop);
                }
                How::Child(child)
            }
            None if self.process.is_ours() => {
                if !ends {
                    self.process.stop(&stop::DEFAULT[..], -1, clock::now());
                }
                How::Bare(self.process)
            }
            None => return None,
        };
        Some(Leaving { pidfd: self.pidfd, how })
    }

    /// Lets it go its own way. What is left to do if this process is its parent: nobody else can reap it as long as this one lives.
    pub fn release(mut self) -> Option<Leaving> {
        self.disown();
        let (pidfd, process) = (self.pidfd, self.process);
        process.is_ours().then_some(Leaving { pidfd, how: How::Released(process) })
    }
}

#[derive(Debug)]
enum How {
    Child(Box<Child>),
    Bare(Foreign),
    /// It owns, or has owned: it ends when it likes, and its group is its own.
    Released(Foreign),
}

/// A successor of which only the end is awaited here: one that is not needed, on its way out, or one that has gone its own way.
#[derive(Debug)]
pub struct Leaving {
    pidfd: Arc<OwnedFd>,
    how: How,
}

impl Leaving {
    /// Readable when it has ended.
    pub fn pidfd(&self) -> &Arc<OwnedFd> {
        &self.pidfd
    }

    /// Moves its end along; `true` when it was reaped.
    pub fn tick(&mut self) -> bool {
        match &mut self.how {
            How::Child(child) => {
                child.tick();
                !matches!(child.try_reap(false), Ok(None))
            }
            How::Bare(process) => process.tick(clock::now()) != Seen::Running,
            How::Released(process) => process.reap() != Seen::Running,
        }
    }

    /// Whether it is on its way out, and is ended here.
    pub fn is_ending(&self) -> bool {
        !matches!(self.how, How::Released(_))
    }

    /// When it is to be looked at again by the clock.
    pub fn due(&self) -> Deadline {
        match &self.how {
            How::Child(child) => child.due(),
            How::Bare(process) | How::Released(process) => process.due(),
        }
    }

    /// Kills it now, unless it dumps its core.
    pub fn kill(&mut self) {
        if procfs::writes_core(self.pidfd.as_raw_fd()) {
            return;
        }
        match &mut self.how {
            How::Child(child) => child.kill(Cause::Shutdown),
            How::Bare(process) => process.kill(),
            How::Released(_) => {}
        }
    }

    /// It is nobody's from here on.
    pub fn let_go(self) {
        if let How::Child(child) = self.how {
            child.disown();
        }
    }
}
