//! Tier 3 of the spawn engine: a fork, which shares nothing with the child.
//!
//! One socket pair carries the child's failure back.
//!
//! The trap: "end of file means exec" is not true while a host that forks at this moment has a copy of the child's end, for the
//! whole life of that copy. So where clone3 is known to work, CLONE_VFORK tells: without CLONE_VM it still suspends us until the exec.
//! The old way, with a "go" to the child and end of file from it, is left for emulators, filters, and relays (which cannot be
//! suspended: the child waits for their end).

use core::ffi::c_void;
use core::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType};

use super::clone::{Bury, CLEAR_SIGHAND, Failure, Spawned, Target, Tier, adopt, contain, failure, gave_up};
use super::contained;
use super::orders::{Orders, Step};
use super::relay::{self, Relay};
use super::shim::{self, CloneArgs};
use super::tiers::{self, is_verdict};
use crate::sys::cgroup::Group;
use crate::sys::raw::{self, check, syscall};
use crate::sys::{fds, pidfd, procfs, signal};

/// What a plain fork can be asked for: 0 a pidfd, 1 nothing (the pidfd is opened afterwards), 2 not even the lack of an exit
/// signal (qemu-user; the host can then see the child before its exec).
static FORK_FLAGS: AtomicU8 = AtomicU8::new(0);

/// A fork that suspends us until the exec.
#[inline(never)]
fn call_clone3_fork(namespaces: u64, target: &Target<'_>, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let args = CloneArgs {
        flags: (libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::CLONE_PARENT_SETTID) as u64 | CLEAR_SIGHAND | namespaces,
        pidfd: target.pidfd.as_ptr() as u64,
        parent_tid: target.pid.as_ptr() as u64,
        ..CloneArgs::default()
    };
    // SAFETY: `args` is complete. Without CLONE_VM the child has a copy of this memory, stack included.
    check(unsafe { shim::clone3(&raw const args, size_of::<CloneArgs>(), entry, arg) }).map(|pid| pid as i32)
}

#[inline(never)]
fn call_fork(flags: u64, pidfd: &AtomicU64, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let pidfd = pidfd.as_ptr().cast();
    // SAFETY: without CLONE_VM the child has a copy of this memory, stack included: a null stack keeps the old pointer.
    check(unsafe { shim::clone(flags as usize, core::ptr::null_mut(), pidfd, core::ptr::null_mut(), entry, arg) }).map(|pid| pid as i32)
}

/// One fork, by the calling thread or by a relay.
fn fork_once(flags: u64, relayed: bool, orders: &mut Orders, target: &Target<'_>) -> Result<i32, Errno> {
    if !relayed {
        return call_fork(flags, target.pidfd, contained::entry(orders), (&raw mut *orders).cast());
    }
    let mut relay = Relay::new();
    let (stack, done) = (core::ptr::null_mut(), core::ptr::null_mut());
    relay.call = relay::Call::Clone { flags: flags as usize, stack, pidfd: target.pidfd.as_ptr().cast(), done };
    orders.relay = &raw const relay.id;
    relay.orders = (&raw mut *orders).cast();
    contain(&mut relay, orders);
    relay::start(&relay, false)
}

/// End of file says "exec" of a child that was killed before it, too. Where the memory controller of its own control group did that, it is no
/// child that has begun: what its exec needed was not to be had. (A vfork child is never killed for that, there the exec fails.)
fn starved(group: Option<&Group>, pid: i32) -> bool {
    group.is_some_and(Group::has_run_out_of_memory) && procfs::is_ending_without_exec(pid)
}

/// Makes the child.
pub(super) fn fork(
    orders: &mut Orders,
    (relayed, namespaces): (bool, u64),
    group: Option<&Group>,
    target: &Target<'_>,
    bury: Bury<'_>,
) -> Result<Spawned, Failure> {
    let out_of_memory = (Step::Exec as i32, Errno::ENOMEM as i32);
    let suspended = !relayed && tiers::known() == Some(Tier::Clone3);
    let pair = nix::sys::socket::socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.map_err(|errno| failure("socketpair", errno))?;
    let ours = fds::above_standard(ours).map_err(|errno| failure("fcntl", errno))?;
    let theirs = fds::above_standard(theirs).map_err(|errno| failure("fcntl", errno))?;
    orders.error_fd.store(theirs.as_raw_fd(), Ordering::Relaxed);
    orders.parent_fd.store(ours.as_raw_fd(), Ordering::Relaxed);
    let blocked = signal::Blocked::all();
    if suspended {
        let made = call_clone3_fork(namespaces, target, contained::entry(orders), (&raw mut *orders).cast());
        if !made.is_err_and(is_verdict) {
            drop(blocked);
            drop(theirs);
            let pid = made.map_err(|errno| {
                target.clear();
                failure("fork", errno)
            })?;
            let pidfd = adopt(target, pid, bury)?;
            return match hear(&ours, libc::MSG_DONTWAIT, &orders.late).or_else(|| starved(group, pid).then_some(out_of_memory)) {
                None => Ok(Spawned { pid, pidfd, tier: Tier::Fork }),
                Some(report) => Err(gave_up(target, pid, pidfd, report, bury)),
            };
        }
    }
    orders.gated = true;
    let first = usize::from(FORK_FLAGS.load(Ordering::Relaxed));
    let mut made = Err(Errno::EINVAL);
    for (choice, flags) in [libc::CLONE_PIDFD, 0, libc::SIGCHLD].into_iter().enumerate().skip(first) {
        target.clear();
        made = fork_once(flags as u64 | namespaces, relayed, orders, target);
        if !made.is_err_and(is_verdict) {
            FORK_FLAGS.store(choice as u8, Ordering::Relaxed);
            break;
        }
    }
    drop(blocked);
    drop(theirs);
    let pid = made.map_err(|errno| {
        target.clear();
        failure("fork", errno)
    })?;
    // Until the "go" it does nothing but wait; if we return before, it sees end of file and ends.
    let raw = target.pidfd.load(Ordering::Acquire) as i32;
    let pidfd = if raw >= 0 {
        adopt(target, pid, bury)?
    } else {
        match pidfd::open(pid).and_then(fds::above_standard) {
            Ok(fd) => fd,
            Err(errno) => {
                // Ours and unreaped for certain: without an exit signal no wait of the host finds it.
                let _ = pidfd::kill_number(pid, libc::SIGKILL);
                bury(-1, pid);
                target.clear();
                return Err(failure("pidfd_open", errno));
            }
        }
    };
    target.pidfd.store(u64::from(pidfd.as_raw_fd() as u32), Ordering::Release);
    target.pid.store(pid as u64, Ordering::Release);
    match converse(&ours, &orders.late).map(|report| report.or_else(|| starved(group, pid).then_some(out_of_memory))) {
        Ok(None) => Ok(Spawned { pid, pidfd, tier: Tier::Fork }),
        Ok(Some(report)) => Err(gave_up(target, pid, pidfd, report, bury)),
        Err(errno) => {
            // It waits for a word that cannot be sent: it must not wait for ever. Unreaped for certain, so its number is its own.
            let _ = pidfd::kill_number(pid, libc::SIGKILL);
            bury(pidfd.as_raw_fd(), pid);
            target.bury(pidfd);
            Err(failure("sendto", errno))
        }
    }
}

/// Says "go" and listens for a failure until end of file.
fn converse(ours: &OwnedFd, late: &AtomicI32) -> Result<Option<(i32, i32)>, Errno> {
    let fd = ours.as_raw_fd();
    loop {
        // SAFETY: one byte from a constant.
        match check(unsafe { syscall!(libc::SYS_sendto, fd, c"g".as_ptr(), 1, libc::MSG_NOSIGNAL, 0) }) {
            Err(Errno::EINTR) => continue,
            // It was killed already: end of file follows.
            Ok(_) | Err(Errno::EPIPE | Errno::ECONNRESET) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(hear(ours, 0, late))
}

/// The child's report, if there is one. End of file: exec, or killed before it. (ECONNRESET: killed before it read our word.)
fn hear(ours: &OwnedFd, flags: i32, late: &AtomicI32) -> Option<(i32, i32)> {
    let mut message = [0i32; 2];
    loop {
        // SAFETY: eight bytes on our own stack; no address is asked for.
        match check(unsafe {
            raw::syscall6(libc::SYS_recvfrom, ours.as_raw_fd() as usize, message.as_mut_ptr() as usize, 8, flags as usize, 0, 0)
        }) {
            Err(Errno::EINTR) => continue,
            // No failure: what it has kept back.
            Ok(8) if message[0] == Step::None as i32 => late.store(message[1], Ordering::Release),
            Ok(8) => return Some((message[0], message[1])),
            _ => return None,
        }
    }
}
