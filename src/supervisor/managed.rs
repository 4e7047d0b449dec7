//! One child under a supervisor: what a child handle in C stands for.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::{Inner, poke};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::process::child::{Child, State};
use crate::registry::{Cause, Exit};
use crate::sys::clone::Path;
use crate::sys::fds;

/// A child and the supervisor that looks after it.
#[derive(Debug)]
pub struct Managed {
    child: Child,
    supervisor: Arc<Inner>,
    token: AtomicU64,
    user_data: u64,
    /// Its place in the books; 0: none yet.
    key: AtomicU64,
    exit_taken: AtomicBool,
    let_go: AtomicBool,
    /// Threads that wait for it.
    waiting: AtomicU32,
}

impl Managed {
    pub(super) fn new(child: Child, supervisor: Arc<Inner>, user_data: u64) -> Self {
        Self {
            child,
            supervisor,
            token: AtomicU64::new(0),
            user_data,
            key: AtomicU64::new(0),
            exit_taken: AtomicBool::new(false),
            let_go: AtomicBool::new(false),
            waiting: AtomicU32::new(0),
        }
    }

    pub(super) fn child(&self) -> &Child {
        &self.child
    }

    pub(super) fn key(&self) -> u64 {
        self.key.load(Ordering::Acquire)
    }

    pub(super) fn set_key(&self, key: u64) {
        self.key.store(key, Ordering::Release);
    }

    /// The owner has seen the exit and let the child go: its events are of no use.
    pub(super) fn is_forgotten(&self) -> bool {
        self.let_go.load(Ordering::Acquire) && self.exit_taken.load(Ordering::Acquire)
    }

    /// The word given to `spawn`.
    pub fn token(&self) -> u64 {
        self.token.load(Ordering::Acquire)
    }

    pub(super) fn set_token(&self, token: u64) {
        self.token.store(token, Ordering::Release);
    }

    /// The word given to the command.
    pub fn user_data(&self) -> u64 {
        self.user_data
    }

    /// The process id, for display only.
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Which tier made it.
    pub fn spawn_path(&self) -> Path {
        self.child.spawn_path()
    }

    /// Where it stands, after a look at it.
    pub fn state(&self) -> Result<State> {
        self.look()?;
        Ok(self.child.state())
    }

    /// A duplicate of its pidfd; an error once its exit has been taken.
    pub fn pidfd(&self) -> Result<OwnedFd> {
        self.child.check()?;
        let pidfd = self.child.pidfd().ok_or_else(|| Error::new(Status::Exited, "pidfd", format!("process {} has ended", self.pid())))?;
        fds::duplicate(&pidfd).map_err(|errno| Error::system("fcntl", errno, "cannot duplicate a pidfd"))
    }

    /// Our end of a piped stream; it now belongs to the caller.
    pub fn take_stream(&self, stream: i32) -> Result<OwnedFd> {
        self.child.take_stream(stream)
    }

    /// Shows what was captured so far, in two pieces, without copying it.
    pub fn with_output<T>(&self, show: impl FnOnce(&[u8], &[u8]) -> T) -> Result<T> {
        self.child.with_output(show)
    }

    /// What was captured so far.
    pub fn output(&self) -> Result<Vec<u8>> {
        self.with_output(|first, second| [first, second].concat())
    }

    /// Signals the whole group.
    pub fn signal(&self, number: i32) -> Result<()> {
        self.child.signal(number)
    }

    /// Starts the stop plan; events, waits and later calls move it on.
    pub fn terminate_begin(self: &Arc<Self>, grace_ms: i64) -> Result<()> {
        self.stop(grace_ms)?;
        if self.supervisor.attach_default(self) {
            self.supervisor.reschedule(self);
        }
        // Threads that wait for the child already must be woken when its next step is due.
        if self.waiting.load(Ordering::SeqCst) != 0 {
            self.supervisor.ring();
        }
        Ok(())
    }

    /// Runs the stop plan to its end or the child's, whichever is first. Blocks that long.
    pub fn terminate(&self, grace_ms: i64) -> Result<Exit> {
        self.stop(grace_ms)?;
        self.supervisor.reschedule(self);
        // This wait keeps the plan's times by itself.
        let exit = self.wait(None, true)?;
        exit.ok_or_else(|| self.timed_out("terminate", "is still there after its whole stop plan"))
    }

    fn stop(&self, grace_ms: i64) -> Result<()> {
        if grace_ms < -1 {
            return Err(Error::invalid("grace_ms", format!("a grace of {grace_ms} ms")));
        }
        self.child.stop(grace_ms, Cause::Stop)
    }

    /// Waits for the end up to `timeout_ms` (-1: for ever).
    pub fn reap(&self, timeout_ms: i64) -> Result<Exit> {
        if timeout_ms < -1 {
            return Err(Error::invalid("timeout_ms", format!("a timeout of {timeout_ms} ms")));
        }
        let exit = self.wait(clock::deadline(timeout_ms), false)?;
        exit.ok_or_else(|| self.timed_out("reap", "has not ended yet"))
    }

    /// The exit record if it has ended. Never blocks.
    pub fn reap_nonblock(&self) -> Result<Option<Exit>> {
        let exit = self.look()?;
        if exit.is_some() {
            self.exit_taken.store(true, Ordering::Release);
        }
        Ok(exit)
    }

    fn timed_out(&self, step: &'static str, what: &str) -> Error {
        Error { pid: Some(self.pid()), ..Error::new(Status::Timeout, step, format!("process {} {what}", self.pid())) }
    }

    /// Looks once: reaps, drains, climbs.
    fn look(&self) -> Result<Option<Exit>> {
        poke();
        self.child.tick();
        let exit = self.child.try_reap()?;
        if let Some(exit) = exit {
            self.supervisor.finish(self, exit);
        }
        Ok(exit)
    }

    /// Waits for the end, and looks after the supervisor's other children meanwhile.
    fn wait(&self, deadline: Option<i64>, give_up: bool) -> Result<Option<Exit>> {
        poke();
        let inner = &self.supervisor;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waited = self.child.wait(deadline, give_up, || inner.watch(), || inner.pump_if_busy());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let exit = waited?;
        if let Some(exit) = exit {
            self.supervisor.finish(self, exit);
            self.exit_taken.store(true, Ordering::Release);
        }
        Ok(exit)
    }

    /// The owner's handle goes; the process stays with its supervisor. A child of the default supervisor enters its books now,
    /// so that a later call reaps it.
    pub fn let_go(self: &Arc<Self>) {
        self.child.drop_streams();
        self.let_go.store(true, Ordering::Release);
        if self.child.exit().is_some() {
            if self.exit_taken.load(Ordering::Acquire) {
                self.supervisor.forget();
            }
            return;
        }
        if !self.supervisor.attach_default(self) {
            self.supervisor.keep(self.clone());
        }
        poke();
    }
}
