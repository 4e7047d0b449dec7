//! What went wrong at a start, put together for people: category, texts, what the process had written down of itself.
//!
//! The trap: all of it is made when something has already gone wrong, from what a hostile application may have left; so every part is total
//! (each category at each step of each way has its texts), bounded, and never a reason to fail again.

use nix::errno::Errno;

use super::session::{Arguments, Purpose, Response, Violations};
use crate::error::{Error, Status};
use crate::journey::Journey;
use crate::registry::Exit;
pub use crate::report::case::{Case, Category};
use crate::report::dumps::Dumps;

/// One way to fail. Made by the constructors, each of which knows its status and category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the call answers.
    pub status: Status,
    /// The kind, where the application does not name another.
    pub category: Category,
    /// The step at which it failed: one of [`super::journey::step`].
    pub step: &'static str,
    /// One sentence.
    pub message: String,
    /// The system call's error, if one failed.
    pub errno: Option<Errno>,
    /// More of it, each a sentence: all that is wrong with the arguments, or with what the process says of its sockets.
    pub violations: Violations,
}

impl Failure {
    /// In words; without a system call.
    pub fn new(status: Status, category: Category, step: &'static str, message: impl Into<String>) -> Self {
        Self { status, category, step, message: message.into(), errno: None, violations: Violations::default() }
    }

    /// What a room below has answered at this step: a system call that failed (the category is inferred from step, call and errno), the time
    /// that was over, an argument.
    pub fn of(step: &'static str, error: &Error) -> Self {
        Self { errno: error.errno, ..Self::new(error.status, Category::default(), step, error.message.clone()) }
    }

    /// Arguments that are wrong; all that is wrong with them.
    pub fn arguments(violations: Vec<String>) -> Self {
        let _ = violations;
        unimplemented!()
    }

    /// The time was over at this step; it was `doing` something ("waiting for the application's word that it is ready").
    pub fn timeout(step: &'static str, doing: &str) -> Self {
        let _ = (step, doing);
        unimplemented!()
    }

    /// The process ended before it was ready, or closed its output.
    pub fn exited(pid: i32, exit: Option<&Exit>) -> Self {
        let _ = (pid, exit);
        unimplemented!()
    }

    /// The process said that it failed: this byte, or the end without one.
    pub fn answered(byte: Option<u8>) -> Self {
        let _ = byte;
        unimplemented!()
    }

    /// What it said of its sockets is wrong.
    pub fn violated(violations: Violations) -> Self {
        let _ = violations;
        unimplemented!()
    }

    /// The preloader answered with an error.
    pub fn refused(message: &str) -> Self {
        let _ = message;
        unimplemented!()
    }

    /// The preloader's answer makes no sense, at this step.
    pub fn garbled(step: &'static str, what: &str) -> Self {
        let _ = (step, what);
        unimplemented!()
    }

    /// The process that the preloader named is another user's.
    pub fn wrong_user(pid: i32, is: u32, must_be: u32) -> Self {
        let _ = (pid, is, must_be);
        unimplemented!()
    }

    /// The process that the preloader named could not be proven to be the one it has forked.
    pub fn unproven(pid: i32, why: &str) -> Self {
        let _ = (pid, why);
        unimplemented!()
    }
}

/// What there is to look at.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// How far it came; the failed step is not marked yet.
    pub journey: Journey,
    /// What the process has left in writing.
    pub response: Option<Response>,
    /// What was asked for, with the predefined ones.
    pub arguments: &'a Arguments,
    /// What the process has written.
    pub output: Vec<u8>,
    /// The process, if there was one.
    pub pid: Option<i32>,
    /// How it ended, if it has.
    pub exit: Option<Exit>,
    /// What the preloader has written down of itself when it was started.
    pub preloader: Option<&'a Dumps>,
    /// What was started.
    pub purpose: Purpose,
}

/// The error, with journey and case.
pub fn error(failure: Failure, evidence: Evidence<'_>) -> Error {
    let _ = (failure, evidence);
    unimplemented!()
}
