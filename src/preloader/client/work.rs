//! What is in the hand of whoever drives a preloader: its machine, its processes, the command under way.
//!
//! Nothing here waits, but for an exec; nothing here is under a lock. What the machine decides is carried out in its order, and what comes of that is
//! told it at once.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::answer::Said;
use super::machine::{Action, End, Event, Id, Machine, Phase};
use super::process::{Process, Recipe};
use super::request::{Attempt, Request, without_attempt};
use super::talk::Heard;
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Status};
use crate::preloader::core::{Core as AnyCore, GRACE, Hand, Requests};
use crate::preloader::failure::{Category, Failure};
use crate::preloader::follow::Arrived;
use crate::preloader::journey::step;
use crate::preloader::session::Behind;
use crate::supervisor::{Wants, What};

/// How long a process may be on its way from the name of its gate to the gate: within the kernel, so it takes a moment where it takes anything.
const LATEST: i64 = 1_000 * MILLI;
/// How many gates are kept so long.
const MOST_BEHIND: usize = 16;

/// What all share.
type Core = AnyCore<Work>;

/// Something to be told.
#[derive(Debug)]
pub enum Item {
    Ask(Arc<Request>),
    Started(u32, Box<crate::error::Result<Arrived>>),
    /// An event of the machine's, as it is.
    Event(Event),
    /// It shall go, for good or not, and what is there has no more time than that.
    End {
        for_good: bool,
        by: Deadline,
    },
    Idle(Option<i64>),
}

/// See above.
#[derive(Debug)]
pub struct Work {
    machine: Machine,
    requests: Requests<Self>,
    processes: BTreeMap<u32, Process>,
    attempt: Option<Attempt>,
    /// Workers that were taken in, and that their supervisors do not have yet.
    adopted: Vec<Attempt>,
    /// What was given up, and is to be told of yet.
    dropped: Option<Attempt>,
    /// Why the last start failed.
    start_error: Option<Error>,
    events: VecDeque<Event>,
    /// Who may have passed the gates of attempts that were given up; until when they are kept.
    behind: VecDeque<(Deadline, Behind)>,
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
        Item::Idle(idle_ns)
    }

    fn is_quiet(&self) -> bool {
        self.processes.is_empty() && self.requests.is_empty() && self.adopted.is_empty() && self.behind.is_empty()
    }

    fn first_process(&self) -> Option<u32> {
        self.processes.keys().next().copied()
    }

    fn wants(&self, core: &Core) -> Wants {
        let (talk, mut due) = self.attempt.as_ref().map_or((None, Deadline::NEVER), Attempt::wants);
        if !self.adopted.is_empty() {
            // What makes it is about to return.
            due = Deadline::at(1);
        }
        due = self.processes.values().map(Process::due).fold(due.min(self.machine.due()), Deadline::min);
        due = self.behind.front().map_or(due, |(until, _)| due.min(*until));
        let mut fds: Vec<(Arc<OwnedFd>, bool)> = talk.into_iter().collect();
        if !self.processes.is_empty() {
            fds.push((core.private_fd.clone(), false));
        }
        Wants { fds, due }
    }

    fn look(&mut self, core: &Arc<Core>) {
        // The command first: what was said before an end was said.
        self.talk(core);
        self.look_at_processes(core);
        self.run(core);
    }

    fn hear(&mut self, core: &Arc<Core>, item: Item) {
        match item {
            Item::Ask(request) => {
                let (id, until) = (request.id, request.until());
                self.requests.insert(id, request);
                self.events.push_back(Event::Ask(id, until));
            }
            Item::Started(generation, came) => self.hear_of_start(generation, *came),
            Item::Event(Event::CallOff(id)) => {
                self.requests.remove(&id);
                for attempt in self.adopted.extract_if(.., |attempt| attempt.request.id == id) {
                    attempt.abandon();
                }
                self.events.push_back(Event::CallOff(id));
            }
            Item::Event(event) => self.events.push_back(event),
            Item::End { for_good, by } => {
                self.events.push_back(if for_good { Event::Close } else { Event::Stop });
                // Nobody is in line then, so nothing is started before all that is there has heard of its end.
                self.run(core);
                self.processes.values_mut().for_each(|process| process.leave(by));
                if for_good {
                    self.behind.clear();
                }
            }
            Item::Idle(idle_ns) => self.machine.set_idle(idle_ns),
        }
        self.run(core);
        self.put_off_start();
    }

    fn keep_times(&mut self, core: &Arc<Core>) {
        let now = clock::now();
        for process in self.processes.values_mut() {
            process.kill_if_due(now);
        }
        let is_over = |(until, _): &(Deadline, _)| until.is_over(now);
        while self.behind.front().is_some_and(is_over)
            && let Some((_, behind)) = self.behind.pop_front()
        {
            // No descriptor to be had: later.
            if !behind.let_through() {
                self.keep(Some(behind));
            }
        }
        if self.machine.due().is_over(now) {
            self.events.push_back(Event::Tick);
        }
        self.run(core);
    }
}

impl Work {
    pub fn new(now: i64) -> Self {
        Self {
            machine: Machine::new(now),
            requests: Requests::new(),
            processes: BTreeMap::new(),
            attempt: None,
            adopted: Vec::new(),
            dropped: None,
            start_error: None,
            events: VecDeque::new(),
            behind: VecDeque::new(),
        }
    }

    fn look_at_processes(&mut self, core: &Arc<Core>) {
        if self.processes.is_empty() {
            return;
        }
        while let Ok(Some(event)) = core.private.take_event(0) {
            let generation = event.token() as u32;
            if let (What::Exited { .. }, Some(process)) = (&event.what, self.processes.get_mut(&generation)) {
                process.ended = true;
                if process.settled {
                    // What it may have said in its last moment.
                    self.talk(core);
                    self.events.push_back(Event::Ended(generation));
                }
            }
        }
    }

    fn hear_of_start(&mut self, generation: u32, came: crate::error::Result<Arrived>) {
        let Some(process) = self.processes.get_mut(&generation) else { return };
        process.settled = true;
        match came.and_then(|arrived| process.arrive(arrived)) {
            Ok(()) => self.events.push_back(Event::Started(generation)),
            Err(mut error) => {
                if error.output.is_empty() {
                    (error.output, error.pid) = (process.output(), Some(process.pid()));
                }
                self.start_error = Some(error);
                self.events.push_back(Event::StartFailed(generation));
            }
        }
        if process.ended {
            self.events.push_back(Event::Ended(generation));
        }
    }

    /// A start has as much time as the last of those who wait for it.
    fn put_off_start(&self) {
        if self.machine.preloader() == super::machine::Preloader::Starting
            && let Some(process) = self.processes.get(&self.machine.generation())
        {
            process.put_off(self.machine.wanted_until());
        }
    }

    /// Tells the machine, and carries out what it decides, until there is nothing more.
    fn run(&mut self, core: &Arc<Core>) {
        loop {
            let Some(event) = self.events.pop_front() else {
                // What was begun goes on as far as it can.
                self.talk(core);
                if self.events.is_empty() {
                    break;
                }
                continue;
            };
            for action in self.machine.step(event, clock::now()) {
                self.carry_out(core, action);
            }
            if let Some(attempt) = self.dropped.take() {
                let behind = attempt.abandon();
                self.keep(behind);
            }
            self.processes.retain(|_, process| !(process.ended && process.settled));
        }
        core.last_used.store(self.machine.last_used(), Ordering::Release);
        let pid = self.processes.get(&self.machine.generation()).filter(|process| !process.is_leaving()).map_or(0, Process::pid);
        core.pid.store(pid, Ordering::Release);
    }

    fn carry_out(&mut self, core: &Arc<Core>, action: Action) {
        match action {
            Action::Start(generation) => self.start(core, generation),
            Action::Leave(generation) => {
                if let Some(process) = self.processes.get_mut(&generation) {
                    // One that loads the application still does not look at its standard input.
                    process.leave(if process.settled { Deadline::after(GRACE) } else { Deadline::PAST });
                }
            }
            Action::Begin(id, generation) => match (self.requests.get(&id), self.processes.get(&generation)) {
                (Some(request), Some(process)) => {
                    let attempt = Attempt::begin(request, generation, process);
                    if attempt.failure.is_some() {
                        self.events.push_back(Event::Failed(id));
                    } else if attempt.broken.is_some() {
                        self.events.push_back(Event::Broken(id));
                    }
                    if let Some(before) = self.attempt.replace(attempt) {
                        let behind = before.abandon();
                        self.keep(behind);
                    }
                }
                _ => self.events.push_back(Event::Failed(id)),
            },
            Action::Drop(_) => self.dropped = self.attempt.take(),
            Action::Fail(id, end) => self.fail(id, end),
        }
    }

    fn keep(&mut self, behind: Option<Behind>) {
        let Some(behind) = behind else { return };
        if self.behind.len() == MOST_BEHIND {
            self.behind.pop_front();
        }
        self.behind.push_back((Deadline::after(LATEST), behind));
    }

    fn start(&mut self, core: &Arc<Core>, generation: u32) {
        core.count(generation);
        let weak = core.weak();
        let then = Box::new(move |came| {
            if let Some(core) = weak.upgrade() {
                core.put(Item::Started(generation, Box::new(came)));
                core.drive();
            }
        });
        match Process::start(&core.recipe(), &core.private, generation, self.machine.wanted_until(), then) {
            Ok(process) => _ = self.processes.insert(generation, process),
            Err(error) => {
                self.start_error = Some(error);
                self.events.push_back(Event::StartFailed(generation));
            }
        }
    }

    /// Moves the command under way along.
    fn talk(&mut self, core: &Arc<Core>) {
        self.hand_over();
        while let Some(attempt) = self.attempt.as_mut() {
            let id = attempt.request.id;
            let Some(talk) = attempt.talk() else { return };
            match talk.go_on(clock::now()) {
                Heard::Nothing => return,
                Heard::Connected => {
                    attempt.advance(Phase::Sending);
                    self.events.push_back(Event::Connected(id));
                }
                Heard::Sent => {
                    attempt.advance(Phase::Reading);
                    self.events.push_back(Event::Sent(id));
                }
                Heard::Broken(how) => {
                    attempt.broken = Some(how);
                    return self.events.push_back(Event::Broken(id));
                }
                Heard::Failed(failure) => return self.give_up(id, failure),
                Heard::Said(said) => return self.hear_answer(core, id, said),
            }
        }
    }

    fn give_up(&mut self, id: Id, failure: Failure) {
        if let Some(attempt) = &mut self.attempt {
            attempt.failure = Some(failure);
        }
        self.events.push_back(Event::Failed(id));
    }

    fn hear_answer(&mut self, core: &Arc<Core>, id: Id, said: Said) {
        let Some(attempt) = self.attempt.as_mut() else { return };
        attempt.was_read();
        let parse = step::SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER;
        match said {
            Said::Nothing => {
                attempt.broken = Some("it has closed the connection without an answer".to_owned());
                self.events.push_back(Event::Broken(id));
            }
            Said::TooLong => self.give_up(id, Failure::garbled(parse, &format!("it has more than {} bytes", super::answer::LONGEST))),
            Said::Nonsense(what) => self.give_up(id, Failure::garbled(parse, &what)),
            Said::Error(message) => self.give_up(id, Failure::refused(&message)),
            Said::Worker(named) => {
                attempt.advance(Phase::Proving);
                self.events.push_back(Event::Answered(id));
                self.prove(core, id, named);
            }
        }
    }

    fn prove(&mut self, core: &Arc<Core>, id: Id, named: i64) {
        let Some(attempt) = self.attempt.as_mut() else { return };
        let Some(process) = self.processes.get(&attempt.generation) else { return };
        // Replaced meanwhile: what says so is in the inbox.
        if !core.may_bear(attempt.generation) {
            return;
        }
        match attempt.take_in(named, process) {
            Ok(()) => self.adopt(id),
            Err(failure) => self.give_up(id, failure),
        }
    }

    /// It has its worker: what becomes of the preloader is nothing to it any more.
    fn adopt(&mut self, id: Id) {
        self.requests.remove(&id);
        self.events.push_back(Event::Proven(id));
        self.adopted.extend(self.attempt.take());
        self.hand_over();
    }

    /// Those that their supervisors have by now are their own.
    fn hand_over(&mut self) {
        for attempt in self.adopted.extract_if(.., |attempt| attempt.is_shown()) {
            attempt.hand_over();
        }
    }

    fn fail(&mut self, id: Id, end: End) {
        let Some(request) = self.requests.remove(&id) else { return };
        let starting = if let End::LateInLine(Some(generation)) = end { self.processes.get(&generation) } else { None };
        let timeout = |step, doing: &str| Failure::timeout(step, doing);
        let error = match (end, self.dropped.as_mut()) {
            (End::NotStarted, _) => self.start_error.clone().unwrap_or_else(|| Error::new(Status::Internal, "start", "it was not started")),
            (End::LateInLine(started), _) => {
                let doing =
                    if started.is_some() { "waiting for the preloader to be ready" } else { "waiting for its turn at the preloader" };
                let output = starting.map(Process::output).unwrap_or_default();
                without_attempt(&request, timeout(step::SPAWNING_KIT_CONNECT_TO_PRELOADER, doing), output, None)
            }
            (End::Stopped, _) => ended(Status::Cancelled, "the preloader was stopped"),
            (End::Closed, _) => ended(Status::Shutdown, "the preloader was freed"),
            (_, None) => ended(Status::Internal, "the preloader has lost the attempt"),
            (end, Some(attempt)) => {
                let process = self.processes.get(&attempt.generation);
                let failure = match end {
                    End::Late(phase) => late(phase, ""),
                    End::Silent(phase) => late(phase, "; it had not answered the last command either, and is replaced"),
                    End::Crashed => crashed(attempt.broken.as_deref().unwrap_or("it has ended")),
                    _ => attempt.failure.take().unwrap_or_else(|| crashed("it has ended")),
                };
                let output = process.map(Process::output).unwrap_or_default();
                attempt.error(failure, process.and_then(Process::exit), output, None)
            }
        };
        request.fail(error);
    }
}

fn ended(status: Status, why: &str) -> Error {
    Error::new(status, "preloader", format!("{why} before it had made the worker"))
}

fn late(phase: Phase, more: &str) -> Failure {
    let (step, doing) = match phase {
        Phase::Connecting => (step::SPAWNING_KIT_CONNECT_TO_PRELOADER, "connecting to the preloader"),
        Phase::Sending => (step::SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER, "saying the command to the preloader"),
        Phase::Reading => (step::SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER, "waiting for the preloader's answer"),
        Phase::Proving => (step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, "looking at the process that the preloader has named"),
    };
    Failure::timeout(step, &format!("{doing}{more}"))
}

fn crashed(how: &str) -> Failure {
    let message = format!("the preloader has died over a command, was started again, and has died over it again: {how}");
    Failure::new(Status::Exited, Category::default(), step::SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER, message)
}
