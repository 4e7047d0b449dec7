//! Programs of which each reads what the one before it writes: all of them begin, or none is left.
//!
//! Traps.
//! - **A program must not take the failure of another for the end of its input**: it would finish its work on half of it, and say that all is well. So
//!   the last is started first: whoever only reads has done nothing yet when one before it cannot be started. Then those that have begun are killed,
//!   readers first, and only after that the end from which they read is closed: a read that is woken by a SIGKILL does not return.
//! - **A pipe has no end while anybody else holds it.** It is made right before its two programs, close-on-exec, and our ends go as soon as each
//!   program has its own.
//! - **What a command gives to its child is given when all have begun**: a directory that goes with its child would be gone with one that was killed.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::belongings::Belongings;
use super::child::Child;
use super::command::Command;
use super::leftovers;
use super::spawn::{self, Undo};
use super::stop::LAST_WAIT_MS;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result};
use crate::registry::Cause;
use crate::sys::fds;
use crate::sys::reserve;

/// Those that have begun, the last one first.
struct Begun {
    children: Vec<Child>,
    belongings: Vec<Undo>,
    /// Where the next one writes to.
    output: Option<OwnedFd>,
}

/// The error of the command that stands there.
pub fn at(index: usize, error: Error) -> Error {
    error.with(|it| it.message.insert_str(0, &format!("commands[{index}]: ")))
}

/// What can be known of all of them before any is started.
pub fn check(commands: &[Arc<Command>]) -> Result<()> {
    for (index, command) in commands.iter().enumerate() {
        let checked = command.check_piped(index > 0, index + 1 < commands.len());
        checked.and_then(|()| spawn::check_open(command)).and_then(|()| command.check_size()).map_err(|error| at(index, error))?;
    }
    Ok(())
}

/// Starts them. Blocks as so many spawns do; after a failure until those that had begun are gone.
pub fn spawn(commands: &[Arc<Command>]) -> Result<Vec<Child>> {
    let mut begun = Begun { children: reserve::room(commands.len())?, belongings: reserve::room(commands.len())?, output: None };
    for (index, command) in commands.iter().enumerate().rev() {
        let writer = index.checked_sub(1).and_then(|before| commands.get(before));
        if let Err(error) = begun.start(command, writer.map(AsRef::as_ref)) {
            call_off(begun.children.iter(), || drop(begun.output.take()));
            return Err(at(index, error));
        }
    }
    let Begun { mut children, mut belongings, output: _ } = begun;
    for (child, undo) in children.iter_mut().zip(&mut belongings) {
        if let Some(belongings) = undo.0.take() {
            spawn::give(child, belongings);
        }
    }
    children.reverse();
    Ok(children)
}

impl Begun {
    /// Starts the one before them; `writer`: whose output it reads.
    fn start(&mut self, command: &Command, writer: Option<&Command>) -> Result<()> {
        let pipe = writer.map(|writer| between(writer, command)).transpose()?;
        let (input, output) = pipe.unzip();
        let belongings = Undo(Some(Belongings::take(command)?));
        let child = spawn::make(&command.piped(input.as_ref(), self.output.as_ref())?)?;
        self.children.push(child);
        self.belongings.push(belongings);
        // Ours of the one behind it is closed.
        self.output = output;
        Ok(())
    }
}

/// A pipe: (read, write).
fn between(writer: &Command, reader: &Command) -> Result<(OwnedFd, OwnedFd)> {
    let ends = fds::pipe().map_err(|errno| Error::system("pipe2", errno, reader.cannot()))?;
    // Another user opens it again as /dev/stdin or /dev/stdout: both ends are one inode.
    if let Some((uid, gid)) = writer.owner().or(reader.owner()) {
        fds::give(&ends.0, uid, gid);
    }
    Ok(ends)
}

/// Kills and reaps those that have begun, given from the last to the first; `close` closes what they read from. What they were to put in place is not.
pub fn call_off<'a>(children: impl Iterator<Item = &'a Child> + Clone, close: impl FnOnce()) {
    for child in children.clone() {
        child.discard_output();
        child.kill(Cause::Shutdown);
    }
    close();
    let deadline = Deadline::after(LAST_WAIT_MS * MILLI);
    for child in children.clone() {
        let _ = child.wait(deadline, false, || None, || {});
    }
    // The kernel needs a moment before it lets a control group go whose last member was just killed.
    if children.into_iter().any(Child::had_cgroup) {
        leftovers::await_removals(Deadline::after(20 * MILLI));
    }
}
