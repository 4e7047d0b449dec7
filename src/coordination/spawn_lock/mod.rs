//! A lock on a path: who holds it may start the service, or whatever is to be done by one process at a time. flock(2).
//!
//! Traps.
//! - **What is in the file is never the truth** ([`display`]): a pid file is empty when its writer died early, and names a stranger when numbers
//!   come round. The lock is the kernel's: it ends with its holder, however that ends.
//! - **The lock is of a file, and the question is of a path.** Who deletes the file lets a second one lock the new one. So the path is compared
//!   after locking ([`attempt`]), and the holder can ask again before it does what must be done once ([`SpawnLock::check`]). At any
//!   instant the path names one file and that file has one holder: two checks never hold at once.
//! - **Copies of the holder.** A child that was forked without an exec has the description open. Its unlock would free its parent's lock, so it only
//!   closes; and the parent unlocks before it closes, or the lock would live on in the copy (`sys/lockfile.rs`). A holder that is *killed* beside
//!   such a copy leaves it the lock: nobody is there to unlock.
//!
//! Children that procsup starts never have it: it is close-on-exec, and their table is cut to what they were given.

pub mod attempt;
mod display;
mod pace;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

pub use attempt::Attempt;

use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::sys::custody::Custody;
use crate::sys::directory::{Inode, is_at_path};
use crate::sys::memory::Home;
use crate::sys::{lockfile, poll};

/// A lock that is held, until it is dropped. The file stays.
#[derive(Debug)]
pub struct SpawnLock {
    /// There until the drop.
    file: Option<OwnedFd>,
    path: PathBuf,
    identity: Inode,
    custody: Custody,
    home: Home,
}

impl SpawnLock {
    /// Takes the lock of this path, whose file is made with mode 0600 if it is not there. Waits until the deadline ([`Deadline::PAST`]: not at
    /// all), without a thread; a signal does not end the wait. `Status::Locked`: another has it; `Status::LockReplaced`: the file was replaced
    /// in that moment, or again and again.
    pub fn acquire(path: &Path, deadline: Deadline) -> Result<Self> {
        let mut attempt = Attempt::new(path, deadline)?;
        loop {
            if let Some(lock) = attempt.look()? {
                return Ok(lock);
            }
            attempt.wait()?;
        }
    }

    fn new(file: OwnedFd, path: PathBuf, identity: Inode, custody: Custody) -> Self {
        Self { file: Some(file), path, identity, custody, home: Home::here() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still names the file that is locked, and it is. `Status::LockReplaced`: it does not: another process may have locked
    /// what it names now.
    pub fn check(&self) -> Result<()> {
        self.home.check("spawn lock")?;
        let failed = |step| move |errno: Errno| Error::system(step, errno, format!("cannot look at the lock {}", self.path.display()));
        let parted = |what: String| Err(Error::new(Status::LockReplaced, "flock", format!("{} {what}", self.path.display())));
        let Some(file) = &self.file else { return parted("was released".to_owned()) };
        // The host may have closed all that it did not know, and opened another file there.
        if lockfile::identity(file) != Ok(self.identity) {
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

    /// The same as yes or no: `false` also where that cannot be seen.
    pub fn is_current(&self) -> bool {
        self.check().is_ok()
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
        if lockfile::identity(&file) == Ok(self.identity) {
            lockfile::release(file);
        } else {
            core::mem::forget(file);
        }
    }
}

impl Attempt {
    /// Waits for the next look.
    fn wait(&self) -> Result<()> {
        use std::os::fd::AsFd;
        let fds = self.watch().map(|watch| watch.as_fd());
        poll::wait(fds.as_slice(), self.next_look())
            .map(drop)
            .map_err(|errno| Error::system("poll", errno, format!("cannot wait for {}", self.path().display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::sys::{fds, getpid};

    fn path(home: &tempfile::TempDir) -> PathBuf {
        home.path().join("lock")
    }

    #[test]
    fn one_has_it_and_the_next_when_it_is_dropped() {
        let home = tempfile::tempdir().unwrap();
        let first = SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap();
        assert!(first.is_current());
        let refused = SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap_err();
        assert_eq!((refused.status, refused.pid), (Status::Locked, Some(getpid())));
        drop(first);
        assert!(SpawnLock::acquire(&path(&home), Deadline::PAST).is_ok());
    }

    #[test]
    fn who_waits_has_it_when_it_is_dropped_and_not_by_the_clock() {
        let home = tempfile::tempdir().unwrap();
        let mut held = Some(SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap());
        let mut attempt = Attempt::new(&path(&home), Deadline::NEVER).unwrap();
        assert!(attempt.look().unwrap().is_none());
        let watch = attempt.watch().unwrap().clone();
        let told = |deadline| poll::wait(&[std::os::fd::AsFd::as_fd(&watch)], deadline).unwrap();
        assert!(!told(Deadline::PAST), "nobody has done anything");
        // Also while a copy has the description open: here a duplicate.
        let copy = fds::duplicate(held.as_ref().unwrap().file.as_ref().unwrap()).unwrap();
        drop(held.take());
        assert!(told(Deadline::after(10_000 * clock::MILLI)));
        assert!(attempt.look().unwrap().is_some());
        drop(copy);
    }

    #[test]
    fn who_waits_follows_the_path_to_another_file() {
        let home = tempfile::tempdir().unwrap();
        let held = SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap();
        let mut attempt = Attempt::new(&path(&home), Deadline::NEVER).unwrap();
        assert!(attempt.look().unwrap().is_none());
        std::fs::remove_file(path(&home)).unwrap();
        let next = attempt.look().unwrap().expect("nobody has the file that is there now");
        assert_eq!(held.check().unwrap_err().status, Status::LockReplaced);
        assert!(next.is_current());
        std::fs::rename(home.path().join("lock"), home.path().join("elsewhere")).unwrap();
        assert_eq!(next.check().unwrap_err().status, Status::LockReplaced);
        std::fs::rename(home.path().join("elsewhere"), home.path().join("lock")).unwrap();
        assert!(next.is_current(), "it is the path's again");
    }

    #[test]
    fn a_directory_that_is_gone_may_come_again() {
        let home = tempfile::tempdir().unwrap();
        let (here, there) = (home.path().join("here"), home.path().join("there"));
        std::fs::create_dir(&here).unwrap();
        let held = SpawnLock::acquire(&here.join("lock"), Deadline::PAST).unwrap();
        let mut attempt = Attempt::new(&here.join("lock"), Deadline::NEVER).unwrap();
        assert!(attempt.look().unwrap().is_none());
        std::fs::rename(&here, &there).unwrap();
        assert!(attempt.look().unwrap().is_none());
        std::fs::create_dir(&here).unwrap();
        assert!(attempt.look().unwrap().is_some());
        assert!(!held.is_current());
        assert_eq!(SpawnLock::acquire(&home.path().join("nowhere/lock"), Deadline::NEVER).unwrap_err().status, Status::NotFound);
    }

    #[test]
    fn what_a_duplicate_has_unlocked_is_locked_again_if_nobody_was_faster() {
        let home = tempfile::tempdir().unwrap();
        let held = SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap();
        let copy = || fds::duplicate(held.file.as_ref().unwrap()).unwrap();
        lockfile::release(copy());
        assert!(held.is_current());
        lockfile::release(copy());
        let other = SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap();
        assert_eq!(held.check().unwrap_err().status, Status::LockReplaced);
        assert!(other.is_current());
    }
}
