//! Orphans that the kernel gave to this process because it is a subreaper, or the init of a container.
//!
//! Only those that descend from procsup's own children are touched (`process/lineage.rs` tells): they are watched by a pidfd, killed once the
//! child they descend from has ended (unless survivors were to be left), and reaped. No event says that an orphan has come, so we
//! look: shortly after each end, which is when most come, and twice a second besides. A look costs the number of our children.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::inner::{Inner, LOOK_FOR_ORPHANS, Ledger, ORPHANS};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result};
use crate::lock::lock;
use crate::process::foreign::Foreign;
use crate::process::lineage::{self, Descendant};
use crate::registry;
use crate::sys::reactor::Token;
use crate::sys::wait::Seen;
use crate::sys::{poll, procfs, reserve, signal};

const SOON: i64 = 5 * MILLI;
const SELDOM: i64 = 500 * MILLI;

/// The orphans that a supervisor watches.
#[derive(Default)]
pub(super) struct Orphans {
    on: bool,
    last: u64,
    watched: HashMap<Token, Orphan>,
}

struct Orphan {
    process: Foreign,
    descendant: Descendant,
    /// In the set. Not if it cannot be: then every look asks.
    watched: bool,
}

impl Inner {
    /// Makes this process a subreaper (or no more), and looks after what that brings.
    pub(super) fn set_subreaper(&self, on: bool) -> Result<()> {
        self.check()?;
        if on {
            lineage::begin().map_err(|fault| fault.error("cannot mark children, so orphans could be anybody's"))?;
        }
        if on {
            let made = self.reactor.prepare_timer();
            made.map_err(|fault| fault.error("cannot keep a deadline"))?;
        }
        let mut ledger = lock(&self.ledger);
        signal::set_subreaper(on).map_err(|errno| Error::system("prctl", errno, "cannot become a subreaper"))?;
        let was = std::mem::replace(&mut ledger.orphans.on, on);
        if on != was {
            // Somebody who only waits for a child must look after orphans too.
            if on {
                self.busy.fetch_add(1, Ordering::Relaxed)
            } else {
                self.busy.fetch_sub(1, Ordering::Relaxed)
            };
        }
        self.look_after_orphans(&ledger);
        Ok(())
    }

    /// Somebody has ended: orphans may have come.
    pub(super) fn look_after_orphans(&self, ledger: &Ledger) {
        if ledger.orphans.on {
            self.schedule_look(LOOK_FOR_ORPHANS, SOON);
        }
    }

    /// The look itself.
    pub(super) fn look_for_orphans(&self) {
        let found = adopted(|pid| lock(&self.ledger).orphans.watched.values().any(|orphan| orphan.process.pid() == pid));
        let mut ledger = lock(&self.ledger);
        for mut orphan in found {
            ledger.orphans.last += 1;
            let token = Token(ORPHANS | ledger.orphans.last);
            orphan.watched = orphan.process.pidfd().is_some_and(|pidfd| self.reactor.add(token, pidfd).is_ok());
            if ledger.orphans.watched.try_reserve(1).is_err() {
                self.reactor.remove(token);
                break;
            }
            ledger.orphans.watched.insert(token, orphan);
        }
        for orphan in ledger.orphans.watched.values().filter(|orphan| orphan.descendant.is_unwanted()) {
            orphan.process.kill();
        }
        let before = ledger.orphans.watched.len();
        ledger.orphans.watched.retain(|_, orphan| orphan.watched || orphan.process.reap() == Seen::Running);
        if ledger.orphans.on {
            // What one leaves behind is ours now; and those that are only asked are asked again soon.
            let soon =
                before != ledger.orphans.watched.len() || ledger.orphans.watched.values().any(|orphan| orphan.process.pidfd().is_none());
            self.schedule_look(LOOK_FOR_ORPHANS, if soon { 4 * SOON } else { SELDOM });
        }
    }

    /// A watched orphan has ended.
    pub(super) fn reap_orphan(&self, token: Token) {
        let mut ledger = lock(&self.ledger);
        let Some(orphan) = ledger.orphans.watched.get(&token) else { return };
        if orphan.process.reap() == Seen::Running {
            // A tracer holds it.
            return self.reactor.set_aside_for(token, SELDOM);
        }
        self.reactor.remove(token);
        ledger.orphans.watched.remove(&token);
        // What it leaves behind is ours now.
        self.look_after_orphans(&ledger);
    }

    /// The end of the supervisor: none that is unwanted survives, until the deadline.
    pub(super) fn kill_orphans(&self, deadline: Deadline) {
        let (mut watched, mut last) = {
            let mut ledger = lock(&self.ledger);
            if !std::mem::take(&mut ledger.orphans.on) {
                return;
            }
            let watched = std::mem::take(&mut ledger.orphans.watched);
            for token in watched.keys() {
                self.reactor.remove(*token);
            }
            (watched, ledger.orphans.last)
        };
        loop {
            for orphan in adopted(|pid| watched.values().any(|orphan| orphan.process.pid() == pid)) {
                // Who finds no room now is adopted still in the next round.
                if watched.try_reserve(1).is_ok() {
                    last += 1;
                    watched.insert(Token(ORPHANS | last), orphan);
                }
            }
            watched.retain(|_, orphan| orphan.descendant.is_unwanted());
            watched.values().for_each(|orphan| orphan.process.kill());
            let before = watched.len();
            watched.retain(|_, orphan| orphan.process.reap() == Seen::Running);
            if (before == 0 && watched.is_empty()) || deadline.has_come() {
                return;
            }
            poll::wait_raw(-1, MILLI);
        }
    }
}

/// Children of this process that nobody here has spawned, but that descend from one that was.
fn adopted(is_known: impl Fn(i32) -> bool) -> Vec<Orphan> {
    // In this order: a child that is listed has its number in the registry by the time it is marked.
    // Without memory for that there is another look.
    let (Ok(children), Ok(mut own)) = (procfs::own_children(), registry::numbers()) else { return Vec::new() };
    own.sort_unstable();
    let strangers = children.into_iter().filter(|pid| own.binary_search(pid).is_err() && !is_known(*pid));
    let orphan = |pid: i32| {
        let process = Foreign::adopted(pid);
        // Read after it was pinned: the number may have been another's before.
        let descendant = Descendant::of(pid)?;
        Some(Orphan { process, descendant, watched: false })
    };
    // What there is no memory for now is found again.
    reserve::list(strangers.filter_map(orphan)).unwrap_or_default()
}
