//! Many children behind one pollable descriptor, without a thread.
//!
//! Truth is a state: a pidfd says once that its child has ended, to whoever looks after the work then, and that one reaps or has it said again; a
//! reap is what makes the EXITED event, so none can be lost or come twice. Blocking calls from other threads reap too; they leave the event in the queue and raise
//! the wake-up (`sys/reactor.rs`, layered). The work below it is what such calls watch, to move timers and output along without taking
//! anybody's events.
//!
//! | file           | what                                                      |
//! |----------------|-----------------------------------------------------------|
//! | `scheduler.rs` | who may run, waits, rests, and what is told when: pure    |
//! | `flights.rs`   | which starts are under way under which permit, who waits for one: pure |
//! | `permits.rs`   | permits of spawn budgets: asked for, kept, finished       |
//! | `restart.rs`   | who is started again, and after which rest: pure          |
//! | `inner.rs`     | the ledger: who is watched, what is said, what is due     |
//! | `carry_out.rs` | what the scheduler hears, and how decisions are carried out |
//! | `starts.rs`    | how a child gets its process                              |
//! | `pipeline.rs`  | the same of several that read from each other             |
//! | `pump.rs`      | the work that is due                                      |
//! | `spawner/`     | children that are made by a tiny process beside the host  |
//! | `shutdown.rs`  | the end                                                   |
//! | `orphans.rs`   | what a subreaper adopts                                   |
//! | `events.rs`    | events, and their queue                                   |
//! | `dense.rs`     | a table by numbers that are given in turn                 |
//! | `default.rs`   | the one without a handle, looked after in passing         |
//! | `errors.rs`    | what a child is told that will not be                     |
//! | `run.rs`       | one program, run to its end for what it says              |
//! | `once.rs`      | a daemon that is started once, whoever needs it           |
//! | `managed/`     | one child under a supervisor: stages, calls on it         |
//!
//! The default supervisor (NULL in C) schedules nobody, and watches a child only if it has to: when its handle is freed while it runs, or
//! when it has a timer or captured output. Calls into procsup then look after it in passing.

mod carry_out;
mod default;
mod dense;
#[doc(hidden)]
pub mod errands;
mod errors;
mod events;
mod flights;
mod id;
mod inner;
mod managed;
mod once;
mod orphans;
mod permits;
mod pipeline;
mod pump;
#[doc(hidden)]
pub mod restart;
pub mod run;
#[doc(hidden)]
pub mod scheduler;
mod shutdown;
mod spawner;
mod starts;

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

pub use default::poke;
pub(crate) use default::succeed;
#[allow(unused_imports)]
pub use errands::{Errand, ErrandId, Host, MAX_FDS, Made, Shortcut, Start, Wants, default_host};
pub use events::{Event, EventKind, Reason, Run, What, Why};
pub(crate) use inner::Inner;
pub use managed::Managed;
pub use once::Once;

use default::{inner as default_inner, poke_to_spawn};

use crate::clock::Deadline;
use crate::error::Result;
use crate::lock::lock;
use crate::process;
use crate::process::command::{Command, RestartWhen};
use crate::process::spawn;
use crate::registry;
use crate::sys::processor;
use crate::sys::reserve;

/// Starts a command under the default supervisor, which has no limits and no events.
///
/// It keeps the child until its end, whether or not the value returned is dropped.
pub fn spawn(command: &Command) -> Result<Arc<Managed>> {
    let managed = spawn_default(&Arc::new(command.clone()), &mut |_| 0)?;
    if let Err(error) = default_inner()?.attach_running(&managed) {
        // Nobody would have it.
        managed.child().iter().for_each(|child| starts::undo(child));
        return Err(error);
    }
    Ok(managed)
}

pub(crate) fn spawn_default(command: &Arc<Command>, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
    poke_to_spawn();
    // The first use opens descriptors, before the spawn can make this check for itself.
    spawn::check_lent(command)?;
    default_inner()?.spawn(command, None, register)
}

pub(crate) fn spawn_default_once(
    once: Once<'_>,
    command: &Command,
    register: &mut dyn FnMut(&Arc<Managed>) -> u64,
) -> Result<Option<Arc<Managed>>> {
    poke_to_spawn();
    default_inner()?.spawn_once(once, command, register)
}

/// The same of programs that read from each other.
pub(crate) fn spawn_pipeline_default(
    commands: &[Arc<Command>],
    register: &mut dyn FnMut(&Arc<Managed>) -> Result<u64>,
) -> Result<Vec<Arc<Managed>>> {
    poke_to_spawn();
    process::pipeline::check(commands)?;
    default_inner()?.spawn_pipeline(commands, register)
}

/// Kills every child of this process and reaps it; answers how many were left when `timeout_ms` (-1: no limit) had passed.
///
/// Safe in a signal handler. What the children owned is released by later calls.
pub fn kill_and_reap_all(timeout_ms: i64) -> u32 {
    registry::kill_and_reap_all(Deadline::of_millis(timeout_ms))
}

/// How many children have not been reaped. Safe in a signal handler.
pub fn live_count() -> u32 {
    registry::live_count()
}

/// A supervisor: children, their events, one descriptor to wait on. Dropping it kills and reaps what is left.
#[derive(Debug)]
pub struct Supervisor {
    inner: Arc<Inner>,
    /// What the OUTPUT event said that was taken last.
    said: Mutex<Vec<u8>>,
}

impl Supervisor {
    /// Makes one, and reserves the landing descriptors of this process if that was not done: a host that makes its first
    /// supervisor early, while low descriptor numbers are free, spawns fast for ever.
    pub fn new() -> Result<Self> {
        default::succeed()?;
        spawn::prepare()?;
        let inner = Inner::new(false).map_err(|fault| fault.error("cannot make a supervisor"))?;
        Ok(Self { inner, said: Mutex::default() })
    }

    /// Starts a command. `token` comes back in [`Managed::token`].
    pub fn spawn(&self, command: &Command, token: u64) -> Result<Arc<Managed>> {
        self.spawn_registered(&Arc::new(command.clone()), &mut |_| token)
    }

    pub(crate) fn spawn_registered(&self, command: &Arc<Command>, register: &mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Arc<Managed>> {
        poke_to_spawn();
        self.inner.spawn(command, None, register)
    }

    /// Starts `count` children of a command, each of which is started again whenever it ends (unless the command says otherwise). All or
    /// none: after a failure those that were started are killed. One permit of the command's budget starts them all.
    pub(crate) fn spawn_replicas(
        &self,
        command: &Command,
        count: usize,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Vec<Arc<Managed>>> {
        let mut command = command.clone();
        let restart = command.get_restart();
        if restart.when == RestartWhen::Never {
            command.restart(RestartWhen::Always, restart.min_delay_ms, restart.max_delay_ms)?;
        }
        let command = Arc::new(command);
        let mut started: Vec<Arc<Managed>> = reserve::room(count)?;
        let set = command.get_budget().map(|_| self.inner.open_set());
        for _ in 0..count {
            poke_to_spawn();
            match self.inner.spawn(&command, set.as_ref().map(|set| set.number), register) {
                Ok(managed) => started.push(managed),
                Err(error) => {
                    started.iter().for_each(|managed| managed.undo());
                    return Err(error);
                }
            }
        }
        Ok(started)
    }

    /// Starts programs of which each reads what the one before it writes: all, or none is left and nothing is told of any. `register` as for one; if
    /// it fails there are none, too.
    pub(crate) fn spawn_pipeline(
        &self,
        commands: &[Arc<Command>],
        register: &mut dyn FnMut(&Arc<Managed>) -> Result<u64>,
    ) -> Result<Vec<Arc<Managed>>> {
        poke_to_spawn();
        self.inner.spawn_pipeline(commands, register)
    }

    /// Starts a command once: `None`, if it runs already, whoever has started it. Blocks until it is ready. `token` as for [`Supervisor::spawn`].
    pub fn spawn_once(&self, once: Once<'_>, command: &Command, token: u64) -> Result<Option<Arc<Managed>>> {
        self.spawn_once_registered(once, command, &mut |_| token)
    }

    pub(crate) fn spawn_once_registered(
        &self,
        once: Once<'_>,
        command: &Command,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Option<Arc<Managed>>> {
        poke_to_spawn();
        self.inner.spawn_once(once, command, register)
    }

    /// What rooms above run their errands with, and begin their children.
    pub fn host(&self) -> Host {
        Host(self.inner.clone())
    }

    /// At most so many children at once, being stopped included; 0: no limit. More wait in line.
    pub fn set_max_running(&self, count: u32) -> Result<()> {
        self.inner.set_limits(Some(count as usize), None)
    }

    /// At most so many wait in line; 0: no limit.
    pub fn set_max_pending(&self, count: u32) -> Result<()> {
        self.inner.set_limits(None, Some(count as usize))
    }

    /// Whether the programs of its children are executed by a spawner, from now on: a tiny process beside this one. Starts it.
    pub fn set_spawner(&self, on: bool) -> Result<()> {
        self.inner.set_spawner(on)
    }

    /// Whether a thread stays on its processor while it starts children from the line, from now on.
    pub fn set_hold_processor(&self, on: bool) -> Result<()> {
        self.inner.check()?;
        self.inner.holding.store(if on { processor::ask() } else { 0 }, Ordering::Relaxed);
        Ok(())
    }

    /// Makes this process adopt the orphans below it, and looks after those that descend from procsup's children.
    pub fn set_subreaper(&self, on: bool) -> Result<()> {
        self.inner.set_subreaper(on)
    }

    /// How many children wait for a start, run, and are being stopped.
    pub fn counts(&self) -> Result<(usize, usize, usize)> {
        self.inner.counts()
    }

    /// Starts nothing any more, cancels who waits, stops who runs; [`What::ShutdownDone`] follows the last end.
    pub fn shutdown(&self, grace_ms: i64) -> Result<()> {
        poke();
        self.inner.shut_down(grace_ms)
    }

    /// Shows what the OUTPUT event said that was taken last.
    pub fn with_event_data<T>(&self, show: impl FnOnce(&[u8]) -> T) -> Result<T> {
        self.inner.check()?;
        Ok(show(&lock(&self.said)))
    }

    /// The descriptor to wait on, for reading: readable while [`Supervisor::next_event`] has something to do.
    pub fn fd(&self) -> Result<BorrowedFd<'_>> {
        self.inner.fd()
    }

    /// The next event; waits up to `timeout_ms` (-1: for ever, 0: not at all). `None`: there is none.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<Event>> {
        let deadline = until(timeout_ms)?;
        poke();
        let mut event = self.inner.next_event(deadline)?;
        if let Some(What::Output(line)) = event.as_mut().map(|event| &mut event.what) {
            let mut said = lock(&self.said);
            said.clear();
            if said.try_reserve(line.bytes.len()).is_ok() {
                said.extend_from_slice(&line.bytes);
            } else {
                // It is taken, and must not be lost: who has the memory for one of the two asks here.
                *said = std::mem::take(&mut line.bytes);
            }
        }
        Ok(event)
    }

    /// The same, and what it said is only to be had by [`Supervisor::with_event_data`]: it is not copied, for it may be long.
    pub(crate) fn take_event(&self, timeout_ms: i64) -> Result<Option<Event>> {
        let deadline = until(timeout_ms)?;
        poke();
        let mut event = self.inner.next_event(deadline)?;
        if let Some(What::Output(line)) = event.as_mut().map(|event| &mut event.what) {
            *lock(&self.said) = std::mem::take(&mut line.bytes);
        }
        Ok(event)
    }

    /// Kills and reaps all children and ends every wait for events; bounded. A child that does not die even so is handed to
    /// the default supervisor, which reaps it when it does.
    pub fn close(&self) {
        let left = self.inner.close();
        if !left.is_empty()
            && let Ok(default) = default_inner()
        {
            for managed in left {
                let _ = default.attach_running(&managed);
            }
        }
    }
}

/// Until when one waits for an event.
fn until(timeout_ms: i64) -> Result<Deadline> {
    if timeout_ms == 0 { Ok(Deadline::PAST) } else { Deadline::of_timeout("timeout_ms", timeout_ms) }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.close();
    }
}
