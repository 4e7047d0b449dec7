//! pidfds: the identity of a process. `pidfd_open(2)`, `pidfd_send_signal(2)`, `ioctl_pidfd(2)`.
//!
//! A pid number can be recycled the moment somebody reaps it; a pidfd cannot. All calls here leave `errno` alone, so that
//! a signal handler may use them.

use core::sync::atomic::{AtomicBool, Ordering};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::stat::fstat;
use nix::sys::statfs::{FsType, fstatfs};

use super::raw::{check, syscall};

const PIDFD_SIGNAL_PROCESS_GROUP: u32 = 1 << 2;
/// `_IOWR(0xFF, 11, struct pidfd_info)` with the 64-byte first version of the struct.
const PIDFD_GET_INFO: u32 = 0xC040_FF0B;
const PIDFD_INFO_EXIT: u64 = 1 << 3;

/// `struct pidfd_info`, first version (Linux 6.13; the exit code since 6.15).
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// Set once the kernel has refused group signals through a pidfd (before 6.9, or by a filter).
static NO_GROUP_SIGNAL: AtomicBool = AtomicBool::new(false);
/// Set once the kernel has refused pidfd signals altogether (by a filter: every supported kernel has them).
static NO_SIGNAL: AtomicBool = AtomicBool::new(false);

/// Set once it is known that pidfd_open(2) must not be called (a filter would kill for it).
static NO_OPEN: AtomicBool = AtomicBool::new(false);

/// Whether pidfd_open(2) may be called at all.
pub fn may_open() -> bool {
    !NO_OPEN.load(Ordering::Relaxed)
}

/// A pidfd for a process that cannot be reaped meanwhile (our own child). Close-on-exec.
pub fn open(pid: i32) -> Result<OwnedFd, Errno> {
    if NO_OPEN.load(Ordering::Relaxed) {
        return Err(Errno::ENOSYS);
    }
    // SAFETY: no pointers; the descriptor returned is new and owned by nobody else.
    unsafe { check(syscall!(libc::SYS_pidfd_open, pid, 0)).map(|fd| OwnedFd::from_raw_fd(fd as i32)) }
}

/// A duplicate of what the process behind a pidfd has under this number, close-on-exec: pidfd_getfd(2), Linux 5.6. It asks for the right to trace it.
pub fn take(pidfd: &OwnedFd, number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers; the descriptor returned is new and owned by nobody else.
    unsafe { check(syscall!(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), number, 0)).map(|fd| OwnedFd::from_raw_fd(fd as i32)) }
}

/// The number of a process on pidfs, which no other process of this boot ever has. `None`: pidfds are no files of their own here (before Linux 6.9),
/// or this one cannot be looked at.
pub fn number(pidfd: &OwnedFd) -> Option<u64> {
    // Those of one kernel are all alike. The caller knows that it is one.
    static ARE_FILES: AtomicBool = AtomicBool::new(false);
    if !ARE_FILES.load(Ordering::Relaxed) {
        if !is_on_pidfs(pidfd) {
            return None;
        }
        ARE_FILES.store(true, Ordering::Relaxed);
    }
    fstat(pidfd).ok().map(|found| found.st_ino)
}

/// Whether a descriptor of whatever kind is a pidfd that is a file of its own.
pub fn is_on_pidfs(fd: &OwnedFd) -> bool {
    const PID_FS_MAGIC: FsType = FsType(0x5049_4446);
    fstatfs(fd).is_ok_and(|found| found.filesystem_type() == PID_FS_MAGIC)
}

/// That of the calling process.
pub fn own_number() -> Option<u64> {
    number(&open(super::getpid()).ok()?)
}

/// Whether signals reach a group by its leader's pidfd, also after the leader was reaped, and never a recycled number.
pub fn group_signals_are_exact() -> bool {
    !NO_GROUP_SIGNAL.load(Ordering::Relaxed) && !NO_SIGNAL.load(Ordering::Relaxed)
}

/// Whether signals go through a pidfd. A descriptor that cannot be is asked for; EBADF says that all else was right.
pub fn can_signal() -> bool {
    check(send(-1, 0, 0)) == Err(Errno::EBADF)
}

/// Whether they reach groups that way.
pub fn can_signal_groups() -> bool {
    check(send(-1, 0, PIDFD_SIGNAL_PROCESS_GROUP)) == Err(Errno::EBADF)
}

/// Whether pidfd_open is there: it has looked at its arguments.
pub fn can_open() -> bool {
    // SAFETY: no pointers; no process has this number.
    unsafe { check(syscall!(libc::SYS_pidfd_open, -1i32, 0)) == Err(Errno::EINVAL) }
}

/// What was found out by asking so, before any signal is the first to learn it: it decides who may reap while another signals. Takes nothing
/// back.
pub fn know(signals: bool, groups: bool, open: bool) {
    for (there, missing) in [(signals, &NO_SIGNAL), (groups, &NO_GROUP_SIGNAL), (open, &NO_OPEN)] {
        if !there {
            missing.store(true, Ordering::Relaxed);
        }
    }
}

/// Why a signal through a pidfd could not be tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// This kernel or filter has no such call: use the number, if it is safe.
    Unavailable,
    /// The kernel's answer: `ESRCH` (gone, or not a group leader), `EPERM`, `EINVAL`.
    Errno(Errno),
}

fn send(pidfd: i32, signal: i32, flags: u32) -> isize {
    // SAFETY: a null siginfo is allowed; a wrong descriptor gives EBADF.
    unsafe { syscall!(libc::SYS_pidfd_send_signal, pidfd, signal, 0, flags) }
}

/// A filter's EPERM or EACCES looks like a refused permission, but a filter refuses also where the kernel would say "bad descriptor".
fn is_filtered(flags: u32) -> bool {
    matches!(check(send(-1, 0, flags)), Err(Errno::EPERM | Errno::EACCES))
}

/// Signals the process behind the pidfd. A zombie accepts signals; a reaped one answers `ESRCH`.
pub fn signal(pidfd: i32, signal: i32) -> Result<(), SendError> {
    if NO_SIGNAL.load(Ordering::Relaxed) {
        return Err(SendError::Unavailable);
    }
    match check(send(pidfd, signal, 0)) {
        Ok(_) => Ok(()),
        Err(Errno::ENOSYS) => {
            NO_SIGNAL.store(true, Ordering::Relaxed);
            Err(SendError::Unavailable)
        }
        Err(Errno::EPERM | Errno::EACCES) if is_filtered(0) => {
            NO_SIGNAL.store(true, Ordering::Relaxed);
            Err(SendError::Unavailable)
        }
        Err(errno) => Err(SendError::Errno(errno)),
    }
}

/// `siginfo_t` of a signal that is queued with a value: rt_sigqueueinfo(2).
#[repr(C)]
struct Queued {
    words: [i32; 6],
    value: u64,
    rest: [u64; 12],
}

impl Queued {
    fn new(signal: i32, value: u64) -> Self {
        Self { words: [signal, 0, libc::SI_QUEUE, 0, super::getpid(), 0], value, rest: [0; 12] }
    }
}

/// Queues a signal with a value for the process behind the pidfd. `EAGAIN`: its user has too many waiting.
pub fn queue(pidfd: i32, signal: i32, value: u64) -> Result<(), SendError> {
    if NO_SIGNAL.load(Ordering::Relaxed) {
        return Err(SendError::Unavailable);
    }
    let info = Queued::new(signal, value);
    // SAFETY: a whole siginfo of this frame; a wrong descriptor gives EBADF.
    match check(unsafe { syscall!(libc::SYS_pidfd_send_signal, pidfd, signal, &raw const info, 0) }) {
        Ok(_) => Ok(()),
        Err(Errno::ENOSYS) => Err(SendError::Unavailable),
        Err(Errno::EPERM | Errno::EACCES) if is_filtered(0) => Err(SendError::Unavailable),
        Err(errno) => Err(SendError::Errno(errno)),
    }
}

/// The same by number, as [`kill_number`].
pub fn queue_number(pid: i32, signal: i32, value: u64) -> Result<(), Errno> {
    if pid <= 1 {
        return Err(Errno::ESRCH);
    }
    let info = Queued::new(signal, value);
    // SAFETY: a whole siginfo of this frame.
    unsafe { check(syscall!(libc::SYS_rt_sigqueueinfo, pid, signal, &raw const info)).map(drop) }
}

/// Signals the whole group that the process leads (`PIDFD_SIGNAL_PROCESS_GROUP`, Linux 6.9).
pub fn signal_group(pidfd: i32, signal: i32) -> Result<(), SendError> {
    if !group_signals_are_exact() {
        return Err(SendError::Unavailable);
    }
    match check(send(pidfd, signal, PIDFD_SIGNAL_PROCESS_GROUP)) {
        Ok(_) => Ok(()),
        // The signal number was checked before: EINVAL means that the flag is unknown.
        Err(Errno::EINVAL) => {
            NO_GROUP_SIGNAL.store(true, Ordering::Relaxed);
            Err(SendError::Unavailable)
        }
        Err(Errno::ENOSYS) => {
            NO_SIGNAL.store(true, Ordering::Relaxed);
            Err(SendError::Unavailable)
        }
        Err(Errno::EPERM | Errno::EACCES) if is_filtered(PIDFD_SIGNAL_PROCESS_GROUP) => {
            NO_GROUP_SIGNAL.store(true, Ordering::Relaxed);
            Err(SendError::Unavailable)
        }
        Err(errno) => Err(SendError::Errno(errno)),
    }
}

/// `kill(2)` by number. Only for a child that is certain not to have been reaped.
///
/// 0 and -1 mean "my group" and "everybody" to the kernel, and 1 is the init that nobody may own: refused.
pub fn kill_number(pid: i32, signal: i32) -> Result<(), Errno> {
    if (-1..=1).contains(&pid) {
        return Err(Errno::ESRCH);
    }
    // SAFETY: no pointers.
    unsafe { check(syscall!(libc::SYS_kill, pid, signal)).map(drop) }
}

/// The group that the process of this number is in, as this process numbers it: getpgid(2). Zombies are in theirs still.
pub fn group_of_number(pid: i32) -> Option<i32> {
    // SAFETY: no pointers.
    unsafe { check(syscall!(libc::SYS_getpgid, pid)).ok().map(|group| group as i32) }
}

/// What became of the status of a process that somebody else has reaped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// The kernel keeps it (Linux 6.15): a status word of wait(2).
    Status(i32),
    /// The other one's wait is just taking it: ask again.
    NotYet,
    /// It is lost.
    Lost,
}

/// Asks the kernel for a status that somebody else has taken.
/// Source: ioctl `PIDFD_GET_INFO` with `PIDFD_INFO_EXIT`, include/uapi/linux/pidfd.h.
///
/// The race: between the other one's wait and the release of the process, our own wait says "no such child" already, and the
/// status is not behind the pidfd yet.
pub fn kept_status(pidfd: i32) -> Kept {
    for _ in 0..100 {
        match ask_status(pidfd) {
            Ok(Some(status)) => return Kept::Status(status),
            // Released while the kernel was looking.
            Ok(None) | Err(Errno::ESRCH) => {}
            Err(_) => return Kept::Lost,
        }
        match signal(pidfd, 0) {
            // Released: if the kernel keeps the status, it is there by now.
            Err(SendError::Errno(Errno::ESRCH)) => break,
            // It cannot be asked that way: give the other one a little time.
            Err(SendError::Unavailable) => super::poll::relax(),
            _ => return Kept::NotYet,
        }
    }
    match ask_status(pidfd) {
        Ok(Some(status)) => Kept::Status(status),
        _ => Kept::Lost,
    }
}

/// The same of a process that has ended and is not our child: it may be a zombie for as long as its parent likes.
pub fn kept_for_others(pidfd: i32) -> Kept {
    // Released while the kernel was looking: then the status is there by now, unless this kernel keeps none (6.13 and 6.14 know the call).
    let answer = ask_status(pidfd).or_else(|errno| if errno == Errno::ESRCH { ask_status(pidfd) } else { Err(errno) });
    answer.map_or(Kept::Lost, |status| status.map_or(Kept::NotYet, Kept::Status))
}

/// `None`: nobody has reaped it yet.
fn ask_status(pidfd: i32) -> Result<Option<i32>, Errno> {
    ask(pidfd, PIDFD_INFO_EXIT).map(|info| (info.mask & PIDFD_INFO_EXIT != 0).then_some(info.exit_code))
}

fn ask(pidfd: i32, mask: u64) -> Result<Info, Errno> {
    let mut info = Info { mask, ..Info::default() };
    // SAFETY: the request number says 64 bytes, which is the size of `info`.
    check(unsafe { syscall!(libc::SYS_ioctl, pidfd, PIDFD_GET_INFO, &raw mut info) })?;
    Ok(info)
}

/// Which number here the process behind a pidfd has, while nobody has reaped it. `None`: it was reaped, has no number in our pid namespace, is only
/// a thread, or can in no way be asked.
pub fn number_here(pidfd: i32) -> Option<i32> {
    // Exact, where there is the call (Linux 6.13). This /proc may be another namespace's.
    match ask(pidfd, 0) {
        Ok(Info { ids: [pid, process, ..], .. }) => (pid == process).then(|| i32::try_from(pid).ok())?.filter(|pid| *pid > 0),
        // Also of one whose parent is not in our namespace: the call does not show that.
        Err(_) => super::procline::number_of(pidfd),
    }
}

/// What the kernel says of the process behind a pidfd, all of one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its number here.
    pub pid: i32,
    /// Its parent's number here; 0: that has none here.
    pub parent: i32,
    /// Its effective user.
    pub user: u32,
}

/// The same as [`number_here`] and [`user`], and whose child it is, in one call. `None`: the kernel does not say (before Linux 6.13), or it is no
/// process, or has no number here.
pub fn known(pidfd: i32) -> Option<Known> {
    let Info { ids: [pid, process, parent, _, _, user, ..], .. } = ask(pidfd, 0).ok()?;
    let pid = (pid == process).then(|| i32::try_from(pid).ok())?.filter(|pid| *pid > 0)?;
    Some(Known { pid, parent: i32::try_from(parent).unwrap_or(0), user })
}

/// The effective user of the process behind a pidfd, as the kernel tells it (Linux 6.13).
pub fn user(pidfd: i32) -> Option<u32> {
    // Its ids: pid, tgid, parent; real user and group; effective ones; and so on.
    ask(pidfd, 0).ok().map(|info| info.ids[5])
}

/// How far the process behind a pidfd is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// It runs, or cannot be asked.
    Running,
    /// It has ended; as far as can be told it is a zombie.
    Ended,
    /// It has ended and somebody has reaped it.
    Reaped,
}

/// Asks without waitid: readable means ended; hung up (newer kernels), or no more there to be signalled, means reaped.
pub fn life(pidfd: i32) -> Life {
    let mut set = libc::pollfd { fd: pidfd, events: libc::POLLIN, revents: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one pollfd and one timespec on our own stack.
    let answer = unsafe { syscall!(libc::SYS_ppoll, &raw mut set, 1, &raw const now, 0, 8) };
    if answer > 0 && set.revents & libc::POLLNVAL != 0 {
        return Life::Ended;
    }
    if answer <= 0 || set.revents & libc::POLLIN == 0 {
        return Life::Running;
    }
    if set.revents & libc::POLLHUP != 0 || signal(pidfd, 0) == Err(SendError::Errno(Errno::ESRCH)) {
        return Life::Reaped;
    }
    Life::Ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_queued_is_as_large_as_siginfo() {
        assert_eq!(size_of::<Queued>(), size_of::<libc::siginfo_t>());
        assert_eq!(core::mem::offset_of!(Queued, value), 24);
    }

    #[test]
    fn info_has_the_size_in_its_request_number() {
        assert_eq!(size_of::<Info>(), (PIDFD_GET_INFO >> 16 & 0x3FFF) as usize);
    }

    #[test]
    fn what_the_kernel_knows_of_a_process_is_its_number_its_parents_and_its_user() {
        let own = open(crate::sys::getpid()).unwrap();
        // Not every kernel says it.
        if let Some(known) = known(own.as_raw_fd()) {
            let user = nix::unistd::geteuid().as_raw();
            assert_eq!(known, Known { pid: crate::sys::getpid(), parent: nix::unistd::getppid().as_raw(), user });
        }
    }
}
