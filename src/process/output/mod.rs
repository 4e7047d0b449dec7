//! What a child says and is told.
//!
//! The trap that all of them avoid: a pipe is a queue with two ends, and whoever waits at the wrong one waits for ever. So pipes are drained in
//! every wait and never waited for; and where nobody needs to see the bytes while they flow, there is a file and no pipe.
//!
//! | file       | what                                                     |
//! |------------|----------------------------------------------------------|
//! | `pipes.rs` | what it says through pipes: kept, or line by line        |
//! | `kept.rs`  | the first or the last bytes, and how many are missing    |
//! | `said.rs`  | all that it has said, once it is over                    |
//! | `lines.rs` | a stream cut into lines (pure)                           |
//! | `file.rs`  | output to a file that nobody sees before it is complete  |
//! | `input.rs` | standard input from memory                               |
//! | `feed.rs`  | standard input that is fed while the child runs          |

pub mod feed;
pub mod file;
pub mod input;
mod kept;
mod lines;
mod pipes;
mod said;

pub use self::kept::{End, Keep, Kept, tail};
pub use self::lines::{Cut, Line, Lines, Lost};
pub use self::pipes::{Drained, Output};
pub use self::said::Said;
