//! Which tier of the spawn engine works here: found out once, kept for the life of the process.

use core::ffi::CStr;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use once_cell::race::OnceNonZeroUsize;

use super::child;
use super::clone::{CLEAR_SIGHAND, Failure, SHARED, Target, Tier, call_clone, call_clone3, call_name, failure, retrying};
use super::orders::Report;
use crate::sys::{fds, procfs, signal, wait};

/// The tier found by the probe, or 0.
static VERDICT: AtomicU8 = AtomicU8::new(0);
/// 0 unknown, 1 works, 2 missing.
static CLOSE_RANGE: AtomicU8 = AtomicU8::new(0);
/// "This kernel, emulator or filter does not have that."
pub(super) fn is_verdict(errno: Errno) -> bool {
    matches!(errno, Errno::ENOSYS | Errno::EPERM | Errno::EINVAL)
}

/// The verdict, if there is one.
pub(super) fn known() -> Option<Tier> {
    Tier::from_repr(VERDICT.load(Ordering::Relaxed))
}

/// From now on.
pub(super) fn remember(tier: Tier) {
    VERDICT.store(tier as u8, Ordering::Relaxed);
}

/// Whether close_range is known to be missing.
pub(super) fn has_no_close_range() -> bool {
    CLOSE_RANGE.load(Ordering::Relaxed) == 2
}

/// close_range is missing.
pub(super) fn forget_close_range() {
    CLOSE_RANGE.store(2, Ordering::Relaxed);
}

unsafe extern "C" {
    /// getenv(3) that answers null in set-user-id programs.
    fn secure_getenv(name: *const core::ffi::c_char) -> *const core::ffi::c_char;
}

/// `PROCSUP_SPAWN_TIER=clone3|clone|fork`, for tests. Ignored in set-user-id programs. Read once.
pub(super) fn forced() -> Option<Tier> {
    static FORCED: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let read = || NonZeroUsize::new(4 + read_forced().map_or(0, |tier| tier as usize)).unwrap_or(NonZeroUsize::MIN);
    Tier::from_repr((FORCED.get_or_init(read).get() - 4) as u8)
}

fn read_forced() -> Option<Tier> {
    // SAFETY: the name is NUL-terminated; the answer is used at once.
    let value = unsafe {
        let at = secure_getenv(c"PROCSUP_SPAWN_TIER".as_ptr());
        if at.is_null() {
            return None;
        }
        CStr::from_ptr(at)
    };
    match value.to_bytes() {
        b"clone3" => Some(Tier::Clone3),
        b"clone" => Some(Tier::Clone),
        b"fork" => Some(Tier::Fork),
        _ => None,
    }
}

/// Makes a child that leaves a mark and ends. `Ok(true)`: the mark arrived, memory is shared.
fn probe_tier(tier: Tier) -> Result<bool, Errno> {
    let report = Report::default();
    let (pid, pidfd) = (AtomicU64::new(0), AtomicU64::new(u64::from(u32::MAX)));
    let target = Target { pid: &pid, pidfd: &pidfd, unpinned: &|| () };
    let arg = (&raw const report).cast_mut().cast();
    let made = match tier {
        Tier::Clone3 => call_clone3(SHARED | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND, -1, &target, child::probe, arg),
        _ => {
            let _blocked = signal::Blocked::all();
            call_clone(SHARED | libc::CLONE_CHILD_SETTID as u64, &target, child::probe, arg)
        }
    }?;
    // SAFETY: the kernel made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd.load(Ordering::Acquire) as i32) };
    let ended = wait::reap_ending(pidfd.as_raw_fd(), made);
    if report.step.load(Ordering::Acquire) != -1 {
        // Killed by a signal that was meant for the whole group (an interrupt from the terminal): nothing was found out.
        let killed = matches!(ended, wait::Seen::Ended(ending) if ending.signal != 0);
        return if killed { Err(Errno::EAGAIN) } else { Ok(false) };
    }
    let works = report.errno.load(Ordering::Relaxed) == 0;
    CLOSE_RANGE.store(if works { 1 } else { 2 }, Ordering::Relaxed);
    Ok(true)
}

/// The best tier that works here, probing on the first call.
pub(super) fn verdict() -> Result<Tier, Failure> {
    let wanted = forced();
    if let Some(tier) = wanted.filter(|tier| *tier == Tier::Fork).or(known())
        && wanted.is_none_or(|forced| forced == tier)
    {
        return Ok(tier);
    }
    // A probe would be the init of a new pid namespace, and take it along when it ends; so would a first child that finds out
    // about close_range. Trust the kernel in the one, and ask without a child in the other.
    if procfs::children_go_elsewhere() {
        if !fds::has_close_range() {
            forget_close_range();
        }
        let trusted = wanted.unwrap_or(Tier::Clone3);
        remember(trusted);
        return Ok(trusted);
    }
    let found = retrying(|| {
        for tier in [Tier::Clone3, Tier::Clone] {
            if wanted.is_some_and(|forced| forced != tier) {
                continue;
            }
            match probe_tier(tier) {
                Ok(true) => return Ok(tier),
                // The call works but copies memory: an emulator. The older call would do the same.
                Ok(false) => break,
                Err(errno) if is_verdict(errno) => {}
                Err(errno) => return Err(failure(call_name(tier), errno)),
            }
        }
        Ok(Tier::Fork)
    })?;
    if wanted.is_some_and(|forced| forced != found) {
        return Err(Failure { unsupported: true, ..failure(call_name(wanted.unwrap_or(found)), Errno::ENOSYS) });
    }
    remember(found);
    Ok(found)
}
