//! What is common to all ways: the reactor, those who are on their way out, the listeners, the events and the orders.
//!
//! The trap is what a stranger's program can make grow: events are told to an application that may not take them. So of those that nobody has taken
//! the oldest PROGRESS goes first, and at most [`EVENTS`] are kept.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::events::{EventKind, Happened};
use super::listeners::Listeners;
use super::metrics::Metrics;
use super::order::{Order, Purpose};
use super::process::Process;
use super::settings::Settings;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::handoff::outcome::Kept;
use crate::process::child::Child;
use crate::process::command::Command;
use crate::sys::Fault;
use crate::sys::custody::Custody;
use crate::sys::reactor::{Reactor, Shape, Token};

/// Until what is not to be had now (descriptors, room) is asked for again.
pub const RETRY: i64 = 100 * MILLI;
/// How many events nobody has taken.
const EVENTS: usize = 256;
/// Below: numbers that ways may use as they like.
const FIRST_NUMBER: u64 = 64;

/// A process that is ended if it does not own, which is looked at once it stands still.
pub struct Doubtful {
    pub process: Process,
    pub may_own: Box<dyn Fn() -> bool + Send>,
}

impl core::fmt::Debug for Doubtful {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.process)
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct Core {
    pub custody: Custody,
    pub reactor: Arc<Reactor>,
    pub settings: Settings,
    pub listeners: Listeners,
    pub metrics: Metrics,
    events: VecDeque<Happened>,
    leaving: Vec<(Token, Process)>,
    orders: VecDeque<Order>,
    ordered: Option<u64>,
    numbers: u64,
    /// What came of the last handoffs.
    pub outcomes: Kept,
    /// Successors under way when the handle is freed.
    pub doubtful: Vec<Doubtful>,
    /// Closed once the lock of the handle was given back.
    pub rubbish: Vec<Arc<OwnedFd>>,
}

impl Core {
    pub fn new(settings: Settings) -> Result<Self> {
        let failed = |fault: Fault| fault.error("cannot make a supervisor of a handoff");
        let custody = Custody::new();
        let reactor = Reactor::kept(Shape::Flat, custody).map_err(failed)?;
        reactor.wake_up().map_err(failed)?;
        reactor.prepare_timer().map_err(failed)?;
        Ok(Self {
            custody,
            reactor: Arc::new(reactor),
            settings,
            listeners: Listeners::new(custody),
            metrics: Metrics::default(),
            events: VecDeque::new(),
            leaving: Vec::new(),
            orders: VecDeque::new(),
            ordered: None,
            numbers: FIRST_NUMBER,
            outcomes: Kept::default(),
            doubtful: Vec::new(),
            rubbish: Vec::new(),
        })
    }

    /// A token, or number, that nobody has.
    pub fn number(&mut self) -> Token {
        self.numbers += 1;
        Token(self.numbers)
    }

    /// Keeps a process's entry, and its time: soon, where it cannot be watched now.
    pub fn watch(&self, token: Token, process: &Process) {
        let watched = self.reactor.put(token, process.pidfd(), false).is_ok();
        self.set_due(token, process.due(), watched);
    }

    /// When to look at it: soon, unless all that is to tell of it is `watched`.
    pub fn set_due(&self, token: Token, due: Deadline, watched: bool) {
        // Not put off again by each look.
        let again = if watched { Deadline::NEVER } else { Deadline::after(RETRY).min(self.reactor.due(token)) };
        let _ = self.reactor.set_due(token, due.min(again));
    }

    // ---- orders ----

    /// Has a process started that gets the listeners and outlives this one. Answers by which number it comes back as born.
    pub fn order(&mut self, purpose: Purpose, command: &Command) -> Result<u64> {
        let mut command = command.clone();
        let keeps = self.listeners.give(&mut command)?;
        command.outlive_host();
        Ok(self.order_as_it_is(purpose, command, keeps))
    }

    /// The same for a command that was prepared by its way; `keeps`: what it names by number.
    pub fn order_as_it_is(&mut self, purpose: Purpose, command: Command, keeps: Vec<Arc<OwnedFd>>) -> u64 {
        let number = self.number().0;
        self.ordered = Some(number);
        self.orders.push_back(Order { purpose, number, command, keeps });
        number
    }

    /// The next one that is to be carried out.
    pub fn take_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// What was ordered since this was asked last, for who asks: nobody else is to carry it out.
    pub fn newly_ordered(&mut self) -> Option<Order> {
        let number = self.ordered.take()?;
        let at = self.orders.iter().position(|order| order.number == number)?;
        self.orders.remove(at)
    }

    pub fn has_orders(&self) -> bool {
        !self.orders.is_empty()
    }

    // ---- who leaves ----

    /// Sees to the end of a process that nobody else looks at any more: it is reaped if it is ours, and ended if that has begun.
    pub fn end(&mut self, process: Process) {
        let token = self.number();
        self.leaving.push((token, process));
        self.look_at_leaving(token);
    }

    /// The same for one that was ordered, and that nobody waits for any more.
    pub fn discard(&mut self, child: Result<Child>) {
        if let Some(mut process) = child.ok().and_then(Process::spawned) {
            process.kill();
            self.end(process);
        }
    }

    /// One of them has ended, or its time has come. `false`: it is none of them.
    pub fn look_at_leaving(&mut self, token: Token) -> bool {
        let Some(at) = self.leaving.iter().position(|(known, _)| *known == token) else { return false };
        let process = &mut self.leaving[at].1;
        let mine = process.is_mine();
        if process.tick().is_some() || !mine {
            self.reactor.forget(token);
            self.leaving.swap_remove(at);
            return true;
        }
        let (due, dead) = (process.due(), process.is_dead());
        let watched = self.reactor.has(token) || self.reactor.add(token, process.pidfd()).is_ok();
        // A dead one that cannot be reaped (a tracer holds it) stays readable.
        if dead {
            self.reactor.set_aside_for(token, RETRY);
        }
        self.set_due(token, due, watched);
        true
    }

    /// Those who are being ended are somebody else's from here on.
    pub fn take_leaving(&mut self) -> Vec<Process> {
        let leaving = std::mem::take(&mut self.leaving);
        leaving.iter().for_each(|(token, _)| self.reactor.forget(*token));
        leaving.into_iter().map(|(_, process)| process).filter(Process::is_ending).collect()
    }

    // ---- events ----

    /// Tells the application.
    pub fn tell(&mut self, happened: Happened) {
        self.metrics.count(&happened);
        if self.events.len() >= EVENTS {
            let at = self.events.iter().position(|told| told.kind == EventKind::Progress).unwrap_or(0);
            self.events.remove(at);
        }
        self.events.push_back(happened);
    }

    pub fn take_event(&mut self) -> Option<Happened> {
        self.events.pop_front()
    }

    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// What the descriptor shows must fit what there is to take.
    pub fn rest(&mut self) {
        self.reactor.set_raised(!self.events.is_empty() || !self.orders.is_empty());
    }
}

/// Nothing runs that could be asked for that.
pub fn no_generation() -> Error {
    Error::new(Status::State, "handoff_supervisor", "no generation runs that this supervisor knows of")
}
