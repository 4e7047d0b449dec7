//! What a process finds when it begins: environment, user, limits, directory, login shell.

use crate::error::{Error, Result};
use crate::preloader::failure::Failure;
use crate::preloader::session::{Arguments, Session};
use crate::process::command::Command;

/// Completes arguments by what the command says by itself: `start_command`, if nobody gave it. Before the session is prepared.
pub fn arguments(command: &Command, arguments: &Arguments) -> Result<Arguments> {
    let _ = command;
    Ok(arguments.clone())
}

/// The command as it is really started. What the process will find is written down in the session, and the steps are that it takes before it
/// begins: before `finalize`.
pub fn command(command: &Command, session: &Session) -> Result<Command> {
    let _ = session;
    Ok(command.clone())
}

/// What went wrong when that command could not be started.
pub fn explain(error: Error, command: &Command, session: &Session) -> Failure {
    let _ = (error, command, session);
    unimplemented!()
}
