//! A process that is to be started. It is carried out without the lock of the handle, for an exec may take its time, and comes back as
//! [`super::way::Way::born`].

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::process::command::Command;

/// What a process is started for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To serve: the first, or in the place of one that has ended.
    Start,
    /// To take the place of one that serves.
    Successor,
    /// To look whether one is healthy.
    Health,
}

/// A process that is to be started.
#[derive(Debug)]
pub struct Order {
    pub purpose: Purpose,
    /// By which it is known whether it is still wanted.
    pub number: u64,
    pub command: Command,
    /// Descriptors that the command names by number.
    #[allow(dead_code)] // to be held is all it is for
    pub keeps: Vec<Arc<OwnedFd>>,
}
