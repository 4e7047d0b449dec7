//! Files of the kernel that are lines of a name and a number (memory.events of cgroup v2, /proc/vmstat), or one number (memory.peak).
//!
//! The trap: they are read where a child has ended, maybe because there is no memory left, so nothing is allocated; a file comes in pieces that end
//! anywhere; and what stands there may be anything where somebody has mounted something else. A number that is none, or too large for its type, is
//! not known.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;

/// What is read at once. A longer line is no line of these files, and is passed over.
const PORTION: usize = 2048;

/// Hands each line, without its end.
fn each_line(mut file: impl Read, mut hand: impl FnMut(&[u8])) -> bool {
    let (mut buffer, mut kept, mut too_long) = ([0; PORTION], 0, false);
    loop {
        let read = match file.read(&mut buffer[kept..]) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return false,
        };
        let end = kept + read;
        if read == 0 {
            if kept > 0 && !too_long {
                hand(&buffer[..kept]);
            }
            return true;
        }
        let mut begin = 0;
        while let Some(length) = memchr::memchr(b'\n', &buffer[begin..end]) {
            if !std::mem::take(&mut too_long) {
                hand(&buffer[begin..begin + length]);
            }
            begin += length + 1;
        }
        kept = end - begin;
        buffer.copy_within(begin..end, 0);
        if kept == PORTION {
            (kept, too_long) = (0, true);
        }
    }
}

/// Where the number of the last line with this name stands, if that line is there whole and not the first.
pub(super) fn last_line_of(text: &[u8], name: &str) -> Option<core::ops::Range<usize>> {
    let is_there =
        |at: usize| text[at] == b'\n' && text[at + 1..].starts_with(name.as_bytes()) && text.get(at + 1 + name.len()) == Some(&b' ');
    let begin = (0..text.len()).rev().find(|at| is_there(*at))? + name.len() + 2;
    let length = memchr::memchr(b'\n', &text[begin..])?;
    Some(begin..begin + length)
}

pub(super) fn number(digits: &[u8]) -> Option<u64> {
    // Not "+1", which parses.
    let digits = digits.first().is_some_and(u8::is_ascii_digit).then_some(digits)?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// The numbers of these names, of those that are there.
pub fn of_names<const N: usize>(file: OwnedFd, names: [&str; N]) -> [Option<u64>; N] {
    read_names(File::from(file), names)
}

fn read_names<const N: usize>(file: impl Read, names: [&str; N]) -> [Option<u64>; N] {
    let mut found = [None; N];
    let whole = each_line(file, |line| {
        for (name, found) in names.iter().zip(&mut found) {
            if let Some(rest) = line.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b" ")) {
                *found = number(rest);
            }
        }
    });
    // Half of a file is taken for none.
    if whole { found } else { [None; N] }
}

/// The one number of a file.
pub fn only(file: OwnedFd) -> Option<u64> {
    read_only(File::from(file))
}

fn read_only(file: impl Read) -> Option<u64> {
    let (mut found, mut lines) = (None, 0);
    let whole = each_line(file, |line| (found, lines) = (number(line), lines + 1));
    found.filter(|_| whole && lines == 1)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use super::*;

    /// Comes in pieces of so many bytes.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    struct Fails;

    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
    }

    #[test]
    fn names_are_found_however_the_file_comes() {
        let long = format!("low 0\n{} 3\noom 1\noom_kill 12\noom_group_kill 4\n", "x".repeat(3 * PORTION));
        for size in [1, 2, 3, 7, 64, 4096] {
            let found = read_names(Pieces(long.as_bytes(), size), ["oom", "oom_kill", "max"]);
            assert_eq!(found, [Some(1), Some(12), None], "in pieces of {size}");
        }
        assert_eq!(read_names(Cursor::new("oom_kill 7"), ["oom_kill"]), [Some(7)], "a last line without its end");
    }

    #[test]
    fn what_is_no_number_is_not_known() {
        for text in [
            "oom_kill -1\n",
            "oom_kill +1\n",
            "oom_kill 1 2\n",
            "oom_kill\n",
            "oom_kill \n",
            "oom_kill 18446744073709551616\n",
            "oom_kill\t1\n",
            "\0\0\0",
        ] {
            assert_eq!(read_names(Cursor::new(text), ["oom_kill"]), [None], "{text:?}");
        }
        assert_eq!(read_names(Cursor::new("oom_kill 18446744073709551615\n"), ["oom_kill"]), [Some(u64::MAX)]);
        assert_eq!(read_names(Cursor::new("oom_kill 1\n").chain(Fails), ["oom_kill"]), [None], "half of a file");
        for (text, found) in [("4096\n", Some(4096)), ("max\n", None), ("", None), ("1\n2\n", None), ("1", Some(1))] {
            assert_eq!(read_only(Cursor::new(text)), found, "{text:?}");
        }
        assert_eq!(read_only(Fails), None);
    }
}
