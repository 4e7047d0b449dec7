//! One program, run to its end for what it says: a spawn, a wait and what was captured, in one call.
//!
//! Traps. **A full pipe**: both streams are read all the while, also while it is being stopped, and what is beyond the bound is read as well. **A pipe that
//! stays open**: the end is the program's, not that of its output (`process/output/pipes.rs`). **The last moment**: a program that ends by itself just as
//! its time is over has done so, and its answer counts; only one that its stop plan has reached was late. **A wait that fails** must not leave a program
//! behind of which nobody has a handle: it is killed.
//!
//! Who runs it waits for it from its birth to its end and drives it meanwhile, so it is in nobody's ledger; one that its whole plan could not end is
//! left to the default supervisor.

use std::sync::Arc;

use super::Managed;
use super::default::{inner, poke_to_spawn};
use super::starts::destroy;
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::process::child::{Child, described};
use crate::process::command::Command;
use crate::process::output::Said;
use crate::process::spawn;
use crate::registry::{Cause, Exit, Kind};

/// What became of it.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub exit: Exit,
    /// What it has said.
    pub said: Said,
    /// The process id that it had.
    pub pid: i32,
}

/// Runs a command to its end under the default supervisor, `timeout_ms` (-1: for ever) at the most, its start included. The first `most` bytes of
/// each of its streams are kept that go nowhere else. Where its time is over its stop plan runs; the error has what it had said.
pub fn run(command: &Command, timeout_ms: i64, most: usize) -> Result<Answer> {
    let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
    command.check_size()?;
    let mut command = command.clone();
    command.answer(most)?;
    poke_to_spawn();
    // As for any spawn: before the first use opens descriptors.
    spawn::check_lent(&command)?;
    let managed = inner()?.spawn_awaited(&command)?;
    let child = managed.process()?;
    let ended = match managed.wait(deadline, false) {
        Ok(Some(exit)) => Ok(exit),
        Ok(None) => stop(&managed, &child, &format!("{} was not done in {timeout_ms} ms", command.shown())),
        Err(error) => {
            if child.exit().is_none() {
                destroy(&child);
            }
            Err(error)
        }
    };
    let (pid, said) = (child.pid(), Said::new(child.take_output()));
    managed.let_go();
    match ended {
        Ok(exit) => Ok(Answer { exit, said, pid }),
        Err(error) => Err(told(error, pid, said)),
    }
}

fn told(error: Error, pid: i32, said: Said) -> Error {
    error.with_pid(pid).with(|it| it.output = said.into_bytes())
}

/// The same, and whatever is no success is an error, which has what it had said.
pub fn run_checked(command: &Command, timeout_ms: i64, most: usize) -> Result<Said> {
    let Answer { exit, said, pid } = run(command, timeout_ms, most)?;
    if exit.success() {
        return Ok(said);
    }
    let how = match exit.kind {
        Kind::Lost => ": somebody else has reaped it, and nobody knows how it ended".to_owned(),
        _ => described(&exit),
    };
    let error = Error::new(Status::Exited, "run", format!("{} has failed{how}", command.shown()));
    Err(told(error, pid, said))
}

/// Its time is over.
fn stop(managed: &Arc<Managed>, child: &Child, late: &str) -> Result<Exit> {
    let stopped = managed.terminate(-1);
    let late = |how: &str| Err(Error::new(Status::Timeout, "run", format!("{late}{how}")));
    match (child.exit(), stopped) {
        (Some(exit), _) if exit.cause != Cause::Itself => late(&described(&exit)),
        // The plan was too late.
        (Some(_), stopped) => stopped,
        (None, Err(error)) if error.status == Status::Timeout => late(", and is still there after its whole stop plan"),
        // The kernel has refused the plan's signals.
        (None, stopped) => stopped,
    }
}
