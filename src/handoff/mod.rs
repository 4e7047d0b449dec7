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
//! | `machine/`            | who does what when: pure; the word that decides who owns; the keeper of the files |
//! | `wire.rs`             | what is said: kinds of messages, tags, limits                     |
//! | `record.rs`           | the record that both generations map, and its copy in words       |
//! | `control.rs`          | the control path and the lock file                                |
//! | `remains.rs`          | whether an owner that does not answer lives, and who holds its lock |
//! | `holdings.rs`         | the descriptors and the state that are handed on                  |
//! | `peer.rs`             | the other process: pidfd, kill, reap                              |
//! | `trust.rs`            | who may be the other side                                         |
//! | `verdict.rs`          | what came of an attempt, in words and codes                       |
//! | `outcome/`            | the record of a handoff: who, when, how many, why                 |
//! | `supervisor/`         | a separate supervisor: an observer that can help                  |
//! | `terms.rs`            | what the application may set, and what it is told                 |
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
//! | *release*  | all that the other side has as well | it goes its own way, and is reaped if it is ours; what was shared is closed here |
//! | *give back* | what a forked copy has inherited | closed there, and felt by nobody                                       |
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
pub mod outcome;
mod owner;
mod peer;
mod record;
mod remains;
mod side;
mod successor;
pub mod supervisor;
mod terms;
mod trust;
mod verdict;
pub mod wire;

use std::sync::{Arc, Mutex};

use driver::Driver;
pub use entry::{check_service, was_spawned};
pub use machine::standing::Standing;
pub use machine::{Limits, Mode, Notice, Reason};
pub use terms::{Options, Role, Timeout, Told};
pub use verdict::status_of;

use crate::sys::custody::{self, Custody};
use crate::sys::memory::Home;
use crate::sys::reactor::Reactor;

/// One generation's end of the handoff.
#[derive(Debug)]
pub struct Handoff {
    driver: Mutex<Driver>,
    /// A share of the driver's, so that waiting needs no lock.
    reactor: Arc<Reactor>,
    custody: Custody,
    home: Home,
}

impl Handoff {
    fn around(driver: Driver) -> Self {
        let (reactor, custody) = (driver.core.reactor.clone(), driver.core.custody);
        Self { driver: Mutex::new(driver), reactor, custody, home: Home::here() }
    }
}

/// A forked copy of the host can do nothing with the value, and must not have what it holds: a lock that it has is held.
impl Handoff {
    /// By this name a copy will know it.
    pub fn set_name(&self, name: u64) {
        self.custody.set_name(name);
    }

    /// It is freed here, and no copy is to ask for it any more.
    pub fn forget_name(name: u64) {
        custody::forget_name(name);
    }

    /// In a copy: closes what it has inherited of the one that has this name. Nothing of that is felt by anybody, and nothing is waited for.
    pub fn give_back(name: u64) {
        custody::give_back(name);
    }
}

impl Drop for Handoff {
    fn drop(&mut self) {
        self.close();
    }
}
