//! The control path: a unix socket by which a successor that somebody else has started finds the owner, and a lock file beside it
//! that says whether there is one.
//!
//! Traps.
//! - **The path is bound once**, by the first generation: the listening socket is handed on, never re-created (bug B5 of the older protocol).
//!   It is made under another name and renamed, so nobody ever sees the path without a listener.
//! - **A lock file can be replaced beside its holder.** After locking, the path must still name the file that was locked.
//! - **Nothing that lies there need be ours.** The name of the lock file may be a hard link to any file, so it must have one name and begin as we
//!   write it before anything is written; and the socket may be that of a new first generation, so only what we have bound is removed.
//!   Each is looked at and acted on in one held directory (`sys/directory.rs`).
//! - **Whoever locks does not unlock**: the lock belongs to the open file description, which is handed on with the ownership.
//!
//! Who has connected there is the owner's business (`owner/guests.rs`).

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::record;
use crate::error::{Error, Result, Status};
use crate::sys::directory::{Directory, Inode, is_of, is_path_of};
use crate::sys::lockfile::{self, Refusal};
use crate::sys::socket;

/// Who may be the other side: this user, or root.
pub fn is_admitted(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

/// The lock file of a control path.
pub fn lock_path(path: &Path) -> PathBuf {
    path.with_file_name(lock_name(path))
}

fn lock_name(path: &Path) -> OsString {
    let mut name = name_of(path).to_owned();
    name.push(".lock");
    name
}

/// Its last name; `check_path` has seen it.
fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

/// Takes the lock. `None`: another process has it.
pub fn try_lock(path: &Path) -> Result<Option<OwnedFd>> {
    let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot lock {}", lock_path(path).display()));
    let name = lock_name(path);
    // Some stacked file systems never show the same file twice: not for ever.
    for _ in 0..100 {
        let directory = Directory::of(path).map_err(failed("open"))?;
        let file = lockfile::open_at(&directory, &name).map_err(|refusal| refused(path, refusal))?;
        if !lockfile::try_lock(&file).map_err(failed("flock"))? {
            return Ok(None);
        }
        // Somebody may have put another file there meanwhile: then that one counts.
        if !lockfile::is_at(&file, &directory, &name).map_err(failed("fstatat"))? {
            continue;
        }
        if record::may_publish(&file).map_err(failed("pread"))? {
            return Ok(Some(file));
        }
        let text = format!("control_path: {} is there, and no lock file of procsup; it was left as it is", lock_path(path).display());
        return Err(Error { errno: Some(Errno::EEXIST), ..Error::invalid("control_path", text) });
    }
    Err(Error::new(Status::LockReplaced, "flock", format!("{} is replaced again and again", lock_path(path).display())))
}

fn refused(path: &Path, refusal: Refusal) -> Error {
    let what = match refusal {
        Refusal::Cannot(errno) => return Error::system("open", errno, format!("cannot lock {}", lock_path(path).display())),
        Refusal::Kind => "is no regular file".to_owned(),
        Refusal::Owner(uid) => format!("belongs to user {uid}, who could hold it for ever"),
        Refusal::Links(count) => format!(
            "has {count} names (hard links), so it may be another program's file, and was left as it is: remove it, or use a directory in which only the server's user can write"
        ),
    };
    let text = format!("cannot lock {}: it {what}", lock_path(path).display());
    Error { errno: Some(Errno::EPERM), ..Error::new(Status::Permission, "open", text) }
}

/// Who was the last owner, by the copy of the record in the lock file; for people.
pub fn holder(path: &Path) -> Option<i32> {
    let file = lockfile::look_at(&Directory::of(path).ok()?, &lock_name(path)).ok()?;
    record::last_owner(&file)
}

/// Which file the lock is, if it is there.
pub fn lock_identity(path: &Path) -> Option<Inode> {
    Directory::of(path).ok()?.look(&lock_name(path)).ok().map(|found| Inode::from(&found))
}

/// Binds the path, which the holder of the lock may: what lies there is left over. Nobody ever sees it gone or without a listener.
/// Answers what was bound, too.
pub fn bind(path: &Path, lock: &OwnedFd) -> Result<(OwnedFd, Inode)> {
    // One name per path: what a crash leaves here is taken away by the next.
    let sum = record::checksum(&path.to_string_lossy());
    let staged = path.with_file_name(format!(".procsup-{:08x}", sum as u32));
    let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot listen at {}", path.display()));
    let directory = Directory::of(path).map_err(failed("open"))?;
    // A wrong path must not cost a file.
    if directory.look(name_of(path)).is_ok_and(|found| !is_of(&found, libc::S_IFSOCK)) {
        let text = format!("control_path: {} is there, and no socket", path.display());
        return Err(Error { errno: Some(Errno::EEXIST), ..Error::invalid("control_path", text) });
    }
    let clear = || match directory.look(name_of(&staged)) {
        Ok(found) if is_of(&found, libc::S_IFSOCK) => directory.remove(name_of(&staged), Inode::from(&found)),
        _ => Ok(()),
    };
    let _ = clear();
    let bound = socket::listen_at(&staged).map_err(|fault| failed(fault.step)(fault.errno)).and_then(|listener| {
        // In the directory that is held, or another one stands in its place by now: then it lies there, and is not ours to seek.
        let found = directory.look(name_of(&staged)).map_err(failed("fstatat"))?;
        // Who holds a file that was the lock must not put his path over that of who holds the lock.
        if !lockfile::is_at(lock, &directory, &lock_name(path)).map_err(failed("fstatat"))? {
            let text = format!("{} was replaced as soon as it was locked", lock_path(path).display());
            return Err(Error::new(Status::LockReplaced, "flock", text));
        }
        directory.rename(name_of(&staged), name_of(path)).map_err(failed("rename"))?;
        Ok((listener, Inode::from(&found)))
    });
    if bound.is_err() {
        let _ = clear();
    }
    bound
}

/// The user whom the path belongs to, where nobody else can have put it there: his server may run under it.
pub fn owner_of(path: &Path) -> Option<u32> {
    let directory = Directory::of(path).ok()?;
    directory.sole_owner()?;
    directory.look(name_of(path)).ok().map(|found| found.st_uid)
}

/// Takes the path away, if it is what was bound.
///
/// Only under the lock that lies there now: a first generation that has found another lock file than this one's (a cleaner removes them) may be
/// about to put its own path there.
pub fn unbind(path: &Path, bound: Inode, lock: &OwnedFd) {
    if unbind_in_directory(path, bound, lock).is_err() {
        // Without a descriptor to hold the directory by: between the look and the end of the name it may be turned.
        let is_ours = lockfile::identity(lock).is_ok_and(|ours| is_path_of(&lock_path(path), ours));
        if is_ours && is_path_of(path, bound) {
            let _ = nix::unistd::unlink(path);
        }
    }
}

fn unbind_in_directory(path: &Path, bound: Inode, lock: &OwnedFd) -> core::result::Result<(), Errno> {
    let directory = Directory::of(path)?;
    let other = if lockfile::is_at(lock, &directory, &lock_name(path))? { None } else { Some(try_lock(path)) };
    match other {
        None | Some(Ok(Some(_))) => match directory.remove(name_of(path), bound) {
            Err(Errno::ESTALE) => Ok(()), // another's
            removed => removed,
        },
        _ => Ok(()),
    }
}

/// Refuses a path that a socket cannot have: sun_path of unix(7) holds 107 bytes, and the staging name must fit as well.
pub fn check_path(path: &Path) -> Result<()> {
    let length = path.as_os_str().len();
    let directory = path.parent().map_or(0, |parent| parent.as_os_str().len());
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Error::invalid("control_path", format!("control_path: {} names no file", path.display())));
    }
    if length > 107 || directory + 1 + 25 > 107 {
        let text = format!("control_path: {} bytes, and the path of a unix socket has at most 107 (82 of them its directory)", length);
        return Err(Error::invalid("control_path", text));
    }
    Ok(())
}
