//! The host of a native preloader.

pub mod machine;
