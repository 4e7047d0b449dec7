//! Who may be started, once, and when it is ready.
//!
//! It knows no process and no supervisor; they ask it. A command names its budget, a process has its readiness and its watchdog, and the
//! supervisor drives both: so this room lies below theirs.

pub mod budget;
pub mod notify;
#[allow(dead_code)]
pub mod once;
#[allow(dead_code)]
pub mod probe;
pub mod readiness;
pub mod service;
pub mod spawn_lock;
pub mod watchdog;
