//! Which protocol is which way.

use super::native::Native;
use super::notify::Notify;
use super::settings::{Protocol, Settings};
use super::v1::V1;
use super::way::Way;
use crate::error::Result;

/// The way of this protocol. One line for each.
pub fn of(settings: &Settings) -> Result<Box<dyn Way>> {
    match settings.protocol {
        Protocol::Native => Ok(Box::new(Native::new(settings)?)),
        Protocol::Notify => Ok(Box::new(Notify::new(settings))),
        Protocol::V1 => Ok(Box::new(V1::new(settings)?)),
    }
}
