//! `ps_preloader`: an application that is loaded once, and the workers forked from it.

use core::ffi::c_char;

use super::child::ps_supervisor;
use super::command::{described, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, acquire};
use super::objects::WorkerObject;
use super::worker::{host_of, make, ps_worker};
use super::{convert, ps_status, shapes};
use crate::error::Error;
use crate::preloader::face::{Preloader, Protocol};
use crate::preloader::worker::Worker;
use crate::supervisor::{Host, Managed};

/// A preloader.
pub struct ps_preloader {
    _private: [u8; 0],
}

/// Makes a preloader. Nothing is started: the first worker that is asked for starts it. Never blocks, but for
/// the look into the user database where `user` or `group` is given.
///
/// @param command    what to run, with the arguments of ps_command_session: copied, and yours to free. It may
///                   have neither a readiness nor a restart policy. With a spawn budget (ps_command_budget)
///                   each start takes a permit
/// @param preloader  receives the handle; free it with ps_preloader_free
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT; PS_ERR_NOT_FOUND (a user or a group, by its name); PS_ERR_LIMIT if
///         there are no descriptors to be had; PS_ERR_SYSTEM, PS_ERR_PERMISSION
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_new(
    command: *const ps_command,
    preloader: *mut *mut ps_preloader,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let (command, session) = described(command)?;
        shapes::make("preloader", preloader, || Preloader::new(&command, &session))
    })
}

/// Sets an argument of the preloader's session, and of those of its workers, as ps_command_session does. It
/// holds for the next process (ps_preloader_reload). Never blocks, but for the look into the user database
/// where it is `user` or `group`.
///
/// @param name   the argument, by the reference's name
/// @param value  its value; NULL: as if it had never been set
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for a name that is none, or a value that is not of its type, and of
///         a native preloader, which has no session; PS_ERR_NOT_FOUND (a user or a group); PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_set(
    preloader: *mut ps_preloader,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(preloader, error, |object: &Preloader| {
        // SAFETY: NUL-terminated strings or null, by the caller's contract.
        let (name, value) = unsafe { (convert::string("name", name)?, convert::optional(value)) };
        let name = name.to_str().map_err(|_| Error::invalid("name", "name: it is no UTF-8"))?;
        let value = value.map(|value| value.to_str().map_err(|_| Error::invalid("value", "value: it is no UTF-8"))).transpose()?;
        object.set(name, value)
    })
}

pub use crate::preloader::face::Protocol as ps_preloader_protocol;

/// What the preloader speaks, chosen before a worker is asked of it. Never blocks.
///
/// PS_PRELOADER_NATIVE: its program is linked with this library and calls ps_preload_open and what follows
/// (see "Inside a preloader"). The command runs as it is: its user, limits, directory and environment are the
/// command's own, a variable PROCSUP_PRELOAD_FD and the descriptor that it names come to it. Where the command
/// says nothing of streams 1 and 2, the last 64 KiB of what it writes are kept, for the error of a start that
/// fails. It has no session: arguments of one (ps_command_session, ps_preloader_set) are refused. It is ready
/// when it says so (ps_preload_ready), asked to go by the end of its channel, and its group is swept when it
/// ends, as that of any child; its workers lead groups of their own.
///
/// @param protocol  PS_PRELOADER_PASSENGER (default) or PS_PRELOADER_NATIVE
/// @return PS_OK; PS_ERR_STATE once a worker was asked of it; PS_ERR_INVALID_ARGUMENT for another value, a
///         command with a readiness, and a native preloader with arguments of a session (named in the error);
///         PS_ERR_NOT_FOUND, PS_ERR_LIMIT, PS_ERR_SYSTEM as ps_preloader_new; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_set_protocol(preloader: *mut ps_preloader, protocol: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(preloader, error, |object: &Preloader| object.set_protocol(convert::choice("protocol", protocol, Protocol::from_repr)?))
}

/// How long the preloader may be of no use before it is stopped, as by ps_preloader_stop; the next worker
/// starts it again. Any command to it counts as use. It is noticed within the looks of supervisors that have
/// workers of it under way or have started it, so it is as punctual as they are looked after. Never blocks.
///
/// @param ms  milliseconds; -1 (default): for ever. 0 is as 1
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_set_idle_stop(preloader: *mut ps_preloader, ms: i64, error: *mut *mut ps_error) -> ps_status {
    shapes::grow(preloader, error, |object: &Preloader| object.set_idle_stop(ms))
}

/// How many workers wait ready-made. They are forked ahead, in the background, and are processes of this one
/// from then on (ps_live_count counts them, ps_kill_and_reap_all ends them); each waits at its gate, before
/// the first instruction of the application's that is its own, until ps_preloader_spawn or
/// ps_preloader_spawn_begin takes it: that costs no fork. What is taken is replaced. What has ended, has
/// waited for too long, or is older than a reload is never taken. The pool is filled as soon as the preloader
/// runs: a worker that is asked for starts it, or ps_preloader_warm, or a ps_preloader_reload of one that ran.
/// Births for the pool that fail are tried again after 100 ms, then after twice as long each time, up to 25 s.
/// It is looked after within the looks of supervisors that have workers of it under way or have started it.
/// Stopping the preloader ends those that wait. Never blocks.
///
/// @param idle        how many, up to 1 024; 0 (default): none. Each takes up to six descriptors. Of those
///                    that are too many, the oldest end
/// @param max_age_ms  how long one may wait, in milliseconds; -1: for ever. 0 is as 1
/// @return PS_OK; PS_ERR_UNSUPPORTED if the preloader's protocol is not PS_PRELOADER_NATIVE;
///         PS_ERR_INVALID_ARGUMENT; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_set_pool(
    preloader: *mut ps_preloader,
    idle: u32,
    max_age_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(preloader, error, |object: &Preloader| object.set_pool(idle, max_age_ms))
}

/// Starts the preloader, if it does not run, and waits until its pool is full (at once, if it is, or if there
/// is none).
///
/// Blocks for timeout_ms at the most, and a second longer where another thread has the preloader in hand.
/// Workers of this preloader are moved along meanwhile, other children of the supervisor are not.
///
/// @param supervisor  who looks after those that wait, as long as it is there and is looked after itself;
///                    NULL: the default supervisor
/// @param timeout_ms  milliseconds, more than 0 (PS_ERR_INVALID_ARGUMENT); -1: 90 000
/// @return PS_OK; PS_ERR_TIMEOUT; what ps_preloader_spawn answers where the preloader cannot be started, has
///         died twice, or does not fork; PS_ERR_LIMIT if two in a row had more memory than they may have;
///         PS_ERR_STATE if too many workers in a row have died (ps_preloader_set_limits); PS_ERR_CANCELLED if
///         the preloader was stopped; PS_ERR_SHUTDOWN if it was freed, or the supervisor closed;
///         PS_ERR_UNSUPPORTED if its protocol is not PS_PRELOADER_NATIVE; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_warm(
    preloader: *mut ps_preloader,
    supervisor: *mut ps_supervisor,
    timeout_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let object = convert::object::<Preloader, _>(preloader)?;
        object.warm(&host_of(supervisor)?, timeout_ms).map(|()| PS_OK)
    })
}

/// What the preloader may come to. Never blocks.
///
/// @param memory_bytes  how much memory of its own the preloader's process may have, resident, neither of
///                      files nor shared (RssAnon of proc_pid_status(5)); 0 (default): any. It is looked at
///                      after each birth. One that has more is replaced, as by ps_preloader_reload, as soon as
///                      no birth is under way; the next worker that is asked for starts the next one. So a
///                      limit below what the application itself needs starts it anew for every few workers
/// @param dead_births   so many workers in a row that died before they were ready, or were late once they had
///                      said that they are there, and none is forked any more: workers that are asked for fail
///                      with PS_ERR_STATE until ps_preloader_reload or ps_preloader_stop. 0 (default):
///                      no matter how many
/// @return PS_OK; PS_ERR_UNSUPPORTED if the preloader's protocol is not PS_PRELOADER_NATIVE; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_set_limits(
    preloader: *mut ps_preloader,
    memory_bytes: u64,
    dead_births: u32,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(preloader, error, |object: &Preloader| object.set_limits(memory_bytes, dead_births))
}

/// The worker's description: NULL says nothing.
fn asked<T>(
    preloader: *mut ps_preloader,
    supervisor: *mut ps_supervisor,
    worker: *const ps_command,
    start: impl FnOnce(
        &Preloader,
        Host,
        Option<(&std::sync::Arc<crate::process::command::Command>, &crate::preloader::session::Arguments)>,
    ) -> crate::error::Result<T>,
) -> crate::error::Result<T> {
    let object = convert::object::<Preloader, _>(preloader)?;
    let host = host_of(supervisor)?;
    if worker.is_null() {
        return start(&object, host, None);
    }
    let (command, session) = described(worker)?;
    start(&object, host, Some((&command, &session)))
}

/// Starts a worker through the preloader, and waits until it is ready. The preloader is started if it does
/// not run. If it dies over the command it is stopped, started once more, and asked once more, with a work
/// directory of its own; an answer that says that it failed, one that cannot be understood, and none in time
/// are not tried again.
///
/// Of a native preloader: its worker waits in code of this library, before an instruction of the application
/// runs, until it is proven (by the kernel's word on who speaks on a channel of its own, as a child of this
/// process or a descendant of the preloader, of the preloader's user, nobody else of ours), in the registry,
/// and its supervisor's. Where the preloader forks siblings (PS_FORK_SIBLING) it is this process's own child,
/// and how it ended is known first-hand; else as below. It leads a group of its own, has no sockets, and is
/// ready when it says so (ps_worker_ready). The preloader, or a newborn, that dies over it is tried once more;
/// a refusal to fork (threads, which are named) is not: PS_ERR_STATE.
///
/// Every other worker is the preloader's child, and yet a child as any other: signalled alone, for the group
/// that it is in may be its preloader's; how it ended is told as far as the kernel tells it (see ps_reap).
///
/// Of Passenger's protocol: the process that the preloader names must be proven, by the kernel's word on who
/// has answered, or as a descendant of the preloader that was born since; it must be the right user's, alive,
/// and nobody else of ours. It waits at the opening of its standard input until all that is done and kill-all
/// would find it.
///
/// Blocks for timeout_ms at the most (and a little while longer after a failure, until the process is dead),
/// a place in line and the start of the preloader included, and looks after the supervisor's other children
/// meanwhile. After an error nothing is left of the worker. The error has the journey (that of the
/// preloader's start where that failed), what the preloader and the process have written down of themselves,
/// and the output.
///
/// @param preloader   the preloader
/// @param supervisor  who looks after the worker, as for ps_spawn; NULL: the default supervisor
/// @param worker      what the worker is beside what the preloader makes of it: arguments of its session
///                    (ps_command_session, over those of the preloader; not of a native one), stop plan,
///                    deadline, capture, lines, user data. What only the maker of a process can give it
///                    (users, limits, descriptors, files, control groups), and a restart policy, is refused;
///                    its program is not looked at. A native preloader's worker also gets standard streams
///                    (null, a pipe, a descriptor), an input and passed descriptors (ps_command_pass_fd), 249
///                    at most, before its application goes on: where nothing is said of it, stream 0 is the
///                    preloader's own, and of 1 and 2 the last 64 KiB are kept. NULL: nothing
/// @param timeout_ms  milliseconds, more than 0 (PS_ERR_INVALID_ARGUMENT); -1: 90 000
/// @param out         receives the handle; free it with ps_worker_free
/// @return PS_OK; PS_ERR_TIMEOUT if it was not ready in time; PS_ERR_EXITED if it, or twice the preloader, has
///         ended before; PS_ERR_ABORTED if one of them has said that it failed; PS_ERR_PROTOCOL if what one of
///         them says makes no sense, or it speaks no common version; PS_ERR_PEER_REJECTED if the process that
///         was named is not the worker, or somebody else listens or speaks in the preloader's place;
///         PS_ERR_INVALID_ARGUMENT (an argument of the session or the command; another application than the
///         preloader's); PS_ERR_NOT_FOUND (the program, or the directory for sockets, by its name);
///         PS_ERR_PERMISSION, PS_ERR_LIMIT, PS_ERR_SYSTEM, PS_ERR_STATE, PS_ERR_OUTPUT_EXISTS;
///         PS_ERR_UNSUPPORTED where a filter lets nobody be proven to be anybody, or no signal reach a worker;
///         PS_ERR_CANCELLED if the worker was called off, or the preloader stopped; PS_ERR_SHUTDOWN if the
///         supervisor was closed, or the preloader freed; PS_ERR_BUDGET_EXHAUSTED, PS_ERR_IN_PROGRESS of the
///         preloader's budget; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_spawn(
    preloader: *mut ps_preloader,
    supervisor: *mut ps_supervisor,
    worker: *const ps_command,
    timeout_ms: i64,
    out: *mut *mut ps_worker,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        asked(preloader, supervisor, worker, |object, host, described| {
            make(out, |register: &mut dyn FnMut(&std::sync::Arc<Managed>) -> u64| -> crate::error::Result<Worker> {
                object.spawn(host, described, timeout_ms, register)
            })
        })
    })
}

/// Begins to start a worker through the preloader: as ps_preloader_spawn, but it blocks only as ps_spawn does
/// (for the exec of a preloader that is to be started, and not at all where the worker stands in line), and
/// the time counts from when its turn at the supervisor has come. Events are those of ps_spawn_direct_begin,
/// and ps_worker_wait has the whole error. Many may be under way at once, from any thread and under any
/// supervisor: the commands to the preloader are said one after the other, the workers get ready side by
/// side.
///
/// @param preloader, supervisor, worker, timeout_ms, out  as for ps_preloader_spawn
/// @return as ps_preloader_spawn, where it is known at once
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_spawn_begin(
    preloader: *mut ps_preloader,
    supervisor: *mut ps_supervisor,
    worker: *const ps_command,
    timeout_ms: i64,
    out: *mut *mut ps_worker,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        asked(preloader, supervisor, worker, |object, host, described| {
            make(out, |register: &mut dyn FnMut(&std::sync::Arc<Managed>) -> u64| -> crate::error::Result<Worker> {
                object.begin(host, described, timeout_ms, register)
            })
        })
    })
}

/// The application has changed: from this call on no worker is taken from a process that was started before
/// it. That process is asked to go (see ps_preloader_stop); the next worker that is asked for, or one that is
/// under way and not born yet, starts the next one; where there is a pool (ps_preloader_set_pool), it is
/// started at once. Workers that are there live on: their generation tells. Never blocks, but for the exec of
/// a preloader.
///
/// @return PS_OK; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_reload(preloader: *mut ps_preloader, error: *mut *mut ps_error) -> ps_status {
    shapes::grow(preloader, error, |object: &Preloader| object.reload())
}

/// A worker becomes the next preloader: one that has served for a while has loaded, compiled and cached what a
/// fresh process has not, and what is forked from it shares that. Only for PS_PRELOADER_NATIVE.
///
/// The worker is told (PS_ASKED_PROMOTE of ps_worker_asked): it ends what it has under way and says
/// ps_preload_ready, which looks for threads there, in the process that will fork; it may collapse its pages
/// again, once. From then on workers are forked from it, of the next generation. The preloader before stays
/// until the first of them is ready, and serves again if the new one ends before that, or if too many of its
/// workers die (ps_preloader_set_limits). The workers that wait in the pool are those of the old one until the
/// new ones are there.
///
/// A promotion that fails leaves all as it was, and kills nobody: a worker that is late, has threads, or says
/// no (ps_preload_failed) serves on, and may be asked again. Its process stays the child of its supervisor,
/// with its handle and events: whoever ends it ends the preloader, and ps_preloader_stop and
/// ps_preloader_free end it as any other.
///
/// Blocks until it is the preloader, for timeout_ms at the most (and a second while another thread has the
/// preloader in hand), and looks after the other children of the worker's supervisor meanwhile.
///
/// @param worker      a worker of this preloader that is ready
/// @param timeout_ms  milliseconds; -1: for ever
/// @return PS_OK: it is; PS_ERR_TIMEOUT: it was not ready to fork in time; PS_ERR_STATE: it has other threads,
///         which the error names, or is not ready, or was born of what was replaced since
///         (ps_preloader_reload), or there is no preloader that could stay meanwhile; PS_ERR_ABORTED: it has
///         said no, and why; PS_ERR_EXITED: it has ended; PS_ERR_IN_PROGRESS: another promotion is under way,
///         or has borne no worker yet; PS_ERR_CANCELLED: the preloader was reloaded, stopped or freed
///         meanwhile, or has ended; PS_ERR_LIMIT: it has not looked at the last one that it was asked for, or
///         there are no descriptors; PS_ERR_PROTOCOL: what it says makes no sense; PS_ERR_UNSUPPORTED: another
///         protocol, or it cannot know whether it has threads; PS_ERR_INVALID_ARGUMENT: a worker of another
///         preloader, a time; PS_ERR_SHUTDOWN if the supervisor was closed; PS_ERR_SYSTEM; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_promote(
    preloader: *mut ps_preloader,
    worker: *mut ps_worker,
    timeout_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(preloader, error, |object: &Preloader| {
        let worker = convert::object::<WorkerObject, _>(worker)?;
        object.promote(&worker.worker, timeout_ms)
    })
}

/// The generation of the preloader's last process: 0 before the first one, one more with each. Never blocks,
/// also while a worker is being started.
///
/// @return PS_OK; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_generation(
    preloader: *const ps_preloader,
    generation: *mut u32,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::value(preloader, "generation", generation, error, |object: &Preloader| object.generation())
}

/// The process id of the preloader, for display; 0 if it does not run. Never blocks, also while a worker is
/// being started. (That it has ended is known after a look of a supervisor that has spawned through it.)
///
/// @return PS_OK; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_pid(preloader: *const ps_preloader, pid: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(preloader, "pid", pid, error, |object: &Preloader| object.pid())
}

/// When the preloader was used last, nanoseconds of CLOCK_MONOTONIC; before the first use, when it was made.
/// Never blocks, also while a worker is being started.
///
/// @return PS_OK; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_last_used(preloader: *const ps_preloader, time_ns: *mut i64, error: *mut *mut ps_error) -> ps_status {
    shapes::value(preloader, "time_ns", time_ns, error, |object: &Preloader| object.last_used())
}

/// Stops the preloader: its standard input, or its channel, is closed, which asks it to go; when it has not
/// gone by the end of the grace it is killed (it alone; a native one as any child, with its group). Its socket
/// is removed, if it is still there. Its workers live on; those that are not born yet fail (PS_ERR_CANCELLED),
/// and those that wait in a pool end. The next one that is asked for starts it again.
///
/// Blocks until it is reaped, for the grace and two seconds at the most.
///
/// @param grace_ms  milliseconds; -1: 5 000
/// @return PS_OK, also if it does not run; PS_ERR_TIMEOUT if it is there even so; PS_ERR_INVALID_ARGUMENT;
///         PS_ERR_LIMIT if there is no descriptor to wait by; PS_ERR_SYSTEM; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_stop(preloader: *mut ps_preloader, grace_ms: i64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(preloader, error, |object: &Preloader| object.stop(grace_ms))
}

/// Stops the preloader for good, as ps_preloader_stop does, and frees it. Blocks for a second, and a moment
/// after a kill, at the most. Workers live on, with their handles; those that are not born yet fail
/// (PS_ERR_SHUTDOWN). NULL and freed handles are harmless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preloader_free(preloader: *mut ps_preloader) {
    shapes::free(preloader, |object: std::sync::Arc<Preloader>| object.close());
}
