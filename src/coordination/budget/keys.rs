//! Many keys, within stated bounds: any number of strangers may choose them.
//!
//! - **Memory.** A key that is idle is as good as never seen, and is dropped by the begins that come after: each looks at one or two keys more, and goes on as
//!   long as it finds idle ones, to `SWEEP` at most. So there are never more than twice as many as were begun within a window, and no call
//!   waits for a sweep of all. A few are no matter (`SPARE`). What is not idle is bounded by [`ROOM`]: beyond it a begin of a new key is
//!   refused.
//! - **Time.** The hash of a key is made with a secret (`mod.rs`), so no choice of keys makes a lookup slow. A table that grows moves its entries (hashes
//!   and numbers, not the texts): some ten nanoseconds for each.
//! - **The clock.** It counts only forwards: a time that is before the last one is no time elapsed, and those after it count from there.

use core::hash::{BuildHasher, Hash, Hasher};

use indexmap::{Equivalent, IndexMap};
use rustc_hash::FxHashMap;

use super::key::{Denial, Key, Landed, Outcome, Rules, Stale, View};

/// How many idle keys a begin drops at most.
const SWEEP: usize = 32;
/// How many keys that are not idle it looks at: the begin of a new key, which must find room for one, and that of a known one.
const LOOKS: usize = 2;
const LOOKS_OF_KNOWN: usize = 1;
/// What a key takes beside its text: its entry, the places in the tables and what they have to spare, the allocator's part.
pub const OVERHEAD: usize = 192;
/// Up to so many bytes idle ones may stay: who has few keys that succeed again and again should not pay for memory each time.
pub const SPARE: usize = 16 << 10;
/// How many bytes all of them may take.
pub const ROOM: usize = 16 << 20;

/// A key's text and its hash.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Made by whoever has the secret.
    pub hash: u64,
    /// The caller's bytes.
    pub text: &'a [u8],
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Name {
    hash: u64,
    text: Box<[u8]>,
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Query<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<Name> for Query<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        self.hash == name.hash && *self.text == *name.text
    }
}

/// Hands a hash through.
#[derive(Clone, Copy, Default, Debug)]
struct Through(u64);

impl BuildHasher for Through {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Through {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("names hash as one number");
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The time as it counts here.
#[derive(Clone, Copy, Debug, Default)]
struct Elapsed {
    /// All that has elapsed.
    total: i64,
    /// What the clock showed last.
    last: Option<i64>,
}

impl Elapsed {
    fn at(self, now: i64) -> i64 {
        let step = self.last.map_or(0, |last| now.saturating_sub(last).max(0));
        self.total.saturating_add(step)
    }

    fn advance(&mut self, now: i64) -> i64 {
        *self = Self { total: self.at(now), last: Some(now) };
        self.total
    }
}

/// Why there is no permit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The key's own state.
    Denied(Denial),
    /// There are too many keys.
    Full,
    /// The host has no memory for a new one.
    OutOfMemory,
}

/// A key as an explorer sees it: what it is, in ages, and which permit is valid.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Seen<'a> {
    pub text: &'a [u8],
    pub key: Key,
    pub permit: Option<u64>,
}

/// Keys, and who has the permit of which.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    keys: IndexMap<Name, Key, Through>,
    /// Where the key of a valid permit stands.
    permits: FxHashMap<u64, usize>,
    /// Where the next sweep begins.
    hand: usize,
    /// What the keys take.
    bytes: usize,
    /// Up to so many bytes idle ones stay.
    spare: usize,
    time: Elapsed,
}

impl Keys {
    /// Few keys are not dropped and made again each time: up to so many bytes idle ones stay.
    pub fn sparing(spare: usize) -> Self {
        Self { spare, ..Self::default() }
    }

    /// A start. `permit` gives a number that was never given before.
    pub fn begin(&mut self, rules: Rules, now: i64, query: Query<'_>, permit: impl FnOnce() -> u64) -> Result<u64, Refused> {
        let now = self.time.advance(now);
        self.permits.try_reserve(1).map_err(|_| Refused::OutOfMemory)?;
        let known = self.keys.get_index_of(&query);
        let at = match known {
            Some(at) => at,
            None => {
                self.sweep(rules, now, LOOKS);
                self.insert(query)?
            }
        };
        let begun = self.update(at, |key| key.begin(rules, now, permit)).map_err(Refused::Denied);
        if known.is_some() && self.keys.len() > 1 {
            // Afterwards: one key that succeeds again and again is not dropped and made each time.
            self.sweep(rules, now, LOOKS_OF_KNOWN);
        }
        begun
    }

    /// The end of a start.
    pub fn finish(&mut self, rules: Rules, now: i64, permit: u64, outcome: Outcome) -> Result<(), Stale> {
        let now = self.time.advance(now);
        let at = *self.permits.get(&permit).ok_or(Stale)?;
        self.update(at, |key| key.finish(rules, now, permit, outcome))
    }

    /// See [`Key::keep`].
    pub fn keep(&mut self, rules: Rules, now: i64, permit: u64) -> Result<(), Stale> {
        let now = self.time.advance(now);
        let at = *self.permits.get(&permit).ok_or(Stale)?;
        self.update(at, |key| key.keep(rules, now, permit))
    }

    /// See [`Key::undecided`].
    pub fn undecided(&mut self, rules: Rules, now: i64, query: Query<'_>) -> Option<i64> {
        let now = self.time.advance(now);
        let at = self.keys.get_index_of(&query)?;
        self.update(at, |key| key.undecided(rules, now))
    }

    /// See [`Key::land`].
    pub fn land(&mut self, rules: Rules, now: i64, permit: u64) -> Result<Landed, Stale> {
        let now = self.time.advance(now);
        let at = *self.permits.get(&permit).ok_or(Stale)?;
        self.update(at, |key| key.land(rules, now, permit))
    }

    /// See [`Key::resume`].
    pub fn resume(
        &mut self,
        rules: Rules,
        now: i64,
        query: Query<'_>,
        landed: Landed,
        permit: impl FnOnce() -> u64,
    ) -> Result<u64, Refused> {
        // Since a reset it is as good as never seen.
        let Some(at) = self.keys.get_index_of(&query) else { return self.begin(rules, now, query, permit) };
        self.permits.try_reserve(1).map_err(|_| Refused::OutOfMemory)?;
        let now = self.time.advance(now);
        self.update(at, |key| key.resume(rules, now, landed, permit)).map_err(Refused::Denied)
    }

    /// See [`Key::settle`].
    pub fn settle(&mut self, rules: Rules, now: i64, query: Query<'_>, landed: Landed, succeeded: bool) -> Result<(), Stale> {
        let now = self.time.advance(now);
        let at = self.keys.get_index_of(&query).ok_or(Stale)?;
        self.update(at, |key| key.settle(rules, now, landed, succeeded))
    }

    /// The key as it was never seen. Whether it was known.
    pub fn reset(&mut self, now: i64, query: Query<'_>) -> bool {
        self.time.advance(now);
        let at = self.keys.get_index_of(&query);
        at.inspect(|at| self.remove(*at)).is_some()
    }

    /// How it looks. Takes and makes nothing.
    pub fn view(&self, rules: Rules, now: i64, query: Query<'_>) -> View {
        self.keys.get(&query).copied().unwrap_or_default().view(rules, self.time.at(now))
    }

    /// How many are known: for tests.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// How many bytes they take, and how many keys the tables have room for: for tests.
    pub fn size(&self) -> (usize, usize) {
        (self.bytes, self.keys.capacity())
    }

    /// For explorers: all that decides what comes.
    pub fn picture(&self, rules: Rules) -> (usize, Vec<Seen<'_>>) {
        let list = self.keys.iter().map(|(name, key)| {
            let mut fresh = *key;
            fresh.refresh(rules, self.time.total);
            Seen { text: &name.text, key: key.picture(rules, self.time.total), permit: fresh.permit() }
        });
        (self.hand, list.collect())
    }

    /// Changes a key, and what is known of its permit with it.
    fn update<T>(&mut self, at: usize, change: impl FnOnce(&mut Key) -> T) -> T {
        let key = &mut self.keys[at];
        let before = key.permit();
        let result = change(key);
        let after = key.permit();
        if before != after {
            if let Some(permit) = before {
                self.permits.remove(&permit);
            }
            if let Some(permit) = after {
                self.permits.insert(permit, at);
            }
        }
        result
    }

    fn insert(&mut self, query: Query<'_>) -> Result<usize, Refused> {
        let bytes = query.text.len() + OVERHEAD;
        if self.bytes + bytes > ROOM {
            return Err(Refused::Full);
        }
        let mut text = Vec::new();
        text.try_reserve_exact(query.text.len()).map_err(|_| Refused::OutOfMemory)?;
        text.extend_from_slice(query.text);
        self.keys.try_reserve(1).map_err(|_| Refused::OutOfMemory)?;
        self.bytes += bytes;
        Ok(self.keys.insert_full(Name { hash: query.hash, text: text.into_boxed_slice() }, Key::default()).0)
    }

    /// The last one takes its place.
    fn remove(&mut self, at: usize) {
        let Some((name, key)) = self.keys.swap_remove_index(at) else { return };
        self.bytes -= name.text.len() + OVERHEAD;
        if let Some(permit) = key.permit() {
            self.permits.remove(&permit);
        }
        if let Some(permit) = self.keys.get_index(at).and_then(|(_, moved)| moved.permit()) {
            self.permits.insert(permit, at);
        }
    }

    fn sweep(&mut self, rules: Rules, now: i64, mut looks: usize) {
        for _ in 0..SWEEP {
            if self.hand >= self.keys.len() {
                self.hand = 0;
            }
            if looks == 0 || self.keys.is_empty() || self.bytes <= self.spare {
                break;
            }
            self.update(self.hand, |key| key.refresh(rules, now));
            if self.keys[self.hand].is_idle() {
                self.remove(self.hand);
            } else {
                self.hand += 1;
                looks -= 1;
            }
        }
        self.shrink();
    }

    /// Gives memory back, where an eighth of it would do. What has no memory for that stays as it is.
    fn shrink(&mut self) {
        let few = |count: usize, room: usize| room > 256 && count < room / 8;
        if few(self.keys.len(), self.keys.capacity()) {
            let mut smaller = IndexMap::default();
            if smaller.try_reserve(self.keys.len() * 2).is_ok() {
                smaller.extend(self.keys.drain(..));
                self.keys = smaller;
            }
        }
        if few(self.permits.len(), self.permits.capacity()) {
            let mut smaller = FxHashMap::default();
            if smaller.try_reserve(self.permits.len() * 2).is_ok() {
                smaller.extend(self.permits.drain());
                self.permits = smaller;
            }
        }
    }
}
