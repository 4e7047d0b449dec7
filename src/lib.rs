//! procsup owns processes for a server: it spawns them at the cost the kernel itself charges, knows how each one ended,
//! and leaves no grandchild, zombie or descriptor behind.
//!
//! This is the Rust face; the C face is `include/procsup.h`. Rooms, and who may call whom (arrows only point down):
//!
//! ```text
//! capi          every extern "C" function; handles; panic guard
//!   |
//! preloader     an application is loaded once, workers are forked from it
//! handoff       a running generation is replaced by the next
//!   |
//! supervisor    many children: events, timers, one pollable descriptor
//!   |
//! process       one child: command -> spawn -> running -> stopping -> exited
//!   |
//! registry      the process-global, signal-safe table of live children
//! channel       messages between two processes of ours
//!   |
//! sys           one small file per kernel facility; the only other home of `unsafe`
//! ```
//!
//! ```no_run
//! use procsup::{Command, Supervisor};
//!
//! let supervisor = Supervisor::new()?;
//! let mut command = Command::new("sleep")?;
//! command.arg("60")?;
//! let child = supervisor.spawn(&command, 0)?;
//! let exit = child.terminate(-1)?;
//! println!("{exit:?}");
//! # Ok::<(), procsup::Error>(())
//! ```
#![deny(unsafe_code)]

pub mod capi;
mod channel;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod coordination;
mod error;
pub mod handoff;
pub mod journey;
mod lock;
#[doc(hidden)]
pub mod preloader;
mod process;
mod registry;
mod report;
mod supervisor;
mod sys;

pub use error::{Error, Result, Status};
pub use handoff::Handoff;
#[doc(hidden)]
pub use process::adopt;
pub use process::child::{State, Tier as SpawnTier};
pub use process::command::{Command, Credentials, EnvBase, Restart, RestartWhen, Stdio};
pub use process::spawn::tier_name;
pub use process::{Line, Lost};
pub use registry::{Cause, Exit, Kind, signal_all};
pub use report::case::{Case, Category};
pub use report::dumps::Dumps;
pub use supervisor::{Event, EventKind, Managed, Once, Reason, Run, Supervisor, What, Why, kill_and_reap_all, live_count, spawn};
#[doc(hidden)]
pub use supervisor::{errands, restart, scheduler};
pub use sys::spawn::Isolation;
