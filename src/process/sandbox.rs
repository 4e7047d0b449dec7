//! A directory that belongs to a child and goes with it.
//!
//! It may be shared by several children of one command: the last one takes it away. A removal that fails is tried again by
//! later calls and never forgotten; a directory that was replaced by another one meanwhile is not ours and is left alone.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

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

/// A share in a directory; the last one removes it.
#[derive(Debug)]
pub struct Share(Option<Dir>);

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(dir) = self.0.take()
            && dir.instance == memory::instance()
            && !dir.remove()
            && let Ok(left) = LEFT.get_or_try_init(|| Ok(Mutex::default()))
        {
            lock(left).push(dir);
        }
    }
}

/// The directory of a command, shared by its children.
#[derive(Debug, Default)]
pub struct Sandbox {
    path: PathBuf,
    shares: Mutex<Weak<Share>>,
}

impl Sandbox {
    /// Names a directory.
    pub fn new(path: PathBuf) -> Self {
        Self { path, shares: Mutex::default() }
    }

    /// A share for a new child. Fails if there is no such directory.
    pub fn share(&self) -> std::io::Result<Arc<Share>> {
        let mut shares = lock(&self.shares);
        if let Some(share) = shares.upgrade() {
            return Ok(share);
        }
        let found = fs::symlink_metadata(&self.path)?;
        if !found.is_dir() {
            return Err(std::io::Error::from_raw_os_error(libc::ENOTDIR));
        }
        let share = Arc::new(Share(Some(Dir { path: self.path.clone(), identity: (found.dev(), found.ino()), instance: memory::instance() })));
        *shares = Arc::downgrade(&share);
        Ok(share)
    }
}

impl Share {
    /// Lets go without removing: the child was never made.
    pub fn forgo(share: Arc<Self>) {
        if let Some(mut share) = Arc::into_inner(share) {
            share.0 = None;
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
