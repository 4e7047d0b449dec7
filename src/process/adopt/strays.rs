//! Children of this process that nobody knows: a maker of ours was killed after it had made them, and they before they could say who they are.
//!
//! They are born into their maker's group, and stay there until they are known: a sibling is made to lead its own when it is registered (`newborn.rs`). What it
//! has said itself does not count, for its gate may have been closed before that was heard. So who of our children is still in that group, and not in the
//! registry, is a stray: one that lives finds its gate shut, and ends; a zombie is reaped here, by nobody else.
//!
//! The trap is the number of the group: with its last member gone it may be a stranger's, and a zombie in it a child of the host's own making, which is
//! not ours to reap (law 2). A group signal through the maker's pidfd reaches the maker's group and no other, also after its reap (Linux 6.9): so a zombie is
//! seen first, and then the group is asked for; as long as the zombie stays, the number is the group's. Before 6.9, and under filters: nobody may lead a
//! group of that number now, and the zombie be no younger than the first look.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::Maker;
use crate::clock;
use crate::registry;
use crate::sys::memory::Home;
use crate::sys::pidfd::{self, Life, SendError};
use crate::sys::{procfs, wait};

/// Those of one maker.
#[derive(Debug)]
pub struct Strays {
    group: i32,
    pidfd: Arc<OwnedFd>,
    home: Home,
    /// When its end was first seen: in ticks of `procfs::start_time`, and nanoseconds of CLOCK_MONOTONIC.
    seen: Option<(u64, i64)>,
}

/// How many are reaped in one look.
const MOST: usize = 64;

/// How long one that runs on is waited for: a worker may go back into its maker's group, and stay there as long as it likes.
const PATIENCE: i64 = 10_000 * clock::MILLI;

impl Strays {
    /// Of a maker that leads a group (`Isolation::Group` or `Session`).
    pub fn of(maker: &Maker) -> Self {
        Self { group: maker.pid, pidfd: maker.pidfd.clone(), home: Home::here(), seen: None }
    }

    /// Reaps those that have ended. `true`: there are no more, and will be none (or one runs on and on). `false`: the maker was not reaped yet, or one of
    /// them still runs: to be asked again a little later, when their gates were shut. Never blocks.
    pub fn settle(&mut self) -> bool {
        if !self.home.is_here() || self.group <= 1 {
            return true;
        }
        if registry::has_number(self.group) && !self.is_recycled() {
            return false;
        }
        let (seen, since) = *self.seen.get_or_insert_with(|| (procfs::ticks_now(), clock::now()));
        let overdue = clock::now() - since > PATIENCE;
        for _ in 0..MOST {
            match wait::zombie_in_group(self.group) {
                Err(_) => return true,
                Ok(None) => return overdue || !self.is_its_group(None, seen),
                Ok(Some(pid)) if !self.is_its_group(Some(pid), seen) => return true,
                // Somebody's: it is reaped there.
                Ok(Some(pid)) if registry::has_number(pid) => return overdue,
                Ok(Some(pid)) => {
                    wait::reap(-1, pid);
                }
            }
        }
        false
    }

    /// The same while the maker runs: those that have died before they could say who they are. `true`: there were some.
    pub fn bury(&self) -> bool {
        let mut found = false;
        for _ in 0..MOST {
            if !self.home.is_here() || self.group <= 1 {
                return found;
            }
            let Ok(Some(pid)) = wait::zombie_in_group(self.group) else { return found };
            // Seen last: as long as the maker was not reaped, the number of its group is its own.
            if registry::has_number(pid) || !registry::has_number(self.group) || self.is_recycled() {
                return found;
            }
            wait::reap(-1, pid);
            found = true;
        }
        found
    }

    /// The maker was reaped, and its number is another child's by now.
    fn is_recycled(&self) -> bool {
        pidfd::life(self.pidfd.as_raw_fd()) == Life::Reaped
    }

    /// Whether the group of this number, with this zombie in it, is the maker's.
    fn is_its_group(&self, zombie: Option<i32>, seen: u64) -> bool {
        match pidfd::signal_group(self.pidfd.as_raw_fd(), 0) {
            // Others are in it who may not be signalled.
            Ok(()) | Err(SendError::Errno(Errno::EPERM)) => true,
            Err(SendError::Errno(_)) => false,
            Err(SendError::Unavailable) => {
                let led = pidfd::kill_number(self.group, 0) != Err(Errno::ESRCH);
                let younger = zombie.is_some_and(|pid| procfs::start_time(pid).is_some_and(|start| start > seen));
                !led && !younger
            }
        }
    }
}
