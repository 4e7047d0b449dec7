//! NULL-terminated arrays of C strings, for `execve(2)`. How long they are is the caller's choice, so they are made fallibly.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use std::ffi::CString;
use std::sync::Arc;

use nix::errno::Errno;

use super::reserve;

/// An argument vector that holds its strings.
pub struct Array {
    pointers: Vec<*const c_char>,
    _strings: (CString, Arc<Vec<CString>>),
}

// SAFETY: the pointers lead into heap blocks that `_strings` holds a share of, which nobody can change.
unsafe impl Send for Array {}
// SAFETY: as above; nothing is written through them.
unsafe impl Sync for Array {}

impl Array {
    /// Takes the first string, and a share of the others.
    pub fn new(first: CString, rest: Arc<Vec<CString>>) -> Result<Self, Errno> {
        let strings = [&first].into_iter().chain(rest.iter());
        let pointers = reserve::list(strings.map(|s| s.as_ptr()).chain([core::ptr::null()]))?;
        Ok(Self { pointers, _strings: (first, rest) })
    }

    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// The same of many strings, copied one behind the other: so the kernel reads what an exec takes in one row.
pub struct Row {
    pointers: Vec<*const c_char>,
    _bytes: Vec<u8>,
}

// SAFETY: as for `Array`: the pointers lead into `_bytes`.
unsafe impl Send for Row {}
// SAFETY: as above.
unsafe impl Sync for Row {}

impl core::fmt::Debug for Row {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Row")
    }
}

impl Row {
    /// Copies them.
    pub fn of<'a>(strings: impl Iterator<Item = &'a CStr> + Clone) -> Result<Self, Errno> {
        let (count, length) = strings.clone().fold((1, 0), |(count, length), string| (count + 1, length + string.count_bytes() + 1));
        let (mut bytes, mut pointers) = (Vec::<u8>::new(), Vec::new());
        bytes.try_reserve_exact(length).map_err(|_| Errno::ENOMEM)?;
        pointers.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        for string in strings {
            // They stay there: the room was made for all of them.
            pointers.push(bytes.as_ptr().wrapping_add(bytes.len()).cast());
            bytes.extend_from_slice(string.to_bytes_with_nul());
        }
        debug_assert!(bytes.len() == length);
        pointers.push(core::ptr::null());
        Ok(Self { pointers, _bytes: bytes })
    }

    /// With the NULL behind them.
    pub(super) fn pointers(&self) -> &[*const c_char] {
        &self.pointers
    }
}

/// A copy of a string that may be long. What stands behind a NUL is lost.
pub fn copy(bytes: &[u8]) -> Result<CString, Errno> {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut text = Vec::new();
    text.try_reserve_exact(bytes.len() + 1).map_err(|_| Errno::ENOMEM)?;
    text.extend_from_slice(bytes);
    Ok(CString::new(text).unwrap_or_default())
}

/// Borrowed strings as an array of pointers without terminator.
pub(super) fn pointers(strings: &[CString]) -> Result<Vec<*const c_char>, Errno> {
    reserve::list(strings.iter().map(|s| s.as_ptr()))
}

/// A NULL-terminated list of pointers, borrowed from strings that outlive it.
pub struct List<'a> {
    pub(super) pointers: Vec<*const c_char>,
    pub(super) _life: PhantomData<&'a CStr>,
}

/// Room for a name with its `=`, and for the digits.
const OWN_PID: usize = 32;

/// The most that digits need: ten of them, and the NUL.
const DIGITS: usize = 11;

/// An entry `NAME=<pid>` of an environment, as LISTEN_PID of sd_listen_fds(3). Only the child knows its pid, so it writes the digits itself.
pub struct OwnPid {
    entry: Box<UnsafeCell<[u8; OWN_PID]>>,
    digits: usize,
}

/// The most of them that one child has: LISTEN_PID and WATCHDOG_PID.
pub const OWN_PIDS: usize = 2;

impl OwnPid {
    /// For a variable of this name, which is short.
    pub fn of(name: &'static str) -> Self {
        let (mut bytes, digits) = ([0; OWN_PID], name.len() + 1);
        assert!(digits + DIGITS <= OWN_PID, "{name} is too long a name");
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[name.len()] = b'=';
        Self { entry: Box::new(UnsafeCell::new(bytes)), digits }
    }

    pub(super) fn as_ptr(&self) -> *const c_char {
        self.entry.get().cast()
    }

    /// Where the digits go.
    pub(super) fn digits(&self) -> *mut u8 {
        self.entry.get().cast::<u8>().wrapping_add(self.digits)
    }
}
