//! A lock that belongs to an open file description, so that it can be handed to another process without a gap: flock(2).
//!
//! Traps: LOCK_UN through any duplicate unlocks for all of them. A lock that is handed on is never unlocked: it ends with its last
//! duplicate. One that is its taker's alone is ([`release`]), or it would live on in a copy of the taker that has forked without an exec.
//! And who locks must then look whether the name is still that of what was locked.
//! A name in a directory for all may be anybody's file by a hard link (fs.protected_hardlinks=0): nothing is locked or written that has another name.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::sys::uio::{pread, pwrite};
use nix::unistd::geteuid;

use super::directory::{Directory, Inode, is_of};
use super::raw::{check, syscall};
use super::{fds, memfd};

/// Why what has the name of a lock file is not used as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It cannot be opened.
    Cannot(Errno),
    /// It is no regular file: a link, a fifo, a device.
    Kind,
    /// It is another user's, who would hold the lock for ever.
    Owner(u32),
    /// It has further names: it may be any file of this user's, whose name somebody else has put there.
    Links(libc::nlink_t),
}

impl Refusal {
    /// The end of a sentence that begins with the file; and nothing for what cannot be opened, where the errno says it.
    pub fn why(self) -> Option<String> {
        Some(match self {
            Self::Cannot(_) => return None,
            Self::Kind => "is no regular file".to_owned(),
            Self::Owner(uid) => format!("belongs to user {uid}, who could hold it for ever"),
            Self::Links(count) => format!(
                "has {count} names (hard links), so it may be another program's file, and was left as it is: remove it, or use a directory in which only the server's user can write"
            ),
        })
    }
}

/// Opens a lock file, made with mode 0600 (and see [`spare`]) if it is not there. Close-on-exec. Nothing was written.
pub fn open_at(directory: &Directory, name: &OsStr) -> Result<OwnedFd, Refusal> {
    // Looked at before it is opened, for to open a device may do something; and again as what was opened.
    if let Ok(found) = directory.look(name) {
        check_file(directory, &found)?;
    }
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NONBLOCK;
    opened(directory, directory.open(name, flags, Mode::S_IRUSR | Mode::S_IWUSR))
}

/// Opens one for reading, if it is there.
pub fn look_at(directory: &Directory, name: &OsStr) -> Result<OwnedFd, Refusal> {
    directory.look(name).map_err(Refusal::Cannot).and_then(|found| check_file(directory, &found))?;
    opened(directory, directory.open(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK, Mode::empty()))
}

fn opened(directory: &Directory, file: Result<OwnedFd, Errno>) -> Result<OwnedFd, Refusal> {
    let file = file.map_err(Refusal::Cannot)?;
    check_file(directory, &fstat(&file).map_err(Refusal::Cannot)?)?;
    Ok(file)
}

fn check_file(directory: &Directory, found: &FileStat) -> Result<(), Refusal> {
    if !is_of(found, libc::S_IFREG) {
        return Err(Refusal::Kind);
    }
    // Where only the directory's owner can have put it there, it is his server's.
    let trusted = [0, geteuid().as_raw()].contains(&found.st_uid) || directory.sole_owner() == Some(found.st_uid);
    if !trusted {
        return Err(Refusal::Owner(found.st_uid));
    }
    // None: it was removed meanwhile, and who locks finds out.
    if found.st_nlink > 1 { Err(Refusal::Links(found.st_nlink)) } else { Ok(()) }
}

/// Takes the lock, if nobody has it. Never waits.
pub fn try_lock(file: &OwnedFd) -> Result<bool, Errno> {
    lock(file, libc::LOCK_EX)
}

/// Whether nobody has the lock, asked through a description of our own, which must end at once: for that moment it has a share of it. Never waits.
pub fn is_free(own: &OwnedFd) -> Result<bool, Errno> {
    lock(own, libc::LOCK_SH)
}

fn lock(file: &OwnedFd, how: i32) -> Result<bool, Errno> {
    loop {
        // SAFETY: no pointers.
        match unsafe { check(syscall!(libc::SYS_flock, file.as_raw_fd(), how | libc::LOCK_NB)) } {
            Err(Errno::EINTR) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(false),
            other => return other.map(|_| true),
        }
    }
}

/// Ends a lock that was never handed on, and tells who waits for it; called by who has made it.
///
/// By LOCK_UN, for a copy of this process that has forked without an exec may have the description open, and the end of a
/// description is the end of its last duplicate. For the same reason its close may tell nobody (IN_CLOSE_WRITE comes with that last
/// duplicate, too), so it is read: IN_ACCESS is the cheapest event there is (0.6 us, 4 where nothing is in a cache; to set its time
/// takes 1.6 and 10, to open and close it by /proc 6), and one that those who wait do not make themselves. Of an empty file there
/// is nothing to read: there the time is set. Where that is refused whoever waits looks by the clock.
///
/// A fork at any moment is harmless: LOCK_UN is felt in all duplicates, also in one that is made between it and the close.
pub fn release(file: OwnedFd) {
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_flock, file.as_raw_fd(), libc::LOCK_UN) };
    if read(&file, &mut [0]) != Ok(1) {
        // SAFETY: no times: now. The descriptor is open.
        unsafe { syscall!(libc::SYS_utimensat, file.as_raw_fd(), 0, 0, 0) };
    }
}

/// Lets go of one that was inherited: it is closed, and that is felt by nobody, unless this copy shares the table of descriptors.
pub fn abandon(file: OwnedFd) {
    if fds::are_the_parents() {
        core::mem::forget(file);
    }
}

/// Whether this descriptor is the lock of that name, and one of the duplicates that hold it: only who opened the file for writing, and whom he gave
/// it to, can have it.
///
/// The traps: a file that others may write to (or could, by the mask of an access control list, which is the group's bits) proves nothing, nor does
/// a descriptor for reading, with which anybody who may read can lock. And to ask by flock(2) is to lock: that somebody holds it is asked by a
/// description of our own, for reading and shared, which ends at once; then only its holder's own takes it "again", and nothing changes.
pub fn is_holders(file: &OwnedFd, directory: &Directory, name: &OsStr) -> Result<bool, Errno> {
    let found = fstat(file)?;
    let mode = OFlag::from_bits_truncate(fcntl(file, FcntlArg::F_GETFL)?) & OFlag::O_ACCMODE;
    let closed = found.st_mode & 0o022 == 0 && check_file(directory, &found).is_ok();
    if !closed || mode != OFlag::O_RDWR || !is_at(file, directory, name)? {
        return Ok(false);
    }
    let own = directory.open(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK, Mode::empty())?;
    if identity(&own)? != Inode::from(&found) || lock(&own, libc::LOCK_SH)? {
        return Ok(false);
    }
    try_lock(file)
}

/// Whether the path names this very file.
pub fn is_at(file: &OwnedFd, directory: &Directory, name: &OsStr) -> Result<bool, Errno> {
    directory.names(name, identity(file)?)
}

/// Which file it is.
pub fn identity(file: &OwnedFd) -> Result<Inode, Errno> {
    fstat(file).map(|found| Inode::from(&found))
}

/// Marks one that was made without it by the sticky bit, which says nothing of a file but to cleaners: systemd-tmpfiles(8) spares those that have it
/// (XDG Base Directory Specification, XDG_RUNTIME_DIR). One that is not ours to mark stays as it is.
pub fn spare(file: &OwnedFd) {
    if let Ok(found) = fstat(file)
        && found.st_mode & libc::S_ISVTX == 0
    {
        let _ = fchmod(file, Mode::from_bits_truncate(found.st_mode) | Mode::S_ISVTX);
    }
}

/// How many names it has.
pub fn links(file: &OwnedFd) -> Result<libc::nlink_t, Errno> {
    fstat(file).map(|found| found.st_nlink)
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
    memfd::check_size(bytes.len()).map_err(|fault| fault.errno)?;
    loop {
        match pwrite(file, bytes, 0) {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}
