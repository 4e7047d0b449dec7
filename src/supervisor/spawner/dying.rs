//! A child whose program has begun, and that nobody wants any more: it is killed, and reaped in passing.
//!
//! The trap: it never was anybody's, so what it was given is its command's again, as of one that was never made; but not while its process uses it.

use std::sync::Arc;

use crate::clock::Deadline;
use crate::process::child::Child;
use crate::process::spawn::{self, Undo};
use crate::registry::Cause;

/// See the head of this file.
pub struct Dying {
    child: Arc<Child>,
    /// Goes when it is reaped.
    _owned: Undo,
}

impl Dying {
    /// Kills it.
    pub fn kill(child: Arc<Child>) -> Self {
        let owned = spawn::take_back(&child);
        child.discard_output();
        child.kill(Cause::Shutdown);
        Self { child, _owned: owned }
    }

    /// Whether it is gone, or not ours to reap.
    pub fn is_reaped(&self) -> bool {
        matches!(self.child.try_reap(false), Ok(Some(_)) | Err(_))
    }

    /// Until it is.
    pub fn wait(&self, deadline: Deadline) {
        let _ = self.child.wait(deadline, false, || None, || {});
    }
}
