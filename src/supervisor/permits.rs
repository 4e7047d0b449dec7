//! The permits that a supervisor has of spawn budgets. Which is asked for, landed or over the scheduler says (`flights.rs`); here it is done.
//!
//! Traps.
//! - A permit that is out is **kept**: from its begin on no lease ends it, for a child that needs minutes to become ready must not be started a second time beside
//!   itself. So it must be finished on every path: whoever drops one finishes it, whatever happened.
//! - The budget tells of permits that may be had **from anywhere**, also while that thread holds another supervisor's ledger, or this one's. So what hears
//!   it takes no lock but the reactor's: it makes a time due, which wakes whoever drives this supervisor.
//! - **Refused, and freed before we wait**: that somebody waits is noted before the budget is asked.

use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::Inner;
use super::inner::{Ledger, PERMITS};
use super::scheduler::{Answer, Event, Number, Terms};
use crate::clock::{self, Deadline, MILLI};
use crate::coordination::budget::{Budget, COMMAND_HEALTHY_MS, Landed, Listener, Permit, Refusal};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::command::{Budgeted, Command};
use crate::sys::reserve::out_of_memory;

/// When a budget is asked again that could not answer.
const ASK_AGAIN: i64 = 100 * MILLI;

/// A permit, from its begin to its finish.
#[derive(Debug)]
pub(super) struct Held {
    of: Arc<Budgeted>,
    state: State,
}

#[derive(Debug)]
enum State {
    InFlight(Permit),
    Landed(Landed),
    Over,
}

impl Held {
    fn new(of: Arc<Budgeted>, permit: Permit) -> Self {
        Self { of, state: State::InFlight(permit) }
    }

    fn land(&mut self) {
        if let State::InFlight(permit) = self.state {
            self.state = self.of.budget.land(permit).map_or(State::Over, State::Landed);
        }
    }

    fn resume(&mut self) -> core::result::Result<(), Refusal> {
        let permit = match self.state {
            State::InFlight(_) => return Ok(()),
            State::Landed(landed) => self.of.budget.resume(&self.of.key, landed)?,
            State::Over => self.of.budget.begin_kept(&self.of.key, true)?,
        };
        // In its place: dropped, what had landed would be settled, and another's with it that has landed beside it.
        self.state = State::InFlight(permit);
        Ok(())
    }

    /// A permit that a reset has ended is nobody's any more: stale is no failure.
    fn finish(&mut self, succeeded: bool) {
        let _ = match std::mem::replace(&mut self.state, State::Over) {
            // How long it has been up was seen to here.
            State::InFlight(permit) if succeeded => self.of.budget.succeed(permit, 0),
            State::InFlight(permit) => self.of.budget.finish(permit, false),
            State::Landed(landed) => self.of.budget.settle(&self.of.key, landed, succeeded),
            State::Over => Ok(()),
        };
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.finish(false);
    }
}

impl Listener for Inner {
    fn permit_may_be_had(&self) {
        if self.barred.load(Ordering::SeqCst) != 0 && self.home.is_here() {
            // The timer was made before anybody could wait.
            let _ = self.reactor.set_due(PERMITS, Deadline::at(clock::now()));
        }
    }
}

/// A replica set whose children are being admitted, until it is dropped.
pub(super) struct OpenSet<'a> {
    inner: &'a Inner,
    pub(super) number: u64,
}

impl Drop for OpenSet<'_> {
    fn drop(&mut self) {
        let mut ledger = lock(&self.inner.ledger);
        // It starts nobody by itself.
        drop(self.inner.step(&mut ledger, Event::SetIsWhole(self.number)));
        self.inner.show(&mut ledger);
    }
}

impl Inner {
    pub(super) fn open_set(&self) -> OpenSet<'_> {
        let number = lock(&self.ledger).scheduler.open_set();
        OpenSet { inner: self, number }
    }

    /// How a command is bound, for the scheduler. Whoever waits for a permit of its budget will be heard.
    pub(super) fn terms(&self, ledger: &mut Ledger, command: &Command, set: Option<u64>) -> Result<Option<Terms>> {
        let Some(budgeted) = command.get_budget() else { return Ok(None) };
        self.hear(ledger, &budgeted.budget)?;
        let usual = || budgeted.budget.healthy_ns().unwrap_or(COMMAND_HEALTHY_MS * MILLI);
        let healthy_ns = command.get_healthy_ms().map_or_else(usual, |ms| ms.saturating_mul(MILLI));
        // Two keys with one number would wait for each other now and then, and nothing else.
        let key = self.secret.hash_one((Arc::as_ptr(&budgeted.budget).addr(), &budgeted.key));
        Ok(Some(Terms { key, waits: command.waits_for_budget(), healthy_ns, ready_at_exec: command.is_ready_at_exec(), set }))
    }

    fn hear(&self, ledger: &mut Ledger, budget: &Arc<Budget>) -> Result<()> {
        let known = |heard: &Weak<Budget>| std::ptr::eq(heard.as_ptr(), Arc::as_ptr(budget));
        if ledger.heard.iter().any(known) {
            return Ok(());
        }
        ledger.heard.retain(|heard| heard.strong_count() > 0);
        ledger.heard.try_reserve(1).map_err(out_of_memory)?;
        budget.subscribe(self.me.clone())?;
        ledger.heard.push(Arc::downgrade(budget));
        Ok(())
    }

    /// Asks a budget for a permit, on behalf of one who can wait; or for one who cannot, with the refusal for his caller.
    pub(super) fn ask(
        &self,
        ledger: &mut Ledger,
        of: &Arc<Budgeted>,
        (flight, resumed): (Number, bool),
        patient: bool,
    ) -> (Answer, Option<Error>) {
        self.barred.store(usize::MAX, Ordering::SeqCst);
        let asked = match ledger.permits.get_mut(&flight).filter(|_| resumed) {
            Some(held) => held.resume(),
            None => {
                let begun = of.budget.begin_kept(&of.key, patient);
                begun.map(|permit| drop(ledger.permits.insert(flight, Held::new(of.clone(), permit))))
            }
        };
        let Err(refusal) = asked else { return (Answer::Granted, None) };
        let answer = match &refusal {
            Refusal::InProgress { retry_after_ns } => Answer::InFlight(retry_after_ns.unwrap_or(i64::MAX)),
            Refusal::Exhausted { retry_after_ns, storm } => Answer::Exhausted { retry_ns: *retry_after_ns, storm: *storm },
            Refusal::Failed(_) => Answer::InFlight(ASK_AGAIN),
        };
        (answer, (!patient).then(|| refusal.into_error(&of.key)))
    }

    /// How many wait is known without the lock.
    pub(super) fn note_barred(&self, ledger: &Ledger) {
        let count = ledger.scheduler.barred();
        if self.barred.load(Ordering::Relaxed) != count {
            self.barred.store(count, Ordering::SeqCst);
        }
    }

    pub(super) fn land(&self, ledger: &mut Ledger, flight: Number) {
        if let Some(held) = ledger.permits.get_mut(&flight) {
            held.land();
        }
    }

    pub(super) fn finish_permit(&self, ledger: &mut Ledger, flight: Number, succeeded: bool) {
        if let Some(mut held) = ledger.permits.remove(&flight) {
            held.finish(succeeded);
        }
    }

    /// Who is about to have proved himself may have ended meanwhile, if we were not asked for a while.
    pub(super) fn look_at_proofs(self: &Arc<Self>) {
        let found = {
            let ledger = lock(&self.ledger);
            let mut found = Vec::new();
            for id in ledger.scheduler.proofs_due(clock::now()) {
                if let Some(member) = ledger.members.get(id)
                    && let Some(child) = member.managed.child()
                    && found.try_reserve(1).is_ok()
                {
                    found.push((member.managed.clone(), child));
                }
            }
            found
        };
        for (managed, child) in found {
            if let Ok(Some(exit)) = child.try_reap(false) {
                self.finish(&managed, &child, exit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_resumed_settles_nothing_that_has_landed_beside_it() {
        let budget = Arc::new(Budget::new(2, 0).unwrap());
        let of = Arc::new(Budgeted { budget: budget.clone(), key: b"k"[..].into() });
        let mut landed = [(); 2].map(|()| {
            let mut held = Held::new(of.clone(), budget.begin_kept(b"k", true).unwrap());
            held.land();
            held
        });
        let [set, other] = &mut landed;
        assert!(set.resume().is_ok());
        set.finish(false);
        // Its outcome is open still: to who can wait that is no refusal for good, and its success counts.
        assert!(matches!(budget.begin_kept(b"k", true), Err(Refusal::InProgress { .. })));
        other.finish(true);
        assert_eq!(budget.view(b"k").unwrap().attempts_used, 0);
    }
}
