//! A directory that belongs to a child and goes with it.
//!
//! It may be shared by several children of one command: the last one takes it away. A removal that fails is tried again by
//! later calls (`leftovers.rs`).
//!
//! The trap: between the spawn and the removal, which may be days, anybody who may write to a directory above it can put another one, or a
//! link, in its place. So it is held open from the spawn on, which also keeps its inode number from becoming another's. It is emptied by that
//! descriptor, and its name taken away from the directory above it, if that is still the one in which it was, and the name still its. One
//! that was moved elsewhere, or replaced, is not ours any more and is left alone.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use super::leftovers::{self, Leftover, Pace};
use crate::clock::{Deadline, MILLI};
use crate::lock::lock;
use crate::sys::memory::Home;
use crate::sys::tree::{self, Identity, Kind, Suspended};

/// How long the call that reaps works at a removal before it leaves the rest to later ones.
const AT_ONCE: i64 = 5_000 * MILLI;

/// A failed removal needs somebody's doing, as a rule: an unmount, another user. Each one that is kept has a descriptor, which keeps its file
/// system busy: a quarter of an hour is enough.
static PACE: Pace = Pace { first: 10 * MILLI, slowest: 60_000 * MILLI, most: 64, tries: 26 };

/// A directory that is held open.
#[derive(Debug)]
struct Held {
    directory: OwnedFd,
    identity: Identity,
    /// The directory that it lies in.
    parent: Identity,
    /// How far its removal has come.
    state: Mutex<Option<Suspended>>,
}

impl Held {
    fn open(path: &Path) -> Result<Self, Errno> {
        let parent = tree::hold_place(path.parent().unwrap_or(Path::new("/")))?;
        let directory = tree::hold(&parent, path.file_name().unwrap_or_default())?;
        Ok(Self { identity: tree::identity(&directory)?, directory, parent: tree::identity(&parent)?, state: Mutex::default() })
    }

    /// Removes the tree. Nothing to do if it does not lie where it lay.
    fn remove(&self, name: &OsStr, until: Deadline) -> Result<(), Errno> {
        let parent = tree::above(&self.directory, true)?;
        if tree::identity(&parent)? != self.parent {
            return Ok(());
        }
        match tree::identity_at(&parent, name) {
            Ok(found) if found == self.identity => {}
            Ok(_) | Err(Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
        // One thread at a time removes it.
        let mut state = lock(&self.state).take();
        let emptied = tree::empty(&self.directory, Kind::Files, until, &mut state);
        *lock(&self.state) = state;
        emptied?;
        tree::remove_directory(&parent, name, self.identity)
    }

    /// Whether it is a mount itself: who waits for that to go waits for himself, since this descriptor keeps it busy.
    fn is_mount(&self) -> bool {
        tree::above(&self.directory, false).and_then(|parent| tree::identity(&parent)).is_ok_and(|parent| parent.0 != self.identity.0)
    }
}

/// A child's directory.
#[derive(Debug)]
struct Dir {
    sandbox: Arc<Sandbox>,
    held: Arc<Held>,
    home: Home,
}

impl Leftover for Dir {
    fn remove(&self, until: Deadline) -> Result<(), Errno> {
        self.held.remove(self.sandbox.path.file_name().unwrap_or_default(), until)
    }

    fn pace(&self) -> &'static Pace {
        &PACE
    }

    fn goes_soon(&self) -> bool {
        false
    }

    fn path(&self) -> Option<&Path> {
        None
    }

    fn give_up(&self) {
        // From now on a new directory may have this very inode number.
        lock(&self.sandbox.shares).going.retain(|going| *going != self.held.identity);
    }
}

/// The directory of a command, shared by its children.
#[derive(Debug, Default)]
pub struct Sandbox {
    path: PathBuf,
    shares: Mutex<Shares>,
}

#[derive(Debug, Default)]
struct Shares {
    /// Children that are looking which directory is theirs: nobody begins to remove it meanwhile.
    looking: usize,
    /// What the last of them has found.
    held: Option<Arc<Held>>,
    /// The inodes that are being removed: no new child may get one.
    going: Vec<Identity>,
}

impl Shares {
    /// A child of this directory is no more. `true`: it was the last one of it, and nobody is about to join. (One may have been replaced by
    /// another since, which has children of its own: so the shares of each are counted, by who holds it.)
    fn give_back(&mut self, held: &Arc<Held>) -> bool {
        let is_current = self.held.as_ref().is_some_and(|current| Arc::ptr_eq(current, held));
        let others = Arc::strong_count(held) - 1 - usize::from(is_current);
        let last = others == 0 && !(is_current && self.looking > 0);
        if last && is_current {
            self.held = None;
        }
        last
    }
}

/// A child's share in a directory; the last one removes it.
#[derive(Debug)]
pub struct Share(Option<Dir>);

impl Sandbox {
    /// Names a directory.
    pub fn new(path: PathBuf) -> Self {
        Self { path, shares: Mutex::default() }
    }

    /// A share for a new child. Fails if there is no such directory, or if it is just being removed.
    ///
    /// The race: between a look at the directory and the share, the last child may be reaped and the directory removed. So the look is announced
    /// first: from then on nobody begins to remove it, and what is seen afterwards is what the new child will have.
    pub fn share(self: &Arc<Self>) -> Result<Share, Errno> {
        let going = {
            let mut shares = lock(&self.shares);
            shares.looking += 1;
            // As it was before the look: a removal may be over by the end of it, and what was seen is gone then.
            shares.going.clone()
        };
        let found = Held::open(&self.path);
        let mut shares = lock(&self.shares);
        shares.looking -= 1;
        match found {
            Ok(held) if !going.contains(&held.identity) && !shares.going.contains(&held.identity) => {
                // One descriptor for all who share it. Another one if somebody has replaced it since.
                let same = shares.held.clone().filter(|known| (known.identity, known.parent) == (held.identity, held.parent));
                let held = same.unwrap_or_else(|| Arc::new(held));
                shares.held = Some(held.clone());
                Ok(Share(Some(Dir { sandbox: self.clone(), held, home: Home::here() })))
            }
            other => Err(other.err().unwrap_or(Errno::ENOENT)),
        }
    }
}

impl Share {
    /// Gives the share back without removing anything: the child was never made.
    pub fn give_back(mut self) {
        if let Some(dir) = self.0.take() {
            lock(&dir.sandbox.shares).give_back(&dir.held);
        }
    }

    /// The child has ended: the last one removes the directory. Answers why it could not.
    pub fn release(mut self) -> Option<Errno> {
        self.remove()
    }

    fn remove(&mut self) -> Option<Errno> {
        // A forked copy of the host owns nothing, and its copy of the lock may be held for ever.
        let dir = self.0.take().filter(|dir| dir.home.is_here())?;
        let last = {
            let mut shares = lock(&dir.sandbox.shares);
            let last = shares.give_back(&dir.held);
            if last {
                shares.going.push(dir.held.identity);
            }
            last
        };
        if !last {
            return None;
        }
        let failed = Leftover::remove(&dir, Deadline::after(AT_ONCE)).err();
        match failed {
            Some(errno) if !dir.held.is_mount() => leftovers::keep(Arc::new(dir), errno),
            _ => dir.give_up(),
        }
        failed
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.remove();
    }
}
