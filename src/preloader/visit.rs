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

#[cfg(test)]
mod tests {
    use super::super::core::Id;
    use super::super::request::Request;
    use super::*;
    use crate::clock::Deadline;
    use crate::supervisor::default_host;

    /// Work that always goes back as it was, while a visit asks what to wait for.
    #[derive(Debug)]
    struct Unchanged;

    impl Hand for Unchanged {
        type Item = ();
        type Recipe = ();
        fn ask(_: Arc<Request<Self>>) {}
        fn call_off(_: Id) {}
        fn end(_: bool, _: Deadline) {}
        fn reload() {}
        fn idle(_: Option<i64>) {}
        fn look(&mut self, _: &Arc<Core<Self>>) {}
        fn look_at_one(&mut self, core: &Arc<Core<Self>>, _: u64) -> bool {
            // As somebody does who has looked before, and whose word comes late: the visit has its turn now, and only asks.
            core.visits.tell(u64::MAX - 1);
            assert_eq!(seen(core), u64::MAX, "it has heard that there is nothing to be waited for");
            true
        }
        fn hear(&mut self, _: &Arc<Core<Self>>, (): ()) {}
        fn keep_times(&mut self, _: &Arc<Core<Self>>) {}
        fn wants(&self, _: &Core<Self>) -> Wants {
            Wants { fds: Vec::new(), due: Deadline::at(i64::MAX - 1) }
        }
        fn will_do(&self, wants: &Wants) -> bool {
            wants.due == Deadline::at(i64::MAX - 1)
        }
        fn is_quiet(&self) -> bool {
            false
        }
        fn first_process(&self) -> Option<u32> {
            None
        }
    }

    fn seen(core: &Core<Unchanged>) -> u64 {
        lock(&core.visits.0)[0].visit.seen.load(Ordering::Acquire)
    }

    #[test]
    fn who_has_heard_nothing_is_told_when_work_goes_back_as_it_was() {
        let (core, host) = (Arc::new(Core::new((), Unchanged).unwrap()), default_host().unwrap());
        core.visit(&host).unwrap();
        let before = seen(&core);
        assert_ne!(before, u64::MAX);
        assert!(core.drive_one(1));
        assert_eq!(seen(&core), before, "nothing has changed, and it knows that again");
    }
}
