//! Children that are ready when somebody above says so (`Command::ready_when_told`).
//!
//! The trap: the word may come at any time, before its process (then there is nobody to say it of), beside its end, behind it. Whatever settles
//! it first counts for the events; an error that comes behind a death that nobody has explained is still what callers are told.

use std::sync::Arc;

use crate::error::Error;
use crate::supervisor::Managed;

impl Managed {
    /// It is ready. `true`: it stands so; else it has failed, or ended, before, or its command says otherwise. READY is told. From any thread, in a turn,
    /// too.
    pub fn tell_ready(self: &Arc<Self>) -> bool {
        let Some(child) = self.child() else { return false };
        let ready = child.told_ready();
        self.collect(&child);
        ready
    }

    /// It never will be, for this reason: that is what its waits answer from now on. It is killed, with its group where that is its own, unless it is
    /// being stopped already; FAILED follows EXITED. Nothing happens to one that is ready, or that has no process: that is failed by its `made`.
    pub fn tell_failed(self: &Arc<Self>, error: Error) {
        let Some(child) = self.child() else { return };
        child.told_failed(error);
        self.collect(&child);
        self.supervisor().errands.rouse();
    }
}
