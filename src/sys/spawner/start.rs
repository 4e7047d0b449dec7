//! What a spawner is started with: its program as a sealed file in memory, its end of the channel, the shared memory.

use core::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::Link;
use crate::sys::Fault;

/// The descriptors of a spawner. They are the host's until its process has begun; then they are closed here.
#[derive(Debug)]
pub struct Outfit {
    channel: OwnedFd,
    births: OwnedFd,
    program: OwnedFd,
}

impl Outfit {
    /// The program that is to be executed, once [`Outfit::passed`] are in place. (The file is in memory; /proc must be mounted.)
    pub const PROGRAM: &CStr = c"/proc/self/fd/5";

    /// Which descriptors go to which numbers. 0, 1 and 2 are to be /dev/null. The environment is not read, the first argument neither.
    pub fn passed(&self) -> [(RawFd, i32); 3] {
        [(self.channel.as_raw_fd(), 3), (self.births.as_raw_fd(), 4), (self.program.as_raw_fd(), 5)]
    }
}

/// Makes all that a spawner needs; requests may be submitted before its process is started. `Fault` of step "memfd_create" with `EACCES`:
/// this system does not let files in memory be executed (vm.memfd_noexec).
pub fn prepare() -> Result<(Link, Outfit), Fault> {
    todo!()
}
