//! The end of a supervisor: asked for (everybody is stopped by its own plan, and one event tells when that is done) or at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::events::{Event, EventKind};
use super::inner::{Books, Inner, Shutdown};
use super::{Managed, shut_down};
use crate::clock;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::cgroup;
use crate::process::child::Child;
use crate::process::stop::LAST_WAIT_MS;
use crate::registry::Cause;

type Waiting = Vec<Arc<Managed>>;
type Running = Vec<(Arc<Managed>, Arc<Child>)>;

impl Inner {
    /// Nothing starts any more, who waits is cancelled, who runs is stopped. Asked again: a shorter grace shortens it.
    pub(super) fn shut_down(self: &Arc<Self>, grace_ms: i64) -> Result<()> {
        self.check()?;
        if grace_ms < -1 {
            return Err(Error::invalid("grace_ms", format!("a grace of {grace_ms} ms")));
        }
        let (waiting, running): (Waiting, Running) = {
            let mut books = lock(&self.books);
            books.shutdown.get_or_insert(Shutdown::Begun);
            let waiting = self.empty_line(&mut books);
            // Nobody says "done" before all these have been told.
            books.telling += waiting.len();
            (waiting, books.children.values().map(|entry| (entry.managed.clone(), entry.child.clone())).collect())
        };
        for managed in &waiting {
            self.call_off(managed, shut_down());
            lock(&self.books).telling -= 1;
        }
        for (managed, child) in &running {
            child.end_plan_with_kill();
            let _ = child.stop(grace_ms, Cause::Shutdown);
            self.reschedule(managed);
        }
        let mut books = lock(&self.books);
        self.check_done(&mut books);
        self.signal_waiters(&mut books);
        Ok(())
    }

    /// The last slot has become free after a shutdown: tells so, once.
    pub(super) fn check_done(&self, books: &mut Books) {
        if books.shutdown == Some(Shutdown::Begun) && books.active == 0 && books.telling == 0 && !books.closed {
            books.shutdown = Some(Shutdown::Done);
            books.events.push(Event {
                kind: EventKind::ShutdownDone,
                child: None,
                pid: 0,
                time_ns: clock::now(),
                exit: None,
                run: 0,
                status: None,
                delay_ns: 0,
                line: None,
            });
        }
    }

    /// Kills, reaps, releases; answers the children that did not die in time.
    pub(super) fn close(&self) -> Vec<Arc<Managed>> {
        if !self.home.is_here() || self.closed.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        let (waiting, children): (Waiting, Running) = {
            let mut books = lock(&self.books);
            books.closed = true;
            let waiting = self.empty_line(&mut books);
            let keys: Vec<u64> = books.children.keys().copied().collect();
            let entries = keys.into_iter().filter_map(|key| self.remove_entry(&mut books, key));
            let children = entries.map(|entry| (entry.managed, entry.child)).collect();
            books.timers.clear();
            books.events.clear();
            self.signal_waiters(&mut books);
            (waiting, children)
        };
        for managed in &waiting {
            managed.call_off(shut_down());
        }
        for (managed, child) in &children {
            managed.halt();
            child.kill(Cause::Shutdown);
        }
        let deadline = clock::deadline(LAST_WAIT_MS);
        let mut left = Vec::new();
        for (managed, child) in children {
            match child.wait(deadline, false, || None, || {}) {
                Ok(Some(exit)) => {
                    managed.enter(managed.decide(super::restart::Ended::of(&exit), true), None);
                }
                _ => left.push(managed),
            }
        }
        self.kill_orphans(deadline);
        cgroup::await_removals(clock::now() + 500 * clock::MILLI);
        left
    }
}
