//! A separate supervisor of a handoff: it starts the first generation, has it replaced, and starts another when none is left.
//!
//! The law that shaped it: **it is an observer that can help, never one that must.** The generations hand over to each other, as they do without it
//! (`machine/`), so its crash, hang, stop or restart at any moment changes nothing for them or their clients. What it has, it has beside them: duplicates
//! of the listeners, pidfds, and a channel on which the owner tells it what it does.
//!
//! ```text
//!   mod.rs: the calls --lock--> core.rs: reactor, those who leave, listeners, events, orders (spawns without the lock)
//!                                 |
//!                                 +-- way.rs: one protocol behind a trait
//!                                       +-- native/   the generations use ps_handoff (machine/supervisor.rs)
//!                                       +-- notify/   they know LISTEN_FDS and sd_notify (machine/overlap.rs)
//!                                       +-- v1/       they speak the older protocol of three (machine/v1.rs)
//! ```
//!
//! It keeps no thread and no signal handler: one descriptor, and [`HandoffSupervisor::next_event`].

mod core;
mod events;
mod health;
mod journal;
mod listeners;
mod metrics;
mod native;
mod notify;
mod order;
mod process;
mod settings;
#[doc(hidden)]
pub mod v1;
mod way;
mod ways;

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use nix::errno::Errno;

use self::core::{Core, no_generation};
pub use events::{EventKind, Happened};
pub use health::HealthKind;
use order::Order;
pub use settings::Protocol;
use way::Way;

use super::control;
use super::outcome::{BuildId, Outcome};
use crate::clock::{self, Budget, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::belongings::Belongings;
use crate::process::command::Command;
use crate::process::spawn;
use crate::sys::custody::{self, Custody};
use crate::sys::memory::Home;
use crate::sys::poll::Patience;
use crate::sys::reactor::{Reactor, Time};
use crate::sys::{fds, poll};

/// How often what has come is looked at in one call, as long as there is more.
const ROUNDS: u32 = 16;
/// How long the look for what runs may take after a restart.
const RECOVERY: i64 = 5_000 * MILLI;
/// How long a successor that was stopped may take to stand still.
const STANDS_STILL: i64 = 500 * MILLI;
/// How long the end of a handle may take.
const CLOSING: i64 = 5_000 * MILLI;

/// See the head of this file.
#[derive(Debug)]
pub struct HandoffSupervisor {
    inner: Mutex<Inner>,
    /// A share of the core's, so that waiting needs no lock.
    reactor: Arc<Reactor>,
    custody: Custody,
    home: Home,
}

#[derive(Debug)]
struct Inner {
    core: Core,
    /// Chosen by the first start, or recovery.
    way: Option<Box<dyn Way>>,
    closed: bool,
}

impl HandoffSupervisor {
    /// One that knows of nobody yet. `control_path`: where generations meet; without it only daemons that know nothing of procsup can be replaced.
    pub fn new(control_path: Option<&Path>) -> Result<Self> {
        spawn::prepare()?;
        let absolute = |path: &Path| -> Result<PathBuf> {
            let path = std::path::absolute(path).map_err(|error| Error::relative("control_path", &error))?;
            control::check_path(&path)?;
            Ok(path)
        };
        let core = Core::new(settings::Settings::new(control_path.map(absolute).transpose()?)?)?;
        let (reactor, custody) = (core.reactor.clone(), core.custody);
        let inner = Inner { core, way: None, closed: false };
        Ok(Self { inner: Mutex::new(inner), reactor, custody, home: Home::here() })
    }

    /// By this name a forked copy will know it.
    pub fn set_name(&self, name: u64) {
        self.custody.set_name(name);
    }

    /// It is freed here, and no copy is to ask for it any more.
    pub fn forget_name(name: u64) {
        custody::forget_name(name);
    }

    /// In a copy: closes what it has inherited of the one that has this name, which is felt by nobody.
    pub fn give_back(name: u64) {
        custody::give_back(name);
    }

    fn enter(&self) -> Result<MutexGuard<'_, Inner>> {
        self.home.check("handoff supervisor")?;
        let inner = lock(&self.inner);
        if inner.closed {
            return Err(Error::new(Status::Shutdown, "handoff_supervisor", "the supervisor has been freed"));
        }
        Ok(inner)
    }

    /// Does something under the lock; what it orders is carried out without it, and the last word is that of the order, if there was one.
    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        let mut inner = self.enter()?;
        let answer = act(&mut inner);
        inner.rest();
        let rubbish = std::mem::take(&mut inner.core.rubbish);
        drop(inner);
        drop(rubbish);
        answer
    }

    /// Carries out what was ordered, and is nobody's call.
    fn carry_out_all(&self) -> Result<()> {
        while let Some(order) = self.with(|inner| Ok(inner.core.take_order()))? {
            _ = self.carry_out(order);
        }
        Ok(())
    }

    /// What came of this order.
    fn carry_out(&self, order: Order) -> Result<()> {
        let mut made = Some(spawn::spawn(&order.command, Belongings::default()));
        let (purpose, number) = (order.purpose, order.number);
        drop(order);
        let told = self.with(|inner| {
            let made = made.take().expect("made above");
            match &mut inner.way {
                Some(way) => way.born(&mut inner.core, purpose, number, made),
                None => Ok(()),
            }
        });
        // Freed meanwhile by another thread: nobody is left to look after it.
        if let Some(Ok(child)) = made {
            child.kill(crate::registry::Cause::Stop);
            let _ = child.try_reap(false);
        }
        told
    }

    /// A call of the application that may order a process, and answers what came of that. It carries that order out itself, whoever else waits for
    /// something to do: its answer would be lost.
    fn command(&self, act: impl FnOnce(&mut dyn Way, &mut Core) -> Result<()>) -> Result<()> {
        let order = self.with(|inner| {
            let Inner { core, way, .. } = inner;
            // Before start and recover there is nothing that could be meant, and what is chosen for good then is still open.
            let Some(way) = way else { return Err(no_generation()) };
            core.newly_ordered();
            act(way.as_mut(), core)?;
            Ok(core.newly_ordered())
        })?;
        let answer = order.map_or(Ok(()), |order| self.carry_out(order));
        self.carry_out_all()?;
        answer
    }

    /// The same of a call that may be the first.
    fn begin(&self, act: impl FnOnce(&mut dyn Way, &mut Core) -> Result<()>) -> Result<()> {
        self.with(|inner| {
            if inner.way.is_none() {
                inner.way = Some(ways::of(&inner.core.settings)?);
            }
            Ok(())
        })?;
        self.command(act)
    }

    // ---- settings ----

    fn set(&self, change: impl FnOnce(&mut settings::Settings) -> Result<()>) -> Result<()> {
        self.with(|inner| change(&mut inner.core.settings))
    }

    /// What is to be set before anything runs.
    fn set_first(&self, change: impl FnOnce(&mut settings::Settings) -> Result<()>) -> Result<()> {
        self.with(|inner| {
            if inner.way.is_some() {
                return Err(Error::new(Status::State, "handoff_supervisor", "this is to be set before start and recover"));
            }
            change(&mut inner.core.settings)
        })
    }

    /// Holds a duplicate of a listener under this name, for the generations to come.
    pub fn listener(&self, name: &CStr, fd: RawFd) -> Result<()> {
        drop(self.enter()?);
        let copy = fds::duplicate_number(fd).map_err(|errno| match errno {
            Errno::EBADF => Error::invalid("fd", format!("fd: {fd} is not an open descriptor")).with_errno(errno),
            errno => Error::system("fcntl", errno, "cannot duplicate the listener"),
        })?;
        self.with(|inner| inner.core.listeners.add(name, copy))
    }

    /// How generations are replaced.
    pub fn set_protocol(&self, protocol: Protocol) -> Result<()> {
        self.set_first(|settings| {
            settings.protocol = protocol;
            Ok(())
        })
    }

    /// Where a journal is kept.
    pub fn set_journal(&self, path: &Path) -> Result<()> {
        let path = std::path::absolute(path).map_err(|error| Error::relative("path", &error))?;
        if path.file_name().is_none() {
            return Err(Error::invalid("path", format!("path: {} is no file", path.display())));
        }
        self.set_first(|settings| {
            settings.journal = Some(path);
            Ok(())
        })
    }

    /// What the generations to come are known by, unless they say their own.
    pub fn set_build_id(&self, build_id: &str) -> Result<()> {
        BuildId::given("build_id", build_id.as_bytes())?;
        self.set(|settings| {
            settings.build_id = Some(build_id.to_owned());
            Ok(())
        })
    }

    /// What is asked of a new generation before the old one goes.
    pub fn set_health(&self, kind: HealthKind, detail: Option<&str>, timeout_ms: i64) -> Result<()> {
        let health = health::Health::new(kind, detail, timeout_ms)?;
        self.set(|settings| {
            settings.health = health;
            Ok(())
        })
    }

    /// The same by a command that ends with 0.
    pub fn set_health_command(&self, command: Arc<Command>, timeout_ms: i64) -> Result<()> {
        let health = health::Health::by_command(command, timeout_ms)?;
        self.set(|settings| {
            settings.health = health;
            Ok(())
        })
    }

    /// How long the new one is to be healthy before the old one is stopped.
    pub fn set_probation(&self, ms: i64) -> Result<()> {
        let probation = if ms == 0 { 0 } else { settings::span("ms", ms, 0)? };
        self.set(|settings| {
            settings.probation = probation;
            Ok(())
        })
    }

    /// How often another is started in the place of one that has ended by itself.
    pub fn set_restart(&self, attempts: u32, window_ms: i64) -> Result<()> {
        self.set(|settings| settings.set_restart(attempts, window_ms))
    }

    /// For tests: is told of each step of protocol v1 when it was taken.
    #[doc(hidden)]
    pub fn set_tracer(&self, tracer: fn(&'static str)) -> Result<()> {
        self.set_first(|settings| {
            settings.tracer = Some(tracer);
            Ok(())
        })
    }

    // ---- what it does ----

    /// Nothing may tie a generation to this process. What one that speaks sd_notify says is heard as long as this process is there.
    fn check_lasts(&self, command: &Command) -> Result<()> {
        let protocol = self.enter()?.core.settings.protocol;
        if protocol == Protocol::Notify { command.check_outlives_listener() } else { command.check_outlives_host() }
    }

    /// Starts the first generation. Returns when its program has begun.
    pub fn start(&self, command: Arc<Command>) -> Result<()> {
        self.check_lasts(&command)?;
        self.begin(|way, core| way.start(core, command))
    }

    /// Has the generation replaced by another. Returns when its program has begun.
    pub fn replace(&self, command: Arc<Command>, deadline_ms: i64, drain_ms: i64) -> Result<()> {
        let whole = settings::span("deadline_ms", deadline_ms, settings::WHOLE)?;
        let drain = settings::span("drain_ms", drain_ms, settings::DRAIN)?;
        self.check_lasts(&command)?;
        self.command(|way, core| way.replace(core, command, whole, drain))
    }

    /// The replacement shall not be; ABORTED follows, or COMMITTED where that was first.
    pub fn cancel(&self) -> Result<()> {
        self.command(|way, core| way.cancel(core))
    }

    /// The generation shall end; STOPPED follows.
    pub fn stop(&self, grace_ms: i64) -> Result<()> {
        if grace_ms < -1 {
            return Err(Error::invalid("grace_ms", format!("grace_ms: {grace_ms} ms is no time: -1, the usual, is the least")));
        }
        self.command(|way, core| way.stop(core, grace_ms))
    }

    /// After a restart of the supervisor's own process: finds what runs, or what is held. At most five seconds.
    pub fn recover(&self) -> Result<()> {
        let whole = Budget::of(RECOVERY);
        self.begin(|way, core| way.recover(core))?;
        loop {
            let come = self.with(|inner| {
                inner.pump();
                let Inner { core, way, .. } = inner;
                Ok(way.as_mut().and_then(|way| way.is_recovered(core)))
            })?;
            if let Some(answer) = come {
                return answer;
            }
            if whole.is_spent() {
                self.with(|inner| {
                    if let Some(way) = &mut inner.way {
                        way.forget_recovery(&mut inner.core);
                    }
                    Ok(())
                })?;
                let text = "nobody has answered at the control path in five seconds, and somebody listens there or has its lock";
                return Err(Error::new(Status::Timeout, "recover", text));
            }
            // An event that is told meanwhile keeps the descriptor readable.
            match self.with(|inner| Ok(inner.core.has_events()))? {
                true => poll::pause(whole.end()),
                false => self.wait(whole.end())?,
            }
        }
    }

    // ---- what it is ----

    /// Who owns, as far as is known here.
    pub fn owner(&self) -> Result<(i32, u64)> {
        let inner = self.enter()?;
        let none = || Error::new(Status::NotFound, "handoff_supervisor", "no generation is known to serve");
        inner.way.as_ref().and_then(|way| way.owner()).ok_or_else(none)
    }

    /// What came of a handoff that is over: 0 is the last.
    pub fn outcome(&self, index: u32) -> Result<Outcome> {
        let inner = self.enter()?;
        let found = inner.core.outcomes.get(index as usize);
        found.cloned().ok_or_else(|| Error::new(Status::NotFound, "index", format!("index: {index}; no more handoffs are on record")))
    }

    /// Counters, for Prometheus.
    pub fn metrics(&self) -> Result<String> {
        let inner = self.enter()?;
        let in_progress = inner.way.as_ref().is_some_and(|way| way.is_replacing());
        Ok(inner.core.metrics.text(inner.core.listeners.iter().count(), in_progress))
    }

    // ---- events ----

    fn wait(&self, deadline: Deadline) -> Result<()> {
        self.reactor.wait(deadline).map_err(|fault| fault.error("cannot wait for events"))
    }

    /// Readable while [`HandoffSupervisor::next_event`] has something to do.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.home.check("handoff supervisor")?;
        self.reactor.fd().map_err(|fault| fault.error("cannot watch the supervisor"))
    }

    /// The next event; does what is due. Waits up to `timeout_ms` (-1: for ever, 0: not at all). `None`: there is none.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Happened>> {
        // A handler of the host's ends it as its time does: after a last look.
        let patience = Patience::or_handler(Deadline::of_timeout("timeout_ms", timeout_ms)?);
        loop {
            let told = self.with(|inner| {
                if !inner.core.has_events() {
                    inner.pump();
                }
                Ok(inner.core.take_event())
            })?;
            // What follows from what was heard is done in any case: who takes one event at a time must not delay a start.
            self.carry_out_all()?;
            if told.is_some() || patience.is_over() {
                return Ok(told);
            }
            self.reactor.wait_with(&patience).map_err(|fault| fault.error("cannot wait for events"))?;
        }
    }

    /// Ends it: the generation goes on, a successor under way that owns nothing is ended (at most 5 seconds). Waits for events end with `Shutdown`.
    pub fn close(&self) {
        if !self.home.is_here() {
            return;
        }
        let (mut leaving, doubtful, rubbish) = {
            let mut inner = lock(&self.inner);
            if inner.closed {
                return;
            }
            (inner.close(), std::mem::take(&mut inner.core.doubtful), std::mem::take(&mut inner.core.rubbish))
        };
        drop(rubbish);
        leaving.extend(doubtful.into_iter().filter_map(judge));
        end_all(leaving);
    }
}

impl Inner {
    /// Does what is due, all of it: who waits for edges gets none for what was left.
    fn pump(&mut self) {
        let Self { core, way: Some(way), .. } = self else { return };
        for _ in 0..ROUNDS {
            let turn = core.reactor.turn();
            for token in &turn.ready {
                if !core.look_at_leaving(*token) {
                    way.ready(core, *token);
                }
            }
            let now = clock::now();
            while turn.timer
                && let Some(time) = core.reactor.pop_time(now)
            {
                match time {
                    Time::Due(token) if !core.look_at_leaving(token) => way.due(core, token),
                    Time::Back(token) if !core.look_at_leaving(token) => way.ready(core, token),
                    _ => {}
                }
            }
            if turn.ready.is_empty() && !turn.timer || core.has_events() || core.has_orders() {
                return;
            }
        }
        core.reactor.nudge();
    }

    fn rest(&mut self) {
        if let Some(way) = &mut self.way {
            way.rest(&mut self.core);
        }
        self.core.rest();
    }

    fn close(&mut self) -> Vec<process::Process> {
        self.closed = true;
        if let Some(mut way) = self.way.take() {
            way.close(&mut self.core);
        }
        let held = self.core.listeners.take();
        self.core.rubbish.extend(held);
        // Whoever waits for events shall hear of it.
        self.core.reactor.set_raised(true);
        self.core.take_leaving()
    }
}

impl Drop for HandoffSupervisor {
    fn drop(&mut self) {
        self.close();
    }
}

/// Who does not own is to be ended. One that cannot be stopped goes its own way, as does one that may own.
fn judge(doubtful: core::Doubtful) -> Option<process::Process> {
    let core::Doubtful { mut process, may_own } = doubtful;
    let whole = Budget::of(STANDS_STILL);
    process.signal(libc::SIGSTOP);
    while !process.stands_still() && !whole.is_spent() {
        poll::pause(whole.end());
    }
    if process.stands_still() && !may_own() {
        process.kill();
        return Some(process);
    }
    process.signal(libc::SIGCONT);
    process.disown();
    None
}

/// Kills and reaps them; waits for that.
fn end_all(mut leaving: Vec<process::Process>) {
    let whole = Budget::of(CLOSING);
    leaving.iter_mut().for_each(process::Process::kill);
    let mut wait = poll::ProcessWait::default();
    loop {
        leaving.retain_mut(|process| process.tick().is_none());
        let Some(first) = leaving.first().filter(|_| !whole.is_spent()) else { return };
        let pidfd = first.pidfd().clone();
        let _ = wait.wait(&[pidfd.as_fd()], whole.end());
    }
}
