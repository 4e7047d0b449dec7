//! The process of a generation, as its supervisor has it: a child in the registry until it may own, and no child of anybody's care from then on.
//!
//! The trap: a generation that serves must outlive its supervisor, and no kill of all that are in the registry may reach it (S9). So it leaves
//! the registry ([`Process::disown`]) before it can own; what is left is its pidfd, and the duty to reap it as long as this process is its parent.
//! One that was found after a restart of ours is a stranger from the first: it is watched, and reaped by whoever is its parent, which may be this
//! process all the same ([`Process::found`]).

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::process::child::Child;
use crate::process::foreign::Foreign;
use crate::process::stop::{self, Step};
use crate::registry::{Cause, Kind};
use crate::sys::wait::Seen;
use crate::sys::{getpid, pidfd, procfs};

fn usual() -> Arc<Vec<Step>> {
    Arc::new(stop::DEFAULT.to_vec())
}

/// How a process ended, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Somebody could tell.
    pub known: bool,
    /// 0 where a signal has ended it.
    pub code: i32,
    pub signal: i32,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Process {
    /// For display.
    pub pid: i32,
    pidfd: Arc<OwnedFd>,
    process: Foreign,
    child: Option<Box<Child>>,
    /// It is being ended here: what is left of its group goes with it. One that ends by itself may have left somebody there on purpose.
    ending: bool,
    plan: Arc<Vec<Step>>,
}

impl Process {
    /// A child that was just spawned. `None`: it was reaped by somebody already.
    pub fn spawned(child: Child) -> Option<Self> {
        let (pid, pidfd) = (child.pid(), child.pidfd()?);
        Some(Self {
            pid,
            pidfd: pidfd.clone(),
            process: Foreign::leader(pid, pidfd),
            child: Some(Box::new(child)),
            ending: false,
            plan: usual(),
        })
    }

    /// One that somebody else has started.
    pub fn stranger(pid: i32, pidfd: OwnedFd) -> Self {
        let pidfd = Arc::new(pidfd);
        Self { pid, pidfd: pidfd.clone(), process: Foreign::stranger(pid, pidfd), child: None, ending: false, plan: usual() }
    }

    /// One that was found again by its record. It may be a child of this process all the same: one that an earlier program of it has started, or that
    /// it has got as a subreaper.
    pub fn found(pid: i32, pidfd: OwnedFd) -> Self {
        let is_child =
            procfs::origin(pid).is_some_and(|(parent, _)| parent == getpid()) && pidfd::number_here(pidfd.as_raw_fd()) == Some(pid);
        let mut process = Self::stranger(pid, pidfd);
        if is_child {
            process.process = Foreign::inherited(pid, process.pidfd.clone());
        }
        process
    }

    /// Readable when it has ended.
    pub fn pidfd(&self) -> &Arc<OwnedFd> {
        &self.pidfd
    }

    /// As long as it is in the registry: what it says of its readiness is asked there.
    pub fn child(&self) -> Option<&Child> {
        self.child.as_deref()
    }

    /// Whether this process has to reap it, or ends it.
    pub fn is_mine(&self) -> bool {
        self.ending || self.process.is_ours()
    }

    /// Whether it is being ended here.
    pub fn is_ending(&self) -> bool {
        self.ending
    }

    /// The proof of its death.
    pub fn is_dead(&self) -> bool {
        self.process.is_dead()
    }

    /// It may own from here on.
    pub fn disown(&mut self) {
        if let Some(child) = self.child.take() {
            child.disown();
        }
    }

    /// Sends it, and it alone, a signal.
    pub fn signal(&self, number: i32) -> bool {
        self.pid != getpid() && self.process.signal(number).is_ok()
    }

    /// Whether this process may end it, and can: who cannot be signalled would be waited for, for ever.
    pub fn check_reach(&self) -> Result<()> {
        // What is asked of this process itself is not done (`signal`).
        let answer = if self.pid == getpid() { Err(Errno::EPERM) } else { self.process.signal(0) };
        match answer {
            Err(errno @ (Errno::EPERM | Errno::ENOSYS)) if self.child.is_none() && !self.is_dead() => {
                let text = format!("process {} cannot be signalled by this one", self.pid);
                let status = if errno == Errno::EPERM { Status::Permission } else { Status::Unsupported };
                Err(Error::new(status, "pidfd_send_signal", text).with_errno(errno))
            }
            _ => Ok(()),
        }
    }

    /// Whether it stands still: stopped, by whomever, or dead.
    pub fn stands_still(&self) -> bool {
        self.is_dead() || procfs::stands_still(self.pid)
    }

    /// Begins to end it by its stop plan; `grace_ms` takes the place of the plan's first wait.
    pub fn stop(&mut self, grace_ms: i64) {
        self.ending = true;
        match &self.child {
            Some(child) => _ = child.stop(grace_ms, Cause::Stop),
            None if self.pid != getpid() => self.process.stop(self.plan.to_vec(), grace_ms, clock::now()),
            None => {}
        }
    }

    /// How it is stopped, once it is no child of the registry any more.
    pub fn set_plan(&mut self, plan: Arc<Vec<Step>>) {
        self.plan = plan;
    }

    /// That plan.
    pub fn plan(&self) -> Arc<Vec<Step>> {
        self.plan.clone()
    }

    /// The same with a signal in front that leaves a core: it has been silent for too long.
    pub fn abort(&mut self) {
        self.disown();
        self.plan = Arc::new(stop::with_abort(&self.plan));
        self.stop(-1);
    }

    /// What is left of its group goes with it, also when it ends by itself.
    pub fn sweep(&mut self) {
        self.ending = true;
    }

    /// Kills it at once, and it alone.
    pub fn kill(&mut self) {
        self.ending = true;
        match &self.child {
            Some(child) => child.kill(Cause::Stop),
            None if self.pid != getpid() => self.process.kill(),
            None => {}
        }
    }

    /// Moves its end along; how it ended, once it has. It is reaped by that, if it is ours.
    pub fn tick(&mut self) -> Option<Ended> {
        if let Some(child) = &self.child {
            child.tick();
            return match child.try_reap(true) {
                Ok(None) => None,
                Ok(Some(exit)) => Some(Ended { known: exit.kind != Kind::Lost, code: exit.code.max(0), signal: exit.signal }),
                Err(_) => Some(Ended::default()),
            };
        }
        let seen = if self.ending || !self.process.is_dead() { self.process.tick(clock::now()) } else { self.process.reap() };
        match seen {
            Seen::Running => None,
            Seen::Ended(ending) => Some(Ended { known: true, code: ending.code.max(0), signal: ending.signal }),
            Seen::Gone => Some(Ended::default()),
        }
    }

    /// When `tick` has something to do beside its end.
    pub fn due(&self) -> Deadline {
        match &self.child {
            Some(child) => child.due(),
            None => self.process.due(),
        }
    }
}
