//! A command as a line for a shell, and a command of such a line.
//!
//! The trap: a line is bytes, not text, and a word of it may be no UTF-8. What means anything to a shell is ASCII, so where a line is split each byte
//! stands for a character of its own (as in ISO 8859-1), and comes back as the byte that it was.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::Command;
use crate::error::{Error, Result};
use crate::process::quote;
use crate::sys::reserve;

impl Command {
    /// Program and arguments as one line that a POSIX shell reads as just these words.
    pub fn line(&self) -> Result<Vec<u8>> {
        let args = || self.args().iter().map(|arg| arg.as_bytes());
        let length = quote::length(self.program().to_bytes()) + args().map(|arg| quote::length(arg) + 1).sum::<usize>();
        // One more than is needed, for who ends it with a NUL.
        let mut text = reserve::room(length + 1)?;
        quote::line(&mut text, self.program().to_bytes(), args());
        Ok(text)
    }

    /// The command of such a line: its words, as a POSIX shell splits and unquotes them. Nothing is expanded, and there are no operators.
    pub fn of_line(line: &[u8]) -> Result<Self> {
        // A byte above ASCII takes two here, and each word a string of its own.
        reserve::check(line.len().saturating_mul(2))?;
        let text: String = line.iter().map(|byte| char::from(*byte)).collect();
        let words = shell_words::split(&text).map_err(|_| Error::invalid("line", "line: a quote in it is not closed"))?;
        let mut words = words.into_iter().map(|word| word.chars().map(|character| character as u8).collect::<Vec<u8>>());
        let program = words.next().ok_or_else(|| Error::invalid("line", "line: there is no word in it"))?;
        let mut command = Self::new(OsStr::from_bytes(&program))?;
        for word in words {
            command.arg(OsStr::from_bytes(&word))?;
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &[u8]) -> Vec<Vec<u8>> {
        let command = Command::of_line(line).unwrap();
        let program = command.program().to_bytes().to_vec();
        std::iter::once(program).chain(command.args().iter().map(|arg| arg.to_bytes().to_vec())).collect()
    }

    #[test]
    fn words_are_split_and_unquoted_and_nothing_more() {
        assert_eq!(words(b"  a\tb\nc "), [b"a", b"b", b"c"]);
        assert_eq!(words(br#"a "b \" \\ \x $X" 'c \' d\ e"#), [&b"a"[..], br#"b " \ \x $X"#, br"c \", b"d e"]);
        assert_eq!(words(b"a \\\n  b\\\nc \"d\\\ne\" 'f\\\ng'"), [&b"a"[..], b"bc", b"de", b"f\\\ng"]);
        assert_eq!(words(b"a '' \"\" b''c # no 'more\n d#e"), [&b"a"[..], b"", b"", b"bc", b"d#e"]);
        assert_eq!(words(b"~ * | > $HOME `x` A=b ! \xff\xfe"), [&b"~"[..], b"*", b"|", b">", b"$HOME", b"`x`", b"A=b", b"!", b"\xff\xfe"]);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in [&b""[..], b" \n\t", b"# only", b"''", b"a 'b", b"a \"b", b"a \"b\\", b"a\0b", b"a 'b\0'"] {
            let error = Command::of_line(line).unwrap_err();
            assert_eq!(error.status, crate::error::Status::InvalidArgument, "{line:?}");
        }
    }

    /// Words of what is special to shells, and of anything else but NUL.
    fn any_word(least: usize) -> impl Strategy<Value = Vec<u8>> {
        let signs = br#" '"\$`!#~*?[]{}()<>|&;=%^,:-/aB0"#;
        let special = proptest::sample::select([&signs[..], b"\n\t\r\xff\xc3"].concat());
        proptest::collection::vec(prop_oneof![special, 1u8..=255], least..8)
    }

    proptest! {
        #[test]
        fn a_command_comes_back_from_its_line(program in any_word(1), args in proptest::collection::vec(any_word(0), 0..5)) {
            let mut command = Command::new(OsStr::from_bytes(&program)).unwrap();
            for arg in &args {
                command.arg(OsStr::from_bytes(arg)).unwrap();
            }
            let line = command.line().unwrap();
            prop_assert!(line.capacity() > line.len());
            let again = Command::of_line(&line).unwrap();
            prop_assert_eq!(again.program(), command.program());
            prop_assert_eq!(again.args(), command.args());
        }
    }
}
