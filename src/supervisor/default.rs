//! The supervisor of children that have none: one for each process, made at first use, without a handle and without events.
//!
//! The trap: nobody waits on it, so its timers, its captured output and the reaping of children whose handles were freed go on only when some
//! call comes by. `poke` is what each such call does first.

use std::sync::Arc;

use super::inner::Inner;
use crate::error::Result;
use crate::process::{leftovers, spawn};
use crate::sys::Fault;
use crate::sys::memory::PerProcess;

static DEFAULT: PerProcess<Arc<Inner>> = PerProcess::new();

/// Makes it, without a descriptor; a forked copy gives those of the original back.
pub(crate) fn succeed() -> Result<&'static Arc<Inner>> {
    let mut failed = None;
    let make = || Inner::new(true).map_err(|fault| failed.insert(fault).errno);
    let made = DEFAULT.get_or_succeed(make, |of_the_original| of_the_original.give_back());
    made.map_err(|errno| failed.unwrap_or(Fault { step: "mmap", errno }).error("cannot set up the default supervisor"))
}

/// The bookkeeping of children without a supervisor of their own.
pub(super) fn inner() -> Result<&'static Arc<Inner>> {
    let inner = succeed()?;
    if !inner.is_prepared() && spawn::prepare()? {
        inner.prepare();
    }
    Ok(inner)
}

/// Looks after children of the default supervisor in passing. Costs one load when there are none to look after.
pub fn poke() {
    leftovers::retry();
    poke_to_spawn();
}

/// The same for who looks after them meanwhile, if it takes him any time.
pub fn poke_from_time_to_time() {
    if let Some(inner) = DEFAULT.get() {
        inner.pump_from_time_to_time();
    }
}

/// The same before a spawn, which does not pay for what others have left.
pub fn poke_to_spawn() {
    if let Some(inner) = DEFAULT.get() {
        inner.pump_if_busy();
    }
}
