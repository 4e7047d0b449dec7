//! A preloader, whatever it speaks.
//!
//! The trap: what it speaks is chosen before its first use, by one thread, while others may use it already. So who uses it first closes the choice,
//! under the lock under which it is made.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::client::{self, Client};
use super::direct::{finish, milliseconds};
use super::native::host::{self as native, Native, no_session, pool};
use super::request::Time;
use super::session::Arguments;
use super::worker::Worker;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn::check_lent;
use crate::supervisor::{Host, Managed};
use crate::sys::memory::Home;

/// What a preloader speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Protocol {
    /// That of Phusion Passenger: a line of JSON, an answer of JSON.
    #[default]
    #[strum(serialize = "PS_PRELOADER_PASSENGER")]
    Passenger = 0,
    /// procsup's own: the process calls ps_preload_open.
    #[strum(serialize = "PS_PRELOADER_NATIVE")]
    Native = 1,
}

#[derive(Clone, Debug)]
enum Side {
    Passenger(Arc<Client>),
    Native(Arc<Native>),
}

/// What holds for either.
macro_rules! either {
    ($side:expr, $core:ident => $what:expr) => {
        match $side {
            Side::Passenger($core) => $what,
            Side::Native($core) => $what,
        }
    };
}

#[derive(Debug)]
struct Choice {
    side: Side,
    /// It is made: a worker was asked for.
    used: bool,
    /// As they were given.
    arguments: Arguments,
    idle_ms: i64,
}

/// A preloader.
#[derive(Debug)]
pub struct Preloader {
    home: Home,
    command: Command,
    choice: Mutex<Choice>,
}

impl Preloader {
    /// One that will run this command, with these arguments of its session, when the first worker is asked for.
    pub fn new(command: &Command, arguments: &Arguments) -> Result<Self> {
        if command.get_restart().when != RestartWhen::Never {
            return Err(Error::invalid("restart", "restart: a preloader is started when it is needed, and by nothing else"));
        }
        command.check_number_is_its_own("a preloader")?;
        check_lent(command)?;
        let side = Side::Passenger(Arc::new(client::client(command, arguments)?));
        let choice = Mutex::new(Choice { side, used: false, arguments: arguments.clone(), idle_ms: -1 });
        Ok(Self { home: Home::here(), command: command.pinned()?, choice })
    }

    fn side(&self) -> Result<Side> {
        self.home.check("preloader")?;
        Ok(lock(&self.choice).side.clone())
    }

    /// The same, to use it: what it speaks stands from now on.
    fn used(&self) -> Result<Side> {
        self.home.check("preloader")?;
        let mut choice = lock(&self.choice);
        choice.used = true;
        Ok(choice.side.clone())
    }

    /// Sets an argument of its session, and of those of its workers; none takes it away. For the next process.
    pub fn set(&self, name: &str, value: Option<&str>) -> Result<()> {
        let side = self.side()?;
        // It may look into the user database: not under the lock.
        match &side {
            Side::Passenger(core) => client::set(core, name, value)?,
            Side::Native(_) => return Err(no_session(name)),
        }
        lock(&self.choice).arguments.set(name, value)
    }

    /// What it speaks, before its first use.
    pub fn set_protocol(&self, protocol: Protocol) -> Result<()> {
        self.home.check("preloader")?;
        let mut choice = lock(&self.choice);
        match (&choice.side, protocol) {
            (Side::Passenger(_), Protocol::Passenger) | (Side::Native(_), Protocol::Native) => return Ok(()),
            _ if choice.used => {
                return Err(Error::new(Status::State, "protocol", "what a preloader speaks is chosen before its first use"));
            }
            (_, Protocol::Passenger) => choice.side = Side::Passenger(Arc::new(client::client(&self.command, &choice.arguments)?)),
            (_, Protocol::Native) => {
                if let Some((name, _)) = choice.arguments.iter().next() {
                    return Err(no_session(name));
                }
                choice.side = Side::Native(Arc::new(native::native(&self.command)?));
            }
        }
        let (side, idle_ms) = (choice.side.clone(), choice.idle_ms);
        drop(choice);
        either!(&side, core => core.set_idle_stop(idle_ms))
    }

    /// How long it may be of no use before it is stopped; -1: for ever. 0 is 1.
    pub fn set_idle_stop(&self, ms: i64) -> Result<()> {
        let side = self.side()?;
        either!(&side, core => core.set_idle_stop(ms))?;
        lock(&self.choice).idle_ms = ms;
        Ok(())
    }

    /// The side of one that has a pool; `what` is asked of it.
    fn native(&self, what: &'static str) -> Result<Arc<Native>> {
        match self.side()? {
            Side::Native(core) => Ok(core),
            Side::Passenger(_) => {
                Err(Error::new(Status::Unsupported, what, format!("{what}: only a preloader of the native protocol can do that")))
            }
        }
    }

    /// How many workers shall be idle, and how old they may get; -1: as old as they like. 0 is 1.
    pub fn set_pool(&self, idle: u32, max_age_ms: i64) -> Result<()> {
        pool::set_pool(&self.native("pool")?, idle, max_age_ms)
    }

    /// How much memory of its own its process may have, and how many births in a row may die; 0: any.
    pub fn set_limits(&self, memory_bytes: u64, dead_births: u32) -> Result<()> {
        pool::set_limits(&self.native("limits")?, memory_bytes, dead_births);
        Ok(())
    }

    /// Starts its process, and waits until the pool is full.
    pub fn warm(&self, host: &Host, timeout_ms: i64) -> Result<()> {
        let until = Deadline::of_millis(milliseconds(timeout_ms)?);
        let core = self.native("warm")?;
        self.used()?;
        pool::warm(&core, host, until)
    }

    /// Begins a worker: READY, or what says that it failed, follows. `timeout_ms` counts from its turn.
    pub fn begin(
        &self,
        host: Host,
        worker: Option<(&Arc<Command>, &Arguments)>,
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
        worker: Option<(&Arc<Command>, &Arguments)>,
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
        worker: Option<(&Arc<Command>, &Arguments)>,
        time: Time,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Worker> {
        match self.used()? {
            Side::Passenger(core) => client::begin(&core, host, worker.map(|(command, said)| (&**command, said)), time, register),
            Side::Native(core) => native::begin(&core, host, worker, time, register),
        }
    }

    /// A worker of it becomes the next preloader; see [`native::promote`].
    pub fn promote(&self, worker: &Worker, timeout_ms: i64) -> Result<()> {
        clock::check_timeout("timeout_ms", timeout_ms)?;
        worker.check()?;
        match self.side()? {
            Side::Native(core) => native::promote(&core, worker, Deadline::of_millis(timeout_ms)),
            Side::Passenger(_) => {
                Err(Error::new(Status::Unsupported, "promote", "a worker of Passenger's protocol cannot become a preloader"))
            }
        }
    }

    /// The application has changed: the next worker comes from a new process.
    pub fn reload(&self) -> Result<()> {
        let side = self.side()?;
        either!(&side, core => core.reload());
        Ok(())
    }

    /// How many processes it has had; the generation of the last one.
    pub fn generation(&self) -> Result<u32> {
        let side = self.side()?;
        Ok(either!(&side, core => core.generation.load(Ordering::Acquire)))
    }

    /// The process id of the last one; 0: there is none.
    pub fn pid(&self) -> Result<i32> {
        let side = self.side()?;
        Ok(either!(&side, core => core.pid.load(Ordering::Acquire)))
    }

    /// When it was used last.
    pub fn last_used(&self) -> Result<i64> {
        let side = self.side()?;
        Ok(either!(&side, core => core.last_used.load(Ordering::Acquire)))
    }

    /// Its process goes: it is asked, and killed when it has not gone in this time (-1: 5 s).
    pub fn stop(&self, grace_ms: i64) -> Result<()> {
        let side = self.side()?;
        either!(&side, core => core.stop(grace_ms))
    }

    /// The same for good; its workers live on. What does not go is killed.
    pub fn close(&self) {
        if let Ok(side) = self.side() {
            either!(&side, core => core.close());
        }
    }
}

impl Drop for Preloader {
    fn drop(&mut self) {
        self.close();
    }
}
