//! Control groups, version 2. Source: Documentation/admin-guide/cgroup-v2.rst of Linux 6.18; cgroups(7).
//!
//! Traps. A directory can only be removed once the last process in it is gone for good, which is milliseconds after it was killed: EBUSY
//! until then. And the list of members is numbers: by the time one is signalled it may be another process's, so it is
//! pinned by a pidfd first and then looked for in the list once more.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, fstat};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, fstatfs, statfs};

use super::raw::syscall;
use super::{fds, pidfd};

/// Whether this directory lies in a cgroup v2 hierarchy.
pub fn is_cgroup2(path: &Path) -> Result<bool, Errno> {
    statfs(path).map(|found| found.filesystem_type() == CGROUP2_SUPER_MAGIC)
}

/// A control group that is ours.
#[derive(Debug)]
pub struct Group {
    directory: OwnedFd,
    /// `cgroup.kill` (Linux 5.14), open for writing: a signal handler may use it.
    kill: Option<Arc<OwnedFd>>,
    /// Where there is none: the list of members, open for the day when descriptors have run out.
    procs: Option<File>,
    identity: (u64, u64),
}

impl Group {
    /// Opens a directory that was made for this.
    pub fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let directory = open(path, flags, Mode::empty()).and_then(fds::above_standard)?;
        if fstatfs(&directory)?.filesystem_type() != CGROUP2_SUPER_MAGIC {
            return Err(Errno::EMEDIUMTYPE);
        }
        let found = fstat(&directory)?;
        let open = |name: &str, flags| openat(&directory, name, flags | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard);
        let (kill, procs) = match open("cgroup.kill", OFlag::O_WRONLY) {
            Ok(kill) => (Some(Arc::new(kill)), None),
            Err(Errno::ENOENT) => (None, Some(File::from(open("cgroup.procs", OFlag::O_RDONLY)?))),
            Err(errno) => return Err(errno),
        };
        Ok(Self { directory, kill, procs, identity: (found.st_dev, found.st_ino) })
    }

    /// Device and inode.
    pub fn identity(&self) -> (u64, u64) {
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

    /// Whether the memory controller has killed somebody in it; `false` where there is none.
    pub fn has_run_out_of_memory(&self) -> bool {
        let events = openat(&self.directory, "memory.events", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        let mut text = String::new();
        let read = events.is_ok_and(|file| File::from(file).read_to_string(&mut text).is_ok());
        read && text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count != "0"))
    }

    fn members(&self) -> Vec<i32> {
        // The list of this group and of those that its members made below it.
        let path = format!("/proc/self/fd/{}", self.directory.as_raw_fd());
        let mut found = Vec::new();
        collect_members(Path::new(&path), 0, &mut found);
        if let Some(mut procs) = self.procs.as_ref().filter(|_| found.is_empty()) {
            let mut list = String::new();
            if procs.rewind().and_then(|()| procs.read_to_string(&mut list)).is_ok() {
                found.extend(list.lines().filter_map(|line| line.parse::<i32>().ok()));
            }
        }
        found
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
        let wanted: Vec<i32> = self.members().into_iter().filter(|pid| *pid > 1 && !skip(*pid)).collect();
        let mut pinned: Vec<(i32, OwnedFd)> = wanted.iter().filter_map(|pid| Some((*pid, pidfd::open(*pid).ok()?))).collect();
        if pinned.len() < wanted.len() {
            // A filter, or no descriptors. (Or somebody has just ended: then the look is wasted.)
            let pinned: Vec<i32> = pinned.iter().map(|(pid, _)| *pid).collect();
            self.frozen(|| {
                for pid in self.members().into_iter().filter(|pid| wanted.contains(pid) && !pinned.contains(pid)) {
                    let _ = pidfd::kill_number(pid, signal);
                }
            });
        }
        let members = self.members();
        pinned.retain(|(pid, _)| members.contains(pid));
        for (pid, fd) in pinned {
            if pidfd::signal(fd.as_raw_fd(), signal) == Err(pidfd::SendError::Unavailable) {
                let _ = pidfd::kill_number(pid, signal);
            }
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

fn collect_members(path: &Path, depth: usize, found: &mut Vec<i32>) {
    if let Ok(list) = fs::read_to_string(path.join("cgroup.procs")) {
        found.extend(list.lines().filter_map(|line| line.parse::<i32>().ok()));
    }
    if depth < 16
        && let Ok(entries) = fs::read_dir(path)
    {
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            collect_members(&entry.path(), depth + 1, found);
        }
    }
}

/// Kills all members of the group whose `cgroup.kill` this is. Safe in a signal handler. `false`: it could not be done.
pub fn kill_all(kill_fd: RawFd) -> bool {
    // SAFETY: one byte of static memory; a wrong descriptor gives EBADF.
    kill_fd >= 0 && unsafe { syscall!(libc::SYS_write, kill_fd, c"1".as_ptr(), 1usize) } == 1
}

/// Removes a group with nobody and nothing in it.
pub fn remove_empty(path: &Path) -> Result<(), Errno> {
    fs::remove_dir(path).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
}

/// Removes a group and those that its members made below it. `EBUSY` while somebody is in it.
pub fn remove(path: &Path) -> Result<(), Errno> {
    let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO));
    match fs::remove_dir(path).map_err(errno) {
        Err(Errno::EBUSY | Errno::ENOTEMPTY) => {}
        Err(Errno::ENOENT) => return Ok(()),
        other => return other,
    }
    for entry in fs::read_dir(path).map_err(errno)?.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove(&entry.path())?;
    }
    fs::remove_dir(path).map_err(errno)
}
