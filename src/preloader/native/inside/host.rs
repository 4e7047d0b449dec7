//! Whether the host lives.
//!
//! The trap: **a forked copy of the host keeps its ends of all channels open**, and owns nothing: as long as it lives no channel of a host that was killed
//! ends. So the host's process is looked at as well, by a pidfd; where there is none (a pid namespace of our own before Linux 6.5, a filter) only the channel
//! tells. **It may be gone before anybody looks**: a worker looks when it is first asked what it does. Its number is nobody's then, if no pidfd of it is to
//! be had any more, and that it is gone is seen all the same.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;

use crate::sys::{fds, poll, socket};

/// The process at the other end of a channel.
#[derive(Clone, Debug, Default)]
pub struct Watch(Option<Arc<OwnedFd>>);

impl Watch {
    /// Who has made this channel. It takes one descriptor.
    pub fn of(channel: &OwnedFd) -> Self {
        // 0: of another pid namespace; only the kernel's own pidfd is of any use then.
        let pid = socket::peer(channel).map_or(-1, |host| host.pid);
        // By its number it may be another's by now, and then the host has ended: what is told of that one comes late, but is true.
        let found = match socket::peer_pidfd(channel, pid) {
            Ok((pidfd, _)) => Some(pidfd),
            // The end of a pipe that nobody writes to: as readable as the pidfd of one that has ended.
            Err(Errno::ESRCH) => fds::pipe().ok().map(|(read, _)| read),
            Err(_) => None,
        };
        Self(found.map(Arc::new))
    }

    /// The number of what is watched: a copy that drops nothing closes that.
    pub fn number(&self) -> Option<RawFd> {
        self.0.as_ref().map(|pidfd| pidfd.as_raw_fd())
    }

    /// To watch: readable when it is gone.
    pub fn pidfd(&self) -> Option<&Arc<OwnedFd>> {
        self.0.as_ref()
    }

    /// With this one, all that a wait is about.
    pub fn and<'a>(&'a self, fd: BorrowedFd<'a>) -> Vec<BorrowedFd<'a>> {
        core::iter::once(fd).chain(self.0.as_ref().map(|pidfd| pidfd.as_fd())).collect()
    }

    /// Whether it is known to be gone. What it has said may still lie in the channel.
    pub fn is_gone(&self) -> bool {
        self.0.as_ref().is_some_and(|pidfd| poll::is_ready(pidfd.as_fd(), false))
    }
}
