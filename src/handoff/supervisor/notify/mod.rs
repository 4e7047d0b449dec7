//! Daemons that were not written for procsup: they know LISTEN_FDS and sd_notify(3), and both generations serve for a while. What is here is the
//! machine (`machine/overlap.rs`) on real descriptors.
//!
//! | file         | what                                                                                  |
//! |--------------|---------------------------------------------------------------------------------------|
//! | `voice.rs`   | what a daemon says, and how far it is believed                                        |
//! | `hearing.rs` | what is heard and seen of the two, as events of the machine                           |
//! | `look.rs`    | one look at its health                                                                |
//! | `journal.rs` | what is written down for a supervisor that comes after this one                       |
//! | `recovering.rs` | that, and what such a one does with it                                             |
//! | `acting.rs`  | what its actions do; what came of a spawn; what is told                               |
//!
//! Traps.
//! - **What was said counts before what has happened since**: a daemon that says MAINPID and exits, or READY and dies, has done both in that order. So
//!   every look reads first, and a death is believed after the last word was heard.
//! - **One event of the machine may bring the next** (a look that is over at once). Events wait in a line until all that follows from the one before
//!   was done: what an action means by "the next one" must not have changed.
//! - **Who serves is nobody's child here**: it leaves the registry then, so that no kill of all reaches it, and goes on when this process ends.

mod acting;
mod hearing;
mod journal;
mod look;
mod recovering;
mod voice;

use std::collections::VecDeque;
use std::sync::Arc;

use journal::Diary;
use look::Look;
use voice::Voice;

use crate::clock::{self, Deadline};
use crate::coordination::readiness::{Kind, Sign};
use crate::error::{Error, Result, Status};
use crate::handoff::machine::Mode;
use crate::handoff::machine::overlap::{Action, Event, Limits, Overlap, Which};
use crate::handoff::outcome::{BuildId, Outcome};
use crate::handoff::supervisor::core::{Core, RETRY, no_generation};
use crate::handoff::supervisor::process::{Ended, Process};
use crate::handoff::supervisor::settings::{self, Settings};
use crate::handoff::supervisor::way::{Purpose, Way};
use crate::process::child::Child;
use crate::process::command::Command;
use crate::process::lasting::Lasting;
use crate::process::stop;
use crate::sys::reactor::Token;

/// The deadline of the machine.
const DEADLINE: Token = Token(1);
/// When the journal is tried again.
const JOURNAL: Token = Token(2);

/// One generation's daemon.
#[derive(Debug)]
struct Daemon {
    process: Process,
    voice: Option<Voice>,
    /// `None`: it was found, and not started here.
    command: Option<Arc<Command>>,
    build: BuildId,
    /// 0: it has not served yet.
    generation: u64,
    /// It says READY=1 when it is; else its child knows another sign.
    speaks: bool,
    /// Its process, its words, its other sign.
    life: Token,
    speech: Token,
    sign: Token,
    /// For the journal, if there is one.
    lasting: Option<Lasting>,
}

/// One that has lost its seat.
#[derive(Debug)]
struct Leaver {
    token: Token,
    process: Process,
    /// It was sent away by this handoff's commit.
    drained: Option<u64>,
    served: bool,
    /// It leaves by itself; from then on it is stopped.
    hurried: Deadline,
    /// For the journal, if there is one; and when one that comes after us is to stop it again.
    lasting: Option<Lasting>,
    until: i64,
}

/// A process that is being started.
#[derive(Clone, Debug)]
struct Ordered {
    number: u64,
    which: Which,
    by: Deadline,
    command: Arc<Command>,
    /// The application waits for what comes of it.
    asked: bool,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Notify {
    machine: Overlap,
    current: Option<Daemon>,
    next: Option<Daemon>,
    leaving: Vec<Leaver>,
    order: Option<Ordered>,
    looks: [Option<(Token, Look)>; 2],
    line: VecDeque<Event>,
    busy: bool,
    /// What was started first; and what is gone back to.
    first: Option<Arc<Command>>,
    good: Option<Arc<Command>>,
    generation: u64,
    handoffs: u64,
    drain_ms: i64,
    grace_ms: i64,
    /// How the last one ended that has served, or was to.
    end: (i32, Ended),
    /// What the last look said that was not good.
    complaint: String,
    trouble: Option<Error>,
    diary: Diary,
    /// Why a recovery has found nobody.
    nobody: String,
}

impl Notify {
    pub fn new(settings: &Settings) -> Self {
        Self {
            machine: Overlap::new(limits(settings)),
            current: None,
            next: None,
            leaving: Vec::new(),
            order: None,
            looks: [None, None],
            line: VecDeque::new(),
            busy: false,
            first: None,
            good: None,
            generation: 0,
            handoffs: 0,
            drain_ms: 0,
            grace_ms: -1,
            end: (0, Ended::default()),
            complaint: String::new(),
            trouble: None,
            diary: Diary::default(),
            nobody: String::new(),
        }
    }

    fn seat(&mut self, which: Which) -> Option<&mut Daemon> {
        match which {
            Which::Current => self.current.as_mut(),
            Which::Next => self.next.as_mut(),
        }
    }

    /// One event of the machine, and everything that follows from it.
    fn feed(&mut self, core: &mut Core, event: Event) {
        self.line.push_back(event);
        if self.busy {
            return;
        }
        self.busy = true;
        self.machine.set_limits(limits(&core.settings));
        while let Some(event) = self.line.pop_front() {
            let before = (self.machine.current, self.machine.next);
            let (next, actions) = self.machine.step(event, clock::now());
            self.machine = next;
            self.tell_progress(core, before.1);
            if actions.iter().any(|action| action == Action::Promote) {
                self.write_ahead(core);
            }
            actions.iter().for_each(|action| self.act(core, action, before.0));
        }
        self.busy = false;
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits { health: settings.health.timeout(), probation: settings.probation }
}

impl Way for Notify {
    fn start(&mut self, core: &mut Core, command: Arc<Command>) -> Result<()> {
        if !self.machine.may_start() || self.order.is_some() {
            return Err(Error::new(Status::State, "start", "a generation runs already, or is being started"));
        }
        self.order(core, Purpose::Start, Which::Current, command.clone(), settings::WHOLE)?;
        (self.first, self.good, self.end) = (Some(command), None, (0, Ended::default()));
        // What one that was found had, this one need not be given.
        self.diary.given = Vec::new();
        self.order.iter_mut().for_each(|order| order.asked = true);
        Ok(())
    }

    fn replace(&mut self, core: &mut Core, command: Arc<Command>, whole: i64, drain: i64) -> Result<()> {
        if !self.machine.runs() && self.order.is_none() {
            return Err(no_generation());
        }
        if self.machine.is_busy() || self.order.is_some() {
            return Err(Error::new(Status::InProgress, "replace", "another generation is on its way, or the last one has not ended yet"));
        }
        if let Some(name) = self.misses(core) {
            let text = format!("the generation that was found has a listener \"{name}\", and none of that name is held here to give on");
            return Err(Error::new(Status::NotFound, "replace", text));
        }
        self.order(core, Purpose::Successor, Which::Next, command, whole)?;
        self.drain_ms = drain / clock::MILLI;
        self.handoffs += 1;
        let now = clock::now();
        let id = self.generation << 24 | self.handoffs & 0xFF_FFFF;
        let mut record = Outcome::begin(id, Mode::Overlap, now, now.saturating_add(clock::wall_ahead()));
        if let Some(current) = &self.current {
            (record.old_pid, record.old_generation, record.old_build) = (current.process.pid, current.generation, current.build);
        }
        core.outcomes.begin(record);
        Ok(())
    }

    fn cancel(&mut self, core: &mut Core) -> Result<()> {
        if self.machine.next.is_none() {
            return Err(Error::new(Status::State, "cancel", "no generation is on trial"));
        }
        self.feed(core, Event::Cancel);
        Ok(())
    }

    fn stop(&mut self, core: &mut Core, grace_ms: i64) -> Result<()> {
        if self.machine.stopping {
            return Ok(());
        }
        if !self.machine.runs() && self.order.is_none() {
            return Err(no_generation());
        }
        for daemon in self.current.iter().chain(&self.next) {
            daemon.process.check_reach()?;
        }
        (self.grace_ms, self.order) = (grace_ms, None);
        self.feed(core, Event::Stop);
        Ok(())
    }

    fn recover(&mut self, core: &mut Core) -> Result<()> {
        if !self.machine.may_start() || self.order.is_some() {
            return Err(Error::new(Status::State, "recover", "a generation was started, or found, already"));
        }
        self.take_up(core)
    }

    fn is_recovered(&mut self, core: &mut Core) -> Option<Result<()>> {
        let text = || format!("{}, and nothing is held for this process", self.nobody);
        let is_there = self.machine.runs() || !core.listeners.is_empty();
        Some(if is_there { Ok(()) } else { Err(Error::new(Status::NotFound, "recover", text())) })
    }

    fn forget_recovery(&mut self, _core: &mut Core) {}

    fn born(&mut self, core: &mut Core, purpose: Purpose, number: u64, child: Result<Child>) -> Result<()> {
        if purpose == Purpose::Health {
            self.take_look(core, number, child);
            return Ok(());
        }
        self.take_born(core, number, child)
    }

    fn ready(&mut self, core: &mut Core, token: Token) {
        self.look(core, token);
    }

    fn due(&mut self, core: &mut Core, token: Token) {
        if token == JOURNAL {
            return; // the rest does it
        }
        if token != DEADLINE {
            return self.look(core, token);
        }
        // What has happened before counts before.
        [Which::Current, Which::Next].into_iter().for_each(|which| self.look_at(core, which));
        if self.machine.due().has_come() {
            self.feed(core, Event::Timeout);
        }
    }

    fn rest(&mut self, core: &mut Core) {
        self.write_down(core);
        let _ = core.reactor.set_due(DEADLINE, self.machine.due());
        for daemon in self.current.iter().chain(&self.next) {
            daemon.watch(core);
        }
        for (token, look) in self.looks.iter().flatten() {
            let watched = look.watched().is_none_or(|(fd, writing)| core.reactor.put(*token, fd, writing).is_ok());
            core.set_due(*token, look.due(), watched);
        }
        for leaver in &self.leaving {
            let watched = core.reactor.put(leaver.token, leaver.process.pidfd(), false).is_ok();
            core.set_due(leaver.token, leaver.process.due().min(leaver.hurried), watched);
        }
    }

    fn owner(&self) -> Option<(i32, u64)> {
        let serves = self.machine.current.is_some_and(|seat| seat.serves);
        self.current.as_ref().filter(|_| serves).map(|daemon| (daemon.process.pid, daemon.generation))
    }

    fn is_replacing(&self) -> bool {
        self.machine.is_busy()
    }

    fn close(&mut self, core: &mut Core) {
        for which in [Which::Current, Which::Next] {
            self.drop_look(core, which);
        }
        for (daemon, goes_on) in [(self.current.take(), true), (self.next.take(), false)] {
            let Some(daemon) = daemon else { continue };
            let mut process = daemon.unwatched(core);
            // The generation that was started goes on, one on trial is ended.
            if goes_on {
                process.disown()
            } else {
                process.kill()
            }
            if !goes_on {
                core.end(process);
            }
        }
        for mut leaver in std::mem::take(&mut self.leaving) {
            core.reactor.forget(leaver.token);
            if leaver.served {
                // It has been told to finish what it has begun.
                leaver.process.disown();
            } else {
                core.end(leaver.process);
            }
        }
    }
}

impl Daemon {
    /// Keeps its entries: what it is known by may have changed.
    fn watch(&self, core: &Core) {
        let mut watched = core.reactor.put(self.life, self.process.pidfd(), false).is_ok();
        let mut due = self.process.due();
        if let Some(voice) = &self.voice {
            watched &= core.reactor.put(self.speech, voice.fd(), false).is_ok();
            due = due.min(voice.due());
        }
        match self.process.child().and_then(|child| child.signs().0) {
            Some((fd, writing)) => watched &= core.reactor.put(self.sign, &fd, writing).is_ok(),
            None => _ = core.reactor.remove(self.sign),
        }
        core.set_due(self.life, due, watched);
    }

    /// Nobody looks at it any more.
    fn unwatched(self, core: &Core) -> Process {
        [self.life, self.speech, self.sign].into_iter().for_each(|token| core.reactor.forget(token));
        self.process
    }
}

/// Whether its readiness is its own word, READY=1: so it is for one that says nothing of it.
fn speaks(command: &Command) -> bool {
    command.sign().is_none_or(|spec| spec.sign == Sign::Notify)
}

/// The command as it is started here. Answers how long it may take to be ready, if it says so.
fn prepared(command: &Command) -> Result<(Command, Option<i64>)> {
    let timeout = command.sign().and_then(|spec| spec.timeout());
    let mut command = command.clone();
    if speaks(&command) {
        // Its time is the machine's.
        command.readiness(Kind::Notify, None, -1)?;
    }
    Ok((command, timeout))
}
