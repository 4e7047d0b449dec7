//! One small file per kernel facility: safe wrappers, with the man page named. Nothing here knows what a supervisor is.
//!
//! `unsafe` lives here and in `capi`, nowhere else; each block says in one sentence why it holds.
#![allow(unsafe_code)]

mod call;
pub mod cgroup;
pub mod collapse;
pub mod connect;
pub mod counts;
pub mod cstr;
pub mod custody;
pub mod datagram;
pub mod directory;
pub mod environ;
mod fault;
pub mod fds;
pub mod foreign_file;
pub mod fork;
pub mod forklock;
pub mod identity;
pub mod landlock;
pub mod listing;
pub mod lockfile;
pub mod lockwatch;
pub mod memfd;
pub mod memory;
mod message;
pub mod oom;
pub mod outlet;
pub mod pidfd;
pub mod poll;
pub mod prefault;
pub mod processor;
pub mod procfs;
pub mod procline;
pub mod pty;
pub mod random;
mod raw;
pub mod reactor;
#[cfg_attr(not(feature = "reserve"), allow(dead_code))]
pub mod reserve;
pub mod shared;
pub mod signal;
pub mod sock_diag;
pub mod socket;
pub mod spawn;
#[allow(dead_code, unused_imports)]
pub mod spawner;
pub mod stopped;
pub mod stranger;
#[allow(dead_code)]
pub mod stream;
pub mod thread;
pub mod threads;
pub mod tree;
pub mod wait;
pub mod watch;

pub use fault::Fault;

/// The number of the calling thread's process. Never cached: a forked host has another one. (By hand: a process that has just been forked pays for each
/// page that it touches.)
pub fn getpid() -> i32 {
    // SAFETY: no arguments.
    unsafe { raw::syscall!(libc::SYS_getpid) as i32 }
}
