//! What is in the hand of whoever drives a native preloader: its machine, its processes, the births under way and those that wait at their gates.
//!
//! Traps. **Hundreds of gates, one descriptor**: a supervisor watches few descriptors of an errand, so there is a loop of our own here, whose
//! descriptor is watched. **What was said before an end was said**: channels are read before a death is told. **Who was registered is handed over
//! once**: of a worker that its supervisor has, this room only tells whether it gets ready.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use nix::errno::Errno;

use super::birth::{self, Birth};
use super::machine::{self, Action, End, Event, Id, Machine, Unpromoted, Why};
use super::pool::Warming;
use super::process::{Heard, LOOKED, Process, Recipe};
use super::promote::{self, Promotion, Promotions};
use super::request::Request;
use super::theirs::Theirs;
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::preloader::core::{Core as AnyCore, GRACE, Hand, Requests};
use crate::preloader::failure::{Category, Failure, blame, ended};
use crate::preloader::follow::{Arrived, Moment};
use crate::preloader::journey::{native_worker, step};
use crate::preloader::native::post::Post;
use crate::preloader::native::wire::{Kind, Message};
use crate::preloader::session::Arguments;
use crate::preloader::worker::Listens;
use crate::process::child::Child;
use crate::registry::Tie;
use crate::supervisor::{Wants, What};
use crate::sys::reactor::{Reactor, Shape, Token};

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
    arguments: Arc<Arguments>,
    requests: Requests<Self>,
    pub(super) warming: BTreeMap<Id, Arc<Warming>>,
    pub(super) processes: BTreeMap<u32, Process>,
    births: BTreeMap<machine::Birth, Birth>,
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
        let Some(birth) = self.births.get_mut(&number) else { return false };
        let heard = birth.hear();
        // An end stays where it is: what its preloader has to say of it is looked at beside it.
        if matches!(heard, birth::Heard::End | birth::Heard::Nothing) {
            return false;
        }
        self.follow_up(number, heard);
        self.run(core);
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
        if self.machine.due().is_over(now) {
            self.events.push_back(Event::Tick);
        }
        self.run(core);
    }

    fn wants(&self, core: &Core) -> Wants {
        let mut due = self.machine.due();
        if self.unshown > 0 {
            // What makes it is about to return.
            due = Deadline::at(1);
        }
        due = self.processes.values().map(Process::due).fold(due, Deadline::min);
        due = self.births.values().map(|birth| birth.until).fold(due, Deadline::min);
        if self.processes.values().any(|process| process.ended) {
            due = due.min(Deadline::after(LOOKED));
        }
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
        self.machine.idle() > 0
    }
}

impl Listens for Core {
    fn listen(self: Arc<Self>, process: u64) -> bool {
        self.drive_one(process)
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
            stale: Vec::new(),
            loop_fd: Arc::new(loop_fd),
        })
    }

    // ---- processes ----

    fn start(&mut self, core: &Arc<Core>, generation: u32) {
        core.count(generation);
        match Process::start(&core.recipe(), &core.private, generation) {
            Ok(process) => {
                self.processes.insert(generation, process);
                self.watch_process(generation);
            }
            Err(error) => {
                self.start_error = Some(error);
                self.events.push_back(Event::StartFailed(generation));
            }
        }
    }

    fn watch_process(&mut self, generation: u32) {
        let token = Watched::Process(generation).token();
        match self.processes.get(&generation).and_then(Process::socket) {
            Some((socket, writing)) => _ = self.reactor.put(token, &socket, writing),
            None => _ = self.reactor.remove(token),
        }
    }

    /// What a preloader says, as far as one look takes it.
    fn listen(&mut self, generation: u32) {
        for nth in 0.. {
            let Some(process) = self.processes.get_mut(&generation) else { return };
            match process.hear(nth) {
                Heard::Nothing => return self.watch_process(generation),
                Heard::Said(message, fds) => self.hear_of(generation, message, fds),
                Heard::Wrong(failure) => return self.fail_start(generation, failure),
                Heard::End => {
                    self.reactor.remove(Watched::Process(generation).token());
                    return self.goes(generation);
                }
            }
        }
    }

    fn hear_of(&mut self, generation: u32, message: Message, mut fds: Vec<OwnedFd>) {
        let Some(process) = self.processes.get_mut(&generation) else { return };
        let body = message.body;
        let number = body.birth.unwrap_or(0);
        let is_its = |birth: &&mut Birth| birth.generation == generation;
        match message.kind {
            Kind::Hello => process.has_opened(),
            Kind::Ready if !process.settled => {
                process.arrive();
                self.events.push_back(Event::Started(generation));
            }
            Kind::Failed if !process.settled => {
                let text = body.text.as_deref().unwrap_or_default();
                let failure = match process.promoted() {
                    Some(_) => promote::refused(body.refusal(), text),
                    None => Failure::said(step::NATIVE_LOAD, "the application could not be loaded", text),
                };
                self.fail_start(generation, failure);
            }
            Kind::Born => {
                if let Some(birth) = self.births.get_mut(&number).filter(is_its) {
                    birth.was_named(fds.pop());
                    let has_come = birth.is_asked() && !birth.must_wait();
                    self.events.push_back(Event::Born(number));
                    if has_come {
                        self.prove(number);
                    }
                }
            }
            Kind::Refused => {
                if let Some(birth) = self.births.get_mut(&number).filter(is_its).filter(|birth| birth.is_asked()) {
                    let text = body.text.as_deref().unwrap_or("without a reason");
                    let errno = body.errno.map(Errno::from_raw);
                    birth.failure = Some(Failure { errno, ..Failure::declined(body.refusal(), text) });
                    self.fail_birth(number, Why::Refused);
                }
            }
            Kind::Ended => self.hear_of_end(generation, number),
            Kind::Leaving => self.goes(generation),
            _ => {}
        }
    }

    /// A worker that is its child has ended, and is a zombie until we have seen how it ended.
    fn hear_of_end(&mut self, generation: u32, number: machine::Birth) {
        self.look_at(number);
        if let Some(child) = self.theirs.take(number) {
            let _ = child.try_reap(false);
        }
        if let Some(process) = self.processes.get_mut(&generation) {
            process.say(Kind::Release, number);
        }
    }

    /// It says no more, or that it goes: what it was asked for comes to nothing.
    fn goes(&mut self, generation: u32) {
        let Some(process) = self.processes.get_mut(&generation).filter(|process| !process.over) else { return };
        process.over = true;
        if process.settled {
            self.listen_to_births(generation);
            // Nobody is made again after kill-all: as nobody is started again.
            if self.processes.get(&generation).and_then(Process::child).is_some_and(|child| child.was_killed_with_all()) {
                self.events.push_back(Event::Stop);
            }
            self.crashed = Some(generation);
            self.events.push_back(Event::Ended(generation));
        } else {
            // How it has ended is known in a moment.
            process.end_by(Deadline::after(SOON));
        }
    }

    fn fail_start(&mut self, generation: u32, failure: Failure) {
        let Some(process) = self.processes.get_mut(&generation) else { return };
        if process.settled {
            return self.goes(generation);
        }
        let error = process.fail(failure);
        match process.promoted() {
            Some(birth) => self.promotions.blame(birth, error),
            None => self.start_error = Some(error),
        }
        self.events.push_back(Event::StartFailed(generation));
    }

    fn look_at_processes(&mut self, core: &Arc<Core>) {
        if self.processes.is_empty() {
            return;
        }
        while let Ok(Some(event)) = core.private.take_event(0) {
            let generation = event.token() as u32;
            if let What::Exited { .. } = &event.what {
                self.has_ended(generation);
            }
        }
    }

    fn has_ended(&mut self, generation: u32) {
        // What it said in its last moment.
        self.listen(generation);
        let Some(process) = self.processes.get_mut(&generation) else { return };
        process.ended = true;
        self.reactor.remove(Watched::Process(generation).token());
        self.reactor.remove(Watched::Promoted(generation).token());
        if !process.settled {
            let failure = Failure::ended_at(process.stage(), process.pid(), process.exit().as_ref());
            self.fail_start(generation, failure);
        }
        self.goes(generation);
    }

    /// Those that have ended go with all that they have borne.
    fn forget_ended(&mut self) {
        let ended: Vec<u32> = self.processes.iter().filter(|(_, process)| process.ended).map(|(generation, _)| *generation).collect();
        for generation in ended {
            // Their gates are shut: whoever comes finds the end. Who has come before that is heard, for nobody else would ever know him.
            self.births.values().filter(|birth| birth.generation == generation && birth.is_asked()).for_each(Birth::shut);
            self.listen_to_births(generation);
            self.births.retain(|number, birth| {
                let gone = birth.generation == generation && birth.is_asked();
                if gone {
                    self.reactor.remove(Watched::Gate(*number).token());
                }
                !gone
            });
            if self.processes.get_mut(&generation).is_some_and(Process::is_settled_with) {
                self.processes.remove(&generation);
            }
        }
    }

    fn promote(&mut self, core: &Arc<Core>, birth: machine::Birth, generation: u32) {
        core.count(generation);
        let Some(promotion) = self.promotions.get(birth) else { return self.events.push_back(Event::StartFailed(generation)) };
        match Process::promote(promotion, generation, self.arguments.clone()) {
            Ok(process) => {
                let pidfd = process.child().and_then(|child| child.pidfd());
                self.processes.insert(generation, process);
                self.watch_process(generation);
                match pidfd.map(|pidfd| self.reactor.add(Watched::Promoted(generation).token(), &pidfd)) {
                    Some(Ok(())) => {}
                    // Its end would not be heard of.
                    Some(Err(fault)) => {
                        let failure = Failure::of(step::NATIVE_PROMOTION, &fault.error("cannot watch the worker"));
                        self.fail_start(generation, failure);
                    }
                    None => self.has_ended(generation),
                }
            }
            Err(error) => {
                self.promotions.blame(birth, error);
                self.events.push_back(Event::StartFailed(generation));
            }
        }
    }

    /// It stays what it is: its channel is closed, and so it knows.
    fn unpromote(&mut self, birth: machine::Birth, why: Unpromoted) {
        let candidate = self.processes.iter().find(|(_, process)| process.promoted() == Some(birth)).map(|(generation, _)| *generation);
        let process = candidate.and_then(|generation| self.processes.remove(&generation));
        if let Some(generation) = candidate {
            self.reactor.remove(Watched::Process(generation).token());
            self.reactor.remove(Watched::Promoted(generation).token());
        }
        self.promotions.fail(birth, why, process.as_ref());
    }

    // ---- births ----

    fn fork(&mut self, core: &Arc<Core>, generation: u32, number: machine::Birth, whose: Option<Id>) {
        let request = whose.and_then(|id| self.requests.get(&id)).cloned();
        let until = request.as_ref().map_or_else(|| Deadline::after(machine::BIRTH_NS), |request| request.until());
        let Some(process) = self.processes.get_mut(&generation) else {
            return self.events.push_back(Event::BirthFailed(number, Why::Lost));
        };
        match Birth::ask(number, generation, request, process, until) {
            Ok(birth) => {
                if let Some(request) = &birth.request {
                    request.outcome().set_gate(birth.gate(core));
                }
                let watched = self.reactor.add(Watched::Gate(number).token(), birth.socket());
                self.births.insert(number, birth);
                if let Err(fault) = watched {
                    let failure = Failure::of(step::NATIVE_PREPARATION, &fault.error("cannot watch a worker"));
                    return self.fail_birth_by(number, failure);
                }
                self.watch_process(generation);
            }
            // Nobody hears it: what it was asked for is asked of the next one.
            Err(failure) if failure.status == Status::Exited => self.goes(generation),
            Err(failure) => {
                self.unasked = Some((number, failure));
                self.events.push_back(Event::BirthFailed(number, Why::Refused));
            }
        }
    }

    fn listen_to_births(&mut self, generation: u32) {
        let asked = |(number, birth): (&u64, &Birth)| (birth.generation == generation && birth.is_asked()).then_some(*number);
        for number in self.births.iter().filter_map(asked).collect::<Vec<_>>() {
            self.listen_at(number);
        }
    }

    /// What is said at a gate.
    fn listen_at(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let writing = birth.flush();
        let _ = self.reactor.set_writing(Watched::Gate(number).token(), writing);
        let heard = birth.hear();
        self.follow_up(number, heard);
    }

    fn follow_up(&mut self, number: machine::Birth, heard: birth::Heard) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        match heard {
            birth::Heard::Nothing => {}
            birth::Heard::Hello => self.prove(number),
            birth::Heard::Ready => self.arrive(number),
            birth::Heard::Failed(failure) if birth.is_asked() => self.fail_birth_by(number, failure),
            birth::Heard::Failed(failure) => self.fail_worker(number, failure),
            birth::Heard::End => {
                self.reactor.remove(Watched::Gate(number).token());
                if birth.is_asked() {
                    let generation = birth.generation;
                    // Where its preloader has gone, that is the reason; a process that ends closes its descriptors in any order.
                    self.listen(generation);
                    if self.processes.get(&generation).is_some_and(Process::is_dying) {
                        return self.goes(generation);
                    }
                    if let Some(process) = self.processes.get_mut(&generation).filter(|process| !process.over) {
                        process.has_borne_a_stray();
                        self.fail_birth_by(number, Failure::ended_at(step::NATIVE_FORK, 0, None));
                    }
                } else {
                    birth.until = birth.until.min(Deadline::after(SOON));
                    self.look_at(number);
                }
            }
        }
    }

    fn prove(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let Some(process) = self.processes.get_mut(&birth.generation) else { return };
        if birth.is_asked()
            && let Some(failure) = birth.came_as_another(process)
        {
            return self.fail_birth_by(number, failure);
        }
        if birth.must_wait() {
            return;
        }
        match birth.prove(process) {
            Ok(()) => {
                if let Some(pidfd) = birth.pidfd() {
                    let _ = self.reactor.add(Watched::Pidfd(number).token(), &pidfd);
                }
                // Who is proven leads a group of its own, or does so behind the gate: its preloader's may be swept.
                birth.until = Deadline::NEVER;
                let generation = birth.generation;
                self.events.push_back(Event::Registered(number));
                self.weigh(generation);
            }
            // Whose maker has ended descends from nobody: that is no lie, and is asked of the next one.
            Err(failure) if failure.status == Status::PeerRejected && process.is_gone() => {
                let generation = birth.generation;
                self.goes(generation);
                self.forget(number);
            }
            Err(failure) => {
                if failure.status == Status::Limit {
                    process.has_turned_away(birth.pid().unwrap_or(0));
                }
                self.fail_birth_by(number, failure);
            }
        }
    }

    fn fail_birth_by(&mut self, number: machine::Birth, failure: Failure) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let why = match failure.status {
            Status::Exited => Why::Died,
            Status::PeerRejected => Why::Unproven,
            _ => Why::Refused,
        };
        birth.failure = Some(failure);
        self.fail_birth(number, why);
    }

    /// Nobody is born there; what is known of it is told, and then forgotten.
    fn fail_birth(&mut self, number: machine::Birth, why: Why) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        birth.close();
        self.reactor.remove(Watched::Gate(number).token());
        self.reactor.remove(Watched::Pidfd(number).token());
        self.events.push_back(Event::BirthFailed(number, why));
    }

    /// Nobody wants whoever was or will be born of it.
    fn discard(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        if !birth.is_asked() {
            return self.forget(number);
        }
        // It is heard, and ended, when it comes; or it finds an end.
        birth.until = Deadline::NEVER;
        if let Some(process) = self.processes.get_mut(&birth.generation) {
            process.say(Kind::Cancel, number);
        }
    }

    fn forget(&mut self, number: machine::Birth) {
        self.reactor.remove(Watched::Gate(number).token());
        self.reactor.remove(Watched::Pidfd(number).token());
        if let Some(birth) = self.births.remove(&number) {
            birth.let_go();
        }
    }

    /// Its process may have ended.
    fn look_at(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        if !birth.has_ended() {
            return;
        }
        if birth.is_at_gate() {
            self.events.push_back(Event::Died(number));
            return self.forget(number);
        }
        let exit = birth.exit();
        let known = exit.is_some() || birth.child().is_none_or(|child| child.exit().is_some());
        if known || birth.until.has_come() {
            let pid = birth.pid().unwrap_or(0);
            let failure = birth.failure.take().unwrap_or_else(|| Failure::ended_at(birth.stage(), pid, exit.as_ref()));
            self.fail_worker(number, failure);
        } else {
            birth.until = birth.until.min(Deadline::after(SOON));
            self.reactor.set_aside_for(Watched::Pidfd(number).token(), MILLI);
        }
    }

    fn adopt(&mut self, core: &Arc<Core>, number: machine::Birth, id: Id) {
        let (Some(birth), Some(request)) = (self.births.get_mut(&number), self.requests.get(&id).cloned()) else {
            self.forget(number);
            return self.events.push_back(Event::CallOff(id));
        };
        if birth.has_ended() {
            self.forget(number);
            return self.events.push_back(Event::Died(number));
        }
        // Replaced meanwhile: what says so is in the inbox.
        if !core.may_bear(birth.generation) {
            self.forget(number);
            return self.events.push_back(Event::Died(number));
        }
        self.requests.remove(&id);
        request.outcome().set_gate(birth.gate(core));
        self.unshown += 1;
        if let Err(failure) = birth.adopt(&request) {
            self.unshown -= 1;
            let error = birth.error(failure, None, Vec::new(), &self.arguments);
            self.forget(number);
            request.fail(error);
            return self.events.push_back(Event::CallOff(id));
        }
        self.open_gates();
    }

    /// Of those that their supervisors have by now.
    fn open_gates(&mut self) {
        if self.unshown == 0 {
            return;
        }
        let mut failed = Vec::new();
        let mut unshown = 0;
        for (number, birth) in &mut self.births {
            if birth.is_at_work() || birth.child().is_none() {
                continue;
            }
            match birth.open_gate() {
                None => unshown += usize::from(!birth.has_ended()),
                Some(true) => {
                    if birth.flush() {
                        let _ = self.reactor.set_writing(Watched::Gate(*number).token(), true);
                    }
                }
                Some(false) => failed.push(*number),
            }
        }
        self.unshown = unshown;
        for number in failed {
            let error = Error::new(Status::Exited, "sendmsg", "the worker does not listen at its gate any more");
            self.fail_worker(number, Failure::of(step::NATIVE_GATE, &error));
        }
    }

    fn unwatch_stale(&mut self) {
        for token in std::mem::take(&mut self.stale) {
            self.reactor.remove(token);
        }
    }

    fn arrive(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.remove(&number) else { return };
        self.stale.extend([Watched::Gate(number).token(), Watched::Pidfd(number).token()]);
        if !birth.was_pooled() {
            self.unwatch_stale();
        }
        let (Some(request), Some(child)) = (birth.request.clone(), birth.child().cloned()) else { return };
        let generation = birth.generation;
        let sibling = child.tie() == Tie::Child;
        if !sibling {
            self.theirs.add(number, &child, |child| child.exit().is_some());
        }
        let (journey, socket) = birth.arrive();
        request.outcome().settle(Ok(Arrived {
            sockets: Vec::new(),
            journey,
            dumps: Default::default(),
            gupid: String::new(),
            app_type: String::new(),
            ready: Moment::now(),
            generation,
            instance: None,
            post: Some(Arc::new(Post::of(number, sibling, socket, request.core().weak()))),
        }));
        if let Some(managed) = request.managed()
            && !managed.tell_ready()
        {
            // It has ended since that look: whoever asks for it finds it so.
            let pid = managed.pid();
            let message = format!("process {pid} was ready and has ended");
            managed.tell_failed(Error { pid: Some(pid), ..Error::new(Status::Exited, "ready", message) });
        }
        request.host().rouse();
        self.events.push_back(Event::Ready(number));
    }

    /// A worker that was handed over never will be ready.
    fn fail_worker(&mut self, number: machine::Birth, failure: Failure) {
        self.reactor.remove(Watched::Gate(number).token());
        self.reactor.remove(Watched::Pidfd(number).token());
        let Some(mut birth) = self.births.remove(&number) else { return };
        self.events.push_back(Event::NotReady(number));
        let Some(request) = birth.request.clone() else { return };
        let exit = birth.exit().or_else(|| birth.child().and_then(|child| child.exit()));
        let output = request.managed().and_then(|managed| managed.output().ok()).unwrap_or_default();
        let mut error = birth.error(failure, exit, output, &self.arguments);
        blame(&mut error, exit.as_ref());
        birth.kill();
        request.outcome().settle(Err(error.clone()));
        if let Some(managed) = request.managed() {
            managed.tell_failed(error);
        }
        request.host().rouse();
    }

    /// Those whose time is over.
    fn give_up_late(&mut self, now: i64) {
        let late: Vec<_> = self.births.iter().filter(|(_, birth)| birth.until.is_over(now)).map(|(number, _)| *number).collect();
        for number in late {
            let Some(birth) = self.births.get_mut(&number) else { continue };
            if birth.is_asked() {
                // The machine keeps that time.
                birth.until = Deadline::NEVER;
                continue;
            }
            let closed = || {
                Failure::new(
                    Status::Exited,
                    Category::default(),
                    step::NATIVE_WORK,
                    "the worker has closed its channel before it was ready",
                )
            };
            let late = || Failure::timeout(birth.stage(), "waiting for the worker to say that it is ready");
            let failure = if self.reactor.has(Watched::Gate(number).token()) { late() } else { closed() };
            self.fail_worker(number, failure);
        }
        let unsaid: Vec<_> = self.processes.iter().filter(|(_, process)| process.end_is_over(now)).map(|(number, _)| *number).collect();
        for generation in unsaid {
            let text = "the program has closed its channel, and was not ready";
            self.fail_start(generation, Failure::new(Status::Exited, Category::default(), step::NATIVE_LOAD, text));
        }
    }

    // ---- the machine ----

    /// Tells the machine, and carries out what it decides, until there is nothing more.
    fn run(&mut self, core: &Arc<Core>) {
        while let Some(event) = self.events.pop_front() {
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
