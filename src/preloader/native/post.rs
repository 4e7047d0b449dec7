//! What remains of a birth when the worker is ready: where its host can still speak to it.

use std::any::Any;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use nix::errno::Errno;

use super::wire::{Kind, Writer};
use crate::sys::socket;

/// The host's end of the private pair of a worker that is ready. The child keeps it open, too: as long as its process lives.
#[derive(Debug)]
pub struct Post {
    /// Which birth it was; the id of what is said there.
    pub birth: u64,
    /// Whether it is the host's own child.
    pub sibling: bool,
    /// Our end.
    pub socket: Arc<OwnedFd>,
    /// How many messages were sent there: GO was the first.
    sent: AtomicU32,
    preloader: Weak<dyn Any + Send + Sync>,
}

impl Post {
    /// Of a worker that is ready.
    pub fn of(birth: u64, sibling: bool, socket: Arc<OwnedFd>, preloader: Weak<dyn Any + Send + Sync>) -> Self {
        Self { birth, sibling, socket, sent: AtomicU32::new(1), preloader }
    }

    /// Whether it is a worker of this preloader.
    pub fn is_of<T>(&self, preloader: &Arc<T>) -> bool {
        std::ptr::addr_eq(self.preloader.as_ptr(), Arc::as_ptr(preloader))
    }

    /// Says something there, with this descriptor. EAGAIN: the worker has not read what was said before.
    pub fn say(&self, kind: Kind, fill: impl FnOnce(&mut Writer), fd: &OwnedFd) -> Result<(), Errno> {
        let mut writer = Writer::new(kind, self.birth, self.sent.fetch_add(1, Ordering::Relaxed) + 1);
        fill(&mut writer);
        socket::send(&self.socket, &writer.finish(), &[fd.as_fd()])
    }
}
