//! One child: command -> spawn -> running -> stopping -> exited.
//!
//! | file             | what                                                     |
//! |------------------|----------------------------------------------------------|
//! | `command.rs`     | what shall run, and how; checked where it is said        |
//! | `spawn.rs`       | a command becomes a child                                |
//! | `child.rs`       | its life: signals, stop ladder, reap, release            |
//! | `stop.rs`        | the ladder as a pure machine                             |
//! | `descriptors.rs` | which descriptors it gets: a pure plan                   |
//! | `environment.rs` `path.rs` | its environment; where its program lies        |
//! | `output.rs` `sandbox.rs`   | what it owns: captured output, a directory     |

pub mod child;
pub mod command;
pub mod descriptors;
mod environment;
pub mod output;
pub mod path;
pub mod sandbox;
pub mod spawn;
pub mod stop;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic elsewhere: the registry and its children must stay usable.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
