//! A directory that is held, and the names in it.
//!
//! The trap: a path is resolved anew by each call, so what was looked at and what is acted on can lie in two directories, of two owners. Here both
//! happen in the one that was opened. The name itself may still be given to another file between the two: where only a name works (unlink,
//! bind), the inode is compared just before, and who can write in the directory has that instant.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat, lstat, stat};
use nix::unistd::{Uid, UnlinkatFlags, fchownat, geteuid, unlinkat};

use super::fds;
use super::raw::{check, syscall};

/// Which file something is, whatever its names: its file system, and its number there.
///
/// The number is nobody else's as long as the file is held: by a descriptor, a mapping, or the socket that is bound to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inode {
    /// The file system.
    pub device: u64,
    /// The number.
    pub number: u64,
}

impl From<&FileStat> for Inode {
    fn from(found: &FileStat) -> Self {
        Self { device: found.st_dev, number: found.st_ino }
    }
}

/// Whether it is of this kind, an S_IF*.
pub fn is_of(found: &FileStat, kind: libc::mode_t) -> bool {
    found.st_mode & libc::S_IFMT == kind
}

fn is_that(found: Result<FileStat, Errno>, file: Inode) -> Result<bool, Errno> {
    match found {
        Ok(found) => Ok(Inode::from(&found) == file),
        Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Whether a path is that very file's, for who has no descriptor for its directory.
pub fn is_path_of(path: &Path, file: Inode) -> bool {
    is_that(lstat(path), file) == Ok(true)
}

/// The same for who must know why it cannot be seen. A directory on the way that is gone is an answer.
pub fn is_at_path(path: &Path, file: Inode) -> Result<bool, Errno> {
    match is_that(lstat(path), file) {
        Err(Errno::ENOTDIR) => Ok(false),
        other => other,
    }
}

/// Which directory this process calls the root: chroot(2) and pivot_root(2) change it, and with it what each path means.
pub fn root() -> Option<Inode> {
    stat("/").ok().map(|found| Inode::from(&found))
}

/// What is at a path; a link in its last place is not followed.
pub fn look_at(path: &Path) -> Result<FileStat, Errno> {
    lstat(path)
}

/// A directory, by descriptor.
#[derive(Debug)]
pub struct Directory(OwnedFd);

impl Directory {
    /// The one in which this path's last name stands. It needs no right but to pass through it.
    pub fn of(path: &Path) -> Result<Self, Errno> {
        let parent = path.parent().ok_or(Errno::ENOENT)?;
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        loop {
            match open(parent, flags, Mode::empty()) {
                Err(Errno::EINTR) => {}
                other => return other.and_then(fds::above_standard).map(Self),
            }
        }
    }

    /// What has this name; a link is not followed.
    pub fn look(&self, name: &OsStr) -> Result<FileStat, Errno> {
        fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    /// Whether this name is that very file's.
    pub fn names(&self, name: &OsStr, file: Inode) -> Result<bool, Errno> {
        is_that(self.look(name), file)
    }

    /// Opens what has this name, close-on-exec and above 2; a link is not followed.
    pub fn open(&self, name: &OsStr, flags: OFlag, mode: Mode) -> Result<OwnedFd, Errno> {
        loop {
            match openat(&self.0, name, flags | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW, mode) {
                Err(Errno::EINTR) => {}
                other => return other.and_then(fds::above_standard),
            }
        }
    }

    /// Takes a name away, if it is that very file's.
    pub fn remove(&self, name: &OsStr, file: Inode) -> Result<(), Errno> {
        if !self.names(name, file)? {
            return Err(Errno::ESTALE);
        }
        unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)
    }

    /// Gives a file that has a name in it another one, in place of what has that; both names are this directory's.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        renameat(&self.0, from, &self.0, to)
    }

    /// What it is itself.
    pub fn facts(&self) -> Result<FileStat, Errno> {
        fstat(&self.0)
    }

    /// Which one it is.
    pub fn identity(&self) -> Result<Inode, Errno> {
        fstat(&self.0).map(|found| Inode::from(&found))
    }

    /// Whether the directory of this path is still the one that is held: no link in it was turned, no directory renamed.
    pub fn is_of_path(&self, path: &Path) -> Result<bool, Errno> {
        match path.parent().ok_or(Errno::ENOENT).and_then(stat) {
            Ok(there) => Ok(self.identity()? == Inode::from(&there)),
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Whose it is.
    pub fn owner(&self) -> Result<u32, Errno> {
        fstat(&self.0).map(|found| found.st_uid)
    }

    /// Whose it is, where nobody else can have put anything into it.
    pub fn sole_owner(&self) -> Option<u32> {
        fstat(&self.0).ok().filter(|found| found.st_mode & 0o022 == 0).map(|found| found.st_uid)
    }

    /// What root has made in a directory that is another user's alone is given to that user, whose server it is and who could not use it.
    ///
    /// By descriptor, and only what is root's and has this one name: a further hard link may be any file of root's. Where it cannot be done
    /// (a capability that is missing, a user that is not mapped), it stays as it is.
    pub fn give_to_owner(&self, file: &OwnedFd) {
        let Some(user) = self.sole_owner().filter(|user| geteuid().is_root() && *user != 0) else { return };
        if fstat(file).is_ok_and(|found| found.st_uid == 0 && found.st_nlink == 1) {
            let _ = fchownat(file, "", Some(Uid::from_raw(user)), None, AtFlags::AT_EMPTY_PATH);
        }
    }

    /// The same for what has this name, if it is that very file; it need not be one that can be opened.
    pub fn give_named_to_owner(&self, name: &OsStr, file: Inode) {
        if !geteuid().is_root() {
            return;
        }
        if let Ok(held) = self.open(name, OFlag::O_PATH, Mode::empty())
            && fstat(&held).is_ok_and(|found| Inode::from(&found) == file)
        {
            self.give_to_owner(&held);
        }
    }
}

/// Gives a file another name in its directory, one that nobody has yet: renameat2(2). By hand: nix has it for glibc alone.
pub fn rename_to_free(directory: &OwnedFd, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
    const NOREPLACE: u32 = 1;
    let directory = directory.as_raw_fd();
    let renamed = from.with_nix_path(|from| {
        // SAFETY: two terminated strings, which are only read.
        to.with_nix_path(|to| check(unsafe { syscall!(libc::SYS_renameat2, directory, from.as_ptr(), directory, to.as_ptr(), NOREPLACE) }))
    });
    renamed??.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_away_only_from_the_file_that_was_meant() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("name");
        std::fs::write(&path, "one").unwrap();
        let directory = Directory::of(&path).unwrap();
        let name = path.file_name().unwrap();
        let one = Inode::from(&directory.look(name).unwrap());
        // Kept, so that its number stays its own.
        std::fs::rename(&path, home.path().join("kept")).unwrap();
        std::fs::write(&path, "two").unwrap();
        assert_eq!(directory.remove(name, one), Err(Errno::ESTALE));
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        let two = Inode::from(&directory.look(name).unwrap());
        assert_eq!(directory.remove(name, two), Ok(()));
        assert!(!path.exists());
    }

    #[test]
    fn a_name_that_is_taken_stays() {
        let home = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            std::fs::write(home.path().join(name), name).unwrap();
        }
        let directory = OwnedFd::from(std::fs::File::open(home.path()).unwrap());
        let rename = |to: &str| rename_to_free(&directory, OsStr::new("one"), OsStr::new(to));
        assert_eq!((rename("two"), rename("three"), rename("three")), (Err(Errno::EEXIST), Ok(()), Err(Errno::ENOENT)));
        assert_eq!(std::fs::read(home.path().join("three")).unwrap(), b"one");
    }

    #[test]
    fn what_is_done_is_done_in_the_directory_that_was_opened() {
        let home = tempfile::tempdir().unwrap();
        let (here, there) = (home.path().join("here"), home.path().join("there"));
        std::fs::create_dir(&here).unwrap();
        std::fs::create_dir(&there).unwrap();
        for place in [&here, &there] {
            std::fs::write(place.join("name"), "x").unwrap();
        }
        let directory = Directory::of(&here.join("name")).unwrap();
        let file = Inode::from(&directory.look(OsStr::new("name")).unwrap());
        std::fs::rename(&here, home.path().join("moved")).unwrap();
        std::fs::rename(&there, &here).unwrap();
        directory.remove(OsStr::new("name"), file).unwrap();
        assert!(here.join("name").exists() && !home.path().join("moved/name").exists());
    }
}
