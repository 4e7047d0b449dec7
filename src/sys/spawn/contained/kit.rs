//! The two files that all contained children of a host need: the program of their inits, and the file in which those write how it went.
//!
//! The trap: a host that "daemonizes" closes every descriptor it does not know, and its own files get these numbers. So both are looked at before each
//! use, and made anew if they are not what they were; numbers that are not ours any more are left alone. (What was to be read from a file that is
//! gone is not known: then the kernel's word is all there is.)

use core::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::os::fd::{IntoRawFd, RawFd};
use std::sync::Mutex;

use nix::errno::Errno;

use crate::lock::lock;
use crate::sys::memory::PerProcess;
use crate::sys::{Fault, fds, memfd};

/// The program, built by build.rs. Empty where it could not be.
static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contained"));

static KIT: PerProcess<Kit> = PerProcess::new();

/// What proves to an init that an order is its host's; 0: there is no kit yet.
static SECRET: AtomicU64 = AtomicU64::new(0);

/// See there.
pub(super) fn secret() -> u64 {
    SECRET.load(Ordering::Relaxed)
}

/// A file that is kept open for good.
struct Kept {
    number: AtomicI32,
    /// Device and inode.
    identity: [AtomicU64; 2],
}

impl Kept {
    const fn new() -> Self {
        Self { number: AtomicI32::new(-1), identity: [const { AtomicU64::new(0) }; 2] }
    }

    /// Its number, if that is still its own.
    fn there(&self) -> Option<RawFd> {
        let number = self.number.load(Ordering::Acquire);
        let (device, inode) = fds::file_of(number).ok().filter(|_| number >= 0)?;
        let known = self.identity.each_ref().map(|word| word.load(Ordering::Relaxed));
        (known == [device, inode]).then_some(number)
    }

    fn keep(&self, file: std::os::fd::OwnedFd) -> Result<(), Fault> {
        let number = file.into_raw_fd();
        let (device, inode) = fds::file_of(number).map_err(Fault::of("fstat"))?;
        self.identity[0].store(device, Ordering::Relaxed);
        self.identity[1].store(inode, Ordering::Relaxed);
        self.number.store(number, Ordering::Release);
        Ok(())
    }
}

struct Kit {
    init: Kept,
    fates: Kept,
    making: Mutex<()>,
}

/// Both, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Numbers {
    pub init: RawFd,
    pub fates: RawFd,
}

impl Kit {
    fn there(&self) -> Option<Numbers> {
        Some(Numbers { init: self.init.there()?, fates: self.fates.there()? })
    }

    /// In a forked copy: what it has of the original's, as far as it is that.
    fn give_back(&self) {
        for kept in [&self.init, &self.fates] {
            kept.there().into_iter().for_each(fds::close);
        }
    }
}

/// Makes them, if they are not there.
pub(super) fn ready() -> Result<Numbers, Fault> {
    let make = || Ok(Kit { init: Kept::new(), fates: Kept::new(), making: Mutex::new(()) });
    let kit = KIT.get_or_succeed(make, Kit::give_back).map_err(Fault::of("mmap"))?;
    if let Some(numbers) = kit.there() {
        return Ok(numbers);
    }
    // Nothing below waits for anybody.
    let _one_at_a_time = lock(&kit.making);
    if PROGRAM.is_empty() {
        return Err(Fault { step: "init", errno: Errno::EOPNOTSUPP });
    }
    if secret() == 0 {
        let [a, b, c, d, e, f, g, h, ..] = crate::sys::random::unique();
        SECRET.store(u64::from_ne_bytes([a, b, c, d, e, f, g, h]) | 1, Ordering::Relaxed);
    }
    // In this order: the program's number is mostly the higher one, behind which a child's table can be cut.
    if kit.fates.there().is_none() {
        kit.fates.keep(memfd::create(c"procsup-fates")?)?;
    }
    if kit.init.there().is_none() {
        kit.init.keep(memfd::executable(c"procsup-init", PROGRAM)?)?;
    }
    kit.there().ok_or(Fault { step: "memfd_create", errno: Errno::EBADF })
}

#[cfg(test)]
mod tests {
    /// Where it cannot be built, build.rs only warns, and whoever needs it is skipped or refused: where the tests run it must be there.
    #[test]
    fn its_program_was_built() {
        assert!(!super::PROGRAM.is_empty());
    }
}
