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

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::error::{Error, Result, Status};
use crate::sys::memory::Home;
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
}

impl Foreground {
    /// The terminal, before there is a child. It is this process's controlling terminal now.
    pub fn new(doing: &str) -> Result<Self> {
        let none = |errno| {
            let error = Error::system("foreground", errno, format!("{doing}: the host's terminal"));
            if matches!(errno, Errno::ENXIO | Errno::ENODEV) { error.with_status(Status::NotFound) } else { error }
        };
        Ok(Self { terminal: pty::controlling().map_err(none)?, home: Home::here() })
    }

    /// The terminal's number.
    pub fn terminal(&self) -> RawFd {
        self.terminal.as_raw_fd()
    }

    /// The child has ended, or there was none (0): its group's place is the host's again.
    pub fn take_back(&self, child: i32) {
        if !self.home.is_here() {
            return;
        }
        let own = nix::unistd::getpgrp().as_raw();
        let Ok(now) = pty::foreground(&self.terminal) else { return };
        if now != own && (now == child || pty::is_empty(now)) {
            let _ = pty::set_foreground(&self.terminal, own);
        }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        self.take_back(0);
    }
}
