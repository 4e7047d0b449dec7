//! A stream cut into lines: pure, bytes in, lines out.
//!
//! The trap: a read ends anywhere, also in the middle of a line or between two of them, and a line may have no end at all. So the
//! rest of a line waits here for more, but never more of it than the limit: then it goes as a piece. Nothing is decoded; putting
//! a newline behind every whole line and joining all gives the stream again, byte for byte.

/// The newline search is memchr's.
use memchr::memchr;

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

/// Cuts one stream.
#[derive(Debug)]
pub struct Cutter {
    stream: i32,
    limit: usize,
    rest: Vec<u8>,
}

impl Cutter {
    /// `limit`: the longest line that comes in one piece.
    pub fn new(stream: i32, limit: usize) -> Self {
        Self { stream, limit, rest: Vec::new() }
    }

    /// More of the stream.
    pub fn push(&mut self, mut bytes: &[u8], lines: &mut Vec<Line>) {
        while !bytes.is_empty() {
            let room = self.limit - self.rest.len();
            // A newline right behind a full line still ends it: one byte more is looked at.
            match memchr(b'\n', &bytes[..bytes.len().min(room + 1)]) {
                Some(at) => {
                    self.rest.extend_from_slice(&bytes[..at]);
                    bytes = &bytes[at + 1..];
                    self.emit(true, lines);
                }
                None if bytes.len() <= room => {
                    self.rest.extend_from_slice(bytes);
                    return;
                }
                None => {
                    self.rest.extend_from_slice(&bytes[..room]);
                    bytes = &bytes[room..];
                    self.emit(false, lines);
                }
            }
        }
    }

    /// The stream is over: what waits is the last piece.
    pub fn finish(&mut self, lines: &mut Vec<Line>) {
        if !self.rest.is_empty() {
            self.emit(false, lines);
        }
    }

    fn emit(&mut self, whole: bool, lines: &mut Vec<Line>) {
        lines.push(Line { stream: self.stream, bytes: std::mem::take(&mut self.rest), whole });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(limit: usize, reads: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let (mut cutter, mut lines) = (Cutter::new(1, limit), Vec::new());
        for read in reads {
            cutter.push(read, &mut lines);
        }
        cutter.finish(&mut lines);
        lines.into_iter().map(|line| (line.bytes, line.whole)).collect()
    }

    #[test]
    fn a_line_as_long_as_the_limit_is_whole() {
        assert_eq!(cut(3, &[b"abc\nd"]), [(b"abc".to_vec(), true), (b"d".to_vec(), false)]);
        assert_eq!(cut(3, &[b"abc", b"\n"]), [(b"abc".to_vec(), true)]);
        assert_eq!(cut(3, &[b"abcd\n"]), [(b"abc".to_vec(), false), (b"d".to_vec(), true)]);
        assert_eq!(cut(3, &[b"\n\n"]), [(vec![], true), (vec![], true)]);
    }

    proptest! {
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
