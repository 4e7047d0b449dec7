//! A lock that belongs to an open file description, so that it can be handed to another process without a gap: flock(2).
//!
//! Traps: LOCK_UN through any duplicate unlocks for all of them, so nothing here ever unlocks: the lock ends with its last
//! duplicate. And who locks must then look whether the path still names what was locked.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, fstat, stat};
use nix::sys::uio::{pread, pwrite};
use nix::unistd::geteuid;

use super::raw::{check, syscall};
use super::{fds, memfd};

/// Opens a lock file, made with mode 0600 if it is not there. Close-on-exec; a symbolic link is refused, and what is no
/// regular file of this user or of root (`EPERM`).
pub fn open_at(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = loop {
        match open(path, flags, Mode::S_IRUSR | Mode::S_IWUSR) {
            Err(Errno::EINTR) => {}
            other => break other.and_then(fds::above_standard)?,
        }
    };
    // Another user's file, or a fifo, in a directory for all: he would hold the lock for ever.
    let found = fstat(&file)?;
    // Where only the directory's owner can have put it there, it is his server's.
    let directory = path.parent().and_then(|parent| stat(parent).ok()).filter(|directory| directory.st_mode & 0o022 == 0);
    let trusted = [0, geteuid().as_raw()].contains(&found.st_uid) || directory.is_some_and(|directory| directory.st_uid == found.st_uid);
    if found.st_mode & libc::S_IFMT == libc::S_IFREG && trusted { Ok(file) } else { Err(Errno::EPERM) }
}

/// Takes the lock, if nobody has it. Never waits.
pub fn try_lock(file: &OwnedFd) -> Result<bool, Errno> {
    loop {
        // SAFETY: no pointers.
        match unsafe { check(syscall!(libc::SYS_flock, file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB)) } {
            Err(Errno::EINTR) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(false),
            other => return other.map(|_| true),
        }
    }
}

/// Whether the path names this very file.
pub fn is_at(file: &OwnedFd, path: &Path) -> bool {
    match (fstat(file), stat(path)) {
        (Ok(ours), Ok(there)) => (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino),
        _ => false,
    }
}

/// The beginning of the file.
pub fn read(file: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match pread(file, buffer, 0) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// Writes the beginning of the file in one piece. No fsync: what dies with the power needs no record (DESIGN section 8).
pub fn write(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    memfd::check_size(bytes.len())?;
    loop {
        match pwrite(file, bytes, 0) {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}
