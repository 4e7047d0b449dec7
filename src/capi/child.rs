//! `ps_child`: a child process.

use core::ffi::c_char;
use std::os::fd::IntoRawFd;
use std::sync::Arc;

use super::command::{current, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, acquire, call};
use super::{convert, handles, ps_status, shapes};
use crate::error::{Error, Result};
use crate::registry::Exit;
use crate::supervisor::{self, Managed, Supervisor};
use crate::sys::reserve;

/// A child process. The handle is yours to free; the process belongs to its supervisor.
pub struct ps_child {
    _private: [u8; 0],
}

/// A call that answers an exit record: `take` runs once the place for it has been checked.
fn with_exit(
    child: *mut ps_child,
    exit: *mut ps_exit,
    error: *mut *mut ps_error,
    take: impl FnOnce(&Arc<Managed>) -> Result<Option<Exit>>,
) -> ps_status {
    call(error, || {
        let managed = convert::object::<Managed, _>(child)?;
        if !exit.is_null() {
            // SAFETY: not null; the caller set the size.
            convert::size("exit", unsafe { (*exit).size }, size_of::<ps_exit>())?;
        }
        let Some(record) = take(&managed)? else { return Ok(PS_PENDING) };
        if !exit.is_null() {
            // SAFETY: not null, and as large as its size says.
            unsafe { *exit = fill_exit((*exit).size, &record) };
        }
        Ok(PS_OK)
    })
}

// The handle only; its functions are a section of their own.
/// Looks after children: one descriptor to wait on, events to take.
pub struct ps_supervisor {
    _private: [u8; 0],
}

/// Starts a command. When it returns PS_OK, the program has begun to run, or, if its supervisor has a limit
/// that is reached, stands in line (ps_supervisor_set_max_running). When it fails, nothing is left behind,
/// what the command owns is the command's still, and the error names the exact step ("exec", "chdir",
/// "setuid", ...) and errno. (Of a supervisor that has a spawner, ps_supervisor_set_spawner, it returns
/// before that, and an event tells it.)
///
/// The child leads its own process group, has no blocked and no ignored signals (of the real-time ones, from
/// SIGRTMIN on, those stay ignored that the host began to ignore after the last ps_supervisor_new, or the
/// first spawn without a supervisor, whichever was later), and only the descriptors it was given. It was in
/// procsup's registry before it ran its first instruction, so ps_kill_and_reap_all never misses it.
///
/// Blocks until the program has been executed: on a slow file system that is as long as the kernel takes to
/// load it, and if somebody else stops the child before (SIGSTOP by kill(2), a freezer), until it goes on.
/// When the kernel is out of processes (EAGAIN) it tries again for at most 32 ms; when the program is open for
/// writing (ETXTBSY), for a quarter of a second: a program just written is so as long as a child that another
/// thread makes at this moment has not come to its own exec.
///
/// Procsup's own signals that stop or dump core (ps_signal_all) are noted for a child that has not begun, and
/// sent when its program has. Before Linux 5.16 a core dump of such a child kills the host, whose memory it
/// shares: nobody else should send it such a signal.
///
/// @param supervisor  who looks after the child and tells its events. NULL: the default supervisor, which has
///                    no limits and no events, and whose children are looked after by the calls that name
///                    them
/// @param command     what to run
/// @param child       receives the handle; free it with ps_child_free
/// @return PS_OK; PS_ERR_NOT_FOUND (ENOENT, ENOTDIR); PS_ERR_PERMISSION (EACCES, EPERM); PS_ERR_LIMIT
///         (EAGAIN, EMFILE, ENFILE, ENOMEM, or the line is full); PS_ERR_SYSTEM (any other errno);
///         PS_ERR_INVALID_ARGUMENT (a descriptor that is not open any more, or one number given twice);
///         PS_ERR_STATE (its control group is in use; or after unshare(CLONE_NEWPID): the first process of the
///         new pid namespace has ended, so no other can be made there: the errno is ENOMEM, but no other try
///         helps); PS_ERR_OUTPUT_EXISTS; PS_ERR_SHUTDOWN; PS_ERR_UNSUPPORTED; PS_ERR_BUDGET_EXHAUSTED or
///         PS_ERR_IN_PROGRESS (ps_command_budget); PS_ERR_ABORTED if its supervisor's spawner has died twice
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn(
    supervisor: *mut ps_supervisor,
    command: *const ps_command,
    child: *mut *mut ps_child,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let owner = if supervisor.is_null() { None } else { Some(convert::object::<Supervisor, _>(supervisor)?) };
        let command = current(command)?;
        let place = convert::out("child", child)?;
        handles::make_room()?;
        let mut handle = Ok(0);
        let mut register = |managed: &Arc<Managed>| {
            handle = handles::insert(managed.clone());
            handle.as_ref().copied().unwrap_or(0)
        };
        let spawned = match &owner {
            None => supervisor::spawn_default(&command, &mut register),
            Some(owner) => owner.spawn_registered(&command, &mut register),
        };
        match (spawned, handle) {
            (Ok(_), Ok(handle)) => {
                // SAFETY: not null, and valid by the caller's contract.
                unsafe { *place = convert::to_pointer(handle) };
                Ok(PS_OK)
            }
            (Ok(managed), Err(failed)) => {
                // No room for its handle: a child that nobody can name must not run.
                managed.undo();
                Err(failed)
            }
            (Err(failed), handle) => {
                if let Ok(handle @ 1..) = handle {
                    handles::remove::<Managed>(handle);
                }
                Err(failed)
            }
        }
    })
}

/// Starts n programs, of which each reads as its stream 0 what the one before it writes as its stream 1. All
/// or none: on PS_OK all have begun; else those that had begun were killed and reaped, no event tells of any
/// of them, what their commands own is the commands' again, and the error says which one failed
/// (`commands[1]: ...`) and at which step. The commands are not changed; one may stand in several places, and
/// several threads may use the same ones at once.
///
/// A pipe is held by its two programs alone: it ends when the one that writes does, and who writes what nobody
/// reads any more is ended by SIGPIPE, whatever the host has set. (So `yes | head -1` ends.) Stream 0 of the
/// first, stream 1 of the last and stream 2 of each are what their commands say. With PS_STDIO_MERGE stream 2
/// goes into the pipe, too; ps_command_capture and ps_command_output_lines are about stream 2 alone where
/// stream 1 is a pipe. Each program is a child as any other, with its own group, stop plan, readiness, events
/// and exit: the end of the last is not that of the others.
///
/// The last is started first: whoever only reads has done nothing yet if one before it cannot be started. And
/// those that read are killed before their input ends, so that none takes it for complete.
///
/// It never stands in line: the n slots must be free at once, with nobody in line before it. A supervisor that
/// has a spawner makes these children without it. n = 1 is ps_spawn. Blocks as n times ps_spawn does; after a
/// failure until the others are gone, at most 5 seconds (one that even then cannot be killed stays for
/// ps_kill_and_reap_all).
///
/// @param supervisor   as for ps_spawn; may be NULL
/// @param commands, n  n commands, first to last
/// @param children     receives n handles, in the same order; free each with ps_child_free
/// @return as ps_spawn; PS_ERR_INVALID_ARGUMENT also for n = 0, for a command that says otherwise what the
///         stream is that is to be a pipe (the step is what says so: "stdio", "pass_fd", "input",
///         "output_file", ...), and, where n > 1, for one with a restart policy ("restart") or a budget
///         ("budget"): then nothing was started. PS_ERR_LIMIT also if there are fewer than n slots (step
///         "pipeline"); nothing was started
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_pipeline(
    supervisor: *mut ps_supervisor,
    commands: *const *const ps_command,
    n: usize,
    children: *mut *mut ps_child,
    error: *mut *mut ps_error,
) -> ps_status {
    if n == 1 && !commands.is_null() {
        // SAFETY: not null, and one command at the least; the rest is the caller's contract with that function.
        return unsafe { ps_spawn(supervisor, *commands, children, error) };
    }
    acquire(error, || {
        let owner = if supervisor.is_null() { None } else { Some(convert::object::<Supervisor, _>(supervisor)?) };
        // SAFETY: n readable pointers, by the caller's contract.
        let given = unsafe { convert::slice("commands", commands, n) }?;
        let place = convert::out("children", children)?;
        if n == 0 {
            return Err(Error::invalid("n", "n: no program is no pipeline"));
        }
        let mut commands = reserve::room(n)?;
        for command in given {
            commands.push(current(*command)?);
        }
        handles::make_room()?;
        let mut made = reserve::room(n)?;
        let mut register = |managed: &Arc<Managed>| {
            let handle = handles::insert(managed.clone())?;
            made.push(handle);
            Ok(handle)
        };
        let spawned = match &owner {
            None => supervisor::spawn_pipeline_default(&commands, &mut register),
            Some(owner) => owner.spawn_pipeline(&commands, &mut register),
        };
        if let Err(failed) = spawned {
            made.into_iter().filter_map(handles::remove::<Managed>).for_each(|managed| managed.let_go());
            return Err(failed);
        }
        for (index, handle) in made.into_iter().enumerate() {
            // SAFETY: the caller vouches for room for n handles.
            unsafe { *place.wrapping_add(index) = convert::to_pointer(handle) };
        }
        Ok(PS_OK)
    })
}

/// Sends a signal to the child's whole group, or to the process alone if it has no group of its own. A child
/// that has left the group that it led (setpgid(2)) gets it too, as do those whom it left there. It goes by
/// pidfd, so it can never reach another process that got the same number. Signal 0 only asks whether the
/// child is there; one that has ended is there until it has been reaped. Never blocks.
///
/// What is answered is what became of the child itself, whoever else is in its group.
///
/// A worker that a preloader has forked (PS_TIER_PRELOADER) gets it alone, and only by pidfd.
///
/// @param signal  0 to 64
/// @return PS_OK; PS_ERR_EXITED if the child has been reaped; PS_ERR_STATE if it has not been started;
///         PS_ERR_PERMISSION (EPERM) if the child itself refuses it, as one does that has become another user
///         (a set-user-ID program) and whose host is not root; PS_ERR_UNSUPPORTED for a preloader's worker
///         where a filter forbids pidfd_send_signal(2): by then its number could be another's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_signal(child: *mut ps_child, signal: i32, error: *mut *mut ps_error) -> ps_status {
    call(error, || convert::object::<Managed, _>(child)?.signal(signal).map(|()| PS_OK))
}

/// Sends a signal to the child's process alone, and to nobody else of its group or its control group: one
/// that its program handles (SIGHUP to reload), and that its own children shall not get. Otherwise as
/// ps_signal: by pidfd, 0 only asks. Who is ended by it is ended as by any signal: what is left of its group
/// is killed then (ps_command_survivors). It is the same call for a child that a spawner has made
/// (PS_TIER_SPAWNER) and for a preloader's worker (PS_TIER_PRELOADER), which gets all its signals alone. That
/// a stop plan reaches the child alone: ps_command_stop_scope. Never blocks.
///
/// @param signal  0 to 64
/// @return as ps_signal
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_signal_process(child: *mut ps_child, signal: i32, error: *mut *mut ps_error) -> ps_status {
    call(error, || convert::object::<Managed, _>(child)?.signal_process(signal).map(|()| PS_OK))
}

pub use crate::registry::Kind as ps_exit_kind;

pub use crate::registry::Cause as ps_exit_cause;

pub use crate::registry::Oom as ps_exit_oom;

/// How a child ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ps_exit {
    /// Set by the caller: sizeof(ps_exit).
    pub size: u32,
    /// PS_EXIT_EXITED, PS_EXIT_SIGNALED or PS_EXIT_LOST.
    pub kind: i32,
    /// Exit code; -1 if it did not exit.
    pub code: i32,
    /// The signal that ended it; 0 if none did.
    pub signal: i32,
    /// 1 if it left a core dump.
    pub core_dumped: i32,
    /// PS_CAUSE_*: who ended it.
    pub cause: i32,
    /// User time, microseconds; -1 if unknown (somebody else reaped it, such as a worker's preloader).
    pub user_us: i64,
    /// System time, microseconds; -1 if unknown.
    pub system_us: i64,
    /// Largest resident memory, KiB; -1 if unknown. Linux counts from before the exec: it is never less than
    /// what the host itself had resident when it spawned the child (getrusage(2), ru_maxrss).
    pub max_rss_kib: i64,
    /// When it was spawned, nanoseconds of CLOCK_MONOTONIC.
    pub started_ns: i64,
    /// When its end was recorded, nanoseconds of CLOCK_MONOTONIC.
    pub ended_ns: i64,
    /// PS_OK, or why its sandbox directory (ps_command_sandbox_dir) could not be removed with it, as a
    /// PS_ERR_*: the rest is tried again by later calls. PS_ERR_TIMEOUT: it was too much for one call, and
    /// goes on.
    pub removal: i32,
    /// The errno of that, or 0.
    pub removal_errno: i32,
    /// PS_OOM_*: whether it was killed for want of memory, and by whose limit. Something else than PS_OOM_NONE
    /// only if it died of a SIGKILL that procsup had not sent while it lived: cause may be PS_CAUSE_STOP where
    /// the plan had not come to its kill. Of a child whose control group (ps_command_cgroup) has the memory
    /// controller it is what the kernel has counted there (memory.events, memory.events.local: cgroups(7),
    /// Linux 5.2; whose limit it was is not known better than PS_OOM_OWN or PS_OOM_ABOVE). The kernel counts,
    /// and names nobody: where another process of the group was killed for want of memory, and somebody else
    /// has then ended the child by SIGKILL, the child is told so too. With "memory.oom.group", "1"
    /// (ps_command_cgroup_set) it cannot be: all of the group are killed together. A child that exits because
    /// the kernel has killed one that it had started is told PS_OOM_NONE, and oom_kills says it. Without such a
    /// group, also for a preloader's worker, there is PS_OOM_PROBABLE at most: since a look that was no later
    /// than its spawn the machine (/proc/vmstat, Linux 4.13) has killed somebody.
    pub oom: i32,
    /// How many processes of its control group, the groups below it included, the kernel has killed for want of
    /// memory until the child's end; -1 if unknown: no control group, none with the memory controller, or its
    /// files could not be read. Where all are killed together (memory.oom.group) Linux counts the first of them
    /// twice.
    pub oom_kills: i32,
    /// The most memory that its control group had at a time, bytes (memory.peak, Linux 5.19); -1 if unknown. It
    /// counts what max_rss_kib does not: all processes of the group together, page cache, the kernel's own.
    pub memory_peak: i64,
    /// Zero. Room for what a later version has to tell: the structure stands inside ps_event, so it cannot
    /// grow.
    pub reserved: [u64; 1],
}

pub(super) fn fill_exit(size: u32, exit: &Exit) -> ps_exit {
    ps_exit {
        size,
        kind: exit.kind as i32,
        code: exit.code,
        signal: exit.signal,
        core_dumped: exit.core_dumped.into(),
        cause: exit.cause as i32,
        user_us: exit.user_us,
        system_us: exit.system_us,
        max_rss_kib: exit.max_rss_kib,
        started_ns: exit.started_ns,
        ended_ns: exit.ended_ns,
        removal: exit.removal_status().map_or(PS_OK, |status| status as i32),
        removal_errno: exit.removal.map_or(0, |errno| errno as i32),
        oom: exit.memory.oom as i32,
        oom_kills: exit.memory.kills,
        memory_peak: exit.memory.peak,
        reserved: [0; 1],
    }
}

/// Stops the child: runs its stop plan (ps_command_stop_step) and reaps it. Returns as soon as the child has
/// ended. Several threads may call it at once; a child that has ended already is no error. One that waits for
/// its (next) start is cancelled, and one with a restart policy is not started again.
///
/// Blocks at most as long as the plan's waits add up to, and a child that is dumping core may take
/// (ps_command_core_wait); a signal handler of the host does not end the wait.
/// If the plan runs already, a shorter grace shortens its first step; if it has run to its end in vain, it
/// runs again.
///
/// @param grace_ms  milliseconds in place of the wait of the plan's first step; -1: the plan's own
/// @param exit      receives the exit record (set exit->size first); may be NULL
/// @return PS_OK; PS_ERR_TIMEOUT if the child is still there after the whole plan: it stays watched, and can
///         be reaped later; PS_ERR_PERMISSION (EPERM) if it is still there because the kernel refused the
///         plan's last signal, which is not waited out (see ps_signal); PS_ERR_UNSUPPORTED at once, as there;
///         PS_ERR_CANCELLED if it was never started; else as ps_reap
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_terminate(child: *mut ps_child, grace_ms: i64, exit: *mut ps_exit, error: *mut *mut ps_error) -> ps_status {
    with_exit(child, exit, error, |managed| managed.terminate(grace_ms).map(Some))
}

/// Starts the stop plan and returns at once; a child that waits for its (next) start is cancelled
/// (PS_EVENT_CANCELLED). The plan is moved on by ps_supervisor_next_event and by every call that waits for
/// the child.
///
/// @param grace_ms  as in ps_terminate
/// @return PS_OK, also if the child has ended already; PS_ERR_PERMISSION (EPERM) if the kernel refused the
///         plan's first signal (see ps_signal). The plan goes on all the same: the child may give its
///         privileges up before the next step. PS_ERR_UNSUPPORTED as in ps_signal
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_terminate_begin(child: *mut ps_child, grace_ms: i64, error: *mut *mut ps_error) -> ps_status {
    call(error, || convert::object::<Managed, _>(child)?.terminate_begin(grace_ms).map(|()| PS_OK))
}

/// Waits for the child to end, kills what is left of its group, reaps it and releases what it owned. A child
/// in line is waited for through its start, one with a restart policy until it is not started again. Call it
/// as often as you like, from any number of threads: the exit record stays until the handle is freed.
///
/// If the host itself reaps the child (waitpid(-1), or SIGCHLD ignored), the record is still true where the
/// kernel keeps the status (from Linux 6.15 on), and PS_EXIT_LOST where it does not.
///
/// A worker that a preloader has forked is its preloader's to reap, and nobody else's group is killed with it.
/// How it ended is known while it is a zombie, if it runs as the host's user or the host is root (/proc); else
/// once it was reaped, from Linux 6.15 on. Two seconds after its death it is PS_EXIT_LOST. If its preloader
/// dies before it, and this process is the one that gets orphans (an init, a subreaper), it is reaped here as
/// any child is.
///
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
///                    host does not end the wait
/// @param exit        receives the exit record (set exit->size first); may be NULL
/// @return PS_OK; PS_ERR_TIMEOUT if it has not ended; PS_ERR_CANCELLED or PS_ERR_SHUTDOWN if it was called
///         off before its start; PS_ERR_BUDGET_EXHAUSTED if it was given up then (ps_command_budget);
///         what ps_spawn answers, if it could not be started; for a child that exited with 0, the error that
///         kept its output file from its place (PS_ERR_OUTPUT_EXISTS, PS_ERR_NOT_FOUND, PS_ERR_PERMISSION,
///         PS_ERR_SYSTEM)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_reap(child: *mut ps_child, timeout_ms: i64, exit: *mut ps_exit, error: *mut *mut ps_error) -> ps_status {
    with_exit(child, exit, error, |managed| managed.reap(timeout_ms).map(Some))
}

/// As ps_reap, without waiting. Never waits for a process, but removing a sandbox directory takes the file
/// system's time (at most 5 seconds, ps_command_sandbox_dir).
///
/// @param exit  receives the exit record (set exit->size first); may be NULL
/// @return PS_PENDING while the child runs, or while another thread is just releasing what it owned; else as
///         ps_reap
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_reap_nonblock(child: *mut ps_child, exit: *mut ps_exit, error: *mut *mut ps_error) -> ps_status {
    with_exit(child, exit, error, |managed| managed.reap_nonblock())
}

/// Several children, each by its handle.
///
/// # Safety
/// `children` is null or has `n` elements.
unsafe fn several(children: *const *mut ps_child, n: usize) -> Result<Vec<Arc<Managed>>> {
    // SAFETY: the caller vouches for it.
    let handles = unsafe { convert::slice("children", children, n) }?;
    let mut found = reserve::room(n)?;
    for (place, handle) in handles.iter().enumerate() {
        let named = |error: Error| error.with(|it| it.message.insert_str(0, &format!("children[{place}]: ")));
        found.push(convert::object::<Managed, _>(*handle).map_err(named)?);
    }
    Ok(found)
}

/// Waits until one of these children has ended, and says which: the first of the list that has, if there are
/// several. Nothing is taken of it: ps_reap (with a timeout of 0) has the exit record, and PS_EVENT_EXITED is
/// told as ever. Ended means for good, as for ps_reap: a child in line is waited for through its start, one
/// with a restart policy until it is not started again; one that was cancelled, or could not be started, has
/// ended. So has one that another thread has reaped: take those that you know of out of the list.
///
/// The children may be those of several supervisors, and of NULL; the work of all these is done meanwhile, so
/// that a line moves on, and nobody's events are taken; lines that they say are read all the while
/// (ps_command_output_lines says how many are kept). One that stands in the list twice counts once.
///
/// A signal handler of the host ends the wait (see SIGNALS, at the top); a child that has ended by then is
/// told of all the same. Each time that something happens it is looked for among all of the list, by one
/// poll(2) over their pidfds: hundreds are fine, for thousands take the events of a supervisor. It needs no
/// descriptors, but one while a child is in line.
///
/// @param children    the handles
/// @param n           how many; at least 1
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all
/// @param index       receives the place in the list, from 0
/// @return PS_OK; PS_ERR_TIMEOUT if none has ended; PS_ERR_INTERRUPTED; PS_ERR_INVALID_ARGUMENT if n is 0;
///         PS_ERR_BAD_HANDLE or PS_ERR_FORKED for one of the handles: the message says which
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_wait_any(
    children: *const *mut ps_child,
    n: usize,
    timeout_ms: i64,
    index: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        // SAFETY: as many handles as the caller says, or null.
        let children = unsafe { several(children, n) }?;
        shapes::put("index", index, || Managed::wait_any(&children, timeout_ms))
    })
}

/// Waits until all of these children have ended. Otherwise as ps_wait_any; for the thousands of one supervisor
/// it takes no longer than to reap them does, unless they say lines.
///
/// @param children    the handles
/// @param n           how many; at least 1
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all
/// @return PS_OK; PS_ERR_TIMEOUT if one has not ended: the error names the first of the list that has not, by
///         its pid (ps_error_message); else as ps_wait_any
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_wait_all(children: *const *mut ps_child, n: usize, timeout_ms: i64, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        // SAFETY: as many handles as the caller says, or null.
        let children = unsafe { several(children, n) }?;
        Managed::wait_all(&children, timeout_ms).map(|()| PS_OK)
    })
}

/// The process id, for display: after the exit it may be another's. Signal with ps_signal, never with
/// kill(2). Never blocks.
///
/// @return PS_OK; PS_ERR_STATE before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_pid(child: *const ps_child, pid: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "pid", pid, error, |managed: &Managed| Ok(managed.process()?.pid()))
}

/// A duplicate of the child's pidfd, readable once the child has ended; it is yours to poll and close.
/// Close-on-exec. Never blocks.
///
/// @return PS_OK; PS_ERR_EXITED once the exit has been taken; PS_ERR_STATE before the start; PS_ERR_LIMIT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_pidfd(child: *const ps_child, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "fd", fd, error, |managed: &Managed| Ok(managed.pidfd()?.into_raw_fd()))
}

pub use crate::process::child::State as ps_child_state_code;

/// Where the child stands, after a look at it. Never waits for a process.
///
/// @param state  receives a PS_STATE_*
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_state(child: *const ps_child, state: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "state", state, error, |managed: &Managed| Ok(managed.state()? as i32))
}

/// Whether the child is stopped (job control), after a look at it; ps_command_watch_stops tells it as events.
/// Also for a child of the NULL supervisor. Nothing changes by it: a stopped child is PS_STATE_RUNNING, and
/// who waits for its stop with waitpid(2) finds it still. One that a tracer holds (ptrace(2)) is not stopped.
/// Never waits.
///
/// @param signal  receives 0 if it is not stopped, or has ended; else by which signal (SIGSTOP, SIGTSTP,
///                SIGTTIN, SIGTTOU), -1 if nobody knows: the host itself has waited for that stop before
///                a look was taken, or the child is a worker that a preloader has made, or contained
///                (PS_ISOLATE_CONTAINED: it is the program that is looked at, not its init)
/// @return PS_OK; PS_ERR_STATE before the start; PS_ERR_UNSUPPORTED if it cannot be asked: waitid(2) is
///         refused, or the child is such a worker, and there is no /proc; or it is contained, and /proc does
///         not list children (CONFIG_PROC_CHILDREN)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_stopped(child: *const ps_child, signal: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "signal", signal, error, |managed: &Managed| managed.stopped_by())
}

/// The host's end of a stream that is PS_STDIO_PIPE, or of another pipe (ps_command_pipe); it is yours now:
/// close it. Close-on-exec, blocking. An end that is never taken is closed by ps_child_free. With a restart
/// policy each run has new pipes, and the ends of a run that were not taken go with it.
///
/// A grandchild may hold the other end open after the child has ended: a reader that waits for end of file
/// should watch ps_child_pidfd too. Writing to a child that has ended raises SIGPIPE in the host, unless the
/// host ignores it.
///
/// @param stream  0, 1, 2 or the child_fd of ps_command_pipe
/// @return PS_OK; PS_ERR_NOT_FOUND if that is no pipe or was taken already; PS_ERR_STATE before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_stdio(child: *mut ps_child, stream: i32, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "fd", fd, error, |managed: &Managed| Ok(managed.take_stream(stream)?.into_raw_fd()))
}

/// Feeds the child's standard input (ps_command_input_stream): takes as many bytes as there is room for, and
/// never blocks. They are copied, and written as the child reads, by ps_supervisor_next_event and by every
/// call that waits for the child; for a child of the NULL supervisor also by each call that spawns, looks at
/// or waits for a child of it. Calls of several threads come one after the other, each with what it was told
/// that was taken.
///
/// Was nothing taken, or less than `len`, a PS_EVENT_INPUT_ROOM tells when at least half of the room is free
/// again (not to the NULL supervisor, which has no events: call again). Wait for that, not for time:
///
/// ```c
/// #include <procsup.h>
///
/// // To be called at first and at each PS_EVENT_INPUT_ROOM of the child.
/// ps_status go_on(ps_child *child, const char *data, size_t len, size_t *done, ps_error **error) {
///   size_t written = 0;
///   ps_status status = ps_child_write(child, data + *done, len - *done, &written, error);
///   *done += written;
///   return status == PS_OK && *done == len ? ps_child_write_end(child, error) : status;
/// }
/// ```
///
/// @param data, len  what to write; NULL, 0 only asks
/// @param written    receives how much was taken; also written with PS_PENDING, then 0
/// @return PS_OK; PS_PENDING if there is no room at all; PS_ERR_EXITED if the child has been reaped (with a
///         restart policy: the run that was); PS_ERR_STATE with errno EPIPE if nobody reads it any more: the
///         child has closed it or has ended, and what waited is dropped; PS_ERR_STATE before the start, after
///         ps_child_write_end, or if the input is not fed; PS_ERR_PERMISSION if a filter refuses to write:
///         then the input has ended
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_write(
    child: *mut ps_child,
    data: *const core::ffi::c_void,
    len: usize,
    written: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let managed = convert::object::<Managed, _>(child)?;
        // SAFETY: `len` bytes, by the caller's contract.
        let bytes = unsafe { convert::slice("data", data.cast::<u8>(), len) }?;
        let place = convert::out("written", written)?;
        let taken = managed.feed(bytes)?;
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *place = taken.unwrap_or(0) };
        Ok(if taken.is_some() { PS_OK } else { PS_PENDING })
    })
}

/// Ends the child's standard input behind what was taken so far: then it reads end of file. Never blocks. At a
/// terminal the end is typed, and met once, by whoever reads then (see terminals).
///
/// @return PS_OK, also if it has ended already, or the child; PS_ERR_STATE before the start, or if the input
///         is not fed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_write_end(child: *mut ps_child, error: *mut *mut ps_error) -> ps_status {
    shapes::change(child, error, |managed: &Managed| managed.end_input())
}

/// The captured output so far, the last bytes of it (ps_command_capture). Of streams that are kept apart
/// (ps_command_capture_apart) first that of stream 1, then that of stream 2.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small; PS_ERR_STATE if nothing is captured, or before the
///         start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_output(
    child: *const ps_child,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    captured(child, None, buf, cap, needed, error)
}

/// The same of one stream of a child whose streams are kept apart (ps_command_capture_apart).
///
/// @param stream            1 or 2
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small; PS_ERR_STATE if nothing is captured, or not by
///         stream, or before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_output_of(
    child: *const ps_child,
    stream: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    captured(child, Some(stream), buf, cap, needed, error)
}

fn captured(
    child: *const ps_child,
    stream: Option<i32>,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        convert::object::<Managed, _>(child)?.with_output(stream, |pieces, _| {
            // SAFETY: the caller gave a valid buffer and place for the length, or null.
            unsafe { convert::copy_out(pieces, buf, cap, needed) }
        })?
    })
}

/// How many bytes are missing of what was captured so far: they were read, and had to make room (the bound of
/// ps_command_capture was reached, or memory is out). What ps_child_output gives is all that the child
/// has said so far if this is 0, and else the end of it.
///
/// @param stream  0: of both together; 1 or 2: of that one, where streams are kept apart
///                (ps_command_capture_apart)
/// @param bytes   receives the number
/// @return PS_OK; PS_ERR_STATE if nothing is captured, or not by stream, or before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_output_lost(
    child: *const ps_child,
    stream: i32,
    bytes: *mut u64,
    error: *mut *mut ps_error,
) -> ps_status {
    let of = (stream != 0).then_some(stream);
    shapes::value(child, "bytes", bytes, error, |managed: &Managed| managed.with_output(of, |_, lost| lost))
}

pub use crate::process::child::Tier as ps_spawn_tier;

/// How the child was made. Never blocks.
///
/// @param tier  receives a PS_TIER_*
/// @return PS_OK; PS_ERR_STATE before the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_spawn_tier(child: *const ps_child, tier: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(child, "tier", tier, error, |managed: &Managed| Ok(managed.spawn_tier()? as i32))
}

/// Frees the handle, not the process: that still belongs to its supervisor. A child of the NULL supervisor is
/// reaped by a later procsup call. NULL and a freed handle do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_child_free(child: *mut ps_child) {
    shapes::free(child, |managed: Arc<Managed>| managed.let_go());
}
