//! The native way: both generations use ps_handoff, and hand over to each other. What is here is the machine (`machine/supervisor.rs`) on real
//! descriptors.
//!
//! | file         | what                                                                                   |
//! |--------------|----------------------------------------------------------------------------------------|
//! | `channel.rs` | the observer's end of the channel to an owner                                          |
//! | `acting.rs`  | what the machine's actions do; what came of a spawn                                    |
//! | `hearing.rs` | what is heard from an owner, and when it is connected to                               |
//! | `seeing.rs`  | what needs nobody's word: pidfds, the page, the lock file                              |
//!
//! The trap: who owns is told in three ways (an estate, a record, the word), and each may come late, twice, or not at all. So each is only an event
//! of the machine, which knows what it changes; and what is told to the application is told by the machine alone.

mod acting;
mod channel;
mod hearing;
mod seeing;

use std::path::PathBuf;
use std::sync::Arc;

use channel::Channel;
use seeing::Word;

use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::handoff::machine::supervisor::{Action, Event, Phase, SLACK, Supervisor};
use crate::handoff::supervisor::core::{Core, Doubtful, no_generation};
use crate::handoff::supervisor::events::{EventKind, Happened};
use crate::handoff::supervisor::process::{Ended, Process};
use crate::handoff::supervisor::settings::Settings;
use crate::handoff::supervisor::way::{Purpose, Way};
use crate::process::child::Child;
use crate::process::command::Command;
use crate::sys::reactor::Token;

/// The owner's pidfd, the child's, and the channel to whoever owns.
const OWNER: Token = Token(1);
const CHILD: Token = Token(2);
const CHANNEL: Token = Token(3);
/// The deadline of the machine.
const DEADLINE: Token = Token(4);
/// When it is connected to the path again; when it is looked at the lock file; whether the child stands still.
const CONNECT: Token = Token(5);
const LOCK: Token = Token(6);
const STILL: Token = Token(7);

/// How fast something is looked at again: doubled each time.
const FIRST_PAUSE: i64 = 2 * MILLI;
const LONGEST_PAUSE: i64 = 250 * MILLI;

/// A pause that grows.
#[derive(Clone, Copy, Debug)]
struct Pace(i64);

impl Pace {
    const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    fn next(&mut self) -> Deadline {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        Deadline::after(pause)
    }
}

/// A generation that is known to own.
#[derive(Debug)]
struct Known {
    process: Process,
    generation: u64,
    build: String,
}

/// What is asked for when one is replaced.
#[derive(Clone, Debug)]
struct Terms {
    whole: Deadline,
    drain: i64,
    began: i64,
    began_realtime: i64,
    /// Who was the owner then.
    old_pid: i32,
    old_generation: u64,
    old_build: String,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Native {
    path: PathBuf,
    machine: Supervisor,
    owner: Option<Known>,
    child: Option<Process>,
    /// The pid of the child of the attempt, also when it is gone; and the build that it is.
    child_pid: i32,
    child_build: String,
    channel: Option<Channel>,
    /// The owner serves no observers: its pidfd and the lock file are all there is.
    older: bool,
    word: Option<Word>,
    /// Of the last generation that has served, and of the child.
    command: Option<Arc<Command>>,
    next: Option<Arc<Command>>,
    /// The spawn that is under way.
    order: Option<u64>,
    terms: Option<Terms>,
    grace_ms: i64,
    /// The handoff of the child, once it has a number.
    handoff_id: u64,
    /// How the owner, or the child, ended.
    owner_end: (i32, Ended),
    child_end: Ended,
    /// Why it came to nothing, for what the machine is about to tell.
    reason: Option<(Status, String)>,
    /// Why a start was not possible.
    trouble: Option<Error>,
    recovering: bool,
    /// There is a record of the attempt.
    recorded: bool,
    /// What the child has said of its generation, before it was adopted.
    found_generation: u64,
    connect_pace: Pace,
    lock_pace: Pace,
}

impl Native {
    pub fn new(settings: &Settings) -> Result<Self> {
        let Some(path) = settings.path.clone() else {
            return Err(Error::invalid("control_path", "control_path is NULL: generations that use ps_handoff meet there"));
        };
        Ok(Self {
            path,
            machine: Supervisor::new(),
            owner: None,
            child: None,
            child_pid: 0,
            child_build: String::new(),
            channel: None,
            older: false,
            word: None,
            command: None,
            next: None,
            order: None,
            terms: None,
            grace_ms: -1,
            handoff_id: 0,
            owner_end: (0, Ended::default()),
            child_end: Ended::default(),
            reason: None,
            trouble: None,
            recovering: false,
            recorded: false,
            found_generation: 0,
            connect_pace: Pace::new(),
            lock_pace: Pace::new(),
        })
    }

    /// One step of the machine, and everything that follows from it.
    fn feed(&mut self, core: &mut Core, event: Event) {
        let was = self.machine.phase;
        let (next, actions) = self.machine.step(event, clock::now());
        self.machine = next;
        if next.phase != was {
            // Things have changed: it is worth looking soon.
            (self.connect_pace, self.lock_pace) = (Pace::new(), Pace::new());
        }
        actions.iter().for_each(|action: Action| self.act(core, action));
    }

    fn owner_pid(&self) -> i32 {
        self.owner.as_ref().map_or(0, |owner| owner.process.pid)
    }
}

impl Way for Native {
    fn start(&mut self, core: &mut Core, command: Arc<Command>) -> Result<()> {
        match self.machine.phase {
            Phase::Idle => {}
            Phase::Starting | Phase::Opening | Phase::Resting | Phase::Searching => {
                return Err(Error::new(Status::State, "start", "a generation is being started, or looked for, already"));
            }
            _ => return Err(Error::new(Status::State, "start", "a generation runs already")),
        }
        self.next = Some(command);
        self.trouble = None;
        self.feed(core, Event::Start);
        self.trouble.take().map_or(Ok(()), Err)
    }

    fn replace(&mut self, core: &mut Core, command: Arc<Command>, whole: i64, drain: i64) -> Result<()> {
        if self.machine.replacing || self.machine.child && self.machine.owner {
            return Err(Error::new(Status::InProgress, "replace", "another generation is on its way already"));
        }
        let Some(owner) = self.owner.as_ref().filter(|_| self.machine.phase == Phase::Watching) else { return Err(no_generation()) };
        let terms = Terms {
            whole: Deadline::after(whole),
            drain,
            began: clock::now(),
            began_realtime: clock::now().saturating_add(clock::wall_ahead()),
            old_pid: owner.process.pid,
            old_generation: owner.generation,
            old_build: owner.build.clone(),
        };
        let whole = terms.whole;
        (self.terms, self.next, self.handoff_id, self.reason, self.trouble) = (Some(terms), Some(command), 0, None, None);
        self.feed(core, Event::Replace { whole });
        self.trouble.take().map_or(Ok(()), Err)
    }

    fn cancel(&mut self, core: &mut Core) -> Result<()> {
        if !self.machine.replacing {
            return Err(Error::new(Status::State, "cancel", "no generation is being replaced"));
        }
        self.reason.get_or_insert((Status::Cancelled, "the supervisor's application has called it off".to_owned()));
        self.feed(core, Event::Cancel);
        Ok(())
    }

    fn stop(&mut self, core: &mut Core, grace_ms: i64) -> Result<()> {
        if self.machine.phase == Phase::Idle || self.recovering {
            return Err(no_generation());
        }
        if self.machine.stopping {
            return Ok(());
        }
        if let Some(owner) = &self.owner {
            owner.process.check_reach()?;
        }
        self.grace_ms = grace_ms;
        if self.machine.replacing {
            self.reason = Some((Status::Cancelled, "the generation is being stopped".to_owned()));
        }
        self.feed(core, Event::Stop);
        Ok(())
    }

    fn recover(&mut self, core: &mut Core) -> Result<()> {
        if self.machine.phase != Phase::Idle {
            return Err(Error::new(Status::State, "recover", "a generation was started, or found, already"));
        }
        self.recovering = true;
        self.trouble = None;
        self.feed(core, Event::Recover);
        self.connect(core);
        Ok(())
    }

    fn is_recovered(&mut self, core: &mut Core) -> Option<Result<()>> {
        if self.machine.phase == Phase::Watching {
            self.recovering = false;
            return Some(Ok(()));
        }
        if let Some(error) = self.trouble.take() {
            self.forget_recovery(core);
            return Some(Err(error));
        }
        // One that is dying, or has not bound its path yet, holds the lock.
        if self.channel.is_none() && self.lock_is_free() {
            self.forget_recovery(core);
            if let Err(error) = core.listeners.fetch() {
                return Some(Err(error));
            }
            let none = || Error::new(Status::NotFound, "recover", "nobody owns at the control path, and nothing is held for this process");
            return Some(if core.listeners.is_empty() { Err(none()) } else { Ok(()) });
        }
        None
    }

    fn forget_recovery(&mut self, core: &mut Core) {
        self.recovering = false;
        self.feed(core, Event::Forget);
        self.close_channel(core);
    }

    fn born(&mut self, core: &mut Core, purpose: Purpose, number: u64, child: Result<Child>) -> Result<()> {
        self.take_born(core, purpose, number, child)
    }

    fn ready(&mut self, core: &mut Core, token: Token) {
        match token {
            OWNER => self.look_at_owner(core),
            CHILD => self.look_at_child(core),
            CHANNEL => self.hear(core),
            _ => {}
        }
    }

    fn due(&mut self, core: &mut Core, token: Token) {
        match token {
            OWNER => self.look_at_owner(core),
            CHILD => self.look_at_child(core),
            CHANNEL => self.hear(core),
            CONNECT => self.connect(core),
            LOCK => self.look_at_lock(core),
            STILL => self.look_whether_still(core),
            DEADLINE if self.machine.deadline.has_come() => {
                // What has happened before counts before.
                self.hear(core);
                self.look_at_owner(core);
                self.look_at_child(core);
                if self.machine.deadline.has_come() {
                    self.feed(core, Event::Timeout);
                }
            }
            _ => {}
        }
    }

    fn rest(&mut self, core: &mut Core) {
        let _ = core.reactor.set_due(DEADLINE, self.machine.deadline);
        let owner = self.owner.as_ref().map(|known| &known.process);
        for (token, process) in [(OWNER, owner), (CHILD, self.child.as_ref())] {
            match process {
                Some(process) => core.watch(token, process),
                None => _ = core.reactor.set_due(token, Deadline::NEVER),
            }
        }
        if let Some(channel) = &self.channel {
            let _ = core.reactor.set_writing(CHANNEL, channel.wants_to_write());
        }
        if !self.machine.looks_on() {
            self.close_channel(core);
        }
        let connects = self.machine.looks_on() && self.channel.is_none() && !self.older;
        self.keep_looking(core, CONNECT, connects);
        let looks = self.machine.looks_at_lock() && !self.recovering || self.older && self.machine.looks_on();
        self.keep_looking(core, LOCK, looks);
        let freezing = self.machine.phase == Phase::Freezing;
        if freezing == core.reactor.due(STILL).is_never() {
            let _ = core.reactor.set_due(STILL, if freezing { Deadline::after(MILLI / 4) } else { Deadline::NEVER });
        }
    }

    fn owner(&self) -> Option<(i32, u64)> {
        self.owner.as_ref().map(|known| (known.process.pid, known.generation))
    }

    fn is_replacing(&self) -> bool {
        self.machine.replacing
    }

    fn close(&mut self, core: &mut Core) {
        [OWNER, CHILD].into_iter().for_each(|token| core.reactor.forget(token));
        let has_owner = self.owner.is_some();
        if let Some(mut child) = self.child.take() {
            if has_owner || self.machine.replacing {
                if let Some(channel) = &mut self.channel {
                    channel.call_off(child.pid);
                }
                let (word, path, pid, owner) = (self.word.take(), self.path.clone(), child.pid, self.owner_pid());
                let may_own = move || seeing::may_own(seeing::judged(word.as_ref(), &path, owner, pid));
                core.doubtful.push(Doubtful { process: child, may_own: Box::new(may_own) });
            } else {
                // The generation that was started goes on.
                child.disown();
            }
        }
        self.owner = None;
        self.close_channel(core);
    }
}

impl Native {
    /// Looked at by the clock, as long as that is wanted.
    fn keep_looking(&mut self, core: &mut Core, token: Token, wanted: bool) {
        let pace = if token == CONNECT { &mut self.connect_pace } else { &mut self.lock_pace };
        if !wanted {
            let _ = core.reactor.set_due(token, Deadline::NEVER);
        } else if core.reactor.due(token).is_never() {
            let _ = core.reactor.set_due(token, pace.next());
        }
    }

    fn tell(&self, core: &mut Core, kind: EventKind, fill: impl FnOnce(&mut Happened)) {
        let mut happened = Happened::now(kind);
        fill(&mut happened);
        core.tell(happened);
    }

    /// How long the replacement may still take, for the owner.
    fn terms_left(&self) -> (i64, i64) {
        self.terms.as_ref().map_or((SLACK, 0), |terms| {
            let left = terms.whole.nanos().map_or(i64::MAX, |at| at.saturating_sub(clock::now()));
            (left.max(1), terms.drain)
        })
    }
}
