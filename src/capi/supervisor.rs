//! `ps_supervisor`: many children behind one descriptor.

use core::ffi::c_char;
use core::mem::offset_of;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::child::{fill_exit, ps_child, ps_exit, ps_supervisor};
use super::command::{current, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, acquire, call};
use super::{convert, handles, ps_status, shapes};
use crate::clock::MILLI;
use crate::error::Error;
use crate::supervisor::{Event, Managed, Supervisor, What};
use crate::sys::reserve;

/// Makes a supervisor. It has no thread and no signal handler: it works inside the calls that you make. Make
/// the first one early in your program: it reserves a dozen low descriptor numbers on which fast spawns
/// depend in a host with many open files.
///
/// @param supervisor  receives the handle; free it with ps_supervisor_free
/// @return PS_OK; PS_ERR_LIMIT if there are no descriptors to be had
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_new(supervisor: *mut *mut ps_supervisor, error: *mut *mut ps_error) -> ps_status {
    acquire(error, || shapes::make("supervisor", supervisor, Supervisor::new))
}

/// How many children may exist at once. One that is being stopped counts until it has been reaped. ps_spawn
/// puts what is beyond in a line, first in, first out, the higher priorities before the lower ones
/// (ps_command_priority); as soon as a child has ended the next one is started, before you hear of that end.
/// Never blocks: what a higher limit allows is started by the next calls that do work
/// (ps_supervisor_next_event, ps_reap and others), in portions.
///
/// A child in line is PS_STATE_PENDING. It keeps duplicates of the descriptors it was lent, has no pid yet,
/// and can be cancelled by ps_terminate or ps_terminate_begin. If it cannot be started when its turn comes,
/// PS_EVENT_FAILED says why, and so does ps_reap.
///
/// @param n  0 (default): no limit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_set_max_running(supervisor: *mut ps_supervisor, n: u32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, |object: &Supervisor| object.set_max_running(n))
}

/// How many may stand in line; beyond it ps_spawn answers PS_ERR_LIMIT. Children that come back by their
/// restart policy are not counted. Never blocks.
///
/// @param n  0 (default): no limit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_set_max_pending(supervisor: *mut ps_supervisor, n: u32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, |object: &Supervisor| object.set_max_pending(n))
}

/// Makes this process a subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)), or no longer. This holds for the whole
/// process, and stays when the supervisor is freed. If this process is the init of a container, call it as
/// well, before the first spawn.
///
/// Orphans that descend from procsup's children are then reaped; they are killed once that child has ended,
/// unless its command says PS_SURVIVORS_LEAVE. Orphans of processes that the host made otherwise are not
/// touched: wait for those yourself. They are told apart by a mark that children get from now on: a hard
/// limit RLIMIT_RTTIME of some hundred thousand years. A program that sets this limit itself is not
/// recognised; ps_command_cgroup is the containment that nothing escapes. ps_supervisor_next_event, or a
/// blocking call, does the work: it looks at the list of this process's children twice a second and after
/// each exit.
///
/// @param on  1 or 0
/// @return PS_OK; PS_ERR_PERMISSION if this process has a real limit RLIMIT_RTTIME
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_set_subreaper(supervisor: *mut ps_supervisor, on: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, |object: &Supervisor| object.set_subreaper(convert::flag("on", on)?))
}

/// Whether programs are executed by a *spawner* from now on: a tiny process beside this one, which makes the
/// supervisor's children as this process's own (clone(2), CLONE_PARENT). Then ps_spawn takes some
/// microseconds, however slow the file system is that a program lies on, and no child ever shares memory
/// with the host (nor with another, once it has begun).
///
/// What changes: ps_spawn returns a child that is PS_STATE_PENDING. PS_EVENT_STARTED follows when its program
/// has begun, or PS_EVENT_FAILED, with the status that ps_spawn would have given; ps_reap and ps_wait_ready
/// then answer the same, with the step and errno. All calls on the child work from the first moment:
/// ps_terminate of one that has not begun cancels it (PS_EVENT_CANCELLED), and what was made of it is killed.
/// The time of its readiness runs meanwhile; one that has not begun by then, or with a deadline within that or
/// ten seconds, whichever is longer, is killed (PS_EVENT_FAILED, PS_ERR_TIMEOUT, step "exec"). ps_spawn still
/// answers at once what is known here: bad arguments, descriptors that are not open, directories and control
/// groups that cannot be had, a full line. A start that fails counts as a failed run of a child with a restart
/// policy, and ps_spawn_replicas answers before its children have begun. ps_child_spawn_tier is
/// PS_TIER_SPAWNER. SIGCHLD is raised, too, for a child whose exec fails.
///
/// What a command can say holds as ever. The environment, the working directory, the streams that a child
/// inherits and what is passed to it are those of the host at ps_spawn. All else that a child takes from its
/// maker is the host's as it was when the spawner was started: user, groups and capabilities, umask, nice
/// value, resource limits, session, process group (PS_ISOLATE_NONE), control group, namespaces and root
/// directory, personality, scheduling and CPU affinity, seccomp filters. After a change of one of these turn
/// it off and on again. A command with more than some 240 descriptors fails with PS_ERR_LIMIT. Never made by
/// the spawner are daemons of ps_spawn_once, and preloaders with their workers.
///
/// The spawner is a child of the host like others: ps_live_count counts it, ps_kill_and_reap_all kills it, it
/// dies with the host, and ps_supervisor_free ends it. It is started again when it is needed after that. If it
/// dies otherwise, that is noticed at once, and it is started again; what it had not made is asked for anew
/// (PS_EVENT_FAILED, PS_ERR_ABORTED, if the command lends descriptors, of which the host keeps none), what it
/// had made goes on. If it dies a second time within ten seconds, PS_EVENT_FAILED of those that wait and
/// ps_spawn say PS_ERR_ABORTED until this function is called again. Some 255 births are under way at a time,
/// 64 of them in an exec; more wait in the host.
///
/// It takes two descriptors, two shared pages of memory, and one tiny process for each supervisor. Turning it
/// off lets what is under way come to its end.
///
/// Blocks like ps_spawn without it, and until the spawner has said that it runs (at most 5 seconds).
///
/// @param on  1 or 0 (default). 1 starts it, unless it runs
/// @return PS_OK; PS_ERR_UNSUPPORTED if files in memory may not be executed (vm.memfd_noexec), /proc is not
///         there, the library was built without the spawner's program, or after unshare(CLONE_NEWPID);
///         PS_ERR_LIMIT; PS_ERR_TIMEOUT; PS_ERR_SYSTEM; PS_ERR_PERMISSION; PS_ERR_SHUTDOWN
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_set_spawner(supervisor: *mut ps_supervisor, on: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, |object: &Supervisor| object.set_spawner(convert::flag("on", on)?))
}

/// Whether a thread stays on its processor while it starts children of this supervisor from its line: a switch
/// for storms of short jobs, where ps_supervisor_set_max_running is set. It is off unless you ask for it here,
/// for it changes a property of your thread: where it may run.
///
/// What it changes: a call of yours that starts some of those in line (ps_supervisor_next_event, ps_reap and
/// others; also a start by a restart policy) binds the calling thread to the processor that it is on, with
/// sched_setaffinity(2), makes these processes, and gives it back "anywhere" (all that its cpuset allows)
/// before it returns. It is bound for as long as these starts take (the time of some execs, and of releasing
/// what children own that have just ended: a sandbox may be large), and never between
/// two calls, nor while one waits for events. The children begin on that processor, and are given "anywhere"
/// before their exec. No other thread is touched. What a handler of yours forks, or starts as a thread,
/// in those moments inherits the binding.
///
/// When it helps: where to wake another processor takes as long as a job, as on most virtual machines, and the
/// jobs are short (below a millisecond): a storm of such on two virtual processors is through in half to three
/// quarters of the time. When it hurts: where a wake-up is cheap (real hardware), and with jobs that compute
/// from their first moment: they share a processor with your thread until the kernel moves them. Measure both
/// ways.
///
/// Left alone, as if it were off: a thread that is bound already (its set is not all that its cpuset allows),
/// or has one processor only; one that a seccomp filter watches, or where /proc is not there to tell; children
/// that are contained (PS_ISOLATE_CONTAINED), and those that are started together with one; children that a
/// spawner makes (ps_supervisor_set_spawner), workers of preloaders, and a ps_spawn that finds a free slot. A
/// child whose command says ps_command_affinity has that. Machines of more than 1024 processors are left
/// alone, too. Nothing fails because of it, and nobody is told.
///
/// Each thread looks once for a filter after this call. One that is installed later must not kill for
/// sched_getaffinity(2), sched_setaffinity(2) and getcpu(2); or call this again, and each thread looks again.
///
/// If another thread of yours sets this one's affinity while it is held, that stays, unless it is just the
/// processor that it is held on; and in the moment of the change itself (some microseconds at each end) it may
/// be overridden by "anywhere". So bind threads before they start children, or leave this off. A thread that
/// was bound to all that its cpuset allows and more is taken for a free one, and the kernel (Linux 6.2 and
/// newer) forgets what it was bound to beyond that.
///
/// Never blocks; from any thread. It counts from the next starts on.
///
/// @param on  1 or 0 (default)
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if `on` is another number (nothing is changed); PS_ERR_SHUTDOWN;
///         PS_ERR_BAD_HANDLE, also for NULL: the default supervisor has no line; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_set_hold_processor(supervisor: *mut ps_supervisor, on: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, |object: &Supervisor| object.set_hold_processor(convert::flag("on", on)?))
}

/// Keeps `n` children of a command alive: spawns them all, with the restart policy PS_RESTART_ALWAYS unless
/// the command has one. All or none: if one cannot be started, the others are killed, what the command owns is
/// the command's again, and the error is that one's. The limits of the supervisor hold as for ps_spawn.
///
/// @param n         at least 1
/// @param children  receives n handles; free each with ps_child_free
/// @return as ps_spawn
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_replicas(
    supervisor: *mut ps_supervisor,
    command: *const ps_command,
    n: u32,
    children: *mut *mut ps_child,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let object = convert::object::<Supervisor, _>(supervisor)?;
        let command = current(command)?;
        let place = convert::out("children", children)?;
        if n == 0 {
            return Err(Error::invalid("n", "n: no replica is none at all"));
        }
        let mut made = reserve::room(n as usize)?;
        let mut failed = None;
        let mut register = |managed: &Arc<Managed>| match handles::insert(managed.clone()) {
            Ok(handle) => {
                made.push(handle);
                handle
            }
            Err(error) => {
                failed = Some(error);
                0
            }
        };
        let spawned = object.spawn_replicas(&command, n as usize, &mut register);
        if let Some(error) = spawned.as_ref().err().cloned().or(failed) {
            spawned.iter().flatten().for_each(|managed| managed.undo());
            made.into_iter().filter_map(handles::remove::<Managed>).for_each(|managed| managed.let_go());
            return Err(error);
        }
        for (index, handle) in made.into_iter().enumerate() {
            // SAFETY: the caller vouches for room for n handles.
            unsafe { *place.wrapping_add(index) = convert::to_pointer(handle) };
        }
        Ok(PS_OK)
    })
}

/// How many children of the supervisor, at one moment, wait for a start (in line, or for their restart), run
/// (those just being made included), and are being stopped. The last two hold a slot. Each place may be NULL.
/// Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_counts(
    supervisor: *const ps_supervisor,
    pending: *mut u32,
    running: *mut u32,
    stopping: *mut u32,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let counts = convert::object::<Supervisor, _>(supervisor)?.counts()?;
        for (place, count) in [(pending, counts.0), (running, counts.1), (stopping, counts.2)] {
            if !place.is_null() {
                // SAFETY: not null, and valid by the caller's contract.
                unsafe { *place = count as u32 };
            }
        }
        Ok(PS_OK)
    })
}

/// The descriptor to wait on, with epoll, poll, libuv, GLib or others: readable while
/// ps_supervisor_next_event has something to do. Borrowed: it belongs to the supervisor; do not read or close
/// it. Never blocks.
///
/// It may be watched edge-triggered (EPOLLET): then call ps_supervisor_next_event with a timeout of 0 until it
/// answers PS_PENDING. After that answer nothing is due, and whatever comes makes a new edge. (Where children
/// say so much that a bounded amount was read, PS_PENDING is answered as well; the new edge comes at once.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_fd(supervisor: *const ps_supervisor, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(supervisor, "fd", fd, error, |object: &Supervisor| Ok(object.fd()?.as_raw_fd()))
}

pub use crate::supervisor::EventKind as ps_event_kind;
pub use crate::supervisor::Reason as ps_reason;

/// Something that happened to a child.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_event {
    /// Set by the caller: sizeof(ps_event).
    pub size: u32,
    /// PS_EVENT_*: what has happened.
    pub kind: i32,
    /// The handle that ps_spawn gave; borrowed. If you have freed it meanwhile it is a freed handle, and
    /// still safe to compare. NULL for PS_EVENT_SHUTDOWN_DONE.
    pub child: *mut ps_child,
    /// Its pid, for display; 0 if it has had no process.
    pub pid: i32,
    /// PS_EVENT_OUTPUT: 1 or 2, the stream that the line came on (ps_event_data gives the line); else 0.
    pub stream: i32,
    /// The word of ps_command_user_data.
    pub user_data: u64,
    /// When it happened, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
    /// PS_EVENT_EXITED: how it ended. PS_EVENT_RESTARTING, PS_EVENT_GAVE_UP: how its last run ended. Its
    /// `size` is set in every event.
    pub exit: ps_exit,
    /// PS_EVENT_OUTPUT: PS_OK for a whole line, PS_PENDING for a piece that had no newline (cut at the limit,
    /// told by its time, see ps_command_output_partial, or the end). PS_EVENT_EXITED: PS_OK, or, with
    /// PS_CAUSE_NOT_READY, why it could not be ready (PS_ERR_TIMEOUT: too late; others as of ps_wait_ready), or
    /// why its output file could not be put in place, or else why its sandbox directory could not be removed
    /// (`exit.removal`).
    /// PS_EVENT_FAILED, _GAVE_UP, _CANCELLED and _RESTARTING: why, as a PS_ERR_*; PS_OK if `exit` says it.
    pub status: i32,
    /// Which run of the child it was: 1 for its first process; 0 if it has had none.
    pub run: u32,
    /// PS_EVENT_RESTARTING: milliseconds until the next start.
    pub delay_ms: i64,
    /// PS_EVENT_OUTPUT_LOST: how many lines, or pieces, are missing.
    pub lost_lines: u64,
    /// PS_EVENT_OUTPUT_LOST: their bytes, newlines included.
    pub lost_bytes: u64,
    /// PS_EVENT_RESTARTING, PS_EVENT_GAVE_UP: why, a PS_REASON_*.
    pub reason: i32,
    /// PS_REASON_BUDGET: 1 if it is the first refusal in this window (ps_error_is_storm); else 0.
    pub storm: i32,
    /// PS_REASON_BUDGET: in how many milliseconds there are attempts again; else -1.
    pub retry_after_ms: i64,
    /// PS_EVENT_STOPPED: by which signal (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU), -1 if nobody knows it; else 0.
    pub signal: i32,
    /// 0.
    pub reserved: i32,
}

fn fill_event(size: u32, taken: &Event) -> ps_event {
    let exit_size = size_of::<ps_exit>() as u32;
    let piece = taken.line().is_some_and(|line| !line.whole);
    let why = taken.why();
    let delay_ns = if let What::Restarting { delay_ns, .. } = taken.what { delay_ns } else { 0 };
    ps_event {
        size,
        kind: taken.kind() as i32,
        child: convert::to_pointer(taken.token()),
        pid: taken.pid,
        stream: taken.line().map_or(0, |line| line.stream),
        user_data: taken.user_data(),
        time_ns: taken.time_ns,
        exit: taken.exit().map_or(ps_exit { size: exit_size, ..ps_exit::default() }, |exit| fill_exit(exit_size, &exit)),
        status: taken.status().map_or(if piece { PS_PENDING } else { PS_OK }, |status| status as i32),
        run: taken.run,
        delay_ms: delay_ns.saturating_add(MILLI - 1) / MILLI,
        lost_lines: taken.lost().lines,
        lost_bytes: taken.lost().bytes,
        reason: why.reason as i32,
        storm: i32::from(why.storm),
        retry_after_ms: why.retry_after_ns.map_or(-1, |ns| ns.saturating_add(MILLI - 1) / MILLI),
        signal: taken.signal(),
        reserved: 0,
    }
}

/// Takes the next event, and does whatever is due: reaps, reads output, moves stop plans, deadlines and
/// restarts on, and starts children that stand in line, in portions (which takes as long as their execs, and a
/// quarter of a second for a program that is open for writing, see ps_spawn). It does so however many events
/// wait: a host that takes them slowly keeps every deadline. (While events wait, work is looked for at most
/// once a millisecond.)
///
/// Beside other work take some dozens at a time: while short children follow each other there is always a
/// next event. Events wait until they are taken, some 200 bytes each (lines: see ps_command_output_lines): a
/// host that never takes any should free the handles of children that have ended.
///
/// Each process has one PS_EVENT_STARTED and later one PS_EVENT_EXITED, with its output, and PS_EVENT_READY
/// where that is asked for and comes, between them. None is lost or comes twice, also when other threads reap
/// the child; but a child whose exit you have taken (ps_reap, ps_terminate) and whose handle you have freed
/// has no further events, and where memory has run out, events of further runs may be missing (see MEMORY, at
/// the top).
///
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
///                    host ends the wait (see SIGNALS, at the top)
/// @param event       receives the event (set event->size first)
/// @return PS_OK; PS_PENDING if there is none (yet); PS_ERR_SHUTDOWN if the supervisor was freed meanwhile;
///         PS_ERR_LIMIT if there is no memory for the line that is next: it and all behind it stay, and the
///         descriptor stays readable, without a new edge; try again a little later
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_next_event(
    supervisor: *mut ps_supervisor,
    timeout_ms: i64,
    event: *mut ps_event,
    error: *mut *mut ps_error,
) -> ps_status {
    // Before `status` came there was nothing after `exit`.
    shapes::event(supervisor, event, offset_of!(ps_event, status), error, |object: &Supervisor, size| {
        Ok(object.take_event(timeout_ms)?.map(|taken| fill_event(size, &taken)))
    })
}

/// What the PS_EVENT_OUTPUT that was taken last from this supervisor said: a line without its newline
/// (event.status tells whether there was one). If several threads take events, it is the event that was taken
/// last by any of them.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_event_data(
    supervisor: *mut ps_supervisor,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        convert::object::<Supervisor, _>(supervisor)?.with_event_data(|bytes| {
            // SAFETY: the caller gave a valid buffer and place for the length, or null.
            unsafe { convert::copy_out(&[bytes], buf, cap, needed) }
        })?
    })
}

/// Ends the supervisor in good order. Nothing is started any more (ps_spawn answers PS_ERR_SHUTDOWN);
/// children that wait for a start are cancelled (PS_EVENT_CANCELLED); the stop plan of every other one begins
/// (PS_CAUSE_SHUTDOWN; a plan that does not end with SIGKILL gets that as its last step). When the last child
/// has been reaped there is one PS_EVENT_SHUTDOWN_DONE. Returns at once; ps_supervisor_next_event, or
/// blocking calls, do the rest. A second call with a shorter grace shortens it. Whom each plan reaches, and
/// who may be left, is what the child's command says (ps_command_stop_scope, ps_command_survivors).
///
/// @param grace_ms  milliseconds in place of the wait of each plan's first step; -1: the plans' own
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_shutdown(supervisor: *mut ps_supervisor, grace_ms: i64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, |object: &Supervisor| object.shutdown(grace_ms))
}

/// Kills and reaps all children of the supervisor, each with its whole group whatever its command says of that
/// (ps_command_stop_scope, ps_command_survivors), releases what they owned, and frees it. Handles of its
/// children stay valid until they are freed, and answer how the child ended (PS_CAUSE_SHUTDOWN); one that
/// still waited for its start answers PS_ERR_SHUTDOWN. A thread that waits in ps_supervisor_next_event gets
/// PS_ERR_SHUTDOWN. Blocks until the children are gone, at most 5 seconds; one that even then cannot be
/// killed is reaped later. NULL and a freed handle do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_supervisor_free(supervisor: *mut ps_supervisor) {
    shapes::free(supervisor, |object: Arc<Supervisor>| object.close());
}
