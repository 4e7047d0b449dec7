//! One fork that was asked for, and whoever comes of it: until it is ready, it is this room's.
//!
//! ```text
//!   ask --FORK--> asked --HELLO, proven, in the registry--> at its gate --adopted--> with its supervisor --shown, GO--> at work --READY--> ready
//! ```
//!
//! Traps. **Law 7**: the gate is opened when the worker is in the registry, and its supervisor has it; both may be two looks apart. **The gate is
//! the tie**: whoever waits there finds the end when this value goes, and ends. **A message of a process may be its last**: what it has said is
//! read before its end is believed.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::machine;
use super::process::Process;
use super::request::Request;
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::preloader::failure::{self, Category, Evidence, Failure};
use crate::preloader::journey::{native_worker, step};
use crate::preloader::native::wire::{self, Kind, Link, Place};
use crate::preloader::session::{Arguments, Purpose};
use crate::preloader::worker::{Gate, Listens};
use crate::process::adopt::{Bounds, Claim, Expected, Newborn, Pipe, Streams, pipe_for};
use crate::process::child::Child;
use crate::registry::{self, Cause, Exit};
use crate::sys::{fds, pidfd, poll, socket};

/// Messages of one look.
const MOST: usize = 16;

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// FORK was said.
    Asked(Expected),
    /// It waits at its gate.
    AtGate(Newborn),
    /// Its request has it; its supervisor may not have it yet.
    Adopted(Arc<Child>),
    /// Its gate is open.
    AtWork(Arc<Child>),
    /// Nothing came of it, or it was given on.
    Over,
}

/// What a look at it has found.
#[derive(Debug)]
pub enum Heard {
    /// Nothing that matters.
    Nothing,
    /// It says that it waits at its gate: to be proven.
    Hello,
    /// It is ready.
    Ready,
    /// It never will be.
    Failed(Failure),
    /// It has ended, or nobody holds the other end of its channel.
    End,
}

/// See above. (The place in the registry goes before the socket that it names: the order of the fields.)
#[derive(Debug)]
pub struct Birth {
    pub number: machine::Birth,
    pub generation: u32,
    /// Whose it is.
    pub request: Option<Arc<Request>>,
    stage: Stage,
    link: Link,
    /// Who says HELLO, by the kernel's word.
    speaker: i32,
    /// What is wrong with what it speaks.
    version: Option<String>,
    /// What BORN has brought.
    named: Option<OwnedFd>,
    /// BORN has come.
    born: bool,
    /// It need not come.
    hello_will_do: bool,
    /// For what it says, if that is kept: made while it is forked, or waits in the pool.
    pipe: Option<Pipe>,
    /// It was born for nobody.
    pooled: bool,
    /// What is given to it with GO.
    given: Vec<(Arc<OwnedFd>, i32)>,
    /// The same by the caller's own numbers, who is in his call.
    lent: Vec<(RawFd, i32)>,
    way: Journey,
    /// When it must be at its gate; when it must be ready, then.
    pub until: Deadline,
    /// Why nothing came of it.
    pub failure: Option<Failure>,
}

impl Birth {
    /// Asks for it. `Err`: it could not even be asked for, and why.
    pub fn ask(
        number: machine::Birth,
        generation: u32,
        request: Option<Arc<Request>>,
        process: &mut Process,
        until: Deadline,
    ) -> core::result::Result<Self, Failure> {
        let mut way = native_worker();
        let now = clock::now();
        way.begin(step::NATIVE_PREPARATION, now);
        let (link, theirs, expected) = match prepare(number) {
            Ok(prepared) => prepared,
            Err(error) => return Err(Failure::of(step::NATIVE_PREPARATION, &error)),
        };
        way.end(step::NATIVE_PREPARATION, clock::now());
        way.begin(step::NATIVE_FORK, clock::now());
        let left = (!until.is_never()).then(|| until.left(clock::now()) / clock::MILLI);
        process.fork(number, left, request.is_none(), theirs).map_err(|errno| match errno {
            Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN => {
                Failure::new(Status::Exited, Category::Io, step::NATIVE_FORK, "the preloader does not listen any more")
            }
            errno => Failure::of(step::NATIVE_FORK, &Error::system("sendmsg", errno, "cannot ask the preloader for a worker")),
        })?;
        let pooled = request.is_none();
        Ok(Self {
            number,
            generation,
            request,
            stage: Stage::Asked(expected),
            link,
            speaker: 0,
            version: None,
            named: None,
            born: false,
            hello_will_do: process.hello_will_do(),
            pipe: None,
            pooled,
            given: Vec::new(),
            lent: Vec::new(),
            way,
            until,
            failure: None,
        })
    }

    /// While the preloader forks there is time: the pipe that its request will need for what is said is made. Where none can be had (EMFILE), that is told
    /// when it is needed.
    pub fn prepare(&mut self) {
        if let Some(request) = &self.request {
            self.pipe = pipe_for(request.command());
        }
    }

    /// What it is watched by: its channel.
    pub fn socket(&self) -> &Arc<OwnedFd> {
        self.link.socket()
    }

    /// Where who waits for it may hear it at once.
    pub fn gate(&self, core: &Arc<super::work::Core>) -> Gate {
        let listener: std::sync::Weak<dyn Listens> = Arc::downgrade(core) as _;
        Gate { process: self.number, socket: Arc::downgrade(self.socket()), listener, at_once: false }
    }

    /// Readable when it has ended, since it is known.
    pub fn pidfd(&self) -> Option<Arc<OwnedFd>> {
        match &self.stage {
            Stage::AtGate(newborn) => newborn.pidfd(),
            Stage::Adopted(child) | Stage::AtWork(child) => child.pidfd(),
            Stage::Asked(_) | Stage::Over => None,
        }
    }

    /// Its process, as far as it is known; for display.
    pub fn pid(&self) -> Option<i32> {
        match &self.stage {
            Stage::AtGate(newborn) => Some(newborn.pid()),
            Stage::Adopted(child) | Stage::AtWork(child) => Some(child.pid()),
            Stage::Asked(_) | Stage::Over => Some(self.speaker).filter(|pid| *pid > 0),
        }
    }

    /// Whether it was born for the pool.
    pub fn was_pooled(&self) -> bool {
        self.pooled
    }

    pub fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Asked(_))
    }

    pub fn is_at_gate(&self) -> bool {
        matches!(self.stage, Stage::AtGate(_))
    }

    pub fn is_at_work(&self) -> bool {
        matches!(self.stage, Stage::AtWork(_))
    }

    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// The process that it has become, once it is its request's.
    pub fn child(&self) -> Option<&Arc<Child>> {
        match &self.stage {
            Stage::Adopted(child) | Stage::AtWork(child) => Some(child),
            _ => None,
        }
    }

    /// The step that it is at.
    pub fn stage(&self) -> &'static str {
        match self.stage {
            Stage::Asked(_) => step::NATIVE_FORK,
            Stage::AtGate(_) | Stage::Adopted(_) => step::NATIVE_GATE,
            Stage::AtWork(_) | Stage::Over => step::NATIVE_WORK,
        }
    }

    /// Whoever stands there, or comes from now on, finds the end: also where a forked copy of the host has the gate open. (The gate of who works is its
    /// channel.)
    pub fn shut(&self) {
        if self.child().is_none() {
            socket::shut(self.link.socket().as_raw_fd());
        }
    }

    /// The same of one that was handed over and has not been let in: somebody who waits for him may just be looking at the gate, and holds it open.
    pub fn let_go(&self) {
        if !self.is_at_work() {
            socket::shut(self.link.socket().as_raw_fd());
        }
    }

    /// Nobody comes there any more.
    pub fn close(&mut self) {
        self.stage = Stage::Over;
        self.shut();
    }

    /// The preloader has named it.
    pub fn was_named(&mut self, pidfd: Option<OwnedFd>) {
        // One that was proven is held already: in a pool that would be one descriptor more for each.
        self.named = pidfd.filter(|_| self.is_asked());
        self.born = true;
    }

    /// Who has come is somebody who was there before: no pidfd needs to be waited for to say so.
    pub fn came_as_another(&mut self, process: &Process) -> Option<Failure> {
        let why = match self.speaker {
            pid if pid == process.pid() => "is who was asked to make it",
            pid if registry::is_alive(pid) => "is a child already",
            _ => return None,
        };
        self.begin_proof();
        let text = format!("process {} {why}", self.speaker);
        Some(Failure::new(Status::PeerRejected, Category::default(), step::NATIVE_PROOF, text))
    }

    /// Whether nothing can be proven yet of who has come. It and its preloader speak on two channels: where no pidfd can be opened here (a filter), the
    /// one that BORN brings is waited for.
    pub fn must_wait(&mut self) -> bool {
        if self.named.is_some() || self.born {
            return self.speaker <= 0;
        }
        match pidfd::open(self.speaker).and_then(fds::above_standard) {
            Ok(pidfd) => self.named = Some(pidfd),
            Err(Errno::ENOSYS | Errno::EPERM) => return !self.hello_will_do,
            Err(_) => {}
        }
        false
    }

    /// Nothing came of it because it was not named, for that was not thought to be needed.
    pub fn was_to_be_named(&self, failure: &Failure) -> bool {
        failure.status == Status::Unsupported && self.hello_will_do && !self.born
    }

    /// Listens to it. `room`: in which the longest message fits.
    pub fn hear(&mut self, room: &mut [u8]) -> Heard {
        for _ in 0..MOST {
            let mut speaker = 0;
            let found = self.link.receive_in(room, |sender| {
                speaker = sender.pid;
                Admission::Granted
            });
            let first = speaker > 0;
            match found {
                Found::Nothing => return Heard::Nothing,
                Found::End => return Heard::End,
                Found::Denied => return Heard::Failed(self.refused("the kernel does not say who it is")),
                Found::Dropped | Found::Truncated | Found::Stranger(_) if !first => {}
                Found::Message(message, _) if first && message.kind == Kind::Hello => {
                    self.speaker = speaker;
                    self.version = (!wire::speaks_with_us(&message)).then(|| wire::versions_text(&message));
                    return Heard::Hello;
                }
                _ if first => {
                    self.speaker = speaker;
                    self.version = Some("the first that it says is no HELLO".to_owned());
                    return Heard::Hello;
                }
                Found::Message(message, _) => match message.kind {
                    Kind::Ready if self.is_at_work() => return Heard::Ready,
                    Kind::Failed if self.is_at_work() => {
                        let text = message.body.text.unwrap_or_default();
                        return Heard::Failed(Failure::said(step::NATIVE_WORK, "the worker could not get ready", &text));
                    }
                    _ => {}
                },
                Found::Dropped | Found::Truncated | Found::Stranger(_) => {}
            }
        }
        Heard::Nothing
    }

    fn begin_proof(&mut self) {
        let now = clock::now();
        self.way.end(step::NATIVE_FORK, now);
        self.way.begin(step::NATIVE_PROOF, now);
    }

    fn refused(&self, why: &str) -> Failure {
        Failure::new(Status::PeerRejected, Category::default(), step::NATIVE_PROOF, format!("whoever speaks as the worker is none: {why}"))
    }

    /// It is who it should be: in the registry when this returns.
    pub fn prove(&mut self, process: &Process) -> core::result::Result<(), Failure> {
        self.begin_proof();
        let failed = |error: Error| Failure::of(step::NATIVE_PROOF, &error);
        let maker = process.maker().ok_or_else(|| failed(Error::new(Status::Internal, "preloader", "a preloader without a process")))?;
        let pid = self.speaker;
        // One that was opened here by that number is looked at below.
        let opened = !self.born;
        let is_its = |fd: &OwnedFd| opened || pidfd::number_here(fd.as_raw_fd()) == Some(pid);
        let pidfd = match self.named.take().filter(is_its) {
            Some(pidfd) => pidfd,
            None => match pidfd::open(pid).and_then(fds::above_standard) {
                Ok(pidfd) => pidfd,
                Err(Errno::ESRCH) => return Err(Failure::ended_at(step::NATIVE_PROOF, pid, None)),
                Err(errno @ (Errno::ENOSYS | Errno::EPERM)) => {
                    let text = format!(
                        "no pidfd of process {pid} is to be had: pidfd_open is refused here, and its preloader has sent none ({errno})"
                    );
                    return Err(failed(Error::new(Status::Unsupported, "pidfd_open", text)));
                }
                Err(errno) => return Err(failed(Error::system("pidfd_open", errno, format!("cannot keep process {pid}")))),
            },
        };
        let Stage::Asked(expected) = std::mem::replace(&mut self.stage, Stage::Over) else { return Ok(()) };
        let claim = Claim { pid, pidfd, maker, user: None, bounds: Bounds::default() };
        let newborn = expected.prove_and_register(claim).map_err(|error| {
            if error.status == Status::Exited { Failure::ended_at(step::NATIVE_PROOF, pid, None) } else { failed(error) }
        })?;
        // From here on it is ended and reaped by us, whatever is wrong with it.
        let wrong = |status, text| Failure::new(status, Category::default(), step::NATIVE_PROOF, text);
        if let Some(version) = self.version.take() {
            return Err(wrong(Status::Protocol, format!("the worker speaks another protocol: {version}")));
        }
        let is = newborn.user();
        if is != process.user() {
            let shown = |user: Option<u32>| user.map_or_else(|| "nobody's".to_owned(), |user| format!("user {user}'s"));
            let text = format!("process {pid} is {}, and its preloader {}", shown(is), shown(process.user()));
            return Err(wrong(Status::PeerRejected, text));
        }
        self.stage = Stage::AtGate(newborn);
        if self.request.is_none() {
            self.pipe = Pipe::new().ok();
        }
        self.way.end(step::NATIVE_PROOF, clock::now());
        Ok(())
    }

    /// It is this request's from now on, and its child's handle gets it. `Err`: why not; it is dead then.
    pub fn adopt(&mut self, request: &Arc<Request>) -> core::result::Result<(), Failure> {
        self.request = Some(request.clone());
        self.until = request.until();
        self.way.begin(step::NATIVE_GATE, clock::now());
        let failed = |error: Error| Failure::of(step::NATIVE_GATE, &error);
        let Stage::AtGate(newborn) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return Err(failed(Error::new(Status::Internal, "adopt", "nobody waits at that gate")));
        };
        let pid = newborn.pid();
        let make = if request.is_lent() { Streams::lending } else { Streams::of };
        let mut streams = make(request.command(), &mut self.pipe).map_err(failed)?;
        self.pipe = None;
        (self.given, self.lent) = (streams.shared().collect(), streams.take_lent());
        let child = newborn.into_child(request.command(), streams).map_err(|error| match error.status {
            Status::Exited => Failure::ended_at(step::NATIVE_GATE, pid, None),
            _ => failed(error),
        })?;
        let child = Arc::new(child);
        // Its end of the tie lives as long as it does, whoever else lets it go.
        child.keep(self.link.socket().clone());
        self.stage = Stage::Adopted(child.clone());
        if let Some(managed) = request.managed() {
            managed.made(Ok(child));
        }
        Ok(())
    }

    /// Opens its gate, if its supervisor has it. `Some(false)`: it could not be opened. `None`: not yet.
    pub fn open_gate(&mut self) -> Option<bool> {
        let Stage::Adopted(child) = &self.stage else { return None };
        let managed = self.request.as_ref()?.managed()?;
        if managed.process_so_far()?.pid() != child.pid() {
            return None;
        }
        let child = child.clone();
        let sent = self.say_go();
        self.stage = Stage::AtWork(child);
        let now = clock::now();
        self.way.end(step::NATIVE_GATE, now);
        self.way.begin(step::NATIVE_WORK, now);
        Some(sent.is_ok())
    }

    fn say_go(&mut self) -> core::result::Result<(), Errno> {
        let mut writer = self.link.write(Kind::Go);
        let targets = self.given.iter().map(|(_, to)| to).chain(self.lent.iter().map(|(_, to)| to));
        targets.for_each(|to| _ = writer.place(Place::To(*to)));
        let bytes = writer.finish();
        let numbers: Vec<RawFd> = self.given.iter().map(|(fd, _)| fd.as_raw_fd()).chain(self.lent.iter().map(|(fd, _)| *fd)).collect();
        match self.link.send_now(&bytes, &numbers) {
            Ok(true) => {
                self.given.clear();
                self.lent.clear();
                Ok(())
            }
            Ok(false) => {
                self.keep_lent()?;
                let given = std::mem::take(&mut self.given);
                self.link.send(bytes, given.into_iter().map(|(fd, _)| fd).collect())
            }
            Err(errno) => {
                // Of a number that is none of the caller's any more.
                let pinned = if errno == Errno::EBADF { self.request.as_ref().map(|request| request.pin()) } else { None };
                self.failure = pinned.and_then(Result::err).map(|error| Failure::of(step::NATIVE_GATE, &error));
                Err(errno)
            }
        }
    }

    /// What is lent is ours from now on: it is sent later.
    pub fn keep_lent(&mut self) -> core::result::Result<(), Errno> {
        for (number, to) in std::mem::take(&mut self.lent) {
            self.given.push((Arc::new(fds::duplicate_number(number)?), to));
        }
        Ok(())
    }

    /// Says what could not be said at once. `true`: there is more.
    pub fn flush(&mut self) -> bool {
        let _ = self.link.flush();
        self.link.wants_to_write()
    }

    /// Whether its process has ended, as far as it is known: also reaped, if it is ours.
    pub fn has_ended(&mut self) -> bool {
        match &self.stage {
            Stage::AtGate(newborn) => newborn.has_ended(),
            Stage::Adopted(child) | Stage::AtWork(child) => {
                use std::os::fd::AsFd;
                let readable = |pidfd: Arc<OwnedFd>| poll::wait(&[pidfd.as_fd()], Deadline::PAST) == Ok(true);
                child.exit().is_some() || child.pidfd().is_none_or(readable)
            }
            Stage::Asked(_) | Stage::Over => false,
        }
    }

    /// How it ended, if that is known already; it is reaped where it can be.
    pub fn exit(&mut self) -> Option<Exit> {
        match &mut self.stage {
            Stage::AtGate(newborn) => newborn.reap(),
            Stage::Adopted(child) | Stage::AtWork(child) => child.try_reap(false).ok().flatten(),
            Stage::Asked(_) | Stage::Over => None,
        }
    }

    /// It is ready: what remains of it is its way.
    pub fn arrive(mut self) -> (Journey, Arc<OwnedFd>) {
        self.way.end(step::NATIVE_WORK, clock::now());
        (self.way, self.link.socket().clone())
    }

    /// Kills it, if it is its request's already.
    pub fn kill(&self) {
        if let Stage::Adopted(child) | Stage::AtWork(child) = &self.stage
            && !child.is_stopping()
        {
            child.kill(Cause::NotReady);
        }
    }

    /// Why it failed, with all that is known.
    pub fn error(&self, failure: Failure, exit: Option<Exit>, output: Vec<u8>, arguments: &Arguments) -> Error {
        error_of(failure, self.way.clone(), self.pid(), exit, output, arguments)
    }
}

/// The error of a worker, or of one that never came.
pub fn error_of(failure: Failure, journey: Journey, pid: Option<i32>, exit: Option<Exit>, output: Vec<u8>, arguments: &Arguments) -> Error {
    let evidence = Evidence { journey, response: None, arguments, output, pid, exit, preloader: None, purpose: Purpose::Worker };
    failure::error(failure, evidence)
}

fn prepare(number: machine::Birth) -> Result<(Link, OwnedFd, Expected)> {
    let (ours, theirs) = socket::pair().map_err(|fault| fault.error("cannot make a channel for a worker"))?;
    let expected = Expected::new(Some(ours.as_raw_fd()))?;
    let mut link = Link::lean(ours, 0);
    link.id = number;
    Ok((link, theirs, expected))
}
