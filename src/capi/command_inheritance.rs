//! What a child has of the host that is taken from it as a rule, or given anew. Part of `ps_command`.

use super::command::{change, ps_command};
use super::error::ps_error;
use super::{convert, ps_status};

/// How readily the kernel ends the child when the machine, or its control group, is out of memory:
/// proc_pid_oom_score_adj(5). Its descendants inherit it. The host's own value is never changed. Default: the
/// host's (through a spawner, ps_supervisor_set_spawner: what the host had when that was started).
///
/// The child writes it before its program begins, through /proc/self, and before it becomes another user
/// (ps_command_credentials). Where it cannot, ps_spawn fails with the step "oom_score_adj":
/// PS_ERR_PERMISSION (EACCES) without CAP_SYS_RESOURCE for less than the host was given last by somebody who
/// has that (0, as a rule), and where the host is not dumpable (PR_SET_DUMPABLE of prctl(2)), so that its
/// files in /proc are root's; PS_ERR_NOT_FOUND (ENOENT) where /proc is not mounted.
///
/// Cost: three system calls of the child. With ps_command_die_with_host from another thread than the main one
/// such a spawn is a fork (PS_TIER_FORK), in time in proportion to the host's resident memory, about 20 ms per
/// GiB: a child that shares the host's memory in the way that this takes would change the host's value, too.
///
/// A worker of a preloader cannot be given it, nor what the next three calls say: ps_preloader_spawn refuses
/// such a command (PS_ERR_INVALID_ARGUMENT).
///
/// @param adj  -1000 (never) to 1000 (first)
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for another number; PS_ERR_BAD_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_oom_score_adj(command: *mut ps_command, adj: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.oom_score_adj(adj).map(drop))
}

/// Signals that the child's program begins with ignored (SIG_IGN), as nohup(1) does it with SIGHUP: *whether
/// or not the host ignores them*, so nothing of the host has to be changed for it. All others are at their
/// defaults, also those that the host ignores (of real-time signals ps_spawn says more). A program may
/// change that, as it likes; what it executes inherits it (signal(7)). The last call counts; n = 0 takes it
/// back.
///
/// It does not protect from procsup: a stop plan ends with SIGKILL. SIGCHLD ignored in the child means that
/// the kernel reaps the child's own children, and that it cannot wait for them.
///
/// @param signals, n  n numbers, 1 to 64, read now
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for what is no signal and for SIGKILL and SIGSTOP, which nobody can
///         ignore (the message says which entry, from 0), and for NULL with an n; PS_ERR_BAD_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_keep_ignored(
    command: *mut ps_command,
    signals: *const i32,
    n: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        // SAFETY: n readable numbers, by the caller's contract.
        let signals = unsafe { convert::slice("signals", signals, n) }?;
        now.keep_ignored(signals).map(drop)
    })
}

/// 1: the child begins with those signals blocked that are blocked in the thread that calls ps_spawn
/// (pthread_sigmask(3)). 0 (default): with none. The mask of *that* thread in *that* call is also the mask of
/// a start that has to wait in line and of every restart, whichever thread carries them out. (Of a preloader,
/// it is the mask in ps_preloader_new; of a generation of a handoff, in the call that starts it.)
///
/// Mind what a host has blocked: one that takes SIGTERM by signalfd(2) gives it blocked to its children, which
/// are then ended by the SIGKILL of their stop plan alone.
///
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT unless `on` is 0 or 1; PS_ERR_BAD_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_keep_mask(command: *mut ps_command, on: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.keep_mask(convert::flag("on", on)?);
        Ok(())
    })
}

/// The child joins a process group that is there (setpgid(2)), as a shell does it with all programs of a
/// pipeline but the first. It counts as one without a group of its own (PS_ISOLATE_NONE): ps_signal, its stop
/// plan and ps_signal_all reach the child alone, never the group, and nothing is swept when it ends. Of this
/// call and ps_command_isolate the last counts.
///
/// The group must be of the host's session when the child is made, else ps_spawn gives PS_ERR_PERMISSION
/// (EPERM) with the step "setpgid".
///
/// Traps. A group's number is free for another one as soon as no process is in it: the caller sees to it that
/// somebody is, running or not reaped yet, from when the number was learned to the end of ps_spawn. And if a
/// child of procsup's leads the group, that one's signals are the group's, and its end sweeps the group, those
/// who joined included: PS_SURVIVORS_LEAVE of the leader's command keeps them (ps_command_survivors). To one
/// who joined, a signal that was meant for that group is a stranger's: cause is PS_CAUSE_SELF in its ps_exit,
/// and after a SIGKILL oom may be PS_OOM_PROBABLE.
///
/// @param pgid  above 0; 0: a group of its own (PS_ISOLATE_GROUP)
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for a negative number; PS_ERR_BAD_HANDLE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_process_group(command: *mut ps_command, pgid: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.process_group(pgid).map(drop))
}
