//! Children of the preloader's own (libc's way of forking): each is left a zombie until the host has seen how it ended, two seconds at the most.
//!
//! ```text
//!   runs --ends--> ENDED is said, kept --RELEASE, or 2 s--> reaped
//!     '--RELEASE--> released --ends--> ENDED is said, reaped
//! ```
//!
//! What for: the host is not the parent, and the kernel shows it the status of a zombie, not of one that is gone (before Linux 6.15).
//!
//! Traps. Only these are ever waited for, each by itself: what else the application has started is its own. One that the application has reaped is gone, and
//! that is no error. Where no pidfd is to be had (a filter) nothing tells of an end: the clock asks. So it does of one that has ended under a tracer: its pidfd
//! is readable until the tracer lets go, and only then can it be waited for.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::clock::{Deadline, MILLI};
use crate::sys::reactor::{Reactor, Token};
use crate::sys::wait::{self, Ending, Seen};

/// How long a zombie is kept.
const KEPT: i64 = 2000 * MILLI;
/// How often one without a pidfd is looked at.
const LOOK: i64 = 100 * MILLI;

#[derive(Debug)]
struct Child {
    pid: i32,
    pidfd: Option<Arc<OwnedFd>>,
    ended: bool,
    released: bool,
}

impl Child {
    fn number(&self) -> i32 {
        self.pidfd.as_ref().map_or(-1, |fd| fd.as_raw_fd())
    }
}

/// All of them, by birth.
#[derive(Debug, Default)]
pub struct Kept(FxHashMap<u64, Child>);

/// A status word of wait(2).
fn word(ending: Ending) -> i32 {
    match ending.signal {
        0 => (ending.code & 0xFF) << 8,
        signal => signal | if ending.core { 0x80 } else { 0 },
    }
}

impl Kept {
    /// The pidfds: a copy that drops nothing closes them.
    pub fn numbers(&self) -> impl Iterator<Item = RawFd> {
        self.0.values().filter_map(|child| child.pidfd.as_ref()).map(|pidfd| pidfd.as_raw_fd())
    }

    /// One more, just born.
    pub fn add(&mut self, birth: u64, pid: i32, pidfd: Option<Arc<OwnedFd>>, reactor: &Reactor) {
        let is_watched = pidfd.as_ref().is_some_and(|fd| reactor.add(Token(birth), fd).is_ok());
        if !is_watched {
            let _ = reactor.set_due(Token(birth), Deadline::after(LOOK));
        }
        self.0.insert(birth, Child { pid, pidfd, ended: false, released: false });
    }

    /// Looks at one. If it has ended just now: its number, and its status word.
    pub fn look(&mut self, birth: u64, reactor: &Reactor) -> Option<(i32, i32)> {
        let child = self.0.get_mut(&birth)?;
        if child.ended {
            // Its time is over.
            self.bury(birth, reactor);
            return None;
        }
        match wait::look(child.number(), child.pid) {
            Seen::Running => {
                if reactor.has(Token(birth)) {
                    // Readable, and no zombie of ours yet: somebody traces it.
                    reactor.set_aside_for(Token(birth), LOOK);
                } else {
                    let _ = reactor.set_due(Token(birth), Deadline::after(LOOK));
                }
                None
            }
            Seen::Gone => {
                self.forget(birth, reactor);
                None
            }
            Seen::Ended(ending) => {
                let told = (child.pid, word(ending));
                child.ended = true;
                if child.released {
                    self.bury(birth, reactor);
                } else {
                    // Readable as long as it is a zombie: out of the set, or nobody sleeps.
                    reactor.remove(Token(birth));
                    if reactor.set_due(Token(birth), Deadline::after(KEPT)).is_err() {
                        self.bury(birth, reactor);
                    }
                }
                Some(told)
            }
        }
    }

    /// The host has seen its end, or does not want to.
    pub fn release(&mut self, birth: u64, reactor: &Reactor) {
        match self.0.get_mut(&birth) {
            Some(child) if !child.ended => child.released = true,
            Some(_) => self.bury(birth, reactor),
            None => {}
        }
    }

    fn bury(&mut self, birth: u64, reactor: &Reactor) {
        if let Some(child) = self.0.get(&birth) {
            wait::reap(child.number(), child.pid);
        }
        self.forget(birth, reactor);
    }

    fn forget(&mut self, birth: u64, reactor: &Reactor) {
        reactor.forget(Token(birth));
        self.0.remove(&birth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_word_is_that_of_wait() {
        let of = |status: i32| word(Ending::from_status(status));
        for status in [0, 3 << 8, 255 << 8, 9, 11 | 0x80, 15] {
            assert_eq!(of(status), status);
        }
    }
}
