//! What those are told whose child will not be.

use crate::error::{Error, Status};

/// Why a child that waited will not be started.
pub(super) fn called_off(why: Status) -> Error {
    match why {
        Status::Cancelled => Error::new(Status::Cancelled, "queue", "the child was cancelled before it was started"),
        _ => shut_down(),
    }
}

/// Why nothing is started any more.
pub(super) fn shut_down() -> Error {
    Error::new(Status::Shutdown, "supervisor", "the supervisor has been closed")
}
