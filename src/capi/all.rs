//! Everything at once: the three functions that a signal handler may call.

use super::ps_status;
use crate::clock::{self, Deadline};
use crate::error::Status;
use crate::registry;

/// Sends a signal to every child's group. A child that has just gone is no error. Never blocks. A child whose
/// program has not begun gets a signal that stops or dumps core when it has (see ps_spawn). A worker that a
/// preloader has forked gets it alone: the group that it is in is its preloader's.
///
/// @param signal  1 to 64
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub extern "C" fn ps_signal_all(signal: i32) -> ps_status {
    if registry::signal_all(signal) { 0 } else { Status::InvalidArgument as ps_status }
}

/// Kills every child's group, then reaps every child (PS_CAUSE_KILL_ALL). What the children owned
/// (directories, descriptors) is released by later calls. Children that other threads spawn meanwhile are not
/// waited for. Who has left a child's group within its control group is killed at the same stroke from Linux
/// 5.14 on (cgroup.kill); before, when its record is taken (ps_reap, an event). Those that stand in line or
/// wait for their restart are not touched: to end those as well, end their supervisor
/// (ps_supervisor_shutdown, ps_supervisor_free).
///
/// A worker that a preloader has forked is killed alone, and reaped when it is dead: the zombie is its own
/// parent's. How it ended may be known, and recorded, only in a later call; ps_live_count counts it till then.
///
/// Blocks until all are reaped, at most timeout_ms. A handler should return from it: one that is left by
/// longjmp meanwhile, or whose thread ends in it, costs each child that it was just busy with up to two
/// seconds in the call that reaps it (also ps_reap_nonblock and ps_supervisor_next_event), and this process a
/// descriptor or two for good.
///
/// @param timeout_ms  milliseconds; -1: no limit
/// @param left        receives how many could not be reaped in time, also with PS_ERR_TIMEOUT; may be NULL.
///                    A child that this process may not or cannot kill (see ps_signal) is not waited for,
///                    and left
/// @return PS_OK; PS_ERR_TIMEOUT if some are left; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_kill_and_reap_all(timeout_ms: i64, left: *mut u32) -> ps_status {
    // No `Deadline::of_timeout`: its refusal has a message, and a signal handler may not allocate one.
    if !clock::is_timeout(timeout_ms) {
        return Status::InvalidArgument as ps_status;
    }
    let count = registry::kill_and_reap_all(Deadline::of_millis(timeout_ms));
    if !left.is_null() {
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *left = count };
    }
    if count == 0 { 0 } else { Status::Timeout as ps_status }
}

/// How many children of this process have not been reaped; of workers that a preloader has forked, whose end
/// has not been recorded. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_live_count() -> u32 {
    registry::live_count()
}
