//! `ps_budget`: how often something may be started.

use core::ffi::c_char;

use super::error::ps_error;
use super::guard::{PS_OK, acquire, call};
use super::{convert, ps_status, shapes};
use crate::coordination::budget::{Budget, Permit, Refusal, Stale, millis};
use crate::error::{Error, Result, Status};

/// A budget: how often each of any number of keys may be started.
pub struct ps_budget {
    _private: [u8; 0],
}

/// Makes a budget: so many attempts per key in a window. The window of a key begins with the first attempt
/// that is counted in it, and is over when `window_ms` have passed since (that moment included); then nothing
/// is counted any more. It costs no thread and no descriptor. Never blocks.
///
/// @param max_attempts  0: 3
/// @param window_ms     0: 30 000, 30 seconds
/// @param budget        receives the handle; free it with ps_budget_free
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if `window_ms` is negative
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_new(
    max_attempts: u32,
    window_ms: i64,
    budget: *mut *mut ps_budget,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || shapes::make("budget", budget, || Budget::new(max_attempts, window_ms)))
}

/// Frees a budget. Commands that are bound to it go on with it; another thread that is in a call with it ends
/// that call. Its permits are worth nothing any more. NULL and a freed budget do nothing. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_free(budget: *mut ps_budget) {
    shapes::free(budget, |_: std::sync::Arc<Budget>| ());
}

/// How long a permit is valid that nobody finishes: then the start that it stood for counts as failed, the
/// permit is stale, and the next one may begin. It should be longer than the longest start. It holds for the
/// permits that are given from now on; not for those of commands that are bound to the budget: these end when
/// their child is ready or dead. Never blocks.
///
/// @param ms  milliseconds from ps_budget_begin on; 0: 60 000, the default; -1: for ever (then
///            ps_budget_reset is what frees a permit that was abandoned)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_set_lease(budget: *mut ps_budget, ms: i64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(budget, error, |object: &Budget| object.set_lease(ms))
}

/// How long what was started must stay up before its success counts, that is, before the attempts of its key
/// are forgotten: who is ready and dead at once has failed. It holds for the finishes that come. Never
/// blocks.
///
/// Between ps_budget_finish(budget, permit, 1) and that moment the key has nothing in flight, and its
/// attempts still count. If what was started ends within that time, say so: ps_budget_finish(budget, permit,
/// 0), with the same permit. Who says nothing and begins again, whether that is granted or not, has said the
/// same.
///
/// @param ms  milliseconds; 0: a success counts at once. Default: 0 for permits, 1000 for the commands that
///            are bound to the budget
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_set_healthy(budget: *mut ps_budget, ms: i64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(budget, error, |object: &Budget| object.set_healthy(ms))
}

/// Asks for the permit to start what a key stands for. It is an attempt, whatever becomes of it. Report what
/// came of it with ps_budget_finish; until then, or the end of its lease (ps_budget_set_lease), nobody else
/// gets a permit for this key, also not when the window is over. Never blocks.
///
/// @param key     what is started, in your words: say all that makes it another thing (service, version,
///                hash of the executable). Any bytes but NUL, 4096 at most; copied
/// @param permit  receives the permit: a number that no budget of this process gives a second time; never 0
/// @return PS_OK; PS_ERR_IN_PROGRESS if a permit of the key is out (looked at first, and no attempt):
///         ps_error_retry_after_ms says when its lease ends, -1 if it has none; PS_ERR_BUDGET_EXHAUSTED if
///         the attempts of the window are used: ps_error_retry_after_ms says when the window is over, and
///         ps_error_is_storm is 1 at the first such refusal in a window, for what is to be done once;
///         PS_ERR_INVALID_ARGUMENT if the key is too long; PS_ERR_LIMIT if memory is short, or the keys that
///         are in use take 256 MiB already (one takes some 200 bytes and its text; it is dropped when its
///         window is over and nothing of it in flight)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_begin(
    budget: *mut ps_budget,
    key: *const c_char,
    permit: *mut u64,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let object = convert::object::<Budget, _>(budget)?;
        // SAFETY: a NUL-terminated string or null by the caller's contract.
        let key = unsafe { convert::string("key", key) }?.to_bytes();
        shapes::put("permit", permit, || object.begin(key).map(|permit| permit.0).map_err(|refused: Refusal| refused.into_error(key)))
    })
}

/// Says what came of a start: once for each permit. A success makes the key as if it had never been tried, at
/// once or when it has lasted (ps_budget_set_healthy); a failure leaves its attempts counted, and ends what
/// is in flight. Never blocks.
///
/// @param permit     from ps_budget_begin of this budget
/// @param succeeded  1: it was launched and verified; 0: it was not, or has ended within the time of
///                   ps_budget_set_healthy
/// @return PS_OK; PS_ERR_STATE, and nothing is changed, if the permit is stale: finished before, its lease
///         over, reset, or none of this budget
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_finish(budget: *mut ps_budget, permit: u64, succeeded: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(budget, error, |object: &Budget| {
        let succeeded = convert::flag("succeeded", succeeded)?;
        let stale = |Stale| {
            let text = format!(
                "permit {permit} is stale: it was finished before, its lease is over, its key was reset, or it is none of this budget"
            );
            Error::new(Status::State, "permit", text)
        };
        object.finish(Permit(permit), succeeded).map_err(stale)
    })
}

/// Makes a key as if it had never been tried: for an operator who has mended what was broken and starts it by
/// hand. The permit that may be out is stale then. Never blocks.
///
/// @param key  one that nobody knows is fine
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the key is too long
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_reset(budget: *mut ps_budget, key: *const c_char, error: *mut *mut ps_error) -> ps_status {
    shapes::change(budget, error, |object: &Budget| {
        // SAFETY: a NUL-terminated string or null by the caller's contract.
        object.reset(unsafe { convert::string("key", key) }?.to_bytes())
    })
}

/// How a key of a budget looks.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_budget_state {
    /// Set by the caller: sizeof(ps_budget_state).
    pub size: u32,
    /// Attempts that count now.
    pub attempts_used: u32,
    /// Attempts that are left in this window.
    pub remaining: u32,
    /// 1 if a permit is out; else 0.
    pub in_flight: i32,
    /// 1 if the storm of this window has been told (ps_error_is_storm); else 0.
    pub storm: i32,
    /// 0
    pub reserved: i32,
    /// What ps_budget_begin would say: 0 if it gave a permit now, else in how many milliseconds another try
    /// makes sense; -1 if a permit is out that has no lease.
    pub retry_after_ms: i64,
}

/// Looks at a key. Nothing is changed by it, and nothing is made: a key that nobody knows looks like one that
/// was never tried. Never blocks.
///
/// @param state  receives how it is now (set state->size first)
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the key is too long
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_snapshot(
    budget: *mut ps_budget,
    key: *const c_char,
    state: *mut ps_budget_state,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Budget, _>(budget)?;
        // SAFETY: a NUL-terminated string or null by the caller's contract.
        let key = unsafe { convert::string("key", key) }?;
        let place = convert::out("state", state)?;
        // SAFETY: not null; the caller set the size.
        let size = unsafe { (*place).size };
        convert::size("state", size, size_of::<ps_budget_state>())?;
        let filled = snapshot(&object, key.to_bytes(), size)?;
        // SAFETY: not null, and as large as its size says.
        unsafe { *place = filled };
        Ok(PS_OK)
    })
}

fn snapshot(budget: &Budget, key: &[u8], size: u32) -> Result<ps_budget_state> {
    let view = budget.view(key)?;
    Ok(ps_budget_state {
        size,
        attempts_used: view.attempts_used,
        remaining: view.remaining,
        in_flight: i32::from(view.in_flight),
        storm: i32::from(view.storm),
        reserved: 0,
        retry_after_ms: view.retry_after_ns.map_or(-1, millis),
    })
}
