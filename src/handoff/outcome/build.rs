//! Which build a generation is: a name that the application gives itself, for people who look at what has replaced what.
//!
//! The trap: it comes from another process, and goes to pages, logs and terminals. So it is short, printable ASCII, or it is none.

use crate::error::{Error, Result};

/// The longest, bytes.
pub const LONGEST: usize = 64;

/// 1 to 64 printable bytes; or none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BuildId {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Default for BuildId {
    fn default() -> Self {
        Self { bytes: [0; LONGEST], length: 0 }
    }
}

impl BuildId {
    /// From the wire; `None` if it is too long or not printable. No bytes at all are none.
    pub fn from_bytes(given: &[u8]) -> Option<Self> {
        if given.len() > LONGEST || !given.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return None;
        }
        let mut id = Self { length: given.len() as u8, ..Self::default() };
        id.bytes[..given.len()].copy_from_slice(given);
        Some(id)
    }

    /// As the application gives it.
    pub fn given(name: &'static str, given: &[u8]) -> Result<Self> {
        let wrong = || Error::invalid(name, format!("{name}: 1 to {LONGEST} printable bytes (ASCII)"));
        if given.is_empty() { Err(wrong()) } else { Self::from_bytes(given).ok_or_else(wrong) }
    }

    /// The text; empty: none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl core::fmt::Debug for BuildId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_printable_text_is_a_build() {
        assert_eq!(BuildId::given("b", b"v1.2 <b>").unwrap().text(), "v1.2 <b>");
        assert!(BuildId::given("b", &[b'x'; LONGEST]).is_ok());
        for wrong in [&b""[..], &[b'x'; LONGEST + 1], b"a\nb", "gr\u{fc}n".as_bytes(), b"\x1b[m", b"\x7f"] {
            assert!(BuildId::given("b", wrong).is_err(), "{wrong:?}");
        }
        assert!(BuildId::from_bytes(b"").unwrap().is_empty());
    }
}
