//! One handshake on real descriptors: an errand that follows a process from when it is there until it is ready or never will be.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::session::{Dumps, Session, Socket};
use crate::clock::Deadline;
use crate::error::Result;
use crate::journey::Journey;
use crate::supervisor::{Errand, Host, Managed, Wants};

/// What is to be followed, from when its process is there.
#[derive(Debug)]
pub struct Attempt {
    /// By which the two sides speak; its directory goes with the end of the handshake.
    pub session: Session,
    /// How far it has come; SPAWNING_KIT_HANDSHAKE_PERFORM is begun here.
    pub journey: Journey,
    /// The end of the whole.
    pub deadline: Deadline,
    /// What the preloader has told of itself, for the error.
    pub preloader: Option<Arc<Dumps>>,
}

/// A process that is ready.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Where it is to be found; at least one of the kind that was needed.
    pub sockets: Vec<Socket>,
    /// All steps, those of the process among them.
    pub journey: Journey,
    /// What it has told of itself.
    pub dumps: Dumps,
    /// Its unique name: `gupid` of its arguments.
    pub gupid: String,
    /// What kind of application it is: `app_type` of its arguments.
    pub app_type: String,
    /// Since when it is ready, nanoseconds of CLOCK_MONOTONIC.
    pub ready_ns: i64,
    /// The generation of the preloader that it was forked from; 0 without one. The client sets it.
    pub generation: u32,
}

/// What is done when it is over; called once, whatever comes, within somebody's look: it never waits. Before READY or FAILED is told.
pub type Then = Box<dyn FnOnce(Result<Arrived>) + Send>;

/// One that is followed.
#[derive(Debug)]
pub struct Follow {
    pidfd: Option<Arc<OwnedFd>>,
}

impl Follow {
    /// Follows the process of a child whose command says `ready_when_told`, and tells: `tell_ready`, or `tell_failed`, by which it is killed.
    pub fn begin(host: &Host, managed: &Arc<Managed>, attempt: Attempt, then: Then) {
        let _ = (host, managed, attempt, then);
        unimplemented!()
    }
}

impl Errand for Follow {
    fn turn(&self, now: i64) -> Option<Wants> {
        let _ = (now, &self.pidfd);
        None
    }
}
