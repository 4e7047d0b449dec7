//! The names in a directory, as many as one wants: getdents64(2).
//!
//! The trap: who may write in it decides how many there are, and may add more while they are read. So the caller says when it is enough.

use core::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, Whence, lseek, unlinkat};

use super::fds;
use super::raw::{check, syscall};
use crate::clock::Deadline;

/// Bytes of names read at once.
const BLOCK: usize = 8 * 1024;

/// Shows each name in it, but `.` and `..`, until `visit` says false. In no order.
pub fn names(directory: impl AsFd, mut visit: impl FnMut(&CStr) -> bool) -> Result<(), Errno> {
    // A description of its own: where one stands in a directory is part of that.
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let own = openat(directory, ".", flags, Mode::empty()).and_then(fds::above_standard)?;
    let mut block = Vec::new();
    block.try_reserve_exact(BLOCK).map_err(|_| Errno::ENOMEM)?;
    block.resize(BLOCK, 0u8);
    loop {
        // SAFETY: the block is ours and BLOCK bytes long.
        let filled = match unsafe { check(syscall!(libc::SYS_getdents64, own.as_raw_fd(), block.as_mut_ptr(), BLOCK)) } {
            Ok(0) | Err(Errno::ENOENT) => return Ok(()),
            other => other?,
        };
        let mut rest = &block[..filled];
        while !rest.is_empty() {
            let (_, name, length) = first_of(rest).ok_or(Errno::EIO)?;
            if name != c"." && name != c".." && !visit(name) {
                return Ok(());
            }
            rest = &rest[length..];
        }
    }
}

/// What one look at a directory has shown.
#[derive(Debug)]
pub struct Glance {
    block: Vec<u8>,
    whole: bool,
}

/// What a glance says of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A regular file has it.
    Regular,
    /// Nothing has.
    Nothing,
    /// Something else may have it, or the glance was too short.
    Unknown,
}

/// The most that one entry takes: its name has 255 bytes at the most.
const LONGEST: usize = 19 + 256 + 5;
const GLANCE: usize = 1024;

impl Glance {
    /// Looks at the beginning of a directory that is open to be read, and that nobody else reads by this descriptor. Where that cannot be, it knows nothing.
    pub fn of(directory: &OwnedFd) -> Self {
        let mut block = vec![0u8; GLANCE];
        let filled = lseek(directory, 0, Whence::SeekSet).and_then(|_| {
            // SAFETY: the block is ours and GLANCE bytes long.
            unsafe { check(syscall!(libc::SYS_getdents64, directory.as_raw_fd(), block.as_mut_ptr(), GLANCE)) }
        });
        block.truncate(filled.unwrap_or(0));
        // With room for one more nothing was left out.
        let whole = filled.is_ok_and(|filled| filled + LONGEST <= GLANCE);
        Self { block, whole }
    }

    /// What has this name.
    pub fn of_name(&self, name: &str) -> Seen {
        let mut rest = &self.block[..];
        while let Some((kind, known, length)) = first_of(rest) {
            if known.to_bytes() == name.as_bytes() {
                return if kind == libc::DT_REG { Seen::Regular } else { Seen::Unknown };
            }
            rest = &rest[length..];
        }
        if self.whole { Seen::Nothing } else { Seen::Unknown }
    }
}

/// Removes the first names of a directory that was just opened, as far as they are no directories': one look, so that there are a few hundred at the
/// most. What cannot be removed stays.
pub fn unlink_first(directory: &OwnedFd, until: Deadline) {
    let mut block = [0u8; BLOCK];
    // SAFETY: the block is ours and BLOCK bytes long.
    let filled = unsafe { check(syscall!(libc::SYS_getdents64, directory.as_raw_fd(), block.as_mut_ptr(), BLOCK)) }.unwrap_or(0);
    let mut rest = &block[..filled];
    while let Some((kind, name, length)) = first_of(rest) {
        if kind != libc::DT_DIR && !until.has_come() {
            let _ = unlinkat(directory, name, UnlinkatFlags::NoRemoveDir);
        }
        rest = &rest[length..];
    }
}

/// The first entry of a block: its kind, its name, its length.
fn first_of(block: &[u8]) -> Option<(u8, &CStr, usize)> {
    // struct linux_dirent64: inode, position of the next one, length, kind, name.
    let length = block.get(16..18).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes)? as usize;
    let name = block.get(19..length)?;
    Some((block[18], CStr::from_bytes_until_nul(name).unwrap_or_default(), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_until_it_is_enough() {
        let home = tempfile::tempdir().unwrap();
        for number in 0..1000 {
            std::fs::write(home.path().join(format!("file-{number}")), "").unwrap();
        }
        let directory = crate::sys::tree::hold_place(home.path()).unwrap();
        let mut found = std::collections::HashSet::new();
        names(&directory, |name| found.insert(name.to_owned())).unwrap();
        assert_eq!(found.len(), 1000);
        let mut count = 0;
        names(&directory, |_| {
            count += 1;
            count < 5
        })
        .unwrap();
        assert_eq!(count, 5);
    }

    // covers: D-10
    #[test]
    fn a_glance_says_only_what_it_has_seen() {
        let home = tempfile::tempdir().unwrap();
        let directory = OwnedFd::from(std::fs::File::open(home.path()).unwrap());
        assert_eq!(Glance::of(&directory).of_name("file"), Seen::Nothing);
        std::fs::write(home.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("file", home.path().join("link")).unwrap();
        for _ in 0..2 {
            let glance = Glance::of(&directory);
            assert_eq!(
                ["file", "link", "none", "fil"].map(|name| glance.of_name(name)),
                [Seen::Regular, Seen::Unknown, Seen::Nothing, Seen::Nothing]
            );
        }
        for number in 0..100 {
            std::fs::write(home.path().join(format!("another-{number}")), "").unwrap();
        }
        assert_eq!(Glance::of(&directory).of_name("none"), Seen::Unknown, "there are more than it has seen");
    }
}
