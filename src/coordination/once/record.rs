//! What stands in `NAME.run`: who was born with that lock.
//!
//! The trap: a pid in a file is anybody's by the time it is read. It says which process to look at, and no more; that it is the one that was born is
//! believed only if the kernel says the same of it as its birth certificate does, in the same boot of the machine and the same pid namespace.
//!
//! Text, for people; of one length, with everything at its place, for the child that fills it in (`sys/spawn/birth.rs`):
//!
//! ```text
//! procsup once 1
//! boot 01234567-89ab-cdef-0123-456789abcdef
//! namespace 00000000f0000001
//! starter 0000012345
//! pid 0000000000          blank until the birth: the last three lines are the child's
//! pidfs 0000000000000000
//! stat 12346 (sh) S 1 ...
//! ```

pub use crate::sys::identity::Marks as Born;
use crate::sys::identity::Place;
use crate::sys::spawn::{BIRTH_LENGTH, Birth, BirthPlaces};

/// So long is a record.
pub const LENGTH: usize = BIRTH_LENGTH;

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where the number of who was born is his.
    pub place: Place,
    /// Who wrote it; for display.
    pub starter: i32,
    /// Who was born, if anybody was.
    pub born: Option<Born>,
}

const HEAD: &[u8] = b"procsup once 1\nboot ";
const BOOT: usize = 36;
const NAMESPACE: &[u8] = b"\nnamespace ";
const STARTER: &[u8] = b"\nstarter ";
const PID: &[u8] = b"\npid ";
const PIDFS: &[u8] = b"\npidfs ";
const STAT: &[u8] = b"\nstat ";
const DECIMAL: usize = 10;
const HEX: usize = 16;

const PID_AT: usize = HEAD.len() + BOOT + NAMESPACE.len() + HEX + STARTER.len() + DECIMAL + PID.len();
const INODE_AT: usize = PID_AT + DECIMAL + PIDFS.len();
const STAT_AT: usize = INODE_AT + HEX + STAT.len();

/// Where the child puts what it knows.
pub const PLACES: BirthPlaces = BirthPlaces { pid: PID_AT, inode: INODE_AT, stat: STAT_AT };

/// A record of nobody yet.
pub fn unborn(boot: &str, namespace: u64, starter: i32) -> [u8; LENGTH] {
    let mut text = Vec::with_capacity(LENGTH);
    text.extend_from_slice(HEAD);
    text.extend_from_slice(format!("{boot:-<BOOT$.BOOT$}").as_bytes());
    text.truncate(HEAD.len() + BOOT);
    text.extend_from_slice(NAMESPACE);
    text.extend_from_slice(format!("{namespace:016x}").as_bytes());
    text.extend_from_slice(STARTER);
    text.extend_from_slice(format!("{starter:010}").as_bytes());
    text.extend_from_slice(PID);
    text.extend_from_slice(&[b'0'; DECIMAL]);
    text.extend_from_slice(PIDFS);
    text.extend_from_slice(&[b'0'; HEX]);
    text.extend_from_slice(STAT);
    let mut bytes = [b' '; LENGTH];
    bytes[..text.len()].copy_from_slice(&text);
    bytes[LENGTH - 1] = b'\n';
    bytes
}

/// What a child is to write down, into the file of this number in it; and what it lets go of afterwards.
pub fn birth(bytes: &[u8; LENGTH], record: i32, release: i32) -> Birth {
    Birth { bytes: *bytes, places: PLACES, record, release }
}

/// Takes a record apart. `None`: these bytes are none.
pub fn parse(bytes: &[u8]) -> Option<Record> {
    if bytes.len() != LENGTH {
        return None;
    }
    let mut at = 0;
    let mut next = |length: usize| {
        at += length;
        &bytes[at - length..at]
    };
    let mut expect = |word: &[u8], length: usize| -> Option<&str> {
        if next(word.len()) != word {
            return None;
        }
        core::str::from_utf8(next(length)).ok()
    };
    let boot = expect(HEAD, BOOT)?;
    let namespace = u64::from_str_radix(digits(expect(NAMESPACE, HEX)?)?, 16).ok()?;
    let starter = digits(expect(STARTER, DECIMAL)?)?.parse().ok()?;
    let pid: i32 = digits(expect(PID, DECIMAL)?)?.parse().ok()?;
    let inode = u64::from_str_radix(digits(expect(PIDFS, HEX)?)?, 16).ok()?;
    expect(STAT, 0)?;
    let boot = if boot.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') { boot.trim_end_matches('-') } else { return None };
    let start = start_time(&bytes[STAT_AT..], pid);
    let born = (pid > 0).then_some(Born { pid, inode: (inode != 0).then_some(inode), start });
    Some(Record { place: Place { boot: boot.to_owned(), namespace }, starter, born })
}

/// Numbers as they are written: no sign, no blank.
fn digits(text: &str) -> Option<&str> {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(text)
}

/// Field 22 of proc_pid_stat(5), of a line that begins with this pid.
fn start_time(stat: &[u8], pid: i32) -> Option<u64> {
    let line = stat.split(|byte| *byte == b'\n').next()?;
    // The name may hold anything, blanks and brackets and bytes that are no text.
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let (head, fields) = (&line[..close], core::str::from_utf8(&line[close + 1..]).ok()?);
    let number = head.split(|byte| *byte == b' ').next().and_then(|number| core::str::from_utf8(number).ok())?;
    if number.parse() != Ok(pid) {
        return None;
    }
    fields.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOOT_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    /// What a child would make of it.
    fn born(bytes: &mut [u8; LENGTH], pid: &str, inode: &str, stat: &[u8]) {
        bytes[PLACES.pid..][..pid.len()].copy_from_slice(pid.as_bytes());
        bytes[PLACES.inode..][..inode.len()].copy_from_slice(inode.as_bytes());
        bytes[PLACES.stat..][..stat.len()].copy_from_slice(stat);
    }

    #[test]
    fn a_record_says_what_was_put_into_it() {
        let mut bytes = unborn(BOOT_ID, 0xf000_0001, 4711);
        let none = parse(&bytes).unwrap();
        assert_eq!(none, Record { place: Place { boot: BOOT_ID.into(), namespace: 0xf000_0001 }, starter: 4711, born: None });
        let stat = b"17 (a) (b S) S 1 17 17 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 987654 1 2 3\n";
        born(&mut bytes, "0000000017", "00000000000000ff", stat);
        assert_eq!(parse(&bytes).unwrap().born, Some(Born { pid: 17, inode: Some(255), start: Some(987_654) }));
        born(&mut bytes, "0000000018", "0000000000000000", b"");
        assert_eq!(parse(&bytes).unwrap().born, Some(Born { pid: 18, inode: None, start: None }), "the line is another's");
    }

    #[test]
    fn where_the_boot_is_not_known_the_record_says_so() {
        assert_eq!(parse(&unborn("", 0, 1)).unwrap().place.boot, "");
    }

    #[test]
    fn what_is_no_record_is_none() {
        for bytes in [&b""[..], b"4711\n", &[0; LENGTH], &[b'0'; LENGTH], &unborn(BOOT_ID, 1, 1)[..LENGTH - 1]] {
            assert_eq!(parse(bytes), None);
        }
        let mut signed = unborn(BOOT_ID, 1, 1);
        born(&mut signed, "-000000001", "", b"");
        assert_eq!(parse(&signed), None);
    }

    proptest! {
        #[test]
        fn bytes_that_anybody_wrote_are_read_without_harm(at in 0..LENGTH, bytes in proptest::collection::vec(any::<u8>(), 1..64)) {
            let mut record = unborn(BOOT_ID, 1, 1);
            for (place, byte) in (at..LENGTH).zip(bytes) {
                record[place] = byte;
            }
            if let Some(Record { born: Some(born), .. }) = parse(&record) {
                prop_assert!(born.pid > 0);
            }
        }
    }
}
