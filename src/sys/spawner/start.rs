//! What a spawner is started with: its program as a sealed file in memory, its end of the channel, the shared memory, where the host is.

use core::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socketpair, sockopt};
use nix::sys::stat::{Mode, fstat};

use super::births::Births;
use super::link::{Link, here};
use super::wire;
use crate::sys::{Fault, fds, getpid, memfd, pidfd, procfs};

/// The program, built by build.rs. Empty where it could not be.
static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/spawner"));

/// As much as the kernel lets anybody ask for (net.core.wmem_max), as a rule: requests that wait.
const QUEUE: usize = 212_992;

/// The descriptors of a spawner. They are the host's until its process has begun; then they are closed here.
#[derive(Debug)]
pub struct Outfit {
    channel: OwnedFd,
    births: OwnedFd,
    program: OwnedFd,
    directory: OwnedFd,
    host: Option<OwnedFd>,
}

impl Outfit {
    /// The program that is to be executed, once [`Outfit::passed`] are in place. (The file is in memory; /proc must be mounted.)
    pub const PROGRAM: &CStr = c"/proc/self/fd/5";

    /// Which descriptors go to which numbers. 0, 1 and 2 are to be /dev/null. The environment is not read, nor the arguments. The process is to stay in
    /// the host's group (it lets no signal through but SIGKILL and SIGSTOP), and to die with the host: then no end of a thread reaches it.
    pub fn passed(&self) -> Vec<(RawFd, i32)> {
        let all = [
            (Some(&self.channel), wire::CHANNEL),
            (Some(&self.births), wire::BIRTHS),
            (Some(&self.program), wire::PROGRAM),
            (Some(&self.directory), wire::DIRECTORY),
            (self.host.as_ref(), wire::HOST),
        ];
        all.into_iter().filter_map(|(fd, to)| Some((fd?.as_raw_fd(), to))).collect()
    }
}

/// Makes all that a spawner needs; requests may be submitted before its process is started.
///
/// `Fault` of step "memfd_create" with `EACCES`: this system does not let files in memory be executed (vm.memfd_noexec). Of step "spawner" with
/// `EOPNOTSUPP`: this build has no program; with `EINVAL`: children would go to another pid namespace than the host's (unshare(2)), where it would be
/// the first process, which makes no children for others.
pub fn prepare() -> Result<(Link, Outfit), Fault> {
    if PROGRAM.is_empty() {
        return Err(Fault { step: "spawner", errno: Errno::EOPNOTSUPP });
    }
    if procfs::children_go_elsewhere() {
        return Err(Fault { step: "spawner", errno: Errno::EINVAL });
    }
    let program = memfd::executable(c"procsup-spawner", PROGRAM)?;
    let pair = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).map_err(Fault::of("socketpair"))?;
    let (ours, theirs) = (fds::above_standard(pair.0), fds::above_standard(pair.1));
    let (ours, theirs) = (ours.map_err(Fault::of("fcntl"))?, theirs.map_err(Fault::of("fcntl"))?);
    setsockopt(&ours, sockopt::SndBuf, &QUEUE).map_err(Fault::of("setsockopt"))?;
    let (births, file) = Births::create()?;
    let directory = here().map_err(Fault::of("open"))?;
    let there = fstat(&directory).map_err(Fault::of("fstat"))?;
    let host = pidfd::open(getpid()).and_then(fds::above_standard).ok();
    if host.is_some() {
        births.set_watched();
    }
    let link = Link::new(ours, births, (there.st_dev, there.st_ino));
    Ok((link, Outfit { channel: theirs, births: file, program, directory, host }))
}

#[cfg(test)]
mod tests {
    /// Where it cannot be built, build.rs only warns, and whoever needs it is skipped or refused: where the tests run it must be there.
    #[test]
    fn its_program_was_built() {
        assert!(!super::PROGRAM.is_empty());
    }
}
