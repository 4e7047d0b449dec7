//! A successor that an observer starts and says so: its handoff has that observer's limits, and until it has greeted nobody else slips in.
//!
//! It is said twice: that one will come, before there is a process (*announced*: pid 0), and which one it is, once there is. Else the successor could greet
//! between its first instruction and its pid's being known, and the two would go by different limits: an offer's are not changed any more.
//!
//! Traps.
//! - **It is a word of a stranger's.** He shows a pidfd of his own child, so nobody can speak for a process that is not his; what he gets by it is
//!   a wait with an end: that of the handoff, of the process, or of his channel.
//! - **The process greets as any other does**: whether it may take over is not asked here.
//! - **Who greets while one is only announced** is it if he is a child of the observer's, or nobody can tell (a hidden /proc). He is never made to wait for
//!   the observer's second word: that one may be stopped.
//! - **It may greet before anything was said**, of an observer whose channel was not up: the limits count from now on.
//! - **An announcement keeps others out with nothing to show**, so not for long ([`ANNOUNCED`]).

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

/// For how long one is awaited that was only announced: a spawn takes milliseconds, an exec from a network file system perhaps seconds.
const ANNOUNCED: i64 = 10_000 * clock::MILLI;

/// See the head of this file.
#[derive(Debug)]
pub struct Expected {
    /// 0: announced, and has not greeted.
    pid: i32,
    process: Option<OwnedFd>,
    /// Until when it is awaited.
    until: Deadline,
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
        !self.greeted && !self.until.has_come() && self.lives()
    }

    /// While it does its number is its own; of one that is only announced there is none yet.
    fn lives(&self) -> bool {
        self.process.as_ref().is_none_or(|fd| pidfd::life(fd.as_raw_fd()) == Life::Running)
    }
}

impl OwnerSide {
    /// An observer says whom it has started.
    pub(super) fn expect(&mut self, core: &mut Core, by: Token, message: &Message, fds: Vec<OwnedFd>) {
        let refusal = match self.judge_expected(core, by, message, &fds) {
            Ok(pid) => {
                let whole = Deadline::after(message.body.whole.unwrap_or(core.options.takeover).min(LONGEST));
                let drain = message.body.drain.filter(|drain| *drain > 0);
                let greeted = pid > 0 && self.is_under_way_with(core, pid);
                if greeted {
                    self.machine.hasten(whole, drain);
                }
                let process = fds.into_iter().next();
                process.iter().for_each(|fd| core.custody.note(fd));
                let until = if process.is_some() { whole } else { whole.min(Deadline::after(ANNOUNCED)) };
                self.expected = Some(Expected { pid, process, until, whole, drain, by, greeted });
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
        let pid = match (message.body.pid, fds, &message.body.places[..]) {
            (Some(0), [], []) => 0,
            (Some(pid @ 1..), [process], [Place::Own(Own::Process)]) => {
                if pidfd::number_here(process.as_raw_fd()) != Some(pid) || pidfd::life(process.as_raw_fd()) != Life::Running {
                    return Err((Refusal::Denied, "the pidfd is not of that process, or that has ended"));
                }
                // Where /proc hides it the pidfd has to do.
                if !self.may_be_child(by, pid) {
                    return Err((Refusal::Denied, "that process is not a child of yours"));
                }
                if self.is_under_way_with(core, pid) {
                    return Ok(pid);
                }
                pid
            }
            _ => return Err((Refusal::Unknown, "who is expected is said by a pid and a pidfd, or by 0 and none")),
        };
        if self.other_is_expected(|expected| expected.by == by) {
            return Err((Refusal::Busy, "another successor is expected"));
        }
        if !self.is_serving() || self.spawning || core.has_untaken() {
            return Err((Refusal::Busy, "another handoff is under way"));
        }
        Ok(pid)
    }

    /// Whether that process is a child of this observer's, or of a child of its; or it cannot be told.
    fn may_be_child(&self, by: Token, pid: i32) -> bool {
        let parent = self.observers.pid_of(by);
        procfs::origin(pid).is_none_or(|(its, _)| its == parent) || procfs::descends_from(pid, parent)
    }

    /// Whether this one is meant.
    fn is_meant(&self, expected: &Expected, pid: i32) -> bool {
        expected.pid == pid || expected.pid == 0 && self.may_be_child(expected.by, pid)
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
        self.other_is_expected(|expected| self.is_meant(expected, pid))
    }

    /// This process takes over. If it is the one that is expected: until when, and how long the owner drains for it. One that greets when its time is
    /// over has none left: nobody keeps others out for it any more, and it is not done all the same.
    pub(super) fn expected_limits(&self, pid: i32) -> Option<(Deadline, Option<i64>)> {
        let expected = self.expected.as_ref().filter(|expected| !expected.greeted && expected.lives())?;
        let counts = expected.process.is_some() || expected.is_awaited();
        (counts && self.is_meant(expected, pid)).then_some((expected.whole, expected.drain))
    }

    /// The handoff with this process has begun.
    pub(super) fn note_greeting_of(&mut self, pid: i32) {
        if let Some(expected) = &mut self.expected {
            (expected.pid, expected.greeted) = (pid, true);
        }
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
        let is_meant = |expected: &&Expected| expected.by == by && message.body.pid.is_none_or(|pid| pid == 0 || pid == expected.pid);
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
