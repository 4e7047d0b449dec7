//! The spawn engine: from a request to a child whose program has begun, or to the step and errno of what failed.
//!
//! The race that it is built around: from the clone on there is a process that anybody in the host may signal or reap, before we know its
//! number ourselves. So the kernel writes pid and pidfd into a registry slot, before the child's first instruction; and between clone and
//! exec the child keeps the strict rules at the head of `child.rs`, for it may share all memory with the host.
//!
//! | file         | what                                                                |
//! |--------------|---------------------------------------------------------------------|
//! | `clone.rs`   | the engine: request in, child out; retries; which tier is tried     |
//! | `tiers.rs`   | which tier works here: probed once, cached                          |
//! | `survey.rs`  | how a seccomp filter is asked that may kill for the question        |
//! | `fork.rs`    | the tier that shares nothing                                        |
//! | `credentials.rs` | who a child becomes, and whether we are that already             |
//! | `switch.rs`  | how it becomes that                                                 |
//! | `orders.rs`  | what the child is told, and what it reports                         |
//! | `child.rs`   | what runs between clone and exec                                    |
//! | `birth.rs`   | what a child writes down of its birth                               |
//! | `shim.rs`    | the assembly around clone                                           |
//! | `terminal.rs` | a child and its terminal, between clone and exec                   |
//! | `relay.rs`   | a child that dies with its host, spawned by any thread              |
//! | `landing.rs` | reserved low descriptors                                            |
//! | `scheduling.rs` | the policy of the scheduler, as a command says it               |
//! | `contained/` | a child alone with its descendants in a namespace of processes      |
//!
//! `clone.rs`, `fork.rs` and `tiers.rs` know each other: the engine tries a tier, and a tier is probed by the engine's own clone.

mod birth;
mod child;
mod clone;
pub(crate) mod contained;
mod credentials;
mod fork;
mod isolation;
pub mod landing;
mod orders;
mod relay;
mod scheduling;
mod shim;
mod survey;
mod switch;
mod terminal;
mod tiers;

pub use self::birth::{Birth, LENGTH as BIRTH_LENGTH, Places as BirthPlaces};
pub use self::clone::{Background, Failure, Request, Spawned, Target, Tier, spawn};
pub use self::contained::Contained;
pub use self::credentials::Credentials;
pub use self::isolation::Isolation;
pub use self::orders::{Gap, Limit, Move, Terminal};
pub use self::scheduling::{Policy, Scheduling};
pub use self::tiers::learn;

pub(in crate::sys) use self::clone::{BUSY_PAUSES, failure};
pub(in crate::sys) use self::orders::Step;
pub(in crate::sys) use self::tiers::{has_no_close_range, verdict};
