//! Standard input that is fed while the child runs: what it has no room for waits here, up to a bound.
//!
//! Traps. **Two programs that wait for each other**: who wrote until all is taken would wait for a child that waits for him. So nobody ever waits here:
//! what does not fit is not taken, and whoever offered it is told once when there is room again. **A hundred little wake-ups**: "room" is half of the
//! bound, not a byte. **The end of it comes behind what waits**, and is there when nobody holds the end any more: a loop that watches it has a share.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use crate::sys::outlet::Outlet;

/// What one look writes at the most: others want their turn.
const STEP: usize = 256 * 1024;
/// A queue that was larger gives its memory back when it is empty.
const KEPT: usize = 16 * 1024;

/// Why nothing is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Its end was said.
    Ended,
    /// Nobody reads it any more, as the kernel says.
    Unread(Errno),
    /// No memory for what waits.
    NoMemory,
}

/// Where it is written to: all that the kernel is asked.
trait Sink {
    fn put(&self, bytes: &[u8]) -> Result<usize, Errno>;

    /// What ends it, if closing does not; `begun`: in the middle of a line.
    fn end(&self, _begun: bool) -> Option<Vec<u8>> {
        None
    }
}

impl Sink for Outlet {
    fn put(&self, bytes: &[u8]) -> Result<usize, Errno> {
        self.write(bytes)
    }

    fn end(&self, begun: bool) -> Option<Vec<u8>> {
        Outlet::end(self, begun)
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct Feed(Stream<Outlet>);

/// The same, whatever it is written to.
#[derive(Debug)]
struct Stream<S> {
    /// None: it has ended.
    sink: Option<S>,
    waiting: VecDeque<u8>,
    most: usize,
    /// It ends behind what waits.
    ending: bool,
    /// The last byte that was taken ended no line.
    begun: bool,
    /// What ends it was said.
    said: bool,
    unread: Option<Errno>,
    /// Somebody had more than was taken, and has not been told that there is room.
    wanted: bool,
}

impl Feed {
    /// `most`: how many bytes may wait.
    pub fn new(outlet: Outlet, most: usize) -> Self {
        Self(Stream::new(outlet, most))
    }

    /// All that there will be is known.
    pub fn of(outlet: Outlet, bytes: Vec<u8>) -> Self {
        let mut stream = Stream::new(outlet, bytes.len());
        stream.note(&bytes);
        stream.waiting = bytes.into();
        stream.ending = true;
        stream.flush(STEP);
        Self(stream)
    }

    /// Takes what there is room for; nothing is `Ok(0)`, and so is nothing to take.
    pub fn offer(&mut self, bytes: &[u8]) -> Result<usize, Refused> {
        self.0.offer(bytes)
    }

    /// It ends behind what waits.
    pub fn finish(&mut self) {
        self.0.finish();
    }

    /// Writes some of what waits. `false`: nothing could be.
    pub fn flush(&mut self) -> bool {
        self.0.flush(STEP)
    }

    /// Its child is gone, and with it what waits.
    pub fn discard(&mut self) {
        self.0.discard();
    }

    /// What is to be watched for room; nothing, while nothing waits.
    pub fn awaits(&self) -> Option<Arc<OwnedFd>> {
        self.0.sink.as_ref().filter(|_| !self.0.waiting.is_empty()).map(|outlet| outlet.fd().clone())
    }

    /// Whether somebody is to be told that there is room, or that there never will be.
    pub fn has_news(&self) -> bool {
        self.0.has_news()
    }

    /// He was told.
    pub fn take_news(&mut self) {
        self.0.wanted = false;
    }
}

impl<S: Sink> Stream<S> {
    fn new(sink: S, most: usize) -> Self {
        Self { sink: Some(sink), waiting: VecDeque::new(), most, ending: false, begun: false, said: false, unread: None, wanted: false }
    }

    /// What the kernel takes now; an error but "no room" is the end.
    fn put(&mut self, bytes: &[u8]) -> usize {
        let mut put = 0;
        while let Some(sink) = self.sink.as_ref().filter(|_| put < bytes.len()) {
            match sink.put(&bytes[put..]) {
                Ok(count) => put += count,
                Err(Errno::EAGAIN) => break,
                Err(errno) => self.fail(errno),
            }
        }
        put
    }

    fn fail(&mut self, errno: Errno) {
        (self.sink, self.waiting, self.unread) = (None, VecDeque::new(), Some(errno));
    }

    fn offer(&mut self, bytes: &[u8]) -> Result<usize, Refused> {
        if let Some(errno) = self.unread {
            return Err(Refused::Unread(errno));
        }
        if self.ending || self.sink.is_none() {
            return Err(Refused::Ended);
        }
        // What waits goes first: who only writes moves it on, too.
        if bytes.len() > self.most - self.waiting.len() {
            self.flush(STEP);
        }
        let mut taken = if self.waiting.is_empty() { self.put(bytes) } else { 0 };
        if let Some(errno) = self.unread.filter(|_| taken == 0) {
            return Err(Refused::Unread(errno));
        }
        if self.unread.is_none() && taken < bytes.len() {
            let rest = &bytes[taken..];
            let room = rest.len().min(self.most - self.waiting.len());
            if self.waiting.try_reserve(room).is_ok() {
                self.waiting.extend(&rest[..room]);
                taken += room;
            } else if taken == 0 {
                return Err(Refused::NoMemory);
            }
        }
        self.wanted |= taken < bytes.len();
        self.note(&bytes[..taken]);
        Ok(taken)
    }

    /// So much was taken.
    fn note(&mut self, taken: &[u8]) {
        if let Some(last) = taken.last() {
            self.begun = !matches!(last, b'\n' | b'\r');
        }
    }

    fn flush(&mut self, mut allowance: usize) -> bool {
        let before = self.waiting.len();
        while !self.waiting.is_empty() && allowance > 0 {
            let waiting = std::mem::take(&mut self.waiting);
            let (first, _) = waiting.as_slices();
            let most = first.len().min(allowance);
            let put = self.put(&first[..most]);
            if self.unread.is_some() {
                break;
            }
            self.waiting = waiting;
            self.waiting.drain(..put);
            allowance -= put;
            if put < most {
                break;
            }
        }
        if self.waiting.is_empty() {
            if self.waiting.capacity() > KEPT {
                self.waiting = VecDeque::new();
            }
            if self.ending {
                self.end();
            }
        }
        self.waiting.len() < before
    }

    fn finish(&mut self) {
        self.ending = true;
        if self.waiting.is_empty() {
            self.end();
        }
    }

    /// Nothing waits any more. What there is no room for is tried again as if it had been told to us.
    fn end(&mut self) {
        let said = std::mem::replace(&mut self.said, true);
        if let Some(last) = self.sink.as_ref().filter(|_| !said).and_then(|sink| sink.end(self.begun)) {
            let put = self.put(&last);
            if put < last.len() && self.unread.is_none() {
                self.waiting.extend(&last[put..]);
                return;
            }
        }
        self.sink = None;
    }

    fn discard(&mut self) {
        (self.sink, self.waiting, self.wanted) = (None, VecDeque::new(), false);
    }

    fn has_news(&self) -> bool {
        self.wanted && (self.unread.is_some() || self.waiting.len() <= self.most / 2)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;

    /// A terminal that takes so many bytes before somebody reads, and has an end that is typed.
    #[derive(Debug, Default)]
    struct Terminal {
        room: RefCell<usize>,
        bytes: RefCell<Vec<u8>>,
    }

    impl Sink for &Terminal {
        fn put(&self, bytes: &[u8]) -> Result<usize, Errno> {
            let taken = bytes.len().min(*self.room.borrow());
            *self.room.borrow_mut() -= taken;
            self.bytes.borrow_mut().extend(&bytes[..taken]);
            if taken == 0 { Err(Errno::EAGAIN) } else { Ok(taken) }
        }

        fn end(&self, begun: bool) -> Option<Vec<u8>> {
            Some(vec![4; if begun { 2 } else { 1 }])
        }
    }

    #[test]
    fn the_end_of_a_terminal_is_typed_once_behind_all_else() {
        for (typed, expected) in [(&b"ab\n"[..], &b"ab\n\x04"[..]), (b"ab", b"ab\x04\x04"), (b"", b"\x04"), (b"x\r", b"x\r\x04")] {
            for room in 0..6 {
                let terminal = Terminal { room: room.into(), ..Terminal::default() };
                let mut stream = Stream::new(&terminal, 10);
                assert_eq!(stream.offer(typed), Ok(typed.len()));
                stream.finish();
                stream.finish();
                for _ in 0..8 {
                    *terminal.room.borrow_mut() += 1;
                    stream.flush(STEP);
                }
                assert_eq!(*terminal.bytes.borrow(), expected, "{room}");
                assert!(stream.sink.is_none());
            }
        }
    }

    /// A pipe of so many bytes, and what was read from it.
    #[derive(Debug, Default)]
    struct Pipe {
        holds: usize,
        bytes: RefCell<Vec<u8>>,
        closed: RefCell<bool>,
    }

    impl Sink for &Pipe {
        fn put(&self, bytes: &[u8]) -> Result<usize, Errno> {
            if *self.closed.borrow() {
                return Err(Errno::EPIPE);
            }
            let room = self.holds - self.bytes.borrow().len();
            let count = bytes.len().min(room);
            self.bytes.borrow_mut().extend(&bytes[..count]);
            if count == 0 { Err(Errno::EAGAIN) } else { Ok(count) }
        }
    }

    fn pipe(holds: usize) -> Pipe {
        Pipe { holds, ..Pipe::default() }
    }

    #[test]
    fn what_does_not_fit_is_not_taken_and_room_is_told_once() {
        let pipe = pipe(4);
        let mut stream = Stream::new(&pipe, 4);
        assert_eq!(stream.offer(b"0123456789"), Ok(8));
        assert!(!stream.has_news());
        assert_eq!(stream.offer(b"89"), Ok(0));
        assert!(!stream.flush(100), "the pipe is full");
        pipe.bytes.borrow_mut().drain(..1);
        assert!(stream.flush(100) && !stream.has_news(), "three of four wait");
        pipe.bytes.borrow_mut().drain(..1);
        assert!(stream.flush(100) && stream.has_news());
        stream.wanted = false;
        pipe.bytes.borrow_mut().clear();
        assert!(stream.flush(100) && !stream.has_news());
    }

    #[test]
    fn the_end_comes_behind_what_waits_and_nothing_behind_the_end() {
        let pipe = pipe(2);
        let mut stream = Stream::new(&pipe, 10);
        assert_eq!(stream.offer(b"abc"), Ok(3));
        stream.finish();
        assert_eq!(stream.offer(b"d"), Err(Refused::Ended));
        assert!(stream.sink.is_some());
        pipe.bytes.borrow_mut().clear();
        assert!(stream.flush(100) && stream.sink.is_none());
        assert_eq!(*pipe.bytes.borrow(), b"c");
        stream.finish();
        assert_eq!(stream.offer(b""), Err(Refused::Ended));
    }

    #[test]
    fn who_waits_for_room_hears_that_nobody_reads() {
        let pipe = pipe(1);
        let mut stream = Stream::new(&pipe, 1);
        assert_eq!(stream.offer(b"abc"), Ok(2));
        *pipe.closed.borrow_mut() = true;
        assert!(stream.flush(100) && stream.has_news() && stream.sink.is_none());
        assert_eq!(stream.offer(b"c"), Err(Refused::Unread(Errno::EPIPE)));
        stream.finish();
        assert_eq!(stream.offer(b"c"), Err(Refused::Unread(Errno::EPIPE)));
    }

    #[test]
    fn what_waits_goes_with_its_child() {
        let pipe = pipe(1);
        let mut stream = Stream::new(&pipe, 1);
        assert_eq!(stream.offer(b"abc"), Ok(2));
        stream.discard();
        assert!(!stream.flush(100) && !stream.has_news());
        assert_eq!(stream.offer(b"c"), Err(Refused::Ended));
    }

    proptest! {
        #[test]
        fn every_byte_that_was_taken_arrives_once_and_in_order(
            holds in 1..40usize,
            most in 1..40usize,
            steps in proptest::collection::vec((0..3u8, 0..60usize), 1..60),
        ) {
            let pipe = pipe(holds);
            let mut stream = Stream::new(&pipe, most);
            let (mut next, mut taken, mut read): (u8, Vec<u8>, Vec<u8>) = (0, Vec::new(), Vec::new());
            for (what, count) in steps {
                match what {
                    0 => {
                        let bytes: Vec<u8> = (0..count).map(|i| next.wrapping_add(i as u8)).collect();
                        let some = stream.offer(&bytes).unwrap();
                        prop_assert!(stream.waiting.len() <= most);
                        prop_assert!(some == count || stream.waiting.len() == most, "no less than fits");
                        taken.extend(&bytes[..some]);
                        next = next.wrapping_add(some as u8);
                    }
                    1 => {
                        let mut there = pipe.bytes.borrow_mut();
                        let count = count.min(there.len());
                        read.extend(there.drain(..count));
                    }
                    _ => _ = stream.flush(count.max(1)),
                }
            }
            stream.finish();
            while stream.sink.is_some() {
                read.extend(pipe.bytes.borrow_mut().drain(..));
                stream.flush(7);
            }
            read.extend(pipe.bytes.borrow_mut().drain(..));
            prop_assert_eq!(read, taken);
        }
    }
}
