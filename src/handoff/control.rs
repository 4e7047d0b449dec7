//! The control path: a unix socket by which a successor that somebody else has started finds the owner, and a lock file beside it
//! that says whether there is one.
//!
//! Traps.
//! - **The path is bound once**, by the first generation: the listening socket is handed on, never re-created (bug B5 of the older protocol). Only
//!   what somebody has removed is bound anew, by the owner, under the lock, and while no handoff is under way (`owner/keeper.rs`).
//! - **It is bound under its final name.** A socket keeps the name that it was bound by, and whoever spares the files of living sockets
//!   (systemd-tmpfiles), or looks for who listens (ss), goes by that name: one that was renamed is nobody's to them. So for an instant, under the
//!   lock, there is nobody at the path; who comes then tries again.
//! - **A lock file can be replaced beside its holder**, by a cleaner or a turned link. After locking, the path must still name the file that was
//!   locked; and who has received a lock looks whether it is the one that lies there ([`state_of`]), or another start is beside it.
//! - **Nothing that lies there need be ours.** The name of the lock file may be a hard link to any file, so it must have one name and begin as we
//!   write it before anything is written; and the socket may be that of a new first generation, so only what we have bound is removed.
//!   Each is looked at and acted on in one held directory (`sys/directory.rs`).
//! - **Whoever locks does not unlock**: the lock belongs to the open file description, which is handed on with the ownership.
//!
//! Who has connected there is the owner's business (`owner/guests.rs`).

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;

use super::record::{self, LastOwner};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::sys::directory::{Directory, Inode, is_of, is_path_of};
use crate::sys::lockfile::{self, Refusal};
use crate::sys::{Fault, procfs, sock_diag, socket, watch};

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
        let file = lockfile::open_at(&directory, &name).map_err(|refusal| refused(path, &directory, refusal))?;
        if !lockfile::try_lock(&file).map_err(failed("flock"))? {
            return Ok(None);
        }
        // Somebody may have put another file there meanwhile: then that one counts.
        if !lockfile::is_at(&file, &directory, &name).map_err(failed("fstatat"))? {
            continue;
        }
        if record::may_publish(&file).map_err(failed("pread"))? {
            // A server that is run once as root must not keep its own user out for ever.
            directory.give_to_owner(&file);
            lockfile::spare(&file);
            return Ok(Some(file));
        }
        let text = format!("control_path: {} is there, and no lock file of procsup; it was left as it is", lock_path(path).display());
        return Err(Error::invalid("control_path", text).with_errno(Errno::EEXIST));
    }
    Err(Error::new(Status::LockReplaced, "flock", format!("{} is replaced again and again", lock_path(path).display())))
}

fn refused(path: &Path, directory: &Directory, refusal: Refusal) -> Error {
    if let Refusal::Cannot(errno) = refusal {
        let mut error = Error::system("open", errno, format!("cannot lock {}", lock_path(path).display()));
        if errno == Errno::EACCES {
            error.message.push_str(&whose(directory, &lock_name(path)));
        }
        return error;
    }
    let what = refusal.why().unwrap_or_default();
    let text = format!("cannot lock {}: it {what}", lock_path(path).display());
    Error::new(Status::Permission, "open", text).with_errno(Errno::EPERM)
}

/// Whose it is that this user may not use, and what helps.
fn whose(directory: &Directory, name: &OsStr) -> String {
    let this = nix::unistd::geteuid();
    match directory.look(name).map(|found| found.st_uid) {
        Ok(user) => format!(
            "; it belongs to user {user}, and this process is user {this}: start every generation as one user, or, while none runs, give it to user {this} (chown) or use another directory"
        ),
        Err(_) => match directory.owner() {
            Ok(user) => format!(
                "; its directory belongs to user {user}, and this process is user {this}: give it a directory in which it may write"
            ),
            Err(_) => String::new(),
        },
    }
}

/// A connection to the path that failed: if this user may not, with whose it is.
pub fn cannot_reach(path: &Path, fault: Fault, what: &str) -> Error {
    let mut error = fault.error(what);
    if fault.errno == Errno::EACCES
        && let Ok(directory) = Directory::of(path)
    {
        error.message.push_str(&whose(&directory, name_of(path)));
    }
    error
}

/// Who was the last owner, by the copy of the record in the lock file.
pub fn last_owner(path: &Path) -> Option<LastOwner> {
    let file = lockfile::look_at(&Directory::of(path).ok()?, &lock_name(path)).ok()?;
    record::last_owner(&file)
}

/// Which file the lock is, if it is there.
pub fn lock_identity(path: &Path) -> Option<Inode> {
    Directory::of(path).ok()?.look(&lock_name(path)).ok().map(|found| Inode::from(&found))
}

/// What has a name now, for who has the file that had it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// That very file.
    Ours,
    /// Nothing; the directory may be gone as well.
    Gone,
    /// Another file.
    Another,
}

/// What lies at a control path, and beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// Has the lock's name.
    pub lock: Found,
    /// Lies at the path.
    pub path: Found,
}

/// Watches both, and the way there: `sys/watch.rs`.
pub fn watch(path: &Path) -> core::result::Result<Arc<OwnedFd>, Errno> {
    watch::over(path, &[&lock_name(path), name_of(path)])
}

/// What lies there now, for the holder of this lock and of what was bound. Both are looked at in one directory.
pub fn state_of(path: &Path, lock: &OwnedFd, bound: Option<Inode>) -> core::result::Result<State, Errno> {
    let lock = lockfile::identity(lock)?;
    let directory = match Directory::of(path) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(State { lock: Found::Gone, path: Found::Gone }),
        other => other?,
    };
    let found = |name: &OsStr, ours: Option<Inode>| match directory.look(name) {
        Ok(found) if ours == Some(Inode::from(&found)) => Ok(Found::Ours),
        Ok(_) => Ok(Found::Another),
        Err(Errno::ENOENT) => Ok(Found::Gone),
        Err(errno) => Err(errno),
    };
    Ok(State { lock: found(&lock_name(path), Some(lock))?, path: found(name_of(path), bound)? })
}

/// Why this lock is not the one of the path any more, in words; `None`: it is, or that cannot be seen from here.
pub fn why_displaced(path: &Path, lock: &OwnedFd) -> Option<String> {
    let found = state_of(path, lock, None).ok()?.lock;
    if found == Found::Ours {
        return None;
    }
    let name = lock_path(path);
    // A file without a name was removed; one that has a name lies elsewhere.
    let is_removed = lockfile::links(lock).is_ok_and(|links| links == 0);
    let lies = || procfs::path_of(lock).map_or("elsewhere".to_owned(), |place| format!("at {}", place.display()));
    Some(match (found, is_removed) {
        (Found::Gone, true) => format!("{} was removed beside the running generation, which holds it", name.display()),
        (_, true) => {
            format!("{} was removed beside the running generation, which holds it, and another file has its place", name.display())
        }
        (Found::Gone, false) => {
            format!("{} is not there: what the running generation holds lies {}: a directory or a link was changed", name.display(), lies())
        }
        (_, false) => format!(
            "{} is another file than the running generation holds, which lies {}: a directory or a link was changed",
            name.display(),
            lies()
        ),
    })
}

/// Why a lock that was received is not the one of the path, or is not held; in words.
pub fn why_not_received(path: &Path, lock: &OwnedFd) -> Option<String> {
    why_displaced(path, lock).or_else(|| match lockfile::try_lock(lock) {
        // To lock what is locked by this very description changes nothing.
        Ok(false) => Some(format!("{} is held by another process than the running generation", lock_path(path).display())),
        _ => None,
    })
}

/// What a start finds at the path: a socket that was left over, or nothing. A wrong path must not cost a file.
pub fn leftover(path: &Path) -> Result<Option<Inode>> {
    let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot listen at {}", path.display()));
    match Directory::of(path).map_err(failed("open"))?.look(name_of(path)) {
        Ok(found) if is_of(&found, libc::S_IFSOCK) => Ok(Some(Inode::from(&found))),
        Ok(_) => {
            let text = format!("control_path: {} is there, and no socket", path.display());
            Err(Error::invalid("control_path", text).with_errno(Errno::EEXIST))
        }
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(failed("fstatat")(errno)),
    }
}

/// A process that listens at this path though its files are gone: a cleaner has taken them, or a link was turned. Beside it, no other may start.
///
/// Only where that is sure: the kernel has a listener of this name, a process that this one may look at holds it, belongs to a user whose server
/// may run here, and sees the same directory by that name (else it is another's, of another container).
pub fn hidden_owner(path: &Path, until: Deadline, is_admitted: impl Fn(u32) -> bool) -> Option<i32> {
    let sockets = sock_diag::listeners(path, until).ok()?;
    if sockets.is_empty() {
        return None;
    }
    let directory = Directory::of(path).ok()?;
    let (here, user) = (directory.identity().ok()?, directory.sole_owner());
    let meant = |pid| {
        procfs::user_of(pid).is_some_and(|its| is_admitted(its) || user == Some(its))
            && path.parent().and_then(|parent| procfs::directory_for(pid, parent)) == Some(here)
    };
    sockets.into_iter().find_map(|socket| procfs::holder_of(socket, until, meant))
}

/// Binds the path and listens, which the holder of the lock may, in place of what was left over. Answers what was bound, too.
///
/// The trap: bind(2) knows no held directory. So it is looked afterwards whether what was bound lies in the one that holds the lock; if a link was
/// turned between, it lies elsewhere, and is not ours to seek.
pub fn bind(path: &Path, lock: &OwnedFd, leftover: Option<Inode>) -> Result<(OwnedFd, Inode)> {
    let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot listen at {}", path.display()));
    let displaced = || {
        let text = why_displaced(path, lock).unwrap_or_else(|| format!("the directory of {} was changed", path.display()));
        Error::new(Status::LockReplaced, "flock", text)
    };
    let directory = Directory::of(path).map_err(failed("open"))?;
    // Who holds a file that was the lock must not put his path in place of that of who holds the lock.
    let is_locked = || lockfile::is_at(lock, &directory, &lock_name(path)).map_err(failed("fstatat"));
    // What may be wanting is made before anything is removed.
    let socket = socket::nameless().map_err(|fault| failed(fault.step)(fault.errno))?;
    if !is_locked()? {
        return Err(displaced());
    }
    match leftover.map_or(Ok(()), |file| directory.remove(name_of(path), file)) {
        // Gone, or somebody else's by now: then it cannot be bound.
        Ok(()) | Err(Errno::ESTALE | Errno::ENOENT) => {}
        Err(errno) => return Err(failed("unlinkat")(errno)),
    }
    socket::bind_to(&socket, path).map_err(failed("bind"))?;
    let look = || match directory.look(name_of(path)) {
        Ok(found) if is_of(&found, libc::S_IFSOCK) => directory.is_of_path(path).map(|here| here.then(|| Inode::from(&found))),
        Ok(_) | Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(errno),
    };
    // Once more if need be: what cannot be looked at cannot be taken away.
    let Some(bound) = look().or_else(|_| look()).map_err(failed("fstatat"))? else { return Err(displaced()) };
    let done = is_locked().and_then(|locked| if locked { Ok(()) } else { Err(displaced()) }).and_then(|()| {
        directory.give_named_to_owner(name_of(path), bound);
        socket::relisten(&socket).map_err(failed("listen"))
    });
    match done {
        Ok(()) => Ok((socket, bound)),
        Err(error) => {
            let _ = directory.remove(name_of(path), bound);
            Err(error)
        }
    }
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

/// Refuses a path that a socket cannot have: sun_path of unix(7) holds 107 bytes.
pub fn check_path(path: &Path) -> Result<()> {
    let length = path.as_os_str().len();
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Error::invalid("control_path", format!("control_path: {} names no file", path.display())));
    }
    if length > 107 {
        let text = format!("control_path: {length} bytes from the root on, and the path of a unix socket has at most 107");
        return Err(Error::invalid("control_path", text));
    }
    Ok(())
}
