//! The work: reap what has ended, drain what was said, climb what is due, start whose turn it is.
//!
//! Done inside the calls that the host makes, by whichever thread makes them; several may do it at once. Nothing here takes
//! anybody's events, and nothing waits, but for the exec of a child that is started.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::events::Event;
use super::inner::{HOUSEKEEPING, Inner, LOOK_FOR_ORPHANS, MAX_UNREAD, ORPHANS, PLACES, RESTS};
use super::scheduler;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::leftovers;
use crate::sys::reactor::{Time, Token};

/// Bytes of a stream that are cut into lines at one look.
const STEP: usize = 16 * 1024;

impl Inner {
    pub(super) fn pump_if_busy(self: &Arc<Self>) {
        if self.busy.load(Ordering::Relaxed) != 0 {
            self.pump();
        }
    }

    /// For one who watches the work: whatever it shows has to be done, also when nobody is left to look after. A time that was taken back goes off
    /// for nothing, and who left it at that would be woken by it for ever.
    pub(super) fn pump_watched(self: &Arc<Self>) {
        if !self.is_default || self.rung.load(Ordering::SeqCst) {
            self.pump();
        } else {
            self.pump_if_busy();
        }
    }

    /// Does what is due. Never waits; takes nobody's events.
    pub(super) fn pump(self: &Arc<Self>) {
        self.look_at_unwatched();
        let turn = self.reactor.turn();
        for token in turn.ready {
            self.look_at(token);
        }
        // After what is ready: a child that has ended by itself is not to be blamed on its deadline.
        if turn.timer {
            self.keep_times();
        }
        if !self.is_default {
            self.start_queued();
        }
    }

    /// An orphan has ended, or a child's pidfd (0) or one of its pipes (1, 2) is readable.
    fn look_at(self: &Arc<Self>, token: Token) {
        if token.0 >= ORPHANS {
            return self.reap_orphan(token);
        }
        let (key, place) = (token.0 / PLACES, token.0 % PLACES);
        let found = lock(&self.ledger).watched.get(&key).map(|entry| (entry.managed.clone(), entry.child.clone()));
        let Some((managed, child)) = found else { return };
        if place > 0 {
            // What nobody takes is not read; collecting takes the pipe out of the set then.
            // Lines in small steps: one that is empty costs more as an event than it says.
            let allowance = if child.has_output_lines() { STEP } else { MAX_UNREAD };
            if managed.unread() <= MAX_UNREAD && !child.drain(place as usize - 1, allowance) {
                self.reactor.remove(token);
            }
            self.collect_output(&managed, &child);
        } else if let Ok(Some(exit)) = child.reap_ended() {
            self.finish(&managed, &child, exit);
        } else {
            // A tracer holds it, or another thread is about to take it.
            self.reactor.set_aside(token);
        }
    }

    fn look_at_unwatched(&self) {
        let mut unwatched = std::mem::take(&mut lock(&self.ledger).unwatched);
        if unwatched.is_empty() {
            return;
        }
        let before = unwatched.len();
        unwatched.retain(|managed| {
            let Some(child) = managed.child() else { return false };
            child.tick();
            matches!(child.try_reap(true), Ok(None))
        });
        self.busy.fetch_sub(before - unwatched.len(), Ordering::Relaxed);
        lock(&self.ledger).unwatched.append(&mut unwatched);
    }

    /// One by one: what this thread has not come to, another one may.
    fn keep_times(self: &Arc<Self>) {
        let now = clock::now();
        while let Some(time) = self.reactor.pop_time(now) {
            let token = match time {
                Time::Due(token) => token,
                Time::Back(token) => {
                    self.look_at(token);
                    continue;
                }
            };
            match token {
                RESTS => {
                    let mut ledger = lock(&self.ledger);
                    self.step(&mut ledger, scheduler::Event::Tick);
                    // The next of them: this time was told, so it is no longer set.
                    let _ = self.reactor.set_due(RESTS, ledger.scheduler.due());
                    self.show(&mut ledger);
                }
                LOOK_FOR_ORPHANS => self.look_for_orphans(),
                HOUSEKEEPING => {}
                Token(word) => {
                    let found = lock(&self.ledger).watched.get(&(word / PLACES)).map(|entry| (entry.managed.clone(), entry.child.clone()));
                    if let Some((managed, child)) = found {
                        child.tick();
                        self.reschedule(&managed);
                    }
                }
            }
        }
        leftovers::retry();
        self.keep_house();
    }

    pub(super) fn next_event(self: &Arc<Self>, deadline: Deadline) -> Result<Option<Event>> {
        loop {
            self.check()?;
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            // What comes out of this pump is taken right after it, as a rule: the wake-up is not raised just to be lowered again.
            lock(&self.ledger).takers += 1;
            self.pump();
            lock(&self.ledger).takers -= 1;
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            if deadline.has_come() {
                return Ok(None);
            }
            self.reactor.wait(deadline).map_err(|errno| Error::system("poll", errno, "cannot wait for events"))?;
        }
    }

    fn pop(&self) -> Option<Event> {
        let mut ledger = lock(&self.ledger);
        let event = ledger.events.pop();
        if let Some(managed) = event.as_ref().filter(|event| event.line().is_some()).and_then(|event| event.child.as_ref()) {
            self.let_flow(&mut ledger, managed);
        }
        self.show(&mut ledger);
        event
    }
}
