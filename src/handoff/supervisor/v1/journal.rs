//! The journal of protocol v1: how far the handoff of a supervisor was when it was last seen alive. For people, and for the crate's own tools.
//!
//! Nothing is decided by it. What is true is what the processes say; a file tells what was true, and of a machine that has lost power nobody
//! is left to be told of. So a journal that cannot be written is a note and never an error of a handoff, and it is not flushed to the disk: the crate does that
//! ten times in each handoff, six of them while nobody serves, and kills a successor for a disk that is full.
//!
//! The trap: what has its name may be anything. It is read as a stranger's file (`sys/foreign_file.rs`), written under another name of its directory
//! and renamed, and one that nobody can read is set aside, not written over.
//!
//! | bytes   | field                                                                    |
//! |---------|--------------------------------------------------------------------------|
//! | 17      | the handoff: 16, and its UUID                                            |
//! | 1       | phase, in the order of [`Phase`]                                         |
//! | varint  | number of the process that is replaced (the crate writes its supervisor's own) |
//! | 1, varint | whether there is a successor, and its number                           |
//! | varint  | when it began, milliseconds since 1970                                   |

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::encoding::{Bytes, Reader};
use super::wire::Id;
use crate::error::{Error, Result, Status};
use crate::sys::directory::{Directory, Inode};
use crate::sys::{Fault, foreign_file, getpid, tree};

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
pub struct Journal {
    path: PathBuf,
    /// Why it could not be written, the last time; for display.
    pub trouble: Option<String>,
}

impl Journal {
    /// At this path. Nothing is done there yet.
    pub fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|error| Error::relative("journal", &error))?;
        if path.file_name().is_none() {
            return Err(Error::invalid("journal", format!("journal: {} is no file", path.display())));
        }
        Ok(Self { path, trouble: None })
    }

    fn place(&self) -> std::result::Result<(Directory, &OsStr), Errno> {
        Ok((Directory::of(&self.path)?, self.path.file_name().ok_or(Errno::EISDIR)?))
    }

    /// What an earlier supervisor has left. `PROTOCOL`: it is no journal; it stays where it is.
    pub fn read(&self) -> Result<Option<Entry>> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let cannot = |errno| Error::system("open", errno, format!("cannot read the journal {}", self.path.display()));
        let directory = match tree::hold_place(parent) {
            Ok(directory) => directory,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(cannot(errno)),
        };
        let name = self.path.file_name().unwrap_or_default();
        match foreign_file::read(&directory, name, LONGEST) {
            Ok(None) => Ok(None),
            Ok(Some(contents)) => match Entry::of(&contents.bytes) {
                Some(entry) => Ok(Some(entry)),
                None => Err(self.is_none(format!("has {} bytes that are no journal", contents.bytes.len()))),
            },
            Err(foreign_file::Refusal::Cannot(errno)) => Err(cannot(errno)),
            Err(refusal) => Err(self.is_none(refusal.why())),
        }
    }

    fn is_none(&self, why: String) -> Error {
        Error::new(Status::Protocol, "journal", format!("the journal {} {why}", self.path.display()))
    }

    /// Writes it, whole or not at all. Nobody but a reader of `trouble` hears of a failure.
    pub fn write(&mut self, entry: &Entry) {
        self.trouble = self.try_write(entry).err().map(|fault| self.words(fault));
    }

    fn words(&self, fault: Fault) -> String {
        format!("the journal {} cannot be written: {}: {}", self.path.display(), fault.step, fault.errno.desc())
    }

    fn try_write(&self, entry: &Entry) -> std::result::Result<(), Fault> {
        let (directory, name) = self.place().map_err(Fault::of("open"))?;
        self.set_aside(&directory, name);
        let mut own: OsString = name.to_owned();
        own.push(format!(".{}.tmp", getpid()));
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NONBLOCK;
        let open = || directory.open(&own, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        let file = match open() {
            // A supervisor of this number was killed while it wrote.
            Err(Errno::EEXIST) => {
                let left = directory.look(&own).map_err(Fault::of("fstatat"))?;
                directory.remove(&own, Inode::from(&left)).map_err(Fault::of("unlink"))?;
                open()
            }
            other => other,
        };
        let file = file.map_err(Fault::of("open"))?;
        let written = fill(&file, &entry.bytes()).map_err(Fault::of("write"));
        let written = written.and_then(|()| directory.rename(&own, name).map_err(Fault::of("rename")));
        if written.is_err()
            && let Ok(made) = nix::sys::stat::fstat(&file)
        {
            let _ = directory.remove(&own, Inode::from(&made));
        }
        written
    }

    /// What lies there and is no journal is somebody's: it gets another name.
    fn set_aside(&self, directory: &Directory, name: &OsStr) {
        let is_strange = self.read().is_err_and(|error| error.status == Status::Protocol);
        if is_strange {
            let mut other: OsString = name.to_owned();
            other.push(".corrupt");
            let _ = directory.rename(name, &other);
        }
    }

    /// It is over. What is no journal stays.
    pub fn clear(&mut self) {
        let cleared = self.place().and_then(|(directory, name)| {
            if !matches!(self.read(), Ok(Some(_))) {
                return Ok(());
            }
            let found = directory.look(name)?;
            directory.remove(name, Inode::from(&found))
        });
        match cleared {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => self.trouble = Some(self.words(Fault { step: "unlink", errno })),
        }
    }
}

fn fill(file: &OwnedFd, mut bytes: &[u8]) -> std::result::Result<(), Errno> {
    while !bytes.is_empty() {
        match nix::unistd::write(file, bytes) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
            Ok(0) => return Err(Errno::EIO),
            Ok(count) => bytes = &bytes[count..],
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(journal.trouble, None);
        assert_eq!(journal.read().unwrap(), Some(ENTRY));
        std::fs::write(home.path().join(format!("state.bin.{}.tmp", getpid())), "left by one that was killed").unwrap();
        let next = Entry { phase: Phase::Committed, ..ENTRY };
        journal.write(&next);
        assert_eq!(journal.read().unwrap(), Some(next));
        assert_eq!(names(&home), ["state.bin"]);
        journal.clear();
        assert_eq!(names(&home), [""; 0]);
        journal.clear();
        assert_eq!(journal.trouble, None);
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
        assert!(nowhere.trouble.as_deref().unwrap().contains("cannot be written"));
        assert_eq!(nowhere.read().unwrap(), None);
    }
}
