//! Waiting until a child is ready, and what it says of itself.
//!
//! The trap: a child that comes back fails, and is ready in a later run. So who waits for it goes on until a run is ready, or none will follow.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::calls::View;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::child::{Child, Said, Standing};
use crate::process::stop::LAST_WAIT_MS;
use crate::supervisor::default::poke;
use crate::supervisor::errors::called_off;
use crate::sys::poll::Patience;

impl Managed {
    /// Waits until it is ready, up to `timeout_ms` (-1: for ever), and looks after the supervisor's other children meanwhile. Through its place in
    /// line, and through the restarts that follow a run that failed. A handler of the host's ends it: `Interrupted`.
    pub fn wait_ready(self: &Arc<Self>, timeout_ms: i64) -> Result<()> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        self.wait_ready_with("wait", &Patience::or_handler(deadline), "is not ready yet")
    }

    /// The same, under the name of a step, and with what is said of one whose time is over.
    pub(in crate::supervisor) fn wait_ready_with(self: &Arc<Self>, step: &'static str, patience: &Patience, late: &str) -> Result<()> {
        self.check()?;
        poke();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waited = self.await_ready(patience);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if waited? {
            return Ok(());
        }
        if patience.was_interrupted() {
            return Err(Error::interrupted(step).with_pid(self.child().map(|child| child.pid())));
        }
        let between = self.child().is_some_and(|child| child.exit().is_some());
        Err(self.timed_out(step, if between { "has ended, and its next run is not ready yet" } else { late }))
    }

    /// `false`: the patience was over first.
    fn await_ready(self: &Arc<Self>, patience: &Patience) -> Result<bool> {
        let inner = &self.supervisor;
        loop {
            match self.look()? {
                View::Over(_) => {
                    self.let_others_speak();
                    return Err(self.never_ready());
                }
                View::Live(child) => {
                    let pump = || {
                        inner.pump_watched();
                        self.collect(&child);
                    };
                    match child.standing() {
                        Standing::Unasked | Standing::Ready(_) => return Ok(true),
                        // That was the last look.
                        Standing::Waiting if patience.was_interrupted() => return Ok(false),
                        Standing::Waiting => {
                            let settled = child.await_ready(patience, || inner.watch(), pump)?;
                            // It reaps, and tells nobody.
                            if let Some(exit) = child.exit() {
                                self.comes_back_after(&child, exit);
                            }
                            if !settled && !patience.was_interrupted() {
                                return Ok(false);
                            }
                            self.collect(&child);
                        }
                        Standing::Failed(_) => {
                            // It was killed for that. Its end is waited for: then all that it has said is there.
                            let until = patience.deadline().min(Deadline::after(LAST_WAIT_MS * MILLI));
                            let ended = child.wait(until, true, || inner.watch(), pump)?;
                            match ended {
                                Some(exit) if self.comes_back_after(&child, exit) => {}
                                // The failure of this run is not the child's.
                                None if patience.is_over() && self.comes_back() => return Ok(false),
                                _ => {
                                    self.let_others_speak();
                                    return Err(child.unready());
                                }
                            }
                        }
                    }
                }
                View::Waiting if patience.is_over() => return Ok(false),
                View::Waiting => self.await_stage(patience)?,
            }
        }
    }

    /// Who follows one that has ended may know more of why.
    fn let_others_speak(&self) {
        if self.is_begun() {
            self.supervisor.pump_watched();
        }
    }

    /// Why it is not ready, and no run follows.
    fn never_ready(&self) -> Error {
        let run = lock(&self.run);
        match (run.called_off, &run.error, &run.child) {
            (Some(why), ..) => called_off(why),
            (None, Some(error), _) => (**error).clone(),
            (None, None, Some(child)) => {
                let child = child.clone();
                drop(run);
                child.unready()
            }
            (None, None, None) => Error::new(Status::State, "ready", "the child has not been started"),
        }
    }

    /// Shows what its process has said of itself, and since when that is ready (0: it is not), after a look at it.
    pub fn with_said<T>(self: &Arc<Self>, show: impl FnOnce(&Said, i64) -> T) -> Result<T> {
        let child = self.process()?;
        self.look()?;
        let ready_ns = if let Standing::Ready(at) = child.standing() { at } else { 0 };
        let none = || Error::new(Status::State, "notified", "nothing was asked of the child: it has no readiness and no NOTIFY_SOCKET");
        child.with_said(|said| show(said, ready_ns)).ok_or_else(none)
    }

    /// What its process has said is taken in by the supervisor.
    pub(in crate::supervisor) fn collect(&self, child: &Arc<Child>) {
        self.supervisor.collect_output(self, child);
        self.supervisor.collect_signs(self, child);
        self.supervisor.collect_stops(self, child);
    }
}
