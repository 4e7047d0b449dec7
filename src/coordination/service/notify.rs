//! Messages to the starter: lines of `NAME=value`, one datagram each, to the socket that `NOTIFY_SOCKET` names.
//!
//! The traps:
//! - **The queue holds ten** (net.unix.max_dgram_qlen), and libsystemd waits in it for as long as nobody reads. Here a message is sent or it is
//!   not, at once, and the caller is told which; who wants to wait has the barrier, which has a time.
//! - **A message may be read when its sender is gone**, and a starter that looks the sender up by its pid then drops it. The barrier is the way to
//!   know that all was read: the other side closes the descriptor that came with it.
//! - **A copy of this process** (a fork in another thread) made while the barrier waits has inherited the end whose closing is awaited: it holds
//!   the barrier up until its exec or end.
//!
//! Each call opens a socket of its own, so nothing is kept, and a starter that was started anew is found again. The kernel says who has sent.
//!
//! Source: sd_notify(3), sd_notify_barrier(3). Where we differ: `vsock:` is not spoken, nothing is unset, no pid is claimed but our own.

use core::ffi::CStr;
use std::os::fd::{AsFd, RawFd};

use nix::errno::Errno;

use super::variables::{self, NOTIFY_SOCKET};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::sys::datagram::{self, Name};
use crate::sys::{self, Fault, fds, pidfd, poll, socket};

/// What systemd reads of one message; a longer one it drops.
pub const LONGEST: usize = 4096;

const BARRIER: &[u8] = b"BARRIER=1";

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// It is in the queue of who reads.
    Queued,
    /// Nobody wants to be told.
    Unasked,
    /// The queue is full: it was not sent.
    Full,
}

/// The address that the variable holds.
fn address(value: &[u8]) -> Result<Name<'_>> {
    let wrong = |why: &str| Err(variables::malformed(NOTIFY_SOCKET, value, why));
    if value.len() > datagram::LONGEST_NAME {
        return wrong("longer than an address can be");
    }
    match value {
        [b'/', ..] => Ok(Name::Path(value)),
        [b'@', name @ ..] if !name.is_empty() => Ok(Name::Abstract(name)),
        _ if value.starts_with(b"vsock") => {
            Err(variables::malformed(NOTIFY_SOCKET, value, "messages to another machine are not spoken here")
                .with_status(Status::Unsupported))
        }
        _ => wrong("neither a path nor '@' with a name"),
    }
}

/// What this process says, in one message. Never waits.
pub fn notify(state: &[u8]) -> Result<Sent> {
    send(state, &[])
}

/// The same with descriptors, which stay the caller's. Whether they are any is looked at first, whoever is told: the same call, the same answer.
pub fn notify_with(state: &[u8], numbers: &[RawFd]) -> Result<Sent> {
    if numbers.len() > socket::MAX_FDS {
        let text = format!("n: {} descriptors; one message takes {}", numbers.len(), socket::MAX_FDS);
        return Err(Error::invalid("n", text));
    }
    if let Some(closed) = numbers.iter().find(|number| !fds::is_open(**number)) {
        let text = format!("fds: {closed} is not an open descriptor");
        return Err(Error::invalid("fds", text).with_errno(Errno::EBADF));
    }
    send(state, numbers)
}

fn send(state: &[u8], numbers: &[RawFd]) -> Result<Sent> {
    if state.is_empty() || state.len() > LONGEST {
        return Err(Error::invalid("state", format!("state: a message has 1 to {LONGEST} bytes, this one {}", state.len())));
    }
    let Some(value) = variables::value(NOTIFY_SOCKET)? else { return Ok(Sent::Unasked) };
    let failed = |fault: Fault| failed(fault, &value);
    let socket = datagram::connect(&address(value.to_bytes())?).map_err(failed)?;
    let sent = if numbers.is_empty() { socket::send(&socket, state, &[]) } else { socket::send_numbers(&socket, state, numbers) };
    match sent {
        Ok(()) => Ok(Sent::Queued),
        Err(Errno::EAGAIN) => Ok(Sent::Full),
        Err(errno) => Err(failed(Fault { step: "sendmsg", errno })),
    }
}

/// Who the main process is from now on: this one (0), or another one of the unit. By number, and by its number on pidfs where the kernel has those,
/// which systemd from 257 on compares (older ones pass the line over): a number that has come round by then names nobody.
pub fn main_process(pid: i32, more: &[u8]) -> Result<Sent> {
    let pid = if pid == 0 { sys::getpid() } else { pid };
    if pid < 0 {
        return Err(Error::invalid("pid", format!("pid: {pid} is no process")));
    }
    let mut state = format!("MAINPID={pid}\n").into_bytes();
    match pidfd::open(pid) {
        Ok(process) => {
            let number = pidfd::number(&process);
            state.extend(number.map(|number| format!("MAINPIDFDID={number}\n").into_bytes()).unwrap_or_default());
        }
        Err(Errno::ESRCH) => {
            let error = Error::system("pidfd_open", Errno::ESRCH, format!("cannot name process {pid}"));
            return Err(error.with_status(Status::NotFound).with_pid(pid));
        }
        // A filter, or no descriptor left: the number alone, as everybody has said it before.
        Err(_) => {}
    }
    state.extend_from_slice(more);
    // Its last line needs no end.
    if more.is_empty() {
        state.pop();
    }
    send(&state, &[])
}

/// A reload begins: with the time that a unit of Type=notify-reload compares with its own of the request, so that no older one is taken for the answer.
pub fn reloading(now: i64) -> Result<Sent> {
    send(format!("RELOADING=1\nMONOTONIC_USEC={}", now / 1_000).as_bytes(), &[])
}

/// Waits until all that was said before has been read, or the reader is gone.
pub fn barrier(deadline: Deadline) -> Result<()> {
    let Some(value) = variables::value(NOTIFY_SOCKET)? else { return Ok(()) };
    let failed = |fault: Fault| failed(fault, &value);
    let late = |what: &str| Err(Error::new(Status::Timeout, "wait", format!("{NOTIFY_SOCKET}: {what} in time")));
    let socket = datagram::connect(&address(value.to_bytes())?).map_err(failed)?;
    let (ours, theirs) = fds::pipe().map_err(Fault::of("pipe2")).map_err(failed)?;
    let mut tries = 0;
    while let Err(errno) = socket::send(&socket, BARRIER, &[theirs.as_fd()]) {
        if errno != Errno::EAGAIN {
            return Err(failed(Fault { step: "sendmsg", errno }));
        }
        if !poll::is_writable(socket.as_fd(), deadline).map_err(Fault::of("poll")).map_err(failed)? {
            return late("the queue was not read");
        }
        // There was room, and another was quicker; or the kernel was short of memory.
        if tries > 0 {
            poll::pause(deadline);
        }
        tries += 1;
    }
    drop(theirs);
    match poll::is_hung_up(ours.as_fd(), deadline).map_err(Fault::of("poll")).map_err(failed)? {
        true => Ok(()),
        false => late("the barrier was not reached"),
    }
}

fn failed(fault: Fault, value: &CStr) -> Error {
    let gone = if fault.errno == Errno::ECONNREFUSED { ", where nobody reads any more" } else { "" };
    fault.error(format!("cannot notify {}{gone}", value.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_a_path_or_an_abstract_name() {
        assert_eq!(address(b"/run/notify").unwrap(), Name::Path(b"/run/notify"));
        assert_eq!(address(b"@a/b\xff").unwrap(), Name::Abstract(b"a/b\xff"));
        assert_eq!(address(b"vsock:2:1234").unwrap_err().status, Status::Unsupported);
        assert_eq!(address(b"vsock-stream:2:1234").unwrap_err().status, Status::Unsupported);
        let long = [&b"/"[..], &[b'a'; 107]].concat();
        assert!(address(&long[..107]).is_ok());
        for bad in [&b""[..], b"@", b"run/notify", b"tcp:1", &long] {
            let error = address(bad).unwrap_err();
            assert_eq!((error.status, error.step), (Status::Protocol, NOTIFY_SOCKET), "{bad:?}");
        }
    }

    proptest! {
        // Whatever stands there: an address that fits, or an error that names the variable.
        #[test]
        fn any_environment_is_read_or_refused(value in proptest::collection::vec(1..=255u8, 0..130), first in "[/@]?") {
            let value = [first.as_bytes(), &value].concat();
            match address(&value) {
                Ok(name) => prop_assert!(datagram::fits(&name)),
                Err(error) => prop_assert!(error.step == NOTIFY_SOCKET && error.message.len() < 300),
            }
        }
    }
}
