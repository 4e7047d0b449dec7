//! The file in which a supervisor writes down what one that comes after it has to know.
//!
//! The trap: what has its name may be anything. It is read as a stranger's file (`sys/foreign_file.rs`), written under another name of its directory
//! and renamed, so that a reader sees all of it or the one before, and what is no journal is set aside, not written over. One that decides
//! something must be this user's own ([`Kind::decides`]).
//!
//! It is not flushed to the disk: that would block, and of a machine that has lost power nobody is left to be told of. What such a loss may leave,
//! a file without bytes or full of zeros, is none.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::error::{Error, Result, Status};
use crate::sys::directory::{Directory, Inode};
use crate::sys::{Fault, foreign_file, getpid, tree};

/// What kind of journal.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// No more bytes are read.
    pub longest: usize,
    /// Whether these bytes are one.
    pub is_one: fn(&[u8]) -> bool,
    /// Something is done because of what it says: so nobody else can have written it.
    pub decides: bool,
}

/// The file.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    kind: Kind,
    /// Why it could not be written, the last time; for display.
    pub trouble: Option<String>,
}

impl File {
    /// At this path. Nothing is done there yet.
    pub fn at(path: &Path, kind: Kind) -> Result<Self> {
        let path = std::path::absolute(path).map_err(|error| Error::relative("journal", &error))?;
        if path.file_name().is_none() {
            return Err(Error::invalid("journal", format!("journal: {} is no file", path.display())));
        }
        Ok(Self { path, kind, trouble: None })
    }

    fn place(&self) -> std::result::Result<(Directory, &OsStr), Errno> {
        Ok((Directory::of(&self.path)?, self.path.file_name().ok_or(Errno::EISDIR)?))
    }

    /// What an earlier supervisor has left. `PROTOCOL`: it is no journal; `PERMISSION`: it may be somebody else's. It stays where it is.
    pub fn read(&self) -> Result<Option<Vec<u8>>> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let cannot = |errno| Error::system("open", errno, format!("cannot read the journal {}", self.path.display()));
        let directory = match tree::hold_place(parent) {
            Ok(directory) => directory,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(cannot(errno)),
        };
        let name = self.path.file_name().unwrap_or_default();
        let is_none = |status, why: String| Err(Error::new(status, "journal", format!("the journal {} {why}", self.path.display())));
        let read = if self.kind.decides { foreign_file::read_own } else { foreign_file::read };
        match read(&directory, name, self.kind.longest) {
            Ok(None) => Ok(None),
            Ok(Some(contents)) if self.kind.decides && contents.bytes.iter().all(|byte| *byte == 0) && !contents.more => Ok(None),
            Ok(Some(contents)) if (self.kind.is_one)(&contents.bytes) => Ok(Some(contents.bytes)),
            Ok(Some(contents)) => is_none(Status::Protocol, format!("has {} bytes that are no journal", contents.bytes.len())),
            Err(foreign_file::Refusal::Cannot(errno)) => Err(cannot(errno)),
            Err(refusal @ foreign_file::Refusal::Untrusted) => is_none(Status::Permission, refusal.why()),
            Err(refusal) => is_none(Status::Protocol, refusal.why()),
        }
    }

    /// Writes it, whole or not at all. Nobody but a reader of `trouble` hears of a failure.
    pub fn write(&mut self, bytes: &[u8]) {
        self.trouble = self.try_write(bytes).err().map(|fault| self.words(fault));
    }

    fn words(&self, fault: Fault) -> String {
        format!("the journal {} cannot be written: {}: {}", self.path.display(), fault.step, fault.errno.desc())
    }

    fn try_write(&self, bytes: &[u8]) -> std::result::Result<(), Fault> {
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
        let written = fill(&file, bytes).map_err(Fault::of("write"));
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
        let is_strange =
            self.read().is_err_and(|error| matches!(error.status, Status::Protocol | Status::Permission) && error.errno.is_none());
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
