//! Applications that are loaded once: workers that are started with a session, directly or through a preloader.
//!
//! It knows the supervisor by its face: what has to be waited for here is an *errand* of a supervisor, done within its looks.

mod client;
mod core;
pub mod direct;
pub mod face;
pub mod failure;
pub mod follow;
mod handshake;
pub mod journey;
mod keep;
#[allow(dead_code)] // Until what calls it is there.
pub mod native;
mod promise;
mod request;
pub mod session;
#[allow(dead_code)] // Until what calls it is there.
pub mod setup;
pub mod step;
mod visit;
pub mod worker;
