//! The gate of a worker: its standard input, a FIFO that it opens for reading, and waits there until somebody opens it for writing.
//!
//! That is where it waits until it is registered, before the first instruction of the application (law 7). So it is opened only when that is said, and without
//! waiting: an open for writing alone fails (ENXIO) as long as nobody reads, so somebody does: a reader of our own that goes once the writer is there. With
//! O_RDWR instead we would be our own reader for good, and would never hear that the worker is gone (EPIPE).
//!
//! Given up, it lets through whoever waits. The trap: who has looked up the name and does not wait yet, would wait for ever, for a fifo that has no name
//! any more and no writer to come; so the reader is kept for a while, and a writer is opened through it once more (`Behind`).
//!
//! By then the directory is the application's: what is opened must be the fifo that was made, by its inode, which the reader keeps from being used again. A file
//! system that somebody has mounted there is not asked.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Mutex;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, fstat};

use super::layout::Layout;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::fds;
use crate::sys::tree::{self, Identity};

/// Its name in the session.
const NAME: &str = "stdin";
const TO_WRITE: OFlag = OFlag::O_WRONLY.union(OFlag::O_NONBLOCK).union(OFlag::O_NOFOLLOW).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

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
        let mut reader = Some(reader);
        let opened = match tree::open_within(directory, NAME, TO_WRITE) {
            // No descriptor is free but this one. Without it the worker must be there already, or it will find an end.
            Err(errno @ (Errno::EMFILE | Errno::ENFILE)) => {
                reader = None;
                tree::open_within(directory, NAME, TO_WRITE).map_err(|_| errno)
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

    /// Nobody comes in: a writer, which lets through whoever waits (none, where there is no descriptor for it now), and who lets through the others.
    pub fn give_up(&self, directory: &OwnedFd) -> Option<(Option<OwnedFd>, Behind)> {
        let behind = Behind(lock(&self.reader).take()?);
        // The name, where /proc is not mounted.
        let writer = behind.writer().or_else(|_| tree::open_within(directory, NAME, TO_WRITE)).ok();
        Some((writer, behind))
    }
}

/// A gate that nobody comes in by any more. Dropped, it lets through who waits there.
#[derive(Debug)]
pub struct Behind(OwnedFd);

impl Behind {
    fn writer(&self) -> core::result::Result<OwnedFd, Errno> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        open(path.as_str(), TO_WRITE.difference(OFlag::O_NOFOLLOW), Mode::empty()).and_then(fds::above_standard)
    }

    /// Lets through who waits; `false`: not now, for there is no descriptor or no memory for it.
    pub fn let_through(&self) -> bool {
        !matches!(self.writer(), Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM))
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.let_through();
    }
}
