//! The gate of a worker: its standard input, a FIFO that it opens for reading, and waits there until somebody opens it for writing.
//!
//! That is where it waits until it is registered, before the first instruction of the application (law 7). So it is opened only when that is said, and without
//! waiting: an open for writing alone fails (ENXIO) as long as nobody reads, so somebody does: a reader of our own that goes once the writer is there. With
//! O_RDWR instead we would be our own reader for good, and would never hear that the worker is gone (EPIPE).
//!
//! By then the directory is the application's: what is opened must be the fifo that was made, by its inode, which the reader keeps from being used again. A file
//! system that somebody has mounted there is not asked.

use std::os::fd::OwnedFd;
use std::sync::Mutex;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::fstat;

use super::layout::Layout;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::tree::{self, Identity};

/// Its name in the session.
const NAME: &str = "stdin";

/// Closed until it is opened, once.
#[derive(Debug)]
pub struct Gate {
    identity: Identity,
    reader: Mutex<Option<OwnedFd>>,
}

impl Gate {
    /// Makes the fifo.
    pub fn make(layout: &Layout) -> Result<Self> {
        let reader = layout.fifo(NAME)?;
        let identity = tree::identity(&reader).map_err(|errno| Error::system("fstat", errno, "the input of a worker"))?;
        Ok(Self { identity, reader: Mutex::new(Some(reader)) })
    }

    /// Opens it: the worker goes on.
    pub fn open(&self, directory: &OwnedFd) -> Result<OwnedFd> {
        let Some(reader) = lock(&self.reader).take() else {
            return Err(Error::new(Status::State, NAME, "the worker's input was opened before"));
        };
        let replaced = || Error::new(Status::Protocol, NAME, "the worker's input is not the fifo that was made for it any more");
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let mut reader = Some(reader);
        let opened = match tree::open_within(directory, NAME, flags) {
            // No descriptor is free but this one. Without it the worker must be there already, or it will find an end.
            Err(errno @ (Errno::EMFILE | Errno::ENFILE)) => {
                reader = None;
                tree::open_within(directory, NAME, flags).map_err(|_| errno)
            }
            other => other,
        };
        let writer = match opened {
            // Something else has the name: nothing, a link, a mount, a directory, a socket or fifo without a reader; a file that somebody has a lease on.
            Err(Errno::ENOENT | Errno::ELOOP | Errno::EBUSY | Errno::EISDIR | Errno::ENXIO | Errno::EAGAIN) => return Err(replaced()),
            other => other.map_err(|errno| Error::system("open", errno, "cannot open the worker's input"))?,
        };
        let found = fstat(&writer).map_err(|errno| Error::system("fstat", errno, "the input of a worker"))?;
        drop(reader);
        if (found.st_dev, found.st_ino) == self.identity { Ok(writer) } else { Err(replaced()) }
    }
}
