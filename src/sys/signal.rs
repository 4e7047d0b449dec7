//! The calling thread's signal mask (`rt_sigprocmask(2)`), needed only where the kernel cannot clear handlers by itself.

use super::raw::syscall;

/// All 64 signals.
pub const ALL: u64 = u64::MAX;
/// Those that are no real-time signals: signal(7).
pub const STANDARD: u64 = (1 << 31) - 1;
/// The largest signal number.
pub const MAX: i32 = 64;

/// The signals that stop a process, bit n-1 for signal n: signal(7).
pub const STOPPING: u64 = mask(&[libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]);
/// Those by which it dumps core.
pub const DUMPING: u64 = mask(&[
    libc::SIGQUIT,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGXCPU,
    libc::SIGXFSZ,
    libc::SIGSYS,
]);

const fn mask(signals: &[i32]) -> u64 {
    let (mut all, mut i) = (0, 0);
    while i < signals.len() {
        all |= 1 << (signals[i] - 1);
        i += 1;
    }
    all
}

/// What is blocked in the calling thread now, by the raw call: libc's wrapper hides its two internal signals.
pub fn blocked() -> u64 {
    let mut now = 0u64;
    // SAFETY: an eight-byte mask that outlives the call.
    unsafe { syscall!(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, 0, &raw mut now, 8) };
    now
}

/// Bit n-1 for signal n.
pub const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Every signal is blocked in this thread until the value is dropped.
///
/// By the raw call: libc's wrapper quietly leaves two internal signals open, and the child would run their handlers on
/// memory it shares with us.
pub struct Blocked(u64);

impl Blocked {
    /// Blocks everything.
    pub fn all() -> Self {
        let (all, mut before) = (ALL, 0u64);
        // SAFETY: two eight-byte masks that outlive the call.
        unsafe { syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, &raw mut before, 8) };
        Self(before)
    }
}

impl Blocked {
    /// As it was before. The same as to drop it, but that it is done where it stands.
    #[inline(always)]
    pub fn lift(self) {
        self.set_back();
        std::mem::forget(self);
    }

    #[inline(always)]
    fn set_back(&self) {
        // SAFETY: an eight-byte mask that outlives the call.
        unsafe { syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const self.0, 0, 8) };
    }
}

impl Drop for Blocked {
    #[inline(always)]
    fn drop(&mut self) {
        self.set_back();
    }
}

/// The process group that a process is in now. getpgid(2).
pub fn group_of(pid: i32) -> Option<i32> {
    nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(pid))).ok().map(nix::unistd::Pid::as_raw)
}

/// Whether orphans below this process become its children. prctl(2), PR_SET_CHILD_SUBREAPER.
pub fn set_subreaper(on: bool) -> Result<(), nix::errno::Errno> {
    nix::sys::prctl::set_child_subreaper(on)
}
