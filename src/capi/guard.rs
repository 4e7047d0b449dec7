//! The boundary: no panic crosses it, no cancellation of the thread takes effect within it, and every failure becomes a status
//! and, if asked for, an error object.
//!
//! Where malloc fails, the reserve (`sys/reserve.rs`) is shared out here: who would take something for longer is refused first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::error::{ErrorObject, ps_error};
use super::{handles, ps_status};
use crate::error::{Error, Result, Status};
use crate::sys::thread::NotCancellable;
use crate::sys::{lockwatch, reserve};

pub(super) const PS_OK: ps_status = Status::Ok as ps_status;
pub(super) const PS_PENDING: ps_status = Status::Pending as ps_status;

/// Runs the body of a function that takes something for longer: it makes an object, or lets one grow. `error`: where the caller wants the
/// details, or null.
pub(super) fn acquire(error: *mut *mut ps_error, body: impl FnOnce() -> Result<ps_status>) -> ps_status {
    let mut body = Some(body);
    run(error, reserve::may_acquire, &mut || once(&mut body))
}

/// Runs the body of any other function that can fail.
pub(super) fn call(error: *mut *mut ps_error, body: impl FnOnce() -> Result<ps_status>) -> ps_status {
    let mut body = Some(body);
    run(error, || true, &mut || once(&mut body))
}

fn once(body: &mut Option<impl FnOnce() -> Result<ps_status>>) -> Result<ps_status> {
    body.take().map_or(Ok(PS_OK), |body| body())
}

/// As [`acquire`], and a part of the one function that uses it.
#[inline(always)]
pub(super) fn acquire_here(error: *mut *mut ps_error, body: impl FnOnce() -> Result<ps_status>) -> ps_status {
    run_here(error, reserve::may_acquire, body)
}

/// All that the functions have in common, and no part of them: there are more than two hundred.
#[inline(never)]
fn run(error: *mut *mut ps_error, may: fn() -> bool, body: &mut dyn FnMut() -> Result<ps_status>) -> ps_status {
    run_here(error, may, body)
}

#[inline(always)]
fn run_here(error: *mut *mut ps_error, may: impl FnOnce() -> bool, body: impl FnOnce() -> Result<ps_status>) -> ps_status {
    let _whole = NotCancellable::begin();
    if !reserve::may_observe() {
        return refused(error);
    }
    lockwatch::tidy();
    match catch_unwind(AssertUnwindSafe(|| if may() { body() } else { Err(reserve::out_of_memory(())) })) {
        Ok(Ok(status)) => status,
        Ok(Err(failed)) => failure(error, failed),
        Err(payload) => failure(error, panicked(payload.as_ref())),
    }
}

/// Answers it.
#[cold]
#[inline(never)]
fn failure(error: *mut *mut ps_error, failed: Error) -> ps_status {
    let status = failed.status as ps_status;
    if !error.is_null() {
        // Errors are kept by the caller: while memory is short all are the one that stands ready.
        let room = !reserve::is_short();
        let made = room.then(|| catch_unwind(AssertUnwindSafe(|| handles::insert(Arc::new(ErrorObject::new(failed))))));
        let handle = made.and_then(std::result::Result::ok).and_then(Result::ok).unwrap_or_else(handles::out_of_memory);
        // SAFETY: the caller gave a valid place for one pointer.
        unsafe { *error = super::convert::to_pointer(handle) };
    }
    status
}

/// Nothing is left that a call could take.
#[cold]
#[inline(never)]
fn refused(error: *mut *mut ps_error) -> ps_status {
    if !error.is_null() {
        // SAFETY: the caller gave a valid place for one pointer.
        unsafe { *error = super::convert::to_pointer(handles::out_of_memory()) };
    }
    Status::Limit as ps_status
}

/// Runs a function that has nothing to answer.
pub(super) fn quiet(body: impl FnOnce()) {
    let mut body = Some(body);
    run_quietly(&mut || {
        if let Some(body) = body.take() {
            body();
        }
    });
}

#[inline(never)]
fn run_quietly(body: &mut dyn FnMut()) {
    let _whole = NotCancellable::begin();
    let _ = catch_unwind(AssertUnwindSafe(body));
}

/// Runs a function that answers a plain value.
pub(super) fn value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

fn panicked(payload: &(dyn std::any::Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Error::new(Status::Internal, "panic", format!("internal error: {}", text.unwrap_or("no message")))
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: LAW-5
    #[test]
    fn law05_a_panic_becomes_a_status() {
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(call(std::ptr::null_mut(), || panic!("boom")), Status::Internal as i32);
        assert_eq!(value(7, || panic!("boom")), 7);
        quiet(|| panic!("boom"));
    }
}
