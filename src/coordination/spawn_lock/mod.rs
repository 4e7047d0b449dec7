//! A lock on a path: who holds it may start the service, or whatever is to be done by one process at a time. flock(2).
//!
//! Traps.
//! - **What is in the file is never the truth** (`display.rs`): a pid file is empty when its writer died early, and names a stranger when numbers
//!   come round. The lock is the kernel's: it ends with its holder, however that ends.
//! - **The lock is of a file, and the question is of a path.** Who deletes the file lets a second one lock the new one. So the path is compared
//!   after locking (`attempt.rs`), and the holder can ask again before it does what must be done once ([`SpawnLock::check`]). At any
//!   instant the path names one file and that file has one holder: two checks never hold at once.
//! - **Copies of the holder.** A child that was forked without an exec has the description open. Its unlock would free its parent's lock, so it only
//!   closes; and the parent unlocks before it closes, or the lock would live on in the copy (`sys/lockfile.rs`). A holder that is *killed* beside
//!   such a copy leaves it the lock: nobody is there to unlock.
//!
//! Children that procsup starts never have it: it is close-on-exec, and their table is cut to what they were given.

mod attempt;
mod claim;
mod display;
mod held;
mod pace;

pub use attempt::Attempt;
pub use claim::{Claim, Event, EventKind};
pub use held::SpawnLock;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::clock::{self, Deadline};
    use crate::error::Status;
    use crate::sys::{getpid, lockfile, poll};

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
        let copy = held.as_ref().unwrap().duplicate();
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
        lockfile::release(held.duplicate());
        assert!(held.is_current());
        lockfile::release(held.duplicate());
        let other = SpawnLock::acquire(&path(&home), Deadline::PAST).unwrap();
        assert_eq!(held.check().unwrap_err().status, Status::LockReplaced);
        assert!(other.is_current());
    }
}
