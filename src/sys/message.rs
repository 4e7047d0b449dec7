//! The head of a message: what sendmsg(2) and recvmsg(2) are told.
//!
//! The trap: its fields are not the same everywhere. In musl the two lengths have 32 bits, and beside them is room that has no name; the kernel, which is
//! asked without the C library here, reads 64 bits. So all of it is zero before something is filled in.

use core::ffi::c_void;

/// Of these parts, with so much room for what goes beside them.
#[inline(always)]
#[allow(clippy::unnecessary_cast)]
pub fn header(parts: &mut [libc::iovec], control: *mut c_void, length: usize) -> libc::msghdr {
    // SAFETY: numbers and null pointers, for which zeros are a value.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    (header.msg_iov, header.msg_iovlen) = (parts.as_mut_ptr(), parts.len() as _);
    (header.msg_control, header.msg_controllen) = (control, length as _);
    header
}
