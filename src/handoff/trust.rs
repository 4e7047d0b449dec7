//! Who may be the other side: judged by who it is now, and by the lock.
//!
//! The trap: what a listening socket says of its owner (SO_PEERCRED) is whom it belonged to when it called listen(2). A server that gives up its
//! rights then, or later, is another user to the kernel, and the same server. So a successor that finds a process of another user at its path
//! asks for what no stranger can have: the lock of that path, open for writing and held. Until it has that, nothing else of him is believed.

use std::os::fd::OwnedFd;
use std::path::Path;

use super::control;
use crate::sys::directory::Directory;
use crate::sys::lockfile;
use crate::sys::socket::Identity;

/// Whether a process of this user needs to show nothing: root, or this user.
pub fn is_admitted(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

/// Whether who sends this descriptor is of the generation that runs at the path: it is the lock there, and he holds it.
pub fn is_shown_by(path: &Path, lock: &OwnedFd) -> bool {
    let place = control::lock_path(path);
    let (Ok(directory), Some(name)) = (Directory::of(&place), place.file_name()) else { return false };
    lockfile::is_holders(lock, &directory, name) == Ok(true)
}

/// Whether a refusal of his is believed: it brings no lock. He is whom the path belongs to, or whom the lock file names. What that costs is an
/// attempt, which fails in any case.
pub fn may_refuse(path: &Path, sender: Identity) -> bool {
    owner_of(path) == Some(sender.uid) || control::last_owner(path).is_some_and(|last| last.pid == sender.pid)
}

/// The user whom the path belongs to, where nobody else can have put it there.
fn owner_of(path: &Path) -> Option<u32> {
    let directory = Directory::of(path).ok()?;
    directory.sole_owner()?;
    directory.look(path.file_name()?).ok().map(|found| found.st_uid)
}
