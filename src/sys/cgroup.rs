//! Control groups, version 2. Source: Documentation/admin-guide/cgroup-v2.rst of Linux 6.18; cgroups(7).
//!
//! Traps. A directory can only be removed once the last process in it is gone for good, which is milliseconds after it was killed: EBUSY
//! until then. And the list of members is numbers: by the time one is signalled it may be another process's, so it is
//! pinned by a pidfd first and then looked for in the list once more.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
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
    kill: Option<OwnedFd>,
}

impl Group {
    /// Opens a directory that was made for this.
    pub fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let directory = open(path, flags, Mode::empty()).and_then(fds::above_standard)?;
        if fstatfs(&directory)?.filesystem_type() != CGROUP2_SUPER_MAGIC {
            return Err(Errno::EMEDIUMTYPE);
        }
        let kill = openat(&directory, "cgroup.kill", OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard).ok();
        Ok(Self { directory, kill })
    }

    /// For CLONE_INTO_CGROUP.
    pub fn directory(&self) -> RawFd {
        self.directory.as_raw_fd()
    }

    /// For [`kill_all`]; -1 where the kernel has no such file.
    pub fn kill_fd(&self) -> RawFd {
        self.kill.as_ref().map_or(-1, AsRawFd::as_raw_fd)
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

    fn members(&self) -> Vec<i32> {
        // The list of this group and of those that its members made below it.
        let path = format!("/proc/self/fd/{}", self.directory.as_raw_fd());
        let mut found = Vec::new();
        collect_members(Path::new(&path), 0, &mut found);
        found
    }

    /// Signals every member but those whom `skip` names, one by one. Not safe in a signal handler.
    pub fn signal(&self, signal: i32, skip: impl Fn(i32) -> bool) {
        let mut pinned: Vec<(i32, OwnedFd)> =
            self.members().into_iter().filter(|pid| *pid > 1 && !skip(*pid)).filter_map(|pid| Some((pid, pidfd::open(pid).ok()?))).collect();
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
