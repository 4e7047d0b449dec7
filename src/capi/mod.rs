//! The C face: every `extern "C"` function, one file per object. No logic: conversions, handles, the panic guard.
//!
//! Conventions (the header's opening comment says them to C programmers):
//! - every function that can fail goes through `guard::call`, which catches panics and makes the error object;
//! - handles are ids, checked by `handles`, never addresses;
//! - out parameters are written last, and only on success;
//! - each pointer argument is checked for NULL where the function reads it.
#![allow(unsafe_code)]
#![allow(non_camel_case_types)]
// The safety contracts of all functions are those of their C documentation: valid pointers or NULL.
#![allow(clippy::missing_safety_doc)]

pub mod all;
pub mod budget;
pub mod child;
pub mod command;
pub mod command_credentials;
pub mod command_inheritance;
pub mod command_landlock;
pub mod command_processors;
pub mod command_scope;
pub mod error;
pub mod handoff;
pub mod handoff_supervisor;
pub mod names;
mod objects;
pub mod once;
pub mod outcome;
pub mod preload;
pub mod preloader;
pub mod readiness;
pub mod run;
pub mod service;
pub mod spawn_lock;
pub mod supervisor;
pub mod terminal;
pub mod version;
pub mod worker;

mod convert;
#[cfg(test)]
mod enums;
mod guard;
mod handles;
mod shapes;
mod striped;

pub use error::ps_status;
