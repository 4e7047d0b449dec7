//! A child's pseudo-terminal, seen from here.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::Child;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::command::window;

impl Child {
    /// Our end of its terminal; it now belongs to the caller.
    pub fn take_terminal(&self) -> Result<OwnedFd> {
        self.check()?;
        let taken = self.rare().terminal.as_ref().and_then(|master| lock(master).take());
        taken.ok_or_else(|| {
            let why = "there is no pseudo-terminal, procsup itself reads or types there, or it was taken already";
            Error::new(Status::NotFound, "pty", why)
        })
    }

    /// It has ended.
    pub(super) fn end_terminal(&self) {
        let ends = self.rare().terminal.as_ref().map(|master| lock(master).end());
        drop(ends);
    }

    /// Gives it a size. Never blocks.
    pub fn resize(&self, rows: i32, columns: i32) -> Result<()> {
        self.check()?;
        let size = window(rows, columns)?;
        let master =
            self.rare().terminal.as_ref().ok_or_else(|| Error::new(Status::NotFound, "pty", "the child has no pseudo-terminal"))?;
        if lock(&self.life).has_ended() {
            return Err(Error::new(Status::Exited, "pty", format!("process {} has ended", self.pid)).with_pid(self.pid));
        }
        lock(master).resize(size, self.pid).map_err(|errno| {
            let error = Error::system("pty", errno, format!("cannot resize the terminal of process {}", self.pid)).with_pid(self.pid);
            // It was taken, and is not where it was then any more.
            if matches!(errno, Errno::EBADF | Errno::ENOTTY) { error.with_status(Status::NotFound) } else { error }
        })
    }
}
