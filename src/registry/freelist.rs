//! Which slots are free: a Treiber stack of slot numbers, O(1) and lock-free.
//!
//! The race: between reading the head and swapping it, the head slot may be taken and retired by others, with another
//! successor (ABA). The upper half of the head counts every change, so such a swap fails. Only ordinary calls take and give
//! slots, never a signal handler. Model-checked with `word.rs`.

use super::atomics::{AtomicU64, Ordering};

const LOW: u64 = 0xFFFF_FFFF;

/// Takes the first free slot. `next` reads a slot's successor word.
pub fn pop(head: &AtomicU64, next: impl Fn(u32) -> u64) -> Option<u32> {
    let mut now = head.load(Ordering::Acquire);
    loop {
        // The low half is the number plus one: zero, as in fresh memory, is the empty list.
        let first = (now & LOW) as u32;
        if first == 0 {
            return None;
        }
        let after = (now & !LOW).wrapping_add(1 << 32) | (next(first - 1) & LOW);
        match head.compare_exchange(now, after, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(first - 1),
            Err(other) => now = other,
        }
    }
}

/// Gives a slot back. `link` writes a slot's successor word.
pub fn push(head: &AtomicU64, slot: u32, link: impl Fn(u64)) {
    let mut now = head.load(Ordering::Acquire);
    loop {
        link(now & LOW);
        let after = (now & !LOW).wrapping_add(1 << 32) | u64::from(slot + 1);
        match head.compare_exchange(now, after, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(other) => now = other,
        }
    }
}
