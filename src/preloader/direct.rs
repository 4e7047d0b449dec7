//! A worker that is started by itself: session, process, handshake.

use std::sync::Arc;

use super::session::Arguments;
use super::worker::Worker;
use crate::error::{Error, Result, Status};
use crate::process::command::Command;
use crate::supervisor::{Host, Managed};

/// Begins one: PS_EVENT_READY, or what says that it failed, follows.
pub fn begin(
    host: Host,
    command: &Command,
    arguments: &Arguments,
    timeout_ms: i64,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    let _ = (host, command, arguments, timeout_ms, register);
    Err(Error::new(Status::Unsupported, "direct", "not yet"))
}

/// Starts one, and waits until it is ready. After an error nothing is left of it.
pub fn spawn(
    host: Host,
    command: &Command,
    arguments: &Arguments,
    timeout_ms: i64,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    begin(host, command, arguments, timeout_ms, register)
}
