//! Whether somebody accepts connections at an address: a connect that is given up at once. Nothing is ever sent.
//!
//! The trap: a name that has to be looked up takes as long as its server likes, and no resolver has a form that does not wait. So a host is a
//! number or `localhost`, which is 127.0.0.1 and then ::1, whatever /etc/hosts says.
//!
//! Who listens sees one connection that says nothing and is closed, for each probe that succeeds. A line of his that is full (EAGAIN of unix(7))
//! is a failure like any other: he may accept later.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::socket::UnixAddr;

use crate::error::{Error, Result};
use crate::sys::Fault;
use crate::sys::connect::{self, Begun, Target};

/// Where a server is to be found: `unix:/path`, `unix:@abstract`, `tcp:host:port`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    text: Box<str>,
    first: Target,
    /// Where else, if it is not there.
    second: Option<Target>,
}

/// Answer of a probe that was begun.
#[derive(Debug)]
pub enum Answer {
    /// This came of it. "connect" is the step where it is the server's affair; any other is a call that this process was refused.
    Now(core::result::Result<(), Fault>),
    /// It is under way.
    Later(Connecting),
}

/// A connect under way.
#[derive(Debug)]
pub struct Connecting {
    fd: Arc<OwnedFd>,
    /// Where else.
    second: Option<Target>,
}

impl Address {
    /// Reads one. `name`: the argument that it came as.
    pub fn parse(name: &'static str, text: &str) -> Result<Self> {
        let bad = |why: &str| Error::invalid(name, format!("{name}: {text:?} is no address: {why}"));
        let address = |first, second| Ok(Self { text: text.into(), first, second });
        if let Some(path) = text.strip_prefix("unix:") {
            let made = match path.as_bytes() {
                [b'@', rest @ ..] if !rest.is_empty() => UnixAddr::new_abstract(rest),
                [b'/', _, ..] => UnixAddr::new(path),
                _ => return Err(bad("after unix: stands an absolute path, or @ and a name")),
            };
            return address(Target::Unix(made.map_err(|_| bad("a path of a socket has at most 107 bytes"))?), None);
        }
        let Some(place) = text.strip_prefix("tcp:") else { return Err(bad("it begins with unix: or tcp:")) };
        let Some((host, port)) = place.rsplit_once(':') else { return Err(bad("after tcp: stand a host, a colon and a port")) };
        // As digits alone: a sign is read by the parser, too.
        let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit())).and_then(|port| port.parse::<u16>().ok());
        let Some(port @ 1..) = port else { return Err(bad("a port is a number from 1 to 65535")) };
        if host == "localhost" {
            let (four, six) = (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
            return address(Target::Tcp(four), Some(Target::Tcp(six)));
        }
        match place.parse::<SocketAddr>() {
            Ok(one) => address(Target::Tcp(one), None),
            Err(_) => Err(bad("a host is localhost, an IPv4 address, or an IPv6 address in brackets; names are not looked up")),
        }
    }

    /// Where to connect to, one after the other.
    pub fn targets(&self) -> (Target, Option<Target>) {
        (self.first, self.second)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Something to begin.
#[derive(Debug)]
pub struct Probe;

impl Probe {
    /// Begins to connect. Never waits.
    pub fn begin(address: &Address) -> Answer {
        match connect::begin(&address.first) {
            Ok(begun) => under_way(begun, address.second),
            Err(fault) => otherwise(fault, address.second),
        }
    }
}

fn under_way(begun: Begun, second: Option<Target>) -> Answer {
    match begun {
        Begun::Connected(_) => Answer::Now(Ok(())),
        Begun::UnderWay(fd) => Answer::Later(Connecting { fd: Arc::new(fd), second }),
    }
}

/// The other place, where there is one and the first is not there.
fn otherwise(fault: Fault, second: Option<Target>) -> Answer {
    let Some(second) = second.filter(|_| fault.step == "connect") else { return Answer::Now(Err(fault)) };
    match connect::begin(&second) {
        Ok(begun) => under_way(begun, None),
        // Where there is no IPv6 at all, the first answer is the one that says something.
        Err(_) => Answer::Now(Err(fault)),
    }
}

impl Connecting {
    /// Writable when it is decided.
    pub fn fd(&self) -> &Arc<OwnedFd> {
        &self.fd
    }

    /// How far it is now; another connect may be under way then, with another descriptor. Never waits.
    pub fn finish(self) -> Answer {
        match connect::decided(&self.fd) {
            None => Answer::Later(self),
            Some(Ok(())) => Answer::Now(Ok(())),
            Some(Err(errno)) => otherwise(Fault { step: "connect", errno }, self.second),
        }
    }
}

/// Whether this failure of a probe may pass: nobody is there yet, or this process is short of something. Otherwise no other try helps.
pub fn may_pass(fault: Fault) -> bool {
    match fault.errno {
        Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOBUFS => true,
        Errno::EAFNOSUPPORT | Errno::EINVAL => false,
        _ => fault.step == "connect",
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr as UnixSocketAddr, UnixDatagram, UnixListener};

    use super::*;

    fn parse(text: &str) -> Result<Address> {
        Address::parse("detail", text)
    }

    fn outcome(mut answer: Answer) -> core::result::Result<(), Errno> {
        loop {
            answer = match answer {
                Answer::Now(outcome) => return outcome.map_err(|fault| fault.errno),
                Answer::Later(connecting) => connecting.finish(),
            };
        }
    }

    fn probe(text: &str) -> core::result::Result<(), Errno> {
        outcome(Probe::begin(&parse(text).unwrap()))
    }

    #[test]
    fn what_is_no_address_is_refused_by_the_argument_it_came_as() {
        let long = format!("unix:/{}", "x".repeat(107));
        for text in [
            "",
            "unix",
            "unix:",
            "unix:relative",
            "unix:/",
            "unix:@",
            "tcp:",
            "tcp:80",
            "tcp:localhost",
            "tcp:localhost:",
            "tcp:localhost:0",
            "tcp:localhost:65536",
            "tcp:localhost:+80",
            "tcp:localhost:80 ",
            "tcp:example.org:80",
            "tcp:::1:80",
            "tcp:[::1]",
            "tcp:1.2.3:80",
            "tcp:256.0.0.1:80",
            "tcp:127.0.0.1:http",
            "udp:127.0.0.1:80",
            "http://127.0.0.1:80",
            "/run/x",
            &long,
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.step, error.status), ("detail", crate::error::Status::InvalidArgument), "{text:?}");
        }
    }

    #[test]
    fn what_is_an_address_is_known_by_its_text() {
        for text in
            ["unix:/run/x", "unix:@x", "tcp:localhost:80", "tcp:127.0.0.1:80", "tcp:[::1]:80", "tcp:[fe80::1%1]:80", "tcp:0.0.0.0:1"]
        {
            assert_eq!(parse(text).unwrap().text(), text);
        }
    }

    #[test]
    fn a_server_is_found_in_each_family() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let text = format!("unix:{}", path.display());
        assert_eq!(probe(&text), Err(Errno::ENOENT));
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(probe(&text), Ok(()));
        let nothing = listener.accept().unwrap().0;
        assert_eq!(std::io::Read::read(&mut &nothing, &mut [0; 8]).unwrap(), 0, "nothing was sent");
        drop(listener);
        assert_eq!(probe(&text), Err(Errno::ECONNREFUSED));
        let name = format!("procsup-probe-{}", std::process::id());
        assert_eq!(probe(&format!("unix:@{name}")), Err(Errno::ECONNREFUSED));
        let _listener = UnixListener::bind_addr(&UnixSocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        assert_eq!(probe(&format!("unix:@{name}")), Ok(()));
        let four = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = four.local_addr().unwrap().port();
        assert_eq!((probe(&format!("tcp:127.0.0.1:{port}")), probe(&format!("tcp:localhost:{port}"))), (Ok(()), Ok(())));
        drop(four);
        assert_eq!(probe(&format!("tcp:127.0.0.1:{port}")), Err(Errno::ECONNREFUSED));
    }

    #[test]
    fn localhost_is_either_of_two() {
        let Ok(six) = TcpListener::bind("[::1]:0") else { return };
        let port = six.local_addr().unwrap().port();
        assert_eq!((probe(&format!("tcp:[::1]:{port}")), probe(&format!("tcp:localhost:{port}"))), (Ok(()), Ok(())));
        assert_eq!(probe(&format!("tcp:127.0.0.1:{port}")), Err(Errno::ECONNREFUSED));
    }

    #[test]
    fn datagrams_are_not_accepted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _bound = UnixDatagram::bind(&path).unwrap();
        assert_eq!(probe(&format!("unix:{}", path.display())), Err(Errno::EPROTOTYPE));
    }

    #[test]
    fn nobody_there_may_pass_and_no_such_family_not() {
        let fault = |step, errno| Fault { step, errno };
        assert!(
            may_pass(fault("connect", Errno::ENOENT))
                && may_pass(fault("connect", Errno::EAGAIN))
                && may_pass(fault("socket", Errno::EMFILE))
        );
        assert!(!may_pass(fault("socket", Errno::EAFNOSUPPORT)) && !may_pass(fault("socket", Errno::EPERM)));
    }
}
