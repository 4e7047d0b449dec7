//! Orphans that the kernel gave to this process because it is a subreaper, or the init of a container.
//!
//! Only those that descend from procsup's own children are touched (`process/lineage.rs` tells): they are watched by a pidfd, killed once the
//! child they descend from has ended (unless survivors were to be left), and reaped. No event says that an orphan has come, so we
//! look: shortly after each end, which is when most come, and twice a second besides. A look costs the number of our children.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use super::inner::{Books, Inner, LOOK_FOR_ORPHANS, ORPHANS};
use crate::clock::{self, MILLI};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::lineage::{self, Descendant};
use crate::registry;
use crate::sys::pidfd::{self, SendError};
use crate::sys::wait::{self, Seen};
use crate::sys::{poll, procfs, signal};

const SOON: i64 = 5 * MILLI;
const SELDOM: i64 = 500 * MILLI;

/// The orphans that a supervisor watches.
#[derive(Default)]
pub(super) struct Orphans {
    on: bool,
    last: u64,
    watched: HashMap<u64, Orphan>,
}

struct Orphan {
    pid: i32,
    /// None where a filter forbids it: then every look asks. It is our own child by now, so its number cannot be another's.
    pidfd: Option<OwnedFd>,
    descendant: Descendant,
    /// In the set. Not if it cannot be, or has ended and cannot be reaped yet (a tracer holds it).
    watched: bool,
}

impl Orphan {
    fn number(&self) -> i32 {
        self.pidfd.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    fn kill(&self) {
        let sent = self.pidfd.as_ref().map_or(Err(SendError::Unavailable), |pidfd| pidfd::signal(pidfd.as_raw_fd(), libc::SIGKILL));
        if sent == Err(SendError::Unavailable) && wait::look(self.number(), self.pid) == Seen::Running {
            let _ = pidfd::kill_number(self.pid, libc::SIGKILL);
        }
    }

    /// Whether it is gone for good.
    fn reap(&self) -> bool {
        wait::reap(self.number(), self.pid) != Seen::Running
    }
}

impl Inner {
    /// Makes this process a subreaper (or no more), and looks after what that brings.
    pub(super) fn set_subreaper(&self, on: bool) -> Result<()> {
        self.check()?;
        if on {
            lineage::begin()
                .map_err(|errno| Error::system("RLIMIT_RTTIME", errno, "cannot mark children, so orphans could be anybody's"))?;
        }
        let mut books = lock(&self.books);
        if on {
            self.set_timer(&books)?;
        }
        signal::set_subreaper(on).map_err(|errno| Error::system("prctl", errno, "cannot become a subreaper"))?;
        let was = std::mem::replace(&mut books.orphans.on, on);
        if on != was {
            // Somebody who only waits for a child must look after orphans too.
            if on {
                self.busy.fetch_add(1, Ordering::Relaxed)
            } else {
                self.busy.fetch_sub(1, Ordering::Relaxed)
            };
        }
        self.look_after_orphans(&mut books);
        Ok(())
    }

    /// Somebody has ended: orphans may have come.
    pub(super) fn look_after_orphans(&self, books: &mut Books) {
        if books.orphans.on {
            self.schedule_look(books, LOOK_FOR_ORPHANS, SOON);
        }
    }

    /// The look itself.
    pub(super) fn look_for_orphans(&self) {
        let found = adopted(|pid| lock(&self.books).orphans.watched.values().any(|orphan| orphan.pid == pid));
        let mut books = lock(&self.books);
        for mut orphan in found {
            books.orphans.last += 1;
            let word = ORPHANS | books.orphans.last;
            orphan.watched = orphan.pidfd.as_ref().is_some_and(|pidfd| self.set.add(pidfd, word).is_ok());
            books.orphans.watched.insert(word, orphan);
        }
        for orphan in books.orphans.watched.values().filter(|orphan| orphan.descendant.is_unwanted()) {
            orphan.kill();
        }
        let before = books.orphans.watched.len();
        books.orphans.watched.retain(|_, orphan| orphan.watched || !orphan.reap());
        if books.orphans.on {
            // What one leaves behind is ours now; and those that are only asked are asked again soon.
            let soon = before != books.orphans.watched.len() || books.orphans.watched.values().any(|orphan| orphan.pidfd.is_none());
            self.schedule_look(&mut books, LOOK_FOR_ORPHANS, if soon { 4 * SOON } else { SELDOM });
        }
    }

    /// A watched orphan has ended.
    pub(super) fn reap_orphan(&self, word: u64) {
        let mut books = lock(&self.books);
        let Some(orphan) = books.orphans.watched.get_mut(&word) else { return };
        // Out of the set in any case: readable and not to be reaped, it would keep everybody awake.
        if let Some(pidfd) = &orphan.pidfd {
            self.set.remove(pidfd);
        }
        orphan.watched = false;
        if orphan.reap() {
            books.orphans.watched.remove(&word);
            // What it leaves behind is ours now.
            self.look_after_orphans(&mut books);
        }
    }

    /// The end of the supervisor: none that is unwanted survives, until the deadline.
    pub(super) fn kill_orphans(&self, deadline: Option<i64>) {
        let mut watched: Vec<Orphan> = {
            let mut books = lock(&self.books);
            if !std::mem::take(&mut books.orphans.on) {
                return;
            }
            std::mem::take(&mut books.orphans.watched).into_values().collect()
        };
        for orphan in &watched {
            if let Some(pidfd) = orphan.pidfd.as_ref().filter(|_| orphan.watched) {
                self.set.remove(pidfd);
            }
        }
        loop {
            let known: Vec<i32> = watched.iter().map(|orphan| orphan.pid).collect();
            watched.extend(adopted(|pid| known.contains(&pid)));
            watched.retain(|orphan| orphan.descendant.is_unwanted());
            watched.iter().for_each(Orphan::kill);
            let before = watched.len();
            watched.retain(|orphan| !orphan.reap());
            if (before == 0 && watched.is_empty()) || deadline.is_some_and(|at| clock::now() >= at) {
                return;
            }
            poll::wait_raw(-1, MILLI);
        }
    }
}

/// Children of this process that nobody here has spawned, but that descend from one that was.
fn adopted(is_known: impl Fn(i32) -> bool) -> Vec<Orphan> {
    // In this order: a child that is listed has its number in the registry by the time it is marked.
    let children = procfs::own_children();
    let mut own = registry::numbers();
    own.sort_unstable();
    let strangers = children.into_iter().filter(|pid| own.binary_search(pid).is_err() && !is_known(*pid));
    let orphan = |pid: i32| {
        let pidfd = pidfd::open(pid).ok();
        // Read after it was pinned: the number may have been another's before.
        let descendant = Descendant::of(pid)?;
        Some(Orphan { pid, pidfd, descendant, watched: false })
    };
    strangers.filter_map(orphan).collect()
}
