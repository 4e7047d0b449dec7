//! What stands in the directory of a session, as the reference has it (passenger.md 3.1), so that its loaders run unchanged.
//!
//! Traps. **Everything is made before anybody else may write there**: exclusively, by descriptors that stay open, so that no name is looked up twice; the
//! ownership is given away last, the top very last (PA-20 to PA-23). **Where the host has an odd umask** the modes are set once more.
//!
//! It goes as it came: what stands where a session has it is removed by that knowledge, directory by directory, each opened anew by its name within the
//! one that it is in, for the held ones could be anywhere by now. Whatever is not as it was made is left to the walk through it all (`private.rs`).

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, OnceLock};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat, fstat, mkdirat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fchownat, mkfifoat, unlinkat, write};

use super::Owner;
use super::private::Private;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::{fds, listing, tree};

/// Read and written by the owner.
const FILE: Mode = Mode::from_bits_truncate(0o600);
const DIRECTORY: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);
/// Directories of every session, each after the one that it is in.
const DIRECTORIES: [&str; 6] = ["args", "envdump", "envdump/annotations", "response", "response/error", "response/steps"];

/// A directory with all that was made in it, held.
#[derive(Debug)]
pub struct Layout {
    top: Private,
    /// By the path within it; the first one is the top.
    directories: Vec<(Box<str>, OwnedFd)>,
    /// What was made: in which directory, and its name.
    made: Mutex<Vec<(usize, Box<str>)>>,
    /// To whom all was given; what is made afterwards is so at once.
    given: OnceLock<(Uid, Gid)>,
}

/// The directory of a path within the session, and its last name.
fn split(relative: &str) -> (&str, &str) {
    relative.rsplit_once('/').unwrap_or(("", relative))
}

/// So that no umask has a say; to look costs less than to set what is set.
fn set_mode(fd: &OwnedFd, mode: Mode) -> nix::Result<()> {
    if fstat(fd)?.st_mode & 0o7777 == mode.bits() { Ok(()) } else { fchmod(fd, mode) }
}

impl Layout {
    /// Makes the directories: those of every session, and one for each step that is told from there.
    pub fn make(top: Private, steps: impl Iterator<Item = &'static str>) -> Result<Self> {
        let own = fds::duplicate(top.directory()).map_err(|errno| Error::system("fcntl", errno, top.path().display().to_string()))?;
        let mut layout = Self { top, directories: vec![("".into(), own)], made: Mutex::default(), given: OnceLock::new() };
        for relative in DIRECTORIES {
            layout.make_directory(relative)?;
        }
        for step in steps {
            layout.make_directory(&format!("response/steps/{}", step.to_ascii_lowercase()))?;
        }
        Ok(layout)
    }

    /// Where it is.
    pub fn top(&self) -> &Private {
        &self.top
    }

    fn cannot(&self, relative: &str) -> impl Fn(&'static str, Errno) -> Error {
        move |step, errno| Error::system(step, errno, format!("cannot make {}", self.top.path().join(relative).display()))
    }

    fn place(&self, relative: &str) -> Result<(usize, &OwnedFd)> {
        let found = self.directories.iter().position(|(known, _)| **known == *relative);
        let at = found.ok_or_else(|| Error::new(Status::Internal, "session", format!("a session has no directory {relative:?}")))?;
        Ok((at, &self.directories[at].1))
    }

    /// One of its directories, by its path within the session.
    pub fn directory(&self, relative: &str) -> Option<&OwnedFd> {
        self.place(relative).ok().map(|(_, directory)| directory)
    }

    /// The paths of all of them, within the session.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.directories.iter().map(|(path, _)| &**path)
    }

    fn make_directory(&mut self, relative: &str) -> Result<()> {
        let directory = self.new_directory(relative)?;
        self.directories.push((relative.into(), directory));
        Ok(())
    }

    fn new_directory(&self, relative: &str) -> Result<OwnedFd> {
        let (parent, name) = split(relative);
        let cannot = self.cannot(relative);
        let (_, parent) = self.place(parent)?;
        mkdirat(parent, name, Mode::S_IRWXU).map_err(|errno| cannot("mkdirat", errno))?;
        let open = || openat(parent, name, DIRECTORY, Mode::empty()).and_then(fds::above_standard);
        let directory = match open() {
            // An odd umask. Nobody else can write here yet, so the name is what it was.
            Err(Errno::EACCES) => {
                fchmodat(parent, name, Mode::S_IRWXU, FchmodatFlags::FollowSymlink).map_err(|errno| cannot("fchmodat", errno))?;
                open()
            }
            other => other,
        }
        .map_err(|errno| cannot("open", errno))?;
        set_mode(&directory, Mode::S_IRWXU).map_err(|errno| cannot("fchmod", errno))?;
        Ok(directory)
    }

    fn note(&self, directory: usize, name: &str) {
        lock(&self.made).push((directory, name.into()));
    }

    /// Makes a file; it must not be there.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        let (parent, name) = split(relative);
        let cannot = self.cannot(relative);
        if name.is_empty() || name.contains('\0') {
            return Err(cannot("open", Errno::EINVAL));
        }
        let (at, parent) = self.place(parent)?;
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(parent, name, flags, FILE).and_then(fds::above_standard).map_err(|errno| cannot("open", errno))?;
        self.note(at, name);
        set_mode(&file, FILE).map_err(|errno| cannot("fchmod", errno))?;
        if let Some((uid, gid)) = self.given.get() {
            fchown(&file, Some(*uid), Some(*gid)).map_err(|errno| cannot("fchown", errno))?;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match write(&file, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(cannot("write", errno)),
            }
        }
        Ok(())
    }

    /// Makes a fifo, and opens it for reading without waiting for anybody.
    pub fn fifo(&self, relative: &str) -> Result<OwnedFd> {
        let (parent, name) = split(relative);
        let cannot = self.cannot(relative);
        let (at, parent) = self.place(parent)?;
        mkfifoat(parent, name, FILE).map_err(|errno| cannot("mkfifoat", errno))?;
        self.note(at, name);
        let open = || open_fifo(parent, name, OFlag::O_RDONLY);
        match open() {
            Err(Errno::EACCES) => {
                fchmodat(parent, name, FILE, FchmodatFlags::FollowSymlink).map_err(|errno| cannot("fchmodat", errno))?;
                open()
            }
            other => other,
        }
        .and_then(|fifo| set_mode(&fifo, FILE).map(|()| fifo))
        .map_err(|errno| cannot("open", errno))
    }

    /// Gives everything to the owner, the top last.
    pub fn give(&self, owner: &Owner) -> Result<()> {
        let (uid, gid, inherits) = self.top.ownership()?;
        if (uid, gid) == (owner.uid, owner.gid) && !inherits {
            return Ok(());
        }
        let refused = |what: &str, errno| {
            let doing = format!("cannot give {} to user {} and group {}", self.top.path().join(what).display(), owner.uid, owner.gid);
            Error::system("fchown", errno, doing)
        };
        let (uid, gid) = (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)));
        // Of a process that stays who it is only the group could be another one, by the directory above: it need not be.
        let judge = |given: nix::Result<()>, what: &str| match given {
            Err(errno) if owner.switch => Err(refused(what, errno)),
            _ => Ok(()),
        };
        for (at, name) in lock(&self.made).iter() {
            let (relative, directory) = &self.directories[*at];
            judge(fchownat(directory, &**name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW), &format!("{relative}/{name}"))?;
        }
        for (relative, directory) in self.directories.iter().rev() {
            judge(fchown(directory, uid, gid), relative)?;
        }
        if owner.switch {
            let _ = self.given.set((Uid::from_raw(owner.uid), Gid::from_raw(owner.gid)));
        }
        Ok(())
    }
}

/// What such a removal may take.
const SWEEP: i64 = 10 * MILLI;

impl Layout {
    /// Removes what is in a directory that was just opened, by its number. Its depth is that of the layout.
    fn sweep(&self, at: usize, here: &OwnedFd, until: Deadline) {
        let path = &*self.directories[at].0;
        for (below, (relative, _)) in self.directories.iter().enumerate().skip(1) {
            let (parent, name) = split(relative);
            if parent != path {
                continue;
            }
            // What is mounted there is not entered.
            if let Ok(directory) = tree::open_to_read(here, name) {
                self.sweep(below, &directory, until);
            }
            let _ = unlinkat(here, name, UnlinkatFlags::RemoveDir);
        }
        listing::unlink_first(here, until);
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        if self.top.goes() {
            self.sweep(0, self.top.directory(), Deadline::after(SWEEP));
        }
    }
}

/// Opens what should be a fifo, without waiting.
fn open_fifo(directory: impl AsFd, name: &str, how: OFlag) -> core::result::Result<OwnedFd, Errno> {
    let flags = how | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    openat(directory, name, flags, Mode::empty()).and_then(fds::above_standard)
}

/// Gives a directory and one in it to the owner: an instance's.
pub fn give_instance(instance: &Private, sockets: &CStr, owner: &Owner) -> Result<()> {
    let (uid, gid, inherits) = instance.ownership()?;
    if (uid, gid) == (owner.uid, owner.gid) && !inherits {
        return Ok(());
    }
    let (uid, gid) = (Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)));
    let given = fchownat(instance.directory(), sockets, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW)
        .and_then(|()| fchown(instance.directory(), uid, gid));
    match given {
        Err(errno) if owner.switch => {
            Err(Error::system("fchown", errno, format!("cannot give {} to user {}", instance.path().display(), owner.uid)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use nix::unistd::geteuid;

    use super::super::place::Place;
    use super::super::{Arguments, Owner};
    use super::*;

    // covers: PA-21
    #[test]
    fn the_top_is_given_away_last() {
        if !geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let mut arguments = Arguments::default();
        arguments.set("spawn_dir", home.path().to_str()).unwrap();
        arguments.set("user", Some("nobody")).unwrap();
        let top = Private::make(&Place::of(&arguments).unwrap(), false).unwrap();
        let layout = Layout::make(top, core::iter::empty()).unwrap();
        // What is taken away in between stops it, and the top is not the owner's yet.
        layout.write("response/properties.json", b"").unwrap();
        std::fs::remove_file(layout.top().path().join("response/properties.json")).unwrap();
        let error = layout.give(&Owner::of(&arguments).unwrap()).unwrap_err();
        assert!(error.message.contains("response/properties.json"), "{}", error.message);
        assert_eq!(std::fs::metadata(layout.top().path()).unwrap().uid(), 0);
        layout.directories.iter().for_each(|(_, directory)| assert_eq!(nix::sys::stat::fstat(directory).unwrap().st_uid, 0));
    }

    // covers: PA-20
    #[test]
    fn an_odd_umask_changes_nothing() {
        // Of this thread alone: it has a copy of what threads share otherwise.
        let modes = std::thread::spawn(|| {
            crate::sys::thread::own_umask(0o777).unwrap();
            let home = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700)).tempdir().unwrap();
            std::fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
            let mut arguments = Arguments::default();
            arguments.set("spawn_dir", home.path().to_str()).unwrap();
            let top = Private::make(&Place::of(&arguments).unwrap(), false).unwrap();
            let layout = Layout::make(top, core::iter::empty()).unwrap();
            layout.write("args.json", b"x").unwrap();
            layout.fifo("stdin").unwrap();
            ["", "args", "args.json", "stdin"].map(|name| std::fs::metadata(layout.top().path().join(name)).unwrap().mode() & 0o7777)
        });
        assert_eq!(modes.join().unwrap(), [0o700, 0o700, 0o600, 0o600]);
    }
}
