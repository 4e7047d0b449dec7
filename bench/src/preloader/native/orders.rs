//! The line to a preloaded application (`c/targets/preloaded_app.c`): it connects to a socket of ours, and obeys orders of one byte between
//! two forks of the library's. Its workers connect to the same socket when they are to serve.

use nix::cmsg_space;
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, accept4, bind,
    listen, recv, recvmsg, sendmsg, setsockopt, socket, socketpair, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

const PATIENCE_MS: u16 = 20_000;

pub struct Listener {
    fd: OwnedFd,
    pub path: PathBuf,
}

fn failed(what: &str) -> impl Fn(nix::errno::Errno) -> String {
    let what = what.to_owned();
    move |errno| format!("{what}: {errno}")
}

impl Listener {
    pub fn new(path: &Path) -> Result<Self, String> {
        let fd = socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None);
        let fd = fd.map_err(failed("socket"))?;
        let address = UnixAddr::new(path).map_err(failed("a path"))?;
        bind(fd.as_raw_fd(), &address).map_err(failed("bind"))?;
        listen(&fd, Backlog::new(16).expect("a small number")).map_err(failed("listen"))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// The next one who connects, and the number that it says first (its pid).
    pub fn accept(&self) -> Result<(Line, u64), String> {
        readable(self.fd.as_fd())?;
        let fd = accept4(self.fd.as_raw_fd(), SockFlag::SOCK_CLOEXEC).map_err(failed("accept"))?;
        // SAFETY: new, and nobody else's.
        let line = Line(unsafe { OwnedFd::from_raw_fd(fd) });
        line.be_patient()?;
        let (pid, _) = line.number()?;
        Ok((line, pid))
    }
}

/// One that is silent for too long must not hang the harness.
fn readable(fd: BorrowedFd) -> Result<(), String> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut wanted = [PollFd::new(fd, PollFlags::POLLIN)];
    match poll(&mut wanted, PollTimeout::from(PATIENCE_MS)) {
        Ok(0) => Err("the application is silent".into()),
        Ok(_) => Ok(()),
        Err(errno) => Err(format!("poll: {errno}")),
    }
}

/// A connected SOCK_SEQPACKET socket.
pub struct Line(OwnedFd);

impl Line {
    pub fn pair() -> Result<(Self, Self), String> {
        let (one, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
            .map_err(failed("socketpair"))?;
        let (one, other) = (Self(one), Self(other));
        one.be_patient().map(|()| (one, other))
    }

    /// A wait with an end costs nothing more than one without.
    fn be_patient(&self) -> Result<(), String> {
        let patience = TimeVal::milliseconds(PATIENCE_MS.into());
        setsockopt(&self.0, sockopt::ReceiveTimeout, &patience).map_err(failed("SO_RCVTIMEO"))
    }

    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    #[inline]
    pub fn say(&self, byte: u8, fds: &[RawFd]) -> Result<(), String> {
        let (bytes, rights) = ([byte], [ControlMessage::ScmRights(fds)]);
        let control = if fds.is_empty() { &[][..] } else { &rights };
        sendmsg::<()>(self.fd(), &[IoSlice::new(&bytes)], control, MsgFlags::MSG_NOSIGNAL, None)
            .map(|_| ())
            .map_err(|errno| format!("an order: {errno}"))
    }

    #[inline]
    pub fn byte(&self) -> Result<u8, String> {
        let mut bytes = [0];
        match recv(self.fd(), &mut bytes, MsgFlags::empty()) {
            Ok(1) => Ok(bytes[0]),
            Ok(_) => Err("the other side has ended".into()),
            Err(errno) => Err(format!("an answer: {errno}")),
        }
    }

    fn number(&self) -> Result<(u64, Option<OwnedFd>), String> {
        let mut bytes = [0u8; 8];
        let mut control = cmsg_space!([RawFd; 1]);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let got = recvmsg::<()>(self.fd(), &mut parts, Some(&mut control), flags).map_err(failed("an answer"))?;
        let fds = got.cmsgs().map_err(failed("an answer"))?.find_map(|part| match part {
            ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
            _ => None,
        });
        let length = got.bytes;
        // SAFETY: new, and nobody else's.
        let fd = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        if length == 8 { Ok((u64::from_ne_bytes(bytes), fd)) } else { Err("the application has ended".into()) }
    }

    /// An order, and what is answered.
    #[inline]
    pub fn ask(&self, order: u8, fds: &[RawFd]) -> Result<(u64, Option<OwnedFd>), String> {
        self.say(order, fds)?;
        self.number()
    }
}
