//! What a program has said that is over: its streams apart, whole up to a bound.

use super::kept::Kept;
use crate::error::{Error, Result};

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Said {
    streams: [Part; 2],
}

#[derive(Debug, Default)]
struct Part {
    bytes: Vec<u8>,
    lost: u64,
}

impl Said {
    /// What was kept of stream 1 and of stream 2; of one that went elsewhere there is nothing.
    pub fn new(kept: Vec<Kept>) -> Self {
        let mut said = Self::default();
        for (part, kept) in said.streams.iter_mut().zip(kept) {
            *part = Part { lost: kept.lost(), bytes: kept.into_bytes() };
        }
        said
    }

    fn part(&self, stream: i32) -> Result<&Part> {
        let place = usize::try_from(stream).ok().and_then(|number| number.checked_sub(1));
        let part = place.and_then(|place| self.streams.get(place));
        part.ok_or_else(|| Error::invalid("stream", format!("stream {stream} is not 1 or 2")))
    }

    /// The beginning of what it wrote to stream 1 or 2.
    pub fn bytes(&self, stream: i32) -> Result<&[u8]> {
        self.part(stream).map(|part| &part.bytes[..])
    }

    /// How many bytes followed that are not there; 0: that is all.
    pub fn lost(&self, stream: i32) -> Result<u64> {
        self.part(stream).map(|part| part.lost)
    }

    /// For an error: stream 1, then stream 2. Where there is no memory for both in one piece, the errors.
    pub fn into_bytes(self) -> Vec<u8> {
        let [mut first, mut second] = self.streams.map(|part| part.bytes);
        if first.is_empty() || first.try_reserve(second.len()).is_err() {
            return second;
        }
        first.append(&mut second);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::{End, Keep};
    use super::*;

    #[test]
    fn streams_have_numbers_and_an_error_has_them_in_a_row() {
        let keep = Keep { most: 3, end: End::First, apart: true };
        let (mut one, mut two) = (Kept::new(keep), Kept::new(keep));
        one.push(b"out");
        two.push(b"errors");
        let said = Said::new(vec![one, two]);
        assert_eq!((said.bytes(1).unwrap(), said.lost(1).unwrap()), (&b"out"[..], 0));
        assert_eq!((said.bytes(2).unwrap(), said.lost(2).unwrap()), (&b"err"[..], 3));
        assert!([0, 3, -1, i32::MIN].into_iter().all(|stream| said.bytes(stream).is_err() && said.lost(stream).is_err()));
        assert_eq!(said.into_bytes(), b"outerr");
        assert_eq!(Said::new(vec![]).bytes(2).unwrap(), b"");
    }
}
