//! Our own protocol between a host and its preloader: requests by number over one channel, many in flight, and a gate for each worker.
//!
//! ```text
//!   host                              preloader                        newborn
//!    |-- FORK n, [worker's end, ..] --> |-- fork ---------------------> |
//!    |<------------- BORN n, [pidfd] -- |                               |
//!    |<----------------------------------------- HELLO (credentials) -- |  waits at its gate: the end of its own channel ends it
//!    |  proven, in the registry                                         |
//!    |-- GO, [streams] -----------------------------------------------> |  its first instruction of the application
//!    |<--------------------------------------------------------- READY -|
//! ```
//!
//! | file      | what                                                        |
//! |-----------|-------------------------------------------------------------|
//! | `wire.rs` | what is said                                                |
//! | `post.rs` | where a ready worker can still be spoken to                 |
//! | `inside/` | the side of the preloader and of its workers                |
//! | `host/`   | the side of the host: processes, births, pool, promotion    |

pub mod host;
pub mod inside;
pub mod post;
pub mod wire;
