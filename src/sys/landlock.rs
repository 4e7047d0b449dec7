//! Landlock: what a process may do to files, by path; for itself and all that it makes, and for good. Source: landlock(7),
//! landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2); security/landlock/ of Linux 6.18.
//!
//! Traps. A right that a ruleset does not *handle* is not restricted at all, and one that the kernel does not know is refused as a whole (EINVAL): so
//! what is handled is asked for by the kernel's ABI. A rule for something that is no directory takes the rights of files only. And a ruleset is a
//! descriptor like any other: the child that restricts itself by it gets it as one more move (`process/descriptors.rs`).
//!
//! By hand: three calls and two structures, of which the last call is the child's own affair (`spawn/child.rs`, no libc there). nix has none of them, and
//! the crate `landlock` brings a builder, macros and an enumset for what is here a table of bits.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fstat};

use super::raw::{check, syscall};
use super::{Fault, fds};

/// What a path is opened to; several are added up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Allow {
    /// Files may be read, directories listed.
    #[strum(serialize = "PS_ALLOW_READ")]
    Read = 1,
    /// Files may be written, made, truncated, removed, renamed and linked, directories too; devices may be
    /// written and controlled (ioctl(2)), but no device node be made.
    #[strum(serialize = "PS_ALLOW_WRITE")]
    Write = 2,
    /// Files may be executed. The kernel has them read for that, so they may be read as well.
    #[strum(serialize = "PS_ALLOW_EXECUTE")]
    Execute = 4,
}

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_SOCK: u64 = 1 << 9;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;

/// What a rule for something that is no directory may say.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;

/// All of the file system's rights that this ABI knows. Two are never given to anybody: MAKE_CHAR and MAKE_BLOCK (6 and 11). Who may make a device node
/// where it may write can reach any disk by it.
const fn handled(abi: u32) -> u64 {
    match abi {
        0 | 1 => (1 << 13) - 1,
        2 => (1 << 14) - 1,
        3 | 4 => (1 << 15) - 1,
        _ => (1 << 16) - 1,
    }
}

impl Allow {
    /// All of them.
    pub const ALL: [Allow; 3] = [Allow::Read, Allow::Write, Allow::Execute];

    const fn rights(self) -> u64 {
        match self {
            Allow::Read => READ_FILE | READ_DIR,
            Allow::Write => {
                let made = MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM;
                WRITE_FILE | REMOVE_DIR | REMOVE_FILE | REFER | TRUNCATE | IOCTL_DEV | made
            }
            Allow::Execute => EXECUTE | READ_FILE,
        }
    }
}

/// The kernel's ABI, once it has said it.
static ABI: AtomicU32 = AtomicU32::new(0);

/// 1 or more.
fn abi() -> Result<u32, Errno> {
    const VERSION: u32 = 1;
    let known = ABI.load(Ordering::Relaxed);
    if known != 0 {
        return Ok(known);
    }
    // SAFETY: without a structure the call answers a number.
    let abi = check(unsafe { syscall!(libc::SYS_landlock_create_ruleset, 0, 0, VERSION) })? as u32;
    ABI.store(abi, Ordering::Relaxed);
    Ok(abi)
}

/// What a process may do that is restricted by it; nothing, unless [`Ruleset::allow`] says more.
#[derive(Debug)]
pub struct Ruleset {
    fd: OwnedFd,
    handled: u64,
}

impl Ruleset {
    /// An empty one. ENOSYS or EOPNOTSUPP: this kernel has none, or it is off; EPERM: a filter forbids it.
    pub fn new() -> Result<Self, Errno> {
        let handled = handled(abi()?);
        // SAFETY: the first of the structure's words, which is all of it that is wanted: the kernel takes the others for 0.
        let raw = check(unsafe { syscall!(libc::SYS_landlock_create_ruleset, &raw const handled, size_of::<u64>(), 0) })?;
        // SAFETY: the kernel made this descriptor for us.
        let fd = fds::above_standard(unsafe { OwnedFd::from_raw_fd(raw as i32) })?;
        Ok(Self { fd, handled })
    }

    /// Opens what stands there now, and all below it, to these (bits of [`Allow`]). As far as this kernel knows them.
    pub fn allow(&self, path: &CStr, access: i32) -> Result<(), Fault> {
        #[repr(C, packed)]
        struct Beneath {
            rights: u64,
            parent: i32,
        }
        const PATH_BENEATH: u32 = 1;
        let open = || nix::fcntl::open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        let place = loop {
            match open() {
                Err(Errno::EINTR) => {}
                opened => break opened.map_err(Fault::of("landlock"))?,
            }
        };
        let kind = fstat(&place).map_err(Fault::of("fstat"))?.st_mode & SFlag::S_IFMT.bits();
        let wanted = Allow::ALL.into_iter().filter(|one| access & *one as i32 != 0).fold(0, |rights, one| rights | one.rights());
        let fitting = if kind == SFlag::S_IFDIR.bits() { u64::MAX } else { OF_FILES };
        let rule = Beneath { rights: wanted & self.handled & fitting, parent: place.as_raw_fd() };
        // SAFETY: a structure of this frame, and a descriptor that is open meanwhile.
        let added = unsafe { syscall!(libc::SYS_landlock_add_rule, self.fd.as_raw_fd(), PATH_BENEATH, &raw const rule, 0) };
        check(added).map(drop).map_err(Fault::of("landlock_add_rule"))
    }

    /// For who restricts himself by it.
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_that_is_not_handled() {
        let given = Allow::ALL.into_iter().fold(0, |rights, one| rights | one.rights());
        let nodes = 1 << 6 | 1 << 11;
        assert_eq!(given | nodes, handled(7), "all but device nodes");
        assert_eq!(given & nodes, 0);
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(handled), [0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff, 0xffff]);
    }
}
