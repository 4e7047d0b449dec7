//! One replacement: the machine (`machine/v1.rs`) on real descriptors.
//!
//! The order law, as everywhere in a handoff: what a process has said comes before its death, its death before a deadline, and before anything is
//! undone it is looked whether the owner is dead. A crash closes its channel before its pidfd shows it, so an end, and a send that fails for it, is
//! only its first sign (the machine's `Doubting`).
//!
//! Nothing here waits, and nothing is written to a disk before what it is about was said.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use super::journal::{Entry, Journal, Phase as Written};
use super::line::{Heard, Line};
use super::probe::Probe;
use super::wire::{self, Id, Order, Revisions, Role, Told};
use super::{BEAT, point};
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

    fn hear_owner(&mut self, all: &mut Hands<'_>) {
        for _ in 0..TURN {
            let Some(heard) =
                self.owner.as_mut().filter(|channel| all.core.reactor.has(channel.token)).and_then(|channel| channel.line.next())
            else {
                return;
            };
            let event = self.event_of_owner(all, heard);
            if matches!(event, Event::OwnerHungUp | Event::OwnerTrouble(_)) {
                self.unwatch_owner(all.core);
                if event != Event::OwnerHungUp {
                    self.look_at_owner(all);
                }
            }
            self.step(all, event);
        }
    }

    fn unwatch_owner(&mut self, core: &Core) {
        if let Some(channel) = &self.owner {
            core.reactor.remove(channel.token);
        }
    }

    fn event_of_owner(&mut self, all: &mut Hands<'_>, heard: Heard) -> Event {
        let now = clock::now();
        let (event, words) = match heard {
            Heard::Told(Told::Hello(role, _, build, versions)) if self.machine.phase == Phase::Greeting => {
                let writer = self.owner.as_ref().and_then(|channel| channel.line.writer);
                match wire::common(versions) {
                    _ if role != Role::Incumbent => {
                        (Event::OwnerTrouble(Reason::Protocol), "who listens at the control path greets as a successor".to_owned())
                    }
                    _ if writer.is_some_and(|pid| pid != self.owner_pid) => {
                        let pid = writer.unwrap_or_default();
                        (Event::OwnerTrouble(Reason::Denied), format!("process {pid} answers at the control path, not {}", self.owner_pid))
                    }
                    None => (Event::OwnerTrouble(Reason::Version), no_version("owner", versions)),
                    Some(version) => {
                        self.versions[0] = version;
                        self.outcome.old_build = build_of(&build);
                        (Event::OwnerGreeted, String::new())
                    }
                }
            }
            Heard::Told(Told::Drained(open, _)) => {
                point(all.core, "s-after-drained-recv");
                self.outcome.reach(Step::Drained, now);
                self.outcome.connections.open = open;
                (Event::Drained, String::new())
            }
            Heard::Told(Told::SealComplete(id, revisions)) if id == self.id => {
                point(all.core, "s-after-seal-complete-recv");
                self.outcome.reach(Step::Sealed, now);
                self.sealed = Some(revisions);
                (Event::SealComplete, String::new())
            }
            // Its last word: who is dead is succeeded, whatever it could not do.
            Heard::Told(Told::SealFailed(id, _)) if id == self.id && self.owner_is_dead() => (Event::OwnerBeat, String::new()),
            Heard::Told(Told::SealFailed(id, error)) if id == self.id => (Event::SealFailed, format!("the owner could not seal: {error}")),
            Heard::Told(Told::Heartbeat | Told::SealProgress) => (Event::OwnerBeat, String::new()),
            other => trouble("owner", other, Event::OwnerHungUp, Event::OwnerTrouble),
        };
        self.say_first(|_| words, 0);
        event
    }

    fn hear_successor(&mut self, all: &mut Hands<'_>) {
        for _ in 0..TURN {
            let Some(heard) =
                self.successor.as_mut().filter(|channel| all.core.reactor.has(channel.token)).and_then(|channel| channel.line.next())
            else {
                return;
            };
            if matches!(heard, Heard::End) {
                if let Some(channel) = &self.successor {
                    all.core.reactor.remove(channel.token);
                }
                // Its death shows a moment later.
                self.hung = self.hung.min(Deadline::after(LINGER));
                return;
            }
            let event = self.event_of_successor(all, heard);
            if matches!(event, Event::HungUp | Event::Trouble(_)) {
                if let Some(channel) = &self.successor {
                    all.core.reactor.remove(channel.token);
                }
                self.look_at_owner(all);
            }
            self.step(all, event);
        }
    }

    fn event_of_successor(&mut self, all: &mut Hands<'_>, heard: Heard) -> Event {
        let now = clock::now();
        let (event, words) = match heard {
            Heard::Told(Told::Hello(role, pid, build, versions)) if self.machine.successor == Successor::Started => {
                let writer = self.successor.as_ref().and_then(|channel| channel.line.writer);
                match wire::common(versions) {
                    _ if role != Role::Successor => {
                        (Event::Trouble(Reason::Protocol), "the successor greets as an incumbent: it does not know HANDOFF_ROLE".to_owned())
                    }
                    _ if pid as i32 != self.successor_pid || writer.is_some_and(|writer| writer != self.successor_pid) => {
                        let writer = writer.unwrap_or(pid as i32);
                        let words = format!("process {writer} greets as {pid}; the successor is process {}", self.successor_pid);
                        (Event::Trouble(Reason::Denied), words)
                    }
                    None => (Event::Trouble(Reason::Version), no_version("successor", versions)),
                    Some(version) => {
                        self.versions[1] = version;
                        self.outcome.reach(Step::Greeted, now);
                        if !build.is_empty() {
                            self.outcome.new_build = build_of(&build);
                        }
                        (Event::Greeted, String::new())
                    }
                }
            }
            Heard::Told(Told::Ready(id, healthy, revisions)) if id == self.id && self.has_begun() => {
                // One that has died since has published nothing that could serve, and the owner is there still.
                if self.successor_is_dead() {
                    (Event::Beat, String::new())
                } else {
                    point(all.core, "s-after-ready-recv");
                    self.outcome.reach(Step::Live, now);
                    self.note_ready(healthy, revisions);
                    (Event::Ready, String::new())
                }
            }
            Heard::Told(Told::Heartbeat) => (Event::Beat, String::new()),
            other => trouble("successor", other, Event::HungUp, Event::Trouble),
        };
        self.say_first(|_| words, 0);
        event
    }

    /// What it says of itself is written down. It is no reason to turn back: a process that has said READY has published itself (B10).
    fn note_ready(&mut self, healthy: bool, revisions: Revisions) {
        self.said.clear();
        if !healthy {
            "the successor serves, and says that it is not healthy".clone_into(&mut self.said);
        } else if self.sealed.is_some_and(|sealed| sealed != revisions && revisions.count > 0) {
            "the successor has opened other revisions than the owner has sealed".clone_into(&mut self.said);
        }
    }

    /// The first thing that is said of a failure is what it was.
    fn say_first(&mut self, words: impl FnOnce(i32) -> String, pid: i32) {
        if self.said.is_empty() {
            self.said = words(pid);
        }
    }

    // ---- what the machine decides ----

    fn step(&mut self, all: &mut Hands<'_>, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let (machine, actions) = self.machine.step(event, clock::now());
            self.machine = machine;
            for action in actions.iter() {
                self.carry_out(all, action, &mut events);
            }
            if std::mem::take(&mut self.shut) && self.machine.phase == Phase::Closing {
                // All that is there is heard: nothing can come after it.
                self.hear_successor(all);
                self.look_at_owner(all);
                if self.machine.phase == Phase::Closing {
                    events.push_back(Event::Empty);
                }
            }
        }
    }

    fn carry_out(&mut self, all: &mut Hands<'_>, action: Action, events: &mut VecDeque<Event>) {
        let id = self.id;
        match action {
            Action::AckOwner => {
                let version = self.versions[0];
                self.say_to_owner(Order::HelloAck(version, id), events);
                if let Some(channel) = &mut self.owner {
                    channel.line.agree(version);
                }
                point(all.core, "s-after-o-hello");
            }
            Action::Ack => {
                let version = self.versions[1];
                self.say(Order::HelloAck(version, id), events);
                if let Some(channel) = &mut self.successor {
                    channel.line.agree(version);
                }
                point(all.core, "s-after-n-hello");
            }
            Action::Prepare(until, drain) => {
                let left = (until.left(clock::now()) / MILLI).max(LEAST_MS) as u64;
                let drain = ((drain / MILLI).max(LEAST_MS) as u64).min(left);
                self.say_to_owner(Order::Prepare(id, self.successor_pid as u32, left, drain), events);
                point(all.core, "s-after-prepare-sent");
            }
            Action::RequestSeal => {
                self.say_to_owner(Order::SealRequest(id), events);
                point(all.core, "s-after-seal-request-sent");
            }
            Action::Begin => {
                // It may own from here on, and no kill of all children may reach it.
                if let Some(process) = &mut self.process {
                    process.disown();
                }
                let now = u64::try_from(clock::now() / MILLI).unwrap_or(0);
                let said = self.successor.as_mut().map(|channel| channel.line.say_and_stay(Order::Begin(id), Order::Heartbeat(now)));
                self.heed(said.unwrap_or(Ok(())), events);
                point(all.core, "s-after-begin-sent");
            }
            Action::Commit => {
                self.outcome.reach(Step::Committed, clock::now());
                // One that does not hear it finds the end of the channel, and the lock taken.
                self.say_to_owner(Order::Commit(id), &mut VecDeque::new());
                point(all.core, "s-after-commit-sent");
            }
            Action::Dismiss => {
                let words = if self.said.is_empty() { "the handoff is off" } else { &self.said };
                if let Some(channel) = &mut self.successor {
                    let _ = channel.line.say(Order::Abort(id, words));
                    all.core.reactor.forget(channel.token);
                }
                self.successor = None;
                all.core.reactor.forget(self.process_token);
                if let Some(mut process) = self.process.take() {
                    process.stop(-1);
                    all.core.end(process);
                }
            }
            Action::Shut => {
                if let Some(channel) = &self.successor {
                    datagram::shut(channel.line.socket());
                }
                self.shut = true;
            }
            Action::Kill => {
                if let Some(process) = &mut self.process {
                    process.kill();
                }
            }
            Action::Resume => self.say_to_owner(Order::Resume(id), events),
            Action::Ping => {
                let now = u64::try_from(clock::now() / MILLI).unwrap_or(0);
                self.say_to_owner(Order::Heartbeat(now), events);
            }
            Action::Ignore => self.unwatch_owner(all.core),
            Action::Leave => {
                if let Some(channel) = self.owner.take() {
                    all.core.reactor.forget(channel.token);
                }
            }
            Action::Reconnect => {
                if self.probe.is_none() {
                    self.probe = Some(Probe::begin(all.core, self.path.clone()));
                }
            }
            Action::Journal(record) => self.write(all, record),
            Action::Progress(phase) => self.tell_progress(all.core, phase),
            Action::Tell(end) => {
                self.close(all.core);
                self.end = Some(end);
            }
        }
    }

    fn say_to_owner(&mut self, order: Order<'_>, events: &mut VecDeque<Event>) {
        let Some(channel) = &mut self.owner else { return };
        if let Err(errno) = channel.line.say(order) {
            let hung_up = is_end(errno);
            self.say_first(|_| format!("the owner cannot be told: {}", errno.desc()), 0);
            events.push_back(if hung_up { Event::OwnerHungUp } else { Event::OwnerTrouble(Reason::System) });
        }
    }

    fn say(&mut self, order: Order<'_>, events: &mut VecDeque<Event>) {
        let said = self.successor.as_mut().map(|channel| channel.line.say(order));
        self.heed(said.unwrap_or(Ok(())), events);
    }

    fn heed(&mut self, said: Result<(), Errno>, events: &mut VecDeque<Event>) {
        let Err(errno) = said else { return };
        if is_end(errno) {
            // As with the end of it: a death shows a moment later.
            self.hung = self.hung.min(Deadline::after(LINGER));
            return;
        }
        self.say_first(|_| format!("the successor cannot be told: {}", errno.desc()), 0);
        events.push_back(Event::Trouble(Reason::System));
    }

    fn write(&mut self, all: &mut Hands<'_>, record: Record) {
        let Some(journal) = all.journal else { return };
        let phase = match record {
            Record::Negotiating => Written::Negotiating,
            Record::Draining => Written::Draining,
            Record::AwaitingReady => Written::AwaitingReady,
            Record::Committed => Written::Committed,
            Record::ResumingAfterAbort => Written::ResumingAfterAbort,
            Record::Clear => {
                journal.clear();
                return point(all.core, "s-after-journal-clear");
            }
        };
        let successor = Some(self.successor_pid as u32);
        journal.write(&Entry { id: self.id, phase, incumbent: self.owner_pid as u32, successor, began: self.began_ms });
    }

    fn tell_progress(&mut self, core: &mut Core, phase: Phase) {
        let standing = match phase {
            Phase::Draining => Standing::Draining,
            Phase::Sealing => Standing::Sealing,
            Phase::Opening => Standing::Sealed,
            _ => Standing::Owner,
        };
        if phase != Phase::Resuming {
            self.outcome.phase = standing;
        }
        let of = Happened {
            handoff_id: self.id.short(),
            pid: self.owner_pid,
            peer_pid: self.successor_pid,
            ..Happened::now(EventKind::Progress)
        };
        core.tell(Happened { phase: standing as i32, ..of });
    }
}

/// What the machine's actions are carried out with.
struct Hands<'a> {
    core: &'a mut Core,
    journal: &'a mut Option<Journal>,
}

fn is_end(errno: Errno) -> bool {
    matches!(errno, Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN)
}

fn trouble(whose: &str, heard: Heard, hung_up: Event, trouble: impl Fn(Reason) -> Event) -> (Event, String) {
    match heard {
        Heard::End => (hung_up, format!("the {whose} has closed its channel")),
        Heard::Told(told @ (Told::SealComplete(..) | Told::SealFailed(..) | Told::Ready(..) | Told::Hello(..))) => {
            (trouble(Reason::Protocol), format!("the {whose} says {} out of its turn, or of another handoff", told.name()))
        }
        Heard::Told(told) => (trouble(Reason::Protocol), format!("the {whose} says {}, which it has no right to", told.name())),
        Heard::Refused(refusal @ wire::Refusal::Version(_)) => (trouble(Reason::Version), format!("the {whose} sends {refusal}")),
        Heard::Refused(wire::Refusal::Memory) => (trouble(Reason::Limit), format!("of the {whose}: {}", wire::Refusal::Memory)),
        Heard::Refused(refusal) => (trouble(Reason::Protocol), format!("the {whose} sends {refusal}")),
        Heard::Stranger(pid) => (trouble(Reason::Denied), format!("process {pid} speaks on the channel of the {whose}")),
        Heard::Failed(errno) => (trouble(Reason::System), format!("the {whose} cannot be heard: {}", errno.desc())),
    }
}

fn no_version(whose: &str, theirs: (u16, u16)) -> String {
    let ((low, high), (own_low, own_high)) = (theirs, wire::VERSIONS);
    format!("the {whose} speaks versions {low} to {high}, this process {own_low} to {own_high}")
}

/// As it is if that can be shown, else in hex, as build ids of linkers are written.
fn build_of(bytes: &[u8]) -> BuildId {
    let hex = || bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect::<String>();
    BuildId::from_bytes(bytes)
        .filter(|id| !id.is_empty() || bytes.is_empty())
        .or_else(|| BuildId::from_bytes(hex().as_bytes()))
        .unwrap_or_default()
}
