//! Descriptors: pipes that keep clear of 0, 1 and 2, and questions about numbers that the caller gave us.
//!
//! The trap: a host may run with 0, 1 or 2 closed. A pipe made then gets such a number, and putting it in place for the
//! child would overwrite the other end.

use core::sync::atomic::{AtomicBool, Ordering};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{Gid, Uid, fchown};

use super::raw::{check, syscall};

/// Moves a descriptor above the standard ones if it is one of them.
pub fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    let moved = fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(moved) })
}

/// A pipe, both ends close-on-exec and above 2: (read, write). pipe2(2).
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok((above_standard(read)?, above_standard(write)?))
}

/// /dev/null, for reading and writing.
pub fn null() -> Result<OwnedFd, Errno> {
    let flags = nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC;
    nix::fcntl::open(c"/dev/null", flags, nix::sys::stat::Mode::empty())
}

/// Makes a pipe or file somebody else's, so that he may open it again by the names that programs use for it (/dev/stdout). `false`: this
/// process may not (CAP_CHOWN), and it stays as it was.
pub fn give(fd: impl AsFd, uid: u32, gid: u32) -> bool {
    fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).is_ok()
}

/// Makes reads and writes through our own end return instead of wait. Only for ends whose description nobody else holds.
pub fn set_nonblocking(fd: &OwnedFd) -> Result<(), Errno> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

/// The same of a pipe's end that was just made, and has no flags yet.
pub fn set_new_nonblocking(fd: &OwnedFd) -> Result<(), Errno> {
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(drop)
}

/// How many bytes a pipe holds at the most.
pub fn pipe_capacity(fd: &OwnedFd) -> usize {
    fcntl(fd, FcntlArg::F_GETPIPE_SZ).map_or(65_536, |size| size as usize)
}

/// Whether this number is an open descriptor.
pub fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD takes no pointers; a wrong number gives EBADF.
    fd >= 0 && unsafe { check(syscall!(libc::SYS_fcntl, fd, libc::F_GETFD)) }.is_ok()
}

/// Lets an exec close this number, which must be open. `EBADF` if it is not.
pub fn set_close_on_exec(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: no pointers; a wrong number gives EBADF.
    let flags = unsafe { check(syscall!(libc::SYS_fcntl, fd, libc::F_GETFD)) }? as i32;
    if flags & libc::FD_CLOEXEC == 0 {
        // SAFETY: as above.
        unsafe { check(syscall!(libc::SYS_fcntl, fd, libc::F_SETFD, flags | libc::FD_CLOEXEC)) }?;
    }
    Ok(())
}

/// Whether this number is an open descriptor that stays open through an exec.
pub fn is_inherited(fd: RawFd) -> bool {
    // SAFETY: F_GETFD takes no pointers; a wrong number gives EBADF.
    unsafe { check(syscall!(libc::SYS_fcntl, fd, libc::F_GETFD)) }.is_ok_and(|flags| flags as i32 & libc::FD_CLOEXEC == 0)
}

/// How many descriptors are open: the size that proc_pid_fd(5) shows since Linux 6.2.
fn open_count() -> Option<u64> {
    nix::sys::stat::stat("/proc/self/fd").ok().map(|stat| stat.st_size as u64).filter(|count| *count > 0)
}

/// The same question number by number, from the limit downwards: most hosts have nothing up there.
fn has_free_numbers(below: u64, wanted: usize) -> bool {
    let end = below.min(1 << 20) as RawFd;
    let first = end.saturating_sub(2 * wanted as RawFd).max(0);
    (first..end).rev().filter(|fd| !is_open(*fd)).take(wanted).count() == wanted
}

/// The soft limit of descriptors.
pub fn soft_limit() -> u64 {
    nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft)
}

/// The hard one.
pub fn hard_limit() -> u64 {
    nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(_, hard)| hard)
}

/// Whether this process could open so many more under this soft limit. Looks only: to take them, and be it for a moment, would make other
/// threads fail.
pub fn has_room(limit: u64, wanted: usize) -> bool {
    match open_count() {
        Some(count) => limit.saturating_sub(count) >= wanted as u64,
        None => has_free_numbers(limit, wanted),
    }
}

/// Whether close_range(2) is to be had, asked with a range that holds no descriptor.
pub fn has_close_range() -> bool {
    // SAFETY: no descriptor has this number.
    unsafe { check(syscall!(libc::SYS_close_range, u32::MAX, u32::MAX, 0)) }.is_ok()
}

/// A duplicate that belongs to us: close-on-exec, above 2.
pub fn duplicate(fd: &OwnedFd) -> Result<OwnedFd, Errno> {
    let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// The same, with a number of at least that.
pub fn duplicate_above(fd: impl AsFd, least: RawFd) -> Result<OwnedFd, Errno> {
    let copy = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(least.max(3)))?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// The same of a number that the caller lent.
pub fn duplicate_number(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers; a wrong number gives EBADF.
    let copy = unsafe { check(syscall!(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, 3)) }?;
    // SAFETY: a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// Which file a number stands for: device and inode. `EBADF` if it is not open.
pub fn file_of(fd: RawFd) -> Result<(u64, u64), Errno> {
    if fd < 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: borrowed for this call alone; a number that is not open gives EBADF.
    let file = nix::sys::stat::fstat(unsafe { BorrowedFd::borrow_raw(fd) })?;
    Ok((file.st_dev, file.st_ino))
}

/// Takes a descriptor that the C caller gave away. `EBADF` if it is not open.
pub fn adopt(fd: RawFd) -> Result<OwnedFd, Errno> {
    if !is_open(fd) {
        return Err(Errno::EBADF);
    }
    // SAFETY: the number is open, and the caller's contract hands its ownership over.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

const F_SETSIG: i32 = 10;
const F_GETSIG: i32 = 11;

/// What a mark says: who closes the descriptor in a forked copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// This process keeps it for good: the copy's own of its kind gives it back ([`give_back`]).
    Lasting,
    /// It stands in the custody of a value (`sys/custody.rs`).
    Custody,
}

impl Mark {
    /// The signal that would announce input: one of the 31 real-time ones, by where this copy of the library lies.
    fn signal(self) -> isize {
        static HERE: u8 = 0;
        34 + ((core::ptr::from_ref(&HERE) as usize / 4096 + 15 * self as usize) % 31) as isize
    }
}

/// Marks a descriptor, so that a forked copy knows the number for what it is and not for something that it has opened there since. The mark is a
/// setting of the open file description that means nothing without O_ASYNC, and nothing at all for what has no such thing, as an epoll
/// set or an eventfd; so nobody else makes it. F_SETSIG in fcntl(2).
pub fn mark(fd: &OwnedFd, mark: Mark) {
    // SAFETY: no pointers; the descriptor is open.
    unsafe { syscall!(libc::SYS_fcntl, fd.as_raw_fd(), F_SETSIG, mark.signal()) };
}

/// Whether this number has that mark.
pub(super) fn is_marked(number: RawFd, mark: Mark) -> bool {
    // SAFETY: no pointers; a wrong number gives EBADF.
    unsafe { syscall!(libc::SYS_fcntl, number, F_GETSIG) == mark.signal() }
}

/// Whether the table of descriptors is the parent's own, and not a copy of it: a host that was copied by a clone(2) with CLONE_FILES. kcmp(2);
/// where it is not to be had, nobody knows, and nearly nobody does that.
pub(super) fn are_the_parents() -> bool {
    !NO_KCMP.load(Ordering::Relaxed) && have_one_table(nix::unistd::getpid().as_raw(), nix::unistd::getppid().as_raw())
}

fn have_one_table(one: i32, other: i32) -> bool {
    const KCMP_FILES: i32 = 2;
    // SAFETY: numbers only.
    unsafe { syscall!(libc::SYS_kcmp, one, other, KCMP_FILES, 0, 0) == 0 }
}

/// Set where a filter kills for kcmp(2), or does not know it.
static NO_KCMP: AtomicBool = AtomicBool::new(false);

/// Whether it is to be had. Deadly where a filter kills for it.
pub fn has_kcmp() -> bool {
    let own = nix::unistd::getpid().as_raw();
    have_one_table(own, own)
}

/// What was found out.
pub fn know(has_kcmp: bool) {
    NO_KCMP.store(!has_kcmp, Ordering::Relaxed);
}

/// In a forked copy: closes a number that the original had marked as lasting, if it is that still.
pub fn give_back(number: RawFd) {
    if is_marked(number, Mark::Lasting) {
        close(number);
    }
}

/// In a process that has just been forked: closes its copy of a descriptor whose owner is never dropped here.
#[inline(always)]
pub fn close_copy(fd: &impl AsRawFd) {
    close(fd.as_raw_fd());
}

/// Closes a number whose owner will not: a value of the process that this one was forked from.
#[inline(always)]
pub(super) fn close(number: RawFd) {
    // SAFETY: no pointers; the caller has seen that the number is what the original had there.
    unsafe { syscall!(libc::SYS_close, number) };
}

/// `dup3(2)` onto a number that we own: the old description there is dropped.
pub(super) fn put(from: RawFd, onto: RawFd) -> Result<(), Errno> {
    loop {
        // SAFETY: no pointers; `onto` is a number that the caller owns.
        match unsafe { check(syscall!(libc::SYS_dup3, from, onto, libc::O_CLOEXEC)) } {
            // EBUSY: another thread is between allocating and installing that number (dup(2)).
            Err(Errno::EINTR | Errno::EBUSY) => continue,
            other => return other.map(drop),
        }
    }
}

/// The same onto a number that whoever decides about this process has named. dup3(2): `EBADF` above the limit.
#[inline(always)]
pub fn place(fd: &impl AsRawFd, number: RawFd, close_on_exec: bool) -> Result<(), Errno> {
    let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
    loop {
        // SAFETY: no pointers; what stood there belongs to this process, whose caller has agreed to lose it.
        match unsafe { check(syscall!(libc::SYS_dup3, fd.as_raw_fd(), number, flags)) } {
            Err(Errno::EINTR | Errno::EBUSY) => continue,
            other => return other.map(drop),
        }
    }
}

/// A raw number as a borrowed descriptor, for calls that take one.
pub(super) fn borrow(fd: &RawFd) -> BorrowedFd<'_> {
    // SAFETY: the callers pass numbers that they own for the life of the borrow.
    unsafe { BorrowedFd::borrow_raw(*fd) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_counted_with_and_without_proc() {
        let limit = soft_limit();
        assert!(has_room(limit, 32) && has_free_numbers(limit, 32));
        assert!(!has_room(limit, 1 << 22) && !has_room(0, 1));
        // As many numbers as have been taken are asked for below the highest of them.
        let taken: Vec<OwnedFd> = (0..8).map(|_| pipe().unwrap().0).collect();
        let highest = taken.iter().map(AsRawFd::as_raw_fd).max().unwrap();
        assert!(!has_free_numbers(highest as u64 + 1, highest as usize + 1));
        assert!(has_free_numbers(highest as u64 + 9, 8.min(highest as usize)));
    }
}
