//! The instruction of a system call, and nothing else of a library or a language: the program of `spawner/` is built with it, too.

use core::arch::asm;

/// One system call with up to six arguments. The answer is the kernel's: negative values are `-errno`.
///
/// # Safety
/// The arguments must be what the numbered call expects; memory it reads or writes must be valid for that.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(in crate::sys) unsafe fn syscall6(nr: libc::c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    let answer: isize;
    // SAFETY: the caller vouches for the arguments; `syscall` changes nothing but rax, rcx, r11 and memory it was given.
    unsafe {
        asm!("syscall", inlateout("rax") nr as isize => answer,
             in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
             lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    answer
}

/// One system call with up to six arguments. The answer is the kernel's: negative values are `-errno`.
///
/// # Safety
/// The arguments must be what the numbered call expects; memory it reads or writes must be valid for that.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(in crate::sys) unsafe fn syscall6(nr: libc::c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize {
    let answer: isize;
    // SAFETY: the caller vouches for the arguments; `svc 0` changes nothing but x0 and memory it was given.
    unsafe {
        asm!("svc 0", in("x8") nr, inlateout("x0") a as isize => answer,
             in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f, options(nostack));
    }
    answer
}

/// `syscall6` with trailing zeros; see there for the safety contract.
macro_rules! syscall {
    ($nr:expr) => { $crate::sys::raw::syscall6($nr, 0, 0, 0, 0, 0, 0) };
    ($nr:expr, $a:expr) => { $crate::sys::raw::syscall6($nr, $a as usize, 0, 0, 0, 0, 0) };
    ($nr:expr, $a:expr, $b:expr) => { $crate::sys::raw::syscall6($nr, $a as usize, $b as usize, 0, 0, 0, 0) };
    ($nr:expr, $a:expr, $b:expr, $c:expr) => { $crate::sys::raw::syscall6($nr, $a as usize, $b as usize, $c as usize, 0, 0, 0) };
    ($nr:expr, $a:expr, $b:expr, $c:expr, $d:expr) => {
        $crate::sys::raw::syscall6($nr, $a as usize, $b as usize, $c as usize, $d as usize, 0, 0)
    };
    ($nr:expr, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => {
        $crate::sys::raw::syscall6($nr, $a as usize, $b as usize, $c as usize, $d as usize, $e as usize, 0)
    };
}
pub(in crate::sys) use syscall;
