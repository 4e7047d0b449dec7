//! What is in the hand of whoever drives a native preloader: its machine, its processes, the births under way and those that wait at their gates.
//!
//! Traps. **Hundreds of gates, one descriptor**: a supervisor watches few descriptors of an errand, so there is a loop of our own here, whose
//! descriptor is watched. **What was said before an end was said**: channels are read before a death is told. **Who was registered is handed over
//! once**: of a worker that its supervisor has, this room only tells whether it gets ready.

mod births;
mod processes;

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::birth::{self, Birth};
use super::machine::{self, Action, End, Event, Id, Machine, Why};
use super::pool::Warming;
use super::process::{LOOKED, Process, Recipe};
use super::promote::{Promotion, Promotions};
use super::request::Request;
use super::theirs::Theirs;
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::preloader::core::{Core as AnyCore, GRACE, Hand, Requests};
use crate::preloader::failure::{Category, Failure, ended};
use crate::preloader::journey::{native_worker, step};
use crate::preloader::native::wire::{Kind, LONGEST};
use crate::preloader::session::Arguments;
use crate::preloader::worker::Listens;
use crate::process::child::Child;
use crate::supervisor::{Host, Wants};
use crate::sys::reactor::{Reactor, Shape, Token, Turn};

/// How long an end is waited for that has announced itself: within the kernel, so it takes a moment where it takes anything.
const SOON: i64 = 1_000 * MILLI;

/// Of so many looks that find something that was said one is at the processes as well.
const OFTEN: u32 = 8;

/// What all share.
pub type Core = AnyCore<Work>;

/// Something to be told.
#[derive(Debug)]
pub enum Item {
    Ask(Arc<Request>),
    /// The process and a full pool are wanted, until then.
    Warm(Id, Deadline, Arc<Warming>),
    /// How much memory of its own a process may have; 0: any.
    Memory(u64),
    /// An event of the machine's, as it is.
    Event(Event),
    /// A worker shall be the next preloader.
    Promote(Arc<Promotion>),
    /// It shall go, for good or not, and what is there has no more time than that.
    End {
        for_good: bool,
        by: Deadline,
    },
}

/// What is watched under a token.
#[derive(Clone, Copy, Debug)]
enum Watched {
    Process(u32),
    /// The pidfd of a preloader that was a worker.
    Promoted(u32),
    Gate(machine::Birth),
    Pidfd(machine::Birth),
}

impl Watched {
    fn token(self) -> Token {
        Token(match self {
            Self::Process(generation) => u64::from(generation) << 2,
            Self::Gate(birth) => birth << 2 | 1,
            Self::Pidfd(birth) => birth << 2 | 2,
            Self::Promoted(generation) => u64::from(generation) << 2 | 3,
        })
    }

    fn of(token: Token) -> Self {
        match token.0 & 3 {
            0 => Self::Process((token.0 >> 2) as u32),
            1 => Self::Gate(token.0 >> 2),
            2 => Self::Pidfd(token.0 >> 2),
            _ => Self::Promoted((token.0 >> 2) as u32),
        }
    }
}

/// See above.
#[derive(Debug)]
pub struct Work {
    machine: Machine,
    /// When that has something to do, if it was asked since it was told something: nothing else changes it.
    machine_due: Cell<Option<Deadline>>,
    arguments: Arc<Arguments>,
    requests: Requests<Self>,
    pub(super) warming: BTreeMap<Id, Arc<Warming>>,
    pub(super) processes: BTreeMap<u32, Process>,
    /// (Boxed: who is taken out of the pool moves none of those that stay.)
    births: BTreeMap<machine::Birth, Box<Birth>>,
    theirs: Theirs<Child>,
    /// How many births were handed over and wait for their supervisors.
    unshown: usize,
    pub(super) events: VecDeque<Event>,
    /// How much memory of its own a process may have; 0: any.
    pub(super) most_memory: u64,
    /// Those that were asked for.
    promotions: Promotions,
    /// Why the last start failed.
    start_error: Option<Error>,
    /// Of a birth that could not be asked for.
    unasked: Option<(machine::Birth, Failure)>,
    /// The last process that has died over something.
    crashed: Option<u32>,
    reactor: Reactor,
    /// How many looks have left out the processes.
    unlooked: u32,
    /// Where messages of workers are received.
    room: Box<[u8]>,
    /// Births that nobody but their callers hears, who wait in their calls: these are watched from the next look at all on.
    alone: Vec<machine::Birth>,
    /// What is watched and need not be: of workers of the pool that are ready. It goes with the next look, which what refills the pool has set a time for.
    stale: Vec<Token>,
    /// Readable when the reactor has something.
    loop_fd: Arc<OwnedFd>,
}

impl Hand for Work {
    type Item = Item;
    type Recipe = Recipe;

    fn ask(request: Arc<Request>) -> Item {
        Item::Ask(request)
    }

    fn call_off(id: Id) -> Item {
        Item::Event(Event::CallOff(id))
    }

    fn end(for_good: bool, by: Deadline) -> Item {
        Item::End { for_good, by }
    }

    fn reload() -> Item {
        Item::Event(Event::Reload)
    }

    fn idle(idle_ns: Option<i64>) -> Item {
        Item::Event(Event::SetIdle(idle_ns))
    }

    fn look(&mut self, core: &Arc<Core>) {
        self.unwatch_stale();
        self.watch_those_alone();
        let turn = self.reactor.turn();
        let found = turn.ready.len();
        for token in turn.ready {
            match Watched::of(token) {
                Watched::Process(generation) => self.listen(generation),
                Watched::Promoted(generation) => self.has_ended(generation),
                Watched::Gate(birth) => self.listen_at(birth),
                Watched::Pidfd(birth) => self.look_at(birth),
            }
        }
        // Theirs is a set of its own, which stays readable: whoever is told of both comes here twice.
        self.unlooked += 1;
        if found == 0 || self.unlooked > OFTEN {
            self.unlooked = 0;
            self.look_at_processes(core);
        }
        self.run(core);
    }

    fn look_at_one(&mut self, core: &Arc<Core>, number: machine::Birth) -> bool {
        let leads_on = self.hear_one(number);
        if leads_on {
            self.run(core);
        } else if self.alone.contains(&number) {
            // It may be heard here alone.
            self.look(core);
        }
        leads_on
    }

    fn hear_one(&mut self, number: machine::Birth) -> bool {
        let Some(birth) = self.births.get_mut(&number) else { return false };
        let heard = birth.hear(&mut self.room);
        // An end stays where it is: what its preloader has to say of it is looked at beside it.
        if matches!(heard, birth::Heard::End | birth::Heard::Nothing) {
            return false;
        }
        self.follow_up(number, heard);
        true
    }

    fn hear(&mut self, core: &Arc<Core>, item: Item) {
        match item {
            Item::Ask(request) => {
                let (id, until) = (request.id, request.until());
                self.requests.insert(id, request);
                self.events.push_back(Event::Ask(id, until));
            }
            Item::Warm(id, until, warming) => self.warm(id, until, warming),
            Item::Memory(bytes) => self.most_memory = bytes,
            Item::Event(event) => {
                if let Event::CallOff(id) = event {
                    self.requests.remove(&id);
                    self.warming.remove(&id);
                }
                self.events.push_back(event);
            }
            Item::Promote(promotion) => self.events.extend(self.promotions.enter(promotion)),
            Item::End { for_good, by } => {
                self.events.push_back(if for_good { Event::Close } else { Event::Stop });
                // Nobody is in line then, so nothing is started before all that is there has heard of its end.
                self.run(core);
                self.processes.values_mut().for_each(|process| process.leave(by));
            }
        }
        self.run(core);
    }

    fn keep_times(&mut self, core: &Arc<Core>) {
        let now = clock::now();
        self.open_gates();
        for process in self.processes.values_mut() {
            process.kill_if_due(now);
            process.bury(now);
        }
        self.give_up_late(now);
        self.forget_ended();
        if self.machine_due().is_over(now) {
            self.events.push_back(Event::Tick);
        }
        self.run(core);
    }

    fn will_do(&self, wants: &Wants) -> bool {
        let fds = usize::from(!self.processes.is_empty()) + usize::from(!self.processes.is_empty() || !self.births.is_empty());
        self.events.is_empty() && self.unshown == 0 && wants.fds.len() == fds && wants.due <= self.due()
    }

    fn wants(&self, core: &Core) -> Wants {
        let due = self.due();
        let mut fds = Vec::with_capacity(2);
        if !self.processes.is_empty() {
            fds.push((core.private_fd.clone(), false));
        }
        if !self.processes.is_empty() || !self.births.is_empty() {
            fds.push((self.loop_fd.clone(), false));
        }
        Wants { fds, due }
    }

    fn is_quiet(&self) -> bool {
        self.processes.is_empty() && self.requests.is_empty() && self.warming.is_empty() && self.births.is_empty()
    }

    fn first_process(&self) -> Option<u32> {
        self.processes.keys().next().copied()
    }

    fn has_one_ready(&self) -> bool {
        // One that serves and has said nothing, nor has gone, is asked for one at once.
        self.machine.idle() > 0 || (self.machine.preloader() == machine::Preloader::Ready && self.reactor.turn() == Turn::default())
    }

    fn give_at_once(&mut self, core: &Arc<Core>, request: &Arc<Request>) -> bool {
        let (id, until) = (request.id, request.until());
        self.requests.insert(id, request.clone());
        // Before what was left to the looks: he has his worker, and then what is missing is made.
        self.events.push_front(Event::Ask(id, until));
        self.run(core);
        // It is at work, and nobody else's place in it has changed.
        self.unshown == 0 && !self.requests.contains_key(&request.id) && request.outcome().is_heard_at_once()
    }
}

impl Listens for Core {
    fn listen(self: Arc<Self>, process: u64) -> bool {
        self.drive_one(process)
    }

    fn listen_at_once(self: Arc<Self>, process: u64, host: &Host) -> bool {
        // Then the pool is filled again, if it may be.
        self.hear_at_once(process, host, clock::now() + machine::PAUSE_NS)
    }

    fn look(self: Arc<Self>) {
        self.drive();
    }
}

impl Work {
    /// `arguments`: what is run, in words, for errors.
    pub fn new(arguments: Arc<Arguments>) -> Result<Self> {
        let failed = |fault: crate::sys::Fault| fault.error("cannot watch a preloader");
        let reactor = Reactor::new(Shape::Flat).map_err(failed)?;
        let copied = reactor.work().map_err(failed)?.try_clone_to_owned();
        let loop_fd = copied
            .map_err(|error| Error::system("fcntl", Errno::from_raw(error.raw_os_error().unwrap_or(0)), "cannot watch a preloader"))?;
        Ok(Self {
            machine: Machine::new(clock::now()),
            machine_due: Cell::new(None),
            arguments,
            requests: Requests::new(),
            warming: BTreeMap::new(),
            processes: BTreeMap::new(),
            births: BTreeMap::new(),
            theirs: Theirs::default(),
            promotions: Promotions::default(),
            unshown: 0,
            events: VecDeque::new(),
            most_memory: 0,
            start_error: None,
            unasked: None,
            crashed: None,
            reactor,
            unlooked: 0,
            room: vec![0; LONGEST].into_boxed_slice(),
            alone: Vec::new(),
            stale: Vec::new(),
            loop_fd: Arc::new(loop_fd),
        })
    }

    fn machine_due(&self) -> Deadline {
        let due = self.machine_due.get().unwrap_or_else(|| self.machine.due());
        self.machine_due.set(Some(due));
        due
    }

    /// When something is to be done whatever has come.
    fn due(&self) -> Deadline {
        let mut due = self.machine_due();
        if self.unshown > 0 {
            // What makes it is about to return.
            due = Deadline::at(1);
        }
        due = self.processes.values().map(Process::due).fold(due, Deadline::min);
        due = self.births.values().map(|birth| birth.until).fold(due, Deadline::min);
        if self.processes.values().any(|process| process.ended) {
            due = due.min(Deadline::after(LOOKED));
        }
        due
    }

    /// Tells the machine, and carries out what it decides, until there is nothing more.
    fn run(&mut self, core: &Arc<Core>) {
        while let Some(event) = self.events.pop_front() {
            self.machine_due.set(None);
            for action in self.machine.step(event, clock::now()) {
                self.carry_out(core, action);
            }
            // What it was told of is told by now to who asked.
            if let Event::BirthFailed(number, _) = event {
                self.forget(number);
                self.unasked.take_if(|(unasked, _)| *unasked == number);
            }
        }
        core.last_used.store(self.machine.last_used(), Ordering::Release);
        let serving = self.machine.serving().and_then(|generation| self.processes.get(&generation));
        core.pid.store(serving.filter(|process| !process.is_leaving()).map_or(0, Process::pid), Ordering::Release);
    }

    fn carry_out(&mut self, core: &Arc<Core>, action: Action) {
        match action {
            Action::Start(generation) => self.start(core, generation),
            Action::Leave(generation) => {
                if let Some(process) = self.processes.get_mut(&generation) {
                    // One that loads the application still does not look at its channel.
                    process.leave(if process.settled { Deadline::after(GRACE) } else { Deadline::PAST });
                    self.reactor.remove(Watched::Process(generation).token());
                }
            }
            Action::Fork(generation, number, whose) => self.fork(core, generation, number, whose),
            Action::Adopt(number, id) => self.adopt(core, number, id),
            Action::Discard(number) => self.discard(number),
            Action::Fail(id, end) => self.fail(id, end),
            Action::Warmed(id) => {
                if let Some(warming) = self.warming.remove(&id) {
                    warming.settle(Ok(()));
                }
            }
            Action::Promote(birth, generation) => self.promote(core, birth, generation),
            Action::Promoted(birth, generation) => {
                if let Some(process) = self.processes.get_mut(&generation) {
                    // It is one: nobody goes back on that.
                    process.say(Kind::Go, birth);
                }
                self.promotions.settle(birth, Ok(()));
            }
            Action::PromoteFailed(birth, why) => self.unpromote(birth, why),
        }
    }

    fn fail(&mut self, id: Id, end: End) {
        let request = self.requests.remove(&id);
        let arguments = self.arguments.clone();
        let of_nobody = |failure: Failure, output| birth::error_of(failure, native_worker(), None, None, output, &arguments);
        let plain = |status, why: &str| Error::new(status, "preloader", format!("{why} before it had made the worker"));
        let error = match end {
            End::NotStarted(_) => self.start_error.clone().unwrap_or_else(|| Error::new(Status::Internal, "start", "it was not started")),
            End::LateInLine(started) => match started.and_then(|generation| self.processes.get(&generation)) {
                Some(process) => process.late_error(),
                None => of_nobody(Failure::timeout(step::NATIVE_FORK, "waiting for its turn at the preloader"), Vec::new()),
            },
            End::Late(number) => {
                let failure = Failure::timeout(step::NATIVE_FORK, "waiting for the preloader to fork the worker");
                self.error_of_birth(number, failure)
            }
            End::Failed(number, why) => {
                let known = self.births.get_mut(&number).and_then(|birth| birth.failure.take());
                let unasked = self.unasked.take_if(|(unasked, _)| *unasked == number).map(|(_, failure)| failure);
                let failure = known.or(unasked).unwrap_or_else(|| of_why(why));
                self.error_of_birth(number, failure)
            }
            End::Crashed => {
                let process = self.crashed.and_then(|generation| self.processes.get(&generation));
                let how = process.and_then(Process::exit).map_or_else(String::new, |exit| format!(" ({})", ended(&exit)));
                let text = format!("the preloader has died over the worker, was started again, and has died over it again{how}");
                let output = process.map(Process::output).unwrap_or_default();
                of_nobody(Failure::new(Status::Exited, Category::default(), step::NATIVE_FORK, text), output)
            }
            End::DeadBirths(count) => {
                let text = format!(
                    "{count} workers in a row have died before they were ready: nothing is born any more until the preloader is reloaded or stopped"
                );
                of_nobody(Failure::new(Status::State, Category::default(), step::NATIVE_FORK, text), Vec::new())
            }
            End::TooBig(_) => {
                let text = "two preloaders in a row had more memory than they may have, before the pool was full";
                of_nobody(Failure::new(Status::Limit, Category::default(), step::NATIVE_FORK, text), Vec::new())
            }
            End::Stopped => plain(Status::Cancelled, "the preloader was stopped"),
            End::Closed => plain(Status::Shutdown, "the preloader was freed"),
        };
        match (request, self.warming.remove(&id)) {
            (Some(request), _) => request.fail(error),
            (None, Some(warming)) => warming.settle(Err(error)),
            (None, None) => {}
        }
    }

    fn error_of_birth(&self, number: machine::Birth, failure: Failure) -> Error {
        let Some(birth) = self.births.get(&number) else {
            return birth::error_of(failure, native_worker(), None, None, Vec::new(), &self.arguments);
        };
        let output = self.processes.get(&birth.generation).map(Process::output).unwrap_or_default();
        birth.error(failure, None, output, &self.arguments)
    }
}

fn of_why(why: Why) -> Failure {
    let (status, text) = match why {
        Why::Refused => (Status::Aborted, "the preloader has refused to fork the worker"),
        Why::Unproven => (Status::PeerRejected, "whoever came is not the worker"),
        Why::Died => (Status::Exited, "the worker has ended before it was at its gate"),
        Why::Late => (Status::Timeout, "the worker was not at its gate in time"),
        Why::Lost => (Status::Exited, "the preloader has ended"),
    };
    Failure::new(status, Category::default(), step::NATIVE_FORK, text)
}
