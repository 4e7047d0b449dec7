//! A process that another has made for us becomes a child: a preloader's worker, of which the kernel has proven whose it is.

use std::os::fd::OwnedFd;

use super::child::Child;
use super::command::Command;
use crate::error::{Error, Result, Status};

/// What is known of such a process.
#[derive(Debug)]
pub struct Adoption<'a> {
    /// Its number, in the pid namespace of this process.
    pub pid: i32,
    /// Its identity.
    pub pidfd: OwnedFd,
    /// What it says on its streams 1 and 2: read as stream 1, and captured as the command says.
    pub output: Option<OwnedFd>,
    /// Stop plan, deadline, capture, user data.
    pub command: &'a Command,
    /// When its making began, nanoseconds of CLOCK_MONOTONIC.
    pub started_ns: i64,
}

/// Makes a child of it: it is in the registry when this returns. Never blocks.
pub fn adopt(adoption: Adoption<'_>) -> Result<Child> {
    let _ = adoption;
    Err(Error::new(Status::Unsupported, "adopt", "a process of another's cannot be adopted yet"))
}
