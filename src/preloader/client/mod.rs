//! A preloader, as its client has it: started when it is needed, asked for workers, one command at a time, and stopped.
//!
//! ```text
//!   begin --> in line at the supervisor --turn--> in line at the preloader --> command --> proof --> gate --> followed --> READY
//!                                                   (started, if there is none)    '-- it dies: once more, by a new one
//! ```
//!
//! Traps. **No look, no progress**: the preloader's process is a child of a private supervisor, which whoever has spawned through it moves along, by an
//! errand of its own supervisor. **Its workers are its group's**: it is signalled alone. **Who asks does not wait**: generation, process id
//! and time of use are read without a lock.
//!
//! | file          | what                                                             |
//! |---------------|------------------------------------------------------------------|
//! | `machine.rs`  | who is asked next, and what a death means: pure                  |
//! | `answer.rs`   | what an answer says: pure                                        |
//! | `explorer.rs` | (tests) every order of what can happen                           |
//! | `core.rs`     | what all share; whose hand the work is in                        |
//! | `visit.rs`    | the errands by which supervisors move it along                   |
//! | `work.rs`     | what the machine decides, carried out                            |
//! | `process.rs`  | one process of the preloader                                     |
//! | `request.rs`  | one worker that was asked for, and one try of it                 |
//! | `talk.rs`     | one command, on a real connection                                |
//! | `proof.rs`    | whether who was named is the worker                              |

pub mod answer;
mod core;
mod machine;
mod process;
mod proof;
mod request;
mod talk;
mod visit;
mod work;

#[cfg(test)]
mod explorer;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::core::{Core, Item};
use self::process::Recipe;
use self::request::{Asked, Request, Time};
use super::direct::{described, finish, milliseconds, owner_of};
use super::session::{Arguments, Purpose};
use super::worker::{Outcome, Worker, WorkerKind};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::preloader::failure::{self, Evidence, Failure};
use crate::preloader::follow::Moment;
use crate::preloader::journey::journey;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn::check_lent;
use crate::supervisor::{Host, Managed, Supervisor};
use crate::sys::fds;
use crate::sys::poll;
use crate::sys::reactor::WakeUp;

/// What a preloader speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Protocol {
    /// That of Phusion Passenger: a line of JSON, an answer of JSON.
    #[default]
    #[strum(serialize = "PS_PRELOADER_PASSENGER")]
    Passenger = 0,
    /// procsup's own. Not to be had in this version.
    #[strum(serialize = "PS_PRELOADER_NATIVE")]
    Native = 1,
}

/// How long the end of a preloader that is freed takes at the most, before it is killed.
const LAST_GRACE: i64 = 1_000 * MILLI;
/// How long one that was killed is waited for.
const AFTER_KILL: i64 = 2_000 * MILLI;
/// Arguments that are the preloader's, and its workers' by that.
const SHARED: [&str; 6] = ["app_root", "app_type", "user", "group", "socket_dir", "instance_dir"];

/// A preloader.
#[derive(Debug)]
pub struct Preloader(Arc<Core>);

impl Preloader {
    /// One that will run this command, with these arguments of its session, when the first worker is asked for.
    pub fn new(command: &Command, arguments: &Arguments) -> Result<Self> {
        if command.has_readiness() {
            return Err(Error::invalid(
                "readiness",
                "readiness: a preloader is ready when its session says so: it cannot have another readiness",
            ));
        }
        if command.get_restart().when != RestartWhen::Never {
            return Err(Error::invalid("restart", "restart: a preloader is started when it is needed, and by nothing else"));
        }
        check_lent(command)?;
        let arguments = described(command, arguments)?;
        let owner = owner_of(command, &arguments)?;
        let private = Supervisor::new()?;
        let private_fd = private.fd()?.try_clone_to_owned();
        let private_fd = private_fd.map_err(|error| {
            Error::system("fcntl", nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(0)), "cannot watch a preloader")
        })?;
        let private_fd = fds::above_standard(private_fd).map_err(|errno| Error::system("fcntl", errno, "cannot watch a preloader"))?;
        let recipe = Recipe { command: Arc::new(command.pinned()?), arguments, owner };
        Ok(Self(Arc::new(Core::new(recipe, private, private_fd))))
    }

    fn check(&self) -> Result<&Arc<Core>> {
        self.0.home.check("preloader")?;
        Ok(&self.0)
    }

    /// Sets an argument of its session, and of those of its workers; none takes it away. For the next process.
    pub fn set(&self, name: &str, value: Option<&str>) -> Result<()> {
        self.check()?.change_recipe(|recipe| {
            let mut changed = recipe.arguments.clone();
            changed.set(name, value)?;
            let changed = described(&recipe.command, &changed)?;
            if matches!(name, "user" | "group") {
                recipe.owner = owner_of(&recipe.command, &changed)?;
            }
            recipe.arguments = changed;
            Ok(())
        })
    }

    /// What it speaks.
    pub fn set_protocol(&self, protocol: Protocol) -> Result<()> {
        self.check()?;
        match protocol {
            Protocol::Passenger => Ok(()),
            Protocol::Native => Err(Error::new(Status::Unsupported, "protocol", "procsup's own protocol is not to be had in this version")),
        }
    }

    /// How long it may be of no use before it is stopped; -1: for ever. 0 is 1.
    pub fn set_idle_stop(&self, ms: i64) -> Result<()> {
        clock::check_timeout("ms", ms)?;
        let core = self.check()?;
        core.put(Item::Idle((ms >= 0).then(|| ms.max(1).saturating_mul(MILLI))));
        core.drive();
        Ok(())
    }

    /// Begins a worker: READY, or what says that it failed, follows. `timeout_ms` counts from its turn.
    pub fn begin(
        &self,
        host: Host,
        worker: Option<(&Command, &Arguments)>,
        timeout_ms: i64,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Worker> {
        let time = Time::After(milliseconds(timeout_ms)?);
        self.begin_until(host, worker, time, register)
    }

    /// Starts one, and waits until it is ready; `timeout_ms` is that of the whole. After an error nothing is left of it.
    pub fn spawn(
        &self,
        host: Host,
        worker: Option<(&Command, &Arguments)>,
        timeout_ms: i64,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Worker> {
        let end = Deadline::of_millis(milliseconds(timeout_ms)?);
        let worker = self.begin_until(host, worker, Time::Until(end), register)?;
        finish(worker, end)
    }

    fn begin_until(
        &self,
        host: Host,
        worker: Option<(&Command, &Arguments)>,
        time: Time,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Worker> {
        let began = Moment::now();
        let core = self.check()?;
        let (mut command, said) = match worker {
            Some((command, said)) => (command.clone(), said.clone()),
            None => (Command::new("worker")?, Arguments::default()),
        };
        command.check_adoption()?;
        if command.has_readiness() {
            return Err(Error::invalid(
                "readiness",
                "readiness: a worker is ready when its session says so: it cannot have another readiness",
            ));
        }
        let own = core.recipe().arguments;
        // What the preloader has loaded is what its workers are (PA-8).
        if let Some(name) = SHARED.iter().find(|name| said.get(name).is_some_and(|value| own.get(name) != Some(value))) {
            return Err(Error::invalid(
                name,
                format!("{name}: it is another one than the preloader's, which has loaded what its workers are"),
            ));
        }
        let all = said.over(&own);
        let violations = all.violations(Purpose::StartPreloader);
        if !violations.is_empty() {
            return Err(never_begun(Failure::arguments(violations), &all));
        }
        command.ready_when_told().speak(super::direct::KEPT);
        let outcome = Arc::new(Outcome::default());
        let request = Request::new(core.number(), core.clone(), host.clone(), command.clone(), said, time, outcome.clone());
        let managed = host.begin(&command, Arc::new(Asked(Arc::new(request))), register)?;
        Ok(Worker::begun(WorkerKind::Forked, host, managed, outcome, began))
    }

    /// The application has changed: the next worker comes from a new process.
    pub fn reload(&self) -> Result<()> {
        self.check()?.replace();
        Ok(())
    }

    /// How many processes it has had; the generation of the last one.
    pub fn generation(&self) -> Result<u32> {
        Ok(self.check()?.generation.load(Ordering::Acquire))
    }

    /// The process id of the last one; 0: there is none.
    pub fn pid(&self) -> Result<i32> {
        Ok(self.check()?.pid.load(Ordering::Acquire))
    }

    /// When it was used last.
    pub fn last_used(&self) -> Result<i64> {
        Ok(self.check()?.last_used.load(Ordering::Acquire))
    }

    /// Its process goes: asked by the end of its standard input, and killed when it has not gone in this time (-1: 5 s).
    pub fn stop(&self, grace_ms: i64) -> Result<()> {
        clock::check_timeout("grace_ms", grace_ms)?;
        let core = self.check()?;
        let by = if grace_ms < 0 { Deadline::after(work::GRACE) } else { Deadline::of_millis(grace_ms) };
        if end(core, false, by)? {
            return Ok(());
        }
        Err(Error::new(Status::Timeout, "stop", "a process of the preloader is there still, though it was killed"))
    }

    /// The same for good; its workers live on. What does not go is killed.
    pub fn close(&self) {
        if self.check().is_ok() {
            let _ = end(&self.0, true, Deadline::after(LAST_GRACE));
            self.0.private.close();
        }
    }
}

impl Drop for Preloader {
    fn drop(&mut self) {
        self.close();
    }
}

/// Tells it, and waits until no process is left; those that are there at that time are killed. `false`: one of them is there still.
fn end(core: &Arc<Core>, for_good: bool, by: Deadline) -> Result<bool> {
    // Of those that another thread starts meanwhile, only the last end waits.
    let last_of_them = if for_good { u32::MAX } else { core.generation.load(Ordering::Acquire) };
    core.put(Item::End { for_good, by });
    let last = by.plus(AFTER_KILL);
    let waiter = Arc::new(WakeUp::new().map_err(|fault| fault.error("cannot wait for a preloader"))?);
    loop {
        core.drive();
        waiter.lower();
        // In this order: what changes after the look that follows is heard.
        let wants = core.wait_on(&waiter);
        if !core.has_process(last_of_them) {
            return Ok(true);
        }
        if last.has_come() {
            return Ok(false);
        }
        use std::os::fd::AsFd;
        let mut watched = vec![waiter.as_fd()];
        watched.extend(wants.fds.iter().filter(|(_, writing)| !writing).map(|(fd, _)| fd.as_fd()));
        poll::wait(&watched, wants.due.min(last)).map_err(|errno| Error::system("poll", errno, "cannot wait for a preloader"))?;
    }
}

/// What is wrong before anything was begun.
fn never_begun(failure: Failure, arguments: &Arguments) -> Error {
    let evidence = Evidence {
        journey: journey(Purpose::Worker, super::session::uses_wrapper(arguments)),
        response: None,
        arguments,
        output: Vec::new(),
        pid: None,
        exit: None,
        preloader: None,
        purpose: Purpose::Worker,
    };
    failure::error(failure, evidence)
}
