//! The end of a supervisor: asked for (everybody is stopped by their own plan, and one event tells when that is done) or at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::inner::{Entry, Inner};
use super::restart::Next;
use super::scheduler::Event;
use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::lock::lock;
use crate::process::leftovers;
use crate::process::stop::LAST_WAIT_MS;
use crate::registry::Cause;

impl Inner {
    /// Nothing starts any more, who waits is cancelled, who runs is stopped. Asked again: a shorter grace shortens it.
    pub(super) fn shut_down(self: &Arc<Self>, grace_ms: i64) -> Result<()> {
        self.check()?;
        clock::check_timeout("grace_ms", grace_ms)?;
        let jobs = {
            let mut ledger = lock(&self.ledger);
            let jobs = self.step(&mut ledger, Event::Shutdown);
            self.show(&mut ledger);
            jobs
        };
        let spare = self.carry_out_each(jobs, |managed| {
            if let Some(child) = managed.child() {
                child.end_plan_with_kill();
                let _ = child.stop(grace_ms, Cause::Shutdown);
                self.reschedule(managed);
            }
        });
        lock(&self.ledger).jobs = spare;
        Ok(())
    }

    /// Kills, reaps, releases; answers the children that did not die in time.
    pub(super) fn close(self: &Arc<Self>) -> Vec<Arc<Managed>> {
        if !self.home.is_here() || self.closed.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        let (jobs, killed) = {
            let mut ledger = lock(&self.ledger);
            let mut jobs = self.step(&mut ledger, Event::Close);
            jobs.append(&mut ledger.stranded);
            let watched = std::mem::take(&mut ledger.watched);
            watched.iter().for_each(|(key, entry)| self.take_out(key, entry));
            ledger.events.clear();
            self.show(&mut ledger);
            (jobs, watched)
        };
        // First: what happens from here on is no news to them.
        self.call_off_errands();
        self.carry_out_each(jobs, |_| {});
        self.errands.rouse();
        let deadline = Deadline::after(LAST_WAIT_MS * clock::MILLI);
        let mut left = Vec::new();
        for Entry { managed, child, .. } in killed.into_values() {
            match child.wait(deadline, false, || None, || {}) {
                Ok(Some(_)) => managed.enter(Next::Over, None),
                _ => left.push(managed),
            }
        }
        self.close_spawners(deadline);
        self.kill_orphans(deadline);
        leftovers::await_removals(clock::Deadline::after(500 * clock::MILLI));
        left
    }
}
