//! A birth: a place in the table for a process that another was asked to make, and that is not known yet.
//!
//! The race: kill-all runs in a signal handler while the process is being born, and must not miss it: neither before it is known (then its gate is
//! closed: it finds the end there, and goes) nor after (then it is killed). So kill-all marks the slot and looks for a process in it, in this order; who
//! registers one writes it down and looks for the mark, in this order: one of them sees the other.
//!
//! | kill-all comes             | the newborn                                                                    |
//! |----------------------------|--------------------------------------------------------------------------------|
//! | before it is registered    | finds its gate shut, and is refused by [`Lease::register`](super::Lease::register) |
//! | while it is registered     | both of that, or is killed, or both                                            |
//! | afterwards                 | is killed as any child                                                         |

use core::sync::atomic::fence;

use super::atomics::Ordering;
use super::slot::{Facts, Slot};
use super::word;
use crate::sys::poll;
use crate::sys::socket;

/// How long a frame of kill-all is waited for that has the number of the gate in hand.
const PATIENCE: i64 = 1_000 * crate::clock::MILLI;

impl Slot {
    pub(super) fn set_gate(&self, gate: Option<i32>) {
        self.gate_word().store(gate.map_or(0, |fd| fd as u64 + 1), Ordering::Release);
    }

    /// Whether kill-all has come by since the slot was taken.
    pub(super) fn is_refused(&self) -> bool {
        self.round() != 0
    }

    /// Kill-all: nobody may be born into this slot any more. Whether somebody is in it is to be looked at afterwards.
    pub(super) fn close_gate(&self, round: u64) {
        if self.gate_word().load(Ordering::Acquire) == 0 || !word::pin(self.word()) {
            return;
        }
        // Again, now that the slot cannot become another's.
        let gate = self.gate_word().load(Ordering::Acquire);
        if gate != 0 {
            self.mark_round(round);
            socket::shut(gate as i32 - 1);
        }
        word::unpin(self.word());
        fence(Ordering::SeqCst);
    }

    /// See [`Lease::register`](super::Lease::register).
    pub(super) fn register(&self, pid: i32, pidfd: i32, facts: Facts) -> bool {
        self.set_facts(facts);
        self.adopt(pid, pidfd);
        fence(Ordering::SeqCst);
        let refused = self.is_refused();
        // After the process: who finds no gate finds that.
        self.set_gate(None);
        // Who has its number in hand may be about to shut it, and the gate's holder to close it.
        poll::relax_until(PATIENCE, || !word::is_in_use(self.word())) && !refused
    }
}
