//! What is kept of what a child says, in bounded memory, and how much is missing.
//!
//! The trap: the child decides how much it says. So memory grows with what has come, is asked for fallibly, and ends at a limit; what is beyond is
//! counted. Of the last bytes the oldest give way. The first bytes are a beginning, and have no gap: once one of them was lost, all that follow are.

use std::collections::VecDeque;

use crate::sys::reserve;

/// Which bytes are kept of more than there is room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Those that came first: an answer is read from its beginning.
    First,
    /// Those that came last: a log says at its end why.
    Last,
}

/// What is to be kept of a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// So many bytes at the most.
    pub most: usize,
    /// Which.
    pub end: End,
    /// So many of each stream, not of both together.
    pub apart: bool,
}

/// What is kept of one stream, or of both in the order in which they came.
#[derive(Debug)]
pub struct Kept {
    bytes: VecDeque<u8>,
    most: usize,
    end: End,
    /// All that came.
    seen: u64,
}

impl Kept {
    /// Nothing yet.
    pub fn new(keep: Keep) -> Self {
        Self { bytes: VecDeque::new(), most: keep.most, end: keep.end, seen: 0 }
    }

    /// More of it.
    pub fn push(&mut self, bytes: &[u8]) {
        match self.end {
            End::Last => self.push_last(bytes),
            End::First if self.lost() == 0 => self.push_first(bytes),
            End::First => {}
        }
        self.seen = self.seen.saturating_add(bytes.len() as u64);
    }

    /// What is kept, in two pieces: no copy, it may be large.
    pub fn pieces(&self) -> [&[u8]; 2] {
        let (first, second) = self.bytes.as_slices();
        [first, second]
    }

    /// How many bytes came and are not kept.
    pub fn lost(&self) -> u64 {
        self.seen - self.bytes.len() as u64
    }

    /// What is kept, in one piece; takes no memory.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into()
    }

    /// Whether there is, or is to be had, room for so many more. What a child says must not eat the reserve that the reaps need.
    fn has_room(&mut self, count: usize) -> bool {
        let there = self.bytes.capacity() - self.bytes.len() >= count;
        there || (!reserve::is_short() && self.bytes.try_reserve(count).is_ok())
    }

    fn push_first(&mut self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.most - self.bytes.len())];
        if self.has_room(bytes.len()) {
            self.bytes.extend(bytes);
        }
    }

    fn push_last(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(self.most)..];
        let excess = (self.bytes.len() + bytes.len()).saturating_sub(self.most);
        self.bytes.drain(..excess);
        // Without memory for more, what is there makes room: a full machine costs output, not the host, and not what its reaps need.
        if !self.has_room(bytes.len()) {
            let room = self.bytes.capacity() - self.bytes.len();
            let needed = bytes.len().saturating_sub(room).min(self.bytes.len());
            self.bytes.drain(..needed);
        }
        let room = self.bytes.capacity() - self.bytes.len();
        self.bytes.extend(&bytes[bytes.len().saturating_sub(room)..]);
    }
}

/// The last of what stands in these pieces, at most so many bytes: a copy, for an error. Nothing, where there is no memory for it.
pub fn tail(pieces: &[&[u8]], most: usize) -> Vec<u8> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut skipped = length.saturating_sub(most);
    let Ok(mut tail) = reserve::room(length - skipped) else { return Vec::new() };
    for piece in pieces {
        let from = skipped.min(piece.len());
        tail.extend_from_slice(&piece[from..]);
        skipped -= from;
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_exactly_the_last_or_the_first_bytes_and_counts_the_others(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
            most in 0usize..64,
            first in any::<bool>(),
        ) {
            let end = if first { End::First } else { End::Last };
            let mut kept = Kept::new(Keep { most, end, apart: false });
            let mut all = Vec::new();
            for chunk in &chunks {
                kept.push(chunk);
                all.extend_from_slice(chunk);
                let length = all.len().min(most);
                let wanted = if first { &all[..length] } else { &all[all.len() - length..] };
                prop_assert_eq!(kept.pieces().concat(), wanted);
                prop_assert_eq!(kept.lost(), (all.len() - length) as u64);
                prop_assert_eq!(tail(&kept.pieces(), 7), &wanted[length.saturating_sub(7)..]);
            }
            let wanted = kept.pieces().concat();
            prop_assert_eq!(kept.into_bytes(), wanted);
        }
    }
}
