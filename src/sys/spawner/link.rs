//! The host's end of a spawner: requests go out, replies come in; neither ever waits.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::{Births, Fate, Gate};
use crate::sys::Fault;
use crate::sys::spawn::{Failure, Request};

/// A request that is under way: its place in the shared memory, and a number that no other request of this link has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Slot {
    /// Its place.
    pub index: usize,
    /// Never used again.
    pub ticket: u32,
}

/// Why a request was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Too many are under way: to be tried again after the next reply.
    Busy,
    /// The spawner has ended.
    Gone,
    /// This request cannot be sent.
    Failed(Failure),
}

/// What the spawner says.
#[derive(Debug)]
pub enum Reply {
    /// It runs.
    Hello,
    /// The child is born and waits at its gate, if that was shut. (Said only of such.) Without a pidfd: none could be sent, open one by the number.
    Born(Slot, i32, Option<OwnedFd>),
    /// Its program has begun. A pidfd comes with it unless `Born` has brought one.
    Began(Slot, i32, Option<OwnedFd>),
    /// There is no child, or one that has ended (pid not 0): the host must reap it. `ECANCELED`: it found its gate barred.
    Failed(Slot, i32, Option<OwnedFd>, Failure),
    /// The spawner has closed its end: nothing follows.
    Gone,
}

/// The host's end.
#[derive(Debug)]
pub struct Link(());

impl Link {
    /// Readable when there is something to receive.
    pub fn fd(&self) -> &OwnedFd {
        todo!()
    }

    /// The memory that is shared with it.
    pub fn births(&self) -> &Arc<Births> {
        todo!()
    }

    /// Takes a slot: until [`Link::release`] it is this request's. `gate`: as the child finds it. So a place in the registry can point there
    /// before the request is sent. `None`: all are taken.
    pub fn reserve(&self, _gate: Gate) -> Option<Slot> {
        todo!()
    }

    /// Sends the request. Never waits. All that it refers to, descriptors too, may go when this returns. On any refusal the slot stays reserved.
    pub fn submit(&self, _slot: Slot, _request: &Request<'_>) -> Result<(), Refusal> {
        todo!()
    }

    /// The next reply; `None`: there is none now. Never waits.
    pub fn receive(&self) -> Result<Option<Reply>, Fault> {
        todo!()
    }

    /// Gives the slot back: after `Began` or `Failed`, or when nothing was sent, or the spawner was reaped.
    pub fn release(&self, _slot: Slot) {
        todo!()
    }

    /// What became of a request; only after the spawner has ended and was reaped.
    pub fn fate(&self, _slot: Slot) -> Fate {
        todo!()
    }
}
