//! The pool, as its owner sets and warms it, and the limits of what bears for it.
//!
//! Who is idle is a process in the registry without a handle: killed and reaped with all others by kill-all, counted as alive. It is looked after by
//! the errand of a supervisor that wants something of the preloader, or has: the one that it was warmed with, as long as that is there.
//!
//! The trap: **a limit below what the application itself needs**. What has no more than was loaded is replaced as well then, and so is what is
//! started in its place; so a look is taken only after a birth, each of which somebody asked for, and a warm-up gives up after the second process.

use std::sync::{Arc, Mutex};

use super::Native;
use super::machine::{Event, Id};
use super::work::{Item, Work};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::supervisor::Host;
use crate::sys::procfs;

/// So many may be idle. Each takes five descriptors of the host, and a process.
pub const MOST_IDLE: u32 = 1_024;
/// How long after its time a warm-up is waited for, which another thread has in hand.
const IN_HAND: i64 = 1_000 * MILLI;

/// What came of a warm-up.
#[derive(Debug, Default)]
pub struct Warming(Mutex<Option<Result<()>>>);

impl Warming {
    pub fn settle(&self, came: Result<()>) {
        lock(&self.0).get_or_insert(came);
    }

    fn is_settled(&self) -> bool {
        lock(&self.0).is_some()
    }

    fn take(&self) -> Option<Result<()>> {
        lock(&self.0).take()
    }
}

/// How many shall be idle, and how old they may get (-1: as old as they like; 0 is 1).
pub fn set_pool(core: &Arc<Native>, idle: u32, max_age_ms: i64) -> Result<()> {
    clock::check_timeout("max_age_ms", max_age_ms)?;
    if idle > MOST_IDLE {
        return Err(Error::invalid("idle", format!("idle: {idle} workers: {MOST_IDLE} at the most")));
    }
    let max_age_ns = (max_age_ms >= 0).then(|| max_age_ms.max(1).saturating_mul(MILLI));
    core.tell(Item::Event(Event::SetPool { idle, max_age_ns }));
    Ok(())
}

/// How much memory of its own a process may have, and how many births in a row may die; 0: any.
pub fn set_limits(core: &Arc<Native>, memory_bytes: u64, dead_births: u32) {
    core.put(Item::Memory(memory_bytes));
    core.tell(Item::Event(Event::SetLimits { dead_births }));
}

/// Starts the process, if there is none, and waits until the pool is full.
pub fn warm(core: &Arc<Native>, host: &Host, until: Deadline) -> Result<()> {
    let (id, warming) = (core.number(), Arc::new(Warming::default()));
    core.put(Item::Warm(id, until, warming.clone()));
    let waited = core.visit(host).and_then(|()| core.wait_until(until.plus(IN_HAND), || warming.is_settled()));
    if let Some(came) = warming.take() {
        return came;
    }
    core.call_off(id);
    waited?;
    Err(Error::new(Status::Timeout, "warm", "the pool is not full, and another thread has the preloader in hand"))
}

impl Work {
    /// One is wanted until then.
    pub(super) fn warm(&mut self, id: Id, until: Deadline, warming: Arc<Warming>) {
        self.warming.insert(id, warming);
        self.events.push_back(Event::Warm(id, until));
    }

    /// After a birth of it: whether it has more memory than it may have.
    pub(super) fn weigh(&mut self, generation: u32) {
        let Some(process) = self.processes.get(&generation).filter(|_| self.most_memory > 0) else { return };
        // It is not reaped, so the number is its own. Where nothing can be known of it, nothing is known.
        if procfs::anonymous_memory(process.pid()).is_some_and(|bytes| bytes > self.most_memory) {
            self.events.push_back(Event::TooBig(generation));
        }
    }
}
