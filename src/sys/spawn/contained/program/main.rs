//! The program of a contained child's init (`init.rs`), without libc. Built by build.rs; never part of the library's own code.
#![no_std]
#![no_main]
#![allow(unsafe_code, dead_code, unused_imports, unused_macros)]

#[path = "../../../spawner/program/bare.rs"]
mod bare;
mod sys;

/// For the panic handler.
fn give_up() -> ! {
    sys::init::exit(70)
}

/// Runs on the stack that the kernel gave. Never returns.
unsafe extern "C" fn main(stack: *const *const u8) -> ! {
    // SAFETY: this is where the kernel has put argc and argv, and this is the only thread.
    unsafe { sys::init::live(stack) }
}
