//! A birth whose spawner has ended before it could say whether the program has begun.
//!
//! The trap: a child that a spawner has made goes on without it. It may wait in an exec for long, and that may still fail. So it counts as begun when it
//! has executed, or has ended without a word of what failed (it was killed, as in a start by the host itself); until then it is looked at
//! now and then.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::births::Id;
use super::process::Process;
use crate::sys::procfs;
use crate::sys::spawn::{Background, Failure};
use crate::sys::spawner::{Fate, Slot, prove};

/// See the head of this file.
pub(super) struct Unsettled {
    /// The spawner that has ended: its memory is where the child reports.
    pub process: Arc<Process>,
    pub slot: Slot,
    pub id: Id,
    pub pid: i32,
    pub pidfd: Option<OwnedFd>,
}

/// What is known of a birth after the end of its spawner.
pub(super) enum Known {
    /// It was never born, and never will be.
    Unborn,
    /// It is on its way.
    OnItsWay(i32),
    Begun(i32),
    Failed(i32, Failure),
}

/// What became of it. The spawner was reaped.
pub(super) fn look(process: &Process, slot: Slot) -> Known {
    let fate = match process.link.fate(slot) {
        Fate::Born(pid) if !procfs::is_ending_without_exec(pid) && procfs::has_no_exec(pid) => return Known::OnItsWay(pid),
        // What it reports stands there before it ends: so that is read anew.
        Fate::Born(_) => process.link.fate(slot),
        fate => fate,
    };
    match fate {
        Fate::Unborn => Known::Unborn,
        Fate::Born(pid) => Known::Begun(pid),
        Fate::Failed(pid, step, errno) => Known::Failed(pid, Failure { step, errno, background: Background::None }),
    }
}

impl Unsettled {
    pub(super) fn new(process: &Arc<Process>, slot: Slot, id: Id, pid: i32) -> Self {
        Self { process: process.clone(), slot, id, pid, pidfd: prove(pid) }
    }
}
