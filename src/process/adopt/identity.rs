//! Whether a number and a pidfd are of one process, and whether that could be a child of this one.

use std::os::fd::{AsRawFd, OwnedFd};

use crate::error::{Error, Result, Status};
use crate::sys::getpid;
use crate::sys::pidfd::{self, Life};

pub fn rejected(pid: i32, why: &str) -> Error {
    Error::new(Status::PeerRejected, "adopt", format!("process {pid} {why}")).with_pid(pid)
}

/// The number and the pidfd are of one process, which has not ended, and could be a child.
pub fn named(pid: i32, pidfd: &OwnedFd) -> Result<()> {
    let fd = pidfd.as_raw_fd();
    let named = pidfd::number_here(fd);
    if pidfd::life(fd) != Life::Running {
        return Err(Error::new(Status::Exited, "adopt", format!("process {pid} has ended")).with_pid(pid));
    }
    match named {
        None => {
            let text = format!("process {pid}: neither the kernel nor /proc says which number its pidfd has");
            Err(Error::new(Status::Unsupported, "adopt", text).with_pid(pid))
        }
        Some(number) if number != pid => Err(rejected(pid, &format!("is not the one that was proven: that is {number}"))),
        Some(number) if number == getpid() => Err(rejected(pid, "is this one")),
        Some(1) => Err(rejected(pid, "is the init of the machine or container")),
        Some(_) => Ok(()),
    }
}
