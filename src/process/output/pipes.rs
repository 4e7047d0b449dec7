//! What a child says through pipes: the last bytes kept in bounded memory, or line by line, or both.
//!
//! Two traps. A child blocks once its pipe is full, so every wait of ours drains it. And a grandchild may hold the pipe open
//! for ever, so the end of the output is the child's exit, not end-of-file: what the child itself wrote before it ended lies in
//! the pipe by then, and is never more than the pipe holds. One drain of that size loses nothing and cannot be kept busy.
//!
//! Where the rest of the group is left alive on purpose, what it says in the drain window after the exit is still kept: but nobody
//! waits for it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::lines::{Cutter, Lines};
use crate::clock::{Deadline, MILLI};
use crate::sys::fds;
use crate::sys::poll;
use crate::sys::reserve;

/// How long after the exit of a child its survivors' output is still kept.
const DRAIN_WINDOW: i64 = 2_000 * MILLI;

/// All that comes out of a child.
#[derive(Debug)]
pub struct Output {
    streams: Vec<Stream>,
    kept: Option<Tail>,
    lines: Lines,
    /// After the exit: until when survivors are listened to.
    until: Deadline,
}

#[derive(Debug)]
struct Stream {
    pipe: Option<Arc<OwnedFd>>,
    cutter: Option<Cutter>,
    /// A FIFO, whose first writer may be still to come: until then a read finds its end, though nobody has hung up.
    is_fifo: bool,
}

/// What a drain found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drained {
    /// The pipe is empty now, or the allowance is used up.
    Open,
    /// Nobody holds the writing end any more.
    Closed,
}

impl Output {
    /// `pipes`: non-blocking reading ends with the numbers of their streams. `capture`: how many of the last bytes to keep;
    /// `line_limit`: cut into lines no longer than this.
    pub fn new(pipes: Vec<(i32, OwnedFd)>, capture: Option<usize>, line_limit: Option<usize>) -> Self {
        let stream = |(number, pipe): (i32, OwnedFd)| Stream {
            pipe: Some(Arc::new(pipe)),
            cutter: line_limit.map(|limit| Cutter::new(number, limit)),
            is_fifo: false,
        };
        Self {
            streams: pipes.into_iter().map(stream).collect(),
            kept: capture.map(Tail::new),
            lines: Lines::default(),
            until: Deadline::NEVER,
        }
    }

    /// The same of a FIFO that both streams go to.
    pub fn of_fifo(fifo: OwnedFd, capture: Option<usize>, line_limit: Option<usize>) -> Self {
        let mut output = Self::new(vec![(1, fifo)], capture, line_limit);
        output.streams[0].is_fifo = true;
        output
    }

    /// The reading ends, by the place of their stream, while there is something to come.
    pub fn pipes(&self) -> [Option<Arc<OwnedFd>>; 2] {
        let pipe = |i: usize| self.streams.get(i).and_then(|stream| stream.pipe.clone());
        [pipe(0), pipe(1)]
    }

    /// Reads what is there, `allowance` bytes of each stream at the most; never blocks.
    pub fn drain(&mut self, allowance: usize) {
        if self.until.has_come() {
            self.streams.clear();
        }
        for place in 0..self.streams.len() {
            self.drain_stream(place, allowance);
        }
    }

    /// The same of one stream.
    pub fn drain_stream(&mut self, place: usize, mut allowance: usize) -> Drained {
        let Some(stream) = self.streams.get_mut(place) else { return Drained::Closed };
        let mut buffer = [0u8; 16 * 1024];
        while let Some(pipe) = &stream.pipe {
            let room = buffer.len().min(allowance);
            if room == 0 {
                return Drained::Open;
            }
            match nix::unistd::read(pipe, &mut buffer[..room]) {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Drained::Open,
                Ok(count @ 1..) => {
                    if let Some(kept) = &mut self.kept {
                        kept.push(&buffer[..count]);
                    }
                    if let Some(cutter) = &mut stream.cutter {
                        cutter.push(&buffer[..count], &mut self.lines);
                    }
                    allowance -= count;
                }
                Ok(_) if stream.is_fifo && !poll::is_hung_up(pipe.as_fd(), Deadline::PAST).unwrap_or(true) => return Drained::Open,
                Ok(_) | Err(_) => {
                    stream.pipe = None;
                    if let Some(cutter) = &mut stream.cutter {
                        cutter.finish(&mut self.lines);
                    }
                }
            }
        }
        Drained::Closed
    }

    /// The last drain, after the exit: at most what each pipe can hold. Then the ends are closed, unless what survives the child is to
    /// be listened to for a while.
    pub fn finish(&mut self, survivors: bool) {
        for place in 0..self.streams.len() {
            if let Some(capacity) = self.streams[place].pipe.as_deref().map(fds::pipe_capacity) {
                self.drain_stream(place, capacity);
            }
            // Lines end with the child: its EXITED event is the last one.
            if let Some(mut cutter) = self.streams[place].cutter.take() {
                cutter.finish(&mut self.lines);
            }
        }
        if survivors && self.kept.is_some() {
            self.until = Deadline::after(DRAIN_WINDOW);
        } else {
            self.streams.clear();
        }
    }

    /// The lines that nobody has taken yet, and what is missing of them.
    pub fn take_lines(&mut self) -> Lines {
        std::mem::take(&mut self.lines)
    }

    /// What is kept now, in two pieces: no copy, it may be large. `None`: nothing is kept.
    pub fn pieces(&self) -> Option<(&[u8], &[u8])> {
        self.kept.as_ref().map(|kept| kept.bytes.as_slices())
    }
}

/// The last bytes of a stream.
#[derive(Debug)]
struct Tail {
    bytes: VecDeque<u8>,
    limit: usize,
}

impl Tail {
    fn new(limit: usize) -> Self {
        Self { bytes: VecDeque::new(), limit }
    }

    fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(self.limit)..];
        let excess = (self.bytes.len() + bytes.len()).saturating_sub(self.limit);
        self.bytes.drain(..excess);
        // Without memory for more, what is there makes room: a full machine costs output, not the host, and not what its reaps need.
        let grows = self.bytes.capacity() - self.bytes.len() < bytes.len();
        if grows && (reserve::is_short() || self.bytes.try_reserve(bytes.len()).is_err()) {
            let room = self.bytes.capacity() - self.bytes.len();
            let needed = bytes.len().saturating_sub(room).min(self.bytes.len());
            self.bytes.drain(..needed);
        }
        let room = self.bytes.capacity() - self.bytes.len();
        self.bytes.extend(&bytes[bytes.len().saturating_sub(room)..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_exactly_the_last_bytes(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20), limit in 0usize..64) {
            let mut tail = Tail::new(limit);
            let mut all = Vec::new();
            for chunk in &chunks {
                tail.push(chunk);
                all.extend_from_slice(chunk);
            }
            let (first, second) = tail.bytes.as_slices();
            prop_assert_eq!([first, second].concat(), &all[all.len().saturating_sub(limit)..]);
        }
    }
}
