//! The handoff as pure machines: `step(state, event, now) -> (state, actions)`; no clock, descriptor, allocation or thread inside.
//!
//! The driver runs them on real descriptors, the simulator on virtual time, and the explorer (`tests/handoff_explorer.rs`, which
//! compiles these very files) in every order of events that two faults allow. So there is no model that could drift.
//!
//! Beside it `keeper.rs`: an owner looks after its control path and its lock file (explored in `tests/files_explorer.rs`).
//!
//! Two parties: the *owner* is the running generation, the *successor* wants to be the next. Who of them owns is decided by one word
//! that both see (`word.rs`), never by a message: messages only wake the other side. The ids S1-S14 and L1-L6 are the
//! invariants in docs/handoff-protocol.md.
//!
//! The races that shaped it:
//! - A successor that gives up while the owner commits: both are a compare-and-swap from Offered, one wins.
//! - An owner that takes back while the successor confirms: it first *condemns* (compare-and-swap), then kills, then waits for the
//!   death, then takes back. A successor that has settled cannot be condemned, so an owner that stands alone is never killed (S9).
//! - A wait of the application's own cannot be ended for it: a successor that was told LIVE may be writing, so only its own
//!   `failed`, or its death, gives the ownership back; never its deadline.

pub mod keeper;
pub mod overlap;
pub mod owner;
pub mod standing;
pub mod successor;
pub mod supervisor;
pub mod v1;
pub mod word;

use crate::clock::Deadline;

/// Whether two generations may serve at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Mode {
    /// One writer: the successor serves after the owner has sealed.
    #[default]
    #[strum(serialize = "PS_HANDOFF_EXCLUSIVE")]
    Exclusive = 0,
    /// The successor accepts before the owner stops.
    #[strum(serialize = "PS_HANDOFF_OVERLAP")]
    Overlap = 1,
}

/// Why a handoff came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// The owner's application called it off.
    Cancelled,
    /// An answer did not come in time.
    Timeout,
    /// The other process ended.
    Died,
    /// The other process is there and its channel is not.
    HungUp,
    /// The other side's application said that it failed.
    PeerFailed,
    /// Our application said that it failed.
    Failed,
    /// The two speak no common version.
    Version,
    /// The other side does not understand us.
    Protocol,
    /// The standby has taken the ownership back; stop at once.
    Fenced,
    /// A system call or the epoch record stood in the way.
    System,
    /// Descriptors or memory were not to be had.
    Limit,
    /// The two processes may not work together.
    Denied,
    /// The lock is not the one of the control path any more.
    Displaced,
}

/// What the application is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// End background work; accepting goes on.
    Drain,
    /// Stop accepting and writing, make everything durable.
    Seal,
    /// Open the writer and accept. `unsealed`: the last owner died before it had sealed.
    Live {
        /// Run crash recovery.
        unsealed: bool,
    },
    /// Go on as before. `unsealed`: the successor may have written.
    Resume {
        /// Read the state anew from storage.
        unsealed: bool,
    },
    /// Exit.
    Retire,
    /// The successor has opened (owner); the ownership is settled (successor).
    Committed,
    /// It came to nothing.
    Aborted(Reason),
    /// The control path or the lock file is not this process's any more, or is so again.
    PathChanged,
}

/// How long each party waits for what, nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// For the owner's answer to DRAIN.
    pub drain: i64,
    /// For the owner's answer to SEAL.
    pub seal: i64,
    /// For the successor's answer to LIVE, and to the question that ends the probation.
    pub live: i64,
    /// How long the owner stands by.
    pub probation: i64,
}

/// How long the owner waits for a successor whose channel has ended to be seen dead: the kernel closes a dying process's files before its
/// pidfd becomes readable (exit_files and exit_notify in kernel/exit.c), so a crash looks like a lost channel at first.
pub const LINGER: i64 = 200_000_000;

/// So many nanoseconds after this moment.
fn after(now: i64, nanos: i64) -> Deadline {
    Deadline::at(now).plus(nanos)
}

/// What a step asks the driver to do, in this order. A full list is a bug that the explorer would find.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Actions<A> {
    list: [Option<A>; 8],
    len: u8,
}

impl<A: Copy> Actions<A> {
    /// Nothing to do.
    pub const fn none() -> Self {
        Self { list: [None; 8], len: 0 }
    }

    /// Appends one.
    pub fn push(&mut self, action: A) {
        if let Some(place) = self.list.get_mut(self.len as usize) {
            *place = Some(action);
            self.len += 1;
        } else {
            debug_assert!(false, "more than eight actions");
        }
    }

    /// These, in order.
    pub fn of(actions: &[A]) -> Self {
        let mut list = Self::none();
        actions.iter().for_each(|action| list.push(*action));
        list
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = A> + '_ {
        self.list.iter().take(self.len as usize).flatten().copied()
    }
}
