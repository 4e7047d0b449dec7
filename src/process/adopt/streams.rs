//! What a process that waits at its gate is given: descriptors, each with the number it goes to, and the pipes that are read here.
//!
//! The trap: what a command does not redirect is inherited, and here that is the preloader's, not the host's. So nothing may be taken from a number of
//! the host that the command has not named: a merge into an inherited stream 1 is refused ([`Command::check_birth`]).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::process::command::{Command, Stdio};
pub use crate::process::descriptors::Pipe;
use crate::process::descriptors::{self, Ends};
use crate::process::output::Output;
use crate::process::spawn::check_lent;
use crate::sys::fds;
use crate::sys::spawn::Move;

/// The descriptors of one birth. Its own ends are closed when this goes, but for what has become a child's.
#[derive(Debug)]
pub struct Streams {
    passed: Vec<(Arc<OwnedFd>, i32)>,
    /// What is sent by the caller's own number, before his call is over.
    lent: Vec<(RawFd, i32)>,
    ends: Ends,
}

/// The pipe that [`Streams`] will need for what is said, if it needs one and there are descriptors for it: for who has time now.
pub fn pipe_for(command: &Command) -> Option<Pipe> {
    let streams = &command.streams;
    let speaks = |stream: i32| streams.stdio[stream as usize] == Stdio::Inherit && !streams.passed.has(stream);
    let is_read = streams.capture.is_some() || streams.lines;
    if is_read && (speaks(1) || speaks(2)) { Pipe::new().ok() } else { None }
}

impl Streams {
    /// Makes the pipes, and duplicates what is lent, unless the command holds that itself. `pipe`: one that was made before. Never blocks.
    pub fn of(command: &Command, pipe: &mut Option<Pipe>) -> Result<Self> {
        if !command.streams.is_pinned() {
            check_lent(command)?;
        }
        Self::made(command, pipe, false)
    }

    /// The same for who sends them at once: what is lent is not duplicated, nor looked at.
    pub fn lending(command: &Command, pipe: &mut Option<Pipe>) -> Result<Self> {
        Self::made(command, pipe, true)
    }

    fn made(command: &Command, pipe: &mut Option<Pipe>, lend: bool) -> Result<Self> {
        command.check_birth()?;
        let mut plan = descriptors::sources(command, None, pipe)?;
        let failed = |step: &'static str| move |errno| Error::system(step, errno, command.cannot());
        let mut made: Vec<(i32, Arc<OwnedFd>)> = plan.ends.take_theirs().into_iter().map(|end| (end.as_raw_fd(), Arc::new(end))).collect();
        let (mut passed, mut lent) = (Vec::with_capacity(plan.moves.len()), Vec::new());
        for Move { from, to } in &plan.moves {
            let known = made.iter().find(|(number, _)| number == from).map(|(_, fd)| fd.clone());
            let fd = match known {
                Some(fd) => fd,
                None if let Some(pin) = command.streams.pinned(*from) => pin.clone(),
                // Each its own description: what a worker does to it (O_NONBLOCK) is felt by no other.
                None if *from == Move::NULL => Arc::new(fds::null().map_err(failed("open"))?),
                None if lend => {
                    lent.push((*from, *to));
                    continue;
                }
                None => {
                    let copy = Arc::new(fds::duplicate_number(*from).map_err(failed("fcntl"))?);
                    made.push((*from, copy.clone()));
                    copy
                }
            };
            passed.push((fd, *to));
        }
        Ok(Self { passed, lent, ends: plan.ends })
    }

    /// Which descriptor goes to which number: what is said with GO.
    pub fn passed(&self) -> impl ExactSizeIterator<Item = (BorrowedFd<'_>, i32)> {
        self.passed.iter().map(|(fd, to)| (fd.as_fd(), *to))
    }

    /// The same, shared.
    pub fn shared(&self) -> impl Iterator<Item = (Arc<OwnedFd>, i32)> {
        self.passed.iter().map(|(fd, to)| (fd.clone(), *to))
    }

    /// Which number of the caller's goes to which.
    pub fn take_lent(&mut self) -> Vec<(RawFd, i32)> {
        std::mem::take(&mut self.lent)
    }

    /// What stays here; the other side's ends are closed.
    pub(super) fn into_ends(self, command: &Command) -> (Ends, Option<Output>) {
        let Self { passed, lent: _, mut ends } = self;
        drop(passed);
        let streams = &command.streams;
        let pipes = std::mem::take(&mut ends.output);
        let output = (streams.capture.is_some() || streams.lines).then(|| Output::new(pipes, streams.keep(), streams.cut()));
        (ends, output)
    }
}
