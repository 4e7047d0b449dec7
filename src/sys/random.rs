//! Numbers that nobody guesses: getrandom(2).
//!
//! The trap: early in a machine's life it waits until the kernel has enough of them; and there are filters that do not know it. Neither is worth a
//! wait or a failure where they make names ([`unique`]); a secret is one or is not made ([`secret`]).

use core::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use super::raw::{check, syscall};

/// Random bytes; where the kernel has none to give, at least bytes that no other call on this system gets.
pub fn unique() -> [u8; 16] {
    let mut bytes = [0u8; 16];
    // SAFETY: sixteen bytes on our own stack; so few come at once or not at all.
    let answer = unsafe { check(syscall!(libc::SYS_getrandom, bytes.as_mut_ptr(), bytes.len(), libc::GRND_NONBLOCK)) };
    if answer == Ok(bytes.len()) { bytes } else { counted() }
}

/// Bytes that nobody can know. EAGAIN: early in the machine's life, before the kernel has any.
pub fn secret() -> Result<[u8; 16], Errno> {
    let mut bytes = [0u8; 16];
    // SAFETY: sixteen bytes on our own stack.
    match unsafe { check(syscall!(libc::SYS_getrandom, bytes.as_mut_ptr(), bytes.len(), libc::GRND_NONBLOCK)) } {
        Ok(16) => Ok(bytes),
        // A filter that does not know the call: the device is older.
        Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES) => from_device(bytes),
        Err(errno) => Err(errno),
        Ok(_) => Err(Errno::EAGAIN),
    }
}

fn from_device(mut bytes: [u8; 16]) -> Result<[u8; 16], Errno> {
    let device = nix::fcntl::open("/dev/urandom", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    loop {
        match nix::unistd::read(&device, &mut bytes) {
            Err(Errno::EINTR) => {}
            Ok(16) => return Ok(bytes),
            other => return other.and(Err(Errno::EIO)),
        }
    }
}

/// The process, how many it has had, and the time: for names, which need not be guessed by nobody.
fn counted() -> [u8; 16] {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let count = MADE.fetch_add(1, Ordering::Relaxed);
    let low = (super::getpid() as u64) << 32 | (count & 0xFFFF_FFFF);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&low.to_be_bytes());
    bytes[8..].copy_from_slice(&crate::clock::now().to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(unique(), unique());
        assert_ne!(counted(), counted());
        assert_ne!(secret(), secret());
        assert_ne!(from_device([0; 16]).unwrap(), [0; 16]);
    }
}
