//! `waitid(2)` for exactly one child, never for "any".
//!
//! `__WALL` is always given: until exec our children have no exit signal (so that a spawn that fails sends the host no
//! SIGCHLD and cannot be reaped by its `waitpid(-1)`), and a plain wait does not see those. errno is left alone.

use core::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;

use super::pidfd::{self, Life, SendError};
use super::raw::{check, syscall};

/// What a wait found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It has not ended.
    Running,
    /// It has ended and is a zombie still, or was reaped by this call.
    Ended(Ending),
    /// No such child: somebody has reaped it already.
    Gone,
}

/// How a child ended, in the words of waitid(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// Exit code, if it ended by `_exit`.
    pub code: i32,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// Whether it left a core dump.
    pub core: bool,
    /// What it used, if this call reaped it.
    pub usage: Option<Usage>,
}

/// From `getrusage(2)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Microseconds of user time.
    pub user_us: i64,
    /// Microseconds of system time.
    pub system_us: i64,
    /// Largest resident set, KiB.
    pub max_rss_kib: i64,
}

impl Ending {
    /// From a status word of wait(2), as `PIDFD_GET_INFO` gives it.
    pub fn from_status(status: i32) -> Self {
        let signal = status & 0x7F;
        Self { code: if signal == 0 { status >> 8 & 0xFF } else { -1 }, signal, core: status & 0x80 != 0 && signal != 0, usage: None }
    }
}

/// The layout of `siginfo_t` for SIGCHLD on 64-bit Linux.
#[repr(C)]
#[derive(Default)]
pub(super) struct ChildInfo {
    signo: i32,
    errno: i32,
    pub(super) code: i32,
    pad: i32,
    pub(super) pid: i32,
    uid: u32,
    pub(super) status: i32,
    rest: [i32; 25],
}

/// Set once waitid has refused `P_PIDFD` (a filter: every supported kernel has it).
pub(super) static NO_PIDFD_WAIT: AtomicBool = AtomicBool::new(false);

/// Whether there is waitid on a pidfd: it has looked for the descriptor.
pub fn can_wait_on_pidfds() -> bool {
    waitid(libc::P_PIDFD, i32::MAX, libc::WNOHANG, core::ptr::null_mut()) == Err(Errno::EBADF)
}

/// What was found out by asking so. Takes nothing back.
pub fn know(waits_on_pidfds: bool) {
    if !waits_on_pidfds {
        NO_PIDFD_WAIT.store(true, Ordering::Relaxed);
    }
}

fn waitid(id_type: libc::idtype_t, id: i32, options: i32, usage: *mut libc::rusage) -> Result<Seen, Errno> {
    let mut info = ChildInfo::default();
    loop {
        // SAFETY: `info` has the 128 bytes of siginfo_t; `usage` is null or a valid rusage.
        let answer =
            check(unsafe { syscall!(libc::SYS_waitid, id_type, id, &raw mut info, options | libc::WEXITED | libc::__WALL, usage) });
        match answer {
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(Seen::Gone),
            Err(errno) => return Err(errno),
            Ok(_) if info.pid == 0 => return Ok(Seen::Running),
            Ok(_) => {}
        }
        let exited = info.code == libc::CLD_EXITED;
        return Ok(Seen::Ended(Ending {
            code: if exited { info.status } else { -1 },
            signal: if exited { 0 } else { info.status },
            core: info.code == libc::CLD_DUMPED,
            usage: None,
        }));
    }
}

/// By pidfd where that works, by number where a filter forbids it. A number may have been recycled, if the host reaped our child,
/// and even belong to another child of the host: so the pidfd is asked first whether there is a zombie to wait for.
fn wait_for(pidfd: i32, pid: i32, options: i32, usage: *mut libc::rusage) -> Seen {
    if !NO_PIDFD_WAIT.load(Ordering::Relaxed) && pidfd >= 0 {
        match waitid(libc::P_PIDFD, pidfd, options, usage) {
            Ok(seen) => return seen,
            // The host has closed our descriptor: only the number is left.
            Err(Errno::EBADF) => {}
            Err(_) => NO_PIDFD_WAIT.store(true, Ordering::Relaxed),
        }
    }
    if pid <= 0 {
        return Seen::Running;
    }
    // A wait that may block is for a child that nobody else can reap: its number is safe.
    let life = if pidfd < 0 || options & libc::WNOHANG == 0 { Life::Ended } else { pidfd::life(pidfd) };
    match life {
        Life::Running => Seen::Running,
        Life::Reaped => Seen::Gone,
        Life::Ended => waitid(libc::P_PID, pid, options, usage).unwrap_or(Seen::Gone),
    }
}

/// By its pidfd alone: takes the process if it is a zombie of this process's, or with `take` unset only looks. `Gone`: it is no child of ours, or was
/// reaped. `None`: it cannot be asked about so.
pub fn of_pidfd(pidfd: i32, take: bool) -> Option<Seen> {
    if NO_PIDFD_WAIT.load(Ordering::Relaxed) {
        return None;
    }
    with_usage(|usage| {
        let options = if take { libc::WNOHANG } else { libc::WNOHANG | libc::WNOWAIT };
        let answer = waitid(libc::P_PIDFD, pidfd, options, usage);
        if answer.is_err_and(|errno| errno != Errno::EBADF) {
            NO_PIDFD_WAIT.store(true, Ordering::Relaxed);
        }
        answer.ok()
    })
}

/// Looks without reaping (`WNOWAIT`): the zombie stays and pins its pid and group.
pub fn look(pidfd: i32, pid: i32) -> Seen {
    wait_for(pidfd, pid, libc::WNOHANG | libc::WNOWAIT, core::ptr::null_mut())
}

/// Whether the process is a child of this one, which the caller does not know: the pidfd's number here is this one, and nobody reaps it meanwhile.
/// `Gone`: it is not, or was reaped. Where a filter forbids waits on pidfds the number is asked about.
pub fn own(pidfd: i32, pid: i32) -> Seen {
    match of_pidfd(pidfd, false) {
        Some(seen) => seen,
        None if pid > 0 => waitid(libc::P_PID, pid, libc::WNOHANG | libc::WNOWAIT, core::ptr::null_mut()).unwrap_or(Seen::Gone),
        None => Seen::Gone,
    }
}

/// Looks for a zombie of this process's in a group, without reaping it; answers its number. `None`: all that are in it run. `ECHILD`: no child of this
/// process is in it.
pub fn zombie_in_group(group: i32) -> Result<Option<i32>, Errno> {
    let mut info = ChildInfo::default();
    let options = libc::WNOHANG | libc::WNOWAIT | libc::WEXITED | libc::__WALL;
    loop {
        // SAFETY: `info` has the 128 bytes of siginfo_t; no usage is asked for.
        match check(unsafe { syscall!(libc::SYS_waitid, libc::P_PGID, group, &raw mut info, options, 0) }) {
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
            Ok(_) => return Ok((info.pid != 0).then_some(info.pid)),
        }
    }
}

/// Reaps if it has ended; never blocks.
pub fn reap(pidfd: i32, pid: i32) -> Seen {
    reap_with(pidfd, pid, libc::WNOHANG)
}

/// Reaps a child that is certain to end at once (its exec failed).
pub fn reap_ending(pidfd: i32, pid: i32) -> Seen {
    reap_with(pidfd, pid, 0)
}

fn reap_with(pidfd: i32, pid: i32, options: i32) -> Seen {
    with_usage(|usage| Some(wait_for(pidfd, pid, options, usage))).unwrap_or(Seen::Running)
}

fn with_usage(wait: impl FnOnce(*mut libc::rusage) -> Option<Seen>) -> Option<Seen> {
    // SAFETY: all-zero is a valid rusage.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    Some(match wait(&raw mut usage)? {
        Seen::Ended(ending) => {
            let micros = |t: libc::timeval| t.tv_sec.saturating_mul(1_000_000).saturating_add(t.tv_usec);
            let usage = Usage { user_us: micros(usage.ru_utime), system_us: micros(usage.ru_stime), max_rss_kib: usage.ru_maxrss };
            Seen::Ended(Ending { usage: Some(usage), ..ending })
        }
        other => other,
    })
}

/// Kills what is left of the group whose leader has ended. By number only while the zombie leader pins it.
pub fn sweep(pidfd: i32, pid: i32) {
    if pidfd::signal_group(pidfd, libc::SIGKILL) == Err(SendError::Unavailable) && matches!(look(pidfd, pid), Seen::Ended(_)) {
        let _ = pidfd::kill_number(-pid, libc::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_info_is_as_large_as_siginfo() {
        assert_eq!(size_of::<ChildInfo>(), size_of::<libc::siginfo_t>());
    }

    #[test]
    fn status_words_are_read_as_wait_does() {
        assert_eq!(Ending::from_status(42 << 8), Ending { code: 42, ..Ending::default() });
        assert_eq!(Ending::from_status(9), Ending { code: -1, signal: 9, ..Ending::default() });
        assert_eq!(Ending::from_status(0x80 | 11), Ending { code: -1, signal: 11, core: true, usage: None });
    }
}
