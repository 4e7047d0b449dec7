//! NULL-terminated arrays of C strings, for `execve(2)`.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use std::ffi::CString;

/// An argument vector that owns its strings.
pub struct Array {
    pointers: Vec<*const c_char>,
    _strings: Vec<CString>,
}

// SAFETY: the pointers lead into heap blocks that `_strings` owns and never changes.
unsafe impl Send for Array {}
// SAFETY: as above; nothing is written through them.
unsafe impl Sync for Array {}

impl Array {
    /// Takes the strings.
    pub fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([core::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }

    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// Borrowed strings as an array of pointers without terminator.
pub(super) fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|s| s.as_ptr()).collect()
}

/// A NULL-terminated list of pointers, borrowed from strings that outlive it.
pub struct List<'a> {
    pub(super) pointers: Vec<*const c_char>,
    pub(super) _life: PhantomData<&'a CStr>,
}

const LISTEN_PID: &[u8; 11] = b"LISTEN_PID=";

/// The entry `LISTEN_PID=<pid>` of sd_listen_fds(3). Only the child knows its pid, so it writes the digits itself.
pub struct ListenPid(Box<UnsafeCell<[u8; 24]>>);

impl Default for ListenPid {
    fn default() -> Self {
        let mut bytes = [0; 24];
        bytes[..LISTEN_PID.len()].copy_from_slice(LISTEN_PID);
        Self(Box::new(UnsafeCell::new(bytes)))
    }
}

impl ListenPid {
    pub(super) fn as_ptr(&self) -> *const c_char {
        self.0.get().cast()
    }

    /// Where the digits go: thirteen bytes of room, eleven needed.
    pub(super) fn digits(&self) -> *mut u8 {
        self.0.get().cast::<u8>().wrapping_add(LISTEN_PID.len())
    }
}
