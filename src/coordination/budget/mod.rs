//! How often something may be started: attempts per key and window, one start of a key at a time, and what ends a start that nobody finishes.
//!
//! The trap: that a key has somebody's permit, and that its window is over, are two matters (`key.rs` has the table). A permit is a number that is never
//! given again in this process, so whoever finishes late, twice, or with another budget's permit changes nothing.
//!
//! ```text
//!   Budget: secret, rules ---hash---> one of SHARDS locks, each: Keys (keys.rs: many, bounded) ---> Key (key.rs: one; the state table)
//! ```
//!
//! The locks are leaves: nothing is called under one, and the clock is read under it, so that within a shard the time goes forwards.

use core::hash::{BuildHasher, Hasher};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::collections::hash_map::RandomState;
use std::sync::{Arc, Mutex, Weak};

use crate::clock::{self, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::memory::Home;
use crate::sys::reserve;

#[cfg(test)]
mod face;
pub mod key;
pub mod keys;
#[cfg(test)]
mod landed;

use key::{Denial, Outcome, Rules};
pub use key::{Landed, Stale, View};
use keys::{Keys, Query, Refused};

/// Attempts per window, unless it is said otherwise.
pub const ATTEMPTS: u32 = 3;
/// The window, unless it is said otherwise.
pub const WINDOW_MS: i64 = 30_000;
/// The lease, unless it is said otherwise.
pub const LEASE_MS: i64 = 60_000;
/// How long a command must stay up, unless it is said otherwise. A bare permit: not at all.
pub const COMMAND_HEALTHY_MS: i64 = 1_000;
/// The longest key.
pub const KEY_MAX: usize = 4096;

const SHARD_BITS: u32 = 4;
const SHARDS: usize = 1 << SHARD_BITS;

/// The right to start what a key stands for, once. Never given again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Permit(pub u64);

/// Why there is no permit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A start of this key is in flight.
    InProgress {
        /// What is left of its lease; `None` where it has none: a supervisor keeps it, or leases never end.
        retry_after_ns: Option<i64>,
    },
    /// The attempts of this window are used.
    Exhausted {
        /// What is left of the window.
        retry_after_ns: i64,
        /// True exactly once in a window.
        storm: bool,
    },
    /// Not for the key's sake: a key that is too long, no room, no memory, a forked copy.
    Failed(Box<Error>),
}

/// Whole milliseconds after which so many nanoseconds are over.
pub fn millis(nanos: i64) -> i64 {
    nanos / MILLI + i64::from(nanos % MILLI > 0)
}

impl Refusal {
    /// As an error, for who asked with this key.
    pub fn into_error(self, key: &[u8]) -> Error {
        let name = String::from_utf8_lossy(&key[..key.len().min(100)]);
        let more = if key.len() > 100 { "..." } else { "" };
        match self {
            Refusal::InProgress { retry_after_ns } => {
                let retry_after_ms = retry_after_ns.map(millis);
                let lease = retry_after_ms.map_or(String::new(), |ms| format!("; its lease ends in {ms} ms"));
                let text = format!("a start of {name}{more} is in flight already{lease}");
                Error::new(Status::InProgress, "budget", text).with(|it| it.retry_after_ms = retry_after_ms)
            }
            Refusal::Exhausted { retry_after_ns, storm } => {
                let ms = millis(retry_after_ns);
                let first = if storm { ", the first refusal of this window: a storm" } else { "" };
                let text = format!("the budget of {name}{more} is used up{first}; its window ends in {ms} ms");
                Error::new(Status::BudgetExhausted, "budget", text).with(|it| (it.retry_after_ms, it.storm) = (Some(ms), storm))
            }
            Refusal::Failed(error) => *error,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Failed(Box::new(error))
    }
}

/// Who waits for a permit.
pub trait Listener: Send + Sync {
    /// One may be had that could not be had before: it was finished, freed by a reset, or its holder has landed. Called by whoever did that, without any lock
    /// of the budget; what the time brings about is not told, a refusal has said when.
    fn permit_may_be_had(&self);
}

/// What is told to strangers is counted here: each shard takes numbers by the million, so that they are no line that all processors share.
static BLOCKS: AtomicU64 = AtomicU64::new(1);
const BLOCK: u64 = 1 << 20;

struct Locked {
    keys: Keys,
    /// Numbers of permits: the next one, and the end of those that are this shard's.
    next: u64,
    end: u64,
}

/// Alone on its cache lines.
#[repr(align(128))]
struct Shard(Mutex<Locked>);

/// A budget. Shared by whoever starts something under it.
pub struct Budget {
    home: Home,
    secret: RandomState,
    attempts: u32,
    window: i64,
    /// Nanoseconds; `i64::MAX`: for ever.
    lease: AtomicI64,
    /// Nanoseconds; -1: nobody has said anything.
    healthy: AtomicI64,
    is_heard: AtomicBool,
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
    shards: [Shard; SHARDS],
}

impl core::fmt::Debug for Budget {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Budget").field("attempts", &self.attempts).field("window", &self.window).finish_non_exhaustive()
    }
}

/// A number of milliseconds that a caller gave.
fn nanos(name: &'static str, ms: i64) -> Result<i64> {
    if ms < 0 {
        return Err(Error::invalid(name, format!("{name}: {ms} ms is no time: 0 is the least")));
    }
    Ok(ms.saturating_mul(MILLI))
}

impl Budget {
    /// So many attempts in so many milliseconds; 0 is what is usual: 3, and 30 000.
    pub fn new(attempts: u32, window_ms: i64) -> Result<Self> {
        let window = nanos("window_ms", if window_ms == 0 { WINDOW_MS } else { window_ms })?;
        Ok(Self {
            home: Home::known()?,
            secret: RandomState::new(),
            attempts: if attempts == 0 { ATTEMPTS } else { attempts },
            window,
            lease: AtomicI64::new(LEASE_MS * MILLI),
            healthy: AtomicI64::new(-1),
            is_heard: AtomicBool::new(false),
            listeners: Mutex::default(),
            shards: core::array::from_fn(|_| Shard(Mutex::new(Locked { keys: Keys::sparing(keys::SPARE), next: 0, end: 0 }))),
        })
    }

    /// A permit that nobody finishes is freed after so many milliseconds: 0 for the usual 60 000, -1 for never. Those that are out keep theirs: one that has
    /// ended must not come alive again.
    pub fn set_lease(&self, ms: i64) -> Result<()> {
        let lease = match ms {
            -1 => i64::MAX,
            0 => LEASE_MS * MILLI,
            ms if ms < -1 => return Err(Error::invalid("ms", format!("ms: {ms} ms is no time: -1 is the least"))),
            ms => nanos("ms", ms)?,
        };
        self.home.check("budget")?;
        self.lease.store(lease, Ordering::Relaxed);
        Ok(())
    }

    /// For so many milliseconds what was started must stay up before its success counts.
    pub fn set_healthy(&self, ms: i64) -> Result<()> {
        let healthy = nanos("ms", ms)?;
        self.home.check("budget")?;
        self.healthy.store(healthy, Ordering::Relaxed);
        Ok(())
    }

    /// For how long what was started must stay up; `None` where nobody has said so.
    pub fn healthy_ns(&self) -> Option<i64> {
        Some(self.healthy.load(Ordering::Relaxed)).filter(|healthy| *healthy >= 0)
    }

    /// The permit for a start of this key, which is to be finished.
    pub fn begin(&self, key: &[u8]) -> core::result::Result<Permit, Refusal> {
        let query = self.query(key)?;
        self.permit(query, |keys, number| keys.begin(self.rules(), clock::now(), query, number))
    }

    /// The same for a supervisor, which finishes it on every path, for it is told of the end of what it starts: no lease ends this permit, not from
    /// the first moment on. So a host that stands still for longer than a lease does not start twice. `patient`: it can wait: while an
    /// outcome is open that may set the counts to 0, used attempts are no refusal for good.
    pub fn begin_kept(&self, key: &[u8], patient: bool) -> core::result::Result<Permit, Refusal> {
        let query = self.query(key)?;
        let rules = self.kept();
        self.permit(query, |keys, number| match Some(()).filter(|_| patient).and_then(|_| keys.undecided(rules, clock::now(), query)) {
            Some(left) => Err(Refused::Denied(Denial::InProgress { retry_after_ns: Some(left) })),
            None => keys.begin(rules, clock::now(), query, number),
        })
    }

    /// More is started under a permit that had landed, without another attempt. After a reset: a begin. It has no lease.
    pub fn resume(&self, key: &[u8], landed: Landed) -> core::result::Result<Permit, Refusal> {
        let query = self.query(key)?;
        self.permit(query, |keys, number| keys.resume(self.kept(), clock::now(), query, landed, number))
    }

    fn permit(
        &self,
        query: Query<'_>,
        ask: impl FnOnce(&mut Keys, &mut dyn FnMut() -> u64) -> core::result::Result<u64, Refused>,
    ) -> core::result::Result<Permit, Refusal> {
        let shard = query.hash as usize % SHARDS;
        let mut locked = lock(&self.shards[shard].0);
        let Locked { keys, next, end } = &mut *locked;
        let mut number = || {
            if next == end {
                *next = BLOCKS.fetch_add(1, Ordering::Relaxed) * BLOCK;
                *end = *next + BLOCK;
            }
            *next += 1;
            (*next - 1) << SHARD_BITS | shard as u64
        };
        let begun = ask(keys, &mut number);
        drop(locked);
        begun.map(Permit).map_err(|refused| match refused {
            Refused::Denied(Denial::InProgress { retry_after_ns }) => Refusal::InProgress { retry_after_ns },
            Refused::Denied(Denial::Exhausted { retry_after_ns, storm }) => Refusal::Exhausted { retry_after_ns, storm },
            Refused::OutOfMemory => reserve::out_of_memory(()).into(),
            Refused::Full => {
                let text = format!("the keys of this budget take {} MiB already", (keys::ROOM * SHARDS) >> 20);
                Error::new(Status::Limit, "key", text).into()
            }
        })
    }

    /// What was started is ready: others may start, and the outcome is open until it is settled.
    pub fn land(&self, permit: Permit) -> core::result::Result<Landed, Stale> {
        let rules = self.rules();
        let landed = self.of(permit, |keys| keys.land(rules, clock::now(), permit.0))?;
        self.tell();
        Ok(landed)
    }

    /// The outcome of one that had landed.
    pub fn settle(&self, key: &[u8], landed: Landed, succeeded: bool) -> core::result::Result<(), Stale> {
        let query = self.query(key).map_err(|_| Stale)?;
        let shard = &self.shards[query.hash as usize % SHARDS].0;
        lock(shard).keys.settle(self.rules(), clock::now(), query, landed, succeeded)?;
        self.tell();
        Ok(())
    }

    /// The start has succeeded, or failed. A success counts when what was started has been up for the budget's `healthy`, at once if nobody has said anything;
    /// until then a failure of the same permit still makes it none.
    pub fn finish(&self, permit: Permit, succeeded: bool) -> core::result::Result<(), Stale> {
        let outcome = if succeeded { Outcome::Succeeded(self.healthy_ns().unwrap_or(0)) } else { Outcome::Failed };
        self.end(permit, outcome)
    }

    /// The same; whether somebody waits for a permit, and is to be told by [`Budget::tell`]: for a caller that holds a lock.
    pub fn finish_untold(&self, permit: Permit, succeeded: bool) -> core::result::Result<bool, Stale> {
        let outcome = if succeeded { Outcome::Succeeded(self.healthy_ns().unwrap_or(0)) } else { Outcome::Failed };
        let rules = self.rules();
        self.of(permit, |keys| keys.finish(rules, clock::now(), permit.0, outcome))?;
        Ok(self.is_heard.load(Ordering::Acquire))
    }

    /// The start has succeeded, which counts when what was started has been up for so many nanoseconds.
    pub fn succeed(&self, permit: Permit, healthy_ns: i64) -> core::result::Result<(), Stale> {
        self.end(permit, Outcome::Succeeded(healthy_ns))
    }

    fn end(&self, permit: Permit, outcome: Outcome) -> core::result::Result<(), Stale> {
        let rules = self.rules();
        self.of(permit, |keys| keys.finish(rules, clock::now(), permit.0, outcome))?;
        self.tell();
        Ok(())
    }

    /// The key as if it had never been seen: nothing is counted, and the permit that may be out is stale.
    pub fn reset(&self, key: &[u8]) -> Result<()> {
        let query = self.query(key)?;
        lock(&self.shards[query.hash as usize % SHARDS].0).keys.reset(clock::now(), query);
        self.tell();
        Ok(())
    }

    /// How a key looks. Makes and takes nothing.
    pub fn view(&self, key: &[u8]) -> Result<View> {
        let query = self.query(key)?;
        let locked = lock(&self.shards[query.hash as usize % SHARDS].0);
        Ok(locked.keys.view(self.rules(), clock::now(), query))
    }

    /// How many keys are known: for tests.
    #[doc(hidden)]
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| lock(&shard.0).keys.count()).sum()
    }

    /// Whoever waits for a permit is told from now on, for as long as there is one.
    pub fn subscribe(&self, listener: Weak<dyn Listener>) -> Result<()> {
        self.home.check("budget")?;
        let mut listeners = lock(&self.listeners);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.try_reserve(1).map_err(reserve::out_of_memory)?;
        listeners.push(listener);
        self.is_heard.store(true, Ordering::Release);
        Ok(())
    }

    /// A permit may be had.
    pub fn tell(&self) {
        if !self.is_heard.load(Ordering::Acquire) {
            return;
        }
        let listeners: Vec<Arc<dyn Listener>> = lock(&self.listeners).iter().filter_map(Weak::upgrade).collect();
        for listener in listeners {
            listener.permit_may_be_had();
        }
    }

    fn rules(&self) -> Rules {
        Rules { attempts: self.attempts, window: self.window, lease: self.lease.load(Ordering::Relaxed) }
    }

    fn kept(&self) -> Rules {
        Rules { lease: i64::MAX, ..self.rules() }
    }

    fn query<'a>(&self, key: &'a [u8]) -> Result<Query<'a>> {
        self.home.check("budget")?;
        if key.len() > KEY_MAX {
            return Err(Error::invalid("key", format!("key has {} bytes, and {KEY_MAX} are the most", key.len())));
        }
        let mut hasher = self.secret.build_hasher();
        hasher.write(key);
        Ok(Query { hash: hasher.finish(), text: key })
    }

    fn of<T>(&self, permit: Permit, ask: impl FnOnce(&mut Keys) -> core::result::Result<T, Stale>) -> core::result::Result<T, Stale> {
        if !self.home.is_here() {
            return Err(Stale);
        }
        ask(&mut lock(&self.shards[permit.0 as usize % SHARDS].0).keys)
    }
}
