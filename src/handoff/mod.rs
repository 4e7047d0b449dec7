//! The handoff: a running generation is replaced by the next without a dropped connection or a lost write.
//!
//! ```text
//!   calls.rs --lock--> driver.rs: what comes in, in which order
//!                        |
//!                        +-- core.rs: channel, other process, reactor, what is handed on, what is told
//!                        +-- side.rs: what a party must answer
//!                              +-- owner/      +-- successor/        each a pure machine (machine/) on real descriptors
//! ```
//!
//! | file                  | what                                                              |
//! |-----------------------|-------------------------------------------------------------------|
//! | `calls.rs` `entry.rs` | the calls for the application; the three ways in: first, spawned, takeover |
//! | `driver.rs` `core.rs` `side.rs` | one step after the other, for any party                 |
//! | `owner/` `successor/` | the parties: each its own state, and what its machine's actions do |
//! | `machine/`            | who does what when: pure; the word that decides who owns          |
//! | `wire.rs`             | what is said: kinds of messages, tags, limits                     |
//! | `record.rs`           | the record that both generations map, and its copy in words       |
//! | `control.rs`          | the control path and the lock file                                |
//! | `holdings.rs`         | the descriptors and the state that are handed on                  |
//! | `peer.rs`             | the other process: pidfd, kill, reap                              |
//! | `verdict.rs`          | what came of an attempt, in words and codes                       |
//!
//! Locks: one per handle, never held across a call that can block (the spawn of a successor among them). The reactor's own is a leaf.
//!
//! There are many ways of letting go, and each has one verb here:
//!
//! | verb       | what                     | and then                                                                  |
//! |------------|--------------------------|---------------------------------------------------------------------------|
//! | *unwatch*  | a descriptor, a process  | it leaves the reactor, and stays as it is                                 |
//! | *close*    | a channel, what was handed on, a handle | ours is closed; the other side sees the end                |
//! | *withdraw* | an offer, a name in it   | it counts no more; nobody has to hear of changes                          |
//! | *dismiss*  | a guest, a successor     | it is not needed: its channel is closed; if this process made it, it is ended |
//! | *disown*   | a successor, at the commit | it lives on whatever becomes of this process                            |
//! | *release*  | all that the other side has as well | it goes its own way; what was shared is closed here            |
//! | *end*      | a process on its way out | stop plan, kill, reap                                                     |
//! | *unbind*   | the control path         | its name goes, with the last generation                                   |

mod calls;
mod control;
mod core;
mod driver;
mod entry;
mod holdings;
#[doc(hidden)]
pub mod machine;
mod owner;
mod peer;
mod record;
mod side;
mod successor;
mod verdict;
pub mod wire;

use std::sync::{Arc, Mutex};

use driver::Driver;
pub use machine::{Limits, Mode, Notice, Reason};
pub use verdict::status_of;

use crate::clock::MILLI;
use crate::sys::memory::Home;
use crate::sys::reactor::Reactor;

/// How a handoff goes; counts from the next one on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether two generations may serve at once.
    pub mode: Mode,
    /// How long each party waits for what, nanoseconds.
    pub limits: Limits,
    /// How long a handoff that began at the control path may take until its commit.
    pub takeover: i64,
}

impl Default for Options {
    fn default() -> Self {
        let limits = Limits { drain: i64::MAX, seal: i64::MAX, live: 5_000 * MILLI, probation: 2_000 * MILLI };
        Self { mode: Mode::Exclusive, limits, takeover: 60_000 * MILLI }
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
    /// successor that is silent longer is given up. Default 5000 ms.
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

/// One generation's end of the handoff.
#[derive(Debug)]
pub struct Handoff {
    driver: Mutex<Driver>,
    /// A share of the driver's, so that waiting needs no lock.
    reactor: Arc<Reactor>,
    home: Home,
}

impl Handoff {
    fn around(driver: Driver) -> Self {
        let reactor = driver.core.reactor.clone();
        Self { driver: Mutex::new(driver), reactor, home: Home::here() }
    }
}

impl Drop for Handoff {
    fn drop(&mut self) {
        self.close();
    }
}
