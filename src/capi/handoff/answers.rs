//! What a server answers to what it was told, and what it asks for by itself.

use core::ffi::c_char;

use super::ps_handoff;
use crate::capi::command::{current, ps_command};
use crate::capi::error::ps_error;
use crate::capi::{convert, ps_status, shapes};
use crate::handoff::Handoff;

/// Successor: everything is loaded. Only now is the owner drained and sealed, so loading may take as long as
/// the deadline allows. PS_HANDOFF_LIVE follows, or PS_HANDOFF_ABORTED. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if it was said before, or this is no successor
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_warm(handoff: *mut ps_handoff, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, Handoff::warm)
}

/// Answers PS_HANDOFF_DRAIN: background work has ended. Accepting goes on. In exclusive mode PS_HANDOFF_SEAL
/// follows as soon as the successor has shown that it is awake; if it does not within
/// PS_HANDOFF_TIMEOUT_LIVE, the handoff is off, and nothing was stopped for it. Never blocks.
///
/// @param open_connections  how many are open; for people to read, procsup does nothing with it
/// @return PS_OK; PS_ERR_STATE if no such answer is awaited (any more): the handoff was called off meanwhile
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_drained(handoff: *mut ps_handoff, open_connections: u32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.drained(open_connections))
}

/// Answers PS_HANDOFF_SEAL: this process accepts and writes nothing any more, and everything acknowledged is
/// durable. From here on the successor may own: the commit is made at once, or, if descriptors or the state
/// were set since SEAL, when the successor has acknowledged them. Or the handoff is off and PS_HANDOFF_RESUME
/// follows; write nothing before that. Never blocks.
///
/// @param revision  how far the data go; the successor gets it with PS_HANDOFF_LIVE
/// @return PS_OK; PS_ERR_STATE if no such answer is awaited (any more)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_sealed(handoff: *mut ps_handoff, revision: u64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.sealed(revision))
}

/// Answers PS_HANDOFF_LIVE: this process serves. What was handed on and not taken is closed now. The old
/// generation then stands by for the probation, and takes back if this process ends, or crashes: a core that
/// is being written is let finish, and not waited for. After it this process gets PS_HANDOFF_COMMITTED and
/// stands alone. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if no such answer is awaited
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_live(handoff: *mut ps_handoff, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, Handoff::live)
}

/// This side cannot go on. The owner gets PS_HANDOFF_RESUME, also when its successor says so after
/// PS_HANDOFF_LIVE: that successor must have stopped writing before it calls, and exit after. Never blocks.
///
/// @param reason  in words, for people to read; may be NULL. Copied.
/// @return PS_OK; PS_ERR_STATE if there is no handoff to fail
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_failed(handoff: *mut ps_handoff, reason: *const c_char, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let reason = unsafe { convert::optional(reason) };
        object.failed(&reason.map(|reason| reason.to_string_lossy()).unwrap_or_default())
    })
}

/// Owner: spawns its successor and hands over to it. Returns when the program has begun (as ps_spawn, which
/// says how long that takes); ps_handoff_next_event does the rest. The successor finds its channel by a
/// variable that is added to its environment, PROCSUP_HANDOFF, and must be the very process that is spawned:
/// a wrapper has to exec it. If that wrapper has closed the channel or cleared the environment, or if the
/// program has capabilities from its file or is set-user-id and so believes no environment, it comes by the
/// control path, where it is known, as whatever user it runs; it must be able to open the lock file there. A
/// wrapper that forks it ends the handoff (PS_ERR_PEER_REJECTED), and both sides are told which process was
/// spawned and which one came.
///
/// Where this process is watched by whoever has started it (WATCHDOG_PID is its number), the successor is in
/// its place: its own number stands there, so that ps_watchdog_enabled finds the watchdog.
///
/// Until the commit it is a child like any other: stopped by its stop plan and reaped if the handoff comes to
/// nothing, killed by ps_kill_and_reap_all. From the commit on it is none: exit, free and kill-all of this
/// generation leave it alone.
///
/// @param successor    a command that nothing ties to this process: no die_with_host, cgroup, sandbox_dir,
///                     deadline, restart policy, pipes or captured output (PS_ERR_INVALID_ARGUMENT)
/// @param deadline_ms  milliseconds for everything until the commit, loading included; at least 1
/// @return PS_OK; what ps_spawn answers; PS_ERR_IN_PROGRESS if a handoff is under way; PS_ERR_STATE if this
///         process does not own; PS_ERR_LOCK_REPLACED if another process holds the lock that lies beside the
///         control path now (see PS_HANDOFF_PATH_CHANGED), or what that event said if the lock file could not
///         be made anew (PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, PS_ERR_INVALID_ARGUMENT): nothing was spawned;
///         PS_ERR_UNSUPPORTED if the service manager would not follow (ps_handoff_check_service);
///         PS_ERR_EXITED if the successor has ended already; PS_ERR_SHUTDOWN if the handle was freed
///         meanwhile: the successor is ended, then
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_upgrade(
    handoff: *mut ps_handoff,
    successor: *const ps_command,
    deadline_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        let command = current(successor)?;
        object.upgrade(&command, deadline_ms)
    })
}

/// Owner: calls the handoff off, which is possible until the commit. PS_HANDOFF_RESUME (if DRAIN was told)
/// and PS_HANDOFF_ABORTED follow. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if there is none, or it is committed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_cancel(handoff: *mut ps_handoff, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, Handoff::cancel)
}

/// Why the last handoff came to nothing, in words, or, if PS_HANDOFF_PATH_CHANGED was taken since, what
/// became of the control path; they may be the other side's, of which there are at most
/// 1024 bytes. On one line, as in ps_error_message.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_reason(
    handoff: *const ps_handoff,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(handoff, buf, cap, needed, error, Handoff::reason)
}
