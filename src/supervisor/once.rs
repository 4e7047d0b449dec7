//! A daemon that is started once, whoever needs it: the driver. Who decides is `coordination/once/machine.rs`; what is in the files, and why no moment
//! of a starter's death leaves two daemons or none, stands at the head of that folder.
//!
//! Traps. **The lock is held until the daemon is ready**, so that whoever gets it next finds it ready: each wait here has the one deadline of the whole,
//! and looks after the supervisor's other children meanwhile. **The child's share of that lock** ends with its birth; ours is unlocked, not only
//! closed. **The daemon's own lock is never unlocked** here: it is closed, and lives on in the daemon.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use super::inner::Inner;
use super::managed::Managed;
use crate::clock::{self, Deadline, MILLI};
use crate::coordination::once::files::{Look, Place};
use crate::coordination::once::machine::{Heard, Machine, Task};
use crate::coordination::once::{FD, record};
use crate::coordination::probe::{Address, Answer, Probe};
use crate::coordination::readiness::Kind;
use crate::coordination::spawn_lock::{Attempt, SpawnLock};
use crate::error::{Error, Result, Status};
use crate::journey::{Journey, Route};
use crate::process::command::Command;
use crate::process::stop::LAST_WAIT_MS;
use crate::registry::Cause;
use crate::sys::poll::{self, Patience};
use crate::sys::{Fault, fds, lockwatch};

/// A start that is made once.
static ROUTE: Route =
    Route { kind: "START_ONCE", title: "starting a daemon once", steps: &["connect", "lock", "connect again", "permit", "spawn", "ready"] };

/// The shortest and the longest pause between two connects.
const PAUSES: (i64, i64) = (MILLI, 50 * MILLI);

/// What is to be started once, and how one finds whether it runs.
#[derive(Clone, Copy, Debug)]
pub struct Once<'a> {
    /// The directory of its files.
    pub directory: &'a Path,
    /// Its name there.
    pub name: &'a [u8],
    /// Where it accepts connections; `None`: nowhere, or it cannot be tried.
    pub connect_to: Option<&'a str>,
    /// How long the whole may take.
    pub timeout_ms: i64,
}

/// One call.
struct Start<'a> {
    inner: &'a Arc<Inner>,
    once: Once<'a>,
    place: Place,
    address: Option<Address>,
    deadline: Deadline,
    journey: Journey,
    lock: Option<SpawnLock>,
    look: Option<Look>,
    pause: i64,
}

impl Inner {
    /// Starts the command if nobody has started it yet: `None`, if somebody has.
    pub(super) fn spawn_once(
        self: &Arc<Self>,
        once: Once<'_>,
        command: &Command,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Option<Arc<Managed>>> {
        self.check()?;
        let deadline = Deadline::of_timeout("timeout_ms", once.timeout_ms)?;
        let address = once.connect_to.map(|text| Address::parse("connect_to", text)).transpose()?;
        command.check_starts_once()?;
        self.check_events(command)?;
        let place = Place::open(once.directory, once.name)?;
        let journey = Journey::with(&ROUTE, |step| match step {
            "connect" | "connect again" => address.is_some(),
            "permit" => command.get_budget().is_some(),
            _ => true,
        });
        let mut start = Start { inner: self, once, place, address, deadline, journey, lock: None, look: None, pause: PAUSES.0 };
        let ran = start.run(command, register).map_err(|error| start.failed(error));
        drop(start);
        // Who needs a daemon once may never call again, and the watches of a user are few (fs.inotify.max_user_instances).
        lockwatch::close_parked();
        ran
    }
}

impl Start<'_> {
    fn run(&mut self, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Option<Arc<Managed>>> {
        let mut machine = Machine::new(self.address.is_some());
        let mut started = None;
        loop {
            let heard = match machine.task() {
                Task::Connect => {
                    let step = if machine.is_locked() { "connect again" } else { "connect" };
                    self.begin(step);
                    let accepts = self.connect()?;
                    if !machine.is_locked() {
                        self.end(step);
                    }
                    Heard::Accepts(accepts)
                }
                Task::Lock => {
                    self.begin("lock");
                    self.lock = Some(self.take_lock()?);
                    // By now the path may mean another directory.
                    self.place = Place::open(self.once.directory, self.once.name)?;
                    self.end("lock");
                    Heard::Done
                }
                Task::Look => {
                    let look = self.place.look()?;
                    let heard = Heard::Saw { held: look.held, recorded: look.recorded };
                    self.look = Some(look);
                    heard
                }
                Task::Pause => {
                    if self.deadline.has_come() {
                        return Err(self.does_not_accept());
                    }
                    self.pause()?;
                    Heard::Done
                }
                Task::Start => {
                    self.end("connect again");
                    self.look = None;
                    started = Some(self.start(command, register)?);
                    Heard::Done
                }
                Task::Runs => return Ok(None),
                Task::Started => return Ok(started),
            };
            machine.hear(heard);
        }
    }

    fn begin(&mut self, step: &'static str) {
        self.journey.begin(step, clock::now());
    }

    fn end(&mut self, step: &'static str) {
        self.journey.end(step, clock::now());
    }

    /// What went wrong, and where on the way.
    fn failed(&self, error: Error) -> Error {
        let mut journey = self.journey.clone();
        let under_way = journey.steps().iter().find(|step| step.progress == crate::journey::Progress::InProgress).map(|step| step.name);
        if let Some(step) = under_way {
            journey.fail(step, clock::now());
        }
        error.with(|it| it.journey = Some(Box::new(journey)))
    }

    /// Waits a little, or until one of these is readable; looks after the others meanwhile.
    fn wait(&self, also: Option<BorrowedFd<'_>>, until: Deadline) -> Result<()> {
        self.inner.check()?;
        let beside = self.inner.watch();
        let soon = if beside.is_some() { Deadline::NEVER } else { Deadline::after(poll::PAUSE) };
        let watched: Vec<BorrowedFd<'_>> = also.into_iter().chain(beside).collect();
        poll::wait(&watched, until.min(self.deadline).min(soon)).map_err(|errno| Error::system("poll", errno, "cannot wait"))?;
        self.inner.pump_watched();
        Ok(())
    }

    /// Whether somebody accepts there. One whose line is full does, in his own time.
    fn connect(&mut self) -> Result<bool> {
        let Some(address) = &self.address else { return Ok(false) };
        let mut answer = Probe::begin(address);
        let mut pause = PAUSES.0;
        loop {
            let outcome = match answer {
                Answer::Now(outcome) => outcome,
                Answer::Later(_) if self.deadline.has_come() => {
                    let message = format!("{} has not answered", address.text());
                    return Err(Error::new(Status::Timeout, "connect", message));
                }
                Answer::Later(connecting) => {
                    self.wait(None, Deadline::after(pause))?;
                    pause = (2 * pause).min(PAUSES.1);
                    answer = connecting.finish();
                    continue;
                }
            };
            return match outcome {
                Ok(()) | Err(Fault { step: "connect", errno: Errno::EAGAIN }) => Ok(true),
                Err(Fault { step: "connect", errno }) if is_nobody(errno) => Ok(false),
                Err(fault) => Err(fault.error(format!("cannot connect to {}", address.text()))),
            };
        }
    }

    /// The lock of who starts; whoever has it is waited for.
    fn take_lock(&self) -> Result<SpawnLock> {
        let mut attempt = Attempt::new(&self.place.lock_path(), self.deadline)?;
        loop {
            match attempt.look() {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) => {}
                Err(error) if error.status == Status::Locked => {
                    let message = format!("another one starts it, and is not done: {}", error.message);
                    return Err(error.with(|it| (it.status, it.step, it.message) = (Status::Timeout, "lock", message)));
                }
                Err(error) => return Err(error),
            }
            self.wait(attempt.watch().map(|watch| watch.as_fd()), attempt.next_look())?;
        }
    }

    /// One runs, and does not accept yet: until it may, or has ended.
    fn pause(&mut self) -> Result<()> {
        let until = Deadline::after(self.pause);
        self.pause = (2 * self.pause).min(PAUSES.1);
        let daemon = self.look.as_ref().and_then(|look| look.daemon.as_ref());
        self.wait(daemon.map(|daemon| daemon.as_fd()), until)
    }

    fn does_not_accept(&self) -> Error {
        let pid = self.look.as_ref().and_then(|look| look.pid);
        let who = pid.map_or_else(|| "whoever holds its lock".to_owned(), |pid| format!("process {pid}"));
        let place = self.address.as_ref().map_or("", |address| address.text());
        let message = format!("{who} runs by what {} says, and does not accept connections at {place}", self.place.run_path().display());
        Error::new(Status::Timeout, "connect again", message).with_pid(pid)
    }

    /// Makes the daemon, and waits until it is ready. If it is not, it is ended.
    fn start(&mut self, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        // It would be made and killed at once: who gives no time asks whether one runs.
        let waits = if command.has_readiness() { !command.is_ready_at_exec() } else { self.address.is_some() };
        if waits && self.deadline.has_come() {
            return Err(Error::new(
                Status::Timeout,
                "spawn",
                "none runs, and none was started: there is no time to wait until it is ready",
            ));
        }
        // The permit is taken within the spawn, and before all else of it.
        let began = clock::now();
        self.journey.begin("permit", began);
        let spawned = self.spawn(command, register);
        let refused = spawned.as_ref().is_err_and(|error| matches!(error.status, Status::BudgetExhausted | Status::InProgress));
        if !refused {
            self.journey.end("permit", began);
            self.journey.begin("spawn", began);
        }
        let managed = spawned?;
        self.end("spawn");
        self.begin("ready");
        match managed.wait_ready_with("ready", &Patience::until(self.deadline), "was not ready in the time of this call, and is killed") {
            Ok(()) => {
                self.end("ready");
                Ok(managed)
            }
            Err(error) => {
                sweep(&managed);
                Err(error)
            }
        }
    }

    fn spawn(&self, command: &Command, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        let lock = self.lock.as_ref().ok_or_else(|| Error::new(Status::Internal, "lock", "nobody starts without the lock"))?;
        let mut command = command.clone();
        let made = self.place.make()?;
        let number = command.free_number_from(usual_number(fds::hard_limit()));
        command.pass_fd(made.file.as_raw_fd(), number)?;
        let share = command.free_number_from(number + 1);
        // Last of all: whoever has taken its place since may be starting one as well.
        lock.check()?;
        command.pass_fd(lock.fd().map_or(-1, |fd| fd.as_raw_fd()), share)?;
        command.outlive_host();
        if let Some(address) = self.address.as_ref().filter(|_| !command.has_readiness()) {
            command.readiness(Kind::Socket, Some(address.text()), -1)?;
        }
        command.write_birth(record::birth(&made.record, number, share));
        self.inner.spawn(&Arc::new(command), None, register)
    }
}

/// Where the number of the daemon's lock is looked for: where the limit is very low, in the middle below it.
fn usual_number(limit: u64) -> i32 {
    if limit > FD as u64 + 8 { FD } else { i32::try_from(limit / 2).unwrap_or(FD) }
}

/// Nobody is there, or may not be reached from here just now.
fn is_nobody(errno: Errno) -> bool {
    use Errno::{EADDRNOTAVAIL, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ENOENT, ENOTDIR, ETIMEDOUT};
    matches!(errno, ENOENT | ENOTDIR | ECONNREFUSED | ECONNRESET | EADDRNOTAVAIL | ENETDOWN | ENETUNREACH | EHOSTUNREACH | ETIMEDOUT)
}

/// Ends what is not ready: its group, at once.
fn sweep(managed: &Arc<Managed>) {
    match managed.child() {
        Some(child) => child.kill(Cause::Stop),
        None => _ = managed.terminate_begin(0),
    }
    let _ = managed.reap(LAST_WAIT_MS);
}
