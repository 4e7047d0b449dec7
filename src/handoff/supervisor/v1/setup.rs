//! What a process is started with. Its programs find: listeners from 3 upwards, in the order in which they were given, and behind the last one, in a
//! successor, the channel to its supervisor.
//!
//! | variable          | successor                        | first generation |
//! |-------------------|----------------------------------|------------------|
//! | `HANDOFF_ROLE`    | `successor`                      | not set          |
//! | `HANDOFF_SOCK_FD` | the number behind the listeners  | not set          |
//! | `LISTEN_FDS`, `LISTEN_FDNAMES` | where there are listeners | the same  |
//! | `LISTEN_PID`      | where there are: its own number  | the same         |
//!
//! The trap is `LISTEN_PID`. A program of version 0.1.4 ignores all its listeners if it is another's number, and a supervisor that was socket-activated
//! has one of its own, which it must not pass on; the other programs that know the convention take none without it. The crate's own supervisor neither
//! sets nor removes it (B19). Here the child itself writes it, after the clone (`process/systemd.rs`); and who gets no listeners gets none of the
//! three.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use crate::error::Result;
use crate::handoff::supervisor::listeners::Listeners;
use crate::process::command::Command;
use crate::process::systemd;

const ROLE: &str = "HANDOFF_ROLE";
const SOCKET: &str = "HANDOFF_SOCK_FD";
const LISTENING: [&str; 3] = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"];

/// A command, and what must be open until its child is made.
pub type Prepared = (Command, Vec<Arc<OwnedFd>>);

/// The first generation, or one in the place of one that has ended.
pub fn first(command: &Command, listeners: &Listeners) -> Result<Prepared> {
    let mut command = command.clone();
    let keeps = common(&mut command, listeners)?;
    for name in [ROLE, SOCKET] {
        command.env(name, None)?;
    }
    Ok((command, keeps))
}

/// A successor, which has this end of the channel.
pub fn successor(command: &Command, listeners: &Listeners, channel: OwnedFd) -> Result<Prepared> {
    let mut command = command.clone();
    let mut keeps = common(&mut command, listeners)?;
    // What the command itself hands over to listen on stands in front.
    let number = systemd::FIRST + command.listening() as i32;
    command.pass_fd(channel.as_raw_fd(), number)?;
    command.env(ROLE, Some(OsStr::new("successor")))?;
    command.env(SOCKET, Some(OsStr::new(&number.to_string())))?;
    keeps.push(Arc::new(channel));
    Ok((command, keeps))
}

fn common(command: &mut Command, listeners: &Listeners) -> Result<Vec<Arc<OwnedFd>>> {
    let keeps = listeners.give(command)?;
    if command.listening() == 0 {
        for name in LISTENING {
            command.env(name, None)?;
        }
    }
    command.outlive_host();
    Ok(keeps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::custody::Custody;

    fn listeners(names: &[&std::ffi::CStr]) -> Listeners {
        let mut listeners = Listeners::new(Custody::new());
        for name in names {
            listeners.add(name, std::net::TcpListener::bind("127.0.0.1:0").unwrap().into()).unwrap();
        }
        listeners
    }

    fn variable(command: &Command, name: &str) -> Option<String> {
        command.variable(name).unwrap().map(|value| value.to_str().unwrap().to_owned())
    }

    // covers: HO-6
    #[test]
    fn the_channel_stands_behind_the_listeners() {
        let (_ours, theirs) = crate::sys::stream::pair().unwrap();
        let (command, keeps) = successor(&Command::new("x").unwrap(), &listeners(&[c"a", c"b"]), theirs).unwrap();
        assert_eq!((variable(&command, ROLE).as_deref(), variable(&command, SOCKET).as_deref()), (Some("successor"), Some("5")));
        assert_eq!(keeps.len(), 3);
        let (_ours, theirs) = crate::sys::stream::pair().unwrap();
        let (command, _) = successor(&Command::new("x").unwrap(), &listeners(&[]), theirs).unwrap();
        assert_eq!(variable(&command, SOCKET).as_deref(), Some("3"));
    }

    // covers: B19
    #[test]
    fn who_gets_no_listeners_gets_none_of_their_variables() {
        let (command, _) = first(&Command::new("x").unwrap(), &listeners(&[])).unwrap();
        for name in LISTENING.iter().chain(&[ROLE, SOCKET]) {
            assert!(command.changes_variable(name) && variable(&command, name).is_none(), "{name}");
        }
        let (command, _) = first(&Command::new("x").unwrap(), &listeners(&[c"a"])).unwrap();
        assert!(!command.changes_variable("LISTEN_PID"), "said by the child itself");
    }
}
