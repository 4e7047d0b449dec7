//! A worker that is started by itself: session, process, handshake.
//!
//! ```text
//!   begin --> in line --turn--> session, process --> followed --> READY
//!     |          |                     |                 '-----> killed, EXITED, FAILED
//!     |          '--called off         '--FAILED
//!     '--an error: nothing was begun
//! ```
//!
//! Traps. **What takes time is done where it is described**: users are looked up before the child has a place in line, for that may ask a
//! server; the directory is made when its turn has come. **What was lent by number is duplicated**, since its numbers may be others'
//! by then. **After an error of the blocking call nothing is left**: it waits until what it killed has been reaped.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::failure::{self, Evidence, Failure};
use super::follow::{Attempt, Follow, Moment, Then};
use super::journey::{journey, step};
use super::keep::Keep;
use super::session::{Arguments, Owner, Purpose, Session, uses_wrapper};
use super::setup;
use super::worker::{Outcome, Worker, WorkerKind};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::child::Child;
use crate::process::command::Command;
use crate::process::spawn::{check_lent, spawn as make_process};
use crate::process::stop::LAST_WAIT_MS;
use crate::supervisor::{Host, Made, Managed, Start};

/// The time of a start where its caller names none.
pub const DEFAULT_MS: i64 = 90_000;
/// How much of what a worker writes is kept where its command says nothing of that.
pub const KEPT: usize = 64 * 1024;

/// Begins one: READY, or what says that it failed, follows. `timeout_ms` counts from its turn.
pub fn begin(
    host: Host,
    command: &Command,
    arguments: &Arguments,
    timeout_ms: i64,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    let time = Time::After(milliseconds(timeout_ms)?);
    begin_until(host, command, arguments, time, register)
}

/// Starts one, and waits until it is ready; `timeout_ms` is that of the whole. After an error nothing is left of it.
pub fn spawn(
    host: Host,
    command: &Command,
    arguments: &Arguments,
    timeout_ms: i64,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    let end = Deadline::of_millis(milliseconds(timeout_ms)?);
    let worker = begin_until(host, command, arguments, Time::Until(end), register)?;
    finish(worker, end)
}

/// Waits for a worker that was begun, until then at the most. After an error nothing is left of it: not its process, and not its place in line.
pub fn finish(worker: Worker, end: Deadline) -> Result<Worker> {
    let managed = worker.managed();
    let mut came = worker.wait(end);
    if worker.outcome().is_none() && managed.process().is_ok() {
        // Its time is kept by who follows it, and is over: what came of it is known at once.
        came = worker.wait(Deadline::after(LAST_WAIT_MS * MILLI));
    }
    let Err(error) = came else { return Ok(worker) };
    let in_line = worker.outcome().is_none() && managed.process().is_err();
    let _ = managed.terminate_begin(0);
    let _ = managed.reap(LAST_WAIT_MS);
    if in_line && error.status == Status::Timeout {
        return Err(Error::new(Status::Timeout, "line", "the worker has waited in line all the time of this call, and is called off"));
    }
    Err(error)
}

/// The time of a start: more than none, for it takes some.
pub fn milliseconds(timeout_ms: i64) -> Result<i64> {
    match timeout_ms {
        -1 => Ok(DEFAULT_MS),
        1.. => Ok(timeout_ms),
        other => Err(Error::invalid("timeout_ms", format!("timeout_ms: {other} ms is no time to start in: -1 or more than 0"))),
    }
}

/// When it must be ready.
#[derive(Clone, Copy, Debug)]
enum Time {
    /// So many milliseconds after its turn has come.
    After(i64),
    Until(Deadline),
}

impl Time {
    fn end(self) -> Deadline {
        match self {
            Self::After(ms) => Deadline::of_millis(ms),
            Self::Until(end) => end,
        }
    }
}

/// What is needed to start it when its turn has come.
#[derive(Debug)]
struct Stock {
    command: Command,
    belongings: Belongings,
    arguments: Arguments,
    owner: Owner,
}

/// One that was begun.
#[derive(Debug)]
struct Direct {
    host: Host,
    time: Time,
    outcome: Arc<Outcome>,
    stock: Mutex<Option<Stock>>,
}

fn begin_until(
    host: Host,
    command: &Command,
    arguments: &Arguments,
    time: Time,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Worker> {
    let began = Moment::now();
    if command.has_readiness() {
        return Err(Error::invalid("readiness", "readiness: a worker is ready when its session says so: it cannot have another readiness"));
    }
    command.check_number_is_its_own("a worker")?;
    check_lent(command)?;
    let arguments = described(command, arguments)?;
    let violations = arguments.violations(Purpose::Direct);
    if !violations.is_empty() {
        return Err(never_begun(Failure::arguments(violations), &arguments));
    }
    let owner =
        owner_of(command, &arguments).map_err(|error| never_begun(Failure::of(step::SPAWNING_KIT_PREPARATION, &error), &arguments))?;
    let mut command = command.pinned()?;
    command.ready_when_told().speak(KEPT);
    let outcome = Arc::new(Outcome::default());
    let belongings = Belongings::take(&command)?;
    let stock = Stock { command: command.clone(), belongings, arguments, owner };
    let start = Arc::new(Direct { host: host.clone(), time, outcome: outcome.clone(), stock: Mutex::new(Some(stock)) });
    match host.begin(&command, start.clone(), register) {
        Ok(managed) => Ok(Worker::begun(WorkerKind::Direct, host, managed, outcome, began)),
        Err(error) => {
            start.give_back();
            Err(error)
        }
    }
}

/// What is wrong before anything was begun.
fn never_begun(failure: Failure, arguments: &Arguments) -> Error {
    failed(failure, way_of(arguments), arguments)
}

fn way_of(arguments: &Arguments) -> Journey {
    journey(Purpose::Direct, uses_wrapper(arguments))
}

/// The error of one that has no process.
fn failed(failure: Failure, journey: Journey, arguments: &Arguments) -> Error {
    failure::error(failure, evidence(journey, arguments))
}

fn evidence(journey: Journey, arguments: &Arguments) -> Evidence<'_> {
    Evidence { journey, response: None, arguments, output: Vec::new(), pid: None, exit: None, preloader: None, purpose: Purpose::Direct }
}

/// The arguments, with what goes without saying: what the command says, where they do not.
pub fn described(command: &Command, arguments: &Arguments) -> Result<Arguments> {
    let mut all = arguments.clone();
    if all.get("app_root").is_none() {
        let directory = command.directory().map_or(Path::new("."), |directory| Path::new(OsStr::from_bytes(directory.to_bytes())));
        let directory = std::path::absolute(directory).map_err(|error| Error::relative("app_root", &error))?;
        let text = directory.to_str().ok_or_else(|| Error::invalid("app_root", "app_root: the directory of the command is no UTF-8"))?;
        let text = text.strip_suffix("/.").unwrap_or(text);
        all.set("app_root", Some(if text.is_empty() { "/" } else { text }))?;
    }
    setup::arguments(command, &all)
}

/// Who it will be: whom the arguments name, else whom the command does, with the groups that it gives.
pub fn owner_of(command: &Command, arguments: &Arguments) -> Result<Owner> {
    let said = ["user", "group", "default_user"].iter().any(|name| arguments.get(name).is_some());
    match command.becomes().filter(|_| !said) {
        None => Owner::of(arguments),
        Some(credentials) => {
            let mut named = arguments.clone();
            let (uid, gid) = credentials.ids();
            named.set("user", Some(&uid.to_string()))?;
            named.set("group", Some(&gid.to_string()))?;
            let groups = credentials.groups.clone().map_or_else(Owner::groups_of_the_host, Ok)?;
            Ok(Owner { groups, ..Owner::of(&named)? })
        }
    }
}

impl Direct {
    fn give_back(&self) {
        let stock = lock(&self.stock).take();
        if let Some(stock) = stock {
            stock.belongings.give_back();
        }
    }

    /// Session and process; then it is followed.
    fn start(&self, managed: &Arc<Managed>, stock: Stock) -> Result<()> {
        let end = self.time.end();
        let mut journey = way_of(&stock.arguments);
        let (session, child) = prepare(stock, end, &mut journey)?;
        managed.made(Ok(Arc::new(child)));
        if managed.process().is_err() {
            // Called off meanwhile, or there was nothing left to watch it by: it is gone again.
            self.outcome.settle(Err(managed.wait_ready(0).err().unwrap_or_else(called_off)));
            return Ok(());
        }
        let (outcome, host, kept_for) = (self.outcome.clone(), self.host.clone(), managed.clone());
        let then: Then = Box::new(move |mut came| {
            if let Ok(arrived) = &mut came
                && let Some(instance) = arrived.instance.take()
            {
                Keep::begin(&host, &kept_for, Arc::new(instance));
            }
            outcome.settle(came);
        });
        Follow::begin(&self.host, managed, Attempt { session, journey, deadline: end, preloader: None }, then);
        Ok(())
    }
}

/// Makes the session, and the process in it. What belonged to one that was not made is its command's again.
fn prepare(stock: Stock, end: Deadline, journey: &mut Journey) -> Result<(Session, Child)> {
    let Stock { command, belongings, arguments, owner } = stock;
    let failed_at = |step, error: &Error, journey: &Journey| failed(Failure::of(step, error), journey.clone(), &arguments);
    let prepared = Session::prepare(&arguments, Purpose::Direct, &owner, end, journey).and_then(|session| {
        let real = setup::command(&command, &session)?;
        session.finalize()?;
        Ok((session, real))
    });
    let (session, real) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            belongings.give_back();
            return Err(failed_at(step::SPAWNING_KIT_PREPARATION, &error, journey));
        }
    };
    journey.begin(step::SPAWNING_KIT_FORK_SUBPROCESS, clock::now());
    match make_process(&real, belongings) {
        Ok(child) => {
            journey.end(step::SPAWNING_KIT_FORK_SUBPROCESS, clock::now());
            Ok((session, child))
        }
        Err(error) => {
            let failure = setup::explain(error, &real, &session);
            let evidence = Evidence { response: Some(session.response()), ..evidence(journey.clone(), session.arguments()) };
            Err(failure::error(failure, evidence))
        }
    }
}

impl Start for Direct {
    fn make(&self, managed: &Arc<Managed>) -> Made {
        let stock = lock(&self.stock).take();
        let Some(stock) = stock else { return Made::Later };
        match self.start(managed, stock) {
            Ok(()) => Made::Later,
            Err(error) => {
                self.outcome.settle(Err(error.clone()));
                Made::Now(Err(error))
            }
        }
    }

    fn called_off(&self) {
        self.give_back();
        self.outcome.settle(Err(called_off()));
    }

    fn could_not_be_watched(&self, why: &Error) {
        self.give_back();
        self.outcome.settle(Err(why.clone()));
    }
}

fn called_off() -> Error {
    Error::new(Status::Cancelled, "spawn", "the worker was called off before it had a process")
}
