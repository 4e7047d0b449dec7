//! Calls that have the same shape for every object: make it, change it, ask it, take an event from it, free it.
//!
//! The order is always this: the handle is checked, then the place for the answer, then the work is done, and what it came to is written
//! last. All pointers are valid or NULL by the C caller's contract.

use core::ffi::c_char;
use std::sync::Arc;

use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, acquire, call, quiet};
use super::handles::{self, Handled};
use super::{convert, ps_status};
use crate::error::Result;

/// A call that changes an object.
pub(super) fn change<T: Handled, P>(handle: *mut P, error: *mut *mut ps_error, change: impl FnOnce(&T) -> Result<()>) -> ps_status {
    call(error, || {
        let object: Arc<T> = convert::object(handle)?;
        change(&object).map(|()| PS_OK)
    })
}

/// A call that lets an object grow, or start something.
pub(super) fn grow<T: Handled, P>(handle: *mut P, error: *mut *mut ps_error, grow: impl FnOnce(&T) -> Result<()>) -> ps_status {
    acquire(error, || {
        let object: Arc<T> = convert::object(handle)?;
        grow(&object).map(|()| PS_OK)
    })
}

/// A call that asks an object for a value.
pub(super) fn value<T: Handled, P, V>(
    handle: *const P,
    name: &'static str,
    place: *mut V,
    error: *mut *mut ps_error,
    ask: impl FnOnce(&T) -> Result<V>,
) -> ps_status {
    call(error, || {
        let object: Arc<T> = convert::object(handle)?;
        put(name, place, || ask(&object))
    })
}

/// A call that asks an object for bytes, into the caller's buffer.
pub(super) fn bytes<T: Handled, P, B: AsRef<[u8]>>(
    handle: *const P,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
    ask: impl FnOnce(&T) -> Result<B>,
) -> ps_status {
    call(error, || {
        let object: Arc<T> = convert::object(handle)?;
        let bytes = ask(&object)?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[bytes.as_ref()], buf, cap, needed) }
    })
}

/// A call that takes an event from an object. `least`: how large the structure was in the first version.
/// `take` gets the size that the caller has set; a program that was compiled for fewer fields gets those.
pub(super) fn event<T: Handled, P, E>(
    handle: *mut P,
    event: *mut E,
    least: usize,
    error: *mut *mut ps_error,
    take: impl FnOnce(&T, u32) -> Result<Option<E>>,
) -> ps_status {
    structure(handle, "event", event, least, error, take)
}

/// The same of any structure that grows with the versions.
pub(super) fn structure<T: Handled, P, S>(
    handle: *const P,
    name: &'static str,
    place: *mut S,
    least: usize,
    error: *mut *mut ps_error,
    take: impl FnOnce(&T, u32) -> Result<Option<S>>,
) -> ps_status {
    call(error, || {
        let object: Arc<T> = convert::object(handle)?;
        let place = convert::out(name, place)?;
        // SAFETY: not null; every structure that crosses begins with its size, and the caller has set it.
        let size = unsafe { *place.cast::<u32>() };
        convert::size(name, size, least)?;
        let Some(taken) = take(&object, size)? else { return Ok(PS_PENDING) };
        let length = size_of::<S>().min(size as usize);
        // SAFETY: not null, and as large as its size says.
        unsafe { core::ptr::copy_nonoverlapping((&raw const taken).cast::<u8>(), place.cast::<u8>(), length) };
        Ok(PS_OK)
    })
}

/// The body of a call that makes an object: its handle goes to `place`.
pub(super) fn make<T: Handled, P>(name: &'static str, place: *mut *mut P, make: impl FnOnce() -> Result<T>) -> Result<ps_status> {
    put(name, place, || Ok(convert::to_pointer(handles::insert(Arc::new(make()?))?)))
}

/// The body of a call that answers a value: its place is checked before the work is done.
pub(super) fn put<V>(name: &'static str, place: *mut V, work: impl FnOnce() -> Result<V>) -> Result<ps_status> {
    let place = convert::out(name, place)?;
    let value = work()?;
    // SAFETY: not null, and valid by the caller's contract.
    unsafe { *place = value };
    Ok(PS_OK)
}

/// Frees a handle; `end` gets the object, unless it was none or free already.
pub(super) fn free<T: Handled, P>(handle: *mut P, end: impl FnOnce(Arc<T>)) {
    quiet(|| {
        if let Some(object) = handles::remove(handle.addr() as u64) {
            end(object);
        }
    });
}
