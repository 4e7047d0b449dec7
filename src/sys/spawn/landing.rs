//! Landing descriptors: a few low numbers, reserved early, on which a spawn parks what its child needs.
//!
//! Why: a child that shares our descriptor table drops everything above the highest number it needs in one step
//! (`close_range(CLOSE_RANGE_UNSHARE)` copies only what lies below). That is O(1) only if those numbers are low.
//!
//! | number      | holds                                                       | used by                              |
//! |-------------|-------------------------------------------------------------|--------------------------------------|
//! | `anchor`    | an empty file in memory that is nobody else's, always       | whoever puts it back in a place      |
//! | `places[i]` | the same file while free; a pipe end or passed descriptor   | the one spawn that set bit i in busy |
//!
//! Traps: a parked pipe end that stays parked would keep the pipe open for ever, so it is overwritten with the file
//! again on every path (never closed: the number must stay ours). A place is busy until exec is done, which can be long on
//! a network file system: with too few free ones the spawn goes without the trick rather than wait. A host that closes
//! all descriptors ("daemonize") would give our numbers to its own files: each number is checked before it is used, and
//! the inode of a file of our own is what nothing else can have.
//!
//! They are a convenience, so they are reserved only where the host has plenty left, and by one thread: in a storm of first spawns the
//! others go without.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use nix::sys::stat::fstat;

use crate::sys::{fds, memfd};

/// Places reserved; enough for four children with three streams each to be between clone and exec at once.
const PLACES: usize = 12;
/// Numbers from here on are not low: unsharing would copy too much.
pub const LOW: RawFd = 256;

/// The reserved numbers of this process, once there are any.
#[derive(Default)]
pub struct Landing {
    held: OnceLock<Held>,
    /// A thread is reserving, or was when it came to its end.
    reserving: AtomicBool,
    /// The soft limit under which there was no room for them, and one more: 0 has not been tried.
    refused: AtomicU64,
}

struct Held {
    anchor: OwnedFd,
    /// Device and inode of the file.
    identity: (u64, u64),
    /// Never closed while the process lives, so plain numbers.
    places: Vec<RawFd>,
    busy: AtomicU32,
}

impl Landing {
    /// Reserves what is to be had, if so many descriptors more than that are free. Costs a load if it was done, and a look at the limit if
    /// there was no room: it is tried again when the host has changed it.
    pub fn reserve(&self, headroom: usize) {
        if self.is_reserved() || self.reserving.swap(true, Ordering::Acquire) {
            return;
        }
        let limit = fds::soft_limit();
        if self.refused.load(Ordering::Relaxed) != limit.wrapping_add(1) {
            let room = fds::has_room(limit, PLACES + 2 + headroom);
            match if room { Held::reserve() } else { None } {
                Some(held) => drop(self.held.set(held)),
                None => self.refused.store(limit.wrapping_add(1), Ordering::Relaxed),
            }
        }
        self.reserving.store(false, Ordering::Release);
    }

    /// In a forked copy: closes what the original has reserved, as far as the numbers still hold its file. One that was in use when the host was
    /// forked stays: what was parked there cannot be told from something that the copy has opened since. Takes no lock.
    pub fn give_back(&self) {
        let Some(held) = self.held.get() else { return };
        for number in held.places.iter().copied().chain([held.anchor.as_raw_fd()]) {
            if held.is_ours(number) {
                fds::close(number);
            }
        }
    }

    /// Whether there are any.
    pub fn is_reserved(&self) -> bool {
        self.held.get().is_some()
    }

    /// Parks the descriptors, in order. `None`: not enough free places, or the places are no longer ours.
    pub fn park(&self, sources: &[RawFd]) -> Option<Parked<'_>> {
        let held = self.held.get()?;
        if !held.is_ours(held.anchor.as_raw_fd()) {
            return None;
        }
        let mut taken = Parked { held, numbers: Vec::with_capacity(sources.len()), bits: 0 };
        for source in sources {
            let place = taken.take_place()?;
            if !held.is_ours(place) {
                // Somebody closed our numbers. Leave its bit set for good: it is not ours to touch any more.
                taken.bits &= !held.bit_of(place);
                return None;
            }
            taken.numbers.push(place);
            fds::put(*source, place).ok()?;
        }
        Some(taken)
    }
}

impl Held {
    fn reserve() -> Option<Self> {
        let anchor = memfd::create(c"procsup-landing").ok()?;
        let identity = identity(anchor.as_raw_fd())?;
        let mut places = Vec::with_capacity(PLACES);
        while places.len() < PLACES {
            match fds::duplicate(&anchor) {
                Ok(fd) if fd.as_raw_fd() < LOW => places.push(fd.into_raw_fd()),
                _ => break,
            }
        }
        (!places.is_empty()).then_some(Self { anchor, identity, places, busy: AtomicU32::new(0) })
    }

    fn is_ours(&self, number: RawFd) -> bool {
        identity(number) == Some(self.identity)
    }

    fn bit_of(&self, place: RawFd) -> u32 {
        self.places.iter().position(|at| *at == place).map_or(0, |i| 1 << i)
    }
}

fn identity(fd: RawFd) -> Option<(u64, u64)> {
    fstat(fds::borrow(&fd)).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// Parked descriptors; dropping puts the file back in every place.
pub struct Parked<'a> {
    held: &'a Held,
    /// Where each source now is.
    pub numbers: Vec<RawFd>,
    bits: u32,
}

impl Parked<'_> {
    fn take_place(&mut self) -> Option<RawFd> {
        let mut busy = self.held.busy.load(Ordering::Relaxed);
        loop {
            let free = (!busy).trailing_zeros() as usize;
            let place = *self.held.places.get(free)?;
            match self.held.busy.compare_exchange_weak(busy, busy | 1 << free, Ordering::Acquire, Ordering::Relaxed) {
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
        for place in &self.numbers {
            // Cannot fail: both numbers are open and ours.
            let _ = fds::put(self.held.anchor.as_raw_fd(), *place);
        }
        self.held.busy.fetch_and(!self.bits, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved() -> Landing {
        let landing = Landing::default();
        landing.reserve(0);
        landing
    }

    fn busy(landing: &Landing) -> u32 {
        landing.held.get().unwrap().busy.load(Ordering::Relaxed)
    }

    #[test]
    fn parked_ends_leave_their_place_again() {
        let landing = reserved();
        let (read, write) = fds::pipe().unwrap();
        let parked = landing.park(&[write.as_raw_fd()]).unwrap();
        drop(write);
        drop(parked);
        let mut byte = [0u8];
        assert_eq!(nix::unistd::read(&read, &mut byte), Ok(0), "end of file: nobody holds the write end");
        assert_eq!(busy(&landing), 0);
    }

    #[test]
    fn too_many_sources_are_refused_and_leave_nothing_busy() {
        let landing = reserved();
        assert!(landing.park(&[0; PLACES + 1]).is_none());
        assert_eq!(busy(&landing), 0);
    }

    #[test]
    fn without_room_for_the_host_nothing_is_reserved() {
        let landing = Landing::default();
        landing.reserve(1 << 22);
        assert!(!landing.is_reserved() && landing.park(&[0]).is_none());
        // Not tried again under the same limit.
        landing.reserve(0);
        assert!(!landing.is_reserved());
    }

    #[test]
    fn nothing_is_parked_when_the_host_took_the_file() {
        let landing = reserved();
        let (read, _write) = fds::pipe().unwrap();
        fds::put(read.as_raw_fd(), landing.held.get().unwrap().anchor.as_raw_fd()).unwrap();
        assert!(landing.park(&[read.as_raw_fd()]).is_none());
    }

    #[test]
    fn a_place_that_the_host_took_is_never_overwritten() {
        let landing = reserved();
        let (read, _write) = fds::pipe().unwrap();
        let place = landing.held.get().unwrap().places[0];
        fds::put(read.as_raw_fd(), place).unwrap();
        let before = fstat(fds::borrow(&place)).unwrap().st_ino;
        assert!(landing.park(&[read.as_raw_fd()]).is_none());
        assert_eq!(fstat(fds::borrow(&place)).unwrap().st_ino, before);
    }
}
