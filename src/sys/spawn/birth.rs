//! A child that writes down its own birth, in a file that others read, before its program begins.
//!
//! The trap: whoever makes a process can be killed right behind the clone, and then nobody knows its number. So the child says it itself: it puts its
//! pid, the inode of its pidfd (unique until the machine boots again where pidfds have a file system of their own, Linux 6.9) and the line of
//! /proc/self/stat, which has its start time, at their places in bytes that were made ready, and writes them in one piece. Only then it gives up a
//! descriptor, and with it its share of a lock: who takes that lock afterwards finds the record, or knows that no program has begun.
//!
//! The places are blank before. What cannot be found out stays blank; only a write that fails is a failure.

use core::cell::UnsafeCell;

use crate::sys::raw::syscall;

/// So many bytes are written.
pub const LENGTH: usize = 768;

/// Where in the bytes something goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Places {
    /// Ten decimal digits, with leading zeros.
    pub pid: usize,
    /// Sixteen hexadecimal digits.
    pub inode: usize,
    /// The line of /proc/self/stat goes from here to the end, as far as there is room.
    pub stat: usize,
}

/// What is to be written, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Birth {
    /// All of it, with blanks at the places.
    pub bytes: [u8; LENGTH],
    /// The places.
    pub places: Places,
    /// The file, by the number that it has in the child at its exec.
    pub record: i32,
    /// What is closed afterwards, by its number there.
    pub release: i32,
}

/// The same for one child, which writes in it. In the fast tiers it does so in the memory of the host, whose calling thread is suspended meanwhile.
pub(super) struct Page(UnsafeCell<Birth>);

impl Page {
    pub(super) fn new(birth: &Birth) -> Self {
        Self(UnsafeCell::new(*birth))
    }

    pub(super) fn as_ptr(&self) -> *mut Birth {
        self.0.get()
    }
}

/// The last digits of a number, with leading zeros.
#[inline(always)]
pub(super) unsafe fn put_digits(at: *mut u8, count: usize, base: u64, mut value: u64) {
    let mut i = count;
    while i > 0 {
        i = i.wrapping_sub(1);
        let digit = (value % base) as u8;
        value /= base;
        // SAFETY: the caller has room for `count` bytes at `at`.
        unsafe { *at.wrapping_add(i) = if digit < 10 { b'0'.wrapping_add(digit) } else { b'a'.wrapping_sub(10).wrapping_add(digit) } };
    }
}

/// Writes it down. Runs between clone and exec, under the rules of `child.rs`. `with_pidfd`: it may ask for a pidfd of itself; a filter may kill for
/// that. Below zero: the kernel's answer to a write that failed.
///
/// # Safety
/// `page` is that of the orders, whose places lie within its bytes; the descriptor table is the child's own.
pub(super) unsafe fn write_down(page: *mut Birth, with_pidfd: bool) -> isize {
    // SAFETY: nobody else touches the page while the child has it; all calls get memory within it or on our own stack.
    unsafe {
        let Places { pid: pid_at, inode: inode_at, stat: stat_at } = (*page).places;
        let (record, release) = ((*page).record, (*page).release);
        let bytes = (&raw mut (*page).bytes).cast::<u8>();
        let pid = syscall!(libc::SYS_getpid);
        put_digits(bytes.wrapping_add(pid_at), 10, 10, pid as u64);
        if with_pidfd {
            let pidfd = syscall!(libc::SYS_pidfd_open, pid, 0);
            if pidfd >= 0 {
                let mut found = core::mem::MaybeUninit::<libc::stat>::zeroed();
                if syscall!(libc::SYS_fstat, pidfd, found.as_mut_ptr()) == 0 {
                    put_digits(bytes.wrapping_add(inode_at), 16, 16, (*found.as_ptr()).st_ino);
                }
                syscall!(libc::SYS_close, pidfd);
            }
        }
        let stat = syscall!(libc::SYS_openat, libc::AT_FDCWD, c"/proc/self/stat".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if stat >= 0 {
            syscall!(libc::SYS_read, stat, bytes.wrapping_add(stat_at), LENGTH.wrapping_sub(stat_at));
            syscall!(libc::SYS_close, stat);
        }
        let wrote = syscall!(libc::SYS_pwrite64, record, bytes, LENGTH, 0);
        if wrote != LENGTH as isize {
            return if wrote < 0 { wrote } else { -(libc::ENOSPC as isize) };
        }
        syscall!(libc::SYS_close, release);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_leading_zeros() {
        let mut room = [b'.'; 12];
        // SAFETY: there is room for ten.
        unsafe { put_digits(room.as_mut_ptr().wrapping_add(1), 10, 10, 4_194_304) };
        assert_eq!(&room, b".0004194304.");
        let mut room = [b'.'; 16];
        // SAFETY: there is room for sixteen.
        unsafe { put_digits(room.as_mut_ptr(), 16, 16, 0xfedc_ba98_7654_3210) };
        assert_eq!(&room, b"fedcba9876543210");
    }
}
