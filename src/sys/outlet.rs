//! A stream into a child, by which the host is never signalled.
//!
//! The trap: who writes to a pipe that nobody reads any more gets SIGPIPE, which ends the host, and neither its disposition nor the mask of a thread is
//! ours to change. Linux 6.18 writes without it where it is asked to (RWF_NOSIGNAL, pwritev2(2)). Whether it does is tried on the very pipe, before a
//! child has it: an older kernel refuses the flag, and so may a filter. There it is a unix stream, of which the same can be asked (MSG_NOSIGNAL,
//! send(2)); a child finds a socket then, which it cannot open again as /dev/stdin.
//!
//! Of the socket nothing can be read here: what a child writes to its input would lie here, keep the end awake, and cut what the child has not read yet
//! when it is closed (ECONNRESET, unix(7)). So its own end is shut for writing.
//!
//! A terminal raises no signal (EIO), and has no end by being closed: that would be a hang-up. There the end of the input is typed. That a write to it
//! does not block is a flag of the one description that all copies of our end share, so nobody else must have one (`process/terminal.rs`).

use core::sync::atomic::{AtomicBool, Ordering};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, send, shutdown, socketpair};

use super::raw::{check, syscall6};
use super::{Fault, fds, pty};

/// Linux 6.18, include/uapi/linux/fs.h.
const RWF_NOSIGNAL: usize = 0x100;

/// Our end. Writing never blocks, and raises no signal.
#[derive(Debug)]
pub struct Outlet {
    fd: Arc<OwnedFd>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Pipe,
    Socket,
    Terminal,
}

/// One writev without a position.
fn write_quietly(fd: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    loop {
        // SAFETY: one iovec on our own stack, of bytes that are only read; the position -1 is none.
        let written = unsafe {
            syscall6(libc::SYS_pwritev2, fd.as_raw_fd() as usize, (&raw const part) as usize, 1, usize::MAX, usize::MAX, RWF_NOSIGNAL)
        };
        match check(written) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// Set where a filter kills for pwritev2(2), or refuses it.
static NEVER_QUIET: AtomicBool = AtomicBool::new(false);

/// Whether the call may be made at all; what it can do is another question. Deadly where a filter kills for it.
pub fn may_ask() -> bool {
    let nothing = libc::iovec { iov_base: core::ptr::null_mut(), iov_len: 0 };
    // SAFETY: one iovec on our own stack, of no bytes; there is no descriptor -1.
    let asked = unsafe { syscall6(libc::SYS_pwritev2, usize::MAX, (&raw const nothing) as usize, 1, usize::MAX, usize::MAX, RWF_NOSIGNAL) };
    check(asked) == Err(Errno::EBADF)
}

/// What was found out.
pub fn know(may_ask: bool) {
    NEVER_QUIET.store(!may_ask, Ordering::Relaxed);
}

/// Whether a pipe is written to without a signal. What was written is taken out again.
fn is_quiet(read: &OwnedFd, write: &OwnedFd) -> Result<bool, Fault> {
    if write_quietly(write, b"?").is_err() {
        return Ok(false);
    }
    loop {
        match nix::unistd::read(read, &mut [0]) {
            Err(Errno::EINTR) => {}
            other => return other.map(|_| true).map_err(Fault::of("read")),
        }
    }
}

/// A new one, and the child's end, which blocks as any other. `owner`: the user who may open it again by name.
pub fn outlet(owner: Option<(u32, u32)>) -> Result<(Outlet, OwnedFd), Fault> {
    if NEVER_QUIET.load(Ordering::Relaxed) {
        return socket();
    }
    let (read, write) = fds::pipe().map_err(Fault::of("pipe2"))?;
    fds::set_new_nonblocking(&write).map_err(Fault::of("fcntl"))?;
    if !is_quiet(&read, &write)? {
        return socket();
    }
    if let Some((uid, gid)) = owner {
        fds::give(&read, uid, gid);
    }
    Ok((Outlet { fd: Arc::new(write), kind: Kind::Pipe }, read))
}

fn socket() -> Result<(Outlet, OwnedFd), Fault> {
    let pair = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC).map_err(Fault::of("socketpair"))?;
    let raised = |fd| fds::above_standard(fd).map_err(Fault::of("fcntl"));
    let (ours, theirs) = (raised(pair.0)?, raised(pair.1)?);
    shutdown(theirs.as_raw_fd(), Shutdown::Write).map_err(Fault::of("shutdown"))?;
    Ok((Outlet { fd: Arc::new(ours), kind: Kind::Socket }, theirs))
}

impl Outlet {
    /// Into a terminal, by the host's end of it, which does not block.
    pub fn terminal(master: OwnedFd) -> Self {
        Self { fd: Arc::new(master), kind: Kind::Terminal }
    }

    /// Writes what there is room for. `EAGAIN`: none, or no memory in the kernel. `EPIPE`: nobody reads any more.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        let written = match self.kind {
            Kind::Pipe => write_quietly(&self.fd, bytes),
            Kind::Socket => self.send(bytes),
            Kind::Terminal => self.type_in(bytes),
        };
        written.map_err(|errno| match errno {
            Errno::ENOMEM | Errno::ENOBUFS => Errno::EAGAIN,
            // It was closed with something unread in it.
            Errno::ECONNRESET => Errno::EPIPE,
            other => other,
        })
    }

    fn type_in(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match nix::unistd::write(&self.fd, bytes) {
                Err(Errno::EINTR) => {}
                // Nobody has the other end.
                Err(Errno::EIO) => return Err(Errno::EPIPE),
                other => return other,
            }
        }
    }

    /// What is to be written behind all else, for the input to end: at a terminal, where a line that was begun (`begun`) is ended first. `None`: to be
    /// closed is its end.
    pub fn end(&self, begun: bool) -> Option<Vec<u8>> {
        if self.kind != Kind::Terminal {
            return None;
        }
        let typed = pty::end_of_input(self.fd.as_raw_fd());
        Some(typed.map_or_else(Vec::new, |(character, lines)| vec![character; if lines && begun { 2 } else { 1 }]))
    }

    fn send(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match send(self.fd.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
                Err(Errno::EINTR) => {}
                other => return other,
            }
        }
    }

    /// What is to be watched for room.
    pub fn fd(&self) -> &Arc<OwnedFd> {
        &self.fd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaves((outlet, theirs): (Outlet, OwnedFd)) {
        let mut all = 0;
        let filled = loop {
            match outlet.write(&[7; 3000]) {
                Ok(count) => all += count,
                Err(errno) => break errno,
            }
        };
        assert_eq!(filled, Errno::EAGAIN);
        let mut buffer = vec![0; all];
        let mut read = 0;
        while read < all {
            read += nix::unistd::read(&theirs, &mut buffer[read..]).unwrap();
        }
        assert!(buffer.iter().all(|byte| *byte == 7));
        assert_eq!(outlet.write(b"last"), Ok(4));
        drop(outlet.fd);
        assert_eq!(nix::unistd::read(&theirs, &mut buffer), Ok(4));
        assert_eq!(nix::unistd::read(&theirs, &mut buffer), Ok(0));
    }

    #[test]
    fn it_is_filled_read_and_ended() {
        behaves(outlet(None).unwrap());
        behaves(socket().unwrap());
    }

    #[test]
    fn who_writes_what_nobody_reads_is_told() {
        for (outlet, theirs) in [outlet(None).unwrap(), socket().unwrap()] {
            outlet.write(b"unread").unwrap();
            drop(theirs);
            assert_eq!([outlet.write(b"x"), outlet.write(b"x")], [Err(Errno::EPIPE); 2]);
        }
    }

    #[test]
    fn a_child_cannot_answer_through_its_socket() {
        let (_outlet, theirs) = socket().unwrap();
        assert_eq!(send(theirs.as_raw_fd(), b"x", MsgFlags::MSG_NOSIGNAL), Err(Errno::EPIPE));
    }
}
