//! Protocol v1: the three-party handoff of the crate `beyond-handoff`, spoken as its supervisor, so that daemons that are built on it are replaced
//! unchanged. What is spoken, and what is done otherwise than that crate's own supervisor does it, and why: docs/reference/handoff-v1.md.
//!
//! | file              | what                                                       |
//! |-------------------|------------------------------------------------------------|
//! | `wire.rs` `encoding.rs` | messages in frames; numbers and texts in them        |
//! | `line.rs`         | one end of a channel                                       |
//! | `journal.rs`      | the file                                                   |
//! | `setup.rs`        | what a process is started with                             |
//! | `probe.rs`        | who is at the control path                                 |
//! | `change/`         | one replacement: `machine/v1.rs` on real descriptors       |
//! | `generation.rs`   | what follows for the generation that serves                |
//! | `mod.rs`          | what the application asks for, and what comes in           |
//!
//! The difference to the native way: here the supervisor is on the critical path, by the protocol. Between the owner's drain and the successor's READY
//! nobody serves unless this process goes on; so nothing is done in between but to say the next thing. If it dies, the end of its channels tells both
//! others, and what the crate makes of that leaves one that serves at each step, with one thing done for it here (`Line::say_and_stay`).

mod change;
mod encoding;
mod generation;
pub mod journal;
mod line;
mod probe;
mod setup;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use nix::errno::Errno;

use self::change::{Beginning, Change};
use self::journal::{Entry, Journal};
use self::line::Line;
use self::probe::Probe;
use self::wire::Id;
use super::core::{Core, no_generation};
use super::events::{EventKind, Happened};
use super::process::{Ended, Process};
use super::settings::Settings;
use super::way::{Purpose, Way};
use crate::clock::{self, Deadline, MILLI};
use crate::coordination::budget::Refusal;
use crate::error::{Error, Result, Status};
use crate::handoff::machine::Mode;
use crate::handoff::machine::v1::End;
use crate::handoff::outcome::Outcome;
use crate::handoff::verdict;
use crate::process::child::Child;
use crate::process::command::Command;
use crate::sys::Fault;
use crate::sys::random;
use crate::sys::reactor::Token;

/// How long a first generation may take until it is found at its path.
const FINDING: i64 = 300_000 * MILLI;
/// What the budget of restarts counts.
const KEY: &[u8] = b"generation";

/// The generation that serves, or is to.
#[derive(Debug)]
struct Generation {
    process: Process,
    /// How another of it is started; `None`: it was found.
    command: Option<Arc<Command>>,
    number: u64,
    token: Token,
    /// Looks for it at the control path, until then.
    probe: Option<(Probe, Deadline)>,
    /// How it ended, if that was seen already.
    ended: Option<Ended>,
}

/// After a restart of ours.
#[derive(Debug)]
struct Recovery {
    probe: Probe,
    found: bool,
}

/// See the head of this file.
#[derive(Debug)]
pub struct V1 {
    path: PathBuf,
    journal: Option<Journal>,
    owner: Option<Generation>,
    /// What is being started: the order, and how.
    starting: Option<(u64, Arc<Command>)>,
    change: Option<Box<Change>>,
    recovery: Option<Recovery>,
    /// What has served.
    last_good: Option<Arc<Command>>,
    generation: u64,
    stopping: bool,
    /// With which grace, once it is known who is to be stopped.
    stop_grace: Option<i64>,
}

impl V1 {
    pub fn new(settings: &Settings) -> Result<Self> {
        let path = settings.path.clone().ok_or_else(|| Error::invalid("control_path", "control_path is NULL: generations listen there"))?;
        let journal = settings.journal.as_deref().map(Journal::at).transpose()?;
        let (owner, starting, change, recovery, last_good) = (None, None, None, None, None);
        Ok(Self { path, journal, owner, starting, change, recovery, last_good, generation: 0, stopping: false, stop_grace: None })
    }

    fn check_free(&self) -> Result<()> {
        if self.change.is_some() {
            return Err(Error::new(Status::InProgress, "replace", "the generation is being replaced already"));
        }
        Ok(())
    }

    fn order_start(&mut self, core: &mut Core, command: Arc<Command>) -> Result<()> {
        let (prepared, keeps) = setup::first(&command, &core.listeners)?;
        self.starting = Some((core.order_as_it_is(Purpose::Start, prepared, keeps), command));
        Ok(())
    }

    /// Looks after this process from here on.
    fn set_owner(&mut self, core: &mut Core, mut process: Process, command: Option<Arc<Command>>) {
        let token = core.number();
        if let Some(command) = &command {
            process.set_plan(command.plan());
        }
        self.owner = Some(Generation { process, command, number: self.generation, token, probe: None, ended: None });
    }

    fn tell_serving(&mut self, core: &mut Core) {
        let Some(owner) = &mut self.owner else { return };
        owner.process.disown();
        self.last_good = owner.command.clone().or_else(|| self.last_good.clone());
        core.tell(Happened { pid: owner.process.pid, generation: owner.number, ..Happened::now(EventKind::Serving) });
    }
}

impl Way for V1 {
    fn start(&mut self, core: &mut Core, command: Arc<Command>) -> Result<()> {
        if self.owner.is_some() || self.starting.is_some() || self.change.is_some() {
            return Err(Error::new(Status::State, "start", "a generation runs already"));
        }
        self.order_start(core, command)
    }

    fn replace(&mut self, core: &mut Core, command: Arc<Command>, whole: i64, drain: i64) -> Result<()> {
        self.check_free()?;
        // One that is being stopped is not replaced.
        let owner = self.owner.as_ref().filter(|_| !self.stopping).ok_or_else(no_generation)?;
        let cannot = |fault: Fault| {
            let text = format!("cannot reach the generation at {}", self.path.display());
            // Its socket is nobody's: a successor that came to nothing has taken the path from it (B5), or it has not bound it yet.
            match fault.errno {
                Errno::ECONNREFUSED | Errno::ENOENT => Error::new(Status::NotFound, fault.step, text).with_errno(fault.errno),
                _ => fault.error(text),
            }
        };
        let line = Line::connect(&self.path).map_err(cannot)?;
        if !line.is_trusted(&self.path).map_err(|fault| fault.error("cannot tell who listens at the control path"))? {
            let text = format!("who listens at {} is another user", self.path.display());
            return Err(Error::new(Status::PeerRejected, "connect", text));
        }
        let (ours, theirs) = Line::pair().map_err(|fault| fault.error("cannot make a channel for the successor"))?;
        let (prepared, keeps) = setup::successor(&command, &core.listeners, theirs)?;
        let beginning = Beginning {
            path: self.path.clone(),
            command,
            owner: line,
            owner_pid: owner.process.pid,
            owner_pidfd: owner.process.pidfd().clone(),
            successor: ours,
            whole,
            drain,
        };
        let number = core.order_as_it_is(Purpose::Successor, prepared, keeps);
        let mut change = Change::new(core, Id::of(random::unique()), number, beginning);
        change.outcome.old_generation = self.generation;
        if let Some(build) = core.settings.build_id.as_deref().and_then(|id| crate::handoff::outcome::BuildId::from_bytes(id.as_bytes())) {
            change.outcome.new_build = build;
        }
        self.change = Some(Box::new(change));
        Ok(())
    }

    fn cancel(&mut self, core: &mut Core) -> Result<()> {
        let none = || Error::new(Status::State, "cancel", "no generation is being replaced");
        let change = self.change.as_mut().ok_or_else(none)?;
        if !change.can_be_called_off() {
            return Err(Error::new(Status::State, "cancel", "the successor is all that is left, or it is being ended already"));
        }
        change.cancel(core, &mut self.journal);
        self.finish(core);
        Ok(())
    }

    fn stop(&mut self, core: &mut Core, grace_ms: i64) -> Result<()> {
        if let Some(owner) = &self.owner {
            owner.process.check_reach()?;
        }
        if let Some(change) = &mut self.change {
            // Whoever is left when the replacement is over; it is called off if it can be.
            (self.stopping, self.stop_grace) = (true, Some(grace_ms));
            if change.can_be_called_off() {
                change.cancel(core, &mut self.journal);
                self.finish(core);
            }
            return Ok(());
        }
        let owner = self.owner.as_mut().ok_or_else(no_generation)?;
        owner.process.stop(grace_ms);
        self.stopping = true;
        Ok(())
    }

    fn recover(&mut self, core: &mut Core) -> Result<()> {
        if self.owner.is_some() || self.starting.is_some() {
            return Err(Error::new(Status::State, "recover", "a generation is known already"));
        }
        self.recovery = Some(Recovery { probe: Probe::begin(core, self.path.clone()), found: false });
        Ok(())
    }

    fn is_recovered(&mut self, core: &mut Core) -> Option<Result<()>> {
        let recovery = self.recovery.as_ref()?;
        let (found, refused, rejected) = (recovery.found, recovery.probe.refused, recovery.probe.rejected);
        if !found && !refused && !rejected {
            return None;
        }
        self.forget_recovery(core);
        if !found && rejected {
            let text = format!("who listens at {} is another user, or does not let this one in", self.path.display());
            return Some(Err(Error::new(Status::PeerRejected, "connect", text)));
        }
        // By this protocol an owner gives nothing to its supervisor.
        let fetched = core.listeners.fetch();
        if found {
            return Some(Ok(()));
        }
        if let Err(error) = fetched {
            return Some(Err(error));
        }
        self.read_journal(core, None);
        if !core.listeners.is_empty() {
            return Some(Ok(()));
        }
        Some(Err(Error::new(Status::NotFound, "recover", format!("nobody listens at {}, and nothing is held", self.path.display()))))
    }

    fn forget_recovery(&mut self, core: &mut Core) {
        if let Some(recovery) = self.recovery.take() {
            recovery.probe.end(core);
        }
    }

    fn born(&mut self, core: &mut Core, purpose: Purpose, number: u64, child: Result<Child>) -> Result<()> {
        if purpose == Purpose::Successor {
            let Some(change) = self.change.as_mut().filter(|change| change.number == number) else {
                core.discard(child);
                return Ok(());
            };
            let process = match spawned(child) {
                Ok(process) => process,
                Err(error) => {
                    // Nobody has been told anything.
                    if let Some(change) = self.change.take() {
                        change.give_up(core);
                    }
                    return Err(error);
                }
            };
            let pid = process.pid;
            if let Err(fault) = change.born(core, process) {
                if let Some(mut process) = self.change.take().and_then(|change| change.give_up(core)) {
                    process.kill();
                    core.end(process);
                }
                return Err(fault.error("cannot watch the successor"));
            }
            core.tell(Happened { pid, ..Happened::now(EventKind::Started) });
            return Ok(());
        }
        let Some((_, command)) = self.starting.take_if(|(ordered, _)| *ordered == number) else {
            core.discard(child);
            return Ok(());
        };
        let again = self.last_good.is_some();
        let process = match spawned(child) {
            Ok(process) => process,
            Err(error) => {
                if again {
                    core.tell(Happened { reason: error.status, ..Happened::now(EventKind::GaveUp) });
                }
                return Err(error);
            }
        };
        let pid = process.pid;
        self.generation += 1;
        self.set_owner(core, process, Some(command));
        core.tell(Happened { pid, ..Happened::now(EventKind::Started) });
        let probe = Probe::begin(core, self.path.clone());
        if let Some(owner) = &mut self.owner {
            owner.probe = Some((probe, Deadline::after(FINDING)));
        }
        Ok(())
    }

    fn ready(&mut self, core: &mut Core, token: Token) {
        if self.owner.as_ref().is_some_and(|owner| owner.token == token) {
            return self.look_at_owner(core);
        }
        if let Some(owner) = &mut self.owner
            && let Some((probe, until)) = owner.probe.as_mut().filter(|(probe, _)| probe.is(token))
        {
            let met = probe.look(core);
            if met.as_ref().is_some_and(|met| met.pid == owner.process.pid) || until.has_come() {
                let (probe, _) = owner.probe.take().expect("looked with above");
                probe.end(core);
            } else if met.is_some() {
                // The one before it, on its way out.
                probe.again(core);
            }
            if met.is_some_and(|met| met.pid == owner.process.pid) {
                self.tell_serving(core);
            }
            return;
        }
        if let Some(recovery) = self.recovery.as_mut().filter(|recovery| recovery.probe.is(token)) {
            if let Some(met) = recovery.probe.look(core) {
                recovery.found = true;
                self.generation += 1;
                let pid = met.pid;
                self.set_owner(core, Process::stranger(pid, met.pidfd), None);
                self.read_journal(core, Some(pid));
                self.tell_serving(core);
            }
            return;
        }
        if let Some(change) = &mut self.change
            && change.ready(core, &mut self.journal, token)
        {
            // An owner that has died in it is told of first; one that was told to exit may do so.
            if self.change.as_ref().is_some_and(|change| change.owner_is_gone()) {
                self.owner_ended(core);
            }
            self.finish(core);
        }
    }

    fn due(&mut self, core: &mut Core, token: Token) {
        self.ready(core, token);
    }

    fn rest(&mut self, core: &mut Core) {
        if let Some(owner) = &self.owner {
            core.watch(owner.token, &owner.process);
        }
        if let Some(change) = self.change.as_ref().filter(|change| change.process.is_some() || change.successor_pid() != 0) {
            change.rest(core);
        }
    }

    fn owner(&self) -> Option<(i32, u64)> {
        self.owner.as_ref().map(|owner| (owner.process.pid, owner.number))
    }

    fn is_replacing(&self) -> bool {
        self.change.is_some()
    }

    fn close(&mut self, core: &mut Core) {
        self.forget_recovery(core);
        if let Some(change) = self.change.take() {
            let begun = change.has_begun();
            if let Some(mut process) = change.give_up(core) {
                // One that may own goes its own way; its channel stays open for it.
                if !begun {
                    process.kill();
                }
                core.end(process);
            }
        }
        if let Some(mut owner) = self.owner.take() {
            core.reactor.forget(owner.token);
            if let Some((probe, _)) = owner.probe.take() {
                probe.end(core);
            }
            owner.process.disown();
        }
    }
}

fn spawned(child: Result<Child>) -> Result<Process> {
    let gone = || Error::new(Status::Exited, "spawn", "the process has ended already");
    child.and_then(|child| Process::spawned(child).ok_or_else(gone))
}
