//! Who may run, and who stands in line.
//!
//! A slot is taken before a child is made and given back when it has been reaped (a child that is being stopped holds its slot): so
//! there are never more than `max_running`, however many threads spawn. The lock is not held over a spawn. The line is first
//! in, first out; a child that comes back after an end joins at its tail.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::events::EventKind;
use super::inner::{Books, Inner};
use super::restart::Ended;
use super::{Managed, shut_down};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::child::Child;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn;
use crate::process::stop::LAST_WAIT_MS;
use crate::registry::Cause;

impl Inner {
    /// Starts a command and watches it, or puts it in line.
    ///
    /// `register` is told of the child before any event of it can be taken, and gives the word that events carry.
    pub(super) fn spawn(self: &Arc<Self>, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        self.check()?;
        let restarts = command.get_restart().when != RestartWhen::Never;
        if self.is_default {
            if restarts || command.has_output_lines() {
                let step = if restarts { "restart" } else { "output_lines" };
                return Err(Error::invalid(step, format!("{step}: the child needs a supervisor that has events, not NULL")));
            }
            return self.spawn_now(command, register);
        }
        if restarts {
            // Its timer must be to be had when it is needed.
            self.set_timer(&lock(&self.books))?;
        }
        if !self.admit()? {
            return self.enqueue(command, register);
        }
        let made = self.spawn_now(command, register);
        if made.is_err() {
            self.leave_slot(&mut lock(&self.books));
            self.start_queued();
        }
        made
    }

    /// Takes a slot (`true`) or promises a place in line.
    fn admit(&self) -> Result<bool> {
        let mut books = lock(&self.books);
        if books.is_closing() {
            return Err(shut_down());
        }
        if books.pending.is_empty() && books.joining == 0 && books.has_room() {
            books.active += 1;
            return Ok(true);
        }
        if books.max_pending != 0 && books.pending.len() + books.joining >= books.max_pending {
            let message = format!("{} children run and {} wait: there is no place in line", books.active, books.pending.len());
            return Err(Error::new(Status::Limit, "queue", message));
        }
        books.joining += 1;
        Ok(false)
    }

    /// A slot is free again, without an end to tell of.
    fn leave_slot(&self, books: &mut Books) {
        books.active -= 1;
        self.check_done(books);
        self.signal_waiters(books);
    }

    fn spawn_now(self: &Arc<Self>, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let belongings = Belongings::take(command)?;
        let (child, again) = if command.get_restart().when == RestartWhen::Never {
            (spawn::spawn(command, belongings)?, None)
        } else {
            // What it owns stays with the handle while processes come and go.
            let made = command.pinned().and_then(|pinned| Ok((spawn::spawn(&pinned, Belongings::default())?, pinned)));
            match made {
                Ok((child, pinned)) => (child, Some((pinned, belongings))),
                Err(error) => {
                    belongings.give_back();
                    return Err(error);
                }
            }
        };
        let child = Arc::new(child);
        let managed = Arc::new(match again {
            None if self.is_default => Managed::running(self.clone(), command, child.clone()),
            again => Managed::starting(self.clone(), command, again),
        });
        managed.set_token(register(&managed));
        let attached = match self.is_default {
            true if child.needs_driving() => self.attach_running(&managed),
            true => Ok(()),
            false => self.attach(&managed, &child),
        };
        if let Err(error) = attached {
            destroy(&child);
            return Err(error);
        }
        Ok(managed)
    }

    fn enqueue(self: &Arc<Self>, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let prepared =
            spawn::check_lent(command).and_then(|()| command.pinned()).and_then(|pinned| Ok((pinned, Belongings::take(command)?)));
        let joined = prepared.map(|(pinned, belongings)| {
            let managed = Arc::new(Managed::waiting(self.clone(), pinned, belongings));
            managed.set_token(register(&managed));
            managed
        });
        {
            let mut books = lock(&self.books);
            books.joining -= 1;
            if let Ok(managed) = &joined {
                if books.is_closing() {
                    drop(books);
                    managed.give_back();
                    return Err(shut_down());
                }
                // From here on it owns what it was given, whether or not it is ever started.
                managed.bind();
                self.join(&mut books, managed.clone());
            }
        }
        // A slot may have become free since we looked.
        self.start_queued();
        joined
    }

    fn join(&self, books: &mut Books, managed: Arc<Managed>) {
        let key = books.next_key();
        managed.set_key(key);
        books.pending.insert(key, managed);
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.signal_waiters(books);
    }

    /// The first in line, with a slot.
    pub(super) fn take_first(&self, books: &mut Books) -> Option<Arc<Managed>> {
        if !books.has_room() || books.is_closing() {
            return None;
        }
        let (_, managed) = books.pending.pop_first()?;
        // Under the lock: who wants to cancel it finds it in the line, or on its way.
        managed.set_starting();
        books.active += 1;
        self.busy.fetch_sub(1, Ordering::Relaxed);
        Some(managed)
    }

    /// Starts as many of those in line as there is room for.
    pub(super) fn start_queued(self: &Arc<Self>) {
        loop {
            let first = {
                let mut books = lock(&self.books);
                let first = self.take_first(&mut books);
                self.signal_waiters(&mut books);
                first
            };
            let Some(first) = first else { return };
            let made = first.make();
            self.conclude_start(&first, made);
        }
    }

    /// What follows the start of one from the line.
    pub(super) fn conclude_start(self: &Arc<Self>, managed: &Arc<Managed>, made: Result<Arc<Child>>) {
        let failed = match made {
            Ok(child) => match self.attach(managed, &child) {
                Ok(()) => return,
                Err(error) => {
                    destroy(&child);
                    error
                }
            },
            Err(error) => error,
        };
        let closing = {
            let mut books = lock(&self.books);
            books.telling += 1;
            books.is_closing()
        };
        let next = managed.decide(Ended::Failed(0), closing);
        let next = managed.enter(next, Some(&failed));
        let late = {
            let mut books = lock(&self.books);
            let kind = if closing { EventKind::Cancelled } else { EventKind::Failed };
            books.push(kind, managed, |event| event.status = Some(failed.status));
            self.tell_next(&mut books, managed, next, None, Some(failed.status))
        };
        self.told(managed, late, true);
    }

    /// Takes a child that was halted out of the line, or out of its wait for a restart. `false`: it is not there.
    pub(super) fn cancel(&self, managed: &Arc<Managed>) -> bool {
        {
            let mut books = lock(&self.books);
            if !self.leave(&mut books, managed.key()) {
                return false;
            }
            books.telling += 1;
        }
        self.told(managed, true, false);
        true
    }

    fn leave(&self, books: &mut Books, key: u64) -> bool {
        if books.pending.remove(&key).is_none() {
            let Some((due, _)) = books.resting.remove(&key) else { return false };
            books.timers.remove(&(due, key));
        }
        self.busy.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// For one that has left the line.
    pub(super) fn call_off(&self, managed: &Arc<Managed>, why: Error) {
        let status = why.status;
        managed.call_off(why);
        let mut books = lock(&self.books);
        books.push(EventKind::Cancelled, managed, |event| event.status = Some(status));
        self.signal_waiters(&mut books);
    }

    /// All who wait leave; they are to be called off without the lock.
    pub(super) fn empty_line(&self, books: &mut Books) -> Vec<Arc<Managed>> {
        let mut waiting: Vec<Arc<Managed>> = std::mem::take(&mut books.pending).into_values().collect();
        for (key, (due, managed)) in std::mem::take(&mut books.resting) {
            books.timers.remove(&(due, key));
            waiting.push(managed);
        }
        self.busy.fetch_sub(waiting.len(), Ordering::Relaxed);
        waiting
    }

    /// The wait of these is over: they join the line.
    pub(super) fn wake_resting(&self, books: &mut Books, now: i64) {
        let due: Vec<(i64, u64)> = books.timers.range(..=(now, u64::MAX)).copied().collect();
        for timer in due {
            if let Some((_, managed)) = books.resting.remove(&timer.1) {
                books.timers.remove(&timer);
                self.busy.fetch_sub(1, Ordering::Relaxed);
                self.join(books, managed);
            }
        }
    }

    /// Changes the limits; `None` leaves one as it is. What can start now is started by the next call that does work.
    pub(super) fn set_limits(&self, running: Option<usize>, pending: Option<usize>) -> Result<()> {
        self.check()?;
        let mut books = lock(&self.books);
        books.max_running = running.unwrap_or(books.max_running);
        books.max_pending = pending.unwrap_or(books.max_pending);
        if books.can_start() {
            books.pending.values().for_each(|managed| managed.ring());
        }
        self.signal_waiters(&mut books);
        Ok(())
    }

    /// Children that wait for a start, that run, and that are being stopped.
    pub(super) fn counts(&self) -> Result<(usize, usize, usize)> {
        self.check()?;
        let books = lock(&self.books);
        Ok((books.pending.len() + books.joining + books.resting.len(), books.active - books.stopping, books.stopping))
    }
}

/// A child that cannot be watched must not run. A killed child is reaped at once.
fn destroy(child: &Child) {
    child.discard_output();
    child.kill(Cause::Shutdown);
    let _ = child.wait(clock::deadline(LAST_WAIT_MS), false, || None, || {});
}
