//! One process of a native preloader: made with the end of its control channel, or promoted; heard, left.
//!
//! Traps. **The channel is the tie**: when it is closed the process goes by itself; so its end is ours alone, and the first thing that is let go.
//! **What it has said before its end counts**: the channel is read until it is empty before an end is believed. **It may never stop talking**: one
//! look takes so many messages and no more (LAW-17). **It may answer and not read**: what it is told stands in line, and that line ends. **A promoted one is another supervisor's child**: what is told of its life is told of the worker that
//! it was.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Weak};

use nix::errno::Errno;

use super::machine::Birth;
use super::promote::Promotion;
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::preloader::failure::{self, Evidence, Failure};
use crate::preloader::journey::{native_promotion, native_start, step};
use crate::preloader::native::wire::{self, Kind, Link, Message, Place};
use crate::preloader::session::{Arguments, Purpose};
use crate::process::adopt::{Maker, Strays};
use crate::process::child::Child;
use crate::process::command::Command;
use crate::registry::{self, Cause};
use crate::supervisor::{Managed, Supervisor};
use crate::sys::pidfd::{self, Life};
use crate::sys::wait::{self, Seen};
use crate::sys::{procfs, socket};

/// How much of what a preloader writes is kept.
pub const KEPT: usize = 64 * 1024;
/// How often one is looked for that has died unknown, and for how long: its end is seen a moment before it is a zombie.
pub const LOOKED: i64 = 5 * MILLI;
const BURIED: i64 = 1_000 * MILLI;
/// Messages of one look.
const MOST: usize = 256;
/// So many that it does not read stand in line for it. (Of those who read, a handful does: `machine::AHEAD`.)
const MOST_UNREAD: usize = 64;

/// What every process of a preloader is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What is run.
    pub command: Arc<Command>,
    /// The same in words, for errors.
    pub arguments: Arc<Arguments>,
    /// What its workers are by the description that the last one was asked for with.
    pub described: Option<Described>,
}

/// What is made of a description, kept as long as that is what it was: who changes it has another one from then on.
#[derive(Clone, Debug)]
pub struct Described {
    /// `None`: nothing was said.
    pub by: Option<Weak<Command>>,
    pub command: Arc<Command>,
}

impl Described {
    /// Whether it was made of this one.
    pub fn is_by(&self, command: Option<&Arc<Command>>) -> bool {
        match (&self.by, command) {
            // (What is weakly held keeps its place in memory: no other one is there.)
            (Some(by), Some(command)) => by.as_ptr() == Arc::as_ptr(command),
            (None, None) => true,
            _ => false,
        }
    }
}

/// One process.
#[derive(Debug)]
pub struct Process {
    managed: Arc<Managed>,
    link: Option<Link>,
    way: Journey,
    arguments: Arc<Arguments>,
    maker: Option<Maker>,
    strays: Option<Strays>,
    /// It was a worker: of this birth.
    promoted: Option<Birth>,
    /// Whom its workers must be: who it was when it became ready.
    user: Option<u32>,
    /// Of a worker nothing need be said before its HELLO: by that a pidfd of it can be had.
    hello_will_do: bool,
    /// When its making began.
    began: i64,
    /// It is not wanted any more, and killed then.
    killed_at: Option<Deadline>,
    /// It has closed its channel before it was ready, and is to be gone by then.
    gone_by: Option<Deadline>,
    /// One that it has borne has died unknown: when it is looked for next, and until when.
    bury: Option<(Deadline, Deadline)>,
    /// Children of ours that could not be kept, for want of descriptors: they find their gates shut.
    turned_away: Vec<i32>,
    /// It is ready, or never will be.
    pub settled: bool,
    /// It has said all that it will ever say, or that it goes.
    pub over: bool,
    /// It has ended and was reaped.
    pub ended: bool,
}

/// What a message of it comes to.
#[derive(Debug)]
pub enum Heard {
    /// Nothing more, for now.
    Nothing,
    /// This, with its descriptors.
    Said(Message, Vec<OwnedFd>),
    /// It speaks another version, or another process speaks in its place.
    Wrong(Failure),
    /// Its channel has ended.
    End,
}

impl Process {
    /// Makes one. Takes as long as an exec.
    pub fn start(recipe: &Recipe, private: &Supervisor, generation: u32) -> Result<Self> {
        let began = clock::now();
        let mut way = native_start();
        way.begin(step::NATIVE_PREPARATION, began);
        let failed = |failure: Failure, way: Journey| error_of(failure, way, &recipe.arguments, Vec::new(), None);
        let (link, command, theirs) = match prepare(recipe, generation) {
            Ok(prepared) => prepared,
            Err(error) => return Err(failed(Failure::of(step::NATIVE_PREPARATION, &error), way)),
        };
        way.end(step::NATIVE_PREPARATION, clock::now());
        way.begin(step::NATIVE_START, clock::now());
        let managed = match private.spawn(&command, u64::from(generation)) {
            Ok(managed) => managed,
            Err(error) => {
                let (retry_after_ms, storm) = (error.retry_after_ms, error.storm);
                return Err(
                    failed(Failure::of(step::NATIVE_START, &error), way).with(|it| (it.retry_after_ms, it.storm) = (retry_after_ms, storm))
                );
            }
        };
        drop(theirs);
        way.end(step::NATIVE_START, clock::now());
        way.begin(step::NATIVE_OPEN, clock::now());
        Ok(Self::of(managed, link, way, began, recipe.arguments.clone()))
    }

    /// A worker that is asked to become the preloader of this generation.
    pub fn promote(promotion: &Promotion, generation: u32, arguments: Arc<Arguments>) -> Result<Self> {
        let began = clock::now();
        let mut way = native_promotion();
        way.begin(step::NATIVE_PREPARATION, began);
        let link = match channel(generation).and_then(|(link, theirs)| promotion.ask(theirs).map(|()| link)) {
            Ok(link) => link,
            Err(error) => {
                let failure = Failure::of(step::NATIVE_PREPARATION, &error);
                return Err(error_of(failure, way, &arguments, Vec::new(), Some((promotion.managed().pid(), None))));
            }
        };
        way.end(step::NATIVE_PREPARATION, clock::now());
        way.begin(step::NATIVE_PROMOTION, clock::now());
        let mut process = Self::of(promotion.managed().clone(), link, way, began, arguments);
        process.promoted = Some(promotion.birth());
        Ok(process)
    }

    fn of(managed: Arc<Managed>, mut link: Link, way: Journey, began: i64, arguments: Arc<Arguments>) -> Self {
        link.peer = managed.pid();
        let maker = managed.process().ok().and_then(|child| Maker::of(&child));
        let strays = maker.as_ref().map(Strays::of);
        Self {
            managed,
            link: Some(link),
            way,
            arguments,
            maker,
            strays,
            promoted: None,
            user: None,
            hello_will_do: false,
            began,
            killed_at: None,
            gone_by: None,
            bury: None,
            turned_away: Vec::new(),
            settled: false,
            over: false,
            ended: false,
        }
    }

    /// The worker that it was.
    pub fn promoted(&self) -> Option<Birth> {
        self.promoted
    }

    /// What it is watched by.
    pub fn socket(&self) -> Option<(Arc<OwnedFd>, bool)> {
        self.link.as_ref().map(|link| (link.socket().clone(), link.wants_to_write()))
    }

    /// When its making began.
    pub fn began(&self) -> i64 {
        self.began
    }

    /// Its process id, for display.
    pub fn pid(&self) -> i32 {
        self.managed.pid()
    }

    /// As a child of this process.
    pub fn child(&self) -> Option<Arc<Child>> {
        self.managed.process().ok()
    }

    /// The same, as who makes workers.
    pub fn maker(&self) -> Option<&Maker> {
        self.maker.as_ref()
    }

    /// Whom its workers must be.
    pub fn user(&self) -> Option<u32> {
        self.user
    }

    /// The last of what it has written.
    pub fn output(&self) -> Vec<u8> {
        self.managed.output().unwrap_or_default()
    }

    /// The next message. Of one look `nth` counts them.
    pub fn hear(&mut self, nth: usize) -> Heard {
        let Some(link) = self.link.as_mut() else { return Heard::Nothing };
        let _ = link.flush();
        if nth >= MOST {
            return Heard::Nothing;
        }
        loop {
            match link.receive(|_| Admission::Granted) {
                Found::Nothing => return Heard::Nothing,
                Found::End => return Heard::End,
                Found::Dropped | Found::Truncated | Found::Denied => return self.hear(nth + 1),
                Found::Stranger(pid) if !self.settled => {
                    let text = format!(
                        "process {pid} has opened the channel of a preloader, and not process {}, which was started: a program between them must \
                         exec the preloader, not start it",
                        self.managed.pid()
                    );
                    return Heard::Wrong(Failure::new(Status::PeerRejected, failure::Category::default(), step::NATIVE_OPEN, text));
                }
                Found::Stranger(_) => {}
                Found::Message(message, _) if message.kind == Kind::Hello && !wire::speaks_with_us(&message) => {
                    let text = format!("the preloader was built with another version of this library: {}", wire::versions_text(&message));
                    return Heard::Wrong(Failure::new(Status::Protocol, failure::Category::default(), step::NATIVE_OPEN, text));
                }
                Found::Message(message, fds) => return Heard::Said(message, fds),
            }
        }
    }

    /// It has opened its channel: it loads.
    pub fn has_opened(&mut self) {
        if self.promoted.is_some() {
            return;
        }
        self.way.end(step::NATIVE_OPEN, clock::now());
        self.way.begin(step::NATIVE_LOAD, clock::now());
    }

    /// It is ready.
    pub fn arrive(&mut self) {
        self.settled = true;
        self.hello_will_do = pidfd::may_open() && pidfd::can_open();
        self.way.end(if self.promoted.is_some() { step::NATIVE_PROMOTION } else { step::NATIVE_LOAD }, clock::now());
        self.user = self.child().and_then(|child| child.pidfd()).and_then(|fd| pidfd::user(fd.as_raw_fd()));
        self.user = self.user.or_else(|| procfs::effective_user(self.pid()));
        if self.promoted.is_none() {
            self.managed.tell_ready();
        }
    }

    /// It never will be ready, for this reason.
    pub fn fail(&mut self, failure: Failure) -> Error {
        self.settled = true;
        // Its last words are in its pipe.
        let child = self.child();
        let exit = child.as_ref().and_then(|child| child.try_reap(false).ok().flatten());
        let error = error_of(failure, self.way.clone(), &self.arguments, self.output(), Some((self.pid(), exit)));
        if self.promoted.is_none() {
            self.managed.tell_failed(error.clone());
        }
        error
    }

    /// The step that its start is at.
    pub fn stage(&self) -> &'static str {
        if self.promoted.is_some() {
            return step::NATIVE_PROMOTION;
        }
        let opened = self.way.step(step::NATIVE_LOAD).is_some_and(|step| step.begin.is_some());
        if opened { step::NATIVE_LOAD } else { step::NATIVE_OPEN }
    }

    /// Whether it has ended, or is about to.
    pub fn is_gone(&self) -> bool {
        let runs = |maker: &Maker| pidfd::life(maker.pidfd.as_raw_fd()) == Life::Running;
        self.ended || !self.maker.as_ref().is_some_and(runs) || procfs::is_dying(self.pid())
    }

    /// Whether it is about to end.
    pub fn is_dying(&self) -> bool {
        !self.over && procfs::is_dying(self.pid())
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<crate::registry::Exit> {
        self.child().and_then(|child| child.exit())
    }

    /// Asks for a worker, who gets this end.
    pub fn fork(&mut self, birth: u64, left_ms: Option<i64>, pooled: bool, end: OwnedFd) -> core::result::Result<(), Errno> {
        let link = self.link.as_mut().ok_or(Errno::EPIPE)?;
        // It answers what it has not read.
        if link.in_line() >= MOST_UNREAD {
            return Err(Errno::ENOBUFS);
        }
        let mut writer = link.write(Kind::Fork);
        writer.birth(birth).left(left_ms);
        let flags = if pooled { wire::POOLED } else { 0 } | if self.hello_will_do { wire::HELLO_WILL_DO } else { 0 };
        if flags != 0 {
            writer.flags(flags);
        }
        let bytes = writer.place(Place::End).finish();
        if link.send_now(&bytes, &[end.as_raw_fd()])? { Ok(()) } else { link.send(bytes, vec![Arc::new(end)]) }
    }

    /// Whether nothing need be said of a worker before its HELLO.
    pub fn hello_will_do(&self) -> bool {
        self.hello_will_do
    }

    /// It shall name all from now on: a filter has come since.
    pub fn must_name(&mut self) {
        self.hello_will_do = false;
    }

    /// Says something of one birth. It does without: a birth that is not called off finds its gate shut, and a zombie is kept two seconds.
    pub fn say(&mut self, kind: Kind, birth: u64) {
        if let Some(link) = self.link.as_mut().filter(|link| link.in_line() < MOST_UNREAD) {
            let bytes = link.write(kind).birth(birth).finish();
            let _ = link.send(bytes, Vec::new());
        }
    }

    /// It is not wanted any more: it goes by itself, or is killed then. Of several times the first counts.
    pub fn leave(&mut self, by: Deadline) {
        if let Some(mut link) = self.link.take() {
            let bytes = link.write(Kind::Stop).finish();
            let _ = link.send(bytes, Vec::new());
        }
        self.killed_at = Some(self.killed_at.map_or(by, |known| known.min(by)));
    }

    /// Whether it is not wanted any more.
    pub fn is_leaving(&self) -> bool {
        self.killed_at.is_some()
    }

    /// It has closed its channel, and was not ready: how it ended is known by then.
    pub fn end_by(&mut self, by: Deadline) {
        self.gone_by = Some(by);
    }

    /// Whether it was to be gone by now.
    pub fn end_is_over(&self, now: i64) -> bool {
        !self.settled && self.gone_by.is_some_and(|by| by.is_over(now))
    }

    /// When it is to be looked at.
    pub fn due(&self) -> Deadline {
        let gone = self.gone_by.filter(|_| !self.settled).unwrap_or(Deadline::NEVER);
        let bury = self.bury.map_or(Deadline::NEVER, |(next, _)| next);
        self.killed_at.filter(|_| !self.ended).unwrap_or(Deadline::NEVER).min(gone).min(bury)
    }

    /// Why it was not ready in time.
    pub fn late_error(&self) -> Error {
        let doing = match self.stage() {
            step::NATIVE_OPEN => "waiting for the preloader to call ps_preload_open",
            step::NATIVE_PROMOTION => "waiting for the worker to say that it is ready to fork",
            _ => "waiting for the preloader to be ready",
        };
        error_of(Failure::timeout(self.stage(), doing), self.way.clone(), &self.arguments, self.output(), Some((self.pid(), None)))
    }

    /// Kills it if it has had its time.
    pub fn kill_if_due(&mut self, now: i64) {
        if self.killed_at.filter(|_| !self.ended).is_some_and(|by| by.is_over(now)) {
            self.killed_at = Some(Deadline::NEVER);
            if let Ok(child) = self.managed.process() {
                child.kill(Cause::Stop);
            }
        }
    }

    /// One that it has borne has died, or is about to, and nobody knows which one it was.
    pub fn has_borne_a_stray(&mut self) {
        self.bury = Some((Deadline::PAST, Deadline::after(BURIED)));
    }

    /// One that it has borne, and that says who it is, cannot be kept. Its number is its own as long as nobody has reaped it.
    pub fn has_turned_away(&mut self, pid: i32) {
        let is_younger = || procfs::start_time(pid).zip(procfs::start_time(self.pid())).is_some_and(|(its, makers)| its >= makers);
        if pid > 1 && !registry::has_number(pid) && wait::own(-1, pid) != Seen::Gone && is_younger() {
            self.turned_away.push(pid);
            self.has_borne_a_stray();
        }
    }

    /// Looks for it.
    pub fn bury(&mut self, now: i64) {
        self.turned_away.retain(|pid| wait::reap(-1, *pid) == Seen::Running);
        if let Some((next, until)) = self.bury.filter(|(next, _)| next.is_over(now)) {
            let found = self.strays.as_ref().is_none_or(Strays::bury);
            self.bury = ((!found && !until.is_over(now)) || !self.turned_away.is_empty())
                .then(|| (next.max(Deadline::at(now)).plus(LOOKED), until));
        }
    }

    /// Whether all that it has borne is known, or gone, since it has ended.
    pub fn is_settled_with(&mut self) -> bool {
        // Whoever looks after it may look at other times.
        if self.promoted.is_some()
            && let Some(child) = self.child()
        {
            let _ = child.try_reap(false);
        }
        self.turned_away.is_empty() && self.strays.as_mut().is_none_or(Strays::settle)
    }
}

/// A control channel, with our greeting in it: our end, and the other one.
fn channel(generation: u32) -> Result<(Link, OwnedFd)> {
    let failed = |fault: crate::sys::Fault| fault.error("cannot make a channel for the preloader");
    let (ours, theirs) = socket::pair().map_err(failed)?;
    let mut link = Link::new(ours, 0);
    link.id = u64::from(generation);
    let bytes = link.write(Kind::Hello).versions().finish();
    link.send(bytes, Vec::new()).map_err(|errno| Error::system("sendmsg", errno, "cannot make a channel for the preloader"))?;
    Ok((link, theirs))
}

fn prepare(recipe: &Recipe, generation: u32) -> Result<(Link, Command, OwnedFd)> {
    let (link, theirs) = channel(generation)?;
    let mut command = recipe.command.as_ref().clone();
    let number = command.free_number();
    command.pass_fd(theirs.as_raw_fd(), number)?;
    command.env(wire::VARIABLE, Some(OsStr::new(&number.to_string())))?;
    command.ready_when_told().keep_output(KEPT);
    Ok((link, command, theirs))
}

/// The error of a start.
fn error_of(
    failure: Failure,
    journey: Journey,
    arguments: &Arguments,
    output: Vec<u8>,
    process: Option<(i32, Option<crate::registry::Exit>)>,
) -> Error {
    let evidence = Evidence {
        journey,
        response: None,
        arguments,
        output,
        pid: process.map(|(pid, _)| pid),
        exit: process.and_then(|(_, exit)| exit),
        preloader: None,
        purpose: Purpose::StartPreloader,
    };
    failure::error(failure, evidence)
}
