//! Somebody is looked for at the control path: by a connection that is made by the clock, until an incumbent greets on it.
//!
//! It is closed behind the greeting, which an incumbent takes for a supervisor that has changed its mind. The traps: an incumbent has one session at a
//! time, so who waits in its line may wait long; and a path whose socket nobody holds any more is refused at once, and may be bound anew a moment later.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::errno::Errno;

use super::line::{Heard, Line};
use super::wire::{Role, Told};
use crate::clock::{Deadline, MILLI};
use crate::handoff::supervisor::core::Core;
use crate::sys::reactor::Token;
use crate::sys::{Fault, pidfd};

/// Between two connections; doubled up to the longest.
const SHORTEST: i64 = 20 * MILLI;
const LONGEST: i64 = 500 * MILLI;

/// Who has greeted.
#[derive(Debug)]
pub struct Met {
    /// Its process, by the kernel's word.
    pub pid: i32,
    pub pidfd: OwnedFd,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Probe {
    path: PathBuf,
    token: Token,
    line: Option<Line>,
    pause: i64,
    /// The path was refused the last time: nobody listens there.
    pub refused: bool,
    /// Who listens there is another user, or lets this one not connect.
    pub rejected: bool,
}

impl Probe {
    /// Begins at once.
    pub fn begin(core: &mut Core, path: PathBuf) -> Self {
        let token = core.number();
        let _ = core.reactor.set_due(token, Deadline::PAST);
        Self { path, token, line: None, pause: SHORTEST, refused: false, rejected: false }
    }

    /// Whether this is its token.
    pub fn is(&self, token: Token) -> bool {
        self.token == token
    }

    /// Nobody is looked for any more.
    pub fn end(self, core: &Core) {
        core.reactor.forget(self.token);
    }

    /// Its time has come, or something on its connection.
    pub fn look(&mut self, core: &mut Core) -> Option<Met> {
        if self.line.is_none() {
            self.connect(core);
        }
        let line = self.line.as_mut()?;
        match line.hear() {
            None => return None,
            // Not by the number that it says, nor by who has made the socket listen: a service manager, perhaps.
            Some(Heard::Told(Told::Hello(Role::Incumbent, ..))) => {
                let (writer, held) = (line.writer, line.pidfd.take());
                let met = writer.and_then(|pid| Some(Met { pid, pidfd: held.or_else(|| pidfd::open(pid).ok())? }));
                if met.is_some() {
                    self.close(core);
                    return met;
                }
            }
            Some(_) => {}
        }
        self.again(core);
        None
    }

    fn connect(&mut self, core: &mut Core) {
        (self.refused, self.rejected) = (false, false);
        match Line::connect(&self.path) {
            Ok(line) => match line.is_trusted(&self.path) {
                Ok(true) if core.reactor.add(self.token, line.socket()).is_ok() => return self.line = Some(line),
                trusted => self.rejected = trusted == Ok(false),
            },
            Err(Fault { step: "connect", errno }) => {
                self.refused = matches!(errno, Errno::ECONNREFUSED | Errno::ENOENT | Errno::ENOTDIR);
                self.rejected = matches!(errno, Errno::EACCES | Errno::EPERM);
            }
            Err(_) => {}
        }
        self.again(core);
    }

    fn close(&mut self, core: &Core) {
        core.reactor.forget(self.token);
        self.line = None;
    }

    /// Looks once more, a little later.
    pub fn again(&mut self, core: &Core) {
        self.close(core);
        let _ = core.reactor.set_due(self.token, Deadline::after(self.pause));
        self.pause = (self.pause * 2).min(LONGEST);
    }
}
