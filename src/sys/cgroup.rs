//! Control groups, version 2. Source: Documentation/admin-guide/cgroup-v2.rst of Linux 6.18; cgroups(7).
//!
//! Traps. A directory can only be removed once the last process in it is gone for good, which is milliseconds after it was killed: EBUSY
//! until then. And the list of members is numbers: by the time one is signalled it may be another process's, so it is
//! pinned by a pidfd first and then looked for in the list once more.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, fstatfs};
use nix::unistd::{UnlinkatFlags, Whence, lseek, read, unlinkat};

use super::raw::syscall;
use super::tree::{self, Identity, Kind, Suspended};
use super::{counts, fds, pidfd};
use crate::clock::Deadline;

/// How many members are pinned at once: descriptors of the host, of which the members have no say.
const PINNED: usize = 64;

/// Whether this directory lies in a cgroup v2 hierarchy.
pub fn is_cgroup2(directory: &OwnedFd) -> Result<bool, Errno> {
    fstatfs(directory).map(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC)
}

/// Makes a group.
pub fn make(parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    mkdirat(parent, name, Mode::from_bits_truncate(0o777))
}

/// What the memory controller has counted in a group since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanting {
    /// Processes of it, and of those below it, that were killed for want of memory, whosever limit that was.
    pub kills: u64,
    /// How often a limit of it, or of one below it, left no way but to kill.
    pub struck: u64,
    /// The same of this group alone: kills, and limits. Linux 5.2.
    pub local: Option<(u64, u64)>,
}

/// A control group that is ours.
#[derive(Debug)]
pub struct Group {
    directory: OwnedFd,
    /// `cgroup.kill` (Linux 5.14), open for writing: a signal handler may use it.
    kill: Option<Arc<OwnedFd>>,
    /// Where there is none: the list of members, open for the day when descriptors have run out.
    procs: Option<OwnedFd>,
    identity: Identity,
}

impl Group {
    /// Opens a directory that was made for this.
    pub fn open(parent: &OwnedFd, name: &OsStr) -> Result<Self, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let directory = openat(parent, name, flags, Mode::empty()).and_then(fds::above_standard)?;
        if !is_cgroup2(&directory)? {
            return Err(Errno::EMEDIUMTYPE);
        }
        let identity = tree::identity(&directory)?;
        let open = |name: &str, flags| openat(&directory, name, flags | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard);
        let (kill, procs) = match open("cgroup.kill", OFlag::O_WRONLY) {
            Ok(kill) => (Some(Arc::new(kill)), None),
            Err(Errno::ENOENT) => (None, Some(open("cgroup.procs", OFlag::O_RDONLY)?)),
            Err(errno) => return Err(errno),
        };
        Ok(Self { directory, kill, procs, identity })
    }

    /// Device and inode.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// For CLONE_INTO_CGROUP.
    pub fn directory(&self) -> RawFd {
        self.directory.as_raw_fd()
    }

    /// For [`kill_all`]; -1 where the kernel has no such file.
    pub fn kill_fd(&self) -> RawFd {
        self.kill.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// The file behind [`Self::kill_fd`] is never closed: somebody may write to it at any time.
    pub fn keep_kill_open(&self) {
        std::mem::forget(self.kill.clone());
    }

    /// `cgroup.procs`, open for writing: a child that could not be born inside writes itself in.
    pub fn joining(&self) -> Result<OwnedFd, Errno> {
        openat(&self.directory, "cgroup.procs", OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard)
    }

    /// Writes one of its files.
    pub fn set(&self, file: &OsStr, value: &[u8]) -> Result<(), Errno> {
        let file = openat(&self.directory, file, OFlag::O_WRONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW, Mode::empty())?;
        nix::unistd::write(&file, value).map(drop)
    }

    fn reading(&self, file: &str) -> Option<OwnedFd> {
        openat(&self.directory, file, OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW, Mode::empty()).ok()
    }

    fn counted(&self, file: &str) -> Option<(u64, u64)> {
        let [kills, struck] = counts::of_names(self.reading(file)?, ["oom_kill", "oom"]);
        kills.zip(struck)
    }

    /// What stands in `memory.events`; nothing where the memory controller is not at work here. The kernel counts a kill before it kills, so
    /// that of a process that has ended stands there.
    pub fn wanting(&self) -> Option<Wanting> {
        let (kills, struck) = self.counted("memory.events")?;
        // A file more, only where there is something to be told apart.
        let local = (kills > 0).then(|| self.counted("memory.events.local")).flatten();
        Some(Wanting { kills, struck, local })
    }

    /// The most bytes that it had (`memory.peak`, Linux 5.19).
    pub fn memory_peak(&self) -> Option<u64> {
        counts::only(self.reading("memory.peak")?)
    }

    /// Whether the memory controller has killed somebody in it; `false` where there is none.
    pub fn has_run_out_of_memory(&self) -> bool {
        self.counted("memory.events").is_some_and(|(kills, _)| kills > 0)
    }

    /// Who is in this group and in those that its members made below it.
    fn members(&self) -> Vec<i32> {
        let mut found = Vec::new();
        let _ = tree::each_directory(&self.directory, |directory| found.append(&mut members_of(directory)));
        if let Some(procs) = self.procs.as_ref().filter(|_| found.is_empty()) {
            found = listed(procs);
        }
        found
    }

    /// Whether a process is a member, in this group itself. How many there are is their choice: of a list longer than this the rest is not read.
    pub fn has(&self, pid: i32) -> bool {
        let list = openat(&self.directory, "cgroup.procs", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        let mut text = String::new();
        let read = list.is_ok_and(|file| File::from(file).take(64 * 1024).read_to_string(&mut text).is_ok());
        read && text.lines().any(|line| line.parse() == Ok(pid))
    }

    /// Does something while no member can end and give its number away (`cgroup.freeze`, Linux 5.2): for systems without pidfds. The kernel needs
    /// a moment to stop everybody; one who sits in an uninterruptible call is not waited for.
    fn frozen(&self, act: impl FnOnce()) {
        let freeze = |on: &[u8]| self.set(OsStr::new("cgroup.freeze"), on);
        if freeze(b"1").is_ok() {
            let events = format!("/proc/self/fd/{}/cgroup.events", self.directory.as_raw_fd());
            for _ in 0..50 {
                if fs::read_to_string(&events).is_ok_and(|text| text.contains("frozen 1")) {
                    break;
                }
                super::poll::wait_raw(-1, 1_000_000);
            }
        }
        act();
        let _ = freeze(b"0");
    }

    /// Signals every member but those whom `skip` names, one by one. Not safe in a signal handler.
    pub fn signal(&self, signal: i32, skip: impl Fn(i32) -> bool) {
        let mut seen = HashSet::new();
        let mut unpinned = Vec::new();
        let walked = tree::each_directory(&self.directory, |directory| {
            let mut wanted = members_of(directory);
            // One who moves from group to group meanwhile shall not get it twice.
            wanted.retain(|pid| *pid > 1 && seen.insert(*pid) && !skip(*pid));
            for few in wanted.chunks(PINNED) {
                signal_pinned(few, signal, &mut unpinned, || members_of(directory));
            }
        });
        if walked.is_err() && seen.is_empty() {
            // No descriptor to be had.
            unpinned.extend(self.procs.as_ref().map(listed).unwrap_or_default().into_iter().filter(|pid| *pid > 1 && !skip(*pid)));
        }
        if !unpinned.is_empty() {
            // A filter, or no descriptors. (Or somebody has just ended: then the look is wasted.)
            self.frozen(|| {
                for pid in self.members().into_iter().filter(|pid| unpinned.contains(pid)) {
                    let _ = pidfd::kill_number(pid, signal);
                }
            });
        }
    }

    /// Kills every member: at one stroke, or where the kernel cannot, until a look finds nobody (a bounded number of times).
    pub fn kill(&self) {
        if kill_all(self.kill_fd()) {
            return;
        }
        for _ in 0..64 {
            if self.members().is_empty() {
                return;
            }
            self.signal(libc::SIGKILL, |_| false);
            // A killed member is listed until it is gone.
            super::poll::relax();
        }
    }
}

/// Signals those of a group's members who can be pinned; the others are left to the caller. `look`: who is in the group now.
fn signal_pinned(wanted: &[i32], signal: i32, unpinned: &mut Vec<i32>, look: impl FnOnce() -> Vec<i32>) {
    let pin = |pid: i32| pidfd::open(pid).map_err(|_| unpinned.push(pid)).ok().map(|fd| (pid, fd));
    let mut pinned: Vec<(i32, OwnedFd)> = wanted.iter().copied().filter_map(pin).collect();
    if pinned.is_empty() {
        return;
    }
    let members: HashSet<i32> = look().into_iter().collect();
    pinned.retain(|(pid, _)| members.contains(pid));
    for (pid, fd) in pinned {
        if pidfd::signal(fd.as_raw_fd(), signal) == Err(pidfd::SendError::Unavailable) {
            let _ = pidfd::kill_number(pid, signal);
        }
    }
}

/// The members of one group, without those below it.
fn members_of(directory: &OwnedFd) -> Vec<i32> {
    let procs = openat(directory, "cgroup.procs", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard);
    procs.as_ref().map(listed).unwrap_or_default()
}

/// The numbers in an open list of members.
fn listed(procs: &OwnedFd) -> Vec<i32> {
    let mut found = Vec::new();
    let _ = lseek(procs, 0, Whence::SeekSet);
    let (mut block, mut number) = ([0u8; 4096], None::<i32>);
    loop {
        let count = match read(procs, &mut block) {
            Ok(0) => return found,
            Ok(count) => count,
            Err(Errno::EINTR) => continue,
            Err(_) => return found,
        };
        for byte in &block[..count] {
            match byte {
                b'0'..=b'9' => number = Some(number.unwrap_or(0).wrapping_mul(10).wrapping_add(i32::from(byte - b'0'))),
                _ => found.extend(number.take()),
            }
        }
    }
}

/// Kills all members of the group whose `cgroup.kill` this is. Safe in a signal handler. `false`: it could not be done.
pub fn kill_all(kill_fd: RawFd) -> bool {
    // SAFETY: one byte of static memory; a wrong descriptor gives EBADF.
    kill_fd >= 0 && unsafe { syscall!(libc::SYS_write, kill_fd, c"1".as_ptr(), 1usize) } == 1
}

/// Removes a group with nobody and nothing in it.
pub fn remove_empty(parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    unlinkat(parent, name, UnlinkatFlags::RemoveDir)
}

/// Removes a group, if it is this one still, and those that its members made below it. `EBUSY` while somebody is in it.
pub fn remove(parent: &OwnedFd, name: &OsStr, identity: Identity, until: Deadline, state: &mut Option<Suspended>) -> Result<(), Errno> {
    match tree::remove_directory(parent, name, identity) {
        Err(Errno::EBUSY | Errno::ENOTEMPTY) => {}
        other => return other,
    }
    let directory = tree::hold(parent, name)?;
    if tree::identity(&directory)? != identity {
        return Ok(());
    }
    tree::empty(&directory, Kind::Groups, until, state)?;
    tree::remove_directory(parent, name, identity)
}
