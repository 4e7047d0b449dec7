//! What a child is told while it runs: its standard input, where that is fed.
//!
//! The trap: it may stop to read, close its input or end at any moment. None of that is the end of who feeds it: it is an answer.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use super::Child;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::output::feed::{Feed, Refused};
use crate::sys::reserve;

impl Child {
    /// Takes what there is room for. Never blocks.
    pub fn feed(&self, bytes: &[u8]) -> Result<usize> {
        let offered = lock(self.fed()?).offer(bytes);
        let refused = |status, errno, why: String| Error::new(status, "write", why).with_pid(self.pid).with(|it| it.errno = errno);
        offered.map_err(|why| match why {
            Refused::NoMemory => reserve::out_of_memory(()),
            // Not under the lock of the feed, which is taken after that of a life.
            _ if lock(&self.life).has_ended() => refused(Status::Exited, None, format!("process {} has ended", self.pid)),
            Refused::Ended => refused(Status::State, None, format!("the input of process {} was ended before", self.pid)),
            Refused::Unread(Errno::EPIPE) => {
                refused(Status::State, Some(Errno::EPIPE), format!("nobody reads the input of process {} any more (EPIPE)", self.pid))
            }
            Refused::Unread(errno) => Error::system("write", errno, format!("cannot feed process {}", self.pid)).with_pid(self.pid),
        })
    }

    /// Its input ends behind what waits. Nothing happens if it has ended.
    pub fn end_input(&self) -> Result<()> {
        lock(self.fed()?).finish();
        Ok(())
    }

    fn fed(&self) -> Result<&Mutex<Feed>> {
        self.check()?;
        let none = || Error::new(Status::State, "write", "the command did not ask for its input to be fed");
        self.rare().feed.as_deref().ok_or_else(none)
    }

    pub(super) fn finish_input(&self) {
        if let Some(feed) = &self.rare().feed {
            lock(feed).finish();
        }
    }

    /// Whether its input is fed.
    pub fn is_fed(&self) -> bool {
        self.rare().feed.is_some()
    }

    /// Writes some of what waits for it. `false`: nothing could be.
    pub fn flush_input(&self) -> bool {
        self.rare().feed.as_ref().is_some_and(|feed| lock(feed).flush())
    }

    /// What is to be watched for room, while something waits.
    pub fn input_awaits(&self) -> Option<Arc<OwnedFd>> {
        self.rare().feed.as_ref().and_then(|feed| lock(feed).awaits())
    }

    /// Whether who was refused is to be told that there is room, or never will be.
    pub fn has_room_news(&self) -> bool {
        self.rare().feed.as_ref().is_some_and(|feed| lock(feed).has_news())
    }

    /// He was told.
    pub fn take_room_news(&self) {
        if let Some(feed) = &self.rare().feed {
            lock(feed).take_news();
        }
    }
}
