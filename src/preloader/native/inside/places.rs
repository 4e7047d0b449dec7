//! Descriptors that came with GO, put where they belong.
//!
//! Traps. **What came has taken the lowest free numbers**, and so may stand where another one is to go; so may the worker's own channel. The channel moves
//! out of the way first; of the others each is put where nobody stands who has not moved yet, and only those that stand in a ring are moved twice. What the
//! application has had there is closed: the host decides what a worker has. **Nothing is allocated** for a few: this process was just forked (`newborn.rs`).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::super::wire::{self, Link, MAX_GIVEN};
use crate::error::{Error, Result, Status};
use crate::sys::fds;
use crate::sys::socket::Packet;

/// So many are put without an allocation.
const FEW: usize = 8;

/// Puts them there, as this GO says: the streams for programs that are executed too, all others close-on-exec.
#[inline(always)]
pub fn put(link: &mut Link, go: &[u8], given: &mut Packet) -> Result<()> {
    let mut few = [0; FEW];
    match wire::targets(go, given.count(), &mut few) {
        Some(targets) => arrange(link, targets, given),
        None => put_many(link, go, given),
    }
}

/// The same of one that is long.
#[cold]
#[inline(never)]
pub fn put_long(link: &mut Link, go: &[u8], given: &mut Packet) -> Result<()> {
    put(link, go, given)
}

#[cold]
#[inline(never)]
fn put_many(link: &mut Link, go: &[u8], given: &mut Packet) -> Result<()> {
    let mut many = [0; MAX_GIVEN];
    let targets = wire::targets(go, given.count(), &mut many).ok_or_else(|| malformed("a descriptor without a number"))?;
    arrange(link, targets, given)
}

/// (Loops by hand: what an iterator does may be code of its own.)
#[inline(always)]
fn arrange(link: &mut Link, targets: &[RawFd], given: &mut Packet) -> Result<()> {
    let mut at = 0;
    while at < targets.len() {
        if is_in(&targets[..at], targets[at]) {
            return Err(malformed("two descriptors for one number"));
        }
        at += 1;
    }
    if is_in(targets, link.socket().as_raw_fd()) {
        let moved = clear_of(link.socket().as_fd(), targets)?;
        link.move_to(moved);
    }
    // Where nobody stands who has not moved yet.
    let mut has_moved = true;
    while has_moved {
        (at, has_moved) = (0, false);
        while at < targets.len() {
            if given.fd(at).is_some() && !stands_at(targets[at], targets.len(), given) {
                place(targets, at, given)?;
                has_moved = true;
            }
            at += 1;
        }
    }
    at = 0;
    while at < targets.len() {
        if given.fd(at).is_some() {
            return open_rings(targets, given);
        }
        at += 1;
    }
    Ok(())
}

/// Each of those that are left stands where another one is to go, or where it is to stay.
#[cold]
#[inline(never)]
fn open_rings(targets: &[RawFd], given: &mut Packet) -> Result<()> {
    for index in 0..targets.len() {
        if let Some(moved) = given.duplicate(index, |fd| clear_of(fd, targets)).transpose()? {
            given.change(index, moved);
        }
    }
    (0..targets.len()).try_for_each(|index| place(targets, index, given))
}

#[inline(always)]
fn is_in(numbers: &[RawFd], number: RawFd) -> bool {
    let mut at = 0;
    while at < numbers.len() {
        if numbers[at] == number {
            return true;
        }
        at += 1;
    }
    false
}

#[inline(always)]
fn stands_at(number: RawFd, count: usize, given: &Packet) -> bool {
    let mut at = 0;
    while at < count {
        if given.fd(at) == Some(number) {
            return true;
        }
        at += 1;
    }
    false
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
fn clear_of(fd: BorrowedFd<'_>, targets: &[RawFd]) -> Result<OwnedFd> {
    let mut least = 3;
    loop {
        let copy = fds::duplicate_above(fd, least).map_err(failed)?;
        if !targets.contains(&copy.as_raw_fd()) {
            return Ok(copy);
        }
        least = copy.as_raw_fd() + 1;
    }
}
