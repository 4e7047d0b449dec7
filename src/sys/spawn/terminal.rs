//! A child and its terminal, between clone and exec, under the rules of `child.rs`.
//!
//! Traps. **The descriptor is the maker's number**: this comes before the child has a table of its own, and only looks at the shared one. **A terminal
//! that another session has is never taken from it** (TIOCSCTTY with 0). **The foreground is nobody's to steal**: who looked before the clone may have
//! been sent to the background meanwhile, so the child looks again right before. And a group that is yet in the background is stopped for asking
//! (SIGTTOU), which nobody would end: the maker waits for the exec. **A key reaches it before it is a program**: `^Z` would stop it there, and with
//! it the thread that waits for its exec; `^\` would dump the memory it shares, which before Linux 5.16 kills all who do. So all signals are blocked
//! from before it has a terminal, and before they are let in again these two have a handler that does nothing: exec takes it away, and only when the
//! memory is another. What was kept back until then is sent once more by the maker. **The end of who leads a session hangs up a terminal that is no
//! pseudo-terminal**, for its owner as well: who could not begin gives it back before.
//!
//! Sources: ioctl_tty(2), tty_check_change() and disassociate_ctty() in drivers/tty/tty_jobctrl.c, begin_new_exec() in fs/exec.c of Linux 6.18.

use core::sync::atomic::Ordering;

use super::orders::{Orders, Step, Terminal};
use super::shim;
use crate::sys::raw::syscall;

/// What a key at a terminal sends that stops, or dumps core. (`^C` only ends it, which the maker sees as any other end.)
pub(super) const KEYS: [i32; 2] = [libc::SIGTSTP, libc::SIGQUIT];

#[inline(always)]
pub(super) const fn bit(signal: i32) -> u64 {
    1 << signal.wrapping_sub(1)
}

/// Whether nobody is left in a group: a child that has given up was put into the foreground before.
#[inline(always)]
unsafe fn is_empty(group: i32) -> bool {
    // SAFETY: no pointers; the signal 0 is none.
    group > 1 && unsafe { syscall!(libc::SYS_kill, (group as isize).wrapping_neg(), 0) } == -(libc::ESRCH as isize)
}

/// Takes the child to its session or group, and that to its terminal. `Ok(true)`: it stands where it is to stand.
///
/// # Safety
/// Between clone and exec.
#[inline(always)]
pub(super) unsafe fn take(terminal: Terminal) -> Result<bool, (Step, isize)> {
    let done = |step: Step, answer: isize| if answer < 0 { Err((step, answer)) } else { Ok(()) };
    if terminal == Terminal::None {
        return Ok(false);
    }
    let all = u64::MAX;
    // SAFETY: eight bytes on our own stack. Whoever asks for its signals gets them in `child.rs`, at the very end.
    unsafe { syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, 0, 8) };
    match terminal {
        Terminal::None => Ok(false),
        // SAFETY: numbers only.
        Terminal::Controlling(fd) => unsafe {
            done(Step::Setsid, syscall!(libc::SYS_setsid))?;
            done(Step::Terminal, syscall!(libc::SYS_ioctl, fd, libc::TIOCSCTTY, 0))?;
            Ok(true)
        },
        // SAFETY: numbers, and words on our own stack.
        Terminal::Foreground { fd, group } => unsafe {
            done(Step::Setpgid, syscall!(libc::SYS_setpgid, 0, 0))?;
            let (own, mut now) = (syscall!(libc::SYS_getpid) as i32, 0i32);
            let asked = syscall!(libc::SYS_ioctl, fd, libc::TIOCGPGRP, &raw mut now);
            if asked == 0 && (now == group || is_empty(now)) {
                done(Step::Foreground, syscall!(libc::SYS_ioctl, fd, libc::TIOCSPGRP, &raw const own))?;
            }
            Ok(true)
        },
    }
}

/// What the keys send does nothing until the exec: from here on a signal may be let in. What has been kept back is told the maker.
///
/// # Safety
/// Between clone and exec, with all signals blocked and in their default state.
#[inline(never)]
pub(super) unsafe fn outlast_keys(orders: &Orders) {
    // As the kernel has it; the mask is empty.
    let (handler, restorer) = (shim::nothing as *const (), shim::after_nothing as *const ());
    let nothing = [handler as u64, libc::SA_RESTART as u64 | SA_RESTORER, restorer as u64, 0];
    let (mut arrived, mut late) = (0u64, 0u64);
    // SAFETY: four words and eight bytes on our own stack; our table of handlers is not shared, and the handler touches no memory.
    unsafe {
        for signal in KEYS {
            if orders.ignored & bit(signal) == 0 {
                syscall!(libc::SYS_rt_sigaction, signal, nothing.as_ptr(), 0, 8);
                late |= bit(signal);
            }
        }
        syscall!(libc::SYS_rt_sigpending, &raw mut arrived, 8);
        // What stays blocked is there when it has begun.
        late &= arrived & !orders.mask;
        if late != 0 {
            orders.late.store(late as i32, Ordering::Release);
            let error_fd = orders.error_fd.load(Ordering::Relaxed);
            if error_fd >= 0 {
                let message = [Step::None as i32, late as i32];
                syscall!(libc::SYS_write, error_fd, message.as_ptr(), 8usize);
            }
        }
    }
}

/// After a step that has failed: the terminal that it has taken is nobody's again. Whether there is one, and under which number, the kernel knows: it
/// refuses any other.
///
/// # Safety
/// Between clone and exec; nothing follows but the end.
#[inline(never)]
pub(super) unsafe fn give_back(terminal: Terminal, failed: Step) {
    let Terminal::Controlling(fd) = terminal else { return };
    // SAFETY: numbers, and a constant. Before the table is our own, `fd` is the terminal, and nothing is opened.
    unsafe {
        if failed == Step::Terminal || syscall!(libc::SYS_getsid, 0) != syscall!(libc::SYS_getpid) {
            return;
        }
        // The kernel sends SIGHUP for it.
        let all = u64::MAX;
        syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, 0, 8);
        for number in [fd, 0, 1, 2] {
            if syscall!(libc::SYS_ioctl, number, libc::TIOCNOTTY, 0) == 0 {
                return;
            }
        }
        let own = syscall!(libc::SYS_openat, libc::AT_FDCWD, c"/dev/tty".as_ptr(), libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
        if own >= 0 {
            syscall!(libc::SYS_ioctl, own, libc::TIOCNOTTY, 0);
        }
    }
}

/// Both architectures have it: asm/signal.h of the kernel.
const SA_RESTORER: u64 = 0x0400_0000;
