//! A model of everything around the handoff's machines: kernel, applications, faults. The machines themselves are the real ones.
#![allow(dead_code)]

pub mod driver;
pub mod fifo;
pub mod invariants;
pub mod mutant;
pub mod product;
pub mod setup;
pub mod standing;
pub mod table;
pub mod trace;
pub mod world;
