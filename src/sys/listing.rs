//! The names in a directory, as many as one wants: getdents64(2).
//!
//! The trap: who may write in it decides how many there are, and may add more while they are read. So the caller says when it is enough.

use core::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::fds;
use super::raw::{check, syscall};

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
            // struct linux_dirent64: inode, position of the next one, length, kind, name.
            let length = rest.get(16..18).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_ne_bytes) as usize;
            if length < 20 || length > rest.len() {
                return Err(Errno::EIO);
            }
            let name = CStr::from_bytes_until_nul(&rest[19..length]).unwrap_or_default();
            if name != c"." && name != c".." && !visit(name) {
                return Ok(());
            }
            rest = &rest[length..];
        }
    }
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
}
