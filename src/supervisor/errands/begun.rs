//! Children whose start may take its time: the handle is there from the begin, the process comes when a room above has it.
//!
//! ```text
//!   begin --> in line --turn--> make() --Now--------------------------> attached, or failed
//!                |                |                                        ^
//!                |                '--Later--> its slot is kept --made()----'
//!                |                                |
//!                '--- stop, shutdown, close ------'--> called_off(), once
//! ```
//!
//! The scheduler decides under the ledger's lock, so of a `made` and a stop that come at once one wins, and the other finds it so: a process that
//! comes too late is killed and released here. Under the default supervisor, which schedules nobody and has no line, the same stands in the stage of
//! the child itself.
//!
//! Traps. **A process may come before its `make` has returned**: it counts from then on. So the end that made room for it is told before it is asked
//! for (`carry_out.rs`), or its start could be told first. **Once**: `called_off` is the only word that a start hears of an end that it did not make
//! itself. So who takes the start out of the child ([`Promise::take`]) is who may say it.

use std::sync::{Arc, Mutex};

use super::{Host, in_turn};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
pub use crate::process::child::Child;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn;
use crate::supervisor::Managed;
use crate::supervisor::carry_out::Job;
use crate::supervisor::default::poke_from_time_to_time;
use crate::supervisor::errors::{called_off, shut_down};
use crate::supervisor::inner::Inner;
use crate::supervisor::scheduler::{Event, Id, Stage};
use crate::supervisor::starts::{Admission, undo};

/// What became of a start.
#[derive(Debug)]
pub enum Made {
    /// It is made, or could not be.
    Now(Result<Arc<Child>>),
    /// It takes its time: [`Managed::made`] follows.
    Later,
}

/// How a child gets its process, where that is not one spawn.
pub trait Start: Send + Sync {
    /// Its turn has come: a slot of the supervisor is its own. Never waits, but for an exec. May call [`Managed::made`] itself, and answer `Later`.
    fn make(&self, managed: &Arc<Managed>) -> Made;

    /// It was cancelled before it had a process (also between `Later` and [`Managed::made`]), or the process it made could not be taken in. Comes
    /// once at the most, not during `make` (but within a [`Managed::made`] that `make` calls), and not where this start itself has said that it failed.
    fn called_off(&self);
    /// The same, where it has made a process that could not be watched, for this reason.
    fn could_not_be_watched(&self, _why: &Error) {
        self.called_off();
    }
}

// Not asked of each: the library would hold, for every field of every one of them, how it is shown.
impl core::fmt::Debug for dyn Start {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Start")
    }
}

/// A start that has not come to anything yet.
#[derive(Debug)]
pub(in crate::supervisor) struct Promise(Mutex<Option<Arc<dyn Start>>>);

impl Promise {
    pub(in crate::supervisor) fn new(start: Arc<dyn Start>) -> Self {
        Self(Mutex::new(Some(start)))
    }

    pub(in crate::supervisor) fn start(&self) -> Option<Arc<dyn Start>> {
        lock(&self.0).clone()
    }

    /// It comes to something, or to nothing: whoever has it may say so.
    pub(in crate::supervisor) fn take(&self) -> Option<Arc<dyn Start>> {
        lock(&self.0).take()
    }
}

/// One process of this command, for a start that needs no more than that.
pub fn spawned(command: &Command) -> Result<Arc<Child>> {
    spawn::spawn(command, Belongings::take(command)?).map(Arc::new)
}

impl Host {
    /// Begins a child whose process `start` makes when its turn has come: at once, or after a time in line. Its command must say by what it is ready
    /// (`Command::ready_when_told`, as a rule). STARTED is told when it has a process, then READY, or FAILED behind EXITED; FAILED alone if it gets
    /// none, CANCELLED if that is its owner's will: so exactly one of READY, FAILED and CANCELLED. May be called in a turn.
    ///
    /// `register` is told of the child before any event of it can be taken, and gives the word that events carry. An error means that there is no
    /// child, and that the start hears nothing.
    pub fn begin(&self, command: &Command, start: Arc<dyn Start>, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        if !in_turn() {
            poke_from_time_to_time();
        }
        let inner = &self.0;
        inner.check()?;
        let refused = |step, why: &str| Err(Error::invalid(step, format!("{step}: {why}")));
        if command.get_restart().when != RestartWhen::Never {
            return refused("restart", "a child whose start takes its time is not started again");
        }
        if !command.has_readiness() {
            return refused("readiness", "a child whose start takes its time must say by what it is ready");
        }
        inner.check_events(command)?;
        if inner.is_default {
            return Ok(inner.begin_unlisted(command, start, register));
        }
        if command.get_budget().is_some() {
            inner.reactor.prepare_timer().map_err(|fault| fault.error("cannot keep a deadline"))?;
        }
        match inner.admit(command, None, true, clock::now())? {
            Admission::Now(id) => {
                let managed = inner.enroll_begun(id, command, start, register);
                // Its slot is its own: nobody else comes to make it.
                managed.set_starting();
                inner.carry_out(vec![Job::Make(managed.clone())]);
                Ok(managed)
            }
            Admission::Later(id) => {
                let managed = inner.enroll_begun(id, command, start, register);
                let refused = {
                    let mut ledger = lock(&inner.ledger);
                    inner.step(&mut ledger, Event::Joined(id));
                    let refused = ledger.scheduler.stage(id).is_none();
                    if refused {
                        ledger.members.remove(id);
                    }
                    inner.show(&mut ledger);
                    refused
                };
                if refused {
                    return Err(shut_down());
                }
                // A slot may have become free since we looked.
                inner.start_queued();
                Ok(managed)
            }
        }
    }
}

impl Inner {
    fn enroll_begun(
        self: &Arc<Self>,
        id: Id,
        command: &Command,
        start: Arc<dyn Start>,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Arc<Managed> {
        let managed = Arc::new(Managed::begun(self.clone(), id, command, start));
        managed.set_token(register(&managed));
        self.enroll(&mut lock(&self.ledger), &managed);
        managed
    }

    fn begin_unlisted(
        self: &Arc<Self>,
        command: &Command,
        start: Arc<dyn Start>,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Arc<Managed> {
        let managed = Arc::new(Managed::begun(self.clone(), Id(0), command, start.clone()));
        managed.set_token(register(&managed));
        managed.set_starting();
        match start.make(&managed) {
            Made::Now(made) => managed.made(made),
            Made::Later if managed.set_promised() => {}
            Made::Later => managed.tell_called_off(),
        }
        managed
    }

    /// What was made of a child that was begun; anything but a child that waits for it is too late.
    pub(in crate::supervisor) fn conclude_begun(self: &Arc<Self>, managed: &Arc<Managed>, made: Result<Arc<Child>>) -> Vec<Job> {
        let waits = |stage| matches!(stage, Some(Stage::Starting | Stage::Begun));
        let error = match made {
            Err(error) => {
                managed.take_promise();
                error
            }
            Ok(child) => {
                let in_time = waits(lock(&self.ledger).scheduler.stage(managed.id()));
                let attached = if in_time { self.attach(managed, &child, false) } else { Err(called_off(Status::Cancelled)) };
                match attached {
                    Ok(jobs) => {
                        managed.take_promise();
                        return jobs;
                    }
                    Err(error) => {
                        undo(&child);
                        error
                    }
                }
            }
        };
        let jobs = {
            let mut ledger = lock(&self.ledger);
            // Called off already, or it has a process.
            if !waits(ledger.scheduler.stage(managed.id())) {
                return Vec::new();
            }
            self.note_failure(&mut ledger, managed.id(), error.status);
            let mut jobs = self.step(&mut ledger, Event::StartFailed(managed.id(), error.status, managed.chance()));
            for job in &mut jobs {
                if let Job::Release(_, _, why) = job {
                    *why = Some(Box::new(error.clone()));
                }
            }
            jobs
        };
        // It has made one, and must hear that nothing came of it, and why.
        if let Some(start) = managed.take_promise() {
            start.could_not_be_watched(&error);
        }
        jobs
    }
}

impl Managed {
    /// What `Later` promised. From any thread, in a turn, too; not under a lock that its start takes. A process that comes too late, for the child was
    /// called off, is killed and released.
    pub fn made(self: &Arc<Self>, made: Result<Arc<Child>>) {
        let inner = self.supervisor();
        if !inner.home.is_here() {
            return;
        }
        if inner.is_default {
            self.made_unlisted(made);
        } else {
            let jobs = inner.conclude_begun(self, made);
            inner.carry_out(jobs);
            // One that failed has left its slot.
            inner.start_queued();
        }
        inner.errands.rouse();
    }

    fn made_unlisted(self: &Arc<Self>, made: Result<Arc<Child>>) {
        let inner = self.supervisor();
        let child = match made {
            Ok(child) => child,
            Err(error) => {
                self.take_promise();
                return self.fail_unlisted(error);
            }
        };
        if !self.publish_if_wanted(child.clone()) {
            return undo(&child);
        }
        self.take_promise();
        if !inner.attach_default(self) {
            inner.keep(self.clone());
        }
        if self.is_let_go() {
            child.close_streams();
        }
        // It was stopped while it was being made.
        inner.stop_now(self);
        self.collect(&child);
    }
}
