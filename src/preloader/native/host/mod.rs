//! The host of a native preloader.
