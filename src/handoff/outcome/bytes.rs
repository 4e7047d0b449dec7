//! A record in a message: one value of fixed numbers, then three texts with their lengths. What is behind them comes from a later version.
//!
//! The trap: it may come from anybody who may hand over, and from any version. So whatever makes no sense makes the whole record none, which is
//! skipped, and never the message.

use super::{BuildId, Connections, LONGEST_WORDS, Outcome, STEPS, shortened};
use crate::channel::tlv::Cursor;
use crate::error::Status;
use crate::handoff::machine::Mode;
use crate::handoff::machine::standing::Standing;

/// As bits of its first byte.
const COMMITTED: u8 = 1;
const UNSEALED: u8 = 2;

impl Outcome {
    /// The bytes of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = shortened(&self.words);
        let mut bytes = Vec::with_capacity(256 + words.len());
        let flags = if self.committed { COMMITTED } else { 0 } | if self.unsealed { UNSEALED } else { 0 };
        bytes.extend_from_slice(&[flags, u8::from(self.mode == Mode::Overlap), self.phase as u8, 0]);
        bytes.extend_from_slice(&(self.reason as i32).to_le_bytes());
        bytes.extend_from_slice(&self.id.to_le_bytes());
        [self.old_pid, self.new_pid].iter().for_each(|pid| bytes.extend_from_slice(&pid.to_le_bytes()));
        [self.old_generation, self.new_generation].iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        let times = [self.began, self.began_realtime, self.ended].into_iter().chain(self.times);
        times.for_each(|time| bytes.extend_from_slice(&time.to_le_bytes()));
        let Connections { open, passed, taken, left } = self.connections;
        [open, passed, taken, left].iter().for_each(|count| bytes.extend_from_slice(&count.to_le_bytes()));
        for text in [self.old_build.bytes(), self.new_build.bytes(), words.as_bytes()] {
            bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
            bytes.extend_from_slice(text);
        }
        bytes
    }

    /// The record, if these are the bytes of one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (flags, mode, phase, _) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
        // One that is not known here is of a later version.
        let reason = Status::from_repr(cursor.u32()? as i32).unwrap_or(Status::Aborted);
        let id = cursor.u64()?;
        let (old_pid, new_pid) = (cursor.u32()? as i32, cursor.u32()? as i32);
        let (old_generation, new_generation) = (cursor.u64()?, cursor.u64()?);
        let (began, began_realtime, ended) = (cursor.span()?, cursor.span()?, cursor.span()?);
        let mut times = [0; STEPS];
        for time in &mut times {
            *time = cursor.span()?;
        }
        let connections = Connections { open: cursor.u32()?, passed: cursor.u32()?, taken: cursor.u32()?, left: cursor.u32()? };
        let mut text = || {
            let length = cursor.u16()?;
            cursor.bytes(usize::from(length))
        };
        let (old_build, new_build, words) = (BuildId::from_bytes(text()?)?, BuildId::from_bytes(text()?)?, text()?);
        if words.len() > LONGEST_WORDS || old_pid < 0 || new_pid < 0 {
            return None;
        }
        let words = shortened(&String::from_utf8_lossy(words)).to_owned();
        Some(Self {
            id,
            committed: flags & COMMITTED != 0,
            reason,
            words,
            phase: Standing::from_repr(i32::from(phase))?,
            mode: Mode::from_repr(i32::from(mode))?,
            unsealed: flags & UNSEALED != 0,
            old_pid,
            new_pid,
            old_generation,
            new_generation,
            old_build,
            new_build,
            began,
            began_realtime,
            times,
            ended,
            connections,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_record_reads_as_it_was_written() {
        let outcome = sample();
        assert_eq!(Outcome::from_bytes(&outcome.to_bytes()), Some(outcome.clone()));
        let mut later = outcome.to_bytes();
        later.extend_from_slice(b"of a later version");
        assert_eq!(Outcome::from_bytes(&later), Some(outcome));
    }

    #[test]
    fn words_that_are_too_long_are_cut_where_a_letter_ends() {
        let mut outcome = sample();
        outcome.words = "\u{20ac}".repeat(400);
        let read = Outcome::from_bytes(&outcome.to_bytes()).unwrap();
        assert_eq!(read.words, "\u{20ac}".repeat(LONGEST_WORDS / 3));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Outcome::from_bytes(&bytes);
        }

        #[test]
        fn a_changed_byte_or_a_cut_is_read_without_harm(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let mut bytes = sample().to_bytes();
            let place = at % bytes.len();
            bytes[place] = byte;
            bytes.truncate(cut);
            if let Some(read) = Outcome::from_bytes(&bytes) {
                prop_assert!(read.words.len() <= LONGEST_WORDS && read.gap() >= 0);
                prop_assert_eq!(Outcome::from_bytes(&read.to_bytes()), Some(read));
            }
        }
    }
}
