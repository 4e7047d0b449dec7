//! The work: reap what has ended, drain what was said, climb what is due, start whose turn it is.
//!
//! Done inside the calls that the host makes, by whichever thread makes them; several may do it at once. Nothing here takes
//! anybody's events, and nothing waits, but for the exec of a child that is started.
//!
//! Two traps. **Events that wait must not keep work waiting**: a host that is slower than one talkative child finds an event at every call, and
//! who looked for work only when there is none would reap nobody any more. So a call that finds an event looks for work first, unless
//! that was done within the last millisecond. Nor the other way round: work comes in portions, with an event between two of them.
//! **"Nothing" must be true**: a host that watches the descriptor edge-triggered waits for a new edge after it. So nothing is answered
//! before a look has found nothing ready; and if children speak faster than we read, a new edge is made.
//!
//! **An end is told once** (`sys/reactor.rs`): whoever was told of it looks at it, or has it told again, also when a panic comes in between.
//! The ends that one look has found are all taken first, up to some, and then those are started whom they have made room for: starts that follow
//! each other closely wake nobody in between.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::carry_out::Job;
use super::errands::in_turn;
use super::events::Event;
use super::inner::{ERRANDS, HOUSEKEEPING, INPUT, Inner, LOOK_FOR_ORPHANS, ORPHANS, PERMITS, PLACES, READY, RESTS};
use super::scheduler;
use crate::clock::{self, Deadline, MILLI};
use crate::error::Result;
use crate::lock::lock;
use crate::process::child::Child;
use crate::process::leftovers;
use crate::registry::Exit;
use crate::sys::poll::Patience;
use crate::sys::reactor::{BATCH, FEW, Found, Time, Token};
use crate::sys::reserve;

/// Bytes of a stream that are cut into lines at one look.
const STEP: usize = 16 * 1024;
/// Bytes of a stream that are only kept (or counted), at one look: what a pipe holds.
const GULP: usize = 64 * 1024;
/// While events wait, how often work is looked for.
const LOOK_EVERY: i64 = MILLI;
/// How long restarts rest on where memory is out.
const WITHOUT_MEMORY: i64 = 100 * MILLI;

/// So many jobs of those that have ended are done together: an end with somebody in line is two.
const TOGETHER: usize = 2 * FEW;

/// What a turn has told of, and the jobs that follow from it. What is still in here when this goes, by a panic, comes again: ends are told again, also
/// the one that was being looked at, and jobs are the next call's.
struct Told<'a> {
    inner: &'a Inner,
    found: Found,
    jobs: Vec<Job>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        while let Some(token) = self.found.pop() {
            if is_end(token) {
                self.inner.hear_again(token);
            }
        }
        if !self.jobs.is_empty() {
            self.inner.strand(std::mem::take(&mut self.jobs));
        }
    }
}

/// A thread that is about to take an event: until it is dropped, also by a panic, the wake-up is left to it.
pub(super) struct Taker<'a>(&'a Inner);

impl<'a> Taker<'a> {
    fn begin(inner: &'a Inner) -> Self {
        lock(&inner.ledger).takers += 1;
        Self(inner)
    }
}

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        let mut ledger = lock(&self.0.ledger);
        ledger.takers -= 1;
        if std::thread::panicking() {
            // It takes none.
            self.0.show(&mut ledger);
        }
    }
}

/// It is a child's pidfd.
fn is_end(token: Token) -> bool {
    token.0 < ERRANDS && token.0.is_multiple_of(PLACES)
}

fn is_errand(token: Token) -> bool {
    (ERRANDS..ORPHANS).contains(&token.0)
}

impl Inner {
    pub(super) fn pump_if_busy(self: &Arc<Self>) {
        // In a turn of an errand: whoever takes that looks after the others.
        if self.busy.load(Ordering::Relaxed) != 0 && !in_turn() {
            self.pump();
        }
    }

    /// The same, where that was not done just now.
    pub(super) fn pump_from_time_to_time(self: &Arc<Self>) {
        if self.busy.load(Ordering::Relaxed) != 0 && clock::now() >= self.next_look.load(Ordering::Relaxed) {
            self.pump_if_busy();
        }
    }

    /// For one who watches the work: whatever it shows has to be done, also when nobody is left to look after. A time that was taken back goes off
    /// for nothing, and who left it at that would be woken by it for ever.
    pub(super) fn pump_watched(self: &Arc<Self>) {
        if (!self.is_default || self.rung.load(Ordering::SeqCst)) && !in_turn() {
            self.pump();
        } else {
            self.pump_if_busy();
        }
    }

    /// Does what is due. Never waits; takes nobody's events.
    pub(super) fn pump(self: &Arc<Self>) {
        self.pump_some(clock::now(), None);
    }

    /// A portion of it: what one look finds, and some starts. `false`: the look has found nothing.
    fn pump_some(self: &Arc<Self>, now: i64, mut taker: Option<Taker<'_>>) -> bool {
        self.next_look.store(now.saturating_add(LOOK_EVERY), Ordering::Relaxed);
        self.look_at_unwatched();
        self.take_up_stranded();
        // Whose successors are started first: what is told here another thread is not told of, and starts may take their time.
        let in_line = lock(&self.ledger).scheduler.has_waiting();
        let mut told = Told { inner: self, found: Found::nothing(), jobs: Vec::new() };
        let few = in_line || self.has_owners.load(Ordering::Relaxed);
        self.reactor.look(&mut told.found, if few { FEW } else { BATCH });
        let (timer, any) = (told.found.timer, !told.found.is_empty());
        if any {
            self.look_at_each(&mut told, in_line, &mut taker);
        }
        // The timer may stand behind others that are ready: the clock is asked, too.
        if timer || self.reactor.is_due(now) {
            self.keep_times(&mut taker);
        }
        self.follow_pokes();
        if !self.is_default {
            self.start_queued();
        }
        timer || any
    }

    /// At all that one look has found.
    fn look_at_each(self: &Arc<Self>, told: &mut Told<'_>, in_line: bool, taker: &mut Option<Taker<'_>>) {
        let seen = clock::now();
        if self.errands.any() {
            // What an errand has to say of a child that has just ended it can say before that is told.
            told.found.prefer(is_errand);
        }
        let slow = if self.has_owners.load(Ordering::Relaxed) { self.leave_slow_ends(&mut told.found) } else { None };
        while let Some(token) = told.found.first() {
            if slow == Some(token) {
                // What the others have to be told they need not wait for, either.
                self.carry_out(std::mem::take(&mut told.jobs));
                self.give_way(taker);
            }
            let mut jobs = self.look_at(token, seen);
            told.found.pop();
            told.jobs.append(&mut jobs);
            // With nobody in line there is nothing to do together, and a slow release would hold up what is told of the others.
            if !told.jobs.is_empty() && (!in_line || told.jobs.len() >= TOGETHER) {
                self.carry_out(std::mem::take(&mut told.jobs));
            }
        }
        if !told.jobs.is_empty() {
            self.carry_out(std::mem::take(&mut told.jobs));
        }
    }

    /// An orphan has ended; an errand is wanted; or a child's pidfd (0), one of its pipes (1, 2), that by which it says something of itself (3, 4) is
    /// readable, or there is room for its input (5); that was seen by then. Answers what follows from its end.
    fn look_at(self: &Arc<Self>, token: Token, seen: i64) -> Vec<Job> {
        if token.0 >= ORPHANS {
            self.reap_orphan(token);
            return Vec::new();
        }
        if is_errand(token) {
            self.look_at_errand(token);
            return Vec::new();
        }
        let (key, place) = (token.0 / PLACES, token.0 % PLACES);
        let found = lock(&self.ledger).watched.get(key).map(|entry| (entry.managed.clone(), entry.child.clone()));
        let Some((managed, child)) = found else { return Vec::new() };
        if place == INPUT {
            if !child.flush_input() {
                self.reactor.set_aside(token);
            }
            self.collect_input(&managed, &child);
        } else if place >= READY {
            // Who says so much does not keep us awake.
            if child.look_at_signs() {
                self.reactor.set_aside(token);
            }
            self.collect_signs(&managed, &child);
        } else if place > 0 {
            // What nobody takes is not read; collecting takes the pipe out of the set then.
            // Lines in small steps: one that is empty costs more as an event than it says.
            let allowance = if child.has_output_lines() { STEP } else { GULP };
            if !managed.is_ahead() && !child.drain(place as usize - 1, allowance) {
                self.reactor.remove(token);
            }
            self.collect_output(&managed, &child);
        } else if let Ok(Some(exit)) = child.reap_ended(seen) {
            // Who is first in line after those is started at the end of the pump.
            return self.note_end(&managed, &child, exit).0;
        } else {
            // A tracer holds it, or another thread is about to take it.
            self.hear_again(token);
        }
        Vec::new()
    }

    /// What a child owned may take its time to be released (a large directory, a descriptor whose close waits). So of these ends one is looked at behind
    /// all others, and the rest is told again, to whoever comes. Answers that one.
    fn leave_slow_ends(&self, found: &mut Found) -> Option<Token> {
        let ledger = lock(&self.ledger);
        let mut slow = None;
        found.retain(|token| {
            let entry = if is_end(token) { ledger.watched.get(token.0 / PLACES) } else { None };
            let Some(entry) = entry.filter(|entry| entry.child.owns() || entry.managed.owns()) else { return true };
            if slow.is_none() {
                slow = Some(token);
                return false;
            }
            !self.reactor.tell_again(token, entry.pidfd())
        });
        slow.into_iter().for_each(|token| found.put_last(token));
        slow
    }

    /// What comes next may take its time: who else is here looks after the others, and takes what there is.
    fn give_way(&self, taker: &mut Option<Taker<'_>>) {
        drop(taker.take());
        self.show(&mut lock(&self.ledger));
    }

    /// An end was told, and nothing could be done about it. (Its child may have no pidfd any more, and its end not be told yet.)
    fn hear_again(&self, token: Token) {
        let pidfd = lock(&self.ledger).watched.get(token.0 / PLACES).map(|entry| entry.pidfd().clone());
        self.reactor.ask_again(token, pidfd);
    }

    /// What was left to be done is the next call's.
    pub(super) fn strand(&self, mut jobs: Vec<Job>) {
        if !jobs.is_empty() {
            lock(&self.ledger).stranded.append(&mut jobs);
            self.is_stranded.store(true, Ordering::Release);
            // Somebody may have to be woken for it.
            let _ = self.reactor.set_due(HOUSEKEEPING, Deadline::at(clock::now()));
        }
    }

    fn take_up_stranded(self: &Arc<Self>) {
        if self.is_stranded.swap(false, Ordering::AcqRel) {
            let jobs = std::mem::take(&mut lock(&self.ledger).stranded);
            self.carry_out(jobs);
        }
    }

    fn look_at_unwatched(&self) {
        let mut unwatched = std::mem::take(&mut lock(&self.ledger).unwatched);
        if unwatched.is_empty() {
            return;
        }
        for _ in 0..unwatched.len() {
            // Split and joined, not popped and pushed: that asks for no memory.
            let rest = unwatched.split_off(1);
            let mut one = std::mem::replace(&mut unwatched, rest);
            let runs = one.front().and_then(|managed| managed.child()).is_some_and(|child| {
                child.tick();
                matches!(child.try_reap(true), Ok(None))
            });
            if runs {
                lock(&self.ledger).unwatched.append(&mut one);
            } else {
                self.busy.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// One by one: what this thread has not come to, another one may.
    pub(super) fn keep_times(self: &Arc<Self>, taker: &mut Option<Taker<'_>>) {
        let now = clock::now();
        while let Some(time) = self.reactor.pop_time(now) {
            let token = match time {
                Time::Due(token) => token,
                Time::Back(token) => {
                    let mut told = Told { inner: self, found: Found::one(token), jobs: Vec::new() };
                    let jobs = self.look_at(token, clock::now());
                    told.found.pop();
                    self.carry_out(jobs);
                    continue;
                }
            };
            match token {
                RESTS => {
                    self.look_at_proofs();
                    let mut ledger = lock(&self.ledger);
                    let mut next = Deadline::after(WITHOUT_MEMORY);
                    // A restart takes memory for longer: it rests on while there is none, rather than count as a failure.
                    if reserve::may_acquire() {
                        self.step(&mut ledger, scheduler::Event::Tick);
                        next = ledger.scheduler.due();
                    }
                    // The next of them: this time was told, so it is no longer set.
                    let _ = self.reactor.set_due(RESTS, next);
                    self.show(&mut ledger);
                }
                LOOK_FOR_ORPHANS => self.look_for_orphans(),
                // They may have been left since this pump began.
                HOUSEKEEPING => self.take_up_stranded(),
                PERMITS => {
                    let mut ledger = lock(&self.ledger);
                    self.step(&mut ledger, scheduler::Event::PermitsFree);
                    self.show(&mut ledger);
                }
                token if is_errand(token) => self.look_at_errand(token),
                Token(word) => {
                    let found = lock(&self.ledger).watched.get(word / PLACES).map(|entry| (entry.managed.clone(), entry.child.clone()));
                    // One that has ended by itself is not to be blamed on its deadline: it may stand behind others that are ready.
                    match found {
                        Some((managed, child)) if let Some(exit) = self.reap_in_time(&managed, &child, taker) => {
                            _ = self.finish(&managed, &child, exit)
                        }
                        Some((managed, child)) => {
                            child.tick();
                            self.reschedule(&managed);
                            self.collect_signs(&managed, &child);
                            self.collect_stops(&managed, &child);
                            if child.tells_pieces() {
                                self.collect_output(&managed, &child);
                            }
                            if child.is_fed() {
                                child.flush_input();
                                self.collect_input(&managed, &child);
                            }
                            self.let_flow(&mut lock(&self.ledger), &managed);
                        }
                        None => {}
                    }
                }
            }
        }
        leftovers::retry();
        self.keep_house();
    }

    /// The end of one whose time has come, if it has ended by itself.
    fn reap_in_time(&self, managed: &Managed, child: &Child, taker: &mut Option<Taker<'_>>) -> Option<Exit> {
        if child.owns() || managed.owns() {
            self.give_way(taker);
        }
        child.try_reap(false).ok().flatten()
    }

    /// A handler of the host's ends it as its time does: after a last look.
    pub(super) fn next_event(self: &Arc<Self>, deadline: Deadline) -> Result<Option<Event>> {
        let patience = Patience::or_handler(deadline);
        let mut looks = None;
        loop {
            self.check()?;
            let now = clock::now();
            if now < self.next_look.load(Ordering::Relaxed)
                && let Some(event) = self.pop()?
            {
                return Ok(Some(event));
            }
            // What comes out of this pump is taken right after it, as a rule: the wake-up is not raised just to be lowered again.
            let found = {
                let taker = Taker::begin(self);
                self.pump_some(now, Some(taker))
            };
            if let Some(event) = self.pop()? {
                return Ok(Some(event));
            }
            if found {
                // Each entry once, about; longer only if the caller has the time.
                let left = looks.get_or_insert_with(|| self.reactor.looks());
                *left = usize::saturating_sub(*left, 1);
                if *left == 0 && patience.is_over() {
                    self.reactor.nudge();
                    return Ok(None);
                }
            } else if patience.is_over() {
                return Ok(None);
            } else {
                self.reactor.wait_with(&patience).map_err(|fault| fault.error("cannot wait for events"))?;
            }
        }
    }

    fn pop(&self) -> Result<Option<Event>> {
        let mut ledger = lock(&self.ledger);
        let event = ledger.events.pop();
        if let Ok(Some(event)) = &event
            && event.line().is_some()
            && let Some(managed) = &event.child
        {
            if !managed.has_entries() {
                ledger.push_lost(managed);
            }
            self.let_flow(&mut ledger, managed);
        }
        self.show(&mut ledger);
        event
    }
}
