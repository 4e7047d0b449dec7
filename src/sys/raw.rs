//! System calls by hand, returning the kernel's own answer.
//!
//! Two places cannot use libc's wrappers, because those write `errno`, which lives in thread-local
//! storage: the child between clone and exec, which shares the parent's thread-local storage, and the calls
//! that a signal handler may make, where the interrupted code is about to read `errno`.

use nix::errno::Errno;

pub(super) use super::call::{syscall, syscall6};

/// The kernel's answer as a `Result`.
#[inline(always)]
pub(super) fn check(answer: isize) -> Result<usize, Errno> {
    if answer < 0 { Err(Errno::from_raw(-answer as i32)) } else { Ok(answer as usize) }
}
