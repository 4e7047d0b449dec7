//! A watch for who waits for a lock: on the lock file, and the way there (`sys/watch.rs`).
//!
//! Traps.
//! - **The end of a lock is no event.** The close of the last descriptor of who had the file open for writing is one, also where its process was killed; but
//!   the kernel tells of it an instant *before* it takes the lock away (`__fput`). And LOCK_UN makes none: see `lockfile::release`.
//! - **To close one takes the kernel some 10 ms** (up to 24 were seen): it waits until nobody can be looking at what was watched (synchronize_srcu), and
//!   does so for what was taken out a moment ago as well. That must be nobody's wait: neither of who has just got the lock, nor of a loop. So
//!   what is watched is taken out, the instance is *parked*, and closed when some later call finds that it has lain long enough; or used again.
//! - **Who is killed has all closed for him, in turn, and its lock waits for that**: the kernel does it from the highest number down. So who waits moves
//!   the lock above its watch (`Attempt::move_above`).

use core::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, WatchDescriptor};

use super::memory::{Home, PerProcess};
use super::{fds, lockfile, watch};
use crate::clock::{self, MILLI};
use crate::lock::lock;

/// What has happened to a lock file, or on the way to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Nothing.
    Nothing,
    /// Somebody has closed it, and nothing else: its holder may have died with it, and its lock may last an instant yet.
    Closed,
    /// It was released (`lockfile::release`), or its name or attributes have changed.
    Touched,
    /// Something of what is watched is there no more, or there was too much to tell: a new watch is needed.
    Moved,
}

/// See the head of this file.
#[derive(Debug)]
pub struct LockWatch {
    /// There until the drop.
    fd: Option<Arc<OwnedFd>>,
    watched: Vec<WatchDescriptor>,
    home: Home,
}

impl LockWatch {
    /// Watches a lock file, and the way there.
    pub fn over(path: &Path) -> Result<Self, Errno> {
        let name = path.file_name().ok_or(Errno::ENOENT)?;
        let inotify = match take_parked() {
            Some(parked) => watch::instance_of(parked),
            None => watch::instance()?,
        };
        let mut watched = Vec::new();
        let done =
            watch::watch(&inotify, path, &[name], watch::of_a_file() | AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_ACCESS, |one| {
                watched.push(one)
            });
        let made = Self { fd: Some(Arc::new(OwnedFd::from(inotify))), watched, home: Home::here() };
        done.map(|()| made)
    }

    /// Readable when something has happened.
    pub fn fd(&self) -> Option<&Arc<OwnedFd>> {
        self.fd.as_ref()
    }

    /// Takes what it has told.
    pub fn take(&self) -> Told {
        let Some(fd) = &self.fd else { return Told::Nothing };
        let mask = AddWatchFlags::from_bits_retain(watch::take_all(fd));
        let moved = watch::of_a_directory() | AddWatchFlags::IN_IGNORED | AddWatchFlags::IN_UNMOUNT | AddWatchFlags::IN_Q_OVERFLOW;
        match mask {
            mask if mask.is_empty() => Told::Nothing,
            mask if mask.intersects(moved) => Told::Moved,
            mask if mask.intersects(AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_ACCESS) => Told::Touched,
            _ => Told::Closed,
        }
    }
}

impl Drop for LockWatch {
    fn drop(&mut self) {
        // Where an event loop has a share of it still, the last one closes it.
        if let Some(fd) = self.fd.take().and_then(Arc::into_inner) {
            // To take something out would be felt in the original.
            if !self.home.is_here() {
                return lockfile::abandon(fd);
            }
            let inotify = watch::instance_of(fd);
            for one in self.watched.drain(..) {
                let _ = inotify.rm_watch(one);
            }
            park(OwnedFd::from(inotify));
        }
    }
}

/// How long it must lie until its end takes no time any more.
const REST: i64 = 50 * MILLI;

/// The one that is parked in this process.
struct Parked {
    slot: Mutex<Option<OwnedFd>>,
    /// For a forked copy, which has it as well.
    number: AtomicI32,
}

static PARKED: PerProcess<Parked> = PerProcess::new();
/// Since when; 0: there is none.
static SINCE: AtomicI64 = AtomicI64::new(0);

fn parked() -> Option<&'static Parked> {
    let make = || Ok(Parked { slot: Mutex::new(None), number: AtomicI32::new(-1) });
    let succeed = |before: &Parked| fds::give_back(before.number.load(Ordering::Relaxed));
    PARKED.get_or_succeed(make, succeed).ok()
}

fn park(fd: OwnedFd) {
    let Some(place) = parked() else { return };
    fds::mark(&fd, fds::Mark::Lasting);
    let mut slot = lock(&place.slot);
    place.number.store(fd.as_raw_fd(), Ordering::Relaxed);
    SINCE.store(clock::now(), Ordering::Relaxed);
    // One is enough: another one ends at once, however long that takes.
    let before = slot.replace(fd);
    drop(slot);
    drop(before);
}

/// One that has lain, or lies.
fn take_parked() -> Option<OwnedFd> {
    if SINCE.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let place = PARKED.get()?;
    let mut slot = lock(&place.slot);
    SINCE.store(0, Ordering::Relaxed);
    place.number.store(-1, Ordering::Relaxed);
    let fd = slot.take()?;
    drop(slot);
    // What it told of its end.
    watch::take_all(&fd);
    Some(fd)
}

/// Closes what has lain long enough. Costs one load where nothing does: for every call.
pub fn tidy() {
    let since = SINCE.load(Ordering::Relaxed);
    if since != 0 {
        close_what_rested(since);
    }
}

#[cold]
#[inline(never)]
fn close_what_rested(since: i64) {
    if clock::now().saturating_sub(since) > REST {
        drop(take_parked());
    }
}

/// Closes what lies there, however long that takes. `false`: nothing does.
pub fn close_parked() -> bool {
    take_parked().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_of_closes_and_touches_and_of_what_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("lock");
        let open = || OwnedFd::from(std::fs::File::options().create(true).truncate(false).write(true).open(&path).unwrap());
        let held = open();
        let watch = LockWatch::over(&path).unwrap();
        assert_eq!(watch.take(), Told::Nothing);
        drop(open());
        assert_eq!((watch.take(), watch.take()), (Told::Closed, Told::Nothing));
        lockfile::release(held);
        assert_eq!(watch.take(), Told::Touched);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(watch.take(), Told::Moved);
        drop(watch);
        // Whether it is used again or not: nothing of the old one is told.
        let other = home.path().join("other");
        std::fs::write(&other, "").unwrap();
        let watch = LockWatch::over(&other).unwrap();
        drop(open());
        assert_eq!(watch.take(), Told::Nothing);
        std::fs::write(&other, "x").unwrap();
        assert_eq!(watch.take(), Told::Closed);
    }
}
