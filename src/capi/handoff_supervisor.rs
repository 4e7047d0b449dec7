//! `ps_handoff_supervisor`: a process beside the generations of a server.

use core::ffi::{CStr, c_char};
use core::mem::offset_of;
use std::ffi::OsStr;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::command::{current, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, acquire, call, quiet};
use super::outcome::{ps_outcome, rendered};
use super::{convert, handles, ps_status, shapes};
use crate::error::Error;
use crate::handoff::supervisor::{HandoffSupervisor, Happened};
use crate::supervisor;

/// A supervisor of a handoff, in a process of its own: it starts the first generation of a server, has it
/// replaced, and starts another one when none is left.
pub struct ps_handoff_supervisor {
    _private: [u8; 0],
}

pub use crate::handoff::supervisor::HealthKind as ps_health_kind;
pub use crate::handoff::supervisor::Protocol as ps_handoff_protocol;

/// Makes a supervisor. Nothing is started or looked for yet: ps_handoff_supervisor_start does the one, for a
/// service that does not run, ps_handoff_supervisor_recover the other, after a restart of this process. The
/// functions without ps_ are yours:
///
/// ```c
/// #include <procsup.h>
/// #include <stdlib.h>
/// #include <unistd.h>
///
/// int bind_and_listen(void);
/// void fail(ps_error *error);                         // says why, and exits
///
/// void supervise(const char *control_path, ps_command *command) {
///   ps_handoff_supervisor *supervisor = NULL;
///   ps_error *error = NULL;
///
///   if (ps_handoff_supervisor_new(control_path, &supervisor, &error) != PS_OK)
///     fail(error);
///   ps_status found = ps_handoff_supervisor_recover(supervisor, &error);
///   if (found == PS_ERR_NOT_FOUND) {                  // nobody serves, and nothing is held
///     ps_error_free(error);
///     error = NULL;
///     int fd = bind_and_listen();
///     found = ps_handoff_supervisor_listener(supervisor, "http", fd, &error);
///     close(fd);                                      // it has a duplicate
///   }
///   int32_t pid;
///   if (found == PS_OK && ps_handoff_supervisor_owner(supervisor, &pid, NULL, NULL) != PS_OK)
///     found = ps_handoff_supervisor_start(supervisor, command, &error);
///   if (found != PS_OK)
///     fail(error);
///
///   for (;;) {                                        // or ps_handoff_supervisor_fd in an event loop
///     ps_handoff_supervisor_event event = {.size = sizeof event};
///     ps_status status = ps_handoff_supervisor_next_event(supervisor, -1, &event, &error);
///     if (status == PS_PENDING)
///       continue;                                     // a signal handler of yours has run
///     if (status != PS_OK)
///       fail(error);
///     if (event.kind != PS_HANDOFF_SUPERVISOR_GAVE_UP)
///       continue;
///     if (event.reason != PS_ERR_NOT_FOUND)
///       exit(1);                                      // whoever watches this process has to see to it
///     if (ps_handoff_supervisor_start(supervisor, command, &error) != PS_OK)
///       fail(error);                                  // who was found has ended: its command is yours
///   }
/// }
/// ```
///
/// It is an observer that can help, and never one that must: the generations hand over to each other as they
/// do without it. So its crash, its hang, its stop and its restart at any moment change nothing for them or
/// for their clients; its own program is replaced by ending it and starting the new one, which recovers.
///
/// What it holds: duplicates of the listeners (ps_handoff_supervisor_listener, or fetched from the generation
/// that serves), which it gives to each generation by LISTEN_FDS and LISTEN_FDNAMES, so that one that finds
/// nobody before it starts with them and no connection is refused meanwhile. A successor that takes over gets
/// them from the running generation as well (ps_handoff_take_fd); it should prefer those.
///
/// A generation that it has started is a child of this process like any other until it may own: then it
/// leaves what ps_kill_and_reap_all ends, for it has to outlive this process. To end it there is
/// ps_handoff_supervisor_stop. So commands are as for ps_handoff_upgrade: nothing may tie the child to this
/// process (PS_ERR_INVALID_ARGUMENT).
///
/// Costs a descriptor for each listener, three for its event loop, and up to four more. Never blocks.
///
/// @param control_path  as for ps_handoff_new: where the generations meet. NULL only for
///                      PS_HANDOFF_PROTOCOL_NOTIFY
/// @param supervisor    receives the handle; free it with ps_handoff_supervisor_free
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the path is too long for a socket or names no file;
///         PS_ERR_NOT_FOUND if it is relative and there is no working directory any more; PS_ERR_LIMIT if
///         descriptors are not to be had
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_new(
    control_path: *const c_char,
    supervisor: *mut *mut ps_handoff_supervisor,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let path = unsafe { convert::optional(control_path) }.map(|path| Path::new(OsStr::from_bytes(path.to_bytes())));
        // First, as with a handoff: what is opened now must not get a number that a forked copy is about to give back.
        supervisor::succeed()?;
        shapes::put("supervisor", supervisor, || {
            handles::make_room()?;
            let made = Arc::new(HandoffSupervisor::new(path)?);
            let handle = handles::insert(made.clone())?;
            made.set_name(handle);
            Ok(convert::to_pointer(handle))
        })
    })
}

/// Frees the supervisor. The generation that serves goes on, with nobody to start another in its place, and
/// stays a child of this process, which has nobody to reap it from then on; what is held here is closed. A
/// successor under way that owns nothing is killed and reaped (blocks at most 5 seconds for that), one that
/// may own goes its own way. Waits of other threads end with PS_ERR_SHUTDOWN.
///
/// In a process that was forked from this one, without an exec, it closes what that copy has inherited, which
/// is felt by nobody. NULL and a freed handle do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_handoff_supervisor_free(supervisor: *mut ps_handoff_supervisor) {
    let handle = supervisor.addr() as u64;
    if handles::is_inherited(handle) {
        return quiet(|| HandoffSupervisor::give_back(handle));
    }
    shapes::free(supervisor, |object: Arc<HandoffSupervisor>| {
        object.close();
        HandoffSupervisor::forget_name(handle);
    });
}

/// Holds a listener for the generations to come: each gets it by LISTEN_FDS, under this name in
/// LISTEN_FDNAMES. It is a duplicate: `fd` stays yours, and may be closed. It is never bound anew, shut down
/// or changed. From then on clients are not refused while no generation serves: they wait in its queue. May
/// be called at any time; it counts for the generations that are started after it. Never blocks.
///
/// @param name  1 to 255 printable ASCII characters without a colon; copied
/// @param fd    a socket that listens, or one for datagrams
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the name is none or taken, or `fd` is not such a socket;
///         PS_ERR_LIMIT if 252 are held, or descriptors are not to be had
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_listener(
    supervisor: *mut ps_handoff_supervisor,
    name: *const c_char,
    fd: i32,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(supervisor, error, |object: &HandoffSupervisor| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let name: &CStr = unsafe { convert::string("name", name) }?;
        object.listener(name, fd)
    })
}

/// How generations are replaced. To be set before ps_handoff_supervisor_start and _recover. Never blocks.
///
/// With PS_HANDOFF_PROTOCOL_V1 this process stands in the middle, by that protocol: from the end of the old
/// generation's drain until the new one is ready nobody serves unless it goes on. So it is to call for events
/// promptly. If it ends, at any step, one of the two serves on; if it stands still (SIGSTOP) both wait for it.
/// docs/reference/handoff-v1.md has what is spoken, and what is done otherwise than in the crate.
///
/// @param protocol  a PS_HANDOFF_PROTOCOL_*
/// @return PS_OK; PS_ERR_STATE if a generation was started or looked for already
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_protocol(
    supervisor: *mut ps_handoff_supervisor,
    protocol: i32,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| {
        object.set_protocol(convert::choice("protocol", protocol, ps_handoff_protocol::from_repr)?)
    })
}

/// Keeps a journal in this file, for a supervisor that comes after this one (ps_handoff_supervisor_recover).
/// To be set before ps_handoff_supervisor_start and _recover. Never blocks for the disk: it is written whole
/// or not at all, and not flushed, for after a loss of power nobody is left that it could tell of.
///
/// PS_HANDOFF_PROTOCOL_NATIVE needs none: who owns is asked of the owner. With _NOTIFY it tells who serves,
/// who is on trial and who was sent away, each by marks that the kernel gives to one process only, and the
/// listeners: without it a restarted supervisor knows of no daemon. With _V1 it is the file of the crate,
/// and tells how far a replacement was. What lies at the path and is no journal gets another name (.corrupt)
/// before it is written.
///
/// One that cannot be written (a full disk) is an error of nobody: what lies there then tells of an earlier
/// time. With _NOTIFY that is tried again each second, and counted (ps_handoff_supervisor_metrics).
///
/// @param path  in a directory of the service's user; copied
/// @return PS_OK; PS_ERR_STATE if a generation was started or looked for already; PS_ERR_NOT_FOUND if it is
///         relative and there is no working directory any more; PS_ERR_INVALID_ARGUMENT if it is NULL or
///         empty, or names no file
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_journal(
    supervisor: *mut ps_handoff_supervisor,
    path: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let path = unsafe { convert::string("path", path) }?.to_bytes();
        if path.is_empty() {
            return Err(Error::invalid("path", "path is empty"));
        }
        object.set_journal(Path::new(OsStr::from_bytes(path)))
    })
}

/// What the generations to come are known by in records (ps_outcome), unless they say their own. Never blocks.
///
/// @param build_id  1 to 64 printable ASCII characters; copied
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_build_id(
    supervisor: *mut ps_handoff_supervisor,
    build_id: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let build_id = unsafe { convert::string("build_id", build_id) }?;
        object.set_build_id(build_id.to_str().map_err(|_| Error::invalid("build_id", "build_id: 1 to 64 printable ASCII characters"))?)
    })
}

/// What is asked of a new generation that is ready before the old one goes, where the protocol leaves that to
/// the supervisor (PS_HANDOFF_PROTOCOL_NOTIFY). It is asked again until the answer is good, and has failed
/// when none was for `timeout_ms`; also during the probation. Of an HTTP answer the status counts, and no more
/// than 1 KiB is read. Counts at once. Never blocks.
///
/// BOTH GENERATIONS ACCEPT at the listeners that they share: whoever asks there is answered by either. To
/// learn something of the new one alone, ask where nobody else is: "%p" in the detail is its process id, as in
/// "unix:/run/app/%p.sock"; or use a command (ps_handoff_supervisor_set_health_command).
///
/// @param kind        a PS_HEALTH_*
/// @param detail      PS_HEALTH_SOCKET: unix:/path or tcp:host:port; PS_HEALTH_HTTP: http://host:port/path,
///                    the host a number or localhost (names are not looked up); else NULL. Copied
/// @param timeout_ms  until it must have been found healthy; 0: 5000
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_health(
    supervisor: *mut ps_handoff_supervisor,
    kind: i32,
    detail: *const c_char,
    timeout_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| {
        let kind = convert::choice("kind", kind, ps_health_kind::from_repr)?;
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let detail = unsafe { convert::optional(detail) };
        let text = detail.map(|detail| detail.to_str().map_err(|_| Error::invalid("detail", "detail: it is not UTF-8"))).transpose()?;
        object.set_health(kind, text, timeout_ms)
    })
}

/// The same by a command: 0 is healthy, any other end is not, nor is one that has not ended in time, which is
/// killed. It is started anew for each look, with the process id of the generation it is to look at in
/// PS_HEALTH_PID, and which generation that will be in PS_HEALTH_GENERATION. Never blocks.
///
/// @param command     copied
/// @param timeout_ms  until one must have ended with 0; 0: 5000
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if the timeout is negative
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_health_command(
    supervisor: *mut ps_handoff_supervisor,
    command: *const ps_command,
    timeout_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| object.set_health_command(current(command)?, timeout_ms))
}

/// How long a new generation must live and be healthy before the old one is stopped, where the protocol leaves
/// that to the supervisor (PS_HANDOFF_PROTOCOL_NOTIFY). It comes on top of the deadline of a replacement. If
/// the old one ends meanwhile, the new one is committed at once: nobody is left to go back to. With the others
/// the generations say so themselves (PS_HANDOFF_TIMEOUT_PROBATION). Never blocks.
///
/// @param ms  milliseconds; 0: not at all, the default
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_probation(
    supervisor: *mut ps_handoff_supervisor,
    ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| object.set_probation(ms))
}

/// How often another generation is started in the place of one that has ended by itself, whatever its exit
/// code: with the command of the last one that has served. Beyond that PS_HANDOFF_SUPERVISOR_GAVE_UP is told.
/// What was counted before is forgotten. Never blocks.
///
/// @param max_attempts  so many starts in a window; 0: never. Default 3
/// @param window_ms     0: 30 000, the default
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if `window_ms` is negative
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_set_restart(
    supervisor: *mut ps_handoff_supervisor,
    max_attempts: u32,
    window_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| object.set_restart(max_attempts, window_ms))
}

/// Starts the first generation; PS_HANDOFF_SUPERVISOR_STARTED and, when it serves, _SERVING follow. Also after
/// _STOPPED and _GAVE_UP. A generation that runs already at the path, and that this supervisor does not know,
/// is taken over from by what is started: call ps_handoff_supervisor_recover first.
///
/// Blocks for the spawn only (see ps_spawn).
///
/// @param command  copied; it is used again for a generation in the place of this one
/// @return PS_OK; PS_ERR_STATE if a generation runs, or is being started or looked for;
///         PS_ERR_INVALID_ARGUMENT if the command would tie its child to this process, or the protocol needs a
///         control path and has none; what ps_spawn answers
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_start(
    supervisor: *mut ps_handoff_supervisor,
    command: *const ps_command,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(supervisor, error, |object: &HandoffSupervisor| object.start(current(command)?))
}

/// Has the generation that serves replaced by another: PS_HANDOFF_SUPERVISOR_STARTED, any number of _PROGRESS,
/// and _COMMITTED or _ABORTED follow. The old generation serves until then, and on after an _ABORTED.
///
/// Blocks for the spawn only (see ps_spawn).
///
/// @param command      copied; once it has served, it is used again for a generation in the place of this one
/// @param deadline_ms  for all of it until the commit; 0: 300 000
/// @param drain_ms     for the end of the old generation's background work (its answer to PS_HANDOFF_DRAIN);
///                     0: 60 000
/// @return PS_OK; PS_ERR_STATE if no generation serves that this supervisor knows of; PS_ERR_IN_PROGRESS if
///         one is being replaced already (with PS_HANDOFF_PROTOCOL_NOTIFY until the old one has ended), or the
///         successor of one that came to nothing has not ended yet: at
///         _ABORTED it may still be on its way out, and the descriptor is readable when it is gone, with or
///         without an event. Try again then; PS_ERR_INVALID_ARGUMENT if a time is negative, or the command
///         would tie its child to this process; with PS_HANDOFF_PROTOCOL_V1 PS_ERR_NOT_FOUND if nobody
///         listens at the control path and PS_ERR_PEER_REJECTED if another user does; with _NOTIFY
///         PS_ERR_NOT_FOUND if a generation that was found has a listener that is not held here; what
///         ps_spawn answers: then nothing has changed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_replace(
    supervisor: *mut ps_handoff_supervisor,
    command: *const ps_command,
    deadline_ms: i64,
    drain_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(supervisor, error, |object: &HandoffSupervisor| object.replace(current(command)?, deadline_ms, drain_ms))
}

/// Calls the replacement off. It is a wish: whether the commit was first, the events say
/// (PS_HANDOFF_SUPERVISOR_ABORTED or _COMMITTED). Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if none is under way
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_cancel(supervisor: *mut ps_handoff_supervisor, error: *mut *mut ps_error) -> ps_status {
    shapes::change(supervisor, error, HandoffSupervisor::cancel)
}

/// Ends the generation: by its command's stop plan (with PS_HANDOFF_PROTOCOL_NOTIFY also one that was found,
/// whose plan the journal has), or, if this process has not started it, by the default one (SIGTERM, then
/// SIGKILL). A replacement under way is called off first. No other generation is started in its place.
/// PS_HANDOFF_SUPERVISOR_STOPPED follows; the listeners are still held. Never blocks.
///
/// @param grace_ms  in the place of the plan's first wait; -1: as the plan has it (2000 by default)
/// @return PS_OK, also if it is being stopped already; PS_ERR_STATE if no generation runs that this supervisor
///         knows of; PS_ERR_PERMISSION if this process may not end it, and nothing has changed;
///         PS_ERR_UNSUPPORTED if a filter refuses pidfd_send_signal, and it is no child of this process;
///         PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_stop(
    supervisor: *mut ps_handoff_supervisor,
    grace_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(supervisor, error, |object: &HandoffSupervisor| object.stop(grace_ms))
}

/// After a restart of this process: finds the generation that serves, with its listeners and its identity.
/// PS_HANDOFF_SUPERVISOR_SERVING is told of who is found.
///
/// | protocol | who serves | its listeners |
/// |----------|------------|---------------|
/// | _NATIVE  | the owner itself says it, at the control path | from the owner; if there is none, LISTEN_FDS |
/// | _NOTIFY  | the journal, as far as it is proven | LISTEN_FDS; else from the process itself |
/// | _V1      | the kernel says who answers at the control path | LISTEN_FDS |
///
/// What the application has given before (ps_handoff_supervisor_listener) counts before all of these.
/// LISTEN_FDS is what this process's own starter has kept for it (systemd's descriptor store, FDSTORE=1 with
/// FDNAME=: see ps_notify_fds): its sockets are duplicated by their names, of several with one name the
/// first; the numbers stay as they are, and yours. From a process itself they are taken by pidfd_getfd(2)
/// (Linux 5.6, with the right to trace it), and only the very sockets that it was given. With _NOTIFY they
/// are given on in the order in which it has them. Nothing is bound anew.
///
/// IDENTITY. A process of the journal counts if the kernel proves it to be the one: by the file handle of
/// its pidfd (Linux 6.14), by its inode (6.9), by its start time, in the same boot and, but for the handle,
/// the same pid namespace. Nobody else is ever signalled, or followed. Who may serve by it and cannot be
/// proven (a filter forbids pidfd_open) ends the recovery with PS_ERR_UNSUPPORTED. A journal that is torn or
/// garbled, and one that others than this user and root can have written, changes nothing. (With _V1 nothing
/// is decided by a journal; one that is none is told as an outcome.)
///
/// A replacement that was under way goes on by itself with _NATIVE and _V1; its record is there when it has
/// ended. With _NOTIFY nobody has seen its trial: its successor is ended, unless the old one is gone and it
/// was ready; who was sent away is stopped again when its time is over. Nobody hears any more what a daemon
/// says that was found (its watchdog), until it is replaced. How it ends is told
/// (PS_HANDOFF_SUPERVISOR_OWNER_ENDED) with code or signal, though it is nobody's child here, if its parent
/// has not reaped it or the kernel keeps its status (Linux 6.15); one that has ended meanwhile is told of at
/// once if nobody has reaped it, and else is nobody.
///
/// The command of the generation is not known: if it ends, PS_HANDOFF_SUPERVISOR_GAVE_UP with
/// PS_ERR_NOT_FOUND asks for a ps_handoff_supervisor_start, until a generation of this supervisor's own has
/// served.
///
/// Blocks at most 5 seconds, while an owner answers nobody (in a probation).
///
/// @return PS_OK: somebody serves (ps_handoff_supervisor_owner), or nobody does and listeners are held: then
///         start; PS_ERR_NOT_FOUND if nothing runs and nothing is held: then start, too; PS_ERR_TIMEOUT if
///         somebody listens at the path, or has its lock, and does not answer; PS_ERR_STATE if a generation
///         was started or found already; PS_ERR_PEER_REJECTED if the owner does not admit this process, or is
///         another user; PS_ERR_INVALID_ARGUMENT if the protocol needs a control path and has none;
///         PS_ERR_PROTOCOL if LISTEN_FDS is not what it says; PS_ERR_LIMIT if descriptors or memory are not to
///         be had; with _NOTIFY PS_ERR_UNSUPPORTED if who serves cannot be proven, PS_ERR_PROTOCOL if the
///         journal is none, PS_ERR_PERMISSION if it may be somebody else's, or cannot be read
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_recover(supervisor: *mut ps_handoff_supervisor, error: *mut *mut ps_error) -> ps_status {
    shapes::grow(supervisor, error, HandoffSupervisor::recover)
}

/// Who owns, as far as this supervisor knows. Never blocks.
///
/// @param pid         receives its pid, for display
/// @param generation  receives its generation, 0 if the protocol has none; or NULL
/// @return PS_OK; PS_ERR_NOT_FOUND if none is known to serve
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_owner(
    supervisor: *const ps_handoff_supervisor,
    pid: *mut i32,
    generation: *mut u64,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<HandoffSupervisor, _>(supervisor)?;
        let place = convert::out("pid", pid)?;
        let (owner, number) = object.owner()?;
        // SAFETY: not null, or looked at; valid by the caller's contract.
        unsafe {
            *place = owner;
            if !generation.is_null() {
                *generation = number;
            }
        }
        Ok(PS_OK)
    })
}

/// What came of a replacement that is over, as ps_handoff_outcome of the generations tells it: the owner's own
/// record, also of handoffs that this supervisor has not asked for; or, where no owner could tell (both ended,
/// or it is of an older release), what was seen here. The last 16 are kept, and a supervisor that comes later
/// gets those of the owner. Never blocks.
///
/// @param index    0: the last one, 1: the one before, up to 15
/// @param outcome  receives it (set outcome->size first)
/// @return PS_OK; PS_ERR_NOT_FOUND if no more are on record
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_outcome(
    supervisor: *const ps_handoff_supervisor,
    index: u32,
    outcome: *mut ps_outcome,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::structure(supervisor, "outcome", outcome, ps_outcome::LEAST, error, |object: &HandoffSupervisor, size| {
        Ok(Some(ps_outcome::of(size, &object.outcome(index)?)))
    })
}

/// The same in words, as ps_handoff_outcome_text. Never blocks.
///
/// @param index             as in ps_handoff_supervisor_outcome
/// @param format            PS_RENDER_TEXT, PS_RENDER_JSON or PS_RENDER_HTML
/// @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
/// @return PS_OK; PS_ERR_NOT_FOUND if no more are on record; PS_ERR_LIMIT if the buffer is too small;
///         PS_ERR_INVALID_ARGUMENT for another format
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_outcome_text(
    supervisor: *const ps_handoff_supervisor,
    index: u32,
    format: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(supervisor, buf, cap, needed, error, |object: &HandoffSupervisor| rendered(&object.outcome(index)?, format))
}

/// Counters of this supervisor, in Prometheus' text format (names begin with handoff_): generations,
/// replacements that were done and those that came to nothing by reason, how long they took, the gap of the
/// last one, who owns, how often the journal could not be written. Never blocks.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_metrics(
    supervisor: *const ps_handoff_supervisor,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(supervisor, buf, cap, needed, error, HandoffSupervisor::metrics)
}

/// A descriptor for an event loop: readable while ps_handoff_supervisor_next_event has something to do. It
/// stays the supervisor's; do not close it. Never blocks.
///
/// @param fd  receives it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_fd(
    supervisor: *const ps_handoff_supervisor,
    fd: *mut i32,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::value(supervisor, "fd", fd, error, |object: &HandoffSupervisor| Ok(object.fd()?.as_raw_fd()))
}

pub use crate::handoff::supervisor::EventKind as ps_handoff_supervisor_event_kind;

/// Something has happened. What does not belong to its kind is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_handoff_supervisor_event {
    /// Set by the caller: sizeof(ps_handoff_supervisor_event).
    pub size: u32,
    /// A PS_HANDOFF_SUPERVISOR_*. Ignore those that you do not know: none of them awaits an answer.
    pub kind: i32,
    /// Which handoff: the same number as in the generations' own events.
    pub handoff_id: u64,
    /// Of whom, for display.
    pub pid: i32,
    /// The other one, for display.
    pub peer_pid: i32,
    /// Which generation owns by it.
    pub generation: u64,
    /// PS_HANDOFF_SUPERVISOR_PROGRESS: a PS_HANDOFF_PHASE_*, of the old generation.
    pub phase: i32,
    /// Why, a PS_ERR_*.
    pub reason: i32,
    /// How it ended: its exit code.
    pub exit_code: i32,
    /// The signal that ended it, or 0.
    pub exit_signal: i32,
    /// When it was heard of, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
    /// Means nothing in this version: 0.
    pub reserved: u64,
}

fn fill_event(size: u32, told: &Happened) -> ps_handoff_supervisor_event {
    ps_handoff_supervisor_event {
        size,
        kind: told.kind as i32,
        handoff_id: told.handoff_id,
        pid: told.pid,
        peer_pid: told.peer_pid,
        generation: told.generation,
        phase: told.phase,
        reason: told.reason as i32,
        exit_code: told.exit_code,
        exit_signal: told.exit_signal,
        time_ns: told.time_ns,
        reserved: 0,
    }
}

/// The next event; also does all the work that is due, so call it whenever the descriptor is readable, until
/// PS_PENDING. A start that follows from what is found is made within it (see ps_spawn).
///
/// At most 256 events are kept; of those that nobody takes the oldest PS_HANDOFF_SUPERVISOR_PROGRESS goes
/// first.
///
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
///                    host ends the wait (see SIGNALS, at the top)
/// @param event       receives it (set event->size first)
/// @return PS_OK; PS_PENDING if there is none (yet); PS_ERR_SHUTDOWN if the supervisor is freed meanwhile
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_supervisor_next_event(
    supervisor: *mut ps_handoff_supervisor,
    timeout_ms: i64,
    event: *mut ps_handoff_supervisor_event,
    error: *mut *mut ps_error,
) -> ps_status {
    let least = offset_of!(ps_handoff_supervisor_event, time_ns) + size_of::<i64>();
    shapes::event(supervisor, event, least, error, |object: &HandoffSupervisor, size| {
        Ok(object.next_event(timeout_ms)?.map(|told| fill_event(size, &told)))
    })
}
