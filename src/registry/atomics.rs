//! The atomics of this room under one name, so that the model can put loom's in their place.

pub use core::sync::atomic::{AtomicU64, Ordering, fence};
