//! `ps_command`: on which processors, and by which policy.

use super::command::{change, ps_command};
use super::error::ps_error;
use super::{convert, ps_status};

pub use crate::sys::spawn::Policy as ps_scheduling_policy;

/// The processors that the child may run on, and all that it starts (sched_setaffinity(2)). The last call
/// counts. The kernel takes the set for a wish: a processor that the machine does not have, or that a cpuset
/// does not allow (cpuset(7); a container, a control group), is left out without a word, and a cpuset may
/// narrow the set later; sched_getaffinity(2) tells what is left. If nothing is left, ps_spawn answers
/// PS_ERR_SYSTEM with EINVAL and the step "sched_setaffinity". The child itself may change it again.
///
/// Whoever makes the process says so: with ps_supervisor_set_spawner it works, for a worker of a preloader it
/// is refused.
///
/// @param cpus, n  the numbers of n processors, 0 to 65535, in any order; NULL, 0: those of the host (default)
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_affinity(command: *mut ps_command, cpus: *const u32, n: usize, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        // SAFETY: n readable numbers, by the caller's contract.
        now.affinity(unsafe { convert::slice("cpus", cpus, n) }?).map(drop)
    })
}

/// By which policy of the scheduler the child runs, and all that it starts (sched(7)). The last call counts.
///
/// ps_command_nice holds beside it: it is set first, counts under PS_SCHED_OTHER and PS_SCHED_BATCH, and is
/// kept under the others for when the child leaves them. The policy comes after the limits of
/// ps_command_rlimit and before the change of user, so a host that is root can give a child of another user a
/// real-time priority. Who is not root (CAP_SYS_NICE) needs one within the RLIMIT_RTPRIO that the child has
/// by then: else ps_spawn answers PS_ERR_PERMISSION with EPERM and the step "sched_setscheduler". It does so,
/// too, for root in a control group of v1 without a share of real time (cpu.rt_runtime_us), and for who is
/// not root and would leave PS_SCHED_IDLE or raise a priority beyond that limit.
///
/// A real-time child that does not wait keeps its processor from all others: see to it that it has a limit
/// (RLIMIT_RTTIME, getrlimit(2); but see ps_supervisor_set_subreaper). SCHED_DEADLINE is not offered
/// (PS_ERR_INVALID_ARGUMENT): it goes with no affinity, and who has it cannot fork; the program can set it.
///
/// Whoever makes the process says so: with ps_supervisor_set_spawner it works (that process has the host's
/// rights as an exec leaves them), for a worker of a preloader it is refused.
///
/// @param policy    PS_SCHED_INHERIT (default), _OTHER, _BATCH, _IDLE, _FIFO or _RR
/// @param priority  1 to 99 (the highest) for PS_SCHED_FIFO and PS_SCHED_RR; 0 for the others
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_scheduling(
    command: *mut ps_command,
    policy: i32,
    priority: i32,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| now.scheduling(convert::choice("policy", policy, ps_scheduling_policy::from_repr)?, priority).map(drop))
}
