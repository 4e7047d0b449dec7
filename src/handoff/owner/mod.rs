//! The owner: the generation that runs, on real descriptors.
//!
//! | file        | what                                                             |
//! |-------------|------------------------------------------------------------------|
//! | `side.rs`   | its machine: what an action does, and what a message is to it    |
//! | `offer.rs`  | what is sent, in parts; how an attempt begins                    |
//! | `keeper.rs` | the control path and the lock file are looked after           |
//! | `guests.rs` | the control path, and who comes there                            |
//! | `observers.rs` | those who watch this generation, and can help                 |
//! | `expected.rs` | the successor that one of them has started                     |
//! | `recording.rs` | what is written down of a handoff                             |

mod expected;
mod guests;
mod keeper;
mod observers;
mod offer;
mod recording;
mod side;

pub use side::OwnerSide;
