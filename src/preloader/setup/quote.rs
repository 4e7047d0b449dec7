//! Words for a shell.
//!
//! The trap: within single quotes a shell of any kind leaves every byte as it is but the quote itself; nothing else is so simple.

use crate::process::command::Command;

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

/// What needs no quotes.
fn is_plain(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_@%+:,./-".contains(byte))
}

/// Program and arguments as one line.
pub fn line(command: &Command) -> String {
    let mut text = Vec::new();
    for (at, part) in [command.program()].into_iter().chain(command.args().iter().map(|arg| &**arg)).enumerate() {
        if at > 0 {
            text.push(b' ');
        }
        let part = part.to_bytes();
        if is_plain(part) { text.extend_from_slice(part) } else { word(&mut text, part) }
    }
    String::from_utf8_lossy(&text).into_owned()
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

    // covers: P-b8
    #[test]
    fn a_line_is_what_a_shell_reads_as_these_words() {
        let mut command = Command::new("ruby").unwrap();
        for arg in ["-e", "puts 'a'; b", "", "$(id)", "plain/word.rb"] {
            command.arg(arg).unwrap();
        }
        assert_eq!(line(&command), r"ruby -e 'puts '\''a'\''; b' '' '$(id)' plain/word.rb");
    }
}
