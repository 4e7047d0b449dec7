//! A stream cut into lines, and lines that wait to be taken: pure, bytes in, lines out.
//!
//! Two traps. A read ends anywhere, also in the middle of a line or between two of them, and a line may have no end at all. So the
//! rest of a line waits here for more, but never more of it than the limit: then it goes as a piece. Nothing is decoded; putting
//! a newline behind every whole line and joining all gives the stream again, byte for byte.
//!
//! Who waits for a line that never ends (a prompt, a bar of progress that goes back by a carriage return) asks for pieces by time: what has lain here
//! for so long goes as it is, counted from its first byte, so that one who never stops talking is told, too. What follows it is another piece.
//!
//! And the child chooses how many lines it says: were each a value of its own, a flood of empty ones would cost a hundred times its bytes. So
//! they wait in one buffer, each behind a head of a byte (some more if it is long): short ones take no more room than they did in the stream.
//! What does not fit, or finds no memory, is counted and lost; what follows it too, until the buffer is taken: a gap is always at the end.

use memchr::memchr;

use crate::clock::Deadline;
use crate::sys::reserve;

/// Bytes that wait here at the most (a line that was begun below it is kept whole): some looks' worth, for whoever reads takes them at once.
const MOST: usize = 4 << 20;

/// A line, or a piece of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// 1 or 2.
    pub stream: i32,
    /// Without the newline.
    pub bytes: Vec<u8>,
    /// A newline came; if not, it was cut at the limit or is the end of the stream.
    pub whole: bool,
}

/// What was said and is not to be had any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lost {
    /// Lines, or pieces.
    pub lines: u64,
    /// Their bytes, newlines included.
    pub bytes: u64,
}

impl Lost {
    /// Whether nothing is missing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// That as well.
    pub fn add(&mut self, other: Self) {
        self.lines = self.lines.saturating_add(other.lines);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Lines that wait, and what is missing behind them.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Lines {
    /// A head (length, whole, stream 2; seven bits to a byte, the lowest first) and the bytes, one line after the other.
    log: Vec<u8>,
    /// How far it was taken.
    at: usize,
    /// What waits: how many lines, of how many bytes with their newlines.
    waiting: Lost,
    lost: Lost,
}

/// No memory for a line that is to be taken: it stays where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory;

impl Lines {
    /// Whether no line waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.lines == 0
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.lines as usize
    }

    /// The memory that they take.
    pub fn held(&self) -> usize {
        self.log.capacity()
    }

    /// What is missing behind them; from now on told of by whoever asked.
    pub fn take_lost(&mut self) -> Lost {
        std::mem::take(&mut self.lost)
    }

    /// All of it is lost.
    pub fn into_lost(self) -> Lost {
        let mut lost = self.lost;
        lost.add(self.waiting);
        lost
    }

    fn push(&mut self, stream: i32, parts: [&[u8]; 2], whole: bool) {
        let length = parts[0].len() + parts[1].len();
        let this = Lost { lines: 1, bytes: length as u64 + u64::from(whole) };
        // A head takes ten bytes at the most.
        if self.log.len() >= MOST || !self.lost.is_nothing() || !self.has_room(length + 10) {
            return self.lost.add(this);
        }
        let mut head = (length as u64) << 2 | u64::from(whole) << 1 | u64::from(stream == 2);
        while head >= 0x80 {
            self.log.push(head as u8 | 0x80);
            head >>= 7;
        }
        self.log.push(head as u8);
        parts.iter().for_each(|part| self.log.extend_from_slice(part));
        self.waiting.add(this);
    }

    /// By a quarter, as a rule: doubling would hold twice what was said. What a child says must not eat the reserve that the reaps need.
    fn has_room(&mut self, room: usize) -> bool {
        let (length, capacity) = (self.log.len(), self.log.capacity());
        capacity - length >= room || (!reserve::is_short() && self.log.try_reserve_exact(room.max(length / 4)).is_ok())
    }

    /// The first of them.
    pub fn pop(&mut self) -> Result<Option<Line>, NoMemory> {
        let (mut at, mut head, mut shift) = (self.at, 0u64, 0);
        loop {
            let Some(byte) = self.log.get(at) else { return Ok(None) };
            at += 1;
            head |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let length = (head >> 2) as usize;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| NoMemory)?;
        bytes.extend_from_slice(&self.log[at..at + length]);
        self.at = at + length;
        let whole = head & 2 != 0;
        self.waiting.lines -= 1;
        self.waiting.bytes -= length as u64 + u64::from(whole);
        Ok(Some(Line { stream: if head & 1 == 0 { 1 } else { 2 }, bytes, whole }))
    }
}

/// How a stream is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The longest line that comes in one piece.
    pub limit: usize,
    /// After so many nanoseconds what has no newline yet goes as a piece; `None`: it waits.
    pub piece_after: Option<i64>,
}

/// Cuts one stream.
#[derive(Debug)]
pub struct Cutter {
    stream: i32,
    cut: Cut,
    rest: Vec<u8>,
    /// When the rest goes as a piece.
    due: Deadline,
}

impl Cutter {
    /// Of stream 1 or 2.
    pub fn new(stream: i32, cut: Cut) -> Self {
        Self { stream, cut, rest: Vec::new(), due: Deadline::NEVER }
    }

    /// Whether the time matters.
    pub fn tells_pieces(&self) -> bool {
        self.cut.piece_after.is_some()
    }

    /// When `tell_piece` has something to do.
    pub fn due(&self) -> Deadline {
        self.due
    }

    /// The rest goes as a piece, if it has lain here long enough.
    pub fn tell_piece(&mut self, now: i64, lines: &mut Lines) {
        if self.due.is_over(now) {
            self.emit(&[], false, lines);
        }
    }

    /// More of the stream.
    pub fn push(&mut self, mut bytes: &[u8], now: i64, lines: &mut Lines) {
        while !bytes.is_empty() {
            let room = self.cut.limit - self.rest.len();
            // A newline right behind a full line still ends it: one byte more is looked at.
            match memchr(b'\n', &bytes[..bytes.len().min(room + 1)]) {
                Some(at) => {
                    self.emit(&bytes[..at], true, lines);
                    bytes = &bytes[at + 1..];
                }
                None if bytes.len() <= room => return self.keep(bytes, now, lines),
                None => {
                    self.emit(&bytes[..room], false, lines);
                    bytes = &bytes[room..];
                }
            }
        }
    }

    /// The stream is over: what waits is the last piece.
    pub fn finish(&mut self, lines: &mut Lines) {
        if !self.rest.is_empty() {
            self.emit(&[], false, lines);
        }
    }

    fn keep(&mut self, bytes: &[u8], now: i64, lines: &mut Lines) {
        let has_room = self.rest.capacity() - self.rest.len() >= bytes.len();
        if has_room || (!reserve::is_short() && self.rest.try_reserve(bytes.len()).is_ok()) {
            if let Some(after) = self.cut.piece_after.filter(|_| self.rest.is_empty()) {
                self.due = Deadline::at(now).plus(after);
            }
            return self.rest.extend_from_slice(bytes);
        }
        // What there is goes as a piece; what finds no room there either is counted.
        self.emit(bytes, false, lines);
    }

    fn emit(&mut self, end: &[u8], whole: bool, lines: &mut Lines) {
        lines.push(self.stream, [&self.rest, end], whole);
        // Not kept for the next line, which is a short one as a rule.
        self.rest = Vec::new();
        self.due = Deadline::NEVER;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(lines: &mut Lines) -> Vec<Line> {
        std::iter::from_fn(|| lines.pop().unwrap()).collect()
    }

    fn lines_of(limit: usize) -> Cut {
        Cut { limit, piece_after: None }
    }

    fn cut(limit: usize, reads: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let (mut cutter, mut lines) = (Cutter::new(1, lines_of(limit)), Lines::default());
        for read in reads {
            cutter.push(read, 0, &mut lines);
        }
        cutter.finish(&mut lines);
        all(&mut lines).into_iter().map(|line| (line.bytes, line.whole)).collect()
    }

    #[test]
    fn a_line_as_long_as_the_limit_is_whole() {
        assert_eq!(cut(3, &[b"abc\nd"]), [(b"abc".to_vec(), true), (b"d".to_vec(), false)]);
        assert_eq!(cut(3, &[b"abc", b"\n"]), [(b"abc".to_vec(), true)]);
        assert_eq!(cut(3, &[b"abcd\n"]), [(b"abc".to_vec(), false), (b"d".to_vec(), true)]);
        assert_eq!(cut(3, &[b"\n\n"]), [(vec![], true), (vec![], true)]);
    }

    #[test]
    fn empty_lines_take_a_byte_each() {
        let (mut cutter, mut lines) = (Cutter::new(2, lines_of(100)), Lines::default());
        cutter.push(&[b'\n'; 100_000], 0, &mut lines);
        assert_eq!(lines.len(), 100_000);
        assert!(lines.held() < 200_000, "{}", lines.held());
        let line = Line { stream: 2, bytes: vec![], whole: true };
        assert!(all(&mut lines).iter().all(|said| *said == line));
        assert!(lines.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_counted_and_leaves_one_gap_at_the_end() {
        let (mut cutter, mut lines) = (Cutter::new(1, lines_of(1 << 20)), Lines::default());
        let line = [vec![b'x'; 99], vec![b'\n']].concat();
        let said = MOST / 100 + 1000;
        (0..said).for_each(|_| cutter.push(&line, 0, &mut lines));
        let kept = lines.len();
        assert!(lines.held() <= 2 * MOST + 200);
        assert_eq!(lines.take_lost(), Lost { lines: (said - kept) as u64, bytes: 100 * (said - kept) as u64 });
        assert_eq!(all(&mut lines).len(), kept);
    }

    #[test]
    fn what_has_lain_there_long_enough_goes_as_a_piece() {
        let (mut cutter, mut lines) = (Cutter::new(1, Cut { limit: 100, piece_after: Some(10) }), Lines::default());
        let mut at = |now, bytes: &[u8]| {
            cutter.push(bytes, now, &mut lines);
            cutter.tell_piece(now, &mut lines);
            let told: Vec<_> = all(&mut lines).into_iter().map(|line| (String::from_utf8(line.bytes).unwrap(), line.whole)).collect();
            (told, cutter.due().nanos())
        };
        let piece = |text: &str| (text.to_owned(), false);
        let whole = |text: &str| (text.to_owned(), true);
        assert_eq!(at(0, b"one\n"), (vec![whole("one")], None));
        assert_eq!(at(5, b"Pass"), (vec![], Some(15)));
        assert_eq!(at(9, b"word: "), (vec![], Some(15)), "from its first byte on");
        assert_eq!(at(15, b""), (vec![piece("Password: ")], None));
        assert_eq!(at(40, b""), (vec![], None), "once");
        assert_eq!(at(50, b"\nx"), (vec![whole("")], Some(60)), "and then its end");
        assert_eq!(at(70, b"y\n10%\r20%"), (vec![whole("xy")], Some(80)), "what comes to its end in time is a line");
        assert_eq!(at(80, b"\r30%"), (vec![piece("10%\r20%\r30%")], None));
    }

    proptest! {
        #[test]
        fn pieces_joined_are_the_stream(
            reads in proptest::collection::vec((proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..30), 0i64..20), 0..20),
            limit in 1usize..20,
        ) {
            let (mut cutter, mut lines, mut now) = (Cutter::new(1, Cut { limit, piece_after: Some(10) }), Lines::default(), 0);
            for (read, pause) in &reads {
                cutter.push(read, now, &mut lines);
                now += pause;
                prop_assert!(cutter.rest.is_empty() == cutter.due().is_never());
                cutter.tell_piece(now, &mut lines);
                prop_assert!(!cutter.due().is_over(now));
            }
            cutter.finish(&mut lines);
            let lines = all(&mut lines);
            prop_assert!(lines.iter().all(|line| line.bytes.len() <= limit && (line.whole || !line.bytes.is_empty())));
            let joined: Vec<u8> = lines.iter().flat_map(|line| line.bytes.iter().copied().chain(line.whole.then_some(b'\n'))).collect();
            prop_assert_eq!(joined, reads.into_iter().flat_map(|(read, _)| read).collect::<Vec<u8>>());
        }

        #[test]
        fn lines_come_out_as_they_went_in(
            said in proptest::collection::vec((1i32..3, 0usize..40_000, any::<bool>()), 0..20),
        ) {
            let mut lines = Lines::default();
            let said: Vec<Line> = said.into_iter().map(|(stream, length, whole)| Line { stream, bytes: vec![b'x'; length], whole }).collect();
            for line in &said {
                let (first, second) = line.bytes.split_at(line.bytes.len() / 3);
                lines.push(line.stream, [first, second], line.whole);
            }
            prop_assert_eq!(lines.len(), said.len());
            prop_assert_eq!(all(&mut lines), said);
        }

        #[test]
        fn rp35_joined_again_it_is_the_stream(
            reads in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..30), 0..20),
            limit in 1usize..20,
        ) {
            let reads: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
            let lines = cut(limit, &reads);
            prop_assert!(lines.iter().all(|(bytes, _)| bytes.len() <= limit && !bytes.contains(&b'\n')));
            let joined: Vec<u8> = lines.iter().flat_map(|(bytes, whole)| bytes.iter().copied().chain(whole.then_some(b'\n'))).collect();
            prop_assert_eq!(joined, reads.concat());
        }
    }
}
