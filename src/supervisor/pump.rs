//! The work: reap what has ended, drain what was said, climb what is due, start whose turn it is.
//!
//! Done inside the calls that the host makes, by whichever thread makes them; several may do it at once. Nothing here takes
//! anybody's events, and nothing waits, but for the exec of a child that is started.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::events::Event;
use super::inner::{HOUSEKEEPING, Inner, LOOK_FOR_ORPHANS, MAX_UNREAD, ORPHANS, TIMER, WORDS};
use crate::clock;
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::cgroup;
use crate::process::child::Child;
use crate::sys::poll;

/// Bytes of a stream that are cut into lines at one look.
const STEP: usize = 16 * 1024;

impl Inner {
    pub(super) fn pump_if_busy(self: &Arc<Self>) {
        if self.busy.load(Ordering::Relaxed) != 0 {
            self.pump();
        }
    }

    /// Does what is due. Never waits; takes nobody's events.
    pub(super) fn pump(self: &Arc<Self>) {
        self.look_at_unwatched();
        let mut ready = Vec::new();
        self.set.ready(&mut ready);
        let mut timer = false;
        for word in ready {
            match word {
                TIMER => timer = true,
                ORPHANS.. => self.reap_orphan(word),
                _ => self.look_at(word / WORDS, word % WORDS),
            }
        }
        if timer {
            self.run_timers();
        }
        if !self.is_default && lock(&self.books).can_start() {
            self.start_queued();
        }
    }

    /// A child's pidfd (0) or one of its pipes (1, 2) is readable.
    fn look_at(self: &Arc<Self>, key: u64, what: u64) {
        let found = lock(&self.books).children.get(&key).map(|entry| (entry.managed.clone(), entry.child.clone()));
        let Some((managed, child)) = found else { return };
        if what > 0 {
            // What nobody takes is not read; collecting takes the pipe out of the set then.
            // Lines in small steps: one that is empty costs more as an event than it says.
            let allowance = if child.has_output_lines() { STEP } else { MAX_UNREAD };
            if managed.unread() <= MAX_UNREAD && !child.drain(what as usize - 1, allowance) {
                self.forget_pipe(key, what as usize - 1);
            }
            self.collect_output(&managed, &child);
        } else if let Ok(Some(exit)) = child.reap_ended() {
            self.finish(&managed, &child, exit);
        } else {
            self.set_aside(key);
        }
    }

    fn look_at_unwatched(&self) {
        let mut unwatched = std::mem::take(&mut lock(&self.books).unwatched);
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
        lock(&self.books).unwatched.append(&mut unwatched);
    }

    /// A pidfd that is readable though the child cannot be reaped (a tracer holds it, or another thread is about to): out of the
    /// set, where it would keep everybody awake, and looked at by the timer.
    fn set_aside(&self, key: u64) {
        let mut books = lock(&self.books);
        if let Some(entry) = books.children.get_mut(&key) {
            self.set.remove(&*entry.pidfd);
            entry.aside = true;
            if self.schedule(&mut books, key, Some(clock::now() + poll::PAUSE)).is_err()
                && let Some(entry) = books.children.get_mut(&key)
            {
                // No timer to be had: better awake than never told.
                entry.aside = false;
                let _ = self.set.add(&*entry.pidfd, key * WORDS);
            }
        }
    }

    fn forget_pipe(&self, key: u64, place: usize) {
        let mut books = lock(&self.books);
        if let Some(pipe) = books.children.get_mut(&key).and_then(|entry| entry.pipes[place].take()) {
            self.set.remove(&*pipe);
        }
    }

    fn run_timers(self: &Arc<Self>) {
        let now = clock::now();
        let mut seek = false;
        let due: Vec<(Arc<Managed>, Arc<Child>, u64, bool)> = {
            let mut books = lock(&self.books);
            self.wake_resting(&mut books, now);
            let looks: Vec<(i64, u64)> = books.timers.range(..=(now, u64::MAX)).copied().collect();
            for look in looks.iter().filter(|(_, key)| *key == HOUSEKEEPING || *key == LOOK_FOR_ORPHANS) {
                books.timers.remove(look);
                books.looks.remove(&look.1);
                seek |= look.1 == LOOK_FOR_ORPHANS;
            }
            let keys = looks.iter().filter_map(|(_, key)| Some((books.children.get(key)?, *key)));
            keys.map(|(entry, key)| (entry.managed.clone(), entry.child.clone(), key, entry.aside)).collect()
        };
        if seek {
            self.look_for_orphans();
        }
        cgroup::retry_left();
        self.keep_house(&mut lock(&self.books));
        for (managed, child, key, aside) in &due {
            child.tick();
            self.reschedule(managed);
            if *aside {
                match child.reap_ended() {
                    Ok(Some(exit)) => self.finish(managed, child, exit),
                    _ => self.set_aside(*key),
                }
            }
        }
        // Clears the expiry that brought us here, also when nothing was due any more.
        let _ = self.set_timer(&lock(&self.books));
    }

    pub(super) fn next_event(self: &Arc<Self>, deadline: Option<i64>) -> Result<Option<Event>> {
        loop {
            self.check()?;
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            // What comes out of this pump is taken right after it, as a rule: the flag is not raised just to be lowered again.
            lock(&self.books).takers += 1;
            self.pump();
            lock(&self.books).takers -= 1;
            if let Some(event) = self.pop() {
                return Ok(Some(event));
            }
            if deadline.is_some_and(|at| clock::now() >= at) {
                return Ok(None);
            }
            let flag = self.flag()?;
            let waited = poll::wait(&[self.set.as_fd(), flag.as_fd()], deadline.into());
            waited.map_err(|errno| Error::system("poll", errno, "cannot wait for events"))?;
        }
    }

    fn pop(&self) -> Option<Event> {
        let mut books = lock(&self.books);
        let event = books.events.pop();
        if let Some(managed) = event.as_ref().filter(|event| event.line.is_some()).and_then(|event| event.child.as_ref()) {
            self.let_flow(&mut books, managed);
        }
        self.signal_waiters(&mut books);
        event
    }
}
