//! The protocol of a birth: a place in the table for a process that another was asked to make, and that is not known yet.
//!
//! The race: kill-all runs in a signal handler while the process is being born, and must not miss it: neither before it is known (then its gate is
//! shut: it finds the end there, and goes) nor after (then it is killed). So kill-all marks the slot and looks for a process in it, in this order; who
//! registers one writes it down and looks for the mark, in this order: one of them sees the other. And the gate is a number, which its holder gives
//! away afterwards: who has it in hand holds a pin.
//!
//! | kill-all comes             | the newborn                                                                          |
//! |----------------------------|--------------------------------------------------------------------------------------|
//! | before it is registered    | finds its gate shut, and is refused by [`Lease::register`](super::Lease::register)   |
//! | while it is registered     | both of that, or is killed, or both                                                  |
//! | afterwards                 | is killed as any child                                                               |
//!
//! Model-checked under loom, as `word.rs`.

use super::atomics::{AtomicU64, Ordering, fence};
use super::word;

/// Nobody is expected, or no more.
const NOBODY: u64 = 0;
/// Somebody is, who has no gate that could be shut. Above that: the number of the gate, and 2.
const EXPECTED: u64 = 1;

/// Somebody is expected, who waits there.
pub fn expect(gate: &AtomicU64, number: Option<i32>) {
    gate.store(number.map_or(EXPECTED, |number| number as u64 + 2), Ordering::Release);
}

/// Kill-all: nobody may be born there any more. Whether somebody is in it is to be looked at afterwards.
pub fn close(slot: &AtomicU64, gate: &AtomicU64, mark: &AtomicU64, round: u64, shut: impl FnOnce(i32)) {
    if gate.load(Ordering::Acquire) == NOBODY || !word::pin(slot) {
        return;
    }
    // Again, now that the slot cannot become another's: who gives the gate away looks for pins after he has said so.
    fence(Ordering::SeqCst);
    let number = gate.load(Ordering::Acquire);
    if number != NOBODY {
        mark.store(round, Ordering::Relaxed);
    }
    if number > EXPECTED {
        shut((number - 2) as i32);
    }
    word::unpin(slot);
    fence(Ordering::SeqCst);
}

/// Who was expected is known: `publish` writes it down. `false`: kill-all has come by. The gate may be given away when nobody uses the slot.
pub fn register(gate: &AtomicU64, mark: &AtomicU64, publish: impl FnOnce()) -> bool {
    publish();
    fence(Ordering::SeqCst);
    let accepted = mark.load(Ordering::Acquire) == 0;
    // After the process: who finds that nobody is expected finds the process.
    gate.store(NOBODY, Ordering::Release);
    fence(Ordering::SeqCst);
    accepted
}
