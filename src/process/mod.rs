//! One process: command -> spawn -> running -> stopping -> exited; also processes that are not our children.
//!
//! The race that shapes this room: a process ends whenever it likes, and anybody in the host may be the one to notice: a thread that waits,
//! the supervisor's pump, kill-all in a signal handler, or the host itself by mistake. So how it ended is state in a slot of the registry,
//! there is one place that turns it into the record of a child and releases what the child owned (`Child::settle`), and that
//! place is entered once.
//!
//! | file                                     | what                                                        |
//! |------------------------------------------|-------------------------------------------------------------|
//! | `command/`                               | what shall run, and how; checked where it is said           |
//! | `spawn.rs`                               | a command becomes a child: the recipe                       |
//! | `pipeline.rs`                            | several that read from each other: all of them, or none     |
//! | `adopt.rs`                               | a process that another has made for us becomes a child      |
//! | `awaited.rs`                             | a child that a spawner makes, until its program has begun   |
//! | `descriptors.rs` `map.rs`                | which descriptors it gets: plan, map, park                  |
//! | `environment.rs` `path.rs`               | its environment; where its program lies                     |
//! | `quote.rs`                               | words for a shell (pure)                                    |
//! | `systemd.rs`                             | the conventions by which descriptors are handed over        |
//! | `child/`                                 | its life: signals and stop plan, end and release, waits     |
//! | `stop.rs`                                | the ladder as a pure machine                                |
//! | `scope.rs`                               | whom its signals reach                                      |
//! | `terminal.rs`                            | our end of its terminal; the host's own, lent to it         |
//! | `stops.rs`                               | stopped or not: what is told of it, pure                    |
//! | `foreign.rs`                             | a process that is not, or no longer, our child              |
//! | `lasting.rs`                             | its identity, for who comes after us                        |
//! | `output/`                                | what it says and is told: pipes, lines, file, input         |
//! | `belongings.rs` `sandbox.rs` `cgroup.rs` | what it owns, and how that is released                      |
//! | `leftovers.rs`                           | what of that could not be removed yet                       |
//! | `lineage.rs`                             | whose descendant an orphan is                               |
//!
//! Letting go has one verb for each thing:
//!
//! | verb      | of                                      | means                                                                      |
//! |-----------|-----------------------------------------|----------------------------------------------------------------------------|
//! | release   | what a child owned                      | once, after its end (`Resources::release`)                                 |
//! | give back | belongings, to their command            | the child was never made, or the call that has made it fails all the same  |
//! | close     | a descriptor                            |                                                                            |
//! | remove    | a file, a directory, a control group    | what cannot go yet is tried again                                          |
//! | discard   | an output file                          | it is not put in place                                                     |
//! | reap      | a zombie                                | takes its status; `bury` is the same of one that failed before its exec    |
//! | retire    | a slot of the registry                  | its child was reaped, or never made; the next use has another generation   |
//! | disown    | a child that lives                      | nobody here stops, sweeps or reaps it any more                             |

#[allow(dead_code)]
pub mod adopt;
pub mod awaited;
pub mod belongings;
pub mod cgroup;
pub mod child;
pub mod command;
pub mod descriptors;
mod environment;
pub mod foreign;
#[allow(dead_code)]
pub mod lasting;
pub mod leftovers;
pub mod lineage;
pub mod map;
pub mod output;
pub mod path;
pub mod pipeline;
pub mod quote;
pub mod sandbox;
mod scope;
pub mod spawn;
pub mod stop;
pub mod stops;
pub mod systemd;
pub mod terminal;

pub use output::{Line, Lines, Lost};
