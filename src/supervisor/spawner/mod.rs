//! Children that are made by a spawner: a tiny process beside the host, which executes programs as the host's own children, so that the host never
//! waits for an exec and shares no memory with a child.
//!
//! One spawner for each supervisor that wants one: whoever looks after the supervisor reads its answers, and its end is this supervisor's alone. The
//! scheduler knows such a child as one whose start takes its time (`Begun`); so a stop, a shutdown and a close find it as they find others.
//!
//! | file           | what                                                  |
//! |----------------|-------------------------------------------------------|
//! | `births.rs`    | who is asked for, and what follows: pure              |
//! | `line.rs`      | the same on real processes: the errand that drives it |
//! | `process.rs`   | the spawner's own process                             |
//! | `dying.rs`     | those that have begun, and that nobody wants          |
//! | `unsettled.rs` | those whose spawner has ended before they have begun  |
//!
//! What is never made by it: a daemon that is started once (its lock is released by the child itself, and its starter waits anyway), the processes of
//! preloaders, and children of the default supervisor.

mod births;
mod dying;
#[cfg(test)]
mod explorer;
mod line;
mod process;
mod unsettled;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) use self::line::Line;
use super::Managed;
use super::errors::called_off;
use super::inner::Inner;
use super::scheduler::{Event, Id, Stage};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Result, Status};
use crate::lock::lock;
use crate::process::awaited::Awaited;
use crate::process::belongings::Belongings;
use crate::process::child::Child;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn;
use crate::process::stop::LAST_WAIT_MS;

/// A supervisor's spawners: the one that is asked, and those that were turned off and have births to finish.
#[derive(Debug, Default)]
pub(super) struct Spawners {
    current: Option<Arc<Line>>,
    retiring: Vec<Arc<Line>>,
}

impl Inner {
    /// Who makes the processes, if that is not this process itself.
    pub(super) fn spawner(&self) -> Option<Arc<Line>> {
        if !self.has_spawner.load(Ordering::Acquire) {
            return None;
        }
        lock(&self.spawners).current.clone()
    }

    /// Whether processes are made by a spawner from now on. Starts it; turned on again, one that has failed is replaced.
    pub(super) fn set_spawner(self: &Arc<Self>, on: bool) -> Result<()> {
        self.check()?;
        let before = {
            let mut spawners = lock(&self.spawners);
            if on && spawners.current.as_ref().is_some_and(|line| !line.has_failed()) {
                return Ok(());
            }
            spawners.current.take()
        };
        self.has_spawner.store(false, Ordering::Release);
        if let Some(line) = before {
            lock(&self.spawners).retiring.push(line.clone());
            line.retire();
        }
        if !on {
            return Ok(());
        }
        let line = Line::start(self)?;
        let beside = lock(&self.spawners).current.replace(line);
        self.has_spawner.store(true, Ordering::Release);
        // Another thread has turned it on at the same time.
        if let Some(line) = beside {
            lock(&self.spawners).retiring.push(line.clone());
            line.retire();
        }
        // Closed meanwhile: who has closed it did not see this one.
        if self.check().is_err() {
            self.close_spawners(Deadline::after(LAST_WAIT_MS * MILLI));
        }
        self.check()
    }

    /// The end of all spawners.
    pub(super) fn close_spawners(&self, deadline: Deadline) {
        let Spawners { current, retiring } = std::mem::take(&mut *lock(&self.spawners));
        self.has_spawner.store(false, Ordering::Release);
        current.into_iter().chain(retiring).for_each(|line| line.close(deadline));
    }

    /// A child that has a slot: its process is asked for.
    pub(super) fn spawn_asked(
        self: &Arc<Self>,
        line: &Arc<Line>,
        id: Id,
        command: &Arc<Command>,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
        now: i64,
    ) -> Result<Arc<Managed>> {
        let comes_back = command.get_restart().when != RestartWhen::Never;
        let command = if comes_back {
            spawn::check_lent(command)?;
            Command::held(command)?
        } else {
            command.with_this_mask()
        };
        let belongings = Belongings::take(&command)?;
        let (own, kept) = if comes_back { (Belongings::default(), Some(belongings)) } else { (belongings, None) };
        let awaited = match Awaited::gather(command.clone(), own, comes_back, now) {
            Ok(awaited) => awaited,
            Err(error) => {
                kept.into_iter().for_each(Belongings::give_back);
                return Err(error);
            }
        };
        let managed = Arc::new(Managed::asked(self.clone(), id, command, kept));
        managed.set_token(register(&managed));
        self.enroll(&mut lock(&self.ledger), &managed);
        if let Err(error) = line.ask(&managed, awaited, now) {
            managed.give_back();
            return Err(error);
        }
        managed.bind();
        let jobs = {
            let mut ledger = lock(&self.ledger);
            let jobs = self.step_at(&mut ledger, Event::Begun(id), now);
            self.show(&mut ledger);
            jobs
        };
        self.carry_out(jobs);
        Ok(managed)
    }

    /// What became of a birth; anything but a child that waits for it is too late: then `doom` has its process.
    pub(super) fn conclude_birth(self: &Arc<Self>, managed: &Arc<Managed>, made: Result<Child>, doom: impl FnOnce(Arc<Child>)) {
        if !self.home.is_here() {
            return;
        }
        let waits = |stage| matches!(stage, Some(Stage::Starting | Stage::Begun));
        managed.clear_birth(managed.birth());
        let (error, process) = match made {
            Err(error) => (error, None),
            Ok(child) => {
                let child = Arc::new(child);
                let in_time = waits(lock(&self.ledger).scheduler.stage(managed.id()));
                let attached = if in_time { self.attach(managed, &child, false) } else { Err(called_off(Status::Cancelled)) };
                match attached {
                    Ok(jobs) => return self.carry_out(jobs),
                    Err(error) => (error, Some(child)),
                }
            }
        };
        if let Some(child) = process {
            doom(child);
        }
        let jobs = {
            let mut ledger = lock(&self.ledger);
            if !waits(ledger.scheduler.stage(managed.id())) {
                return;
            }
            self.fail_start(&mut ledger, managed, &error)
        };
        self.carry_out(jobs);
        // It has left its slot.
        self.start_queued();
    }
}

impl Managed {
    /// Its turn has come: asks the spawner for its process.
    pub(super) fn ask(self: &Arc<Self>, line: &Line) -> Result<()> {
        let (command, belongings) = self.take_recipe()?;
        let now = clock::now();
        line.ask(self, Awaited::gather(command, belongings, true, now)?, now)
    }

    /// Whoever would have made its process hears that there is no need.
    pub(super) fn call_off_birth(&self) {
        let id = self.birth();
        if id != 0 {
            let spawners = lock(&self.supervisor().spawners);
            let lines: Vec<Arc<Line>> = spawners.current.iter().chain(&spawners.retiring).cloned().collect();
            drop(spawners);
            lines.iter().for_each(|line| line.call_off(id));
        }
    }
}
