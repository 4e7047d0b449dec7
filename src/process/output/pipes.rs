//! What a child says through pipes: some of it kept in bounded memory, or line by line, or both.
//!
//! Two traps. A child blocks once its pipe is full, so every wait of ours drains it. And a grandchild may hold the pipe open
//! for ever, so the end of the output is the child's exit, not end-of-file: what the child itself wrote before it ended lies in
//! the pipe by then, and is never more than the pipe holds. One drain of that size loses nothing and cannot be kept busy.
//!
//! Where the rest of the group is left alive on purpose, what it says in the drain window after the exit is still kept: but nobody
//! waits for it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::kept::{Keep, Kept};
use super::lines::{Cut, Cutter, Lines};
use crate::clock::{self, Deadline, MILLI};
use crate::sys::fds;
use crate::sys::poll;

/// How long after the exit of a child its survivors' output is still kept.
const DRAIN_WINDOW: i64 = 2_000 * MILLI;

/// All that comes out of a child.
#[derive(Debug)]
pub struct Output {
    streams: Vec<Stream>,
    /// One for each stream, if they are kept apart; one for both; or none.
    kept: Vec<Kept>,
    apart: bool,
    lines: Lines,
    /// After the exit: until when survivors are listened to.
    until: Deadline,
}

#[derive(Debug)]
struct Stream {
    pipe: Option<Arc<OwnedFd>>,
    /// Where it is kept, if it is.
    kept: usize,
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
    /// `pipes`: non-blocking reading ends with the numbers of their streams. `keep`: what to keep of them; `cut`: how they
    /// are cut into lines.
    pub fn new(pipes: Vec<(i32, OwnedFd)>, keep: Option<Keep>, cut: Option<Cut>) -> Self {
        let apart = keep.is_some_and(|keep| keep.apart);
        let stream = |(number, pipe): (i32, OwnedFd)| Stream {
            pipe: Some(Arc::new(pipe)),
            kept: usize::from(apart && number == 2),
            cutter: cut.map(|cut| Cutter::new(number, cut)),
            is_fifo: false,
        };
        Self {
            streams: pipes.into_iter().map(stream).collect(),
            kept: keep.map_or_else(Vec::new, |keep| (0..=usize::from(apart)).map(|_| Kept::new(keep)).collect()),
            apart,
            lines: Lines::default(),
            until: Deadline::NEVER,
        }
    }

    /// The same of a FIFO that both streams go to: they are one.
    pub fn of_fifo(fifo: OwnedFd, keep: Option<Keep>, cut: Option<Cut>) -> Self {
        let mut output = Self::new(vec![(1, fifo)], keep, cut);
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
                    if let Some(kept) = self.kept.get_mut(stream.kept) {
                        kept.push(&buffer[..count]);
                    }
                    if let Some(cutter) = &mut stream.cutter {
                        // Who asks for no pieces pays for no clock.
                        let now = if cutter.tells_pieces() { clock::now() } else { 0 };
                        cutter.push(&buffer[..count], now, &mut self.lines);
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
        if survivors && !self.kept.is_empty() {
            self.until = Deadline::after(DRAIN_WINDOW);
        } else {
            self.streams.clear();
        }
    }

    /// What has lain there long enough goes as a piece.
    pub fn tell_pieces(&mut self, now: i64) {
        for cutter in self.streams.iter_mut().filter_map(|stream| stream.cutter.as_mut()) {
            cutter.tell_piece(now, &mut self.lines);
        }
    }

    /// When that is to be asked.
    pub fn pieces_due(&self) -> Deadline {
        let dues = self.streams.iter().filter_map(|stream| stream.cutter.as_ref()).map(Cutter::due);
        dues.fold(Deadline::NEVER, Deadline::min)
    }

    /// Whether there are lines that nobody has taken.
    pub fn has_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The lines that nobody has taken yet, and what is missing of them.
    pub fn take_lines(&mut self) -> Lines {
        std::mem::take(&mut self.lines)
    }

    /// What is kept now of both streams (1, then 2, if they are kept apart) or of one of them: the pieces, and how many bytes are missing.
    /// `None`: nothing is kept, or not by stream.
    pub fn kept(&self, stream: Option<i32>) -> Option<([&[u8]; 4], u64)> {
        let some = match stream {
            None => &self.kept[..],
            Some(_) if !self.apart => return None,
            Some(stream) => self.kept.get(usize::try_from(stream).ok()?.checked_sub(1)?..)?.get(..1)?,
        };
        let mut pieces: [&[u8]; 4] = [&[]; 4];
        for (place, piece) in pieces.iter_mut().zip(some.iter().flat_map(Kept::pieces)) {
            *place = piece;
        }
        (!some.is_empty()).then(|| (pieces, some.iter().map(Kept::lost).sum()))
    }

    /// Takes out what was kept; nothing is kept any more, but what is said is read on.
    pub fn take_kept(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.kept)
    }
}
