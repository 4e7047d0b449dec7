//! Stream connections that are begun without waiting: connect(2), tcp(7), unix(7).
//!
//! Traps. A TCP connect to a port of this machine that nobody listens at can *succeed*: where the port lies in the ephemeral range, the kernel may
//! give it to the connecting socket itself, which then talks to itself ([`is_itself`]). And whether a connect that was put off has come to
//! its end is said by poll(2) alone: SO_ERROR is 0 both before and after.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, connect, getpeername, getsockname, getsockopt, socket,
    sockopt,
};

use super::{Fault, fds};

/// Where to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// A file system path, or an abstract name.
    Unix(UnixAddr),
    /// IPv4 or IPv6.
    Tcp(SocketAddr),
}

/// How far a connect is.
#[derive(Debug)]
pub enum Begun {
    /// Somebody listens there, and has it in his line.
    Connected(OwnedFd),
    /// It is under way: writable when it is decided ([`decided`]).
    UnderWay(OwnedFd),
}

/// Begins to connect: close-on-exec, non-blocking, above 2. The step of a failure is "connect" where the other side is to blame, else this process.
pub fn begin(target: &Target) -> Result<Begun, Fault> {
    match target {
        Target::Tcp(address) => {
            let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
            begin_with(family, SockType::Stream, &SockaddrStorage::from(*address))
        }
        Target::Unix(address) => match begin_with(AddressFamily::Unix, SockType::Stream, address) {
            // It listens, and keeps message boundaries.
            Err(Fault { step: "connect", errno: Errno::EPROTOTYPE }) => begin_with(AddressFamily::Unix, SockType::SeqPacket, address),
            other => other,
        },
    }
}

fn begin_with(family: AddressFamily, kind: SockType, address: &dyn SockaddrLike) -> Result<Begun, Fault> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(family, kind, flags, None).map_err(Fault::of("socket"))?;
    let fd = fds::above_standard(fd).map_err(Fault::of("fcntl"))?;
    match connect(fd.as_raw_fd(), address) {
        // A signal changes nothing: what was begun goes on (connect(2)).
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => match decided(&fd) {
            None => Ok(Begun::UnderWay(fd)),
            Some(Ok(())) => Ok(Begun::Connected(fd)),
            Some(Err(errno)) => Err(Fault { step: "connect", errno }),
        },
        Err(errno) => Err(Fault { step: "connect", errno }),
    }
}

/// What became of a connect that was put off; `None`: it is under way still.
pub fn decided(fd: &OwnedFd) -> Option<Result<(), Errno>> {
    let mut set = [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)];
    // Without memory for the question it is asked again.
    if !matches!(poll(&mut set, PollTimeout::ZERO), Ok(1)) {
        return None;
    }
    Some(match getsockopt(fd, sockopt::SocketError) {
        Err(errno) => Err(errno),
        Ok(0) if is_itself(fd) => Err(Errno::ECONNREFUSED),
        Ok(0) => Ok(()),
        Ok(errno) => Err(Errno::from_raw(errno)),
    })
}

/// Whether a socket is connected with itself.
fn is_itself(fd: &OwnedFd) -> bool {
    let own = getsockname::<SockaddrStorage>(fd.as_raw_fd());
    let other = getpeername::<SockaddrStorage>(fd.as_raw_fd());
    let port = |address: &SockaddrStorage| {
        let four = address.as_sockaddr_in().map(|four| (std::net::IpAddr::from(four.ip()), four.port()));
        four.or_else(|| address.as_sockaddr_in6().map(|six| (six.ip().into(), six.port())))
    };
    matches!((own.as_ref().map(port), other.as_ref().map(port)), (Ok(Some(own)), Ok(Some(other))) if own == other)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use nix::sys::socket::{bind, setsockopt};

    use super::*;

    #[test]
    fn somebody_who_listens_is_found_and_nobody_is_refused() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let target = Target::Tcp(listener.local_addr().unwrap());
        let first = match begin(&target).unwrap() {
            Begun::Connected(_) => Ok(()),
            Begun::UnderWay(fd) => std::iter::from_fn(|| Some(decided(&fd))).flatten().next().unwrap(),
        };
        assert_eq!(first, Ok(()));
        drop(listener);
        let refused = match begin(&target) {
            Err(fault) => fault.errno,
            Ok(Begun::Connected(_)) => panic!("nobody listens there"),
            Ok(Begun::UnderWay(fd)) => std::iter::from_fn(|| Some(decided(&fd))).flatten().next().unwrap().unwrap_err(),
        };
        assert_eq!(refused, Errno::ECONNREFUSED);
    }

    /// By hand: the kernel gives the port by chance.
    #[test]
    fn a_socket_that_talks_to_itself_is_nobody() {
        let fd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None).unwrap();
        setsockopt(&fd, sockopt::ReuseAddr, &true).unwrap();
        bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).unwrap();
        let own = getsockname::<SockaddrStorage>(fd.as_raw_fd()).unwrap();
        let _ = connect(fd.as_raw_fd(), &own);
        let decision = std::iter::from_fn(|| Some(decided(&fd))).flatten().next().unwrap();
        assert_eq!(getsockopt(&fd, sockopt::SocketError), Ok(0), "the kernel finds nothing wrong with it");
        assert_eq!(decision, Err(Errno::ECONNREFUSED));
    }
}
