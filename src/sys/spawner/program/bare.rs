//! What a program needs that has no libc: its first instructions (`main` is given the stack as the kernel left it), and the three functions that
//! compiled code calls by itself.

use core::arch::naked_asm;

#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {main}", "ud2", main = sym super::main)
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!("mov x29, #0", "mov x30, #0", "mov x0, sp", "bl {main}", "brk #1", main = sym super::main)
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    crate::give_up()
}

/// Rust's own library was built to unwind, and may name this; nothing here unwinds.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    let mut i = 0;
    while i < count {
        // SAFETY: the caller has `count` bytes at both places. Volatile: or the loop would be compiled to a call of itself.
        unsafe { to.add(i).write_volatile(from.add(i).read_volatile()) };
        i += 1;
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    let mut i = 0;
    while i < count {
        // SAFETY: as above.
        unsafe { to.add(i).write_volatile(byte as u8) };
        i += 1;
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
    let mut i = 0;
    while i < count {
        // SAFETY: as above.
        let (a, b) = unsafe { (one.add(i).read_volatile(), other.add(i).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
        i += 1;
    }
    0
}
