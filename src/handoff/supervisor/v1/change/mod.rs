//! One replacement: the machine (`machine/v1.rs`) on real descriptors.
//!
//! The order law, as everywhere in a handoff: what a process has said comes before its death, its death before a deadline, and before anything is
//! undone it is looked whether the owner is dead. A crash closes its channel before its pidfd shows it, so an end, and a send that fails for it, is
//! only its first sign (the machine's `Doubting`).
//!
//! Nothing here waits, and nothing is written to a disk before what it is about was said.

mod acting;
mod hearing;

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use super::journal::{Entry, Journal, Phase as Written};
use super::line::{Heard, Line};
use super::probe::Probe;
use super::wire::{self, Id, Order, Revisions, Role, Told};
use crate::clock::{self, Deadline, MILLI};
use crate::handoff::machine::standing::Standing;
use crate::handoff::machine::v1::{Action, End, Event, Phase, Record, Successor, Supervisor};
use crate::handoff::machine::{LINGER, Mode, Reason};
use crate::handoff::outcome::{BuildId, Outcome, Step};
use crate::handoff::supervisor::core::Core;
use crate::handoff::supervisor::events::{EventKind, Happened};
use crate::handoff::supervisor::process::Process;
use crate::process::command::Command;
use crate::sys::Fault;
use crate::sys::pidfd::{self, Life};
use crate::sys::reactor::Token;
use crate::sys::{datagram, procfs};

/// How often it is looked for what nothing announces: a process that dumps its core.
const BEAT: i64 = 80 * MILLI;
/// How many messages of one side are heard in one turn.
const TURN: usize = 256;
/// The least time that is told to an owner.
const LEAST_MS: i64 = 100;

/// Where a channel ends.
#[derive(Debug)]
struct Channel {
    line: Line,
    token: Token,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Change {
    machine: Supervisor,
    id: Id,
    path: PathBuf,
    /// What becomes the command of the generation.
    pub command: Arc<Command>,
    /// The order that makes the successor.
    pub number: u64,
    owner: Option<Channel>,
    owner_pid: i32,
    owner_pidfd: Arc<OwnedFd>,
    owner_is_gone: bool,
    versions: [u16; 2],
    successor: Option<Channel>,
    /// Its process, until it is dismissed, or has died.
    pub process: Option<Process>,
    successor_pid: i32,
    process_token: Token,
    time: Token,
    look: Token,
    probe: Option<Probe>,
    sealed: Option<Revisions>,
    began_ms: u64,
    /// Why, in better words than a reason has.
    said: String,
    /// The record.
    pub outcome: Outcome,
    /// It is over.
    pub end: Option<End>,
    /// The end of the successor's channel that says nothing more is due.
    shut: bool,
    /// Its channel has ended: if it has not died by then, it only does not want to go on.
    hung: Deadline,
}

/// What a replacement begins with.
#[derive(Debug)]
pub struct Beginning {
    pub path: PathBuf,
    pub command: Arc<Command>,
    /// Connected with the owner.
    pub owner: Line,
    pub owner_pid: i32,
    pub owner_pidfd: Arc<OwnedFd>,
    /// Our end of the successor's channel.
    pub successor: Line,
    /// Nanoseconds.
    pub whole: i64,
    pub drain: i64,
}

impl Change {
    /// Of a connection that was just made; `number`: the order of the successor's process.
    pub fn new(core: &mut Core, id: Id, number: u64, beginning: Beginning) -> Self {
        let Beginning { path, command, owner, owner_pid, owner_pidfd, successor, whole, drain } = beginning;
        let now = clock::now();
        let wall = now.saturating_add(clock::wall_ahead());
        let mut outcome = Outcome::begin(id.short(), Mode::Exclusive, now, wall);
        outcome.old_pid = owner_pid;
        let mut token = || core.number();
        Self {
            machine: Supervisor::new(whole, drain, now),
            id,
            path,
            command,
            number,
            owner: Some(Channel { line: owner, token: token() }),
            owner_pid,
            owner_pidfd,
            owner_is_gone: false,
            versions: [wire::VERSIONS.1; 2],
            successor: Some(Channel { line: successor, token: token() }),
            process: None,
            successor_pid: 0,
            process_token: token(),
            time: token(),
            look: token(),
            probe: None,
            sealed: None,
            began_ms: u64::try_from(wall / MILLI).unwrap_or(0),
            said: String::new(),
            outcome,
            end: None,
            shut: false,
            hung: Deadline::NEVER,
        }
    }

    /// Its process was made: all of it is watched from here on.
    pub fn born(&mut self, core: &mut Core, process: Process) -> Result<(), Fault> {
        self.successor_pid = process.pid;
        self.outcome.new_pid = process.pid;
        let watched = core.reactor.add(self.process_token, process.pidfd());
        // What fails from here on ends it.
        self.process = Some(process);
        watched?;
        for channel in [&self.owner, &self.successor].into_iter().flatten() {
            core.reactor.add(channel.token, channel.line.socket())?;
        }
        point(core, "s-after-spawn-successor");
        Ok(())
    }

    /// It does not come about: nothing was said to anybody.
    pub fn give_up(mut self, core: &mut Core) -> Option<Process> {
        self.close(core);
        self.process.take()
    }

    fn close(&mut self, core: &mut Core) {
        for channel in [self.owner.take(), self.successor.take()].into_iter().flatten() {
            core.reactor.forget(channel.token);
        }
        for token in [self.process_token, self.time, self.look] {
            core.reactor.forget(token);
        }
        if let Some(probe) = self.probe.take() {
            probe.end(core);
        }
    }

    /// Who is to come, for display.
    pub fn successor_pid(&self) -> i32 {
        self.successor_pid
    }

    /// Which.
    pub fn id(&self) -> u64 {
        self.id.short()
    }

    /// Whether it can be called off now.
    pub fn can_be_called_off(&self) -> bool {
        self.machine.can_be_called_off() && !self.owner_is_dead()
    }

    /// Whether the owner has died in it.
    pub fn owner_is_gone(&self) -> bool {
        self.owner_is_gone
    }

    /// Whether the successor may have the lock.
    pub fn has_begun(&self) -> bool {
        self.machine.successor == Successor::Begun
    }

    /// What was said of its failure.
    pub fn words(&self) -> &str {
        &self.said
    }

    // ---- what comes in ----

    /// Whether this token is one of its own; then what it stands for was looked at.
    pub fn ready(&mut self, core: &mut Core, journal: &mut Option<Journal>, token: Token) -> bool {
        let mut all = Hands { core, journal };
        match token {
            token if self.owner.as_ref().is_some_and(|channel| channel.token == token) => self.hear_owner(&mut all),
            token if self.successor.as_ref().is_some_and(|channel| channel.token == token) => self.hear_successor(&mut all),
            token if token == self.process_token => self.look_at_successor(&mut all),
            token if token == self.time => self.keep_time(&mut all),
            token if token == self.look => self.look_for_crashes(&mut all),
            token if self.probe.as_ref().is_some_and(|probe| probe.is(token)) => self.look_again(&mut all),
            _ => return false,
        }
        true
    }

    /// The owner is dead, as its keeper has seen.
    pub fn owner_died(&mut self, core: &mut Core, journal: &mut Option<Journal>) {
        self.look_at_owner(&mut Hands { core, journal });
    }

    /// The application calls it off.
    pub fn cancel(&mut self, core: &mut Core, journal: &mut Option<Journal>) {
        let mut all = Hands { core, journal };
        self.look_at_owner(&mut all);
        self.step(&mut all, Event::Cancel);
    }

    /// Before the lock is given back.
    pub fn rest(&self, core: &Core) {
        let _ = core.reactor.set_due(self.time, self.machine.deadline().min(self.hung));
        if core.reactor.due(self.look).is_never() {
            let _ = core.reactor.set_due(self.look, Deadline::after(BEAT));
        }
    }

    fn owner_is_dead(&self) -> bool {
        pidfd::life(self.owner_pidfd.as_raw_fd()) != Life::Running
    }

    fn successor_is_dead(&self) -> bool {
        self.process.as_ref().is_none_or(Process::is_dead)
    }

    fn look_at_owner(&mut self, all: &mut Hands<'_>) {
        if self.owner_is_gone || !self.owner_is_dead() {
            return;
        }
        self.owner_is_gone = true;
        self.hear_owner(all);
        // It is no failure of the replacement.
        self.said.clear();
        self.step(all, Event::OwnerDied);
    }

    fn look_at_successor(&mut self, all: &mut Hands<'_>) {
        if self.process.is_some() && self.successor_is_dead() {
            self.hear_successor(all);
            all.core.reactor.forget(self.process_token);
            self.hung = Deadline::NEVER;
            if let Some(process) = self.process.take() {
                self.say_first(|pid| format!("the successor, process {pid}, has ended"), process.pid);
                all.core.end(process);
            }
            self.look_at_owner(all);
            self.step(all, Event::Died);
        }
    }

    fn look_for_crashes(&mut self, all: &mut Hands<'_>) {
        if !self.owner_is_gone && procfs::runs_no_more(self.owner_pidfd.as_raw_fd()) && !self.owner_is_dead() {
            self.step(all, Event::OwnerCrashed);
        }
        self.look_at_owner(all);
    }

    fn keep_time(&mut self, all: &mut Hands<'_>) {
        if self.hung.has_come() {
            self.hung = Deadline::NEVER;
            self.look_at_successor(all);
            self.look_at_owner(all);
            self.say_first(|_| "the successor has closed its channel".to_owned(), 0);
            self.step(all, Event::HungUp);
        }
        if !self.machine.deadline().has_come() {
            return;
        }
        // What has come is heard first, whatever the loop has found.
        self.hear_owner(all);
        self.hear_successor(all);
        self.look_at_successor(all);
        self.look_at_owner(all);
        if self.machine.deadline().has_come() {
            let late = match self.machine.phase {
                Phase::Greeting => "nobody greeted in time",
                Phase::Draining => "the owner has not drained in time",
                Phase::Sealing => "the owner has not sealed in time",
                Phase::Opening => "the successor was not ready in time",
                _ => "",
            };
            self.say_first(|_| late.to_owned(), 0);
            self.step(all, Event::Timeout);
        }
    }

    fn look_again(&mut self, all: &mut Hands<'_>) {
        let Some(met) = self.probe.as_mut().and_then(|probe| probe.look(all.core)) else { return };
        if met.pid == self.owner_pid {
            self.step(all, Event::OwnerGreeted);
        } else if let Some(probe) = &mut self.probe {
            // Another process at the path: it may be on its way out.
            probe.again(all.core);
        }
    }
}

/// What the machine's actions are carried out with.
struct Hands<'a> {
    core: &'a mut Core,
    journal: &'a mut Option<Journal>,
}

/// A step of the crate's crash matrix was taken: for tests, which end this process there.
fn point(core: &Core, name: &'static str) {
    if let Some(tracer) = core.settings.tracer {
        tracer(name);
    }
}
