//! A child's terminal on the host's side: the other end of its pseudo-terminal; and the host's own, whose foreground it has for a while.
//!
//! Traps. **The other end is what keeps a terminal from being hung up** (SIGHUP to the child): who has taken it decides about that, so no copy of it
//! is kept here. Only its number is, and that is the caller's to close: before anything is done to what is there now, it is seen to be the terminal
//! of this child's session, which nobody else's can be.
//!
//! **A terminal whose end nobody has is not over**: reading and writing fail (EIO) until the child opens it again, as /dev/tty, and a loop is told of that
//! without end (EPOLLHUP). So who reads or types there himself holds the child's end, too, as long as the child is there: then that never is. The
//! child's end is the end, and the hang-up is that of our end, as ever.
//!
//! **All copies of our end share O_NONBLOCK**, and there is no second opening of it (that would be another terminal): whoever else had one could let a
//! write of ours block. So it is given away only where nothing is read or typed here.
//!
//! **The foreground is to be taken back once**, by whoever finds the end of the child, also from the background (`sys/pty.rs`), and never from
//! somebody who has got it meanwhile: it is taken from the child's group, or from one where nobody is left. A child that was put there and could not
//! begin is of the second kind.
//!
//! **A child that is a shell has put a job there**, and when it is dead, nobody but the host ever takes the place from that: after the job's end the host
//! would be a background process of a terminal without a foreground. So a host that gave the place away takes it from what is left of its child, too.
//! The job's parent is dead; what tells it from a job of the host's own shell is that this has its parent still: no line leads from it, within the
//! session, to the host or to who is above it. (A shell that adopts orphans itself, as the first process of a container, is taken for the parent: the job
//! keeps the place there, unless it bears its child's mark (`lineage.rs`).)

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::lineage::Mark;
use crate::error::{Error, Result, Status};
use crate::sys::memory::Home;
use crate::sys::procfs::{self, Kin};
use crate::sys::{fds, pty};

/// Our end of a child's pseudo-terminal.
#[derive(Debug)]
pub struct Master {
    end: Option<OwnedFd>,
    /// Where it was when it was taken.
    taken: RawFd,
    /// The child's end, where something is read or typed here.
    held: Option<OwnedFd>,
    /// Nobody else's, then.
    is_ours: bool,
}

impl Master {
    /// `held`: the child's end, if another copy of ours is read or written here.
    pub fn new(end: OwnedFd, held: Option<OwnedFd>) -> Self {
        Self { end: Some(end), taken: -1, is_ours: held.is_some(), held }
    }

    /// It is the caller's now.
    pub fn take(&mut self) -> Option<OwnedFd> {
        let end = self.end.take_if(|_| !self.is_ours)?;
        self.taken = end.as_raw_fd();
        Some(end)
    }

    /// Its child has ended. What nobody can take is of no more use.
    pub fn end(&mut self) -> [Option<OwnedFd>; 2] {
        [self.held.take(), self.end.take_if(|_| self.is_ours)]
    }

    /// Nobody can take it any more; who reads and types goes on.
    pub fn close(&mut self) -> Option<OwnedFd> {
        self.end.take()
    }

    /// Gives it a size. `child`: who leads its session. `EBADF`, `ENOTTY`: it is not here, nor where it was when it was taken.
    pub fn resize(&self, [rows, columns]: [u16; 2], child: i32) -> core::result::Result<(), Errno> {
        if let Some(end) = &self.end {
            return pty::resize(end.as_raw_fd(), rows, columns);
        }
        // A share of our own: the number may become another's at any moment.
        let there = fds::duplicate_number(self.taken)?;
        if pty::session_of(there.as_raw_fd())? != child {
            return Err(Errno::ENOTTY);
        }
        pty::resize(there.as_raw_fd(), rows, columns)
    }
}

/// The host's own terminal, while the group of a child of ours is its foreground.
#[derive(Debug)]
pub struct Foreground {
    terminal: OwnedFd,
    home: Home,
    /// The place was the host's to give.
    given: bool,
}

impl Foreground {
    /// The terminal, before there is a child. It is this process's controlling terminal now.
    pub fn new(doing: &str) -> Result<Self> {
        let none = |errno| {
            let error = Error::system("foreground", errno, format!("{doing}: the host's terminal"));
            if matches!(errno, Errno::ENXIO | Errno::ENODEV) { error.with_status(Status::NotFound) } else { error }
        };
        let terminal = pty::controlling().map_err(none)?;
        let given = pty::foreground(&terminal).is_ok_and(|now| now == nix::unistd::getpgrp().as_raw() || pty::is_empty(now));
        Ok(Self { terminal, home: Home::here(), given })
    }

    /// The terminal's number.
    pub fn terminal(&self) -> RawFd {
        self.terminal.as_raw_fd()
    }

    /// The child has ended, or there was none (0): its group's place is the host's again. `mark`: what its descendants bear.
    pub fn take_back(&self, child: i32, mark: Option<&Mark>) {
        if !self.home.is_here() {
            return;
        }
        let own = nix::unistd::getpgrp().as_raw();
        let Ok(now) = pty::foreground(&self.terminal) else { return };
        let is_left = || self.given && child != 0 && is_left_behind(procfs::members(now), mark, crate::sys::getpid(), procfs::kin);
        if now != own && (now == child || pty::is_empty(now) || is_left()) {
            let _ = pty::set_foreground(&self.terminal, own);
        }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.take_back(0, None);
    }
}

/// Whether all these are of children that are dead: see the head of this file.
fn is_left_behind(group: impl Iterator<Item = i32>, mark: Option<&Mark>, host: i32, kin: impl Fn(i32) -> Option<Kin>) -> bool {
    let Some(Kin { session, .. }) = kin(host) else { return false };
    let here = |pid: &i32| *pid > 0 && kin(*pid).is_some_and(|kin| kin.session == session);
    let line = |pid: i32| std::iter::successors(Some(pid).filter(here), |pid| kin(*pid).map(|kin| kin.parent).filter(here)).take(100);
    let above: Vec<i32> = line(host).collect();
    let is_left = |pid: i32| mark.is_some_and(|mark| mark.is_on(pid)) || !line(pid).any(|pid| above.contains(&pid));
    let mut group = group.peekable();
    group.peek().is_some() && group.all(is_left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell (10) of a session of its own below 5, its jobs 20 (the host) and 30, and the first process of all.
    fn left(group: &[i32], more: &[(i32, i32)]) -> bool {
        let known = [(1, 0), (5, 1), (10, 5), (20, 10), (30, 10)];
        let kin = |pid| {
            let (_, parent) = *known.iter().chain(more).find(|(one, _)| *one == pid)?;
            Some(Kin { parent, group: 0, session: if pid < 10 { pid } else { 10 } })
        };
        is_left_behind(group.iter().copied(), None, 20, kin)
    }

    #[test]
    fn a_job_whose_shell_is_dead_is_told_from_one_whose_shell_lives() {
        // Jobs of a child (40) that has ended: adopted by the first process, or by one that is above the session.
        assert!(left(&[41], &[(41, 1)]) && left(&[41, 42], &[(41, 5), (42, 41)]));
        // A shell that has outlived the child.
        assert!(left(&[51], &[(51, 50), (50, 1)]));
        // The shell itself, its other job, and who is below that.
        assert!(!left(&[10], &[]) && !left(&[30], &[]) && !left(&[31], &[(31, 30)]) && !left(&[41, 31], &[(41, 1), (31, 30)]));
        // Another child of the host, and what it has made.
        assert!(!left(&[60], &[(60, 20)]) && !left(&[61], &[(61, 60), (60, 20)]));
        // Nobody is to be seen, or /proc tells nothing.
        assert!(!left(&[], &[]) && !is_left_behind([41].into_iter(), None, 20, |_| None));
        // A line that leads nowhere, or in a circle.
        assert!(left(&[71], &[(71, 72)]) && left(&[71], &[(71, 72), (72, 71)]));
    }
}
