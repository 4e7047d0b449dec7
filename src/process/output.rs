//! Captured output: the last bytes of a child's streams, kept in bounded memory.
//!
//! Two traps. A child blocks once its pipe is full, so every wait of ours drains it. And a grandchild may hold the pipe open
//! for ever, so the end of the output is the child's exit, not end-of-file: what the child itself wrote before it ended lies in
//! the pipe by then, and is never more than the pipe holds. One drain of that size loses nothing and cannot be kept busy.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use crate::sys::fds;

/// The reading end and what came out of it.
#[derive(Debug)]
pub struct Capture {
    pipe: Option<Arc<OwnedFd>>,
    kept: VecDeque<u8>,
    limit: usize,
}

/// What a drain found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drained {
    /// The pipe is empty now, or the allowance is used up.
    Open,
    /// Nobody holds the writing end any more.
    Closed,
}

impl Capture {
    /// `pipe`: a non-blocking reading end. Keeps the last `limit` bytes.
    pub fn new(pipe: OwnedFd, limit: usize) -> Self {
        Self { pipe: Some(Arc::new(pipe)), kept: VecDeque::new(), limit }
    }

    /// The reading end, while there is something to come.
    pub fn pipe(&self) -> Option<Arc<OwnedFd>> {
        self.pipe.clone()
    }

    /// Reads what is there, `allowance` bytes at the most; never blocks.
    pub fn drain(&mut self, mut allowance: usize) -> Drained {
        let mut buffer = [0u8; 16 * 1024];
        while let Some(pipe) = &self.pipe {
            let room = buffer.len().min(allowance);
            if room == 0 {
                return Drained::Open;
            }
            match nix::unistd::read(pipe, &mut buffer[..room]) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    self.keep(&buffer[..count]);
                    allowance -= count;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Drained::Open,
                Err(_) => self.pipe = None,
            }
        }
        Drained::Closed
    }

    /// The last drain, after the exit: at most what the pipe can hold, then the end is closed.
    pub fn finish(&mut self) {
        if let Some(capacity) = self.pipe.as_deref().map(fds::pipe_capacity) {
            self.drain(capacity);
        }
        self.pipe = None;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(self.limit)..];
        let excess = (self.kept.len() + bytes.len()).saturating_sub(self.limit);
        self.kept.drain(..excess);
        // Without memory for more, what is there makes room: a full machine costs output, not the host.
        if self.kept.try_reserve(bytes.len()).is_err() {
            let room = self.kept.capacity() - self.kept.len();
            let needed = bytes.len().saturating_sub(room).min(self.kept.len());
            self.kept.drain(..needed);
        }
        let room = self.kept.capacity() - self.kept.len();
        self.kept.extend(&bytes[bytes.len().saturating_sub(room)..]);
    }

    /// What is kept now, in two pieces: no copy, it may be large.
    pub fn pieces(&self) -> (&[u8], &[u8]) {
        self.kept.as_slices()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_exactly_the_last_bytes(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20), limit in 0usize..64) {
            let mut capture = Capture { pipe: None, kept: VecDeque::new(), limit };
            let mut all = Vec::new();
            for chunk in &chunks {
                capture.keep(chunk);
                all.extend_from_slice(chunk);
            }
            let (first, second) = capture.pieces();
            prop_assert_eq!([first, second].concat(), &all[all.len().saturating_sub(limit)..]);
        }
    }
}
