//! What remains of a birth when the worker is ready: where its host can still speak to it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::machine::Birth;

/// The host's end of the private pair of a worker that is ready. The child keeps it open, too: as long as its process lives.
#[derive(Debug)]
pub struct Post {
    /// Which birth it was; the id of what is said there.
    pub birth: Birth,
    /// Whether it is the host's own child.
    pub sibling: bool,
    /// Our end.
    pub socket: Arc<OwnedFd>,
    /// How many messages were sent there: GO was the first.
    pub sent: AtomicU32,
}

impl Post {
    /// Of a worker that is ready.
    pub fn of(birth: Birth, sibling: bool, socket: Arc<OwnedFd>) -> Self {
        Self { birth, sibling, socket, sent: AtomicU32::new(1) }
    }
}
