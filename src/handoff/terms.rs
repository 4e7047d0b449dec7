//! What the application may set of a handoff, and what it is told: the words between it and every party.

use super::machine::standing::Standing;
use super::machine::{Limits, Mode, Notice};
use crate::clock::MILLI;
use crate::error::Status;

/// How a handoff goes; counts from the next one on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether two generations may serve at once.
    pub mode: Mode,
    /// How long each party waits for what, nanoseconds.
    pub limits: Limits,
    /// How long a handoff that began at the control path may take until its commit.
    pub takeover: i64,
    /// Whether an upgrade is refused in a unit that would not follow (`coordination/service/unit.rs`).
    pub checks_service: bool,
}

impl Default for Options {
    fn default() -> Self {
        let limits = Limits { drain: i64::MAX, seal: i64::MAX, live: 5_000 * MILLI, probation: 2_000 * MILLI };
        Self { mode: Mode::Exclusive, limits, takeover: 60_000 * MILLI, checks_service: true }
    }
}

/// The waits of a handoff.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Timeout {
    /// For the answer to DRAIN; by default what is left of the whole deadline.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_DRAIN")]
    Drain = 1,
    /// For the answer to SEAL; by default what is left of the whole deadline.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_SEAL")]
    Seal = 2,
    /// For the answer to LIVE, and for the sign of life that ends the probation: a successor that is silent
    /// longer is killed. Also, but then at most 5000 ms, for the signs of life before and after SEAL: a
    /// successor that is silent longer is given up. And how long RETIRE waits for a successor that has not
    /// come back since COMMITTED. Default 5000 ms.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_LIVE")]
    Live = 3,
    /// How long the old generation stands by. Default 2000 ms.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_PROBATION")]
    Probation = 4,
    /// For a whole handoff that began at the control path, until its commit. Default 60000 ms.
    #[strum(serialize = "PS_HANDOFF_TIMEOUT_TAKEOVER")]
    Takeover = 5,
}

/// Who a process is in the handoff.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Role {
    /// It started cold.
    #[strum(serialize = "PS_HANDOFF_FIRST")]
    First = 0,
    /// It takes over from a running generation, or has done so.
    #[strum(serialize = "PS_HANDOFF_SUCCESSOR")]
    Successor = 1,
}

/// An event, with what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// What it says.
    pub notice: Notice,
    /// Where it puts this process.
    pub standing: Standing,
    /// PATH_CHANGED: how it is now.
    pub status: Status,
    /// Which handoff.
    pub handoff_id: u64,
    /// LIVE: what the last owner sealed.
    pub revision: u64,
    /// The other process, for display.
    pub peer_pid: i32,
    /// Until when an answer is awaited; 0: no answer is.
    pub deadline_ns: i64,
    /// When it came about.
    pub time_ns: i64,
}
