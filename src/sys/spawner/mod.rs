//! A tiny process that makes the host's children for it, so that the host never waits for an exec, and shares no memory with any child.
//!
//! The race that it is built around: a child is born in another process, and its number must be known to the host even if that process is
//! killed right behind the clone. So the kernel writes the number into memory that both share (`births.rs`) before the child's first
//! instruction, and each child looks at its gate there before it executes anything.
//!
//! ```text
//!   host: submit(request, slot) --message, descriptors--> spawner: clone(CLONE_PARENT): the child is the host's own
//!         births[slot].pid  <------ written by the kernel ---'        |
//!         receive: Born  <--------- pidfd ------------------- child: at its gate (if it is shut)
//!         births[slot].gate: open or closed for good ------->        |
//!         receive: Began or Failed, pidfd <------------------ exec, or the step and errno of what failed
//! ```
//!
//! | file         | what                                                             |
//! |--------------|------------------------------------------------------------------|
//! | `start.rs`   | the program and what it is started with                          |
//! | `link.rs`    | the host's end of the channel: requests out, replies in          |
//! | `births.rs`  | the shared memory: pids, gates, reports                          |
//! | `place.rs`   | where a number comes to stand, as a word of the registry         |
//! | `request.rs` | a request of the engine as one message                           |
//! | `wire.rs`    | what the messages look like; the program is built with it, too   |
//! | `program/`   | the program: no libc, no allocation, no file is read or written  |

mod births;
#[path = "program/kernel.rs"]
mod kernel;
mod link;
mod place;
mod request;
mod start;
mod wire;

#[cfg(test)]
mod tests;

pub use self::births::{Births, Fate, Gate};
pub use self::link::{Link, Refusal, Reply, Slot, prove};
pub use self::place::Place;
pub use self::request::Standing;
pub use self::start::{Outfit, prepare};
