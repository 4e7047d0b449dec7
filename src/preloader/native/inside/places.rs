//! Descriptors that came with GO, put where they belong.
//!
//! Traps. **What came has taken the lowest free numbers**, and so may stand where another one is to go; so may the worker's own channel. The channel moves
//! out of the way first; of the others each is put where nobody stands who has not moved yet, and only those that stand in a ring are moved twice. What the
//! application has had there is closed: the host decides what a worker has. **Nothing is allocated** for a few: this process was just forked (`newborn.rs`).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::super::wire::{self, Link};
use crate::error::{Error, Result, Status};
use crate::sys::fds;
use crate::sys::socket::Packet;

/// So many are put without an allocation.
const FEW: usize = 16;

/// Puts them there, as this GO says: the streams for programs that are executed too, all others close-on-exec.
#[inline(always)]
pub fn put(link: &mut Link, go: &[u8], given: &mut Packet) -> Result<()> {
    let Some(targets) = wire::targets(go, given.count()) else { return Err(malformed("a descriptor without a number")) };
    let is_target = |number: RawFd| targets.clone().any(|target| target == number);
    for (index, number) in targets.clone().enumerate() {
        if targets.clone().take(index).any(|before| before == number) {
            return Err(malformed("two descriptors for one number"));
        }
    }
    if is_target(link.socket().as_raw_fd()) {
        let moved = clear_of(link.socket().as_fd(), &is_target)?;
        link.move_to(moved);
    }
    if given.count() > FEW {
        return arrange_many(&targets.collect::<Vec<_>>(), given);
    }
    let mut numbers = [0; FEW];
    numbers.iter_mut().zip(targets.clone()).for_each(|(place, number)| *place = number);
    arrange(&numbers[..given.count()], given)
}

#[cold]
#[inline(never)]
fn arrange_many(targets: &[RawFd], given: &mut Packet) -> Result<()> {
    arrange(targets, given)
}

#[inline(always)]
fn arrange(targets: &[RawFd], given: &mut Packet) -> Result<()> {
    let all = 0..targets.len();
    let is_free = |given: &Packet, number| !all.clone().any(|index| given.fd(index) == Some(number));
    while let Some(next) = all.clone().find(|index| given.fd(*index).is_some() && is_free(given, targets[*index])) {
        place(targets, next, given)?;
    }
    // Each of those that are left stands where another one is to go, or where it is to stay.
    for index in all.clone() {
        if let Some(moved) = given.duplicate(index, |fd| clear_of(fd, &|number| targets.contains(&number))).transpose()? {
            given.change(index, moved);
        }
    }
    for index in all {
        place(targets, index, given)?;
    }
    Ok(())
}

/// Puts one of them, if it was not put before.
#[inline(always)]
fn place(targets: &[RawFd], index: usize, given: &mut Packet) -> Result<()> {
    let Some(fd) = given.fd(index) else { return Ok(()) };
    fds::place(&fd, targets[index], targets[index] > 2).map_err(failed)?;
    given.close_one(index);
    Ok(())
}

#[cold]
fn failed(errno: Errno) -> Error {
    Error::system("dup3", errno, "cannot put a descriptor where the worker is to have it")
}

#[cold]
fn malformed(why: &str) -> Error {
    Error::new(Status::Protocol, "go", why)
}

/// A duplicate whose number is none of these.
#[cold]
#[inline(never)]
fn clear_of(fd: BorrowedFd<'_>, is_target: &dyn Fn(RawFd) -> bool) -> Result<OwnedFd> {
    let mut least = 3;
    loop {
        let copy = fds::duplicate_above(fd, least).map_err(failed)?;
        if !is_target(copy.as_raw_fd()) {
            return Ok(copy);
        }
        least = copy.as_raw_fd() + 1;
    }
}
