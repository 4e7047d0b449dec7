//! Between C's values and ours.

use core::ffi::{CStr, c_char};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::guard::PS_OK;
use super::handles::{self, Handled};
use super::ps_status;
use crate::error::{Error, Result, Status};
use std::sync::Arc;

use strum::VariantNames;

/// A handle as the pointer that C holds.
pub(super) fn to_pointer<T>(handle: u64) -> *mut T {
    core::ptr::without_provenance_mut(handle as usize)
}

/// The object behind a pointer that C gave.
pub(super) fn object<T: Handled, P>(pointer: *const P) -> Result<Arc<T>> {
    handles::get(pointer.addr() as u64)
}

/// A string argument.
///
/// # Safety
/// `at` is null or a NUL-terminated string that outlives the answer.
pub(super) unsafe fn string<'a>(name: &'static str, at: *const c_char) -> Result<&'a CStr> {
    // SAFETY: the caller vouches for it.
    unsafe { optional(at) }.ok_or_else(|| null(name))
}

/// A string argument that may be NULL.
///
/// # Safety
/// As for [`string`].
pub(super) unsafe fn optional<'a>(at: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller vouches for it.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) })
}

/// The bytes of a string that comes with its length: what holds a NUL is refused, for it would be cut there.
///
/// # Safety
/// `at` is null or has `len` bytes, which outlive the answer.
pub(super) unsafe fn counted<'a>(name: &'static str, at: *const c_char, len: usize) -> Result<&'a OsStr> {
    // SAFETY: the caller vouches for it.
    let bytes = unsafe { slice(name, at.cast::<u8>(), len) }?;
    match memchr::memchr(0, bytes) {
        None => Ok(OsStr::from_bytes(bytes)),
        Some(offset) => Err(Error::invalid(name, format!("{name}: the string holds a NUL byte, at offset {offset}"))),
    }
}

/// The strings of a NULL-terminated array.
///
/// # Safety
/// `at` is null, or such an array, and it and its strings, each NUL-terminated, outlive the answer.
pub(super) unsafe fn strings<'a>(name: &'static str, at: *const *const c_char) -> Result<impl Iterator<Item = &'a CStr>> {
    let mut at = out(name, at.cast_mut())?.cast_const();
    Ok(core::iter::from_fn(move || {
        // SAFETY: the caller vouches for it; nothing behind the NULL is looked at.
        let next = unsafe { optional(*at) }?;
        at = at.wrapping_add(1);
        Some(next)
    }))
}

/// Checks an out parameter before any work is done.
pub(super) fn out<T>(name: &'static str, at: *mut T) -> Result<*mut T> {
    if at.is_null() { Err(null(name)) } else { Ok(at) }
}

#[cold]
#[inline(never)]
fn null(name: &'static str) -> Error {
    Error::invalid(name, format!("{name} is NULL"))
}

/// No structure of any version is larger: what says that it is has not been filled in.
const LARGEST: usize = 4096;

/// Checks the size field of a structure that the caller gave.
pub(super) fn size(name: &'static str, given: u32, needed: usize) -> Result<()> {
    if (needed..=LARGEST).contains(&(given as usize)) { Ok(()) } else { Err(wrong_size(name, given, needed)) }
}

#[cold]
#[inline(never)]
fn wrong_size(name: &'static str, given: u32, needed: usize) -> Error {
    let wrong = if (given as usize) < needed {
        format!("at least {needed} bytes are needed")
    } else {
        format!("no structure has more than {LARGEST} bytes")
    };
    Error::invalid(name, format!("{name}->size is {given}, and {wrong}: set it to sizeof of the structure"))
}

/// Whether bytes are copied out: caller's buffer, needed length, which is told in any case. NULL and 0 ask only for that.
///
/// # Safety
/// `needed` is null or valid.
pub(super) unsafe fn is_room(length: usize, buffer: *mut c_char, capacity: usize, needed: *mut usize) -> Result<bool> {
    if buffer.is_null() && capacity > 0 {
        return Err(Error::invalid("buf", format!("buf is NULL, and cap is {capacity}")));
    }
    if buffer.is_null() && needed.is_null() {
        return Err(Error::invalid("buf", "neither a buffer nor a place for the length was given"));
    }
    if !needed.is_null() {
        // SAFETY: the caller vouches for it.
        unsafe { *needed = length };
    }
    if !buffer.is_null() && length > capacity {
        return Err(Error::new(Status::Limit, "buf", format!("the buffer has {capacity} bytes, {length} are needed")));
    }
    Ok(!buffer.is_null())
}

/// Copies bytes out, if there is room.
///
/// # Safety
/// `buffer` is null or has room for `capacity` bytes; `needed` is null or valid.
pub(super) unsafe fn copy_out(pieces: &[&[u8]], buffer: *mut c_char, capacity: usize, needed: *mut usize) -> Result<ps_status> {
    let length = pieces.iter().map(|piece| piece.len()).sum();
    // SAFETY: the caller vouches for it.
    if !unsafe { is_room(length, buffer, capacity, needed) }? {
        return Ok(PS_OK);
    }
    let mut at = buffer.cast::<u8>();
    for piece in pieces {
        // SAFETY: all pieces together are no longer than the room in `buffer`.
        unsafe { core::ptr::copy_nonoverlapping(piece.as_ptr(), at, piece.len()) };
        at = at.wrapping_add(piece.len());
    }
    Ok(PS_OK)
}

/// Bytes that the caller lends: where and how many. `None`: there are none.
///
/// # Safety
/// `at` is null or has `count` elements, which outlive the answer.
pub(super) unsafe fn slice<'a, T>(name: &'static str, at: *const T, count: usize) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if at.is_null() {
        return Err(null(name));
    }
    // No object is larger; a negative number looks like this.
    if count > isize::MAX as usize / size_of::<T>() {
        return Err(Error::invalid(name, format!("{name}: a length of {count} is more than there can be")));
    }
    // SAFETY: not null, no larger than an object can be, and as long as the caller says.
    Ok(unsafe { core::slice::from_raw_parts(at, count) })
}

/// A boolean argument: 0 or 1.
pub(super) fn flag(name: &'static str, value: i32) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::invalid(name, format!("{name} is {other}, and must be 0 or 1"))),
    }
}

/// A number that is the name of a choice; `known` is the enum's own `from_repr`.
pub(super) fn choice<T: VariantNames>(name: &'static str, value: i32, known: impl Fn(i32) -> Option<T>) -> Result<T> {
    known(value).ok_or_else(|| no_choice(name, value, T::VARIANTS))
}

#[cold]
#[inline(never)]
fn no_choice(name: &'static str, value: i32, known: &[&str]) -> Error {
    Error::invalid(name, format!("{name} is {value}, and must be one of {}", known.join(", ")))
}
