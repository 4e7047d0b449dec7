//! What could not be removed together with its child, and is tried again: less and less often, and never by a spawn.
//!
//! The trap is who pays. A child decides how much it leaves behind and how long that cannot go, so a try has a time of its own, the next one
//! waits twice as long, and all of them together get a slice of each call that comes by. What takes a descriptor is kept in bounded number.
//!
//! A forked host has no leftovers: they are its parent's.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use crate::clock::{self, Deadline, MILLI};
use crate::lock::lock;
use crate::sys::memory::PerProcess;
use crate::sys::poll;

/// Something that is to be removed.
pub trait Leftover: Send + Sync {
    /// Tries to. `ETIMEDOUT`: it has come as far as the time allowed.
    fn remove(&self, until: Deadline) -> Result<(), Errno>;
    /// How its tries follow each other.
    fn pace(&self) -> &'static Pace;
    /// Whether it goes without anybody's doing, so that a wait is worth it.
    fn goes_soon(&self) -> bool;
    /// Its path, if that may be asked for again.
    fn path(&self) -> Option<&Path>;
    /// It is not tried any more: it is gone, or was given up.
    fn give_up(&self);
}

/// How tries follow each other, and how many of a kind are kept.
pub struct Pace {
    /// Until the first one.
    pub first: i64,
    /// The longest time between two.
    pub slowest: i64,
    /// Beyond that the oldest is given up.
    pub most: usize,
    /// How often it is tried.
    pub tries: u32,
}

struct Item {
    thing: Arc<dyn Leftover>,
    /// It goes soon, or was under way.
    soon: bool,
    next: Deadline,
    delay: i64,
    tries: u32,
    /// Somebody tries just now, who has this number; 0: nobody.
    in_hand: u64,
}

struct Leftovers {
    items: Mutex<Vec<Item>>,
    /// When the next try is due: a deadline, as a word.
    next: AtomicI64,
}

static LEFT: PerProcess<Leftovers> = PerProcess::new();

/// What the tries of one call may take together.
const SLICE: i64 = 20 * MILLI;
/// Between two looks of who waits.
const LOOK: i64 = MILLI / 2;

impl Leftovers {
    fn plan(&self, items: &[Item]) {
        let next = items.iter().filter(|item| item.in_hand == 0).filter_map(|item| item.next.nanos()).min();
        self.next.store(next.unwrap_or(i64::MAX), Ordering::Release);
    }

    /// Not under the lock: the file system takes its time. `longer`: by how much the wait for the next try grows.
    fn retry(&self, longer: i64, until: Deadline, which: impl Fn(&Item) -> bool) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let me = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let tried: Vec<Arc<dyn Leftover>> = {
            let mut items = lock(&self.items);
            let mut tried = Vec::new();
            for item in items.iter_mut().filter(|item| item.in_hand == 0) {
                if which(item) && tried.try_reserve(1).is_ok() {
                    item.in_hand = me;
                    tried.push(item.thing.clone());
                }
            }
            self.plan(&items);
            tried
        };
        // One that the time was too short for keeps its turn.
        let results = tried.iter().map(|thing| if until.has_come() { None } else { Some(thing.remove(until)) });
        let mut results: Vec<_> = results.collect();
        let mut over = Vec::new();
        let mut items = lock(&self.items);
        let mut order = results.drain(..);
        // In the order in which they were taken: others may have come or gone between them, but none of these.
        items.retain_mut(|item| {
            if item.in_hand != me {
                return true;
            }
            item.in_hand = 0;
            let stays = match order.next().flatten() {
                Some(Ok(())) => false,
                Some(Err(errno)) => item.wait(errno, longer),
                None => true,
            };
            if !stays {
                over.push(item.thing.clone());
            }
            stays
        });
        if items.is_empty() {
            // What a bad time needed is given back.
            *items = Vec::new();
        }
        self.plan(&items);
        drop(items);
        over.iter().for_each(|thing| thing.give_up());
    }
}

impl Item {
    /// `false`: it has been tried often enough.
    fn wait(&mut self, errno: Errno, longer: i64) -> bool {
        self.soon = self.thing.goes_soon() || errno == Errno::ETIMEDOUT;
        let pace = self.thing.pace();
        // What was only cut short goes on at once, and begins to wait when it cannot.
        self.delay = if errno == Errno::ETIMEDOUT { pace.first } else { (self.delay * longer).min(pace.slowest) };
        self.next = Deadline::after(self.delay);
        self.tries += u32::from(errno != Errno::ETIMEDOUT);
        self.tries <= pace.tries
    }
}

/// This could not be removed, for this reason.
pub fn keep(thing: Arc<dyn Leftover>, errno: Errno) {
    let Ok(left) = LEFT.get_or_try_init(|| Ok(Leftovers { items: Mutex::default(), next: AtomicI64::new(i64::MAX) })) else {
        return thing.give_up();
    };
    let pace = thing.pace();
    let mut item = Item { thing, soon: false, next: Deadline::NEVER, delay: pace.first, tries: 0, in_hand: 0 };
    item.wait(errno, 1);
    let too_many = {
        let mut items = lock(&left.items);
        let same = |item: &Item| core::ptr::eq(item.thing.pace(), pace);
        let full = items.iter().filter(|item| same(item)).count() >= pace.most;
        let oldest = items.iter().position(|item| full && item.in_hand == 0 && same(item));
        let oldest = oldest.map(|at| items.remove(at));
        if items.try_reserve(1).is_err() {
            Some(item)
        } else {
            items.push(item);
            left.plan(&items);
            oldest
        }
    };
    if let Some(item) = too_many {
        item.thing.give_up();
    }
}

/// When a try is due.
pub fn due() -> Deadline {
    LEFT.get().map_or(Deadline::NEVER, |left| Deadline::at(left.next.load(Ordering::Acquire)))
}

/// Tries those that are due. Costs one load when there are none.
pub fn retry() {
    if due().has_come()
        && let Some(left) = LEFT.get()
    {
        let now = clock::now();
        left.retry(2, Deadline::at(now.saturating_add(SLICE)), |item| item.next.is_over(now));
    }
}

/// Tries the one of this path, if it is among them. Answers whether it was.
pub fn retry_path(path: &Path) -> bool {
    let Some(left) = LEFT.get() else { return false };
    let is_it = |item: &Item| item.thing.path() == Some(path);
    let found = lock(&left.items).iter().any(is_it);
    if found {
        left.retry(1, Deadline::after(SLICE), is_it);
    }
    found
}

/// Tries those again that will go soon, until they are gone, at most until then.
pub fn await_removals(until: Deadline) {
    let Some(left) = LEFT.get() else { return };
    while lock(&left.items).iter().any(|item| item.soon) && !until.has_come() {
        left.retry(1, until, |item| item.soon);
        poll::wait_raw(-1, LOOK);
    }
}
