//! The numbers that C knows by name. Enumerations give the names only: every parameter is an `int32_t`, so that a value
//! which is in none of them is a typed error, not undefined behaviour.

#![allow(missing_docs)]

/// What a ps_status says. PS_OK and PS_PENDING are no errors.
#[repr(C)]
pub enum ps_status_code {
    /// Done.
    PS_OK = 0,
    /// Nothing yet; ask again. Not an error.
    PS_PENDING = 1,
    /// An argument is wrong; nothing was changed.
    PS_ERR_INVALID_ARGUMENT = -1,
    /// The handle is NULL, freed, of another type, or was never one.
    PS_ERR_BAD_HANDLE = -2,
    /// The object is not in a state that allows this.
    PS_ERR_STATE = -3,
    /// A system call failed; ps_error_errno says how.
    PS_ERR_SYSTEM = -4,
    /// A file, a directory or a name is not there (ENOENT, ENOTDIR).
    PS_ERR_NOT_FOUND = -5,
    /// Not permitted (EACCES, EPERM).
    PS_ERR_PERMISSION = -6,
    /// A limit was reached: processes, descriptors, memory, or the size of a buffer.
    PS_ERR_LIMIT = -7,
    /// The time was over first.
    PS_ERR_TIMEOUT = -8,
    /// It was cancelled.
    PS_ERR_CANCELLED = -9,
    /// The supervisor has been closed.
    PS_ERR_SHUTDOWN = -10,
    /// The handle belongs to the process that this one was forked from.
    PS_ERR_FORKED = -11,
    /// Not to be had on this kernel or in this version.
    PS_ERR_UNSUPPORTED = -12,
    /// The output file exists.
    PS_ERR_OUTPUT_EXISTS = -13,
    /// Too many attempts; ps_error_retry_after_ms says when to try again.
    PS_ERR_BUDGET_EXHAUSTED = -14,
    /// The same is being done already.
    PS_ERR_IN_PROGRESS = -15,
    /// Another process holds the lock.
    PS_ERR_LOCKED = -16,
    /// The lock file was replaced by another one.
    PS_ERR_LOCK_REPLACED = -17,
    /// The child has ended.
    PS_ERR_EXITED = -18,
    /// The peer broke the protocol.
    PS_ERR_PROTOCOL = -19,
    /// The peer speaks another version.
    PS_ERR_VERSION_MISMATCH = -20,
    /// The peer is not who it must be.
    PS_ERR_PEER_REJECTED = -21,
    /// It was given up half-way and undone.
    PS_ERR_ABORTED = -22,
    /// A defect of procsup; please report it. The process and its other children are unharmed.
    PS_ERR_INTERNAL = -23,
}

/// How ps_error_render writes.
#[repr(C)]
pub enum ps_render_format {
    /// Plain text, several lines.
    PS_RENDER_TEXT = 1,
    /// One JSON object.
    PS_RENDER_JSON = 2,
    /// A self-contained HTML page.
    PS_RENDER_HTML = 3,
}

/// What a child's environment begins with.
#[repr(C)]
pub enum ps_env_base {
    /// Everything the host has (default).
    PS_ENV_INHERIT = 0,
    /// Nothing.
    PS_ENV_CLEAR = 1,
    /// PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, TMPDIR and TERM of the host.
    PS_ENV_BASELINE = 2,
}

/// What a standard stream of a child is.
#[repr(C)]
pub enum ps_stdio_kind {
    /// The host's own (default).
    PS_STDIO_INHERIT = 0,
    /// /dev/null.
    PS_STDIO_NULL = 1,
    /// A pipe; ps_child_stdio gives our end.
    PS_STDIO_PIPE = 2,
    /// A descriptor of the host.
    PS_STDIO_FD = 3,
    /// Stream 2 only: wherever stream 1 goes.
    PS_STDIO_MERGE = 4,
}

/// How a child is set apart from the host.
#[repr(C)]
pub enum ps_isolation {
    /// It stays in the host's process group; signals go to the process alone.
    PS_ISOLATE_NONE = 0,
    /// It leads a process group; signals go to the whole group (default).
    PS_ISOLATE_GROUP = 1,
    /// It leads a session, without a controlling terminal.
    PS_ISOLATE_SESSION = 2,
}

/// What happens to the rest of a group when its leader ends.
#[repr(C)]
pub enum ps_survivors_policy {
    /// It is killed (default).
    PS_SURVIVORS_SWEEP = 0,
    /// It is left alone.
    PS_SURVIVORS_LEAVE = 1,
}

/// When a child counts as ready.
#[repr(C)]
pub enum ps_readiness_kind {
    /// Its program has begun: when ps_spawn returns (default).
    PS_READY_EXEC = 0,
    /// It has sent READY=1 to its NOTIFY_SOCKET. Not in this version.
    PS_READY_NOTIFY = 1,
    /// It has written to a descriptor. Not in this version.
    PS_READY_FD = 2,
    /// It accepts connections. Not in this version.
    PS_READY_SOCKET = 3,
}

/// Where a child stands; only forward, but for a child with a restart policy, which is pending between its runs.
#[repr(C)]
pub enum ps_child_state_code {
    /// Not started yet, or waiting to be started again.
    PS_STATE_PENDING = 0,
    /// It runs.
    PS_STATE_RUNNING = 1,
    /// Its stop plan runs.
    PS_STATE_STOPPING = 2,
    /// It has ended, was reaped, and will not be started again.
    PS_STATE_EXITED = 3,
    /// It was cancelled before it started, or could not be started.
    PS_STATE_CANCELLED = 4,
}

/// How the kernel was asked to make a child.
#[repr(C)]
pub enum ps_spawn_path {
    /// clone3 on shared memory: the cost does not depend on the host's size.
    PS_PATH_CLONE3 = 1,
    /// clone on shared memory: the same for kernels and filters without clone3.
    PS_PATH_CLONE = 2,
    /// A fork: for a change of user, and where memory cannot be shared. Costs in proportion to the host's resident memory.
    PS_PATH_FORK = 3,
}

/// How a child ended.
#[repr(C)]
pub enum ps_exit_kind {
    /// It exited; code is set.
    PS_EXIT_EXITED = 1,
    /// A signal ended it; signal is set.
    PS_EXIT_SIGNALED = 2,
    /// The host reaped it, and the kernel keeps no status (before Linux 6.15).
    PS_EXIT_LOST = 3,
}

/// Who ended a child.
#[repr(C)]
pub enum ps_exit_cause {
    /// Nobody of us: by itself, or a signal from outside.
    PS_CAUSE_SELF = 0,
    /// Its stop plan had begun.
    PS_CAUSE_STOP = 1,
    /// Its deadline had passed.
    PS_CAUSE_DEADLINE = 2,
    /// Its supervisor was shut down or freed.
    PS_CAUSE_SHUTDOWN = 3,
    /// ps_kill_and_reap_all.
    PS_CAUSE_KILL_ALL = 4,
    /// It died of the very signal that ps_signal or ps_signal_all sent it.
    PS_CAUSE_OWNER = 5,
}

/// What an event says.
#[repr(C)]
pub enum ps_event_kind {
    /// The child's program has begun.
    PS_EVENT_STARTED = 1,
    /// The child's process has ended and was reaped; exit is set.
    PS_EVENT_EXITED = 2,
    /// The child has said a line; ps_event_data gives it.
    PS_EVENT_OUTPUT = 3,
    /// The child is ready. Not in this version.
    PS_EVENT_READY = 4,
    /// The child has ended and will be started again in delay_ms.
    PS_EVENT_RESTARTING = 5,
    /// The child has failed too often in a row, and will not be started again.
    PS_EVENT_GAVE_UP = 6,
    /// The child waited for its (next) start and will not be started: it was cancelled, or the supervisor was shut down.
    PS_EVENT_CANCELLED = 7,
    /// The supervisor was shut down, and the last child has been reaped. No child.
    PS_EVENT_SHUTDOWN_DONE = 8,
    /// The child waited for its (next) start and could not be started; status says why.
    PS_EVENT_FAILED = 9,
}

/// When the file of ps_command_output_file is there already.
#[repr(C)]
pub enum ps_output_if_exists {
    /// It is left alone, and the child refused (default).
    PS_OUTPUT_REFUSE = 0,
    /// It is replaced, atomically.
    PS_OUTPUT_REPLACE = 1,
}

/// What becomes of the output file of a child that did not exit with 0.
#[repr(C)]
pub enum ps_output_failure_policy {
    /// It appears all the same (default).
    PS_OUTPUT_KEEP = 0,
    /// It never appears.
    PS_OUTPUT_DROP = 1,
}

/// When a child that has ended is started again.
#[repr(C)]
pub enum ps_restart_policy {
    /// Never (default).
    PS_RESTART_NEVER = 0,
    /// When it did not exit with 0.
    PS_RESTART_ON_FAILURE = 1,
    /// Whenever it has ended by itself.
    PS_RESTART_ALWAYS = 2,
}

/// Who a process is in the handoff.
#[repr(C)]
pub enum ps_handoff_role_code {
    /// It started cold.
    PS_HANDOFF_FIRST = 0,
    /// It takes over from a running generation, or has done so.
    PS_HANDOFF_SUCCESSOR = 1,
}

/// Whether two generations may serve at once.
#[repr(C)]
pub enum ps_handoff_mode {
    /// One writer: the successor serves after the owner has sealed.
    PS_HANDOFF_EXCLUSIVE = 0,
    /// The successor accepts before the owner stops.
    PS_HANDOFF_OVERLAP = 1,
}

/// What a server is told. Owner: DRAIN, SEAL, then COMMITTED and RETIRE, or RESUME and ABORTED. Successor: LIVE, COMMITTED, or ABORTED.
#[repr(C)]
pub enum ps_handoff_event_kind {
    /// The successor is warm: end background work, go on accepting; ps_handoff_drained.
    PS_HANDOFF_DRAIN = 1,
    /// Stop accepting and writing, make everything durable; ps_handoff_sealed.
    PS_HANDOFF_SEAL = 2,
    /// You own: open the writer, accept; ps_handoff_live. The first event of the first generation, too.
    PS_HANDOFF_LIVE = 3,
    /// You own still, or again: go on as before (see unsealed).
    PS_HANDOFF_RESUME = 4,
    /// The successor stands alone: finish your connections and exit.
    PS_HANDOFF_RETIRE = 5,
    /// Owner: the successor serves, you stand by. Successor: the probation is over, you stand alone.
    PS_HANDOFF_COMMITTED = 6,
    /// The handoff came to nothing (see reason). A successor stops at once and exits.
    PS_HANDOFF_ABORTED = 7,
}

/// The waits of a handoff.
#[repr(C)]
pub enum ps_handoff_timeout {
    /// For the answer to DRAIN; by default what is left of the whole deadline.
    PS_HANDOFF_TIMEOUT_DRAIN = 1,
    /// For the answer to SEAL; by default what is left of the whole deadline.
    PS_HANDOFF_TIMEOUT_SEAL = 2,
    /// For the answer to LIVE, and for the sign of life that ends the probation; 5000. A successor that is silent longer is killed. Before the commit, at
    /// most 5000: for the signs of life before and after SEAL; a successor that is silent longer is given up.
    PS_HANDOFF_TIMEOUT_LIVE = 3,
    /// How long the old generation stands by; 2000.
    PS_HANDOFF_TIMEOUT_PROBATION = 4,
    /// The whole deadline of a handoff that began at the control path; 60000.
    PS_HANDOFF_TIMEOUT_TAKEOVER = 5,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use crate::process::child::State;
    use crate::registry::{Cause, Kind};
    use crate::supervisor::EventKind;
    use crate::sys::clone::Path;

    #[test]
    fn c_and_rust_mean_the_same_numbers() {
        assert_eq!(ps_status_code::PS_ERR_INTERNAL as i32, Status::Internal as i32);
        assert_eq!(ps_status_code::PS_ERR_EXITED as i32, Status::Exited as i32);
        assert_eq!(ps_status_code::PS_ERR_FORKED as i32, Status::Forked as i32);
        assert_eq!(ps_exit_kind::PS_EXIT_EXITED as i32, Kind::Exited as i32);
        assert_eq!(ps_exit_kind::PS_EXIT_LOST as i32, Kind::Lost as i32);
        for (c, rust) in [
            (ps_exit_cause::PS_CAUSE_SELF as i32, Cause::Itself),
            (ps_exit_cause::PS_CAUSE_STOP as i32, Cause::Stop),
            (ps_exit_cause::PS_CAUSE_DEADLINE as i32, Cause::Deadline),
            (ps_exit_cause::PS_CAUSE_SHUTDOWN as i32, Cause::Shutdown),
            (ps_exit_cause::PS_CAUSE_KILL_ALL as i32, Cause::KillAll),
            (ps_exit_cause::PS_CAUSE_OWNER as i32, Cause::Owner),
        ] {
            assert_eq!(c, rust as i32);
        }
        assert_eq!(ps_spawn_path::PS_PATH_FORK as i32, Path::Fork as i32);
        assert_eq!(ps_event_kind::PS_EVENT_EXITED as i32, EventKind::Exited as i32);
        assert_eq!(ps_event_kind::PS_EVENT_RESTARTING as i32, EventKind::Restarting as i32);
        assert_eq!(ps_event_kind::PS_EVENT_FAILED as i32, EventKind::Failed as i32);
        assert_eq!(super::super::child::state_number(State::Cancelled), ps_child_state_code::PS_STATE_CANCELLED as i32);
        assert_eq!(super::super::child::state_number(State::Exited), ps_child_state_code::PS_STATE_EXITED as i32);
    }
}
