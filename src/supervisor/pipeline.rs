//! Programs that read from each other: all of them get a process, or none.
//!
//! Traps. **Half of a pipeline in line would wait for ever** for a half that runs and holds its slots. So all slots are taken at one stroke, or none is; a
//! pipeline never stands in line. **Who hears of one hears of all**: their processes are taken into the ledger under one lock, when all of them have
//! begun, so that a failure is told to nobody but its caller. A spawner answers one by one, when its caller has gone on: it is not asked here.

use std::sync::Arc;

use super::Managed;
use super::errors::shut_down;
use super::inner::{Inner, Job, Ledger};
use super::scheduler::{Action, Event, Id};
use crate::clock;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::child::Child;
use crate::process::command::Command;
use crate::process::{pipeline, spawn};
use crate::sys::reserve;

/// A program of it, with its process.
type Part = (Arc<Managed>, Arc<Child>);

impl Inner {
    /// See [`super::Supervisor::spawn_pipeline`].
    pub(super) fn spawn_pipeline(
        self: &Arc<Self>,
        commands: &[Arc<Command>],
        register: &mut dyn FnMut(&Arc<Managed>) -> Result<u64>,
    ) -> Result<Vec<Arc<Managed>>> {
        self.check()?;
        pipeline::check(commands)?;
        for (index, command) in commands.iter().enumerate() {
            self.check_events(command).map_err(|error| pipeline::at(index, error))?;
        }
        let mut ids = reserve::room(commands.len())?;
        if self.is_default {
            ids.resize(commands.len(), Id(0));
        } else {
            self.admit_together(commands.len(), &mut ids)?;
        }
        let made = self.make_together(commands, &ids, register);
        if made.is_err() && !self.is_default {
            self.give_up(&ids);
            self.start_queued();
        }
        made
    }

    /// Takes a slot for each, or none.
    fn admit_together(&self, count: usize, ids: &mut Vec<Id>) -> Result<()> {
        let mut ledger = lock(&self.ledger);
        if ledger.scheduler.is_closing() {
            return Err(shut_down());
        }
        let (most, free) = (ledger.scheduler.max_running(), ledger.scheduler.free_slots());
        let limit = |why: String| Err(Error::new(Status::Limit, "pipeline", why));
        if most != 0 && count > most {
            return limit(format!("a pipeline of {count} programs can never run where only {most} may run at once"));
        }
        if count > free {
            let line = if ledger.scheduler.in_line() > 0 { ", and others stand in line" } else { "" };
            let (_, active, _) = ledger.scheduler.counts();
            return limit(format!("a pipeline of {count} programs starts as a whole, and {active} of {most} slots are taken{line}"));
        }
        for _ in 0..count {
            if let Err(error) = ledger.make_room() {
                drop(ledger);
                self.give_up(ids);
                return Err(reserve::out_of_memory(error));
            }
            let mut actions = std::mem::take(&mut ledger.actions);
            ledger.scheduler.step(Event::Admit(None, None, 0), clock::now(), &mut actions);
            ids.extend(actions.drain(..).filter_map(|action| if let Action::Admitted(id) = action { Some(id) } else { None }));
            ledger.actions = actions;
        }
        Ok(())
    }

    /// Gives those slots back; nobody has heard of who was to have them.
    fn give_up(&self, ids: &[Id]) {
        let mut ledger = lock(&self.ledger);
        for id in ids {
            self.step(&mut ledger, Event::Dropped(*id));
        }
        self.show(&mut ledger);
    }

    fn make_together(
        self: &Arc<Self>,
        commands: &[Arc<Command>],
        ids: &[Id],
        register: &mut dyn FnMut(&Arc<Managed>) -> Result<u64>,
    ) -> Result<Vec<Arc<Managed>>> {
        let mut parts: Vec<Part> = reserve::room(commands.len())?;
        let mut made = reserve::room(commands.len())?;
        let children = pipeline::spawn(commands)?;
        for ((child, command), id) in children.into_iter().zip(commands).zip(ids) {
            let child = Arc::new(child);
            let managed = if self.is_default {
                Managed::running(self.clone(), command, child.clone())
            } else {
                Managed::starting(self.clone(), *id, command, None)
            };
            parts.push((Arc::new(managed), child));
        }
        let registered = parts.iter().try_for_each(|(managed, _)| register(managed).map(|token| managed.set_token(token)));
        let taken = registered.and_then(|()| if self.is_default { self.attach_unlisted(&parts) } else { self.attach_together(&parts) });
        if let Err(error) = taken {
            self.unwatch_parts(&mut lock(&self.ledger), &parts);
            let _owned: Vec<_> = parts.iter().map(|(_, child)| spawn::take_back(child)).collect();
            pipeline::call_off(parts.iter().rev().map(|(_, child)| &**child), || {});
            return Err(error);
        }
        made.extend(parts.into_iter().map(|(managed, _)| managed));
        Ok(made)
    }

    /// Children of the default supervisor: watched where somebody must look after them.
    fn attach_unlisted(self: &Arc<Self>, parts: &[Part]) -> Result<()> {
        parts.iter().filter(|(_, child)| child.needs_driving()).try_for_each(|(managed, _)| self.attach_running(managed))
    }

    /// As `attach`, of all at once: what can fail comes before what is told.
    fn attach_together(self: &Arc<Self>, parts: &[Part]) -> Result<()> {
        let mut jobs = Vec::new();
        {
            let mut ledger = lock(&self.ledger);
            // Watched no more before the lock goes: another thread would tell what the first of them have said.
            if let Err(error) = self.show_together(&mut ledger, parts, &mut jobs) {
                self.unwatch_parts(&mut ledger, parts);
                return Err(error);
            }
            self.show(&mut ledger);
        }
        self.carry_out(jobs);
        Ok(())
    }

    fn show_together(self: &Arc<Self>, ledger: &mut Ledger, parts: &[Part], jobs: &mut Vec<Job>) -> Result<()> {
        for (managed, child) in parts {
            let Some(pidfd) = child.pidfd() else { return Err(Error::new(Status::Internal, "attach", "a new child without a pidfd")) };
            self.enroll(ledger, managed);
            self.watch_process(ledger, managed, child.clone(), &pidfd, child.due())?;
        }
        for (managed, child) in parts {
            // All of them may run, or none: whether this is over is said under the same lock.
            let (runs, more) = self.show_process(ledger, managed.id(), child.clone());
            jobs.extend(more);
            if !runs {
                return Err(shut_down());
            }
            if child.has_signs() {
                jobs.extend(self.tell_signs(ledger, managed, child));
            }
        }
        Ok(())
    }

    fn unwatch_parts(&self, ledger: &mut Ledger, parts: &[Part]) {
        for (managed, _) in parts {
            let key = managed.key();
            if ledger.watched.get(key).is_some_and(|entry| Arc::ptr_eq(&entry.managed, managed)) {
                self.unwatch(ledger, key);
            }
        }
    }
}
