//! Unix datagram sockets, the end that sends: unix(7), SOCK_DGRAM.
//!
//! Connected, not sent to by name: only then does poll(2) know that the other side's queue has room again (net/unix/af_unix.c,
//! unix_dgram_poll).

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_to, socket};

use super::{Fault, fds};

/// The longest name with its first character: sun_path has 108 bytes, and a path ends with NUL.
pub const LONGEST_NAME: usize = 107;

/// Where a socket is bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name<'a> {
    /// In the file system.
    Path(&'a [u8]),
    /// In the network namespace of the process, without its first NUL.
    Abstract(&'a [u8]),
}

fn of(name: &Name<'_>) -> Result<UnixAddr, Errno> {
    match name {
        Name::Path(path) => UnixAddr::new(*path),
        Name::Abstract(name) => UnixAddr::new_abstract(name),
    }
}

/// Whether it is no longer than a name can be.
#[cfg(test)]
pub fn fits(name: &Name<'_>) -> bool {
    of(name).is_ok()
}

/// A socket whose messages go there; close-on-exec. Never waits.
pub fn connect(name: &Name<'_>) -> Result<OwnedFd, Fault> {
    let address = of(name).map_err(Fault::of("connect"))?;
    let fd = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).map_err(Fault::of("socket"))?;
    let fd = fds::above_standard(fd).map_err(Fault::of("fcntl"))?;
    loop {
        match connect_to(fd.as_raw_fd(), &address) {
            Err(Errno::EINTR) => {}
            other => return other.map(|()| fd).map_err(Fault::of("connect")),
        }
    }
}
