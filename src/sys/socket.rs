//! Unix sockets that keep message boundaries: `unix(7)`, SOCK_SEQPACKET, with descriptors and the sender's identity.
//!
//! Traps: a receive that is out of descriptor numbers answers success and drops what it could not install (MSG_CTRUNC), so the
//! ones that did arrive must be closed by whoever notices; received descriptors must be close-on-exec at once; and the identity
//! of a peer is what the kernel says (SCM_CREDENTIALS, SO_PEERCRED), never what it says of itself.

use core::mem::MaybeUninit;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, bind, connect, getsockopt, listen, sendmsg, setsockopt,
    socket, socketpair, sockopt,
};
use nix::sys::stat::{Mode, fchmod, fstat};

use super::raw::{check, syscall};
use super::{Fault, fds, message, pidfd};

/// The most descriptors in one message: SCM_MAX_FD is 253, and musl has room for one less.
pub const MAX_FDS: usize = 252;

/// Who sent a message, or holds the other end: kernel-verified. The pid is one of this pid namespace, or 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// For display, and to be compared with another one of the same moment.
    pub pid: i32,
    /// SO_PEERCRED: the effective user; SCM_CREDENTIALS: the real one (net/unix/af_unix.c, maybe_add_creds).
    pub uid: u32,
}

/// What one receive brought.
#[derive(Debug)]
pub struct Received {
    /// How many bytes of the buffer.
    pub length: usize,
    /// Longer than the buffer, or with more descriptors than could be installed.
    pub truncated: bool,
    /// Who sent it; `None` if the kernel did not say.
    pub sender: Option<Identity>,
    /// Close-on-exec, above 2 where that could be had.
    pub fds: Vec<OwnedFd>,
}

/// Two connected ends, both close-on-exec; messages that reach the first carry their sender's identity.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Fault> {
    let pair = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.map_err(Fault::of("socketpair"))?;
    let raised = |fd| fds::above_standard(fd).map_err(Fault::of("fcntl"));
    let (ours, theirs) = (raised(ours)?, raised(theirs)?);
    setsockopt(&ours, sockopt::PassCred, &true).map_err(Fault::of("setsockopt"))?;
    Ok((ours, theirs))
}

/// Messages that this end receives carry their sender's identity from now on.
pub fn ask_for_identity(socket: &OwnedFd) -> Result<(), Errno> {
    setsockopt(socket, sockopt::PassCred, &true)
}

/// A socket to be bound and listened at: what it is bound to has mode 0600 from the first instant. Close-on-exec and non-blocking.
pub fn nameless() -> Result<OwnedFd, Fault> {
    let fd = unconnected()?;
    // Before the bind: the file takes the socket's mode, and the umask is the host's, which is not to be changed.
    fchmod(&fd, Mode::S_IRUSR | Mode::S_IWUSR).map_err(Fault::of("fchmod"))?;
    ask_for_identity(&fd).map_err(Fault::of("setsockopt"))?;
    Ok(fd)
}

/// Binds it to this path, which must not exist: `EADDRINUSE`. What is done about a later failure is for the caller, who holds the directory
/// (bind(2) knows none). Source: unix(7).
pub fn bind_to(fd: &OwnedFd, path: &Path) -> Result<(), Errno> {
    bind(fd.as_raw_fd(), &UnixAddr::new(path)?)
}

/// Listens, or does so anew: whoever connects from now on sees this process as the other end.
pub fn relisten(fd: &OwnedFd) -> Result<(), Errno> {
    listen(fd, Backlog::new(64)?)
}

fn unconnected() -> Result<OwnedFd, Fault> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).map_err(Fault::of("socket"))?;
    fds::above_standard(fd).map_err(Fault::of("fcntl"))
}

/// Connects without waiting. `EAGAIN`: the line of those who want to is full.
pub fn connect_to(path: &Path) -> Result<OwnedFd, Fault> {
    let fd = unconnected()?;
    ask_for_identity(&fd).map_err(Fault::of("setsockopt"))?;
    loop {
        match UnixAddr::new(path).and_then(|address| connect(fd.as_raw_fd(), &address)) {
            Err(Errno::EINTR) => {}
            other => return other.map(|()| fd).map_err(Fault::of("connect")),
        }
    }
}

/// The next connection; close-on-exec and non-blocking. `None`: nobody is there any more.
pub fn accept(listener: &OwnedFd) -> Result<Option<OwnedFd>, Errno> {
    loop {
        let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: null address pointers are allowed.
        match unsafe { check(syscall!(libc::SYS_accept4, listener.as_raw_fd(), 0, 0, flags)) } {
            Err(Errno::EINTR | Errno::ECONNABORTED) => {}
            Err(Errno::EAGAIN) => return Ok(None),
            Err(errno) => return Err(errno),
            Ok(fd) => {
                // SAFETY: a new descriptor that nobody else owns.
                let fd = fds::above_standard(unsafe { OwnedFd::from_raw_fd(fd as i32) })?;
                ask_for_identity(&fd)?;
                return Ok(Some(fd));
            }
        }
    }
}

/// Who holds the other end: who connected, who listened last, or who made the pair.
pub fn peer(socket: impl AsFd) -> Result<Identity, Errno> {
    let found = getsockopt(&socket.as_fd(), sockopt::PeerCredentials)?;
    Ok(Identity { pid: found.pid(), uid: found.uid() })
}

/// A pidfd of that process: from the kernel itself (SO_PEERPIDFD, Linux 6.5), else by its number.
///
/// The number may have gone to another process between the message and this call; who does without SO_PEERPIDFD compares the
/// start time that the peer sent with that of the process found (`procfs::start_time`).
pub fn peer_pidfd(socket: impl AsFd, pid: i32) -> Result<(OwnedFd, bool), Errno> {
    if peer(&socket).is_ok_and(|peer| peer.pid == pid) {
        match getsockopt(&socket.as_fd(), sockopt::PeerPidfd) {
            // Close-on-exec is what the kernel gives (net/core/sock.c: pidfd_prepare).
            Ok(fd) => return Ok((fds::above_standard(fd)?, true)),
            // An older kernel; one that finds no process any more; a filter.
            Err(Errno::ENOPROTOOPT | Errno::EINVAL | Errno::ENODATA | Errno::ESRCH | Errno::EPERM | Errno::ENOSYS) => {}
            Err(errno) => return Err(errno),
        }
    }
    fds::above_standard(pidfd::open(pid)?).map(|fd| (fd, false))
}

/// Where the kernel cannot say: it is asked once more.
fn twice<T>(ask: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    ask().or_else(|_| ask())
}

/// Whether this number is a connected message socket with this inode. Asked twice where the kernel cannot say: whoever takes it for another's leaves
/// it open for good.
pub fn is_socket_with_inode(fd: RawFd, inode: u64) -> bool {
    if !fds::is_open(fd) {
        return false;
    }
    let borrowed = fds::borrow(&fd);
    let is_it = twice(|| fstat(borrowed)).is_ok_and(|stat| stat.st_ino == inode && stat.st_mode & libc::S_IFMT == libc::S_IFSOCK);
    is_it && twice(|| peer(borrowed)).is_ok()
}

/// Whether this number is a unix socket that keeps message boundaries, and is connected. Asked twice, for the same reason.
pub fn is_message_socket(fd: RawFd) -> bool {
    if !fds::is_open(fd) {
        return false;
    }
    let borrowed = fds::borrow(&fd);
    twice(|| getsockopt(&borrowed, sockopt::SockType)) == Ok(SockType::SeqPacket) && twice(|| peer(borrowed)).is_ok()
}

/// Whether clients come to this socket by themselves: it listens, or takes datagrams. A connection is another matter. An error says that nobody knows.
pub fn is_open_to_all(socket: &OwnedFd) -> Result<bool, Errno> {
    let asked = match getsockopt(socket, sockopt::SockType) {
        Ok(SockType::Datagram) => Ok(true),
        Ok(_) => getsockopt(socket, sockopt::AcceptConn),
        Err(errno) => Err(errno),
    };
    match asked {
        // No socket, one that was opened as a path only, or of a kind that has no name here.
        Err(Errno::ENOTSOCK | Errno::EBADF | Errno::EINVAL) => Ok(false),
        answer => answer,
    }
}

/// The number that the kernel gave this socket; no other one of this system has it meanwhile.
pub fn inode(socket: &OwnedFd) -> Result<u64, Errno> {
    fstat(socket).map(|stat| stat.st_ino)
}

/// What the kernel calls this socket; no other one ever is until the machine boots again. `None`: it does not say.
pub fn cookie(socket: &OwnedFd) -> Option<u64> {
    let (mut cookie, mut length) = (0u64, size_of::<u64>() as libc::socklen_t);
    let fd = socket.as_raw_fd();
    // SAFETY: a number of ours and its length, both of which outlive the call.
    let asked = unsafe { syscall!(libc::SYS_getsockopt, fd, libc::SOL_SOCKET, libc::SO_COOKIE, &raw mut cookie, &raw mut length) };
    check(asked).ok().filter(|_| cookie != 0).map(|_| cookie)
}

/// Shuts a connection down by its number, both ways: the other side finds the end. For signal handlers; errno is left alone.
pub fn shut(fd: RawFd) {
    // SAFETY: no pointers.
    let _ = check(unsafe { syscall!(libc::SYS_shutdown, fd, libc::SHUT_RDWR) });
}

/// Sends one message whole, or not at all. Never waits: `EAGAIN` while the other side has not read enough.
pub fn send(socket: &OwnedFd, bytes: &[u8], with: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    if with.len() <= FEW {
        let mut numbers = [-1; FEW];
        numbers.iter_mut().zip(with).for_each(|(number, fd)| *number = fd.as_raw_fd());
        return send_numbers(socket, bytes, &numbers[..with.len()]);
    }
    let numbers: Vec<RawFd> = with.iter().map(AsRawFd::as_raw_fd).collect();
    send_numbers(socket, bytes, &numbers)
}

/// So many descriptors go with a message without an allocation.
const FEW: usize = 8;

/// Room for the control message of those.
#[repr(C, align(8))]
struct Few([u8; Few::SIZE]);

impl Few {
    // SAFETY: a number is computed.
    const SIZE: usize = unsafe { libc::CMSG_SPACE(size_of::<[RawFd; FEW]>() as u32) } as usize;
}

/// Sends it with no more than those.
fn send_few(socket: &OwnedFd, bytes: &[u8], numbers: &[RawFd]) -> Result<(), Errno> {
    let mut control = Few([0; Few::SIZE]);
    let mut parts = [libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }];
    let numbers = &numbers[..numbers.len().min(FEW)];
    let length = size_of_val(numbers) as u32;
    // SAFETY: a number is computed.
    let room = unsafe { libc::CMSG_SPACE(length) } as usize;
    let header = message::header(&mut parts, control.0.as_mut_ptr().cast(), room);
    // SAFETY: the header describes a control area of ours with room for one message with these numbers, aligned as such a one must be.
    unsafe {
        let at = libc::CMSG_FIRSTHDR(&raw const header);
        ((*at).cmsg_level, (*at).cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        (*at).cmsg_len = libc::CMSG_LEN(length) as _;
        core::ptr::copy_nonoverlapping(numbers.as_ptr().cast::<u8>(), libc::CMSG_DATA(at), length as usize);
    }
    send_header(socket, &header)
}

/// The same with descriptors of the caller's, by their numbers. `EBADF`: one of them is not open.
pub fn send_numbers(socket: &OwnedFd, bytes: &[u8], numbers: &[RawFd]) -> Result<(), Errno> {
    if numbers.is_empty() {
        return send_plain(socket, bytes);
    }
    if numbers.len() <= FEW {
        return send_few(socket, bytes, numbers);
    }
    let rights = [ControlMessage::ScmRights(numbers)];
    loop {
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        match sendmsg::<UnixAddr>(socket.as_raw_fd(), &[IoSlice::new(bytes)], &rights, flags, None) {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}

/// The same without descriptors, and nothing of another library: a process that has just been forked pays for each page that it touches.
#[inline(always)]
pub fn send_plain(socket: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    let mut parts = [libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }];
    send_header(socket, &message::header(&mut parts, core::ptr::null_mut(), 0))
}

#[inline(always)]
fn send_header(socket: &OwnedFd, header: &libc::msghdr) -> Result<(), Errno> {
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    loop {
        // SAFETY: what the header describes is only read and outlives the call: both are its callers' own.
        match check(unsafe { syscall!(libc::SYS_sendmsg, socket.as_raw_fd(), &raw const *header, flags) }) {
            Err(Errno::EINTR) => {}
            other => return other.map(drop),
        }
    }
}

/// Room for the control messages of one receive: descriptors and an identity, each with its header, aligned.
#[repr(C, align(8))]
struct Control([u8; 1088]);

/// Receives one message, or answers `None` at the end of the channel. Never waits: `EAGAIN` if there is none.
///
/// By hand, not by nix: its `cmsgs` refuses a truncated list, and would leak the descriptors in it.
pub fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
    receive_in_two(socket, buffer, &mut [])
}

/// The same into two places, the second of which takes what the first has no room for.
pub fn receive_in_two(socket: &OwnedFd, near: &mut [u8], rest: &mut [u8]) -> Result<Option<Received>, Errno> {
    let mut control = Control([0; 1088]);
    let mut parts = [near, rest].map(|part| libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() });
    let mut header = message::header(&mut parts, control.0.as_mut_ptr().cast(), control.0.len());
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    let length = loop {
        // SAFETY: the header describes two buffers and one control area, all ours and of the lengths given.
        match unsafe { check(syscall!(libc::SYS_recvmsg, socket.as_raw_fd(), &raw mut header, flags)) } {
            // ECONNRESET: the other side left unread messages of ours. It is said once, before what it had sent, which is still to come.
            Err(Errno::EINTR | Errno::ECONNRESET) => {}
            Err(errno) => return Err(errno),
            Ok(length) => break length,
        }
    };
    let mut received =
        Received { length, truncated: header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0, sender: None, fds: Vec::new() };
    // SAFETY: the kernel has filled the control area and its length; the macros walk it.
    unsafe {
        let mut at = libc::CMSG_FIRSTHDR(&raw const header);
        while !at.is_null() {
            let data = libc::CMSG_DATA(at);
            let bytes = ((*at).cmsg_len as usize).saturating_sub(data.offset_from(at.cast()) as usize);
            match ((*at).cmsg_level, (*at).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    for index in 0..bytes / size_of::<RawFd>() {
                        let fd: RawFd = core::ptr::read_unaligned(data.cast::<RawFd>().add(index));
                        received.fds.push(OwnedFd::from_raw_fd(fd));
                    }
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if bytes >= size_of::<libc::ucred>() => {
                    let ucred: libc::ucred = core::ptr::read_unaligned(data.cast());
                    received.sender = (ucred.pid != 0).then_some(Identity { pid: ucred.pid, uid: ucred.uid });
                }
                _ => {}
            }
            at = libc::CMSG_NXTHDR(&raw const header, at);
        }
    }
    let raised = std::mem::take(&mut received.fds).into_iter().map(fds::above_standard).collect::<Result<Vec<_>, _>>();
    match raised {
        Ok(fds) => received.fds = fds,
        Err(_) => received.truncated = true,
    }
    // An empty message is no message: the end of the channel looks the same, and we never send one.
    Ok((length > 0 || received.truncated).then_some(received))
}

/// What came with a message, where it was received; it is closed with it. For a process that has just been forked, which pays for each page that it touches:
/// nothing is allocated, and nothing of another library called.
pub struct Packet {
    control: MaybeUninit<Control>,
    /// Where in that the descriptors lie, and how many.
    rights: (usize, usize),
    length: usize,
    /// Longer than the room for it, or with more descriptors than could be installed.
    pub truncated: bool,
}

impl Packet {
    /// Nothing yet.
    #[inline(always)]
    pub fn new() -> Self {
        // Not known to be 0: all of it would be made so, by code of libc's.
        let none = core::hint::black_box(0);
        Self { control: MaybeUninit::uninit(), rights: (none, none), length: none, truncated: false }
    }

    /// As [`receive`]; what was there before is closed. `near`: room for a short message; `far`: for the rest of a long one. `false`: the end of the channel.
    #[inline(always)]
    pub fn receive(&mut self, socket: &OwnedFd, near: &mut [u8], far: &mut [u8]) -> Result<bool, Errno> {
        self.close();
        let part = |part: &mut [u8]| libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() };
        let mut parts = [part(near), part(far)];
        let mut header = message::header(&mut parts, self.control.as_mut_ptr().cast(), size_of::<Control>());
        let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        self.length = loop {
            // SAFETY: the header describes two buffers and one control area, all ours and of the lengths given.
            match unsafe { check(syscall!(libc::SYS_recvmsg, socket.as_raw_fd(), &raw mut header, flags)) } {
                // As in `receive`.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Err(errno) => return Err(errno),
                Ok(length) => break length,
            }
        };
        self.truncated = header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
        // SAFETY: the kernel has filled the control area and its length; the macros walk it.
        unsafe {
            let mut at = libc::CMSG_FIRSTHDR(&raw const header);
            while !at.is_null() {
                if ((*at).cmsg_level, (*at).cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                    let data = libc::CMSG_DATA(at);
                    let bytes = ((*at).cmsg_len as usize).saturating_sub(data.offset_from(at.cast()) as usize);
                    self.rights = (data.offset_from(self.control.as_ptr().cast()) as usize, bytes / size_of::<RawFd>());
                }
                at = libc::CMSG_NXTHDR(&raw const header, at);
            }
        }
        Ok(self.length > 0 || self.truncated)
    }

    /// How long the message was.
    #[inline(always)]
    pub fn length(&self) -> usize {
        self.length
    }

    /// How many descriptors there are.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.rights.1
    }

    /// Where one of them stands.
    #[inline(always)]
    fn offset(&self, index: usize) -> usize {
        // The kernel has written so many there.
        self.rights.0 + index * size_of::<RawFd>()
    }

    /// One of them, if it is here still.
    #[inline(always)]
    pub fn fd(&self, index: usize) -> Option<RawFd> {
        // SAFETY: within what the kernel has written.
        (index < self.rights.1)
            .then(|| unsafe { core::ptr::read_unaligned(self.control.as_ptr().cast::<u8>().add(self.offset(index)).cast()) })
            .filter(|fd: &RawFd| *fd >= 0)
    }

    /// What this makes of one of them.
    pub fn duplicate<T>(&self, index: usize, make: impl FnOnce(BorrowedFd<'_>) -> T) -> Option<T> {
        self.fd(index).map(|fd| make(fds::borrow(&fd)))
    }

    #[inline(always)]
    fn put(&mut self, index: usize, fd: RawFd) {
        if let Some(before) = self.fd(index) {
            // SAFETY: within what the kernel has written, and ours alone.
            unsafe { core::ptr::write_unaligned(self.control.as_mut_ptr().cast::<u8>().add(self.offset(index)).cast(), fd) };
            fds::close(before);
        }
    }

    /// Puts another one in its place, and closes it.
    pub fn change(&mut self, index: usize, fd: OwnedFd) {
        self.put(index, fd.into_raw_fd());
    }

    /// Closes one of them.
    #[inline(always)]
    pub fn close_one(&mut self, index: usize) {
        self.put(index, -1);
    }

    #[inline(always)]
    fn close(&mut self) {
        let mut at = 0;
        while at < self.rights.1 {
            self.close_one(at);
            at += 1;
        }
        self.rights.1 = 0;
    }
}

impl Drop for Packet {
    #[inline(always)]
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: FS-4
    #[test]
    fn a_packet_has_what_came_and_closes_what_is_not_taken() {
        let (ours, theirs) = pair().unwrap();
        let (read, write) = fds::pipe().unwrap();
        let long: Vec<u8> = (0..100).collect();
        send(&theirs, &long, &[write.as_fd(), read.as_fd(), write.as_fd()]).unwrap();
        drop(write);
        let (mut near, mut far, mut packet) = ([0; 64], [0; 64], Packet::new());
        assert_eq!(packet.receive(&ours, &mut near, &mut far), Ok(true));
        assert_eq!((packet.length(), packet.count(), packet.truncated), (100, 3, false));
        assert_eq!([&near[..], &far[..36]].concat(), long);
        packet.close_one(1);
        assert_eq!(packet.fd(1), None);
        let copy = packet.duplicate(0, |fd| fds::duplicate_above(fd, 3)).unwrap().unwrap();
        let number = copy.as_raw_fd();
        packet.change(0, copy);
        assert_eq!(packet.fd(0), Some(number));
        fds::set_nonblocking(&read).unwrap();
        assert_eq!(nix::unistd::read(&read, &mut [0; 1]), Err(Errno::EAGAIN));
        assert_eq!(packet.receive(&ours, &mut near, &mut far), Err(Errno::EAGAIN));
        assert_eq!(nix::unistd::read(&read, &mut [0; 1]), Ok(0), "all of them are closed");
        send(&theirs, &long, &[]).unwrap();
        assert_eq!(packet.receive(&ours, &mut near, &mut []), Ok(true));
        assert!(packet.truncated);
        drop(theirs);
        assert_eq!(packet.receive(&ours, &mut near, &mut far), Ok(false));
    }

    fn buffer() -> Vec<u8> {
        vec![0; 4096]
    }

    #[test]
    fn a_message_arrives_whole_with_its_descriptors_and_its_sender() {
        let (ours, theirs) = pair().unwrap();
        let (read, write) = fds::pipe().unwrap();
        send(&theirs, b"hello", &[read.as_fd(), write.as_fd()]).unwrap();
        send(&theirs, b"again", &[]).unwrap();
        let mut bytes = buffer();
        let first = receive(&ours, &mut bytes).unwrap().unwrap();
        assert_eq!((&bytes[..first.length], first.fds.len(), first.truncated), (&b"hello"[..], 2, false));
        assert_eq!(first.sender.unwrap().pid, crate::sys::getpid());
        let second = receive(&ours, &mut bytes).unwrap().unwrap();
        assert_eq!((&bytes[..second.length], second.fds.len()), (&b"again"[..], 0));
        assert_eq!(receive(&ours, &mut bytes).unwrap_err(), Errno::EAGAIN);
        drop(theirs);
        assert!(receive(&ours, &mut bytes).unwrap().is_none());
    }

    #[test]
    fn what_is_longer_than_the_buffer_is_said_to_be_truncated() {
        let (ours, theirs) = pair().unwrap();
        send(&theirs, &[7; 100], &[]).unwrap();
        assert!(receive(&ours, &mut [0; 10]).unwrap().unwrap().truncated);
    }

    #[test]
    fn the_most_descriptors_fit_into_one_message() {
        let (ours, theirs) = pair().unwrap();
        let (read, _write) = fds::pipe().unwrap();
        send(&theirs, b"x", &vec![read.as_fd(); MAX_FDS]).unwrap();
        let received = receive(&ours, &mut buffer()).unwrap().unwrap();
        assert_eq!((received.fds.len(), received.truncated), (MAX_FDS, false));
    }
}
