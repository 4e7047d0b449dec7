//! One end of a unix stream, as a client has it: `unix(7)`, SOCK_STREAM. What arrives bears the kernel's word on who wrote it.
//!
//! Traps. **A line that is full is EAGAIN at once**, not a connect that is put off: no poll tells when there is room (net/unix/af_unix.c,
//! unix_stream_connect), so the caller tries again by the clock. **Who wrote is not who listens**: a server forks, and its child answers.
//! SO_PEERCRED names who had called listen(2), SCM_CREDENTIALS who has written these bytes; a receive never joins bytes of two writers
//! (unix_skb_scm_eq). A pidfd of the writer (SO_PASSPIDFD, Linux 6.5) is his, whoever has his number now. **Every message may bring descriptors**: they are
//! counted and closed (see `datagram.rs`).

use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, Shutdown, SockFlag, SockType, UnixAddr, connect, sendmsg, setsockopt, shutdown, socket,
    socketpair, sockopt,
};

use super::raw::{check, syscall};
use super::{Fault, fds};
use super::{datagram, message};

/// What one receive brought.
#[derive(Debug)]
pub struct Part {
    /// How many bytes of the buffer; 0: there will be no more.
    pub length: usize,
    /// Who wrote them, as this process numbers it; `None`: not of our pid namespace, or the kernel did not say.
    pub writer: Option<i32>,
    /// That process, whoever has its number now: where the kernel gives it.
    pub pidfd: Option<OwnedFd>,
    /// Descriptors came, so many that were seen. They are closed.
    pub descriptors: usize,
}

/// Connects without waiting: close-on-exec, non-blocking, above 2; whatever it receives says who wrote it. `EAGAIN`: the line of those who want to is
/// full; try again later.
pub fn connect_to(path: &Path) -> Result<OwnedFd, Fault> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let address = UnixAddr::new(path).map_err(Fault::of("connect"))?;
    let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(Fault::of("socket"))?;
    let fd = fds::above_standard(fd).map_err(Fault::of("fcntl"))?;
    // Before the connect: nothing may arrive without.
    setsockopt(&fd, sockopt::PassCred, &true).map_err(Fault::of("setsockopt"))?;
    let _ = datagram::pass_pidfds(&fd);
    loop {
        match connect(fd.as_raw_fd(), &address) {
            Err(Errno::EINTR) => {}
            other => return other.map(|()| fd).map_err(Fault::of("connect")),
        }
    }
}

/// Two connected ends, both close-on-exec and above 2. The first does not wait, and what it receives says who wrote it; the other one is for a
/// program that reads and writes as it likes, which may well be in a blocking way.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Fault> {
    let pair = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.map_err(Fault::of("socketpair"))?;
    let raised = |fd| fds::above_standard(fd).map_err(Fault::of("fcntl"));
    let (ours, theirs) = (raised(ours)?, raised(theirs)?);
    setsockopt(&ours, sockopt::PassCred, &true).map_err(Fault::of("setsockopt"))?;
    let _ = datagram::pass_pidfds(&ours);
    Ok((ours, theirs))
}

/// Room for one descriptor with its header, aligned.
#[repr(C, align(8))]
struct Control([u8; 24]);

/// Sends these bytes, and behind them others that have this very end with them: as long as nobody has read those it is open, whoever has closed it.
/// In one system call, so that no death of this process comes between the two (sendmmsg(2); where a filter does not know it, in two). Answers how
/// many of the first were sent.
///
/// By hand: nix sends the same descriptors with each of several messages.
pub fn send_and_stay(socket: &OwnedFd, first: &[u8], second: &[u8]) -> Result<usize, Errno> {
    let mut control = Control([0; 24]);
    let mut vectors = [first, second].map(|bytes| libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() });
    let [one, two] = &mut vectors;
    let header = |vector: &mut libc::iovec, control: *mut libc::c_void, length: usize| libc::mmsghdr {
        msg_hdr: message::header(core::slice::from_mut(vector), control, length),
        msg_len: 0,
    };
    // SAFETY: only a size is computed.
    let room = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) } as usize;
    debug_assert!(room <= control.0.len());
    let mut headers = [header(one, core::ptr::null_mut(), 0), header(two, control.0.as_mut_ptr().cast(), room)];
    // SAFETY: the second header names a control area of ours that has room for one header and one number.
    unsafe {
        let at = libc::CMSG_FIRSTHDR(&raw const headers[1].msg_hdr);
        ((*at).cmsg_level, (*at).cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        (*at).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
        core::ptr::write_unaligned(libc::CMSG_DATA(at).cast::<RawFd>(), socket.as_raw_fd());
    }
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    loop {
        // SAFETY: two headers, each of one buffer that is only read; all of it outlives the call.
        match check(unsafe { syscall!(libc::SYS_sendmmsg, socket.as_raw_fd(), headers.as_mut_ptr(), 2, flags) }) {
            Err(Errno::EINTR) => {}
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES) => break,
            Err(errno) => return Err(errno),
            // A want of descriptors in flight may have kept the second back: then it is as it is without.
            Ok(_) => return Ok(headers[0].msg_len as usize),
        }
    }
    let sent = send(socket, first)?;
    let numbers = [socket.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&numbers)];
    if sent == first.len() {
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        let _ = sendmsg::<UnixAddr>(socket.as_raw_fd(), &[IoSlice::new(second)], &rights, flags, None);
    }
    Ok(sent)
}

/// Sends as much of it as there is room for. Never waits: `EAGAIN`; and raises no signal: `EPIPE`.
pub fn send(socket: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    loop {
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        match sendmsg::<UnixAddr>(socket.as_raw_fd(), &[IoSlice::new(bytes)], &[], flags, None) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// Receives what has come of one writer. Never waits: `EAGAIN`. Allocates nothing.
pub fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Part, Errno> {
    let found = datagram::receive(socket, buffer)?;
    Ok(Part { length: found.length, writer: found.sender, pidfd: found.pidfd, descriptors: found.descriptors })
}

/// Nothing goes to and fro any more, whoever holds this end.
pub fn hang_up(socket: &OwnedFd) {
    let _ = shutdown(socket.as_raw_fd(), Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::sys::{getpid, pidfd, socket};

    fn home() -> (tempfile::TempDir, std::path::PathBuf, UnixListener) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        (home, path, listener)
    }

    #[test]
    fn what_arrives_says_who_wrote_it() {
        let (_home, path, listener) = home();
        let ours = connect_to(&path).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        assert_eq!(receive(&ours, &mut [0; 16]).unwrap_err(), Errno::EAGAIN);
        assert_eq!(send(&ours, b"ask\n"), Ok(4));
        theirs.read_exact(&mut [0; 4]).unwrap();
        theirs.write_all(b"answer").unwrap();
        let mut buffer = [0; 16];
        let part = receive(&ours, &mut buffer).unwrap();
        assert_eq!((&buffer[..part.length], part.writer, part.descriptors), (&b"answer"[..], Some(getpid()), 0));
        let own = pidfd::open(getpid()).unwrap();
        if let Some(pidfd) = &part.pidfd {
            assert_eq!(pidfd::number(pidfd), pidfd::number(&own));
        }
        assert_eq!(socket::peer(ours.as_fd()).unwrap().pid, getpid());
        drop(theirs);
        assert_eq!(receive(&ours, &mut buffer).unwrap().length, 0);
        assert_eq!(send(&ours, b"x"), Err(Errno::EPIPE), "an errno, and no signal");
    }

    #[test]
    fn a_full_line_is_told_at_once() {
        let (_home, path, listener) = home();
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        let mut held = Vec::new();
        let full = loop {
            match connect_to(&path) {
                Ok(fd) => held.push(fd),
                Err(fault) => break fault,
            }
        };
        assert_eq!(full, Fault { step: "connect", errno: Errno::EAGAIN });
        drop(listener);
        assert_eq!(connect_to(&path).unwrap_err().errno, Errno::ECONNREFUSED);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(connect_to(&path).unwrap_err().errno, Errno::ENOENT);
        assert_eq!(connect_to(Path::new(&"x".repeat(200))).unwrap_err().errno, Errno::ENAMETOOLONG);
    }

    #[test]
    fn no_descriptor_that_comes_with_it_stays_open() {
        let (_home, path, listener) = home();
        let ours = connect_to(&path).unwrap();
        let (theirs, _) = listener.accept().unwrap();
        let (read, write) = fds::pipe().unwrap();
        let numbers = vec![write.as_raw_fd(); 253];
        let words = [IoSlice::new(b"x")];
        sendmsg::<UnixAddr>(theirs.as_raw_fd(), &words, &[ControlMessage::ScmRights(&numbers)], MsgFlags::empty(), None).unwrap();
        drop(write);
        assert_eq!(receive(&ours, &mut [0; 16]).unwrap().descriptors, 253);
        fds::set_nonblocking(&read).unwrap();
        assert_eq!(nix::unistd::read(&read, &mut [0; 1]), Ok(0));
    }

    // covers: B2
    #[test]
    fn an_end_that_lies_in_the_others_queue_is_open_until_that_one_is_closed() {
        let (ours, theirs) = pair().unwrap();
        let mut theirs = std::os::unix::net::UnixStream::from(theirs);
        assert_eq!(send_and_stay(&ours, b"begin", b"kept"), Ok(5));
        theirs.read_exact(&mut [0; 5]).unwrap();
        drop(ours);
        theirs.write_all(b"ready").unwrap();
        theirs.read_exact(&mut [0; 4]).unwrap();
        assert_eq!(theirs.write(b"more").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe, "who reads it has let it go");
    }

    // covers: B2
    #[test]
    fn nothing_stays_behind_when_the_other_end_is_closed() {
        let (ours, theirs) = pair().unwrap();
        // What lies in our own queue is as open as we are.
        let (read, write) = fds::pipe().unwrap();
        let words = [IoSlice::new(b"x")];
        let numbers = [write.as_raw_fd()];
        sendmsg::<UnixAddr>(theirs.as_raw_fd(), &words, &[ControlMessage::ScmRights(&numbers)], MsgFlags::empty(), None).unwrap();
        drop(write);
        fds::set_nonblocking(&read).unwrap();
        assert_eq!(send_and_stay(&ours, b"begin", b"kept"), Ok(5));
        drop(ours);
        assert_eq!(nix::unistd::read(&read, &mut [0; 1]), Err(Errno::EAGAIN), "open, though nobody has it");
        drop(theirs);
        until_eof(&read);
    }

    /// The kernel may see to sockets in flight a moment later.
    fn until_eof(read: &OwnedFd) {
        for _ in 0..10_000 {
            if nix::unistd::read(read, &mut [0; 1]) == Ok(0) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("it is open for ever");
    }

    // covers: B5
    #[test]
    fn what_was_said_before_an_end_was_shut_is_read_and_nothing_can_be_said_after() {
        let (ours, theirs) = pair().unwrap();
        let mut theirs = std::os::unix::net::UnixStream::from(theirs);
        theirs.write_all(b"ready").unwrap();
        assert!(datagram::shut(&ours));
        assert_eq!(theirs.write(b"more").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
        let mut buffer = [0; 16];
        assert_eq!(receive(&ours, &mut buffer).unwrap().length, 5);
        assert_eq!(receive(&ours, &mut buffer).unwrap().length, 0);
        assert_eq!(send(&ours, b"abort"), Ok(5), "the other way is open");
    }

    #[test]
    fn who_hangs_up_is_gone_also_where_others_hold_the_end() {
        let (_home, path, listener) = home();
        let ours = connect_to(&path).unwrap();
        let kept = fds::duplicate(&ours).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        hang_up(&ours);
        drop(ours);
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
        drop(kept);
    }
}
