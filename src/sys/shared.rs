//! One page of memory that several processes share, as atomic words: a memfd mapped by each of them.
//!
//! Traps: a shared file that somebody shortens kills its readers by SIGBUS, so only a sealed memfd of the right size is mapped; and
//! a forked copy of the host must not have it (MADV_DONTFORK): it could decide who owns.

use core::sync::atomic::AtomicU64;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::unistd::ftruncate;

use super::memory::Home;
use super::{Fault, memfd};

const SIZE: usize = 4096;
/// How many words a page has.
pub const WORDS: usize = SIZE / size_of::<AtomicU64>();

/// A shared page.
#[derive(Debug)]
pub struct Page {
    fd: OwnedFd,
    home: Home,
    words: &'static [AtomicU64; WORDS],
}

impl Page {
    /// A new page of zeros.
    pub fn create(name: &core::ffi::CStr) -> Result<Self, Fault> {
        memfd::check_size(SIZE)?;
        let fd = memfd::create(name)?;
        ftruncate(&fd, SIZE as libc::off_t).map_err(Fault::of("ftruncate"))?;
        let seals = SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        fcntl(&fd, FcntlArg::F_ADD_SEALS(seals)).map_err(Fault::of("fcntl"))?;
        Self::map(fd, libc::PROT_READ | libc::PROT_WRITE)
    }

    /// A page that another process has made. `EINVAL` if it is none, or could be shortened.
    pub fn adopt(fd: OwnedFd) -> Result<Self, Fault> {
        check(&fd)?;
        Self::map(fd, libc::PROT_READ | libc::PROT_WRITE)
    }

    fn map(fd: OwnedFd, access: i32) -> Result<Self, Fault> {
        // SAFETY: a new shared mapping at an address of the kernel's choice touches no existing memory.
        let at = unsafe { libc::mmap(core::ptr::null_mut(), SIZE, access, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
        if at == libc::MAP_FAILED {
            return Err(Fault { step: "mmap", errno: Errno::last() });
        }
        // SAFETY: the range is the mapping made above; a failure only means that a forked copy would have it, too.
        unsafe { libc::madvise(at, SIZE, libc::MADV_DONTFORK) };
        // SAFETY: mapped, aligned to a page, as long as the file for ever (sealed), unmapped only when this value is dropped, which hands
        // out no longer borrows, and reached through atomics alone.
        let words = unsafe { &*at.cast::<[AtomicU64; WORDS]>() };
        Ok(Self { fd, home: Home::here(), words })
    }

    /// Its words. In a forked copy of the process that mapped it there are none.
    pub fn words(&self) -> &[AtomicU64; WORDS] {
        self.words
    }

    /// The descriptor, to be handed on.
    pub fn fd(&self) -> &OwnedFd {
        &self.fd
    }
}

/// `EINVAL` if it is no page, or could be shortened.
fn check(fd: &OwnedFd) -> Result<(), Fault> {
    let seals = SealFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GET_SEALS).map_err(Fault::of("fcntl"))?);
    let is_page = seals.contains(SealFlag::F_SEAL_SHRINK) && memfd::length(fd)? == SIZE;
    if is_page { Ok(()) } else { Err(Fault { step: "mmap", errno: Errno::EINVAL }) }
}

/// A page of others, that is only looked at: it may be open for reading alone, and a write by mistake cannot be.
#[derive(Debug)]
pub struct View(Page);

impl View {
    /// As [`Page::adopt`].
    pub fn adopt(fd: OwnedFd) -> Result<Self, Fault> {
        check(&fd)?;
        Page::map(fd, libc::PROT_READ).map(Self)
    }

    /// One of its words, as it is now.
    pub fn word(&self, index: usize) -> u64 {
        self.0.words()[index].load(core::sync::atomic::Ordering::Acquire)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A forked copy does not have the mapping, and may have another one there.
        if !self.home.is_here() {
            return;
        }
        // SAFETY: our own mapping; borrows of its words end with this value.
        unsafe { libc::munmap(self.words.as_ptr().cast_mut().cast(), SIZE) };
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn two_mappings_show_the_same_words() {
        let one = Page::create(c"page").unwrap();
        let two = Page::adopt(one.fd().try_clone().unwrap()).unwrap();
        one.words()[3].store(7, Ordering::Release);
        assert_eq!(two.words()[3].load(Ordering::Acquire), 7);
    }

    #[test]
    fn a_view_sees_what_others_write_and_needs_no_right_to() {
        let page = Page::create(c"page").unwrap();
        let only_read = std::fs::File::open(format!("/proc/self/fd/{}", page.fd().as_raw_fd())).unwrap();
        assert!(Page::adopt(only_read.try_clone().unwrap().into()).is_err());
        let view = View::adopt(only_read.into()).unwrap();
        page.words()[3].store(7, Ordering::Release);
        assert_eq!(view.word(3), 7);
    }

    #[test]
    fn what_could_be_shortened_is_refused() {
        let fd = memfd::create(c"page").unwrap();
        ftruncate(&fd, SIZE as libc::off_t).unwrap();
        assert_eq!(Page::adopt(fd).unwrap_err().errno, Errno::EINVAL);
    }
}
