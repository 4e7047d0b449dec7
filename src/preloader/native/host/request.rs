//! One worker that was asked for.

/// Of a native preloader.
pub type Request = crate::preloader::request::Request<super::work::Work>;
