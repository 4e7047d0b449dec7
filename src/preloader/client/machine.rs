//! Who asks a preloader for workers, in which order, and what becomes of the one and the other when it dies. Pure: the time is told, and what is
//! to be done is answered.
//!
//! Traps. **A death over a command says nothing of the command**: the preloader may have forked for it. So the second try has a work directory
//! of its own (`Begin` makes one), and who was forked for the first one finds nobody there. **A preloader that dies at each command** must not be
//! started for ever: each request has one try after a death, no more. **Old code**: what was born of a generation that `Reload` has replaced must
//! not be delivered, so a command that is under way then is given up and said anew to the next one. **A start that nobody waits for any more** has
//! nobody whose time bounds it: it is ended. **Silence is no death, but not for ever**: a preloader that answers late is slow, one that two commands
//! in a row found silent until their time was over (it is stopped, or hangs) is replaced.
//!
//! ```text
//! the preloader         wanted                 Started             Ended, a death over a command, Stop, Reload, idle, silent twice
//!             absent ------------> starting -----------> ready -------------------------------------> absent
//!                                     '---StartFailed, nobody waits, Stop, Reload--------------------> absent
//!                                                          any ---Close---> closed
//! ```
//!
//! Each process is left exactly once (`Leave`: its stdin is closed; killed, when it has not gone in time), also when it has ended by itself: that is
//! *stopping*, which keeps nobody from starting the next one. A start that failed leaves the preloader *failed* as long as it takes to tell those
//! who waited for it: the next request starts it again.
//!
//! | a request, where       | Connected | Sent    | Answered | Proven | Broken: a death         | Failed          | its time is over, called off |
//! |------------------------|-----------|---------|----------|--------|-------------------------|-----------------|------------------------------|
//! | queued                 |           |         |          |        |                         |                 | over                         |
//! | connecting             | sending   |         |          |        | queued, first in line; over if it had its second try | over | over, dropped |
//! | sending                |           | reading |          |        | same                    | over            | over, dropped                |
//! | reading                |           |         | proving  |        | same                    | over            | over, dropped                |
//! | proving                |           |         |          | handshake | same                 | over            | over, dropped                |
//! | handshake              | the machine knows it no more: its worker is a child, which lives and dies by itself |||||                       |
//!
//! One request at a time is between connecting and proving, whichever supervisor it comes from (PA-6): the oldest.

use std::collections::BTreeMap;

use crate::clock::Deadline;
pub use crate::preloader::core::Id;

/// Where the preloader is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preloader {
    /// There is none: it was not needed yet, or is none any more.
    Absent,
    /// Its process loads the application.
    Starting,
    /// It answers commands.
    Ready,
    /// There will be none.
    Closed,
}

/// How far the command is that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Towards the preloader's socket.
    Connecting,
    /// It is being said.
    Sending,
    /// It was said, and not answered.
    Reading,
    /// A process was named, and it must be shown to be the right one.
    Proving,
}

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// A worker is wanted, until then.
    Ask(Id, Deadline),
    /// It is not wanted any more; who asked knows.
    CallOff(Id),
    /// The preloader of this generation is ready.
    Started(u32),
    /// It will not be.
    StartFailed(u32),
    /// Its process has ended, after it was ready.
    Ended(u32),
    /// The connection for this request is there.
    Connected(Id),
    /// The command was said.
    Sent(Id),
    /// A process was named.
    Answered(Id),
    /// It is the right one: the request is its own from now on.
    Proven(Id),
    /// The preloader has died over it, as far as can be seen from here.
    Broken(Id),
    /// It was refused, or failed by something that another try does not mend.
    Failed(Id),
    /// The application has changed.
    Reload,
    /// The preloader shall go; it comes back when it is needed.
    Stop,
    /// It shall go, and not come back.
    Close,
    /// Time has passed.
    Tick,
}

/// How a request ends without a worker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum End {
    /// Its time was over in line, or while the preloader of this generation started.
    LateInLine(Option<u32>),
    /// Its time was over during its command.
    Late(Phase),
    /// The same, and so was that of the one before it: the preloader is replaced.
    Silent(Phase),
    /// The preloader has died over it twice.
    Crashed,
    /// The preloader could not be started.
    NotStarted,
    /// Something that whoever told of it knows.
    Failed,
    /// The preloader was stopped meanwhile.
    Stopped,
    /// There is no preloader any more.
    Closed,
}

/// What is to be done, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Make the process of this generation.
    Start(u32),
    /// The process of this generation is not wanted any more, or has ended.
    Leave(u32),
    /// Say a command for this request to the preloader of this generation, with a fresh work directory. It is to be connected first.
    Begin(Id, u32),
    /// Give up what `Begin` began.
    Drop(Id),
    /// It gets no worker.
    Fail(Id, End),
}

/// A request whose turn has not come, or comes again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Waiting {
    until: Deadline,
    /// A preloader has died over it.
    again: bool,
}

/// The command that is under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Command {
    id: Id,
    phase: Phase,
    request: Waiting,
}

/// A preloader, and those who want something of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    preloader: Preloader,
    /// Of the last process that was started; the first one is 1.
    generation: u32,
    line: BTreeMap<Id, Waiting>,
    command: Option<Command>,
    /// The last command found it silent.
    silent: bool,
    /// How long it may be of no use.
    idle_ns: Option<i64>,
    last_used: i64,
}

impl Machine {
    /// Nobody wants anything.
    pub fn new(now: i64) -> Self {
        let (preloader, line) = (Preloader::Absent, BTreeMap::new());
        Self { preloader, generation: 0, line, command: None, silent: false, idle_ns: None, last_used: now }
    }

    /// Where the preloader is.
    pub fn preloader(&self) -> Preloader {
        self.preloader
    }

    /// The generation of the last process that was started; 0: none was.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// When it was used last.
    pub fn last_used(&self) -> i64 {
        self.last_used
    }

    /// Until when somebody waits for its start.
    pub fn wanted_until(&self) -> Deadline {
        self.line.values().map(|waiting| waiting.until).max().unwrap_or(Deadline::PAST)
    }

    /// How long it may be of no use before it is stopped; `None`: for ever.
    pub fn set_idle(&mut self, idle_ns: Option<i64>) {
        self.idle_ns = idle_ns;
    }

    /// When `Tick` has something to do.
    pub fn due(&self) -> Deadline {
        let first = self.line.values().map(|waiting| waiting.until).min().unwrap_or(Deadline::NEVER);
        let command = self.command.as_ref().map_or(Deadline::NEVER, |command| command.request.until);
        first.min(command).min(self.idle_since())
    }

    /// When it will have been of no use for too long.
    fn idle_since(&self) -> Deadline {
        match self.idle_ns {
            Some(idle_ns) if self.preloader == Preloader::Ready && self.command.is_none() && self.line.is_empty() => {
                Deadline::at(self.last_used.saturating_add(idle_ns))
            }
            _ => Deadline::NEVER,
        }
    }

    /// What this leads to.
    pub fn step(&mut self, event: Event, now: i64) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Ask(id, _) if self.preloader == Preloader::Closed => actions.push(Action::Fail(id, End::Closed)),
            Event::Ask(id, until) => _ = self.line.insert(id, Waiting { until, again: false }),
            Event::CallOff(id) => {
                if self.line.remove(&id).is_none() && self.take(id).is_some() {
                    actions.push(Action::Drop(id));
                }
            }
            Event::Started(generation) if self.is(Preloader::Starting, generation) => {
                (self.preloader, self.last_used) = (Preloader::Ready, now);
            }
            Event::StartFailed(generation) if self.is(Preloader::Starting, generation) => {
                self.fail_line(End::NotStarted, &mut actions);
                self.leave(&mut actions);
            }
            Event::Ended(generation) if self.is(Preloader::Ready, generation) => match self.command.take() {
                Some(command) => self.crash(command, &mut actions),
                None => self.leave(&mut actions),
            },
            Event::Connected(id) => self.advance(id, Phase::Connecting, Phase::Sending),
            Event::Sent(id) => self.advance(id, Phase::Sending, Phase::Reading),
            Event::Answered(id) => {
                self.silent &= self.command.as_ref().is_none_or(|command| command.id != id);
                self.advance(id, Phase::Reading, Phase::Proving);
            }
            Event::Proven(id) => {
                if self.command.as_ref().is_some_and(|command| command.phase == Phase::Proving) && self.take(id).is_some() {
                    self.last_used = now;
                }
            }
            Event::Broken(id) => {
                if let Some(command) = self.take(id) {
                    self.crash(command, &mut actions);
                }
            }
            Event::Failed(id) => {
                if let Some(command) = self.take(id) {
                    self.last_used = now;
                    // Before that it was not heard.
                    self.silent &= command.phase < Phase::Reading;
                    actions.extend([Action::Drop(id), Action::Fail(id, End::Failed)]);
                }
            }
            Event::Reload => {
                if let Some(command) = self.command.take() {
                    actions.push(Action::Drop(command.id));
                    self.line.insert(command.id, command.request);
                }
                self.leave(&mut actions);
            }
            Event::Stop | Event::Close => {
                let (end, then) = if event == Event::Stop { (End::Stopped, self.preloader) } else { (End::Closed, Preloader::Closed) };
                if let Some(command) = self.command.take() {
                    actions.extend([Action::Drop(command.id), Action::Fail(command.id, end)]);
                }
                self.fail_line(end, &mut actions);
                self.leave(&mut actions);
                if then == Preloader::Closed {
                    self.preloader = then;
                }
            }
            Event::Tick => self.tick(now, &mut actions),
            // Of a process that was left meanwhile.
            Event::Started(_) | Event::StartFailed(_) | Event::Ended(_) => {}
        }
        self.go_on(now, &mut actions);
        actions
    }

    fn is(&self, preloader: Preloader, generation: u32) -> bool {
        self.preloader == preloader && self.generation == generation
    }

    /// The command that is under way, if it is that of this request: it is none any more.
    fn take(&mut self, id: Id) -> Option<Command> {
        self.command.take_if(|command| command.id == id)
    }

    fn advance(&mut self, id: Id, from: Phase, to: Phase) {
        if let Some(command) = self.command.as_mut().filter(|command| command.id == id && command.phase == from) {
            command.phase = to;
        }
    }

    fn fail_line(&mut self, end: End, actions: &mut Vec<Action>) {
        actions.extend(std::mem::take(&mut self.line).into_keys().map(|id| Action::Fail(id, end)));
    }

    /// Its process is none of ours any more.
    fn leave(&mut self, actions: &mut Vec<Action>) {
        if matches!(self.preloader, Preloader::Starting | Preloader::Ready) {
            actions.push(Action::Leave(self.generation));
            (self.preloader, self.silent) = (Preloader::Absent, false);
        }
    }

    /// It has died over a command. What is told first is told of a process that can be asked still how it ended.
    fn crash(&mut self, command: Command, actions: &mut Vec<Action>) {
        actions.push(Action::Drop(command.id));
        if command.request.again {
            actions.push(Action::Fail(command.id, End::Crashed));
        } else {
            self.line.insert(command.id, Waiting { again: true, ..command.request });
        }
        self.leave(actions);
    }

    fn tick(&mut self, now: i64, actions: &mut Vec<Action>) {
        if let Some(command) = self.command.take_if(|command| command.request.until.is_over(now)) {
            self.last_used = now;
            let (before, phase) = (self.silent, command.phase);
            self.silent = phase < Phase::Proving;
            let end = if before && self.silent { End::Silent(phase) } else { End::Late(phase) };
            actions.extend([Action::Drop(command.id), Action::Fail(command.id, end)]);
            if end == End::Silent(phase) {
                self.leave(actions);
            }
        }
        let starting = (self.preloader == Preloader::Starting).then_some(self.generation);
        self.line.retain(|id, waiting| {
            let late = waiting.until.is_over(now);
            if late {
                actions.push(Action::Fail(*id, End::LateInLine(starting)));
            }
            !late
        });
        if self.idle_since().is_over(now) {
            self.leave(actions);
        }
    }

    /// The next one's turn, where nobody has it; the start or the end of what that needs.
    fn go_on(&mut self, now: i64, actions: &mut Vec<Action>) {
        match self.preloader {
            Preloader::Starting if self.line.is_empty() => self.leave(actions),
            Preloader::Absent if !self.line.is_empty() => {
                self.generation += 1;
                self.preloader = Preloader::Starting;
                actions.push(Action::Start(self.generation));
            }
            Preloader::Ready if self.command.is_none() => {
                if let Some((id, request)) = self.line.pop_first() {
                    self.last_used = now;
                    self.command = Some(Command { id, phase: Phase::Connecting, request });
                    actions.push(Action::Begin(id, self.generation));
                }
            }
            _ => {}
        }
    }
}
