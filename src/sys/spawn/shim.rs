//! The few instructions around `clone3(2)` and `clone(2)` that no compiled language can express.
//!
//! A function that calls `clone` with a new stack "returns twice" on two stacks, which is undefined behaviour in C and
//! Rust alike. These shims never return in the child: it jumps straight into `entry(arg)`. `entry` and `arg` travel in
//! registers, not on the new stack, because emulators that turn the call into a plain fork (valgrind) keep the old stack.

use core::arch::naked_asm;
use core::ffi::c_void;

/// What the child runs. Must not return, unwind, allocate, lock, or use thread-local storage.
pub(super) type Entry = unsafe extern "C" fn(*mut c_void) -> !;

/// `clone3(args, size)`; the child continues in `entry(arg)` on the stack that `args` names.
///
/// # Safety
/// `args` must be a valid `clone_args` of `size` bytes, and if it asks for `CLONE_VM`, also for `CLONE_VFORK`, with a
/// stack that is big enough for `entry`, and `arg` valid until the child has executed or ended.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn clone3(args: *const CloneArgs, size: usize, entry: Entry, arg: *mut c_void) -> isize {
    // rcx and r11 are lost in a system call: `arg` moves to r8. rdx keeps `entry`.
    naked_asm!(
        "mov r8, rcx",
        "mov eax, 435",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2: xor ebp, ebp",
        "and rsp, -16",
        "mov rdi, r8",
        "call rdx",
        "ud2",
    )
}

/// `clone(flags, stack, parent_tid, child_tid)`; the child continues in `entry(arg)`.
///
/// # Safety
/// As for [`clone3`]; the two id pointers must be valid where the flags use them.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn clone(
    flags: usize,
    stack: *mut c_void,
    parent_tid: *mut i32,
    child_tid: *mut i32,
    entry: Entry,
    arg: *mut c_void,
) -> isize {
    // The fifth argument of the system call (tls, r8) is read only with CLONE_SETTLS: it may keep `entry`.
    naked_asm!(
        "mov r10, rcx",
        "mov eax, 56",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        "2: xor ebp, ebp",
        "and rsp, -16",
        "mov rdi, r9",
        "call r8",
        "ud2",
    )
}

/// `clone3(args, size)`; the child continues in `entry(arg)` on the stack that `args` names.
///
/// # Safety
/// As on x86_64.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn clone3(args: *const CloneArgs, size: usize, entry: Entry, arg: *mut c_void) -> isize {
    // A system call changes x0 only: x2 and x3 keep `entry` and `arg`.
    naked_asm!("mov x8, #435", "svc #0", "cbz x0, 2f", "ret", "2: mov x29, #0", "mov x30, #0", "mov x0, x3", "blr x2", "brk #1",)
}

/// `clone(flags, stack, parent_tid, tls, child_tid)`; the child continues in `entry(arg)`.
///
/// # Safety
/// As on x86_64.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn clone(
    flags: usize,
    stack: *mut c_void,
    parent_tid: *mut i32,
    child_tid: *mut i32,
    entry: Entry,
    arg: *mut c_void,
) -> isize {
    // This architecture passes tls fourth and child_tid fifth.
    naked_asm!(
        "mov x6, x4",
        "mov x4, x3",
        "mov x3, #0",
        "mov x8, #220",
        "svc #0",
        "cbz x0, 2f",
        "ret",
        "2: mov x29, #0",
        "mov x30, #0",
        "mov x0, x5",
        "blr x6",
        "brk #1",
    )
}

/// A handler that touches nothing, for a moment in which a signal must not do what it does by default.
#[unsafe(naked)]
pub(super) extern "C" fn nothing() {
    naked_asm!("ret")
}

/// Where such a handler returns to: rt_sigreturn(2). Nobody calls it.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(super) extern "C" fn after_nothing() {
    naked_asm!("mov eax, 15", "syscall", "ud2")
}

/// As on x86_64.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(super) extern "C" fn after_nothing() {
    naked_asm!("mov x8, #139", "svc #0", "brk #1")
}

/// `struct clone_args` of clone3(2), version 2 (88 bytes, Linux 5.7).
#[repr(C)]
#[derive(Default)]
pub(super) struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}
