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
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::Mode;
use nix::sys::uio::pread;
use nix::unistd::{Whence, lseek, write};

use crate::sys::fds;

/// Refuses to be executed, as newer systems demand (Linux 6.3).
const NOEXEC_SEAL: MFdFlags = MFdFlags::from_bits_retain(0x0008);

/// Bytes that a child finds on its standard input.
#[derive(Debug)]
pub struct Input(OwnedFd);

impl Input {
    /// Copies the bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, Errno> {
        // Memory counts for RLIMIT_FSIZE, and one byte beyond it would kill the host by SIGXFSZ.
        if bytes.len() as u64 > getrlimit(Resource::RLIMIT_FSIZE)?.0 {
            return Err(Errno::EFBIG);
        }
        let mut bytes = bytes;
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
        match open(path.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard) {
            // No /proc here: a copy has a place of its own, too.
            Err(Errno::ENOENT) => self.copy(),
            other => other,
        }
    }

    fn copy(&self) -> Result<OwnedFd, Errno> {
        let mut bytes = Vec::new();
        let mut buffer = [0u8; 16 * 1024];
        loop {
            match pread(&self.0, &mut buffer, bytes.len() as libc::off_t) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        let copy = Self::new(&bytes)?.0;
        lseek(&copy, 0, Whence::SeekSet)?;
        Ok(copy)
    }
}
