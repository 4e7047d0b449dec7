//! A directory that belongs to a child and goes with it.
//!
//! It may be shared by several children of one command: the last one takes it away. A removal that fails is tried again by
//! later calls and never forgotten; a directory that was replaced by another one meanwhile is not ours and is left alone.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::lock::lock;
use crate::sys::memory::{Home, PerProcess};

/// Device and inode. Not when it was made: overlayfs gives a directory that it copies up another time of birth.
type Identity = (u64, u64);

/// Of a directory only: a link in its place may have its number, and would be removed as its tree.
fn identity(found: &fs::Metadata) -> Option<Identity> {
    found.is_dir().then(|| (found.dev(), found.ino()))
}

/// Directories whose removal has failed so far. A forked host has none: they are its parent's.
static LEFT: PerProcess<Mutex<Vec<Dir>>> = PerProcess::new();

/// A directory known by its inode.
#[derive(Debug)]
struct Dir {
    sandbox: Arc<Sandbox>,
    identity: Identity,
    home: Home,
}

impl Dir {
    /// Removes the tree. Symbolic links are removed, never followed (std's removal walks by descriptors). `true`: it is gone.
    fn remove(&self) -> bool {
        let path = &self.sandbox.path;
        let gone = match fs::symlink_metadata(path) {
            Err(error) => error.kind() == ErrorKind::NotFound,
            Ok(found) if identity(&found) != Some(self.identity) => true,
            Ok(_) => fs::remove_dir_all(path).is_ok(),
        };
        if gone {
            // From now on a new directory may have this very inode number.
            lock(&self.sandbox.shares).going = None;
        }
        gone
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
    count: usize,
    /// The inode that is being removed: no new child may get it.
    going: Option<Identity>,
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
    /// The race: between a look at the directory and the count, the last child may be reaped and the directory removed. So it is counted first:
    /// from then on nobody begins to remove it, and what is seen afterwards is what the new child will have.
    pub fn share(self: &Arc<Self>) -> io::Result<Share> {
        let going = {
            let mut shares = lock(&self.shares);
            shares.count += 1;
            shares.going.filter(|_| shares.count == 1)
        };
        let found = fs::symlink_metadata(&self.path);
        let identity = found.and_then(|found| identity(&found).ok_or(io::Error::from_raw_os_error(libc::ENOTDIR)));
        match identity {
            Ok(identity) if going != Some(identity) => Ok(Share(Some(Dir { sandbox: self.clone(), identity, home: Home::here() }))),
            other => {
                lock(&self.shares).count -= 1;
                Err(other.err().unwrap_or(io::Error::from_raw_os_error(libc::ENOENT)))
            }
        }
    }
}

impl Share {
    /// Gives the share back without removing anything: the child was never made.
    pub fn give_back(mut self) {
        if let Some(dir) = self.0.take() {
            lock(&dir.sandbox.shares).count -= 1;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // A forked copy of the host owns nothing, and its copy of the lock may be held for ever.
        let Some(dir) = self.0.take().filter(|dir| dir.home.is_here()) else { return };
        let last = {
            let mut shares = lock(&dir.sandbox.shares);
            shares.count -= 1;
            if shares.count == 0 {
                shares.going = Some(dir.identity);
            }
            shares.count == 0
        };
        if last
            && !dir.remove()
            && let Ok(left) = LEFT.get_or_try_init(|| Ok(Mutex::default()))
        {
            lock(left).push(dir);
        }
    }
}

/// Tries the failed removals again. Cheap when there are none.
pub fn retry_left() {
    let Some(left) = LEFT.get() else { return };
    let mut again = std::mem::take(&mut *lock(left));
    if !again.is_empty() {
        again.retain(|dir| !dir.remove());
        lock(left).append(&mut again);
    }
}
