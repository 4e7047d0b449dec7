//! Trees of directories, walked and removed by descriptors: openat(2), unlinkat(2), getdents64(2).
//!
//! Trap one: whoever made the tree chose how deep it is. So nothing here recurses, no path is ever made longer, and only the last few levels
//! stay open; what is above them is opened again by ".." and must be the directory that it was, by device and inode. A tree that somebody
//! moves meanwhile is begun again from its top, never followed to where it went.
//!
//! Trap two: a name may mean something else by the time it is used. Links are never followed, mounts never entered (openat2(2), Linux 5.6;
//! before, another device is not entered), and everything is done relative to an open directory.

use core::ffi::CStr;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, fchmod, fchmodat, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, Whence, geteuid, lseek, unlinkat};

use super::fds;
use super::raw::{check, syscall};
use crate::clock::Deadline;

/// Device and inode: what a directory is, whatever its name.
pub type Identity = (u64, u64);

/// How many levels of one walk are open at once.
const OPEN: usize = 8;
/// How many levels a walk finds its way back through.
const KNOWN: usize = if cfg!(test) { 64 } else { 16_384 };
/// Bytes of names read at once.
const BLOCK: usize = 8 * 1024;
/// How often a removal begins anew because somebody adds or moves what it removes.
const AGAIN: u32 = 100;

const SYS_FCHMODAT2: libc::c_long = 452;

const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// What an open descriptor is.
pub fn identity(fd: impl AsFd) -> Result<Identity, Errno> {
    fstat(fd).map(|found| identity_of(&found))
}

/// What has this name in a directory, not following a link.
pub fn identity_at<P: ?Sized + NixPath>(directory: impl AsFd, name: &P) -> Result<Identity, Errno> {
    fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW).map(|found| identity_of(&found))
}

fn identity_of(found: &FileStat) -> Identity {
    (found.st_dev, found.st_ino)
}

/// Opens a directory for what its descriptor says and is good for, not to read it: needs no right to it, only to its way. Links on the way
/// are followed, one in its own place is not.
pub fn hold<P: ?Sized + NixPath>(beneath: impl AsFd, path: &P) -> Result<OwnedFd, Errno> {
    openat(beneath, path, DIRECTORY | OFlag::O_PATH, Mode::empty()).and_then(fds::above_standard)
}

/// The same of one to which a link may lead.
pub fn hold_place<P: ?Sized + NixPath>(path: &P) -> Result<OwnedFd, Errno> {
    openat(AT_FDCWD, path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard)
}

/// The directory above one that is held, wherever that is by now. `unlock`: as its owner.
pub fn above(directory: &OwnedFd, unlock: bool) -> Result<OwnedFd, Errno> {
    match hold(directory, c"..") {
        Err(Errno::EACCES) if unlock => {
            allow(directory)?;
            hold(directory, c"..")
        }
        other => other,
    }
}

/// Removes an empty directory, if it is this one still.
pub fn remove_directory<P: ?Sized + NixPath>(parent: impl AsFd, name: &P, identity: Identity) -> Result<(), Errno> {
    match identity_at(parent.as_fd(), name) {
        Ok(found) if found == identity => {}
        Ok(_) | Err(Errno::ENOENT) => return Ok(()),
        Err(errno) => return Err(errno),
    }
    match unlinkat(parent.as_fd(), name, UnlinkatFlags::RemoveDir) {
        // Believed when it is seen: what is taken for gone is not tried again.
        Err(Errno::ENOENT) if identity_at(parent, name) == Ok(identity) => Err(Errno::EAGAIN),
        Err(Errno::ENOENT) => Ok(()),
        other => other,
    }
}

/// Gives the owner all rights to a directory that is only held: through /proc, or where that is not mounted by itself (Linux 6.6). In this
/// order: a filter may kill for the newer call.
pub fn allow(directory: impl AsFd) -> Result<(), Errno> {
    let mode = (fstat(directory.as_fd())?.st_mode & 0o7777) | 0o700;
    let fd = directory.as_fd().as_raw_fd();
    let link = format!("/proc/self/fd/{fd}");
    match fchmodat(AT_FDCWD, link.as_str(), Mode::from_bits_truncate(mode), FchmodatFlags::FollowSymlink) {
        // SAFETY: an empty string, and numbers; the descriptor is open.
        Err(Errno::ENOENT) => unsafe { check(syscall!(SYS_FCHMODAT2, fd, c"".as_ptr(), mode, libc::AT_EMPTY_PATH)) }.map(drop),
        other => other,
    }
}

/// Set where openat2(2) is not to be had: before Linux 5.6, or because of a filter, which may kill for it (`spawn/survey.rs`).
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

/// Whether openat2 is to be had. Deadly where a filter kills for it.
pub fn has_openat2() -> bool {
    // SAFETY: a size of 0 is refused before anything is read.
    let asked = unsafe { check(syscall!(libc::SYS_openat2, u32::MAX, c"".as_ptr(), 0, 0)) };
    asked == Err(Errno::EINVAL)
}

/// What was found out.
pub fn know(has_openat2: bool) {
    NO_OPENAT2.store(!has_openat2, Ordering::Relaxed);
}

/// Opens a directory to read it, without leaving its mount.
pub fn open_to_read<P: ?Sized + NixPath>(beneath: impl AsFd, name: &P) -> Result<OwnedFd, Errno> {
    open_within(beneath, name, DIRECTORY)
}

/// Opens what has this name in a directory, without leaving its mount: EBUSY where something is mounted. Before Linux 5.6 a file system that somebody
/// has mounted there is asked what it is before that is seen.
pub fn open_within<P: ?Sized + NixPath>(beneath: impl AsFd, name: &P, flags: OFlag) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_NO_XDEV);
    let newer = if NO_OPENAT2.load(Ordering::Relaxed) { Err(Errno::ENOSYS) } else { openat2(beneath.as_fd(), name, how) };
    let opened = match newer {
        // Not there, or not known to a filter; or really forbidden, which the older call says as well.
        Err(Errno::ENOSYS | Errno::EPERM | Errno::EINVAL | Errno::EACCES) => {
            let opened = openat(beneath.as_fd(), name, flags, Mode::empty())?;
            if fstat(&opened)?.st_dev != fstat(beneath)?.st_dev { Err(Errno::EXDEV) } else { Ok(opened) }
        }
        other => other,
    };
    match opened {
        // Something is mounted there.
        Err(Errno::EXDEV) => Err(Errno::EBUSY),
        other => other.and_then(fds::above_standard),
    }
}

/// A directory that is being walked.
#[derive(Debug)]
struct Level {
    /// `None`: closed to spare descriptors, and opened again on the way back.
    directory: Option<OwnedFd>,
    identity: Identity,
    /// In the directory above it: where it stands, and where the next one does.
    own: i64,
    next: i64,
    /// It was left and come back to: a file system may have passed over some entries meanwhile.
    returned: bool,
    /// Something in it is to stay.
    stays: bool,
}

/// One entry of a directory.
struct Found {
    /// Where its name stands in the block.
    name: Range<usize>,
    /// Sure to be a directory, by what the file system says.
    directory: bool,
    own: i64,
    next: i64,
}

/// A removal that was cut short: it goes on where it was, for the way down alone may take longer than the time that it has. One descriptor.
#[derive(Debug)]
pub struct Suspended {
    place: Place,
    emptied: Option<i64>,
    again: u32,
    first: Option<Errno>,
}

/// Where a walk is.
#[derive(Debug)]
struct Place {
    levels: VecDeque<Level>,
    position: i64,
    lost: bool,
}

/// A walk through a tree, in any order: bounded descriptors, 64 bytes of memory for each level.
struct Walk<'a> {
    top: BorrowedFd<'a>,
    /// As the owner: rights that the owner of a directory lacks are given to him.
    unlock: bool,
    levels: VecDeque<Level>,
    block: Vec<u8>,
    filled: usize,
    at: usize,
    /// Where the next entry of the block stands.
    position: i64,
    /// The way back to the top is not known any more.
    lost: bool,
}

/// Whether the directory in which a removal was cut short still lies in the one above it.
fn is_where_it_was(levels: &VecDeque<Level>) -> bool {
    let Some(directory) = levels.back().and_then(|level| level.directory.as_ref()) else { return false };
    let above = levels.len().checked_sub(2).and_then(|at| levels.get(at));
    above.is_none_or(|above| identity_at(directory, c"..") == Ok(above.identity))
}

impl<'a> Walk<'a> {
    fn new(top: &'a OwnedFd, unlock: bool, known: Option<Place>) -> Result<Self, Errno> {
        let mut block = Vec::new();
        block.try_reserve_exact(BLOCK).map_err(|_| Errno::ENOMEM)?;
        block.resize(BLOCK, 0);
        let mut walk = Self { top: top.as_fd(), unlock, levels: VecDeque::new(), block, filled: 0, at: 0, position: 0, lost: false };
        match known {
            Some(Place { levels, position, lost }) if is_where_it_was(&levels) => {
                (walk.levels, walk.lost) = (levels, lost);
                if let Some(level) = walk.levels.back_mut() {
                    level.returned = true;
                }
                walk.read_from(position)?;
            }
            _ => walk.begin()?,
        }
        Ok(walk)
    }

    /// From the top.
    fn begin(&mut self) -> Result<(), Errno> {
        self.levels.clear();
        self.lost = false;
        // Its own mount may be entered: who held it meant it.
        let directory = match openat(self.top, c".", DIRECTORY, Mode::empty()).and_then(fds::above_standard) {
            Err(Errno::EACCES) if self.unlock => {
                allow(self.top)?;
                openat(self.top, c".", DIRECTORY, Mode::empty()).and_then(fds::above_standard)
            }
            other => other,
        }?;
        self.push(directory, 0, 0)
    }

    fn push(&mut self, directory: OwnedFd, own: i64, next: i64) -> Result<(), Errno> {
        let found = fstat(&directory)?;
        if self.unlock && found.st_mode & 0o700 != 0o700 && found.st_uid == geteuid().as_raw() {
            let _ = fchmod(&directory, Mode::from_bits_truncate(found.st_mode & 0o7777 | 0o700));
        }
        self.levels.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        if let Some(level) = self.levels.len().checked_sub(OPEN).and_then(|at| self.levels.get_mut(at)) {
            level.directory = None;
        }
        if self.levels.len() == KNOWN {
            self.levels.pop_front();
            self.lost = true;
        }
        self.levels.push_back(Level {
            directory: Some(directory),
            identity: identity_of(&found),
            own,
            next,
            returned: false,
            stays: false,
        });
        self.read_from(0)
    }

    fn read_from(&mut self, position: i64) -> Result<(), Errno> {
        (self.filled, self.at, self.position) = (0, 0, position);
        // A directory that was just opened stands there already.
        if position == 0 && self.levels.back().is_some_and(|level| !level.returned) {
            return Ok(());
        }
        lseek(self.here()?, position, Whence::SeekSet).map(drop)
    }

    /// The directory that is being read.
    fn here(&self) -> Result<&OwnedFd, Errno> {
        self.levels.back().and_then(|level| level.directory.as_ref()).ok_or(Errno::ESTALE)
    }

    /// The next entry here; `None`: that was the last one.
    fn next(&mut self) -> Result<Option<Found>, Errno> {
        loop {
            if self.at >= self.filled {
                let fd = self.here()?.as_raw_fd();
                // SAFETY: the block is ours and BLOCK bytes long.
                self.filled = match unsafe { check(syscall!(libc::SYS_getdents64, fd, self.block.as_mut_ptr(), BLOCK)) } {
                    // It was removed by somebody.
                    Err(Errno::ENOENT) => 0,
                    other => other?,
                };
                self.at = 0;
                if self.filled == 0 {
                    return Ok(None);
                }
            }
            // struct linux_dirent64: inode, position of the next one, length, kind, name.
            let record = &self.block[self.at..self.filled];
            let next = record.get(8..16).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_ne_bytes);
            let length = record.get(16..18).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_ne_bytes) as usize;
            if length < 20 || length > record.len() {
                return Err(Errno::EIO);
            }
            let found = Found {
                name: self.at + 19..self.at + length,
                directory: record[18] == libc::DT_DIR,
                own: std::mem::replace(&mut self.position, next),
                next,
            };
            self.at += length;
            let name = self.name(&found);
            if name != c"." && name != c".." {
                return Ok(Some(found));
            }
        }
    }

    fn name(&self, found: &Found) -> &CStr {
        CStr::from_bytes_until_nul(&self.block[found.name.clone()]).unwrap_or_default()
    }

    /// Goes on in this directory. `false`: it is none, or gone.
    fn enter(&mut self, found: &Found) -> Result<bool, Errno> {
        let (here, name) = (self.here()?, self.name(found));
        let opened = match open_to_read(here, name) {
            Err(Errno::EACCES) if self.unlock => {
                let held = hold(here, name)?;
                if fstat(&held)?.st_dev != fstat(here)?.st_dev {
                    return Err(Errno::EBUSY);
                }
                allow(&held)?;
                // By its name once more: what was mounted there meanwhile is found out.
                open_to_read(here, name)
            }
            other => other,
        };
        match opened {
            Ok(directory) => self.push(directory, found.own, found.next).map(|()| true),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Goes on in the directory above, with the entry that was entered (`over`: with the next one). `false`: this is the top. ESTALE: the
    /// way is lost.
    fn leave(&mut self, over: bool) -> Result<bool, Errno> {
        let Some(left) = self.levels.pop_back() else { return Ok(false) };
        let Some(parent) = self.levels.back_mut() else { return if self.lost { Err(Errno::ESTALE) } else { Ok(false) } };
        if parent.directory.is_none() {
            let directory = left.directory.ok_or(Errno::ESTALE)?;
            let opened = openat(&directory, c"..", DIRECTORY, Mode::empty()).and_then(fds::above_standard)?;
            if identity(&opened)? != parent.identity {
                return Err(Errno::ESTALE);
            }
            parent.directory = Some(opened);
        }
        parent.returned = true;
        parent.stays |= left.stays;
        self.read_from(if over || left.stays { left.next } else { left.own })?;
        Ok(true)
    }
}

/// What is in a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Files, and directories that are empty before they go. Their owner, who this is, gives himself the rights to them that he lacks.
    Files,
    /// Control groups: only directories can be removed, the kernel's files go with them. One with others below is busy.
    Groups,
}

enum Removed {
    Gone,
    NotEmpty,
}

fn remove_entry(walk: &Walk<'_>, found: &Found, kind: Kind) -> Result<Removed, Errno> {
    let (here, name) = (walk.here()?, walk.name(found));
    let mut directory = found.directory;
    // What it is may have changed since it was read: once in each way.
    for _ in 0..2 {
        let flag = if directory { UnlinkatFlags::RemoveDir } else { UnlinkatFlags::NoRemoveDir };
        match unlinkat(here, name, flag) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(Removed::Gone),
            Err(Errno::ENOTEMPTY | Errno::EEXIST) if directory => return Ok(Removed::NotEmpty),
            Err(Errno::EBUSY) if directory && kind == Kind::Groups => return Ok(Removed::NotEmpty),
            Err(Errno::EISDIR) if !directory => directory = true,
            Err(Errno::ENOTDIR) if directory => directory = false,
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::ENOTEMPTY)
}

/// Removes all that is in a directory. What cannot be removed stays, with what it is in, and the answer is the first reason; the rest goes.
/// ETIMEDOUT: the time was over first; another call goes on, with what this one leaves in `state`. Every call gets on by one step at least,
/// however short its time: a call that only finds its place again would be repeated for ever.
pub fn empty(top: &OwnedFd, kind: Kind, until: Deadline, state: &mut Option<Suspended>) -> Result<(), Errno> {
    // `emptied`: where the directory stands that was just left, and should be empty.
    let (mut emptied, mut again, mut first, known) = match state.take() {
        Some(Suspended { place, emptied, again, first }) => (emptied, again, first, Some(place)),
        None => (None, 0, None, None),
    };
    let mut walk = Walk::new(top, kind == Kind::Files, known)?;
    let mut got_on = false;
    loop {
        if got_on && until.has_come() {
            let Walk { mut levels, position, lost, .. } = walk;
            levels.iter_mut().rev().skip(1).for_each(|level| level.directory = None);
            *state = Some(Suspended { place: Place { levels, position, lost }, emptied, again, first });
            return Err(Errno::ETIMEDOUT);
        }
        let found = walk.next()?;
        let again_from_its_beginning = found.is_none() && walk.levels.back().is_some_and(|level| level.returned && !level.stays);
        got_on = !again_from_its_beginning;
        let Some(found) = found else {
            // What has moved in the list was not seen.
            if again_from_its_beginning {
                walk.read_from(0)?;
                if let Some(level) = walk.levels.back_mut() {
                    level.returned = false;
                }
                continue;
            }
            let own = walk.levels.back().map(|level| level.own);
            match walk.leave(false) {
                Ok(true) => emptied = own,
                Ok(false) => return first.map_or(Ok(()), Err),
                Err(Errno::ESTALE) if again < AGAIN && first.is_none() => {
                    again += 1;
                    walk.begin()?;
                }
                Err(errno) => return Err(first.unwrap_or(errno)),
            }
            continue;
        };
        if kind == Kind::Groups && !found.directory {
            continue;
        }
        let before = emptied.take() == Some(found.own);
        let removed = match remove_entry(&walk, &found, kind) {
            Ok(Removed::Gone) => continue,
            // Somebody writes to it, or, of a control group, is in it.
            Ok(Removed::NotEmpty) if before && (kind == Kind::Groups || again == AGAIN) => {
                Err(if kind == Kind::Groups { Errno::EBUSY } else { Errno::ENOTEMPTY })
            }
            Ok(Removed::NotEmpty) => {
                again += u32::from(before);
                walk.enter(&found).map(drop)
            }
            Err(errno) => Err(errno),
        };
        if let Err(errno) = removed {
            first.get_or_insert(errno);
            if let Some(level) = walk.levels.back_mut() {
                level.stays = true;
            }
        }
    }
}

/// Calls `visit` for a directory and for each one below it. What goes meanwhile is passed over.
pub fn each_directory(top: &OwnedFd, mut visit: impl FnMut(&OwnedFd)) -> Result<(), Errno> {
    let mut walk = Walk::new(top, false, None)?;
    visit(walk.here()?);
    loop {
        match walk.next()? {
            Some(found) if found.directory => match walk.enter(&found) {
                Ok(true) => visit(walk.here()?),
                Ok(false) | Err(Errno::EACCES | Errno::EBUSY) => {}
                Err(errno) => return Err(errno),
            },
            Some(_) => {}
            None => {
                if !walk.leave(true)? {
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::mkdirat;

    fn deep(depth: usize) -> (tempfile::TempDir, OwnedFd) {
        let place = tempfile::tempdir().unwrap();
        let top = hold_place(place.path()).unwrap();
        let mut here = hold(&top, c".").unwrap();
        for _ in 0..depth {
            for name in [c"d", c"e"] {
                mkdirat(&here, name, Mode::S_IRWXU).unwrap();
            }
            here = hold(&here, c"d").unwrap();
        }
        (place, top)
    }

    fn count(top: &OwnedFd) -> usize {
        let mut count = 0;
        each_directory(top, |_| count += 1).unwrap();
        count
    }

    #[test]
    fn every_directory_is_visited_once() {
        let (_place, top) = deep(KNOWN / 2);
        assert_eq!(count(&top), KNOWN + 1);
    }

    #[test]
    fn a_way_back_that_is_longer_than_known_is_begun_again() {
        let (place, top) = deep(3 * KNOWN + 5);
        empty(&top, Kind::Files, Deadline::NEVER, &mut None).unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_removal_that_was_cut_short_goes_on_where_it_was() {
        let (place, top) = deep(3 * KNOWN + 5);
        let mut state = None;
        let mut calls = 0;
        // Without any time: every call gets on, and none begins from the top.
        while empty(&top, Kind::Files, Deadline::PAST, &mut state) == Err(Errno::ETIMEDOUT) {
            calls += 1;
            assert!(state.is_some() && calls < 100_000, "does not get on");
        }
        assert!(calls > 6 * KNOWN && count(&top) == 1);
        let (parent, name) = (hold_place(place.path().parent().unwrap()).unwrap(), place.path().file_name().unwrap().to_owned());
        remove_directory(&parent, name.as_os_str(), (0, 0)).unwrap();
        assert!(place.path().exists(), "another one of that name");
        remove_directory(&parent, name.as_os_str(), identity(&top).unwrap()).unwrap();
        assert!(!place.path().exists());
    }
}
