//! A directory that belongs to a child and goes with it.
//!
//! It may be shared by several children of one command: the last one takes it away. A removal that fails is tried again by
//! later calls and never forgotten; a directory that was replaced by another one meanwhile is not ours and is left alone.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::lock;
use crate::sys::memory::{self, PerProcess};

/// Directories whose removal has failed so far. A forked host has none: they are its parent's.
static LEFT: PerProcess<Mutex<Vec<Dir>>> = PerProcess::new();

/// A directory known by its inode.
#[derive(Debug)]
struct Dir {
    path: PathBuf,
    identity: (u64, u64),
    instance: u32,
}

impl Dir {
    /// Removes the tree. Symbolic links are removed, never followed (std's removal walks by descriptors). `true`: it is gone.
    fn remove(&self) -> bool {
        match fs::symlink_metadata(&self.path) {
            Err(error) => error.kind() == ErrorKind::NotFound,
            Ok(found) if (found.dev(), found.ino()) != self.identity => true,
            Ok(_) => fs::remove_dir_all(&self.path).is_ok(),
        }
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
    /// The inode that is being removed, or has been: no new child may get it.
    gone: Option<(u64, u64)>,
}

/// A child's share in a directory; the last one removes it.
#[derive(Debug)]
pub struct Share {
    sandbox: Arc<Sandbox>,
    dir: Option<Dir>,
}

impl Sandbox {
    /// Names a directory.
    pub fn new(path: PathBuf) -> Self {
        Self { path, shares: Mutex::default() }
    }

    /// A share for a new child. Fails if there is no such directory, or if it is just being removed.
    pub fn share(self: &Arc<Self>) -> io::Result<Share> {
        let found = fs::symlink_metadata(&self.path)?;
        if !found.is_dir() {
            return Err(io::Error::from_raw_os_error(libc::ENOTDIR));
        }
        let identity = (found.dev(), found.ino());
        let mut shares = lock(&self.shares);
        if shares.count == 0 && shares.gone == Some(identity) {
            return Err(io::Error::from_raw_os_error(libc::ENOENT));
        }
        shares.count += 1;
        Ok(Share { sandbox: self.clone(), dir: Some(Dir { path: self.path.clone(), identity, instance: memory::instance() }) })
    }
}

impl Share {
    /// Lets go without removing: the child was never made.
    pub fn forgo(mut self) {
        self.dir = None;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // A forked copy of the host owns nothing, and its copy of the lock may be held for ever.
        if self.dir.as_ref().is_some_and(|dir| dir.instance != memory::instance()) {
            return;
        }
        let mut shares = lock(&self.sandbox.shares);
        shares.count -= 1;
        let Some(dir) = self.dir.take().filter(|_| shares.count == 0) else { return };
        shares.gone = Some(dir.identity);
        drop(shares);
        if !dir.remove()
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
