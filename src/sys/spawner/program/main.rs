//! The program of a spawner: requests come from a channel, children go to the host.
//!
//! The trap: whatever it leaves behind belongs to the host. So it opens nothing, writes nothing, and ends as soon as the host has ended or has let
//! go of the channel; and each child that is on its way then finds its gate barred.
//!
//! ```text
//!   main thread:   starts the first worker, then waits for the end of the channel or of the host: bars all gates, exits
//!   each worker:   receive a request --> clone(VFORK): suspended until exec or exit --> reply --> receive
//!                  (the last idle one that gets a request starts another worker first, up to a bound)
//! ```
//!
//! A hanging exec so holds up one worker and nothing else. There is no libc and no allocation: each worker's stack, its child's stack and its request
//! are memory of the program (`worker.rs`). Built by build.rs; never part of the library's own code, but its rules between clone and exec are the
//! very files of the engine (`spawn/child.rs`, `orders.rs`, `shim.rs`, `birth.rs`).
#![no_std]
#![no_main]
#![allow(unsafe_code, dead_code, unused_imports, unused_macros)]

mod bare;
mod sys;

/// For the panic handler.
fn give_up() -> ! {
    sys::spawn::worker::exit(70)
}

/// Runs on the stack that the kernel gave. Never returns.
unsafe extern "C" fn main() -> ! {
    // SAFETY: the numbers are those that a spawner starts with, and this is its only thread.
    unsafe { sys::spawn::worker::begin() }
}
