//! The lock-free protocol of one registry slot: everything that must be decided at once lies in one 64-bit word.
//!
//! The race it settles: one thread signals a child, another reaps it, a signal handler on top of either does both, and the
//! slot with its pidfd number must not be given to a new child while any of them still looks at the old one.
//!
//! ```text
//!   63 .. 32      31 .. 16   15 .. 4   3 .. 0
//!   generation    reapers    pins      state
//!
//!             begin           live            publish           retire
//!   FREE ---------> SPAWNING -----> LIVE ------------> EXITED ----------> FREE, generation + 1
//!                       |                                 ^                 ^
//!                       +----------- publish -------------+                 |
//!                       +------------------ retire (no child came) ---------+
//! ```
//!
//! - A *pin* says "I use the pid and pidfd of this slot": taken before a signal, given back after it.
//! - A *reaper* is between its look at the child and its published record. waitid(2) lets exactly one caller have the
//!   status, so several may try; one that finds the child gone, and is alone, knows that a stranger has reaped it.
//! - `retire` waits for both to be none. Signal handlers never retire, so nobody waits for a frame below itself. A frame that never
//!   returns (longjmp) is waited for only so long (`slot.rs`): then the slot stays as it is for ever, and is nobody's.
//! - A signal that a child must not get before it has begun is *held back*: noted in a word of its own, and sent by exactly one of the two
//!   who may come to it, the signaller or the one who says that the child lives.
//!
//! Model-checked under loom (`tests/model_registry.rs`, which compiles this very file).

use super::atomics::{AtomicU64, Ordering};

/// The state of a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// On the free list.
    Free,
    /// Taken; the child may or may not exist yet.
    Spawning,
    /// The child runs its program, as far as we know.
    Live,
    /// Its exit record is in the slot.
    Exited,
}

const STATE: u64 = 0xF;
const PIN: u64 = 1 << 4;
const PINS: u64 = 0xFFF << 4;
const REAPER: u64 = 1 << 16;
const REAPERS: u64 = 0xFFFF << 16;
const GENERATION: u64 = 1 << 32;

fn state_of(word: u64) -> State {
    match word & STATE {
        0 => State::Free,
        1 => State::Spawning,
        2 => State::Live,
        _ => State::Exited,
    }
}

fn raw(state: State) -> u64 {
    match state {
        State::Free => 0,
        State::Spawning => 1,
        State::Live => 2,
        State::Exited => 3,
    }
}

/// Applies `change` until it sticks or refuses; answers the word before.
fn update(word: &AtomicU64, change: impl Fn(u64) -> Option<u64>) -> Option<u64> {
    let mut now = word.load(Ordering::Acquire);
    loop {
        let next = change(now)?;
        match word.compare_exchange(now, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(now),
            Err(other) => now = other,
        }
    }
}

/// The state now.
pub fn state(word: &AtomicU64) -> State {
    state_of(word.load(Ordering::Acquire))
}

/// The generation now.
pub fn generation(word: &AtomicU64) -> u32 {
    (word.load(Ordering::Acquire) >> 32) as u32
}

/// Takes a free slot for a new child; answers its generation.
pub fn begin(word: &AtomicU64) -> Option<u32> {
    update(word, |now| (state_of(now) == State::Free).then_some(now & !STATE | raw(State::Spawning))).map(|before| (before >> 32) as u32)
}

/// The child runs its program. Nothing changes if it has been reaped meanwhile.
pub fn live(word: &AtomicU64) {
    update(word, |now| (state_of(now) == State::Spawning).then_some(now & !STATE | raw(State::Live)));
}

/// Notes these signals (one bit) for a child that has not begun; the caller holds a pin. `false`: it has, so they are to be sent at once.
pub fn hold_back(word: &AtomicU64, held: &AtomicU64, signals: u64) -> bool {
    if state(word) != State::Spawning {
        return false;
    }
    held.fetch_or(signals, Ordering::AcqRel);
    // It may have begun since the look, and what was held back have been taken before. Or after: then they are sent already.
    state(word) == State::Spawning || held.fetch_and(!signals, Ordering::AcqRel) & signals == 0
}

/// After `live`: the signals that were held back, which the caller sends.
pub fn take_held(held: &AtomicU64) -> u64 {
    held.swap(0, Ordering::AcqRel)
}

/// Keeps the slot's pid and pidfd from being reused, if there is or may be a child that was not reaped.
pub fn pin(word: &AtomicU64) -> bool {
    update(word, |now| {
        let usable = matches!(state_of(now), State::Spawning | State::Live) && now & PINS != PINS;
        usable.then_some(now + PIN)
    })
    .is_some()
}

/// Gives a pin back.
pub fn unpin(word: &AtomicU64) {
    word.fetch_sub(PIN, Ordering::Release);
}

/// Becomes a reaper. `alone`: only if nobody else reaps or pins (where signals go by number, a reap must exclude them).
pub fn enter(word: &AtomicU64, alone: bool) -> bool {
    update(word, |now| {
        let usable = matches!(state_of(now), State::Spawning | State::Live) && now & REAPERS != REAPERS;
        let excluded = alone && now & (REAPERS | PINS) != 0;
        (usable && !excluded).then_some(now + REAPER)
    })
    .is_some()
}

/// Whether the calling reaper is the only one.
pub fn is_only_reaper(word: &AtomicU64) -> bool {
    word.load(Ordering::Acquire) & REAPERS == REAPER
}

/// Whether somebody is reaping.
pub fn has_reaper(word: &AtomicU64) -> bool {
    word.load(Ordering::Acquire) & REAPERS != 0
}

/// Whether somebody uses the pid or pidfd: a reaper sweeps by it.
pub fn is_in_use(word: &AtomicU64) -> bool {
    word.load(Ordering::Acquire) & (PINS | REAPERS) != 0
}

/// Stops being a reaper.
pub fn leave(word: &AtomicU64) {
    word.fetch_sub(REAPER, Ordering::Release);
}

/// The exit record is complete. `false`: another frame has published before.
pub fn publish(word: &AtomicU64) -> bool {
    update(word, |now| matches!(state_of(now), State::Spawning | State::Live).then_some(now & !STATE | raw(State::Exited))).is_some()
}

/// Ends this generation. `false`: somebody still pins or reaps; try again.
pub fn retire(word: &AtomicU64) -> bool {
    update(word, |now| {
        let ended = matches!(state_of(now), State::Spawning | State::Exited) && now & (PINS | REAPERS) == 0;
        ended.then_some((now & !STATE).wrapping_add(GENERATION) | raw(State::Free))
    })
    .is_some()
}
