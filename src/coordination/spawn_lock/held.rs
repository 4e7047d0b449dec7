//! A lock that is held: asked whether it still is, and released.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::error::{Error, Result, Status};
use crate::sys::custody::Custody;
use crate::sys::directory::{Inode, is_at_path};
use crate::sys::lockfile;
use crate::sys::lockwatch::LockWatch;
use crate::sys::memory::Home;

/// A lock that is held, until it is dropped. The file stays.
#[derive(Debug)]
pub struct SpawnLock {
    /// There until the drop.
    file: Option<OwnedFd>,
    /// What it was waited for with. To end it takes time, which who has just got the lock does not have.
    watch: Option<LockWatch>,
    path: PathBuf,
    identity: Inode,
    custody: Custody,
    home: Home,
}

impl SpawnLock {
    pub(super) fn new(file: OwnedFd, watch: Option<LockWatch>, path: PathBuf, identity: Inode, custody: Custody) -> Self {
        Self { file: Some(file), watch, path, identity, custody, home: Home::here() }
    }

    /// As a copy of this process has it.
    #[cfg(test)]
    pub(super) fn duplicate(&self) -> OwnedFd {
        crate::sys::fds::duplicate(self.file.as_ref().unwrap()).unwrap()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its descriptor, for a child that is to have a share of it between its clone and its exec.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// Whether the path still names the file that is locked, and it is. `Status::LockReplaced`: it does not: another process may have locked
    /// what it names now.
    pub fn check(&self) -> Result<()> {
        self.home.check("spawn lock")?;
        let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot look at the lock {}", self.path.display()));
        let parted = |what: String| Err(Error::new(Status::LockReplaced, "flock", format!("{} {what}", self.path.display())));
        let Some(file) = &self.file else { return parted("was released".to_owned()) };
        // The host may have closed all that it did not know, and opened another file there.
        if !self.is_it(file).map_err(failed("fstat"))? {
            return parted("is not locked any more: somebody has closed the descriptor of the lock".to_owned());
        }
        // To lock what is locked by this very description changes nothing; what a copy of this process has unlocked is locked again.
        if !lockfile::try_lock(file).map_err(failed("flock"))? {
            return parted("is held by another process: somebody has unlocked it by a copy of its descriptor".to_owned());
        }
        if !is_at_path(&self.path, self.identity).map_err(failed("lstat"))? {
            let how = if lockfile::links(file) == Ok(0) { "removed" } else { "moved, or its directory or a link on the way changed" };
            return parted(format!("is not the file that was locked, which was {how}"));
        }
        Ok(())
    }

    /// Whether the descriptor is that of the file that was locked.
    fn is_it(&self, file: &OwnedFd) -> core::result::Result<bool, Errno> {
        match lockfile::identity(file) {
            Err(Errno::EBADF) => Ok(false),
            other => other.map(|there| there == self.identity),
        }
    }

    /// The same as yes or no: `false` also where that cannot be seen.
    pub fn is_current(&self) -> bool {
        self.check().is_ok()
    }
}

/// It is about to be somebody else's, or nobody's.
pub(super) fn leave(custody: Custody, watch: &LockWatch) {
    if let Some(fd) = watch.fd() {
        custody.leave(fd);
    }
}

impl Drop for SpawnLock {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        if !self.home.is_here() {
            return lockfile::abandon(file);
        }
        self.custody.leave(&file);
        // What has the number now may be another's.
        if self.is_it(&file) == Ok(false) {
            core::mem::forget(file);
        } else {
            lockfile::release(file);
        }
        if let Some(watch) = &self.watch {
            leave(self.custody, watch);
        }
    }
}
