//! A successor that an observer has started and says so: its handoff has that observer's limits, and until it has greeted nobody else slips in.
//!
//! Traps.
//! - **It is a word of a stranger's.** He shows a pidfd of his own child, so nobody can speak for a process that is not his; what he gets by it is
//!   a wait with an end: that of the handoff, of the process, or of his channel.
//! - **The process greets as any other does**: whether it may take over is not asked here.
//! - **It may greet before this is read.** Observers are heard before guests are; and if it has greeted all the same, the limits count from now on.

use std::os::fd::{AsRawFd, OwnedFd};

use super::side::OwnerSide;
use crate::clock::{self, Deadline};
use crate::handoff::core::Core;
use crate::handoff::machine::owner::Event;
use crate::handoff::wire::{Kind, Message, Own, Place, Refusal};
use crate::sys::pidfd::Life;
use crate::sys::reactor::Token;
use crate::sys::{pidfd, procfs};

/// However long the observer means to wait.
const LONGEST: i64 = 24 * 3_600_000 * clock::MILLI;

/// See the head of this file.
#[derive(Debug)]
pub struct Expected {
    pid: i32,
    process: OwnedFd,
    /// When all must be done.
    whole: Deadline,
    /// For the answer to DRAIN, if it is not the owner's own limit.
    drain: Option<i64>,
    /// Who has said so.
    by: Token,
    /// It has come: this is its handoff.
    greeted: bool,
}

impl Expected {
    fn is_awaited(&self) -> bool {
        !self.greeted && !self.whole.has_come() && pidfd::life(self.process.as_raw_fd()) == Life::Running
    }
}

impl OwnerSide {
    /// An observer says whom it has started.
    pub(super) fn expect(&mut self, core: &mut Core, by: Token, message: &Message, fds: Vec<OwnedFd>) {
        let refusal = match self.judge_expected(core, by, message, &fds) {
            Ok(pid) => {
                let whole = Deadline::after(message.body.whole.unwrap_or(core.options.takeover).min(LONGEST));
                let drain = message.body.drain.filter(|drain| *drain > 0);
                let greeted = self.is_under_way_with(core, pid);
                if greeted {
                    self.machine.hasten(whole, drain);
                }
                let Some(process) = fds.into_iter().next() else { return };
                core.custody.note(&process);
                self.expected = Some(Expected { pid, process, whole, drain, by, greeted });
                if let Some(link) = self.observers.link(by) {
                    let bytes = link.write(Kind::Ack).pid(pid).finish();
                    // An end is found by the next look.
                    let _ = link.send(bytes, Vec::new());
                }
                return;
            }
            Err(refusal) => refusal,
        };
        if let Some(link) = self.observers.link(by) {
            link.refuse(refusal.0, refusal.1);
        }
    }

    fn judge_expected(&self, core: &Core, by: Token, message: &Message, fds: &[OwnedFd]) -> Result<i32, (Refusal, &'static str)> {
        let (Some(pid), [process], [Place::Own(Own::Process)]) = (message.body.pid.filter(|pid| *pid > 0), fds, &message.body.places[..])
        else {
            return Err((Refusal::Unknown, "who is expected is said by a pid and a pidfd"));
        };
        if pidfd::number_here(process.as_raw_fd()) != Some(pid) || pidfd::life(process.as_raw_fd()) != Life::Running {
            return Err((Refusal::Denied, "the pidfd is not of that process, or that has ended"));
        }
        let parent = self.observers.pid_of(by);
        // Where /proc hides it the pidfd has to do.
        if procfs::origin(pid).is_some_and(|(its, _)| its != parent) && !procfs::descends_from(pid, parent) {
            return Err((Refusal::Denied, "that process is not a child of yours"));
        }
        if self.is_under_way_with(core, pid) {
            return Ok(pid);
        }
        if self.other_is_expected(|expected| expected.by == by) {
            return Err((Refusal::Busy, "another successor is expected"));
        }
        if !self.is_serving() || self.spawning || core.has_untaken() {
            return Err((Refusal::Busy, "another handoff is under way"));
        }
        Ok(pid)
    }

    /// Whether that process takes over just now, and this can still be called off.
    fn is_under_way_with(&self, core: &Core, pid: i32) -> bool {
        self.machine.may_cancel() && core.peer.as_ref().is_some_and(|peer| peer.pid == pid && !peer.is_made_here())
    }

    /// Whether somebody is awaited who is not meant.
    pub(super) fn other_is_expected(&self, meant: impl FnOnce(&Expected) -> bool) -> bool {
        self.expected.as_ref().is_some_and(|expected| expected.is_awaited() && !meant(expected))
    }

    /// Whether this process must not take over now, because another is expected.
    pub(super) fn keeps_out(&self, pid: i32) -> bool {
        self.other_is_expected(|expected| expected.pid == pid)
    }

    /// This process takes over. If it is the one that is expected: until when, and how long the owner drains for it.
    pub(super) fn expected_limits(&mut self, pid: i32) -> Option<(Deadline, Option<i64>)> {
        let expected = self.expected.as_mut().filter(|expected| expected.pid == pid && expected.is_awaited())?;
        expected.greeted = true;
        Some((expected.whole, expected.drain))
    }

    /// A handoff is over.
    pub(super) fn forget_expected(&mut self) {
        if self.expected.as_ref().is_some_and(|expected| expected.greeted) {
            self.expected = None;
        }
    }

    /// Nobody is left who waits for it.
    pub(super) fn forget_expected_of_lost(&mut self) {
        if self.expected.as_ref().is_some_and(|expected| !self.observers.has(expected.by)) {
            self.expected = None;
        }
    }

    /// An observer calls off what it has begun.
    pub(super) fn call_off_for(&mut self, core: &mut Core, by: Token, message: &Message) {
        let is_meant = |expected: &&Expected| expected.by == by && message.body.pid.is_none_or(|pid| pid == expected.pid);
        let found = self.expected.as_ref().filter(is_meant).map(|expected| (expected.pid, expected.greeted));
        match found {
            Some((pid, false)) => {
                self.expected = None;
                if let Some(link) = self.observers.link(by) {
                    let bytes = link.write(Kind::Ack).pid(pid).finish();
                    let _ = link.send(bytes, Vec::new());
                }
            }
            Some((pid, true)) if self.is_under_way_with(core, pid) => {
                core.verdict.said = format!("the supervisor of the successor, process {}, has called it off", self.observers.pid_of(by));
                self.feed(core, Event::Cancel);
            }
            _ => {
                if let Some(link) = self.observers.link(by) {
                    link.refuse(Refusal::Late, "there is nothing of yours that could be called off");
                }
            }
        }
    }
}
