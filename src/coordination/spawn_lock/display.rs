//! What a lock file says of its holder: a process id, for people. It is never asked who holds the lock: it may be empty, of a process that has died,
//! of one that has got the number since, or anything at all.
//!
//! The trap: a path that was given by mistake must not cost a file. So it is written only over nothing, or over what is a process id and nothing else.

use std::os::fd::OwnedFd;

use crate::sys::{getpid, lockfile};

/// A number of at most ten digits, spaces, a newline: always as long, so that the next holder's covers it.
const LENGTH: usize = 11;
/// What is no longer than this may be another's way to write one.
const LONGEST: usize = 32;

/// What this process will say, when it has the lock.
#[derive(Debug)]
pub struct Word(Option<[u8; LENGTH]>);

impl Word {
    /// Nothing, where something else is in the file. To be asked before the lock is: to read is told to all who wait for it (IN_ACCESS), and who
    /// has just got it has no time.
    pub fn over(file: &OwnedFd) -> Self {
        let mut there = [0; LONGEST + 1];
        let may = lockfile::read(file, &mut there).is_ok_and(|count| count == 0 || parse(&there[..count]).is_some());
        let text = || format!("{:<width$}\n", getpid(), width = LENGTH - 1);
        Self(may.then(text).and_then(|text| text.as_bytes().try_into().ok()))
    }

    /// Says that this process has it. Where that cannot be written it stays unsaid.
    pub fn write(&self, file: &OwnedFd) {
        if let Self(Some(text)) = self {
            let _ = lockfile::write(file, text);
        }
    }
}

/// Who has it, as the file says.
pub fn read(file: &OwnedFd) -> Option<i32> {
    let mut there = [0; LONGEST + 1];
    let count = lockfile::read(file, &mut there).ok()?;
    parse(&there[..count])
}

fn parse(text: &[u8]) -> Option<i32> {
    if text.len() > LONGEST {
        return None;
    }
    let text = core::str::from_utf8(text).ok()?.trim_end_matches([' ', '\n']);
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok().filter(|pid| *pid > 0))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::memfd;

    fn holding(text: &[u8]) -> OwnedFd {
        let file = memfd::create(c"lock").unwrap();
        if !text.is_empty() {
            lockfile::write(&file, text).unwrap();
        }
        file
    }

    fn content(file: &OwnedFd) -> Vec<u8> {
        let mut bytes = [0; 64];
        let count = lockfile::read(file, &mut bytes).unwrap();
        bytes[..count].to_vec()
    }

    #[test]
    fn it_is_written_over_nothing_and_over_a_number() {
        for text in [&b""[..], b"1", b"4711\n", b"2147483647\n", b"12        \n"] {
            let file = holding(text);
            Word::over(&file).write(&file);
            assert_eq!(read(&file), Some(getpid()));
            assert_eq!(content(&file).len(), LENGTH, "{text:?}");
        }
    }

    #[test]
    fn what_is_something_else_stays_as_it_is() {
        for text in [
            &b"root:x:0:0:\n"[..],
            b"-5\n",
            b"0\n",
            b"99999999999\n",
            b"\xff",
            b"12 34\n",
            b" 12\n",
            b"1111111111111111111111111111111111\n",
        ] {
            let file = holding(text);
            Word::over(&file).write(&file);
            assert_eq!((content(&file), read(&file)), (text.to_vec(), None));
        }
    }
}
