//! Bytes in memory that travel as a descriptor: memfd_create(2), sealed (F_ADD_SEALS in fcntl(2)) so that nobody can change or
//! shorten them under a reader.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::fstat;
use nix::sys::uio::pread;
use nix::unistd::write;

use super::{Fault, fds};

/// Refuses to be executed, as newer systems demand (Linux 6.3).
const NOEXEC_SEAL: MFdFlags = MFdFlags::from_bits_retain(0x0008);

/// May be executed, as newer systems want to be told (Linux 6.3).
const EXEC: MFdFlags = MFdFlags::from_bits_retain(0x0010);

/// An empty one, close-on-exec and above 2.
pub fn create(name: &core::ffi::CStr) -> Result<OwnedFd, Fault> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    match memfd_create(name, flags | NOEXEC_SEAL) {
        Err(Errno::EINVAL) => memfd_create(name, flags),
        other => other,
    }
    .map_err(Fault::of("memfd_create"))
    .and_then(|fd| fds::above_standard(fd).map_err(Fault::of("fcntl")))
}

/// Whether a file, in memory or on disk, may have this size: one byte beyond RLIMIT_FSIZE kills the host by SIGXFSZ. `EFBIG` if not.
pub fn check_size(length: usize) -> Result<(), Fault> {
    let (soft, _) = getrlimit(Resource::RLIMIT_FSIZE).map_err(Fault::of("getrlimit"))?;
    if length as u64 > soft { Err(Fault { step: "RLIMIT_FSIZE", errno: Errno::EFBIG }) } else { Ok(()) }
}

/// One that holds these bytes for ever.
pub fn sealed(name: &core::ffi::CStr, bytes: &[u8]) -> Result<OwnedFd, Fault> {
    check_size(bytes.len())?;
    filled(create(name)?, bytes)
}

/// The same, of a program that is to be executed. `EACCES`: this system lets no such file be (vm.memfd_noexec, proc_sys_vm(5)).
pub fn executable(name: &core::ffi::CStr, program: &[u8]) -> Result<OwnedFd, Fault> {
    check_size(program.len())?;
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = match memfd_create(name, flags | EXEC) {
        Err(Errno::EINVAL) => memfd_create(name, flags),
        other => other,
    };
    filled(file.and_then(fds::above_standard).map_err(Fault::of("memfd_create"))?, program)
}

fn filled(file: OwnedFd, bytes: &[u8]) -> Result<OwnedFd, Fault> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match write(&file, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Fault { step: "write", errno }),
        }
    }
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(Fault::of("fcntl"))?;
    Ok(file)
}

/// Whether it is what [`sealed`] makes: as long and with these bytes for ever.
pub fn is_sealed(file: impl AsFd) -> bool {
    let needed = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
    fcntl(file.as_fd(), FcntlArg::F_GET_SEALS).is_ok_and(|seals| SealFlag::from_bits_retain(seals).contains(needed))
}

/// How many bytes it holds.
pub fn length(file: impl AsFd) -> Result<usize, Fault> {
    fstat(file.as_fd()).map(|stat| stat.st_size as usize).map_err(Fault::of("fstat"))
}

/// All its bytes; the place of its description does not matter, and stays.
pub fn read_all(file: impl AsFd) -> Result<Vec<u8>, Fault> {
    let (mut bytes, length) = (Vec::new(), length(&file)?);
    // How many there are is another's choice.
    bytes.try_reserve_exact(length).map_err(|_| Fault { step: "memory", errno: Errno::ENOMEM })?;
    bytes.resize(length, 0);
    let mut done = 0;
    while done < bytes.len() {
        match pread(file.as_fd(), &mut bytes[done..], done as libc::off_t) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(Fault { step: "pread", errno }),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}
