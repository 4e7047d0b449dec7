//! Terminals: pseudo-terminals for children, and what a terminal can be asked. pty(7), ioctl_tty(2).
//!
//! Traps. **A terminal that is opened by a session leader without one becomes its own**, unless it says O_NOCTTY: a host must never get one so. **The
//! name of the other end (/dev/pts/5) may lead elsewhere**, where another devpts or none is mounted: so the kernel is asked for the very other end
//! (TIOCGPTPEER, Linux 4.13), and the name is only for where that is refused. **Who changes the foreground from the background is stopped**
//! (SIGTTOU), and a host is not to be stopped for its child: so nothing reaches the calling thread meanwhile.
//!
//! nix wraps few of these calls; so all of them are made here in one way.

use core::ffi::CStr;
use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Uid, fchown};

use super::raw::{check, syscall};
use super::signal::Blocked;
use super::{Fault, fds};

/// The two ends of a new pseudo-terminal, close-on-exec and above 2.
#[derive(Debug)]
pub struct Pair {
    /// The host's.
    pub master: OwnedFd,
    /// The child's.
    pub slave: OwnedFd,
}

/// What the kernel calls `struct winsize`.
#[repr(C)]
struct Size {
    rows: u16,
    columns: u16,
    pixels: [u16; 2],
}

/// What the kernel calls `struct termios`: not libc's, which has more in it.
#[repr(C)]
#[derive(Default)]
struct Modes {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    line: u8,
    characters: [u8; 19],
}

/// An ioctl whose argument is a number, or a pointer to memory of the caller's that is as large as the request says.
///
/// # Safety
/// By what the request wants.
unsafe fn ioctl(fd: RawFd, request: libc::Ioctl, argument: usize) -> Result<usize, Errno> {
    // SAFETY: by the contract above.
    check(unsafe { syscall!(libc::SYS_ioctl, fd, request as u32, argument) })
}

/// Opens a device, for no session of ours.
fn device(path: &CStr) -> Result<OwnedFd, Errno> {
    loop {
        match open(path, FLAGS, Mode::empty()) {
            Err(Errno::EINTR) => {}
            other => return other.and_then(fds::above_standard),
        }
    }
}

const FLAGS: OFlag = OFlag::O_RDWR.union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// A new one of that size. `owner`: the user who may open it again by name (/dev/pts/5), where this process may say so (CAP_CHOWN).
///
/// One step, however many calls it takes. `ENOSPC`: all that there may be are in use (/proc/sys/kernel/pty/max).
pub fn pair(rows: u16, columns: u16, owner: Option<u32>) -> Result<Pair, Fault> {
    let make = || -> Result<Pair, Errno> {
        let master = device(c"/dev/ptmx")?;
        let unlocked = 0i32;
        // SAFETY: one number of our own.
        unsafe { ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, (&raw const unlocked).addr()) }?;
        let slave = fds::above_standard(other_end(&master)?)?;
        resize(master.as_raw_fd(), rows, columns)?;
        if let Some(user) = owner {
            let _ = fchown(&slave, Some(Uid::from_raw(user)), None);
        }
        Ok(Pair { master, slave })
    };
    make().map_err(Fault::of("openpty"))
}

fn other_end(master: &OwnedFd) -> Result<OwnedFd, Errno> {
    // SAFETY: the argument is a number.
    match unsafe { ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, FLAGS.bits() as usize) } {
        // SAFETY: the kernel made this descriptor for us.
        Ok(slave) => Ok(unsafe { OwnedFd::from_raw_fd(slave as i32) }),
        Err(Errno::EINVAL | Errno::ENOTTY | Errno::ENOSYS | Errno::EPERM | Errno::EACCES) => by_name(master),
        Err(errno) => Err(errno),
    }
}

/// The same as ptsname(3) has it.
fn by_name(master: &OwnedFd) -> Result<OwnedFd, Errno> {
    let mut number = 0u32;
    // SAFETY: one number of our own.
    unsafe { ioctl(master.as_raw_fd(), libc::TIOCGPTN, (&raw mut number).addr()) }?;
    device(&CString::new(format!("/dev/pts/{number}")).unwrap_or_default())
}

/// Its size, from either end. Whoever has it in the foreground gets SIGWINCH, if that is another one.
pub fn resize(fd: RawFd, rows: u16, columns: u16) -> Result<(), Errno> {
    let size = Size { rows, columns, pixels: [0; 2] };
    // SAFETY: a structure of our own.
    unsafe { ioctl(fd, libc::TIOCSWINSZ, (&raw const size).addr()) }.map(drop)
}

fn modes(fd: RawFd) -> Result<Modes, Errno> {
    let mut modes = Modes::default();
    // SAFETY: a structure of our own.
    unsafe { ioctl(fd, libc::TCGETS, (&raw mut modes).addr()) }.map(|_| modes)
}

/// Refuses what is no terminal (`ENOTTY`), or was hung up (`EIO`).
pub fn check_terminal(fd: RawFd) -> Result<(), Errno> {
    modes(fd).map(drop)
}

/// What is typed at a terminal to end the input: the character (none: it has been turned off), and whether it works on lines, where it ends only a
/// line that has not been begun.
pub fn end_of_input(fd: RawFd) -> Option<(u8, bool)> {
    let modes = modes(fd).ok()?;
    let character = modes.characters[libc::VEOF];
    (character != 0).then_some((character, modes.local & libc::ICANON != 0))
}

/// The session that has it, from the host's end of it too. tcgetsid(3).
pub fn session_of(fd: RawFd) -> Result<i32, Errno> {
    let mut session = 0i32;
    // SAFETY: one number of our own.
    unsafe { ioctl(fd, libc::TIOCGSID, (&raw mut session).addr()) }.map(|_| session)
}

/// This process's own. `ENXIO`: it has none.
pub fn controlling() -> Result<OwnedFd, Errno> {
    device(c"/dev/tty")
}

/// The group in its foreground; it must be this process's own terminal. tcgetpgrp(3).
pub fn foreground(fd: &OwnedFd) -> Result<i32, Errno> {
    let mut group = 0i32;
    // SAFETY: one number of our own.
    unsafe { ioctl(fd.as_raw_fd(), libc::TIOCGPGRP, (&raw mut group).addr()) }.map(|_| group)
}

/// Puts a group there, also from the background. tcsetpgrp(3).
pub fn set_foreground(fd: &OwnedFd, group: i32) -> Result<(), Errno> {
    let _blocked = Blocked::all();
    // SAFETY: one number of our own.
    unsafe { ioctl(fd.as_raw_fd(), libc::TIOCSPGRP, (&raw const group).addr()) }.map(drop)
}

/// Whether nobody is in a group.
pub fn is_empty(group: i32) -> bool {
    use nix::sys::signal::killpg;
    use nix::unistd::Pid;
    group > 1 && killpg(Pid::from_raw(group), None) == Err(Errno::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_speak_and_neither_is_ours_to_control() {
        let Pair { master, slave } = pair(11, 22, None).unwrap();
        assert!(master.as_raw_fd() > 2 && slave.as_raw_fd() > 2 && check_terminal(slave.as_raw_fd()).is_ok());
        assert_eq!(session_of(master.as_raw_fd()), Err(Errno::ENOTTY));
        assert_eq!(end_of_input(master.as_raw_fd()), Some((4, true)));
        assert_eq!(nix::unistd::write(&master, b"x\n"), Ok(2));
        let mut buffer = [0; 8];
        assert_eq!(nix::unistd::read(&slave, &mut buffer), Ok(2));
        drop(slave);
        // The echo comes before the end.
        assert_eq!(nix::unistd::read(&master, &mut buffer), Ok(3));
        assert_eq!(nix::unistd::read(&master, &mut buffer), Err(Errno::EIO));
    }

    #[test]
    fn the_other_end_is_found_by_name_too() {
        let Pair { master, slave } = pair(1, 1, None).unwrap();
        let named = by_name(&master).unwrap();
        assert_eq!(fds::file_of(named.as_raw_fd()), fds::file_of(slave.as_raw_fd()));
    }

    #[test]
    fn what_is_no_terminal_is_known() {
        let null = fds::null().unwrap();
        assert_eq!(check_terminal(null.as_raw_fd()), Err(Errno::ENOTTY));
        assert!(end_of_input(null.as_raw_fd()).is_none());
        assert_eq!(resize(null.as_raw_fd(), 1, 1), Err(Errno::ENOTTY));
    }
}
