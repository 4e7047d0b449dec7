//! Standard input from memory: a sealed memfd.
//!
//! Feeding a pipe is what deadlocks two programs that each wait for the other to read. A file in memory needs no feeding: it is
//! complete before the child begins, and ends where it ends.
//!
//! Sources: memfd_create(2), F_ADD_SEALS in fcntl(2).

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;
use nix::unistd::write;

use crate::sys::fds;

/// Refuses to be executed, as newer systems demand (Linux 6.3).
const NOEXEC_SEAL: MFdFlags = MFdFlags::from_bits_retain(0x0008);

/// Bytes that a child finds on its standard input.
#[derive(Debug)]
pub struct Input(OwnedFd);

impl Input {
    /// Copies the bytes.
    pub fn new(mut bytes: &[u8]) -> Result<Self, Errno> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let made = match memfd_create(c"procsup-input", flags | NOEXEC_SEAL) {
            Err(Errno::EINVAL) => memfd_create(c"procsup-input", flags),
            other => other,
        };
        let file = made.and_then(fds::above_standard)?;
        while !bytes.is_empty() {
            match write(&file, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Self(file))
    }

    /// A reading end of its own, at the beginning: children of one command share the bytes, not the place.
    pub fn open(&self) -> Result<OwnedFd, Errno> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        open(path.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard)
    }
}
