//! The supervisor beside owner and successor: the product of the three machines, each of them the real one. What is between owner and successor is
//! `model/`, unchanged; here is what the supervisor adds: its own process, which may die between any two steps and comes again, the channel of an
//! observer, what it knows by pidfds, by the page and by the lock, and what it does to a child (spawn, SIGSTOP, look, SIGKILL, SIGCONT: each a step of
//! its own).
//!
//! What the model asks of the real driver (`supervisor/native/`, `owner/expected.rs`), beside R1 to R9 of `model/driver.rs`:
//! - T1: what has been heard counts before a death, and both before a deadline.
//! - T2: an owner hears its observers before it takes a guest's greeting; in the gap it neither hears nor tells them.
//! - T3: who is killed was stopped before the word was looked at.
//! - T4: a process that the owner's death has left without an offer looks for the lock again, and then is a first generation.
//! - T5: the end of an observer's channel ends what that one has expected.
#![allow(dead_code)]

pub mod acts;
pub mod choices;
pub mod laws;
pub mod mutant;
pub mod outcomes;
pub mod owner_side;
pub mod world;
