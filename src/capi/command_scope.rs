//! `ps_command`: whom its stop plan reaches.

use super::command::{change, ps_command};
use super::error::ps_error;
use super::{convert, ps_status};

pub use crate::process::command::StopScope as ps_stop_scope;

/// Whom the signals of the child's stop plan reach, whoever runs it: ps_terminate and ps_terminate_begin, a
/// deadline, a watchdog (its SIGABRT, too), the kill of one that was not ready in time, the end of ps_run's
/// time, ps_supervisor_shutdown (also with the SIGKILL that it adds). The SIGCONT behind a signal goes where
/// the signal went. For a program that stops its own workers in order; systemd.kill(5) calls it KillMode=:
///
///   scope            SIGTERM and its like   SIGKILL            KillMode=
///   PS_SCOPE_GROUP   the group              the group          control-group
///   PS_SCOPE_MIXED   the child alone        the group          mixed
///   PS_SCOPE_LEADER  the child alone        the child alone    process, together with PS_SURVIVORS_LEAVE
///
/// The group is the child's process group, and whoever has left that within the child's control group
/// (ps_command_cgroup).
///
/// What becomes of the others when the child has ended is no matter of the scope, but of
/// ps_command_survivors, at this end as at any other: by default they are killed then, also with
/// PS_SCOPE_LEADER. With PS_SURVIVORS_LEAVE they go on, unless the plan has come to a SIGKILL of
/// PS_SCOPE_GROUP or PS_SCOPE_MIXED.
///
/// Not asked for its scope is whatever leaves nobody: ps_supervisor_free, ps_kill_and_reap_all, a daemon of
/// ps_spawn_once that is not ready, a pipeline of which one cannot be started: SIGKILL to all of them,
/// whatever the command says. Nor are ps_signal and ps_signal_all (always the group) and ps_signal_process
/// (always the child alone).
///
/// A child that has neither group (PS_ISOLATE_NONE) nor control group gets its signals alone in any scope;
/// so does a preloader's worker (PS_TIER_PRELOADER), for which this may be said, and changes nothing. Holds
/// the same for children that a spawner makes (ps_supervisor_set_spawner), and for each run of one that is
/// started again. Needs nothing of the kernel.
///
/// @param scope  PS_SCOPE_GROUP (default), PS_SCOPE_MIXED or PS_SCOPE_LEADER
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_stop_scope(command: *mut ps_command, scope: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.stop_scope(convert::choice("scope", scope, ps_stop_scope::from_repr)?);
        Ok(())
    })
}
