//! How a preloader finds the channel to its host: by number, in its environment.
//!
//! Traps. **The environment stays**, and is inherited: by workers, whose number is closed, and by programs that they execute, whose number may be anything. So
//! the number is taken once, by whoever comes first in a line of forks, and only if a host's greeting lies there unread. It is looked at before it
//! is taken: what lies in a stranger's socket stays there.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};

use super::super::wire::{self, Kind, LONGEST, VARIABLE};
use super::control::Control;
use crate::error::{Error, Result, Status};
use crate::sys::{environ, fds, socket};

/// Plain memory, so that copies know it as well.
static TAKEN: AtomicBool = AtomicBool::new(false);

fn none(why: impl Into<String>) -> Error {
    Error::new(Status::NotFound, VARIABLE, why)
}

/// The channel that the environment names.
pub fn take() -> Result<Control> {
    if TAKEN.load(Ordering::Relaxed) {
        return Err(Error::new(Status::State, VARIABLE, "this process, or the one that it was forked from, has opened it already"));
    }
    let number = number()?;
    let id = greeting(number)?;
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(Error::new(Status::State, VARIABLE, "another thread was faster"));
    }
    fds::set_close_on_exec(number)
        .map_err(|errno| Error::system("fcntl", errno, "cannot keep the channel from programs that are executed"))?;
    let socket = fds::adopt(number).map_err(|errno| Error::system("fcntl", errno, "cannot take the channel"))?;
    Control::open(socket, id)
}

fn number() -> Result<RawFd> {
    // Another user's environment says nothing to a program that has more rights than he.
    let value = if environ::is_untrusted() { None } else { environ::get(VARIABLE.as_bytes()).ok().flatten() };
    let Some(value) = value else { return Err(none(format!("{VARIABLE} is not set: no host has started this process as a preloader"))) };
    let text = value.to_string_lossy();
    text.parse::<RawFd>().ok().filter(|number| *number > 2).ok_or_else(|| none(format!("{VARIABLE} is \"{text}\": no number of a channel")))
}

/// The id of the channel, if a host's greeting lies in it; nothing is taken.
fn greeting(number: RawFd) -> Result<u64> {
    let not_one = |why: &str| none(format!("{VARIABLE} is {number}, which is no channel of a host: {why}"));
    if !socket::is_message_socket(number) {
        return Err(not_one("it is not open, or another kind of file"));
    }
    let mut bytes = [0; LONGEST];
    let length = loop {
        match recv(number, &mut bytes, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EINTR) => {}
            Err(errno @ (Errno::ENOMEM | Errno::ENOBUFS)) => return Err(Error::system("recvfrom", errno, "cannot look at the channel")),
            Err(_) => return Err(not_one("nothing lies there")),
            Ok(0) => return Err(not_one("the other end is closed")),
            Ok(length) => break length,
        }
    };
    let message = wire::read(&bytes[..length], 0).map_err(|_| not_one("what lies there is no greeting"))?;
    if message.kind != Kind::Hello || message.seq != 1 {
        return Err(not_one("what lies there is no greeting"));
    }
    if !wire::speaks_with_us(&message) {
        return Err(Error::new(Status::VersionMismatch, "hello", wire::versions_text(&message)));
    }
    Ok(message.id)
}

/// The same of a channel that a host has handed over.
pub fn handed(socket: OwnedFd) -> Result<Control> {
    let id = greeting(socket.as_raw_fd())?;
    Control::open(socket, id)
}
