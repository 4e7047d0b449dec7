//! Datagram sockets of `unix(7)`: one end that strangers may speak to, bound to an abstract name, with the sender's identity by the kernel; and one
//! that sends. That one is connected, not sent to by name: only then does poll(2) know that the other side's queue has room again (net/unix/af_unix.c,
//! unix_dgram_poll).
//!
//! Traps. **Anybody of the same network namespace may send to an abstract name**, and /proc/net/unix lists it: who spoke is what the kernel says
//! with the message, never a secret. **Every message may bring descriptors**, 253 of them. None is wanted, but without room for them the kernel
//! lets go of them inside the receive; and if the sender has closed his, that is the last close of a socket, which waits for its unsent
//! data as long as the sender likes (SO_LINGER of socket(7)). So they are received, told not to wait, and closed, before the receive
//! returns: a sender may be waiting for that (BARRIER=1 of sd_notify(3)). The same holds for a socket that is closed with messages in its queue
//! ([`shut`]). A copy of this process that another thread forks just then has them until its exec or end, and a barrier waits for that copy.
//! **An empty datagram is a message**, not an end: such a socket has none.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Shutdown, SockFlag, SockType, UnixAddr, bind, connect as connect_to, setsockopt, shutdown, socket, sockopt,
};

use super::raw::{check, syscall};
use super::{Fault, fds, message};

/// The message that SO_PASSPIDFD brings: include/linux/socket.h.
const SCM_PIDFD: i32 = 4;

/// What one receive brought.
#[derive(Debug)]
pub struct Datagram {
    /// How many bytes of the buffer.
    pub length: usize,
    /// Longer than the buffer.
    pub cut: bool,
    /// The process that sent it, as this process numbers it; `None`: not of our pid namespace, or the kernel did not say. Whoever has CAP_SYS_ADMIN
    /// may name another process than itself: that is the kernel's rule.
    pub sender: Option<i32>,
    /// That process, whoever has its number now: if it was asked for, and no descriptor came in its place.
    pub pidfd: Option<OwnedFd>,
    /// Descriptors came, so many that were seen. They are closed.
    pub descriptors: usize,
}

/// A socket under an abstract name. Close-on-exec, non-blocking, above 2; whatever it receives carries its sender's identity. `EADDRINUSE`: the
/// name is taken.
pub fn bound(name: &[u8]) -> Result<OwnedFd, Fault> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::Datagram, flags, None).map_err(Fault::of("socket"))?;
    let fd = fds::above_standard(fd).map_err(Fault::of("fcntl"))?;
    // Before the bind: nothing may arrive without.
    setsockopt(&fd, sockopt::PassCred, &true).map_err(Fault::of("setsockopt"))?;
    UnixAddr::new_abstract(name).and_then(|address| bind(fd.as_raw_fd(), &address)).map_err(Fault::of("bind"))?;
    Ok(fd)
}

/// Whether pidfds of senders come from now on: SO_PASSPIDFD, Linux 6.5. Older kernels and filters say no.
pub fn pass_pidfds(fd: &OwnedFd) -> bool {
    let on = 1i32;
    // SAFETY: four bytes on our own stack, as the call is told.
    let answer =
        unsafe { syscall!(libc::SYS_setsockopt, fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PASSPIDFD, &raw const on, size_of::<i32>()) };
    answer == 0
}

/// Room for an identity, as many descriptors as a message has (SCM_MAX_FD), and a pidfd; each with its header, aligned.
#[repr(C, align(8))]
struct Control([u8; 32 + 1032 + 24]);

/// Nobody can send there any more; what is in the queue can be received still. So its end can be reached, whoever sends. `false`: a filter forbids it.
pub fn shut(socket: &OwnedFd) -> bool {
    shutdown(socket.as_raw_fd(), Shutdown::Read).is_ok()
}

/// Closes what a stranger has sent, without a wait for the data of a socket. (Where it is his still, he may set that anew just in between.)
fn let_go(fd: OwnedFd) {
    let never = libc::linger { l_onoff: 0, l_linger: 0 };
    // What is no socket has none.
    let _ = setsockopt(&fd, sockopt::Linger, &never);
}

/// Receives one message. Never waits: `EAGAIN` if there is none. Allocates nothing.
pub fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Datagram, Errno> {
    let mut control = Control([0; 32 + 1032 + 24]);
    let mut parts = [libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() }];
    let mut header = message::header(&mut parts, control.0.as_mut_ptr().cast(), control.0.len());
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    let length = loop {
        // SAFETY: the header describes one buffer and one control area, both ours and of the lengths given or longer.
        match unsafe { check(syscall!(libc::SYS_recvmsg, socket.as_raw_fd(), &raw mut header, flags)) } {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
            Ok(length) => break length,
        }
    };
    let has = |flag| header.msg_flags & flag != 0;
    let mut found =
        Datagram { length, cut: has(libc::MSG_TRUNC), sender: None, pidfd: None, descriptors: usize::from(has(libc::MSG_CTRUNC)) };
    // SAFETY: the kernel has filled the control area and its length; the macros walk it, and the numbers in it are new and ours alone.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(&raw const header);
        while !at.is_null() {
            let data = libc::CMSG_DATA(at);
            let bytes = ((*at).cmsg_len as usize).saturating_sub(data.offset_from(at.cast()) as usize);
            match ((*at).cmsg_level, (*at).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    let count = bytes / size_of::<RawFd>();
                    (0..count).for_each(|index| let_go(OwnedFd::from_raw_fd(core::ptr::read_unaligned(data.cast::<RawFd>().add(index)))));
                    found.descriptors += count;
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if bytes >= size_of::<libc::ucred>() => {
                    let ucred: libc::ucred = core::ptr::read_unaligned(data.cast());
                    found.sender = (ucred.pid > 0).then_some(ucred.pid);
                }
                (libc::SOL_SOCKET, SCM_PIDFD) if bytes >= size_of::<RawFd>() => {
                    // Or an errno, of a process that was reaped: scm_pidfd_recv() in include/net/scm.h.
                    let fd: RawFd = core::ptr::read_unaligned(data.cast());
                    found.pidfd = (fd >= 0).then(|| OwnedFd::from_raw_fd(fd));
                }
                _ => {}
            }
            at = libc::CMSG_NXTHDR(&raw const header, at);
        }
    }
    Ok(found)
}

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

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

    use super::*;
    use crate::sys::{getpid, random};

    fn connected() -> (OwnedFd, UnixDatagram, Vec<u8>) {
        let name = random::unique().to_vec();
        let ours = bound(&name).unwrap();
        let theirs = UnixDatagram::unbound().unwrap();
        nix::sys::socket::connect(theirs.as_raw_fd(), &UnixAddr::new_abstract(&name).unwrap()).unwrap();
        (ours, theirs, name)
    }

    #[test]
    fn a_message_says_who_sent_it() {
        let (ours, theirs, name) = connected();
        theirs.send(b"READY=1").unwrap();
        theirs.send(b"").unwrap();
        let mut buffer = [0; 16];
        let found = receive(&ours, &mut buffer).unwrap();
        assert_eq!((&buffer[..found.length], found.sender, found.cut, found.descriptors), (&b"READY=1"[..], Some(getpid()), false, 0));
        let found = receive(&ours, &mut buffer).unwrap();
        assert_eq!((found.length, found.sender), (0, Some(getpid())), "an empty one is one, too");
        assert_eq!(receive(&ours, &mut buffer).unwrap_err(), Errno::EAGAIN);
        assert_eq!(bound(&name).unwrap_err().errno, Errno::EADDRINUSE);
    }

    #[test]
    fn what_is_longer_than_the_buffer_is_told() {
        let (ours, theirs, _) = connected();
        theirs.send(&[7; 17]).unwrap();
        assert!(receive(&ours, &mut [0; 16]).unwrap().cut);
    }

    #[test]
    fn a_sender_comes_with_a_pidfd_where_the_kernel_has_them() {
        let (ours, theirs, _) = connected();
        let has = pass_pidfds(&ours);
        theirs.send(b"x").unwrap();
        let found = receive(&ours, &mut [0; 16]).unwrap();
        assert_eq!((found.pidfd.is_some(), found.sender), (has, Some(getpid())));
    }

    #[test]
    fn no_descriptor_stays_open() {
        let (ours, theirs, _) = connected();
        for (with_pidfd, count) in [(false, 1), (false, 253), (true, 1), (true, 253)] {
            let _ = with_pidfd && pass_pidfds(&ours);
            let (read, write) = fds::pipe().unwrap();
            let numbers = vec![write.as_raw_fd(); count];
            let rights = [ControlMessage::ScmRights(&numbers)];
            let words = [std::io::IoSlice::new(b"FDSTORE=1")];
            sendmsg::<UnixAddr>(theirs.as_raw_fd(), &words, &rights, MsgFlags::empty(), None).unwrap();
            drop(write);
            let found = receive(&ours, &mut [0; 16]).unwrap();
            assert_eq!((found.descriptors, found.sender), (count, Some(getpid())));
            // Its other end is closed everywhere: end of file, and no wait.
            fds::set_nonblocking(&read).unwrap();
            assert_eq!(nix::unistd::read(&read, &mut [0; 1]), Ok(0), "{with_pidfd} {count}");
        }
    }
}
