//! A copy of this process that goes on where the call stands, in two ways: `fork(3)` of libc, and a *sibling*, whose parent is this process's own
//! parent: `clone(2)` with CLONE_PARENT.
//!
//! Traps.
//! - **libc knows nothing of a raw clone.** Its handlers (pthread_atfork) do not run, its cached thread id stays the original's (the owner of a PI mutex
//!   would be wrong), and the kernel drops the list of robust mutexes. So the kernel writes the new id where libc keeps it, which PR_GET_TID_ADDRESS
//!   tells; it is believed only if the present id stands there (musl keeps something else there). Else there is no such way: [`tid_address`].
//! - **No other thread may run**: whoever calls this asks [`super::threads`] first. A copy has only the calling thread, and every lock as it was.
//! - The old call, not clone3: with CLONE_PARENT the copy gets the exit signal of this process whatever is asked for, and clone3 wants that said as 0; and
//!   there is a filter in the world for everything new.
//! - An init of a pid namespace may have no siblings: `EINVAL`.
//! - **stdio**: what stands in a buffer would be written by both ([`flush`]).

use core::ffi::c_void;
use core::sync::atomic::{AtomicI32, Ordering};
use std::os::fd::{FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::raw::{check, syscall};
use super::{fds, getpid};

/// Who returns from a fork.
#[derive(Debug)]
pub enum Side {
    /// The copy.
    Copy,
    /// The original: number and, where the kernel gave one, pidfd of the copy.
    Original(i32, Option<OwnedFd>),
}

/// Where libc keeps the id of the calling thread. `None`: that cannot be known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TidAddress(usize);

/// Asks the kernel: prctl(2), PR_GET_TID_ADDRESS (a kernel built without checkpoint and restore does not say).
pub fn tid_address() -> Option<TidAddress> {
    let mut at: *const AtomicI32 = core::ptr::null();
    // SAFETY: a place for one pointer on our own stack.
    check(unsafe { syscall!(libc::SYS_prctl, libc::PR_GET_TID_ADDRESS, &raw mut at, 0, 0, 0) }).ok()?;
    // SAFETY: no pointers.
    let own = unsafe { syscall!(libc::SYS_gettid) } as i32;
    // SAFETY: the address at which the kernel will clear the id when this thread ends: mapped and writable while it runs.
    (!at.is_null() && unsafe { &*at }.load(Ordering::Relaxed) == own).then_some(TidAddress(at as usize))
}

/// What stands in the buffers of stdio is written: fflush(3) of all streams. Waits as a write does.
pub fn flush() {
    // SAFETY: null stands for all output streams.
    unsafe { libc::fflush(core::ptr::null_mut()) };
}

/// fork(3): handlers of pthread_atfork run, and this process is the parent.
pub fn fork() -> Result<Side, Errno> {
    // SAFETY: the caller has seen to it that there is no other thread, so the copy's locks are in the state in which this thread holds them.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Child => Ok(Side::Copy),
        nix::unistd::ForkResult::Parent { child } => Ok(Side::Original(child.as_raw(), None)),
    }
}

/// The list of robust mutexes that libc has registered for this thread: get_robust_list(2).
#[inline(always)]
fn robust_list() -> Option<(*mut c_void, usize)> {
    let (mut head, mut length): (*mut c_void, usize) = (core::ptr::null_mut(), 0);
    // SAFETY: places for a pointer and a length on our own stack.
    check(unsafe { syscall!(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) }).ok()?;
    (!head.is_null()).then_some((head, length))
}

/// A sibling. `EINVAL`: this process may have none, or the call is not known here.
/// `with_pidfd`: the original gets one.
#[inline(always)]
pub fn sibling(tid: TidAddress, with_pidfd: bool) -> Result<Side, Errno> {
    let flags = libc::CLONE_PARENT | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    let flags = if with_pidfd { flags | libc::CLONE_PIDFD } else { flags };
    let robust = robust_list();
    let mut pidfd = -1i32;
    // SAFETY: without CLONE_VM the copy has its own memory, stack included (a null stack keeps the pointer), so it goes on behind the call as after fork(2);
    // the pidfd has a place on our stack, and the id one where libc keeps it.
    let made = unsafe { clone(flags as usize, &raw mut pidfd, tid.0) };
    match made? {
        0 => {
            if let Some((head, length)) = robust {
                // SAFETY: the list that libc had registered; its first word is a pointer to itself while no mutex is held, as libc's own fork makes it.
                unsafe {
                    *head.cast::<*mut c_void>() = head;
                    syscall!(libc::SYS_set_robust_list, head, length);
                }
            }
            Ok(Side::Copy)
        }
        pid => {
            // An emulator may have taken the call for a fork of the old kind.
            // SAFETY: a new descriptor that the kernel wrote there and nobody else owns.
            let pidfd = (pidfd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) }).and_then(|fd| fds::above_standard(fd).ok());
            Ok(Side::Original(pid as i32, pidfd))
        }
    }
}

/// # Safety
/// As of clone(2) without CLONE_VM and with a null stack.
#[inline(always)]
unsafe fn clone(flags: usize, pidfd: *mut i32, tid: usize) -> Result<usize, Errno> {
    // SAFETY: by the contract of this function.
    #[cfg(target_arch = "x86_64")]
    return check(unsafe { syscall!(libc::SYS_clone, flags, 0, pidfd, tid, 0) });
    // SAFETY: as above; the last two change places.
    #[cfg(target_arch = "aarch64")]
    return check(unsafe { syscall!(libc::SYS_clone, flags, 0, pidfd, 0, tid) });
}

/// Ends this process without anything that is done at an exit: _exit(2).
pub fn leave(code: i32) -> ! {
    // SAFETY: it does not return.
    unsafe { libc::_exit(code) }
}

/// A group of its own: setpgid(2).
#[inline(always)]
pub fn lead_group() -> Result<(), Errno> {
    // SAFETY: no pointers.
    check(unsafe { syscall!(libc::SYS_setpgid, 0, 0) }).map(drop)
}

/// Where both have one processor, the copy is to go first: what is left to do here, with a fault for each page that is written to, is waited for by
/// nobody, and what the copy does is. sched_yield(2); where that is refused nothing is lost.
pub fn let_the_copy_go_first() {
    // SAFETY: no arguments.
    unsafe { syscall!(libc::SYS_sched_yield) };
}

/// This process's parent, as it numbers it.
pub fn parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// Whether this process is the init of its pid namespace, and may have no siblings.
pub fn is_init() -> bool {
    getpid() == 1
}
