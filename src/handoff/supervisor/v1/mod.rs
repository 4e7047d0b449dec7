//! Protocol v1: the three-party handoff of the crate `beyond-handoff`, spoken as its supervisor.

pub mod journal;
pub mod wire;
