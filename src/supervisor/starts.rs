//! How a child gets its process: admitted at once, or in line until its turn comes. The scheduler decides; the lock is not held over
//! a spawn, so what it says afterwards counts (`Destroy`: everything is over by now).

use std::sync::Arc;

use super::Managed;
use super::carry_out::Job;
use super::errors::shut_down;
use super::inner::{HOUSEKEEPING, Inner, Ledger};
use super::scheduler::{Action, Event, Id};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::child::Child;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn;
use crate::process::stop::LAST_WAIT_MS;
use crate::registry::Cause;
use crate::sys::reserve::out_of_memory;

/// How many of those in line are started one after the other.
const STARTS: usize = 16;

/// What an asker was answered.
pub(super) enum Admission {
    /// It has a slot.
    Now(Id),
    /// It has a place in line.
    Later(Id),
}

impl Inner {
    /// Starts a command and watches it, or puts it in line.
    ///
    /// `register` is told of the child before any event of it can be taken, and gives the word that events carry.
    pub(super) fn spawn(
        self: &Arc<Self>,
        command: &Arc<Command>,
        set: Option<u64>,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Arc<Managed>> {
        self.check()?;
        self.check_events(command)?;
        if self.is_default {
            return self.spawn_unlisted(command, register);
        }
        if command.get_restart().when != RestartWhen::Never || command.get_budget().is_some() {
            // Its timer must be to be had when it is needed.
            let made = self.reactor.prepare_timer();
            made.map_err(|fault| fault.error("cannot keep a deadline"))?;
        }
        let now = clock::now();
        match self.admit(command, set, false, now)? {
            Admission::Later(id) => self.enqueue(id, command, register),
            Admission::Now(id) => {
                let made = match self.spawner().filter(|_| !command.is_made_here()) {
                    None => self.spawn_now(id, command, register),
                    Some(line) => self.spawn_asked(&line, id, command, register, now),
                };
                if made.is_err() {
                    let mut ledger = lock(&self.ledger);
                    self.step(&mut ledger, Event::Dropped(id));
                    self.show(&mut ledger);
                    drop(ledger);
                    self.start_queued();
                }
                made
            }
        }
    }

    /// Some children need a supervisor that has events.
    pub(super) fn check_events(&self, command: &Command) -> Result<()> {
        let needs = [
            (command.get_restart().when != RestartWhen::Never, "restart"),
            // A permit is finished by whoever is told of the end.
            (command.get_budget().is_some(), "budget"),
            (command.has_output_lines(), "output_lines"),
            (command.watches_stops(), "watch_stops"),
        ];
        match needs.into_iter().find(|(needs, _)| self.is_default && *needs) {
            None => Ok(()),
            Some((_, step)) => Err(Error::invalid(step, format!("{step}: the child needs a supervisor that has events, not NULL"))),
        }
    }

    /// `begun`: its start may take its time.
    pub(super) fn admit(&self, command: &Command, set: Option<u64>, begun: bool, now: i64) -> Result<Admission> {
        let restart = Some(command.get_restart()).filter(|restart| restart.when != RestartWhen::Never);
        let mut ledger = lock(&self.ledger);
        ledger.make_room().map_err(out_of_memory)?;
        let terms = self.terms(&mut ledger, command, set)?;
        let priority = command.get_priority();
        let event = if begun { Event::Begin(terms, priority) } else { Event::Admit(restart, terms, priority) };
        let mut actions = std::mem::take(&mut ledger.actions);
        ledger.scheduler.step(event, now, &mut actions);
        if let ([Action::Ask(id, flight, resumed)], Some(budgeted)) = (&actions[..], command.get_budget()) {
            let (answer, refusal) = self.ask(&mut ledger, budgeted, (*flight, *resumed), false);
            let event = Event::Permit(*id, answer);
            actions.clear();
            ledger.scheduler.step(event, clock::now(), &mut actions);
            self.note_barred(&ledger);
            if let Some(refusal) = refusal {
                actions.clear();
                ledger.actions = actions;
                return Err(refusal);
            }
        }
        let first = actions.first().copied();
        // The room in it is promised to a shutdown.
        actions.clear();
        ledger.actions = actions;
        match first {
            Some(Action::Admitted(id)) => Ok(Admission::Now(id)),
            Some(Action::Promised(id)) => Ok(Admission::Later(id)),
            Some(Action::Refused(Status::Limit)) => {
                let (_, active, _) = ledger.scheduler.counts();
                let message = format!("{active} children run and {} wait: there is no place in line", ledger.scheduler.in_line());
                Err(Error::new(Status::Limit, "queue", message))
            }
            _ => Err(shut_down()),
        }
    }

    /// A child of the default supervisor: no slot, no event, and watched only if somebody must look after it.
    fn spawn_unlisted(self: &Arc<Self>, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let child = Arc::new(spawn::spawn(command, Belongings::take(command)?)?);
        let managed = Arc::new(Managed::running(self.clone(), command, child.clone()));
        managed.set_token(register(&managed));
        if child.needs_driving()
            && let Err(error) = self.attach_running(&managed)
        {
            undo(&child);
            return Err(error);
        }
        Ok(managed)
    }

    /// The same for who waits for it from its birth to its end, and so looks after it himself.
    pub(super) fn spawn_awaited(self: &Arc<Self>, command: &Command) -> Result<Arc<Managed>> {
        self.check()?;
        self.check_events(command)?;
        let child = spawn::spawn(command, Belongings::take(command)?)?;
        Ok(Arc::new(Managed::running(self.clone(), command, Arc::new(child))))
    }

    fn spawn_now(self: &Arc<Self>, id: Id, command: &Arc<Command>, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let belongings = Belongings::take(command)?;
        let (child, again) = if command.get_restart().when == RestartWhen::Never {
            (spawn::spawn(command, belongings)?, None)
        } else {
            // What it owns stays with the handle while processes come and go.
            let made = Command::held(command).and_then(|held| Ok((spawn::spawn(&held, Belongings::default())?, held)));
            match made {
                Ok((child, held)) => (child, Some((held, belongings))),
                Err(error) => {
                    belongings.give_back();
                    return Err(error);
                }
            }
        };
        let child = Arc::new(child);
        let managed = Arc::new(Managed::starting(self.clone(), id, command, again));
        managed.set_token(register(&managed));
        match self.attach(&managed, &child, true) {
            Ok(jobs) => self.carry_out(jobs),
            Err(error) => {
                undo(&child);
                managed.give_back();
                return Err(error);
            }
        }
        Ok(managed)
    }

    fn enqueue(self: &Arc<Self>, id: Id, command: &Arc<Command>, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let prepared =
            spawn::check_lent(command).and_then(|()| Command::held(command)).and_then(|held| Ok((held, Belongings::take(command)?)));
        let joined = prepared.map(|(held, belongings)| {
            let managed = Arc::new(Managed::waiting(self.clone(), id, held, belongings));
            managed.set_token(register(&managed));
            managed
        });
        {
            let mut ledger = lock(&self.ledger);
            match &joined {
                Ok(managed) => {
                    self.step(&mut ledger, Event::Joined(id));
                    if ledger.scheduler.stage(id).is_none() {
                        drop(ledger);
                        managed.give_back();
                        return Err(shut_down());
                    }
                    // From here on it owns what it was given, whether or not it is ever started.
                    managed.bind();
                    self.enroll(&mut ledger, managed);
                }
                Err(_) => drop(self.step(&mut ledger, Event::Dropped(id))),
            }
            self.show(&mut ledger);
        }
        // A slot may have become free since we looked.
        self.start_queued();
        joined
    }

    /// Starts some of those in line that there is room for. What is left is a time that is due: whoever does or watches the work comes by again,
    /// and between two portions there are events to be had, deadlines kept, and looks answered.
    pub(super) fn start_queued(self: &Arc<Self>) {
        for started in 0.. {
            let jobs = {
                let mut ledger = lock(&self.ledger);
                if !ledger.scheduler.can_start() {
                    return;
                }
                // Without a timer there is nobody to be called again.
                if started >= STARTS && self.reactor.set_due(HOUSEKEEPING, Deadline::at(clock::now())).is_ok() {
                    return;
                }
                let jobs = self.step(&mut ledger, Event::Pull);
                self.show(&mut ledger);
                jobs
            };
            self.carry_out(jobs);
        }
    }

    /// Takes a new process into the ledger (and with `new` its child), and only then shows it to those who wait for it: who saw it earlier could reap it
    /// before anybody counts on its end.
    pub(super) fn attach(&self, managed: &Arc<Managed>, child: &Arc<Child>, new: bool) -> Result<Vec<Job>> {
        // Nobody else has it: it cannot have been reaped.
        let Some(pidfd) = child.pidfd() else { return Err(Error::new(Status::Internal, "attach", "a new child without a pidfd")) };
        let due = child.due();
        let mut ledger = lock(&self.ledger);
        if new {
            self.enroll(&mut ledger, managed);
        }
        self.watch_process(&mut ledger, managed, child.clone(), &pidfd, due)?;
        // A child is either seen by `close` and `shut_down` or refused here.
        let (runs, mut jobs) = self.show_process(&mut ledger, managed.id(), child.clone());
        if !runs {
            self.unwatch(&mut ledger, managed.key());
            return Err(shut_down());
        }
        if child.has_signs() {
            // One whose exec is all that was asked is ready right behind its start.
            jobs.extend(self.tell_signs(&mut ledger, managed, child));
        }
        self.show(&mut ledger);
        drop(ledger);
        if managed.is_let_go() {
            child.close_streams();
        }
        Ok(jobs)
    }

    /// What follows the making of one from the line.
    pub(super) fn conclude_start(&self, managed: &Arc<Managed>, made: Result<Arc<Child>>) -> Vec<Job> {
        let failed = match made {
            Ok(child) => match self.attach(managed, &child, false) {
                Ok(jobs) => return jobs,
                Err(error) => {
                    undo(&child);
                    error
                }
            },
            Err(error) => error,
        };
        self.fail_start(&mut lock(&self.ledger), managed, &failed)
    }

    /// It has no process, for this reason.
    pub(super) fn fail_start(&self, ledger: &mut Ledger, managed: &Managed, failed: &Error) -> Vec<Job> {
        self.note_failure(ledger, managed.id(), failed.status);
        let mut jobs = self.step(ledger, Event::StartFailed(managed.id(), failed.status, managed.chance()));
        for job in &mut jobs {
            if let Job::Release(_, _, error) = job {
                *error = Some(Box::new(failed.clone()));
            }
        }
        jobs
    }

    /// Changes the limits; `None` leaves one as it is. What can start now is started by the next call that does work.
    pub(super) fn set_limits(&self, running: Option<usize>, pending: Option<usize>) -> Result<()> {
        self.check()?;
        let mut ledger = lock(&self.ledger);
        self.step(&mut ledger, Event::Limit(running, pending));
        if ledger.scheduler.can_start() {
            for id in ledger.scheduler.line() {
                if let Some(member) = ledger.members.get(id) {
                    member.managed.wake_waiters();
                }
            }
        }
        self.show(&mut ledger);
        Ok(())
    }

    /// Children that wait for a start, that run, and that are being stopped.
    pub(super) fn counts(&self) -> Result<(usize, usize, usize)> {
        self.check()?;
        let (waiting, active, stopping) = lock(&self.ledger).scheduler.counts();
        Ok((waiting, active - stopping, stopping))
    }
}

/// A child whose start fails although its program has begun, for it cannot be watched or is not wanted any more: nobody has had it. So what it was
/// given is its command's again, as after any start that fails (unless it was to be the child's in any case: `Belongings::bind`), and not before the
/// process that uses it is gone.
pub(super) fn undo(child: &Child) {
    let _owned = spawn::take_back(child);
    destroy(child);
}

/// A child that cannot be watched must not run. A killed child is reaped at once, and what it was given goes with it.
pub(super) fn destroy(child: &Child) {
    child.discard_output();
    child.kill(Cause::Shutdown);
    let _ = child.wait(Deadline::after(LAST_WAIT_MS * clock::MILLI), false, || None, || {});
}
