//! Which tier of the spawn engine works here: found out once, kept for the life of the process.
//!
//! The trap: a seccomp filter may kill for a call instead of refusing it. Where one is on (`survey.rs`), a copy of this process is asked; else
//! the question is put here, and costs one child.

use core::ffi::CStr;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use once_cell::race::OnceNonZeroUsize;

use super::clone::{Background, CLEAR_SIGHAND, Failure, SHARED, Target, Tier, call_clone, call_clone3, call_name, failure, retrying};
use super::orders::Report;
use super::{child, survey};
use crate::sys::{fds, outlet, pidfd, procfs, signal, tree, wait};

/// The tier found by the probe, or 0.
static VERDICT: AtomicU8 = AtomicU8::new(0);
/// 0 unknown, 1 works, 2 missing.
static CLOSE_RANGE: AtomicU8 = AtomicU8::new(0);
/// "This kernel, emulator or filter does not have that."
pub(super) fn is_verdict(errno: Errno) -> bool {
    matches!(errno, Errno::ENOSYS | Errno::EPERM | Errno::EINVAL | Errno::EACCES | Errno::EOPNOTSUPP)
}

/// The kernel is short of something just now: that says nothing of what it has.
fn is_shortage(errno: Errno) -> bool {
    matches!(errno, Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::EINTR)
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
pub(in crate::sys) fn has_no_close_range() -> bool {
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

/// What a probe has found out about a tier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// The call works and memory is shared; and whether close_range works.
    Shared { close_range: bool },
    /// The call works but copies memory: an emulator.
    Copied,
    /// Refused, or deadly.
    Missing,
    /// Nothing: the kernel was short of something, or the probe was killed by somebody.
    Unclear(Errno),
}

impl Found {
    /// As an answer of [`survey`].
    fn to_raw(self) -> i32 {
        match self {
            Found::Shared { close_range } => 3 + i32::from(close_range),
            Found::Copied => 2,
            Found::Missing => 1,
            Found::Unclear(errno) => -(errno as i32),
        }
    }

    fn from_raw(raw: i32) -> Self {
        match raw {
            3 | 4 => Found::Shared { close_range: raw == 4 },
            2 => Found::Copied,
            1 | survey::DEADLY => Found::Missing,
            errno => Found::Unclear(Errno::from_raw(errno.wrapping_neg())),
        }
    }
}

/// Makes a child that leaves a mark and ends: if the mark arrives, memory is shared. Allocates nothing, [`survey`] asks it in a copy.
fn probe_tier(tier: Tier) -> Found {
    // Missing until the child says otherwise: a filter may kill it for close_range.
    let report = Report { step: AtomicI32::new(0), errno: AtomicI32::new(libc::ENOSYS) };
    let (pid, pidfd) = (AtomicU64::new(0), AtomicU64::new(u64::from(u32::MAX)));
    let target = Target { pid: &pid, pidfd: &pidfd, unpinned: &|| true, renew: &|| true };
    let arg = (&raw const report).cast_mut().cast();
    let made = match tier {
        Tier::Clone3 => call_clone3(SHARED | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND, -1, &target, child::probe, arg),
        _ => {
            let _blocked = signal::Blocked::all();
            call_clone(SHARED | libc::CLONE_CHILD_SETTID as u64, &target, child::probe, arg)
        }
    };
    let made = match made {
        Ok(made) => made,
        Err(errno) if is_shortage(errno) => return Found::Unclear(errno),
        // Nothing in such a call could be wrong: whatever else it says, it is not to be had.
        Err(_) => return Found::Missing,
    };
    // SAFETY: the kernel made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd.load(Ordering::Acquire) as i32) };
    let ended = wait::reap_ending(pidfd.as_raw_fd(), made);
    let killed = matches!(ended, wait::Seen::Ended(ending) if ending.signal != 0 && ending.signal != libc::SIGSYS);
    if report.step.load(Ordering::Acquire) == -1 {
        return Found::Shared { close_range: report.errno.load(Ordering::Relaxed) == 0 };
    }
    // Killed by a signal that was meant for the whole group (an interrupt from the terminal): nothing was found out.
    if killed { Found::Unclear(Errno::EAGAIN) } else { Found::Copied }
}

/// What is asked where a filter is on, before the library does any of it in this process.
const QUESTIONS: [survey::Question; 10] = [
    || i32::from(pidfd::can_signal()),
    || i32::from(pidfd::can_signal_groups()),
    || i32::from(pidfd::can_open()),
    || i32::from(wait::can_wait_on_pidfds()),
    || i32::from(fds::has_close_range()),
    || i32::from(tree::has_openat2()),
    || i32::from(fds::has_kcmp()),
    || i32::from(outlet::may_ask()),
    || probe_in_a_copy(Tier::Clone3),
    || probe_in_a_copy(Tier::Clone),
];

fn probe_in_a_copy(tier: Tier) -> i32 {
    // In the copy's own memory: it might be killed for the other way to wait, and that would be taken for an answer of the tier.
    wait::know(false);
    probe_tier(tier).to_raw()
}

/// What the survey has found out about the two tiers on shared memory.
fn ask_in_a_copy() -> Result<[Found; 2], Errno> {
    let [signals, groups, open, wait, close_range, openat2, kcmp, quiet, clone3, clone] = survey::ask(&QUESTIONS)?;
    pidfd::know(signals == 1, groups == 1, open == 1);
    wait::know(wait == 1);
    tree::know(openat2 == 1);
    fds::know(kcmp == 1);
    outlet::know(quiet == 1);
    if close_range != 1 {
        forget_close_range();
    }
    Ok([clone3, clone].map(Found::from_raw))
}

/// Asks about pidfds right here.
fn ask_about_pidfds() {
    pidfd::know(pidfd::can_signal(), pidfd::can_signal_groups(), true);
}

/// Finds out what may be asked about pidfds before anybody needs it; with a filter all the rest, too: the smaller this process is, the cheaper
/// is its copy.
pub fn learn() {
    if procfs::is_filtered() {
        // What could not be found out now is asked again by the first spawn, which has somebody to tell.
        let _ = verdict();
    } else {
        ask_about_pidfds();
    }
}

/// The best tier that works here, probing on the first call.
pub(in crate::sys) fn verdict() -> Result<Tier, Failure> {
    let wanted = forced();
    if let Some(tier) = known().filter(|tier| wanted.is_none_or(|forced| forced == *tier)) {
        return Ok(tier);
    }
    let filtered = procfs::is_filtered();
    if wanted == Some(Tier::Fork) && !filtered {
        remember(Tier::Fork);
        return Ok(Tier::Fork);
    }
    // A probe would be the init of a new pid namespace, and take it along when it ends; so would a first child that finds out
    // about close_range.
    if procfs::children_go_elsewhere() {
        let trusted = trusted(filtered);
        remember(wanted.unwrap_or(trusted));
        return Ok(wanted.unwrap_or(trusted));
    }
    let found = retrying(&|| false, || find(wanted, filtered))?;
    if wanted.is_some_and(|forced| forced != found) {
        return Err(Failure { background: Background::Unsupported, ..failure(call_name(wanted.unwrap_or(found)), Errno::ENOSYS) });
    }
    remember(found);
    Ok(found)
}

/// The tier that is taken where no child may be made to find out. Without a filter the kernel is trusted with clone3, and asked about
/// close_range without a child. A filter might kill for either, so neither is used: nobody can spawn at all without the older calls.
fn trusted(filtered: bool) -> Tier {
    if filtered {
        ask_about_pidfds();
        forget_close_range();
        return Tier::Clone;
    }
    if !fds::has_close_range() {
        forget_close_range();
    }
    Tier::Clone3
}

/// One look at both tiers.
fn find(wanted: Option<Tier>, filtered: bool) -> Result<Tier, Failure> {
    let surveyed = match filtered.then(ask_in_a_copy) {
        Some(Ok(found)) => Some(found),
        Some(Err(Errno::EAGAIN)) => return Err(failure("fork", Errno::EAGAIN)),
        // No memory for a copy of this process, or a filter that lets nobody fork. The questions need neither, and most filters refuse
        // without killing.
        Some(Err(_)) => {
            ask_about_pidfds();
            None
        }
        None => None,
    };
    for (i, tier) in [Tier::Clone3, Tier::Clone].into_iter().enumerate() {
        if wanted.is_some_and(|forced| forced != tier) {
            continue;
        }
        match surveyed.map_or_else(|| probe_tier(tier), |found| found[i]) {
            Found::Shared { close_range } => {
                CLOSE_RANGE.store(if close_range { 1 } else { 2 }, Ordering::Relaxed);
                return Ok(tier);
            }
            // The older call would do the same.
            Found::Copied => break,
            Found::Missing => {}
            Found::Unclear(errno) => return Err(failure(call_name(tier), errno)),
        }
    }
    Ok(Tier::Fork)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_back_from_a_copy() {
        let all = [
            Found::Shared { close_range: true },
            Found::Shared { close_range: false },
            Found::Copied,
            Found::Missing,
            Found::Unclear(Errno::EAGAIN),
        ];
        assert_eq!(all.map(|found| Found::from_raw(found.to_raw())), all);
        assert_eq!(Found::from_raw(survey::DEADLY), Found::Missing);
    }
}
