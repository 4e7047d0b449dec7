//! A child and its terminal, between clone and exec, under the rules of `child.rs`.
//!
//! Traps. **The descriptor is the maker's number**: this comes before the child has a table of its own, and only looks at the shared one. **A terminal
//! that another session has is never taken from it** (TIOCSCTTY with 0). **The foreground is nobody's to steal**: who looked before the clone may have
//! been sent to the background meanwhile, so the child looks again right before. And a group that is yet in the background is stopped for asking
//! (SIGTTOU), which nobody would end: the maker waits for the exec.
//!
//! Sources: ioctl_tty(2), tty_check_change() in drivers/tty/tty_jobctrl.c of Linux 6.18.

use super::orders::{Step, Terminal};
use crate::sys::raw::syscall;

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
            let stopping = 1u64 << (libc::SIGTTOU - 1);
            syscall!(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const stopping, 0, 8);
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
