//! Standard input from memory: a sealed memfd.
//!
//! Feeding a pipe is what deadlocks two programs that each wait for the other to read. A file in memory needs no feeding: it is
//! complete before the child begins, and ends where it ends.
//!
//! Source: memfd_create(2).

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Whence, lseek};

use crate::sys::{Fault, fds, memfd};

/// Bytes that a child finds on its standard input.
#[derive(Debug)]
pub struct Input(OwnedFd);

impl Input {
    /// Copies the bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Fault> {
        memfd::sealed(c"procsup-input", bytes).map(Self)
    }

    /// A reading end of its own, at the beginning: children of one command share the bytes, not the place.
    pub fn open(&self) -> Result<OwnedFd, Fault> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        match open(path.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard) {
            // No /proc here: a copy has a place of its own, too.
            Err(Errno::ENOENT) => self.copy(),
            other => other.map_err(Fault::of("open")),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        memfd::read_all(&self.0)
    }

    fn copy(&self) -> Result<OwnedFd, Fault> {
        let copy = Self::new(&memfd::read_all(&self.0)?)?.0;
        lseek(&copy, 0, Whence::SeekSet).map_err(Fault::of("lseek"))?;
        Ok(copy)
    }
}
