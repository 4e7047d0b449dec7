//! The successor: the generation that is to come, on real descriptors.
//!
//! | file       | what                                                              |
//! |------------|-------------------------------------------------------------------|
//! | `side.rs`  | its machine: what an action does, and what a message is to it     |
//! | `store.rs` | what comes: the terms, who the owner is, and descriptors to places |
//! | `recording.rs` | what is written down of the handoff                         |

mod recording;
mod side;
mod store;

pub use side::SuccessorSide;
