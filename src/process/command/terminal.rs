//! Which terminal its child has: one of its own, one of the caller's, or the host's.
//!
//! The trap: all of them say something about the child's session and group, and so does [`Command::isolate`]; setters come in any order. Which of two
//! that contradict each other wins would be chance, so they are refused, at the spawn, where all of them are seen at once.

use std::os::fd::RawFd;

use nix::errno::Errno;

use super::{Command, Stdio};
use crate::error::{Error, Result, Status};
use crate::sys::spawn::Isolation;
use crate::sys::{fds, pty};

impl Command {
    /// The size of its pseudo-terminal, if a stream is one; 1 to 65535 each.
    pub fn pty_size(&mut self, rows: i32, columns: i32) -> Result<&mut Self> {
        self.streams.pty_size = window(rows, columns)?;
        Ok(self)
    }

    /// It leads a session, whose terminal this is: borrowed, as a stream is.
    pub fn terminal(&mut self, fd: RawFd) -> Result<&mut Self> {
        if !fds::is_open(fd) {
            return Err(Error::invalid("terminal", format!("terminal: {fd} is not an open descriptor")).with_errno(Errno::EBADF));
        }
        pty::check_terminal(fd).map_err(|errno| match errno {
            Errno::ENOTTY | Errno::EINVAL => {
                Error::invalid("terminal", format!("terminal: descriptor {fd} is no terminal")).with_errno(Errno::ENOTTY)
            }
            errno => Error::system("terminal", errno, format!("descriptor {fd} is no terminal of use")),
        })?;
        self.streams.terminal = Some(fd);
        Ok(self)
    }

    /// Whether its group is put into the foreground of the host's terminal while it is there.
    pub fn foreground(&mut self, on: bool) -> &mut Self {
        self.identity.foreground = on;
        self
    }

    /// Whether a stream of it is a terminal of its own.
    pub(in crate::process) fn has_pty(&self) -> bool {
        self.streams.stdio.contains(&Stdio::Pty)
    }

    /// Whether what it writes there is read here.
    pub(in crate::process) fn reads_pty(&self) -> bool {
        (self.streams.capture.is_some() || self.streams.lines) && self.streams.stdio[1..].contains(&Stdio::Pty)
    }

    /// Whether its input is typed there by us.
    pub(in crate::process) fn types_pty(&self) -> bool {
        self.streams.stdio[0] == Stdio::Pty && (self.streams.input.is_some() || self.streams.fed.is_some())
    }

    /// How its child is set apart: who has a terminal of its own leads a session.
    pub(in crate::process) fn isolation(&self) -> Isolation {
        let leads_session = self.has_pty() || self.streams.terminal.is_some();
        if leads_session && self.identity.isolation == Isolation::Group { Isolation::Session } else { self.identity.isolation }
    }

    /// Whether this process itself must make it, though it has a spawner: of a terminal, session and foreground its maker is asked, what is written down of
    /// its birth gives up a lock, and a spawner makes no namespaces.
    pub fn is_made_here(&self) -> bool {
        self.writes_birth() || self.is_contained() || self.has_pty() || self.streams.terminal.is_some() || self.identity.foreground
    }

    /// Refuses one that says two things about its terminal, session or group.
    pub(in crate::process) fn check_terminal(&self) -> Result<()> {
        let (pty, terminal, foreground) = (self.has_pty(), self.streams.terminal.is_some(), self.identity.foreground);
        if !(pty || terminal || foreground) {
            return Ok(());
        }
        let refused = |option, why: &str| Err(Error::invalid(option, format!("{}: {why}", self.cannot())));
        let (isolation, said) = (self.identity.isolation, self.identity.isolation_said);
        if isolation == Isolation::Contained && (pty || terminal) {
            let message = format!("{}: a contained child (PS_ISOLATE_CONTAINED) has no terminal for its session", self.cannot());
            return Err(Error::new(Status::Unsupported, "isolate", message));
        }
        if pty && terminal {
            return refused("terminal", "its session has one terminal: a pseudo-terminal of its own, or one that is given to it");
        }
        if foreground && (pty || terminal) {
            return refused("foreground", "it has another terminal than the host");
        }
        if foreground && isolation != Isolation::Group {
            return refused("foreground", "it needs a group of its own in the host's session (PS_ISOLATE_GROUP)");
        }
        if self.types_pty() && self.streams.stdio[1..].contains(&Stdio::Pty) && !self.reads_pty() {
            let why = "its input is typed here, so its screen can be read only here: ps_command_capture or ps_command_output_lines";
            return refused("stdio", why);
        }
        if (pty || terminal) && said && matches!(isolation, Isolation::None | Isolation::Group) {
            return refused(
                "isolate",
                "who has a terminal of its own leads a session (PS_ISOLATE_SESSION), and the command says otherwise",
            );
        }
        Ok(())
    }
}

/// Rows and columns as the kernel has them.
pub(in crate::process) fn window(rows: i32, columns: i32) -> Result<[u16; 2]> {
    let number = |name, value: i32| match u16::try_from(value) {
        Ok(number @ 1..) => Ok(number),
        _ => Err(Error::invalid(name, format!("{name}: {value} is not between 1 and 65535"))),
    };
    Ok([number("rows", rows)?, number("cols", columns)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused_whatever_came_first() {
        let pair = pty::pair(1, 1, None).unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&pair.slave);
        let set: [fn(&mut Command, RawFd); 3] = [
            |command, _| _ = command.stdio(1, Stdio::Pty).unwrap(),
            |command, fd| _ = command.terminal(fd).unwrap(),
            |command, _| _ = command.foreground(true),
        ];
        for (first, one) in set.iter().enumerate() {
            for (second, other) in set.iter().enumerate() {
                let mut command = Command::new("x").unwrap();
                one(&mut command, fd);
                other(&mut command, fd);
                assert_eq!(command.check_terminal().is_ok(), first == second, "{first} {second}");
            }
            for isolation in [Isolation::None, Isolation::Group, Isolation::Session, Isolation::Contained] {
                let mut command = Command::new("x").unwrap();
                command.isolate(isolation).unwrap();
                one(&mut command, fd);
                let wanted = if first == 2 { Isolation::Group } else { Isolation::Session };
                assert_eq!(command.check_terminal().is_ok(), isolation == wanted, "{first} {isolation:?}");
            }
        }
        let mut command = Command::new("x").unwrap();
        command.stdio(0, Stdio::Pty).unwrap();
        assert_eq!(command.isolation(), Isolation::Session);
        for (option, one) in ["stdio", "terminal", "foreground"].iter().zip(set) {
            let mut command = Command::new("x").unwrap();
            one(&mut command, fd);
            assert!(command.is_made_here() && !command.is_standing());
            // A preloader makes its workers, and cannot.
            let refused = [command.check_adoption(), command.check_birth()].map(|refused| refused.unwrap_err().step);
            assert_eq!(refused, [*option; 2]);
        }
    }

    #[test]
    fn a_window_has_a_size() {
        assert_eq!(window(1, 65_535).unwrap(), [1, 65_535]);
        assert_eq!([window(0, 1), window(1, -1), window(1, 65_536)].map(|refused| refused.unwrap_err().step), ["rows", "cols", "cols"]);
    }
}
