//! The encoding of the crate postcard, as far as it is spoken here: numbers of 7 bits a byte, the low ones first; lengths in front of bytes.
//!
//! The trap: a length, or a count, is whatever a stranger has written. Nothing is reserved for it, and what is longer than the bytes that are there is no value.

/// A handoff, by a number that the supervisor makes: a UUID of version 4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// Of bytes that nobody else has.
    pub fn of(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Self(bytes)
    }

    /// The number that events and the record know it by.
    pub fn short(self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[8..]);
        u64::from_be_bytes(bytes)
    }
}

impl core::fmt::Display for Id {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// So much of a text, or of a build id, is kept.
pub const KEPT: usize = 512;

/// Bytes as they are written: here, and in the journal.
#[derive(Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn number(&mut self, mut number: u64) -> &mut Self {
        while number > 0x7F {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    pub fn id(&mut self, id: Id) -> &mut Self {
        self.number(16).raw(&id.0)
    }
}

/// Bytes as they are read.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.raw(1).map(|bytes| bytes[0])
    }

    /// A number of at most so many bits; one that is longer is none.
    pub fn number(&mut self, bits: u32) -> Option<u64> {
        let mut number = 0;
        for place in 0..bits.div_ceil(7) {
            let byte = self.byte()?;
            let value = u64::from(byte & 0x7F);
            let shift = 7 * place;
            if value.checked_shl(shift).is_none_or(|shifted| shifted >> shift != value) {
                return None;
            }
            number |= value << shift;
            if byte & 0x80 == 0 {
                return (bits == 64 || number >> bits == 0).then_some(number);
            }
        }
        None
    }

    pub fn short(&mut self) -> Option<u16> {
        self.number(16).map(|number| number as u16)
    }

    pub fn word(&mut self) -> Option<u32> {
        self.number(32).map(|number| number as u32)
    }

    pub fn long(&mut self) -> Option<u64> {
        self.number(64)
    }

    pub fn truth(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.long()?).ok()?;
        self.raw(length)
    }

    pub fn id(&mut self) -> Option<Id> {
        self.bytes()?.try_into().ok().map(Id)
    }

    pub fn text(&mut self) -> Option<String> {
        let text = core::str::from_utf8(self.bytes()?).ok()?;
        Some(kept(text).to_owned())
    }
}

/// The beginning of a text, cut between two characters.
pub fn kept(text: &str) -> &str {
    let end = (0..=text.len().min(KEPT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>()) {
            let mut bytes = Bytes::default();
            bytes.number(number);
            prop_assert_eq!(Reader(&bytes.0).long(), Some(number));
            prop_assert_eq!(Reader(&bytes.0).word(), u32::try_from(number).ok());
        }
    }
}
