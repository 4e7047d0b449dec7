//! Output to a file that nobody sees before it is complete.
//!
//! ```text
//!   spawn                    exit
//!   O_TMPFILE in the  ---->  refuse:  linkat(file -> target)            EEXIST is the answer, atomically
//!   target's directory       replace: linkat(file -> hidden name), renameat(hidden name -> target)
//! ```
//!
//! The child writes the file itself; nothing is copied, and a full disk is its own write error. The file has no name until the
//! end, so after a crash of the host the kernel takes it away. A file system without O_TMPFILE (or a host without /proc, through
//! which a nameless file is linked) gets a hidden name beside the target, which a crash of the host leaves behind.
//!
//! Traps. The directory is held open from the spawn on: if it is moved the file goes along; if it is removed, publishing fails. And who may
//! write to it may give the hidden name to another file: the inode is compared right before the name is used.
//!
//! Sources: open(2) on O_TMPFILE, linkat(2), renameat2(2).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{Mode, fchmod, fstatat};
use nix::unistd::{LinkatFlags, UnlinkatFlags, getegid, geteuid, linkat, unlinkat};

use crate::error::{Error, Result, Status};
use crate::sys::directory;
use crate::sys::memory::Home;
use crate::sys::{Fault, fds, tree};

/// What a command says about its output file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spec {
    /// Where it shall appear.
    pub path: PathBuf,
    /// Whether it takes the place of one that is there.
    pub replace: bool,
}

/// The file of one child.
#[derive(Debug)]
pub struct OutFile {
    directory: OwnedFd,
    name: OsString,
    file: OwnedFd,
    /// Its name while it is hidden; `None`: it has none.
    hidden: Option<OsString>,
    /// The user whose it is, if it is not this process's.
    given: Option<(u32, u32)>,
    spec: Spec,
    home: Home,
}

fn exists(spec: &Spec) -> Error {
    Error::new(Status::OutputExists, "output_file", format!("{} exists already", spec.path.display())).with_errno(Errno::EEXIST)
}

/// A name that nobody else uses, beside the target.
fn hidden_name(name: &OsStr) -> OsString {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let mut hidden = OsString::from(".");
    // A name may have 255 bytes: of a long one the beginning must do.
    hidden.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(180)]));
    hidden.push(format!(".procsup-{}-{number}-{:x}", crate::sys::getpid(), crate::clock::now()));
    hidden
}

const READ_WRITE_BY_OWNER: Mode = Mode::from_bits_truncate(0o600);

impl Spec {
    /// Checks what can be checked without looking at the file system.
    pub fn new(path: &Path, replace: bool) -> Result<Self> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() || bytes.contains(&0) || bytes.ends_with(b"/") || path.file_name().is_none() {
            return Err(Error::invalid("output_file", format!("output_file: {path:?} is no name of a file")));
        }
        let path = std::path::absolute(path).map_err(|error| Error::relative("output_file", &error))?;
        Ok(Self { path, replace })
    }
}

impl OutFile {
    /// Makes the file, invisible, in the directory of its target. It is the child's user's, who may open it again as /dev/stdout.
    pub fn create(spec: &Spec, owner: Option<(u32, u32)>) -> Result<Self> {
        let system = |step: &'static str| move |errno: Errno| Error::system(step, errno, format!("cannot write {}", spec.path.display()));
        let (parent, name) = (spec.path.parent().unwrap_or(Path::new("/")), spec.path.file_name().unwrap_or_default().to_owned());
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let directory = open(parent, flags, Mode::empty()).and_then(fds::above_standard).map_err(system("open"))?;
        match fstatat(&directory, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(_) if !spec.replace => return Err(exists(spec)),
            Ok(found) if found.st_mode & libc::S_IFMT == libc::S_IFDIR => return Err(system("output_file")(Errno::EISDIR)),
            Ok(_) | Err(Errno::ENOENT) => {}
            Err(errno) => return Err(system("fstatat")(errno)),
        }
        let (file, hidden) = Self::open(&directory, &name).map_err(|fault| system(fault.step)(fault.errno))?;
        let given = owner.filter(|(uid, gid)| fds::give(&file, *uid, *gid));
        Ok(Self { directory, name, file, hidden, given, spec: spec.clone(), home: Home::here() })
    }

    fn open(directory: &OwnedFd, name: &OsStr) -> core::result::Result<(OwnedFd, Option<OsString>), Fault> {
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        match openat(directory, ".", flags | OFlag::O_TMPFILE, READ_WRITE_BY_OWNER) {
            Ok(file) => {
                let file = fds::above_standard(file).map_err(Fault::of("fcntl"))?;
                // The umask of the host has no say.
                fchmod(&file, READ_WRITE_BY_OWNER).map_err(Fault::of("fchmod"))?;
                if std::fs::symlink_metadata(link_of(&file)).is_ok() {
                    return Ok((file, None));
                }
            }
            // A file system without it, or a kernel or filter that takes the flag for a plain open of a directory.
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::ENOENT | Errno::EINVAL | Errno::ENOSYS) => {}
            Err(errno) => return Err(Fault { step: "open", errno }),
        }
        let hidden = hidden_name(name);
        let flags = flags | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
        let file = openat(directory, hidden.as_os_str(), flags, READ_WRITE_BY_OWNER).map_err(Fault::of("open"))?;
        let made = fds::above_standard(file).map_err(Fault::of("fcntl"));
        let made = made.and_then(|file| fchmod(&file, READ_WRITE_BY_OWNER).map(|()| file).map_err(Fault::of("fchmod")));
        match made {
            Ok(file) => Ok((file, Some(hidden))),
            Err(fault) => {
                let _ = unlinkat(directory, hidden.as_os_str(), UnlinkatFlags::NoRemoveDir);
                Err(fault)
            }
        }
    }

    /// The descriptor that the child writes to.
    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Gives the file its name.
    pub fn publish(mut self) -> Result<()> {
        let given = self.take_back();
        let published = if self.spec.replace { self.replace() } else { self.refuse() };
        if let Some((uid, gid)) = given {
            fds::give(&self.file, uid, gid);
        }
        published.map_err(|(step, errno)| match errno {
            Errno::EEXIST if !self.spec.replace => exists(&self.spec),
            _ => Error::system(step, errno, format!("cannot put {} in place", self.spec.path.display())),
        })
    }

    /// Somebody else's file may be linked and renamed by the mighty only (CAP_FOWNER): for that it is this process's again.
    fn take_back(&mut self) -> Option<(u32, u32)> {
        let given = self.given.take();
        if given.is_some() {
            fds::give(&self.file, geteuid().as_raw(), getegid().as_raw());
        }
        given
    }

    /// A hidden name may have been given to another file by those who may write to the directory.
    fn check_hidden(&self, hidden: &OsStr) -> core::result::Result<(), (&'static str, Errno)> {
        let found = tree::identity_at(&self.directory, hidden).and_then(|found| Ok(found == tree::identity(&self.file)?));
        match found {
            Ok(true) => Ok(()),
            Ok(false) => Err(("fstatat", Errno::ENOENT)),
            Err(errno) => Err(("fstatat", errno)),
        }
    }

    fn link(&self, name: &OsStr) -> core::result::Result<(), (&'static str, Errno)> {
        let linked = linkat(AT_FDCWD, link_of(&self.file).as_str(), &self.directory, name, LinkatFlags::AT_SYMLINK_FOLLOW);
        linked.map_err(|errno| ("linkat", errno))
    }

    fn refuse(&mut self) -> core::result::Result<(), (&'static str, Errno)> {
        let Some(hidden) = self.hidden.as_deref() else { return self.link(&self.name) };
        self.check_hidden(hidden)?;
        let moved = directory::rename_to_free(&self.directory, hidden, &self.name);
        match moved {
            Ok(()) => {
                self.hidden = None;
                Ok(())
            }
            // A file system that cannot: a second name is refused as surely when the first is taken.
            Err(Errno::EINVAL | Errno::ENOSYS) => {
                let linked = linkat(&self.directory, hidden, &self.directory, self.name.as_os_str(), LinkatFlags::empty());
                linked.map_err(|errno| ("linkat", errno))
            }
            Err(errno) => Err(("renameat2", errno)),
        }
    }

    fn replace(&mut self) -> core::result::Result<(), (&'static str, Errno)> {
        if self.hidden.is_none() {
            let hidden = hidden_name(&self.name);
            self.link(&hidden)?;
            self.hidden = Some(hidden);
        }
        let hidden = self.hidden.as_deref().unwrap_or_default();
        self.check_hidden(hidden)?;
        renameat(&self.directory, hidden, &self.directory, self.name.as_os_str()).map_err(|errno| ("renameat", errno))?;
        self.hidden = None;
        Ok(())
    }
}

fn link_of(file: &impl AsFd) -> String {
    format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())
}

impl Drop for OutFile {
    /// Never published: takes the hidden name away.
    fn drop(&mut self) {
        if let Some(hidden) = self.hidden.take().filter(|hidden| self.home.is_here() && self.check_hidden(hidden).is_ok()) {
            self.take_back();
            let _ = unlinkat(&self.directory, hidden.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}
