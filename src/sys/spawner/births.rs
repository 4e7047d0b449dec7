//! The memory that host and spawner share: for each slot the number of the child, its gate, and what it reports.
//!
//! All of it is atomics, so a signal handler may look at it and close gates. Mapped for as long as the last share of it lives.

use nix::errno::Errno;

/// Whether a child may go on to its program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Gate {
    /// It waits.
    Shut = 0,
    /// It goes on.
    Open = 1,
    /// It ends, whether it is born yet or not.
    Barred = 2,
}

/// What a slot says of its child after the spawner has ended and was reaped: from then on no other is born.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was never born, and never will be: the request may be made anew.
    Unborn,
    /// It was born with this number, and has reported no failure: it has begun, is about to, waits at its gate, or was killed.
    Born(i32),
    /// It was born and has ended, or is ending, with this failure.
    Failed(i32, &'static str, Errno),
}

/// The shared memory of one spawner.
#[derive(Debug)]
pub struct Births(());

impl Births {
    /// The number of the child of this slot, 0 while it is not born. Written by the kernel before its first instruction. For signal handlers, too.
    pub fn pid(&self, _index: usize) -> i32 {
        todo!()
    }

    /// Where that is.
    pub(super) fn pid_address(&self, _index: usize) -> *const core::sync::atomic::AtomicI32 {
        todo!()
    }

    /// Opens the gate of one child, or bars it. `false`: it was barred before, or the child has reported a failure. For signal handlers, too.
    pub fn set(&self, _index: usize, _gate: Gate) -> bool {
        todo!()
    }

    /// Bars every gate, those of slots that are not taken yet included: from now on no child passes. For signal handlers, too.
    pub fn bar_all(&self) {
        todo!()
    }
}
