//! The directory of a worker's sockets, kept until its process has ended: an errand.
//!
//! The trap: it must outlive every handle, for who serves there goes on when its handles are freed; and go, though nobody may ever ask for the exit.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use super::session::Instance;
use crate::clock::{Deadline, MILLI};
use crate::lock::lock;
use crate::supervisor::{Errand, Host, Managed, Wants};
use crate::sys::{fds, poll};

/// How often a process without a descriptor is looked at.
const SELDOM: i64 = 1_000 * MILLI;

/// One that is kept.
#[derive(Debug)]
pub struct Keep {
    managed: Arc<Managed>,
    pidfd: Option<Arc<OwnedFd>>,
    instance: Mutex<Option<Arc<Instance>>>,
}

impl Keep {
    /// Until the process of this child has ended, or its host is closed, which ends it.
    pub fn begin(host: &Host, managed: &Arc<Managed>, instance: Arc<Instance>) {
        let pidfd = managed.process().ok().and_then(|child| child.pidfd()).and_then(|pidfd| fds::duplicate(&pidfd).ok()).map(Arc::new);
        let keep = Arc::new(Self { managed: managed.clone(), pidfd, instance: Mutex::new(Some(instance)) });
        if host.run(keep.clone()).is_err() {
            keep.end();
        }
    }

    fn end(&self) {
        // Not under the lock: it takes the file system's time.
        let gone = lock(&self.instance).take();
        drop(gone);
    }

    fn has_ended(&self) -> bool {
        let readable = |pidfd: &Arc<OwnedFd>| poll::wait(&[pidfd.as_fd()], Deadline::PAST) == Ok(true);
        self.pidfd.as_ref().is_some_and(readable) || self.managed.process().map_or(true, |child| child.exit().is_some())
    }
}

impl Errand for Keep {
    fn turn(&self, now: i64) -> Option<Wants> {
        if self.has_ended() {
            self.end();
            return None;
        }
        let due = if self.pidfd.is_some() { Deadline::NEVER } else { Deadline::at(now).plus(SELDOM) };
        Some(Wants { fds: self.pidfd.iter().map(|pidfd| (pidfd.clone(), false)).collect(), due })
    }

    fn called_off(&self) {
        self.end();
    }
}
