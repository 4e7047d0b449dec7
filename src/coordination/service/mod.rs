//! A program that was started as a service: what its starter has left for it, and how it answers. The conventions are systemd's, read and
//! spoken without libsystemd.
//!
//! The trap is the environment, which is inherited by everybody below: see `variables.rs`. Nothing here keeps anything between two calls, and
//! nothing changes the environment (law 1), where libsystemd offers to.
//!
//! | file           | what                                                                    |
//! |----------------|-------------------------------------------------------------------------|
//! | `variables.rs` | names and numbers of the convention, for both sides                     |
//! | `listening.rs` | descriptors that wait at 3 and above                                    |
//! | `notify.rs`    | messages to the starter: ready, reloading, stopping, alive; the barrier |
//! | `watchdog.rs`  | whether silence is taken for death, and how soon                        |
//! | `unit.rs`      | whether systemd would follow this process to its successor              |

pub mod listening;
pub mod notify;
pub mod unit;
pub mod variables;
pub mod watchdog;
