//! Landing descriptors: a few low numbers, reserved early, on which a spawn parks what its child needs.
//!
//! Why: a child that shares our descriptor table drops everything above the highest number it needs in one step
//! (`close_range(CLOSE_RANGE_UNSHARE)` copies only what lies below). That is O(1) only if those numbers are low.
//!
//! | number      | holds                                                   | used by                              |
//! |-------------|---------------------------------------------------------|--------------------------------------|
//! | `null`      | /dev/null, always                                       | every stream that is NULL, at once   |
//! | `places[i]` | /dev/null while free; a pipe end or passed descriptor   | the one spawn that set bit i in busy |
//!
//! Traps: a parked pipe end that stays parked would keep the pipe open for ever, so it is overwritten with /dev/null
//! again on every path (never closed: the number must stay ours). A place is busy until exec is done, which can be long on
//! a network file system: with too few free ones the spawn goes without the trick rather than wait. A host that closes
//! all descriptors ("daemonize") would give our numbers to its own files: each number is checked before it is used.

use core::sync::atomic::{AtomicU32, Ordering};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, fstat};

use crate::sys::fds;

/// Places reserved; enough for four children with three streams each to be between clone and exec at once.
const PLACES: usize = 12;
/// Numbers from here on are not low: unsharing would copy too much.
pub const LOW: RawFd = 256;

/// The reserved numbers of this process.
pub struct Landing {
    null: Option<OwnedFd>,
    /// What /dev/null is: device, inode, kind of device.
    identity: (u64, u64, u64),
    /// Never closed while the process lives, so plain numbers.
    places: Vec<RawFd>,
    busy: AtomicU32,
}

impl Landing {
    /// Reserves what is to be had; fewer places, or none, when descriptors are scarce or all low numbers are taken.
    pub fn reserve() -> Self {
        let null = open_null().ok();
        let mut places = Vec::new();
        if let Some(null) = &null {
            while places.len() < PLACES {
                match fds::duplicate(null) {
                    Ok(fd) if fd.as_raw_fd() < LOW => places.push(std::os::fd::IntoRawFd::into_raw_fd(fd)),
                    _ => break,
                }
            }
        }
        let identity = null.as_ref().and_then(|null| identity(null.as_raw_fd())).unwrap_or_default();
        Self { null, identity, places, busy: AtomicU32::new(0) }
    }

    /// /dev/null, if this process could open it and the host has not closed it behind our back.
    pub fn null(&self) -> Option<RawFd> {
        self.null.as_ref().map(AsRawFd::as_raw_fd).filter(|null| self.is_ours(*null))
    }

    fn is_ours(&self, place: RawFd) -> bool {
        identity(place) == Some(self.identity)
    }

    /// Parks the descriptors, in order. `None`: not enough free places, or the places are no longer ours.
    pub fn park(&self, sources: &[RawFd]) -> Option<Parked<'_>> {
        self.null()?;
        let mut taken = Parked { landing: self, numbers: Vec::with_capacity(sources.len()), bits: 0 };
        for source in sources {
            let place = taken.take_place()?;
            if !self.is_ours(place) {
                // Somebody closed our numbers. Leave its bit set for good: it is not ours to touch any more.
                taken.bits &= !self.bit_of(place);
                return None;
            }
            taken.numbers.push(place);
            fds::put(*source, place).ok()?;
        }
        Some(taken)
    }

    fn bit_of(&self, place: RawFd) -> u32 {
        self.places.iter().position(|at| *at == place).map_or(0, |i| 1 << i)
    }
}

fn identity(fd: RawFd) -> Option<(u64, u64, u64)> {
    fstat(fds::borrow(&fd)).ok().map(|stat| (stat.st_dev, stat.st_ino, stat.st_rdev))
}

/// /dev/null for one spawn, when the reserved one is not to be had.
pub fn open_null() -> Result<OwnedFd, Errno> {
    open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard)
}

/// Parked descriptors; dropping puts /dev/null back in every place.
pub struct Parked<'a> {
    landing: &'a Landing,
    /// Where each source now is.
    pub numbers: Vec<RawFd>,
    bits: u32,
}

impl Parked<'_> {
    fn take_place(&mut self) -> Option<RawFd> {
        let mut busy = self.landing.busy.load(Ordering::Relaxed);
        loop {
            let free = (!busy).trailing_zeros() as usize;
            let place = *self.landing.places.get(free)?;
            match self.landing.busy.compare_exchange_weak(busy, busy | 1 << free, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    self.bits |= 1 << free;
                    return Some(place);
                }
                Err(now) => busy = now,
            }
        }
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        if let Some(null) = self.landing.null.as_ref().map(AsRawFd::as_raw_fd) {
            for place in &self.numbers {
                // Cannot fail: both numbers are open and ours.
                let _ = fds::put(null, *place);
            }
        }
        self.landing.busy.fetch_and(!self.bits, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parked_ends_leave_their_place_again() {
        let landing = Landing::reserve();
        let (read, write) = fds::pipe().unwrap();
        let parked = landing.park(&[write.as_raw_fd()]).unwrap();
        drop(write);
        drop(parked);
        let mut byte = [0u8];
        assert_eq!(nix::unistd::read(&read, &mut byte), Ok(0), "end of file: nobody holds the write end");
        assert_eq!(landing.busy.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn too_many_sources_are_refused_and_leave_nothing_busy() {
        let landing = Landing::reserve();
        assert!(landing.park(&[0; PLACES + 1]).is_none());
        assert_eq!(landing.busy.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_null_that_the_host_took_is_never_given_to_a_child() {
        let landing = Landing::reserve();
        let (read, _write) = fds::pipe().unwrap();
        fds::put(read.as_raw_fd(), landing.null.as_ref().unwrap().as_raw_fd()).unwrap();
        assert_eq!(landing.null(), None);
        assert!(landing.park(&[read.as_raw_fd()]).is_none());
    }

    #[test]
    fn a_place_that_the_host_took_is_never_overwritten() {
        let landing = Landing::reserve();
        let (read, _write) = fds::pipe().unwrap();
        fds::put(read.as_raw_fd(), landing.places[0]).unwrap();
        let before = fstat(fds::borrow(&landing.places[0])).unwrap().st_ino;
        assert!(landing.park(&[read.as_raw_fd()]).is_none());
        assert_eq!(fstat(fds::borrow(&landing.places[0])).unwrap().st_ino, before);
    }
}
