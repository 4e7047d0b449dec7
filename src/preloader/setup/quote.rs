//! Words for a shell.
//!
//! The trap: within single quotes a shell of any kind leaves every byte as it is but the quote itself; nothing else is so simple.

/// Appends one word: in single quotes, whatever it holds.
pub fn word(text: &mut Vec<u8>, word: &[u8]) {
    text.push(b'\'');
    for (at, part) in word.split(|byte| *byte == b'\'').enumerate() {
        if at > 0 {
            text.extend_from_slice(br"'\''");
        }
        text.extend_from_slice(part);
    }
    text.push(b'\'');
}

/// How long a word gets.
pub fn length(word: &[u8]) -> usize {
    word.len() + 2 + 3 * word.iter().filter(|byte| **byte == b'\'').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_as_long_as_is_said() {
        let mut text = Vec::new();
        word(&mut text, b"it''s");
        assert_eq!((text.len(), &*text), (length(b"it''s"), &br"'it'\'''\''s'"[..]));
    }
}
