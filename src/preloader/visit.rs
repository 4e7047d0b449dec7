//! The errands that move a preloader along: one under each supervisor that wants something of it, as long as there is anything to be moved.
//!
//! The trap: what one supervisor's look has changed, the others have to watch from now on. So whoever drives pokes those whose last turn was before
//! the change; and who enters while another one leaves finds either that it has left, or that it has a turn more.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::core::{Core, Hand};
use crate::error::Result;
use crate::lock::lock;
use crate::supervisor::{Errand, ErrandId, Host, Wants};

/// One of them.
#[derive(Debug)]
struct Visit<H: Hand> {
    core: Arc<Core<H>>,
    host: Host,
    /// What its last turn has seen.
    seen: AtomicU64,
    /// Its next turn is for no more than to see what is wanted by now.
    told: AtomicBool,
}

#[derive(Debug)]
struct Entry<H: Hand> {
    visit: Arc<Visit<H>>,
    /// Once it is known.
    id: Option<ErrandId>,
}

/// All of them.
#[derive(Debug)]
pub struct Visits<H: Hand>(Mutex<Vec<Entry<H>>>);

impl<H: Hand> Default for Visits<H> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<H: Hand> Visits<H> {
    /// Whether there is one under this supervisor.
    pub fn is_at(&self, host: &Host) -> bool {
        lock(&self.0).iter().any(|entry| entry.id.is_some() && entry.visit.host.is(host))
    }

    /// The one under this supervisor has a turn then, whatever it waits for.
    pub fn poke_from(&self, host: &Host, from: i64) {
        let id = lock(&self.0).iter().find(|entry| entry.visit.host.is(host)).and_then(|entry| entry.id);
        if let Some(id) = id {
            host.poke_from(id, from);
        }
    }

    /// There is one under this supervisor from now on.
    pub fn enter(&self, core: &Arc<Core<H>>, host: &Host) -> Result<()> {
        if self.is_at(host) {
            return Ok(());
        }
        let visit = Arc::new(Visit { core: core.clone(), host: host.clone(), seen: AtomicU64::new(0), told: AtomicBool::new(false) });
        {
            let mut entries = lock(&self.0);
            if entries.iter().any(|entry| entry.visit.host.is(host)) {
                return Ok(());
            }
            entries.push(Entry { visit: visit.clone(), id: None });
        }
        let run = host.run(visit.clone());
        let mut entries = lock(&self.0);
        match run {
            Ok(id) => {
                let entry = entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.visit, &visit));
                if let Some(entry) = entry {
                    entry.id = Some(id);
                    drop(entries);
                    // Whoever has changed something meanwhile could not tell it.
                    host.poke(id);
                }
                Ok(())
            }
            Err(error) => {
                entries.retain(|entry| !Arc::ptr_eq(&entry.visit, &visit));
                Err(error)
            }
        }
    }

    /// Something has changed.
    pub fn tell(&self, version: u64) {
        let is_stale = |entry: &&Entry<H>| entry.visit.seen.load(Ordering::Acquire) != version;
        let stale: Vec<_> = lock(&self.0).iter().filter(is_stale).filter_map(|entry| Some((entry.visit.clone(), entry.id?))).collect();
        for (visit, id) in stale {
            visit.told.store(true, Ordering::Release);
            visit.host.poke(id);
        }
    }

    fn leave(&self, visit: &Visit<H>) {
        lock(&self.0).retain(|entry| !std::ptr::eq(&raw const *entry.visit, visit));
    }
}

impl<H: Hand> Errand for Visit<H> {
    fn turn(&self, _now: i64) -> Option<Wants> {
        // Told by whoever has just looked. What is ready beside that stays so, and asks for a turn of its own.
        if !self.told.swap(false, Ordering::AcqRel) {
            self.core.drive_in(&self.seen);
        }
        self.core.wants(&self.seen, || self.core.visits.leave(self))
    }

    fn called_off(&self) {
        self.core.visits.leave(self);
    }
}
