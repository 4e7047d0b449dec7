//! Descriptors that came with GO, put where they belong.
//!
//! The trap: what came has taken the lowest free numbers, and so may stand where another one is to go; so may the worker's own channel. The channel moves
//! out of the way first; of the others each is put where nobody stands who has not moved yet, and only those that stand in a ring are moved twice. What the application has had there is closed: the host decides what a worker has.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::super::wire::{Link, Place};
use crate::error::{Error, Result, Status};
use crate::sys::fds;

/// Puts them there: the streams for programs that are executed too, all others close-on-exec.
pub fn put(link: &mut Link, places: &[Place], given: Vec<OwnedFd>) -> Result<()> {
    let mut targets = Vec::with_capacity(given.len());
    for place in places {
        let Place::To(number) = *place else { return Err(malformed("a descriptor without a number")) };
        if targets.contains(&number) {
            return Err(malformed("two descriptors for one number"));
        }
        targets.push(number);
    }
    let failed = |errno| Error::system("dup3", errno, "cannot put a descriptor where the worker is to have it");
    if targets.contains(&link.socket().as_raw_fd()) {
        let moved = clear_of(link.socket(), &targets).map_err(failed)?;
        link.move_to(moved);
    }
    let mut left: Vec<(OwnedFd, RawFd)> = given.into_iter().zip(targets.iter().copied()).collect();
    while let Some(next) = left.iter().position(|(_, number)| !left.iter().any(|(fd, _)| fd.as_raw_fd() == *number)) {
        let (fd, number) = left.swap_remove(next);
        fds::place(&fd, number, number > 2).map_err(failed)?;
    }
    // Each of those that are left stands where another one is to go, or where it is to stay.
    for (fd, _) in &mut left {
        *fd = clear_of(fd, &targets).map_err(failed)?;
    }
    for (fd, number) in &left {
        fds::place(fd, *number, *number > 2).map_err(failed)?;
    }
    Ok(())
}

fn malformed(why: &str) -> Error {
    Error::new(Status::Protocol, "go", why)
}

/// A duplicate whose number is none of these.
fn clear_of(fd: &OwnedFd, targets: &[RawFd]) -> core::result::Result<OwnedFd, Errno> {
    let mut least = 3;
    loop {
        let copy = fds::duplicate_above(fd, least)?;
        if !targets.contains(&copy.as_raw_fd()) {
            return Ok(copy);
        }
        least = copy.as_raw_fd() + 1;
    }
}
