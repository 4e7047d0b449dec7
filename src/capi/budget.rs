//! `ps_budget`: how often something may be started.

use core::ffi::c_char;
use std::sync::Arc;

use super::command::{change, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, acquire, call};
use super::{convert, handles, ps_status, shapes};
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
    shapes::free(budget, |_: Arc<Budget>| ());
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
///         ps_error_is_storm is 1 at the first such refusal in a window, for what is to be done once (who gave
///         NULL for `error` has missed it);
///         PS_ERR_INVALID_ARGUMENT if the key is too long; PS_ERR_LIMIT if memory is short, or the keys that
///         are in use take 256 MiB already (one takes some 200 bytes and its text; of those whose window is
///         over, and of which nothing is in flight, 256 KiB stay at most)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_budget_begin(
    budget: *mut ps_budget,
    key: *const c_char,
    permit: *mut u64,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        handles::ask(budget.addr() as u64, |object: &Arc<Budget>| {
            // SAFETY: a NUL-terminated string or null by the caller's contract.
            let key = unsafe { convert::string("key", key) }?.to_bytes();
            shapes::put("permit", permit, || object.begin(key).map(|permit| permit.0).map_err(|refused: Refusal| refused.into_error(key)))
        })
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
    call(error, || {
        let stale = |Stale| {
            let text = format!(
                "permit {permit} is stale: it was finished before, its lease is over, its key was reset, or it is none of this budget"
            );
            Error::new(Status::State, "permit", text)
        };
        let heard = handles::ask(budget.addr() as u64, |object: &Arc<Budget>| {
            let succeeded = convert::flag("succeeded", succeeded)?;
            object.finish_untold(Permit(permit), succeeded).map(|heard| heard.then(|| object.clone())).map_err(stale)
        })?;
        if let Some(object) = heard {
            object.tell(); // not within: who is told may make and free handles
        }
        Ok(PS_OK)
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
    /// Means nothing in this version: 0.
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

/// Binds a command to a budget: each start of a child of it takes a permit of the key, and what comes of it
/// is booked by itself. The permit is in flight until the child is ready (ps_command_readiness; without that,
/// until its program has begun) or dead, whatever leases say. It is a success when the child has been up for
/// a while after that: for the healthy_ms of ps_command_restart_limit where that was called for the command,
/// else for that of ps_budget_set_healthy, by default a second. One that ends before has failed, also with 0;
/// unless it was stopped (ps_terminate, ps_supervisor_shutdown, ps_kill_and_reap_all): then the attempts stay
/// as they are.
///
///   who needs a permit          another start is in flight  the attempts are used
///   ps_spawn, with a free slot  PS_ERR_IN_PROGRESS          PS_ERR_BUDGET_EXHAUSTED
///   a child in line, in turn    waits                       PS_EVENT_GAVE_UP, or waits
///                                                           (ps_command_budget_wait)
///   a restart, after its delay  waits                       the same
///
/// Who is refused by ps_spawn was not started, and what the command owns stays the command's. Who waits holds
/// no slot, so others in line go on; it keeps its place, and of those who wait for one key the first is next.
/// While the attempts are used, but one of the starts among them may still prove to be a success, the others
/// wait for that. A restart that waits is told as PS_EVENT_RESTARTING with PS_REASON_IN_PROGRESS.
///
/// ps_spawn_replicas takes one permit for the whole set: a success when all are ready and have stayed up, a
/// failure if one has not. (Those of a set that start after that, since they stood in line, take their own.)
/// Their restarts take one each: replicas that died together come back one after the other, each when the one
/// before is ready. With fewer attempts than replicas the last of them wait for the first to prove themselves.
///
/// The limit of ps_command_restart_limit and its delays are as without a budget: whichever ends first. The
/// times are kept by whoever does the work (ps_supervisor_next_event, ps_reap and others): where nobody does,
/// an end is heard late, and one that is heard before its success was booked is a failure. A budget may be
/// bound to any number of commands and supervisors of this process. ps_spawn needs a supervisor that is not
/// NULL then. Never blocks.
///
/// @param budget  borrowed; it may be freed at any time, and lives on for the command and its children.
///                NULL: the command is bound to none (default)
/// @param key     see ps_budget_begin; copied. NULL only with a budget of NULL
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the key is too long
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_budget(
    command: *mut ps_command,
    budget: *mut ps_budget,
    key: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        if budget.is_null() {
            now.no_budget();
            return Ok(());
        }
        let object = convert::object::<Budget, _>(budget)?;
        // SAFETY: a NUL-terminated string or null by the caller's contract.
        now.budget(object, unsafe { convert::string("key", key) }?.to_bytes()).map(drop)
    })
}

/// What a child in line, or about to be restarted, does when the attempts of its budget are used: 0: it is
/// given up (PS_EVENT_GAVE_UP with PS_REASON_BUDGET; default). 1: it is told as PS_EVENT_RESTARTING with
/// PS_REASON_BUDGET, waits, and goes on by itself when the window reopens or the key is reset
/// (ps_budget_reset), however often that is; told once until it is started, and again where it is the first
/// that is refused in a later window (storm is 1). A ps_spawn that finds a free slot is refused all the same.
/// Does nothing without ps_command_budget. Never blocks.
///
/// @param on  1 or 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_budget_wait(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.budget_wait(convert::flag("on", on)?);
        Ok(())
    })
}
