//! What a seccomp filter lets happen, asked where it does no harm. Sources: seccomp(2), core(5), fs/coredump.c of Linux 5.15 and 6.18.
//!
//! The trap: a filter may not refuse a call but kill who makes it (the default of systemd's `SystemCallFilter=`). Then the question
//! itself is deadly; and a child that shares our memory is no safe place to ask either, before Linux 5.16 its core dump would kill us. So
//! where a filter is on, questions are asked in a *copy* of this process: a fork, which leaves its answers in a page that both have. A copy
//! that dies of SIGSYS has answered the question it was at: not to be had. The next copy goes on behind it.
//!
//! What is asked there must not allocate or lock: other threads of the host may have held any lock when it was copied.

use core::ffi::c_void;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use nix::errno::Errno;

use super::shim;
use crate::sys::raw::{check, syscall};
use crate::sys::{signal, wait};

/// How many questions there may be.
const ROOM: usize = 16;

/// Answered with anything but [`DEADLY`].
pub(super) type Question = fn() -> i32;

/// The answer of one that a filter kills for.
pub(super) const DEADLY: i32 = i32::MIN;

/// What the copies leave behind.
struct Page {
    /// The question that is being asked.
    at: AtomicUsize,
    answers: [AtomicI32; ROOM],
}

struct Sheet<'a> {
    questions: &'a [Question],
    page: &'static Page,
}

/// A copy's whole life.
unsafe extern "C" fn copy(arg: *mut c_void) -> ! {
    // SAFETY: the copy has the frame of `ask`, in which the sheet is; system calls without pointers.
    unsafe {
        // A core dump of this copy would be one of the whole host. (In its own memory: the flag is not the host's.)
        syscall!(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
        let sheet = &*(arg as *const Sheet<'_>);
        loop {
            let at = sheet.page.at.load(Ordering::Relaxed);
            let (Some(question), Some(answer)) = (sheet.questions.get(at), sheet.page.answers.get(at)) else { break };
            answer.store(question(), Ordering::Relaxed);
            sheet.page.at.store(at.wrapping_add(1), Ordering::Release);
        }
        loop {
            syscall!(libc::SYS_exit_group, 0);
        }
    }
}

/// A copy that raises no SIGCHLD and that no wait of the host finds; or one that does, where that is refused (qemu-user).
#[inline(never)]
fn start(sheet: &Sheet<'_>) -> Result<i32, Errno> {
    let arg = (&raw const *sheet).cast_mut().cast();
    // A handler of the host for SIGSYS must not run in the copy: blocked, the kernel takes the default.
    let _blocked = signal::Blocked::all();
    let null = core::ptr::null_mut();
    let clone = |flags: i32| {
        // SAFETY: without CLONE_VM the copy has its own memory, stack included: a null stack keeps the old pointer.
        check(unsafe { shim::clone(flags as usize, null, null.cast(), null.cast(), copy, arg) }).map(|pid| pid as i32)
    };
    clone(0).or_else(|errno| if errno == Errno::EINVAL { clone(libc::SIGCHLD) } else { Err(errno) })
}

/// Asks all questions (no more than [`ROOM`]). `EAGAIN`: a copy was killed by somebody; `ENOMEM`: there was no memory for one.
pub(super) fn ask<const COUNT: usize>(questions: &[Question; COUNT]) -> Result<[i32; COUNT], Errno> {
    const { assert!(COUNT <= ROOM) };
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no existing memory.
    let map = unsafe { libc::mmap(core::ptr::null_mut(), size_of::<Page>(), access, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0) };
    if map == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    // SAFETY: mapped, zeroed, aligned to a page, reached through atomics alone; unmapped below, when nobody borrows it any more.
    let page: &'static Page = unsafe { &*map.cast::<Page>() };
    let asked = ask_on(&Sheet { questions, page });
    let answers = core::array::from_fn(|i| page.answers[i].load(Ordering::Relaxed));
    // SAFETY: the mapping made above.
    unsafe { libc::munmap(map, size_of::<Page>()) };
    asked.map(|()| answers)
}

fn ask_on(sheet: &Sheet<'_>) -> Result<(), Errno> {
    loop {
        let pid = start(sheet)?;
        // By number: it is a child that only we know, and the wait on a pidfd may be what is asked about.
        let ended = wait::reap_ending(-1, pid);
        let at = sheet.page.at.load(Ordering::Acquire);
        if at >= sheet.questions.len() {
            return Ok(());
        }
        match ended {
            wait::Seen::Ended(ending) if ending.signal == libc::SIGSYS => {
                sheet.page.answers[at].store(DEADLY, Ordering::Relaxed);
                sheet.page.at.store(at + 1, Ordering::Relaxed);
            }
            _ => return Err(Errno::EAGAIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seven() -> i32 {
        7
    }
    /// As a filter that kills does it.
    fn die() -> i32 {
        // SAFETY: no pointers; all signals are blocked in a copy, so its mask must go first (eight zeroed bytes).
        unsafe {
            let none = 0u64;
            syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const none, 0, 8);
            syscall!(libc::SYS_kill, syscall!(libc::SYS_getpid), libc::SIGSYS);
        }
        1
    }
    fn killed() -> i32 {
        // SAFETY: no pointers; the copy's own number.
        unsafe { syscall!(libc::SYS_kill, syscall!(libc::SYS_getpid), libc::SIGKILL) };
        1
    }

    #[test]
    fn a_deadly_question_is_answered_and_the_rest_is_asked() {
        assert_eq!(ask(&[seven, die, die, seven, die]), Ok([7, DEADLY, DEADLY, 7, DEADLY]));
    }

    #[test]
    fn a_copy_that_somebody_kills_has_answered_nothing() {
        assert_eq!(ask(&[seven, killed, seven]), Err(Errno::EAGAIN));
    }
}
