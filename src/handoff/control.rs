//! The control path: a unix socket by which a successor that somebody else has started finds the owner, and a lock file beside it
//! that says whether there is one.
//!
//! Traps.
//! - **The path is bound once**, by the first generation: the listening socket is handed on, never re-created (bug B5 of the older protocol).
//!   It is made under another name and renamed, so nobody ever sees the path without a listener.
//! - **A lock file can be replaced beside its holder.** After locking, the path must still name the file that was locked.
//! - **Whoever locks does not unlock**: the lock belongs to the open file description, which is handed on with the ownership.
//!
//! Who has connected there is the owner's business (`owner/guests.rs`).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::record;
use crate::error::{Error, Result, Status};
use crate::sys::{lockfile, socket};

/// Who may be the other side: this user, or root.
pub fn is_admitted(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

/// The lock file of a control path.
pub fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Takes the lock. `None`: another process has it.
pub fn try_lock(path: &Path) -> Result<Option<OwnedFd>> {
    let lock_path = lock_path(path);
    let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot lock {}", lock_path.display()));
    let path = self::lock_path(path);
    // Some stacked file systems never show the same file twice: not for ever.
    for _ in 0..100 {
        let file = lockfile::open_at(&path).map_err(failed.clone()("open"))?;
        if !lockfile::try_lock(&file).map_err(failed.clone()("flock"))? {
            return Ok(None);
        }
        // Somebody may have put another file there meanwhile: then that one counts.
        if lockfile::is_at(&file, &path) {
            return Ok(Some(file));
        }
    }
    Err(Error::new(Status::LockReplaced, "flock", format!("{} is replaced again and again", path.display())))
}

/// Who was the last owner, by the copy of the record in the lock file; for people.
pub fn holder(path: &Path) -> Option<i32> {
    let file = lockfile::open_at(&lock_path(path)).ok()?;
    record::last_owner(&file)
}

/// Binds the path, which the holder of the lock may: what lies there is left over. Nobody ever sees it gone or without a listener.
pub fn bind(path: &Path) -> Result<OwnedFd> {
    // One name per path: what a crash leaves here is taken away by the next.
    let sum = record::checksum(&path.to_string_lossy());
    let staged = path.with_file_name(format!(".procsup-{:08x}", sum as u32));
    let _ = std::fs::remove_file(&staged);
    let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot listen at {}", path.display()));
    use std::os::unix::fs::FileTypeExt;
    // A wrong path must not cost a file.
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
        let text = format!("control_path: {} is there, and no socket", path.display());
        return Err(Error { errno: Some(Errno::EEXIST), ..Error::invalid("control_path", text) });
    }
    let listener = socket::listen_at(&staged).map_err(failed("bind"))?;
    if let Err(error) = std::fs::rename(&staged, path) {
        let _ = std::fs::remove_file(&staged);
        return Err(failed("rename")(Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO))));
    }
    Ok(listener)
}

/// The user whom the path belongs to, where nobody else can have put it there: his server may run under it.
pub fn owner_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let directory = std::fs::metadata(path.parent()?).ok()?;
    let found = std::fs::symlink_metadata(path).ok()?;
    (directory.mode() & 0o022 == 0).then(|| found.uid())
}

/// Takes the path away, if it is a socket.
pub fn unbind(path: &Path) {
    use std::os::unix::fs::FileTypeExt;
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        let _ = std::fs::remove_file(path);
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
