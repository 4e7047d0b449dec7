//! The part of the library's `sys` that the program is built with, under the same names.

#[path = "../../../call.rs"]
mod call;

pub mod raw {
    pub(in crate::sys) use super::call::{syscall, syscall6};
}

#[path = "../wire.rs"]
pub mod wire;

#[path = "init.rs"]
pub mod init;
