//! What is explored: how the handoffs go, which faults there are and how many, and which mistake is put into the machines.

use crate::machine::{Limits, Mode};

use super::mutant::Mutant;

/// Kinds of faults, as bits.
pub mod fault {
    /// SIGKILL, by somebody.
    pub const CRASH: u16 = 1;
    /// The same; what the victim had sent and was not read is lost too (ECONNRESET).
    pub const CRASH_LOSSY: u16 = 2;
    /// SIGSTOP; SIGCONT comes at any later time or never.
    pub const STOP: u16 = 4;
    /// The channel ends, and what is under way is lost.
    pub const CUT: u16 = 8;
    /// A send fails though the channel is there.
    pub const TROUBLE: u16 = 16;
    /// The application says that it failed.
    pub const APP_FAILS: u16 = 32;
    /// The application never answers again.
    pub const APP_HANGS: u16 = 64;
    /// The application calls it off.
    pub const CANCEL: u16 = 128;
    /// No successor can be spawned.
    pub const NO_SPAWN: u16 = 256;
    /// A message comes twice.
    pub const TWICE: u16 = 512;
    /// It crashes, and its core takes long.
    pub const DUMP: u16 = 1024;
    pub const ALL: u16 = 2047;
}

/// How successors come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// The owner spawns them.
    Spawned,
    /// They are started by somebody and connect to the control path.
    Takeover,
    /// Both, at the same time (L6).
    Both,
}

/// What a driver takes for a death.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sight {
    /// A readable pidfd, or a core that is written.
    Right,
    /// The pidfd alone.
    PidfdOnly,
    /// Also that it is stopped.
    StoppedToo,
}

#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub mode: Mode,
    pub way: Way,
    /// Of the offer.
    pub parts: u16,
    /// What changes between offer and commit.
    pub changed: u16,
    pub handoffs: u8,
    pub faults: u8,
    /// Which the first may be, and the others.
    pub first: u16,
    pub others: u16,
    pub limits: Limits,
    /// A deadline is a moment of virtual time. Otherwise it may come at any moment.
    pub timed: bool,
    /// Places of processes that are gone are used again.
    pub recycled: bool,
    /// The owner may not signal its successor; it may know that before it condemns, or not.
    pub unkillable: bool,
    /// How the driver finds out that its peer does nothing any more.
    pub sight: Sight,
    /// A driver that delivers a timeout without a look at the pidfd (against R1).
    pub careless: bool,
    /// Only what comes of a mistake counts, not the forbidden move itself.
    pub effects_only: bool,
    pub mutant: Mutant,
}

impl Setup {
    pub const fn new(mode: Mode, way: Way) -> Self {
        Self {
            mode,
            way,
            parts: 1,
            changed: 0,
            handoffs: 1,
            faults: 1,
            first: fault::ALL,
            others: fault::ALL,
            limits: Limits { drain: 10_000_000_000, seal: 10_000_000_000, live: 5_000_000_000, probation: 2_000_000_000 },
            timed: false,
            recycled: false,
            unkillable: false,
            sight: Sight::Right,
            careless: false,
            effects_only: false,
            mutant: Mutant::None,
        }
    }

    /// Whether such a fault may happen after so many.
    pub fn allows(&self, kind: u16, so_far: u8) -> bool {
        let kinds = if so_far == 0 { self.first } else { self.others };
        so_far < self.faults && kinds & kind != 0
    }
}

/// The whole deadline of a handoff.
pub const WHOLE: i64 = 60_000_000_000;
/// How long a successor waits for its offer.
pub const OFFER: i64 = 5_000_000_000;
