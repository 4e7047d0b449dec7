//! One child: command -> spawn -> running -> stopping -> exited.
//!
//! | file             | what                                                     |
//! |------------------|----------------------------------------------------------|
//! | `command/`       | what shall run, and how; checked where it is said        |
//! | `spawn.rs`       | a command becomes a child                                |
//! | `child.rs`       | its life: signals, stop ladder, reap, release            |
//! | `foreign.rs`     | a process that is not, or no longer, our child           |
//! | `stop.rs`        | the ladder as a pure machine                             |
//! | `descriptors.rs` | which descriptors it gets: a pure plan                   |
//! | `environment.rs` `path.rs` | its environment; where its program lies        |
//! | `output.rs` `lines.rs`     | what it says through pipes                     |
//! | `outfile.rs` `input.rs`    | what it says into a file; what it is told      |
//! | `systemd.rs`               | the conventions by which descriptors are handed over |
//! | `lineage.rs`               | whose descendant an orphan is                  |
//! | `belongings.rs` `sandbox.rs` `cgroup.rs` | what it owns, and how that is released |

pub mod belongings;
pub mod cgroup;
pub mod child;
pub mod command;
pub mod descriptors;
mod environment;
pub mod foreign;
mod input;
pub mod lineage;
mod lines;
mod outfile;
pub mod output;
pub mod path;
pub mod sandbox;
pub mod spawn;
pub mod stop;
mod systemd;

pub use lines::Line;
