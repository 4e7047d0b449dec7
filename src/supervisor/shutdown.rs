//! The end of a supervisor: asked for (everybody is stopped by their own plan, and one event tells when that is done) or at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::carry_out::Job;
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
        let (stops, rest): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| matches!(job, Job::Stop(_)));
        // One by one: a slow release of one must not hold up what is told of the others.
        rest.into_iter().for_each(|job| self.carry_out(vec![job]));
        for job in stops {
            if let Job::Stop(managed) = job
                && let Some(child) = managed.child()
            {
                child.end_plan_with_kill();
                let _ = child.stop(grace_ms, Cause::Shutdown);
                self.reschedule(&managed);
            }
        }
        Ok(())
    }

    /// Kills, reaps, releases; answers the children that did not die in time.
    pub(super) fn close(self: &Arc<Self>) -> Vec<Arc<Managed>> {
        if !self.home.is_here() || self.closed.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        let (jobs, killed) = {
            let mut ledger = lock(&self.ledger);
            let jobs = self.step(&mut ledger, Event::Close);
            let keys: Vec<u64> = ledger.watched.keys().copied().collect();
            let entries: Vec<_> = keys.into_iter().filter_map(|key| self.unwatch(&mut ledger, key)).collect();
            ledger.events.clear();
            self.show(&mut ledger);
            (jobs, entries)
        };
        self.carry_out(jobs);
        let deadline = Deadline::after(LAST_WAIT_MS * clock::MILLI);
        let mut left = Vec::new();
        for Entry { managed, child, .. } in killed {
            match child.wait(deadline, false, || None, || {}) {
                Ok(Some(_)) => managed.enter(Next::Over, None),
                _ => left.push(managed),
            }
        }
        self.kill_orphans(deadline);
        leftovers::await_removals(clock::Deadline::after(500 * clock::MILLI));
        left
    }
}
