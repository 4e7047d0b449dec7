//! The journal of protocol v1: how far the handoff of a supervisor was when it was last seen alive. For people, and for the crate's own tools.
//!
//! Nothing is decided by it. What is true is what the processes say; a file tells what was true, and of a machine that has lost power nobody
//! is left to be told of. So a journal that cannot be written is a note and never an error of a handoff, and it is not flushed to the disk: the crate does that
//! ten times in each handoff, six of them while nobody serves, and kills a successor for a disk that is full.
//!
//! The file is `supervisor/journal.rs`.
//!
//! | bytes   | field                                                                    |
//! |---------|--------------------------------------------------------------------------|
//! | 17      | the handoff: 16, and its UUID                                            |
//! | 1       | phase, in the order of [`Phase`]                                         |
//! | varint  | number of the process that is replaced (the crate writes its supervisor's own) |
//! | 1, varint | whether there is a successor, and its number                           |
//! | varint  | when it began, milliseconds since 1970                                   |

use std::path::Path;

use super::encoding::{Bytes, Reader};
use super::wire::Id;
use crate::error::Result;
use crate::handoff::supervisor::journal::{File, Kind};

/// The longest that there can be has 43.
const LONGEST: usize = 256;

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Phase {
    /// Both have greeted.
    Negotiating = 0,
    /// The incumbent has drained.
    Draining = 1,
    /// It has sealed.
    Sealing = 2,
    /// The successor was told to begin.
    AwaitingReady = 3,
    /// The incumbent was told to exit.
    Committed = 4,
    /// It was told to go on.
    ResumingAfterAbort = 5,
}

impl Phase {
    fn of(number: u32) -> Option<Self> {
        use Phase as P;
        [P::Negotiating, P::Draining, P::Sealing, P::AwaitingReady, P::Committed, P::ResumingAfterAbort].get(number as usize).copied()
    }
}

/// One handoff.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Which.
    pub id: Id,
    /// How far.
    pub phase: Phase,
    /// Whom it replaces; for display.
    pub incumbent: u32,
    /// By whom.
    pub successor: Option<u32>,
    /// Milliseconds since 1970.
    pub began: u64,
}

impl Entry {
    /// As it stands in the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        bytes.id(self.id).number(self.phase as u64).number(self.incumbent.into());
        match self.successor {
            None => bytes.raw(&[0]),
            Some(pid) => bytes.raw(&[1]).number(pid.into()),
        };
        bytes.number(self.began);
        bytes.0
    }

    /// Read; what is behind it is not looked at.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (id, phase, incumbent) = (reader.id()?, Phase::of(reader.word()?)?, reader.word()?);
        let successor = match reader.raw(1)? {
            [0] => None,
            [1] => Some(reader.word()?),
            _ => return None,
        };
        Some(Self { id, phase, incumbent, successor, began: reader.long()? })
    }
}

/// The file.
#[derive(Debug)]
pub struct Journal(File);

impl Journal {
    /// At this path. Nothing is done there yet.
    pub fn at(path: &Path) -> Result<Self> {
        File::at(path, Kind { longest: LONGEST, is_one: |bytes| Entry::of(bytes).is_some(), decides: false }).map(Self)
    }

    /// What an earlier supervisor has left. `PROTOCOL`: it is no journal; it stays where it is.
    pub fn read(&self) -> Result<Option<Entry>> {
        Ok(self.0.read()?.and_then(|bytes| Entry::of(&bytes)))
    }

    /// Writes it, whole or not at all. Nobody but a reader of [`Journal::trouble`] hears of a failure.
    pub fn write(&mut self, entry: &Entry) {
        self.0.write(&entry.bytes());
    }

    /// It is over. What is no journal stays.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Why it could not be written, the last time; for display.
    pub fn trouble(&self) -> Option<&str> {
        self.0.trouble.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use nix::sys::stat::Mode;

    use super::*;
    use crate::error::Status;
    use crate::sys::getpid;

    const ID: Id = Id([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    const ENTRY: Entry = Entry { id: ID, phase: Phase::Sealing, incumbent: 1234, successor: Some(1235), began: 1_700_000_000_000 };

    fn home() -> (tempfile::TempDir, Journal) {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::at(&home.path().join("state.bin")).unwrap();
        (home, journal)
    }

    fn names(home: &tempfile::TempDir) -> Vec<OsString> {
        let mut names: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    // covers: HO-9
    #[test]
    fn an_entry_has_the_bytes_of_the_reference() {
        let bytes = [&[0x10][..], &ID.0, &[0x02, 0xD2, 0x09, 0x01, 0xD3, 0x09, 0x80, 0xD0, 0x95, 0xFF, 0xBC, 0x31]].concat();
        assert_eq!(ENTRY.bytes(), bytes);
        assert_eq!(Entry::of(&bytes), Some(ENTRY));
        for phase in 0..6 {
            let entry = Entry { phase: Phase::of(phase).unwrap(), successor: None, ..ENTRY };
            assert_eq!(Entry::of(&entry.bytes()), Some(entry));
        }
        assert_eq!(Phase::of(6), None);
        (0..bytes.len()).for_each(|end| assert_eq!(Entry::of(&bytes[..end]), None, "cut at {end}"));
    }

    // covers: HO-9
    #[test]
    fn it_is_written_whole_read_again_and_taken_away() {
        let (home, mut journal) = home();
        assert_eq!(journal.read().unwrap(), None);
        journal.write(&ENTRY);
        assert_eq!(journal.trouble(), None);
        assert_eq!(journal.read().unwrap(), Some(ENTRY));
        std::fs::write(home.path().join(format!("state.bin.{}.tmp", getpid())), "left by one that was killed").unwrap();
        let next = Entry { phase: Phase::Committed, ..ENTRY };
        journal.write(&next);
        assert_eq!(journal.read().unwrap(), Some(next));
        assert_eq!(names(&home), ["state.bin"]);
        journal.clear();
        assert_eq!(names(&home), [""; 0]);
        journal.clear();
        assert_eq!(journal.trouble(), None);
    }

    // covers: HO-9, B17
    #[test]
    fn one_that_cannot_be_read_is_an_error_and_nothing_is_lost() {
        let (home, mut journal) = home();
        for bytes in [&b""[..], b"x", &[0xFF; 300]] {
            std::fs::write(home.path().join("state.bin"), bytes).unwrap();
            assert_eq!(journal.read().unwrap_err().status, Status::Protocol);
            journal.clear();
            assert_eq!(names(&home), ["state.bin"], "it stays");
        }
        journal.write(&ENTRY);
        assert_eq!(names(&home), ["state.bin", "state.bin.corrupt"]);
        assert_eq!(std::fs::read(home.path().join("state.bin.corrupt")).unwrap(), [0xFF; 300]);
        assert_eq!(journal.read().unwrap(), Some(ENTRY));
    }

    // covers: B17, LAW-17
    #[test]
    fn whatever_lies_there_is_neither_followed_nor_waited_for() {
        let (home, mut journal) = home();
        let path = home.path().join("state.bin");
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(journal.read().unwrap_err().status, Status::Protocol);
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        assert_eq!(journal.read().unwrap_err().status, Status::Protocol);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir_all(path.join("full")).unwrap();
        journal.write(&ENTRY);
        assert!(names(&home).iter().any(|name| name == "state.bin.corrupt"), "a directory is set aside like anything else");
        let mut nowhere = Journal::at(&home.path().join("none/state.bin")).unwrap();
        nowhere.write(&ENTRY);
        assert!(nowhere.trouble().unwrap().contains("cannot be written"));
        assert_eq!(nowhere.read().unwrap(), None);
    }
}
