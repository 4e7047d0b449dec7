//! The calls on a child by its owner, who holds its handle: look, wait, stop, let go. Any of them may be the one that sees the end, from
//! any thread; and who waits looks after the supervisor's other children meanwhile.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Managed, Stage};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::child::{Child, State, Tier};
use crate::process::leftovers;
use crate::registry::{Cause, Exit};
use crate::supervisor::carry_out::Job;
use crate::supervisor::default::poke;
use crate::supervisor::errors::{called_off, shut_down};
use crate::supervisor::scheduler;
use crate::sys::fds;
use crate::sys::poll::{self, Patience};
use crate::sys::reactor::WakeUp;

/// Where it stands for one who waits.
pub(super) enum View {
    Waiting,
    Live(Arc<Child>),
    Over(Result<Exit>),
}

impl Managed {
    /// The word given to `spawn`.
    pub fn token(&self) -> u64 {
        self.token.load(Ordering::Acquire)
    }

    /// The word given to the command.
    pub fn user_data(&self) -> u64 {
        self.user_data
    }

    pub(super) fn check(&self) -> Result<()> {
        self.supervisor.home.check("child")
    }

    /// Its process; an error if it has had none.
    pub(crate) fn process(&self) -> Result<Arc<Child>> {
        self.check()?;
        self.child().ok_or_else(|| Error::new(Status::State, "child", "the child has not been started"))
    }

    /// The same for who asks whether it has one: "none yet" is no failure to be put into words.
    pub(crate) fn process_so_far(&self) -> Option<Arc<Child>> {
        if self.supervisor.home.is_here() { self.child() } else { None }
    }

    /// The process id, for display only; 0 if it has had no process.
    pub fn pid(&self) -> i32 {
        self.child().map_or(0, |child| child.pid())
    }

    /// Which tier made it.
    pub fn spawn_tier(&self) -> Result<Tier> {
        self.process().map(|child| child.spawn_tier())
    }

    /// Where it stands, after a look at it.
    pub fn state(&self) -> Result<State> {
        self.look()?;
        let run = lock(&self.run);
        Ok(match (run.stage, &run.child) {
            (Stage::Waiting | Stage::Starting | Stage::Promised, _) => State::Pending,
            (Stage::Live, Some(child)) if self.comes_back() && child.exit().is_some() => State::Pending,
            (Stage::Live | Stage::Over, Some(child)) => child.state(),
            (_, None) => State::Cancelled,
        })
    }

    /// The signal by which its process is stopped, -1 if nobody knows by which; 0: it is not, or has ended. Looks now; its state knows nothing of it.
    pub fn stopped_by(&self) -> Result<i32> {
        let child = self.process()?;
        let signal = child.stopped_by();
        self.supervisor.collect_stops(self, &child);
        signal
    }

    /// A duplicate of its pidfd; an error once its exit has been taken.
    pub fn pidfd(&self) -> Result<OwnedFd> {
        let child = self.process()?;
        let pidfd = child.pidfd().ok_or_else(|| Error::new(Status::Exited, "pidfd", format!("process {} has ended", child.pid())))?;
        fds::duplicate(&pidfd).map_err(|errno| Error::system("fcntl", errno, "cannot duplicate a pidfd"))
    }

    /// Our end of a piped stream; it now belongs to the caller.
    pub fn take_stream(&self, stream: i32) -> Result<OwnedFd> {
        self.process()?.take_stream(stream)
    }

    /// Our end of its pseudo-terminal; it now belongs to the caller.
    pub fn take_terminal(&self) -> Result<OwnedFd> {
        self.process()?.take_terminal()
    }

    /// Gives that a size.
    pub fn resize(&self, rows: i32, columns: i32) -> Result<()> {
        self.process()?.resize(rows, columns)
    }

    /// An end of one of its streams that came later than its process.
    #[allow(dead_code)]
    pub(crate) fn give_stream(&self, stream: i32, fd: OwnedFd) -> Result<()> {
        let child = self.process()?;
        child.give_stream(stream, fd);
        // As those are closed that it had when its handle was freed.
        if self.is_let_go() {
            child.close_streams();
        }
        Ok(())
    }

    /// Shows what was captured so far, of both streams or of one, in pieces, without copying it; and how many bytes of it are missing.
    pub fn with_output<T>(&self, stream: Option<i32>, show: impl FnOnce(&[&[u8]], u64) -> T) -> Result<T> {
        let child = self.process()?;
        let shown = child.with_output(stream, self.reads(), show);
        self.supervisor.collect_output(self, &child);
        shown
    }

    /// Whether a look may read on: not while nobody takes what it has said.
    fn reads(&self) -> bool {
        !self.is_ahead()
    }

    /// What was captured so far.
    pub fn output(&self) -> Result<Vec<u8>> {
        self.with_output(None, |pieces, _| pieces.concat())
    }

    /// Signals the whole group.
    pub fn signal(&self, number: i32) -> Result<()> {
        self.process()?.signal(number)
    }

    /// Signals its process alone.
    pub fn signal_process(&self, number: i32) -> Result<()> {
        self.process()?.signal_alone(number)
    }

    /// Starts the stop plan, or cancels a child that waits for its start; events, waits and later calls move it on.
    pub fn terminate_begin(self: &Arc<Self>, grace_ms: i64) -> Result<()> {
        if !self.stop(grace_ms)? {
            return Ok(());
        }
        if self.supervisor.attach_default(self) {
            self.supervisor.reschedule(self);
        } else {
            self.supervisor.keep(self.clone());
        }
        // Threads that wait for the child already must be woken when its next step is due.
        if self.waiting.load(Ordering::SeqCst) != 0 {
            self.supervisor.wake_all();
        }
        self.refusal().map_or(Ok(()), Err)
    }

    fn refusal(&self) -> Option<Error> {
        self.child().and_then(|child| child.refusal())
    }

    /// Runs the stop plan to its end or the child's, whichever is first. Blocks that long. A child that waits for its start is cancelled.
    pub fn terminate(self: &Arc<Self>, grace_ms: i64) -> Result<Exit> {
        if self.stop(grace_ms)? {
            self.supervisor.reschedule(self);
        }
        // This wait keeps the plan's times by itself.
        let exit = self.wait(Deadline::NEVER, true)?;
        let why = || self.refusal().unwrap_or_else(|| self.timed_out("terminate", "is still there after its whole stop plan"));
        exit.ok_or_else(why)
    }

    /// Answers whether it has a process that is being stopped now.
    fn stop(self: &Arc<Self>, grace_ms: i64) -> Result<bool> {
        self.check()?;
        clock::check_timeout("grace_ms", grace_ms)?;
        let inner = &self.supervisor;
        let jobs = {
            let mut ledger = lock(&inner.ledger);
            self.halt();
            if ledger.scheduler.stage(self.id()).is_none() {
                // It is over, or belongs to the default supervisor, which schedules nobody.
                drop(ledger);
                if self.is_begun() && self.stop_promised(grace_ms) {
                    return Ok(false);
                }
                return self.child().map_or(Ok(false), |child| child.stop(grace_ms, Cause::Stop).map(|()| true));
            }
            if matches!(ledger.scheduler.stage(self.id()), Some(scheduler::Stage::Starting | scheduler::Stage::Joining)) {
                self.set_stop(grace_ms);
            }
            let jobs = inner.step(&mut ledger, scheduler::Event::Stop(self.id()));
            inner.show(&mut ledger);
            jobs
        };
        // By this call's own grace: of several that stop it at once, the shortest counts.
        if jobs.iter().any(|job| matches!(job, Job::Stop(_))) {
            return self.process()?.stop(grace_ms, Cause::Stop).map(|()| true);
        }
        inner.carry_out(jobs);
        if self.is_begun() {
            // It may have had a slot.
            inner.start_queued();
        }
        Ok(false)
    }

    /// Waits for the end up to `timeout_ms` (-1: for ever). A child that comes back has ended when it does not any more.
    pub fn reap(self: &Arc<Self>, timeout_ms: i64) -> Result<Exit> {
        let exit = self.wait(Deadline::of_timeout("timeout_ms", timeout_ms)?, false)?;
        exit.ok_or_else(|| self.timed_out("reap", "has not ended yet"))
    }

    /// The exit record if it has ended. Never waits.
    pub fn reap_nonblock(self: &Arc<Self>) -> Result<Option<Exit>> {
        match self.look()? {
            View::Over(outcome) => {
                self.exit_taken.store(true, Ordering::Release);
                outcome.map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn timed_out(&self, step: &'static str, what: &str) -> Error {
        match self.child().map(|child| child.pid()) {
            Some(pid) => Error::new(Status::Timeout, step, format!("process {pid} {what}")).with_pid(pid),
            None => Error::new(Status::Timeout, step, format!("the child {what}")),
        }
    }

    /// A child that did its work, but whose output could not be put in place, did not succeed.
    fn outcome(child: &Child, exit: Exit) -> Result<Exit> {
        match child.complaint().filter(|_| exit.success()) {
            Some(complaint) => Err(complaint),
            None => Ok(exit),
        }
    }

    pub(super) fn view(&self) -> View {
        let run = lock(&self.run);
        match (run.stage, &run.child) {
            (Stage::Waiting | Stage::Starting | Stage::Promised, _) => View::Waiting,
            // Another thread is about to say what comes next.
            (Stage::Live, Some(child)) if self.comes_back() && child.exit().is_some() => View::Waiting,
            (Stage::Live, Some(child)) => View::Live(child.clone()),
            (Stage::Over, _) if run.called_off.is_some() => View::Over(Err(run.called_off.map_or_else(shut_down, called_off))),
            (_, child) => match (&run.error, child.as_ref().and_then(|child| Some((child, child.exit()?)))) {
                (Some(error), _) => View::Over(Err((**error).clone())),
                (None, Some((child, exit))) => View::Over(Self::outcome(child, exit)),
                (None, None) => View::Waiting,
            },
        }
    }

    /// Looks once: reaps, drains, climbs.
    pub(super) fn look(&self) -> Result<View> {
        self.check()?;
        poke();
        match self.view() {
            View::Live(child) => {
                child.tick();
                let Some(exit) = child.try_reap(self.reads())? else {
                    self.collect(&child);
                    return Ok(View::Live(child));
                };
                let comes_back = self.comes_back_after(&child, exit);
                Ok(if comes_back { self.view() } else { View::Over(Self::outcome(&child, exit)) })
            }
            View::Waiting => {
                self.supervisor.pump_if_busy();
                Ok(self.view())
            }
            over => Ok(over),
        }
    }

    /// Its process has ended: that is told, once, and whoever may start now does. Whether it comes back.
    pub(super) fn comes_back_after(&self, child: &Arc<Child>, exit: Exit) -> bool {
        if self.supervisor.finish(self, child, exit) {
            self.supervisor.start_queued();
        }
        self.comes_back()
    }

    /// Waits for the end, and looks after the supervisor's other children meanwhile.
    pub(in crate::supervisor) fn wait(&self, deadline: Deadline, give_up: bool) -> Result<Option<Exit>> {
        self.check()?;
        poke();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waited = self.wait_registered(deadline, give_up);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if !matches!(waited, Ok(None)) && matches!(self.view(), View::Over(_)) || matches!(waited, Ok(Some(_))) {
            self.exit_taken.store(true, Ordering::Release);
        }
        // The kernel needs a moment before it lets a control group go whose last member was just killed.
        if matches!(waited, Ok(Some(_))) && self.child().is_some_and(|child| child.had_cgroup()) {
            leftovers::await_removals(deadline.min(Deadline::after(20 * clock::MILLI)));
        }
        waited
    }

    fn wait_registered(&self, deadline: Deadline, give_up: bool) -> Result<Option<Exit>> {
        let (inner, patience) = (&self.supervisor, Patience::until(deadline));
        loop {
            if deadline.has_come() {
                // No time to wait: a look, which reads no more than looks do.
                return match self.look()? {
                    View::Over(outcome) => outcome.map(Some),
                    _ => Ok(None),
                };
            }
            match self.view() {
                View::Over(outcome) => return outcome.map(Some),
                View::Live(child) => {
                    let pump = || {
                        inner.pump_watched();
                        self.collect(&child);
                    };
                    let waited = child.wait(deadline, give_up, || inner.watch(), pump)?;
                    self.collect(&child);
                    let Some(exit) = waited else { return Ok(None) };
                    if !self.comes_back_after(&child, exit) {
                        return Self::outcome(&child, exit).map(Some);
                    }
                }
                View::Waiting => self.await_stage(&patience)?,
            }
        }
    }

    /// Waits for a new stage, driving the supervisor.
    pub(super) fn await_stage(&self, patience: &Patience) -> Result<()> {
        let inner = &self.supervisor;
        let Ok(waiter) = WakeUp::new().map(Arc::new) else {
            inner.pump_watched();
            patience.pause(Deadline::NEVER);
            return Ok(());
        };
        // In this order: a new stage after the look that follows is heard.
        lock(&self.run).wait_with(&waiter);
        inner.pump_watched();
        if !matches!(self.view(), View::Waiting) {
            lock(&self.run).wait_no_more(&waiter);
            return Ok(());
        }
        let beside = inner.watch();
        // Without a descriptor for what goes on beside it, it looks from time to time.
        let soon = if beside.is_some() { Deadline::NEVER } else { Deadline::after(poll::PAUSE) };
        let watched: Vec<_> = [waiter.as_fd()].into_iter().chain(beside).collect();
        let waited = patience.wait(&watched, soon).map_err(|errno| Error::system("poll", errno, "cannot wait"));
        lock(&self.run).wait_no_more(&waiter);
        waited.map(drop)
    }

    /// The owner's handle goes; the process stays with its supervisor. A child of the default supervisor is watched by it from now on,
    /// so that a later call reaps it.
    pub fn let_go(self: &Arc<Self>) {
        // In this order: who publishes a process looks at this afterwards.
        self.let_go.store(true, Ordering::SeqCst);
        let child = self.child();
        if let Some(child) = &child {
            child.close_streams();
            self.supervisor.collect_input(self, child);
        }
        if self.exit_taken.load(Ordering::Acquire) {
            self.supervisor.forget(self.entries.load(Ordering::Relaxed) as usize);
            return;
        }
        if child.is_some_and(|child| child.exit().is_none()) && !self.supervisor.attach_default(self) {
            self.supervisor.keep(self.clone());
        }
        poke();
    }
}
