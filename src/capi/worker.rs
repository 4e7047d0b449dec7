//! `ps_worker`: a process that serves, started directly or through a preloader.
//!
//! The trap: the handle of its child is there from the begin, for events carry it, and belongs to nobody until it is asked for. So a worker keeps
//! it, and whoever asks for it first owns it from then on.

use core::ffi::c_char;
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::child::{ps_child, ps_supervisor};
use super::command::{change_session, described, ps_command};
use super::error::{ps_error, ps_render_format};
use super::guard::{PS_OK, acquire, call};
use super::objects::WorkerObject;
use super::{convert, handles, ps_status, shapes};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::preloader::direct;
use crate::preloader::worker::Worker;
use crate::supervisor::{self, Host, Managed, Supervisor};

/// Sets an argument of the session of a worker that runs this command, by the reference's name (`app_type`,
/// `startup_file`, `base_uri`, ...) or any other, which is passed on as it is. Through a preloader it stands
/// over the preloader's own. What is wrong with them together is told when the worker is started. Never
/// blocks; the strings are copied.
///
/// @param name   the argument, at most 64 bytes; with ".json" behind it the value is any JSON
/// @param value  its value: "true" or "false", a number in digits, or a text, by the argument's type;
///               `environment_variables` is a JSON object, or base64 of NUL-separated names and values. NULL:
///               as if it had never been set
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for a name that is none (it becomes the name of a file), or a value
///         that is not of its type; PS_ERR_LIMIT beyond 256 of them
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_session(
    command: *mut ps_command,
    name: *const c_char,
    value: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    change_session(command, error, |session| {
        // SAFETY: NUL-terminated strings or null, by the caller's contract.
        let (name, value) = unsafe { (convert::string("name", name)?, convert::optional(value)) };
        let name = name.to_str().map_err(|_| Error::invalid("name", "name: it is no UTF-8"))?;
        let value = value.map(|value| value.to_str().map_err(|_| Error::invalid("value", "value: it is no UTF-8"))).transpose()?;
        session.set(name, value)
    })
}

/// A process that serves, or is on its way there.
pub struct ps_worker {
    _private: [u8; 0],
}

/// A handle that nobody has seen, or will ever ask for.
fn let_go(child: u64) {
    if let Some(managed) = handles::remove::<Managed>(child) {
        managed.let_go();
    }
}

/// Whoever looks after a worker.
pub(super) fn host_of(supervisor: *mut ps_supervisor) -> Result<Host> {
    if supervisor.is_null() { supervisor::default_host() } else { Ok(convert::object::<Supervisor, _>(supervisor)?.host()) }
}

/// The body of a call that makes a worker: `start` is given what registers its child.
pub(super) fn make(
    worker: *mut *mut ps_worker,
    start: impl FnOnce(&mut dyn FnMut(&Arc<Managed>) -> u64) -> Result<Worker>,
) -> Result<ps_status> {
    let place = convert::out("worker", worker)?;
    handles::make_room()?;
    let mut child = Ok(0);
    let mut register = |managed: &Arc<Managed>| {
        child = handles::insert(managed.clone());
        child.as_ref().copied().unwrap_or(0)
    };
    let started = start(&mut register);
    let (made, child) = match (started, child) {
        (Ok(made), Ok(child)) => (made, child),
        (Ok(made), Err(failed)) => {
            // No room for its handle: a child that nobody can name must not run.
            made.managed().undo();
            return Err(failed);
        }
        (Err(failed), child) => {
            let_go(child.unwrap_or(0));
            return Err(failed);
        }
    };
    match handles::insert(Arc::new(WorkerObject { worker: made, child, given: AtomicBool::new(false) })) {
        Ok(handle) => {
            // SAFETY: not null, and valid by the caller's contract.
            unsafe { *place = convert::to_pointer(handle) };
            Ok(PS_OK)
        }
        Err(failed) => {
            if let Some(managed) = handles::remove::<Managed>(child) {
                managed.undo();
                managed.let_go();
            }
            Err(failed)
        }
    }
}

/// Starts a worker by itself, with a session, and waits until it is ready: it has said so, or its port
/// answers. What it needs and what is done with it stands in the section above.
///
/// Blocks for timeout_ms at the most (and a little while longer after a failure, until the process is
/// reaped), a place in line included, and looks after the supervisor's other children meanwhile. After an
/// error nothing is left of it: its group is killed and reaped, its directories are removed. The error has
/// the journey, what the process has written down of itself, and its output.
///
/// @param supervisor  who looks after the worker, as for ps_spawn; NULL: the default supervisor
/// @param command     what to run, with the arguments of ps_command_session
/// @param timeout_ms  milliseconds, more than 0 (PS_ERR_INVALID_ARGUMENT); -1: 90 000
/// @param worker      receives the handle; free it with ps_worker_free
/// @return PS_OK; PS_ERR_TIMEOUT if it was not ready in time; PS_ERR_EXITED if it has ended before;
///         PS_ERR_ABORTED if it has said that it failed; PS_ERR_PROTOCOL if what it says of its sockets is
///         wrong; PS_ERR_INVALID_ARGUMENT (an argument of the session or the command; all that is wrong is
///         told); PS_ERR_CANCELLED; PS_ERR_FORKED; what ps_spawn answers: PS_ERR_NOT_FOUND,
///         PS_ERR_PERMISSION, PS_ERR_LIMIT, PS_ERR_SYSTEM, PS_ERR_STATE, PS_ERR_OUTPUT_EXISTS,
///         PS_ERR_SHUTDOWN, PS_ERR_UNSUPPORTED, PS_ERR_BUDGET_EXHAUSTED, PS_ERR_IN_PROGRESS
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_direct(
    supervisor: *mut ps_supervisor,
    command: *const ps_command,
    timeout_ms: i64,
    worker: *mut *mut ps_worker,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let host = host_of(supervisor)?;
        let (command, session) = described(command)?;
        make(worker, |register| direct::spawn(host, &command, &session, timeout_ms, register))
    })
}

/// Begins to start a worker by itself: as ps_spawn_direct, but it blocks only as ps_spawn does (and not at
/// all where the worker stands in line), and the time counts from when its turn has come. PS_EVENT_STARTED
/// tells that it has a process, PS_EVENT_READY that it is ready; if it never will be, PS_EVENT_FAILED says
/// so, behind PS_EVENT_EXITED if it had a process: event.status is what ps_spawn_direct would have
/// answered, and ps_worker_wait has the whole error. ps_terminate of its child calls it off.
///
/// @param supervisor, command, timeout_ms, worker  as for ps_spawn_direct
/// @return as ps_spawn_direct, where it is known at once
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_direct_begin(
    supervisor: *mut ps_supervisor,
    command: *const ps_command,
    timeout_ms: i64,
    worker: *mut *mut ps_worker,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let host = host_of(supervisor)?;
        let (command, session) = described(command)?;
        make(worker, |register| direct::begin(host, &command, &session, timeout_ms, register))
    })
}

/// Waits until a worker is ready, or never will be, and looks after its supervisor's children meanwhile.
/// PS_OK stays PS_OK, whatever becomes of the worker later: its child tells that.
///
/// @param timeout_ms  milliseconds; -1: for ever, 0: not at all. It is the caller's: the worker goes on
/// @return PS_OK; PS_ERR_TIMEOUT if it is not ready yet (ps_error_step: "wait"); else the error of its
///         start, with its journey, the same at every call: what ps_preloader_spawn answers (PS_ERR_EXITED,
///         PS_ERR_CANCELLED, PS_ERR_SHUTDOWN, ...)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_wait(worker: *mut ps_worker, timeout_ms: i64, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        let object = convert::object::<WorkerObject, _>(worker)?;
        object.worker.wait(Deadline::of_timeout("timeout_ms", timeout_ms)?).map(|_| PS_OK)
    })
}

/// The worker's child, to signal, to stop, to reap. The same handle at every call, the one that events carry;
/// from the first call on it is yours to free with ps_child_free, and stays valid after ps_worker_free. Never
/// blocks.
///
/// @return PS_OK; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_child(worker: *const ps_worker, child: *mut *mut ps_child, error: *mut *mut ps_error) -> ps_status {
    shapes::value(worker, "child", child, error, |object: &WorkerObject| {
        object.worker.check()?;
        object.given.store(true, Ordering::Release);
        Ok(convert::to_pointer(object.child))
    })
}

/// Somewhere a worker is to be found. Texts are NUL-terminated. (In C its name is `struct ps_worker_socket`,
/// for ps_worker_socket is the call that fills it, as with stat(2).)
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_worker_socket {
    /// Set by the caller: sizeof of the structure.
    pub size: u32,
    /// What the worker calls it; may be empty. A longer one is cut.
    pub name: [c_char; 64],
    /// tcp://host:port or unix:/path. A path was that of a socket of the worker's user when it was looked at;
    /// that user can put another one, or a link, in its place at any time. Who connects with more rights than
    /// that user's asks who listens (SO_PEERCRED).
    pub address: [c_char; 256],
    /// "http", "session", "preloader", or another one.
    pub protocol: [c_char; 32],
    /// How many requests it takes at once; 0: no limit; less: not known.
    pub concurrency: i32,
    /// 1 if requests of HTTP may be sent there, in that protocol.
    pub accepts_http: i32,
}

/// How many sockets a worker has named; at least one of a worker that is ready, and none of a native
/// preloader's. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if it is not ready yet; the error of its start if it never will be;
///         PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_socket_count(worker: *const ps_worker, count: *mut u32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(worker, "count", count, error, |object: &WorkerObject| Ok(object.worker.arrived()?.sockets.len() as u32))
}

/// One of a worker's sockets. Never blocks.
///
/// @param index   from 0 on
/// @param socket  receives it (set socket->size first)
/// @return as ps_worker_socket_count; PS_ERR_NOT_FOUND if there are not so many; PS_ERR_LIMIT if its
///         address or protocol is too long
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_socket(
    worker: *const ps_worker,
    index: u32,
    socket: *mut ps_worker_socket,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<WorkerObject, _>(worker)?;
        let place = convert::out("socket", socket)?;
        // SAFETY: not null; the caller set the size.
        let size = unsafe { (*place).size };
        convert::size("socket", size, size_of::<ps_worker_socket>())?;
        let arrived = object.worker.arrived()?;
        let count = arrived.sockets.len();
        let none = || Error::new(Status::NotFound, "index", format!("the worker has {count} sockets: there is none of index {index}"));
        let one = arrived.sockets.get(index as usize).ok_or_else(none)?;
        let filled = ps_worker_socket {
            size,
            name: cut(&one.name),
            address: whole("address", &one.address)?,
            protocol: whole("protocol", &one.protocol)?,
            concurrency: one.concurrency,
            accepts_http: i32::from(one.accepts_http),
        };
        // SAFETY: not null, and as large as its size says.
        unsafe { *place = filled };
        Ok(PS_OK)
    })
}

/// As much of a text as there is room for, with a NUL behind it; cut between two characters.
fn cut<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    let end = text.find('\0').unwrap_or(text.len());
    let end = (0..=end.min(N - 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    for (place, byte) in field.iter_mut().zip(text.as_bytes()[..end].iter()) {
        *place = *byte as c_char;
    }
    field
}

/// The whole of a text that is of no use otherwise.
fn whole<const N: usize>(what: &'static str, text: &str) -> Result<[c_char; N]> {
    if text.len() >= N || text.contains('\0') {
        let message = format!("the {what} of this socket has {} bytes, or a NUL in it; {} at most can be told", text.len(), N - 1);
        return Err(Error::new(Status::Limit, what, message));
    }
    Ok(cut(text))
}

/// The generation of the preloader that a worker was forked from: 1 for the first process of a preloader, one
/// more for each that followed; 0 for a worker that was started by itself. Never blocks.
///
/// @return as ps_worker_socket_count
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_generation(worker: *const ps_worker, generation: *mut u32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(worker, "generation", generation, error, |object: &WorkerObject| Ok(object.worker.arrived()?.generation))
}

/// The writing end of a worker's standard input; now yours to close, which asks the worker to end.
/// Otherwise it is closed when the child's handle is freed. It is stream 0 of ps_child_stdio. Never blocks.
///
/// @return PS_OK; PS_ERR_NOT_FOUND if stream 0 is no pipe, or was taken already; PS_ERR_STATE if it has had
///         no process; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_stdin(worker: *mut ps_worker, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(worker, "fd", fd, error, |object: &WorkerObject| {
        object.worker.check()?;
        Ok(object.worker.managed().take_stream(0)?.into_raw_fd())
    })
}

pub use crate::preloader::worker::WorkerKind as ps_worker_kind;

/// What is known of a worker beside its sockets. Texts are NUL-terminated; longer ones are cut.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_worker_info {
    /// Set by the caller: sizeof(ps_worker_info).
    pub size: u32,
    /// PS_WORKER_*: how it was made.
    pub kind: i32,
    /// Its pid, for display; 0 if it has had no process.
    pub pid: i32,
    /// As ps_worker_generation.
    pub generation: u32,
    /// When its making began, nanoseconds of CLOCK_MONOTONIC.
    pub began_ns: i64,
    /// The same, nanoseconds since 1970 (CLOCK_REALTIME).
    pub began_wall_ns: i64,
    /// Since when it is ready, nanoseconds of CLOCK_MONOTONIC.
    pub ready_ns: i64,
    /// The same, nanoseconds since 1970.
    pub ready_wall_ns: i64,
    /// A name that no other worker has: the argument `gupid` of its session; empty where it has none.
    pub gupid: [c_char; 64],
    /// The argument `app_type` of its session.
    pub app_type: [c_char; 32],
}

/// What is known of a worker that is ready. (What it has written so far: ps_child_output of its child.) Never
/// blocks.
///
/// @param info  receives it (set info->size first)
/// @return as ps_worker_socket_count
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_get_info(worker: *const ps_worker, info: *mut ps_worker_info, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        let object = convert::object::<WorkerObject, _>(worker)?;
        let place = convert::out("info", info)?;
        // SAFETY: not null; the caller set the size.
        let size = unsafe { (*place).size };
        convert::size("info", size, size_of::<ps_worker_info>())?;
        let (worker, arrived) = (&object.worker, object.worker.arrived()?);
        let filled = ps_worker_info {
            size,
            kind: worker.kind() as i32,
            pid: worker.managed().pid(),
            generation: arrived.generation,
            began_ns: worker.began().monotonic_ns,
            began_wall_ns: worker.began().wall_ns,
            ready_ns: arrived.ready.monotonic_ns,
            ready_wall_ns: arrived.ready.wall_ns,
            gupid: cut(&arrived.gupid),
            app_type: cut(&arrived.app_type),
        };
        // SAFETY: not null, and as large as its size says.
        unsafe { *place = filled };
        Ok(PS_OK)
    })
}

/// The way that a worker took until it was ready, or until it failed: each step, how it went, when it began
/// and how long it took. NUL-terminated. JSON is one object: `type` ("SPAWN_DIRECTLY",
/// "SPAWN_THROUGH_PRELOADER", "SPAWN_THROUGH_NATIVE_PRELOADER"), `title`, and `steps`, a list in their order
/// of `name`, `state` ("not started", "in progress", "performed", "errored"), `begin_ns`, `end_ns`
/// (CLOCK_MONOTONIC), `duration_ns`, `begin_time` and `end_time`: `relative_ns` to the first, and `absolute`,
/// the time of day (RFC 3339); null is what nobody knows. ps_error_render has the same as `journey` in its
/// JSON. Never blocks.
///
/// @param format            PS_RENDER_TEXT, PS_RENDER_JSON or PS_RENDER_HTML
/// @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
/// @return PS_OK; PS_ERR_STATE if it is under way still, or was never begun; PS_ERR_LIMIT if the buffer is
///         too small; PS_ERR_INVALID_ARGUMENT for another format; PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_journey(
    worker: *const ps_worker,
    format: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(worker, buf, cap, needed, error, |object: &WorkerObject| {
        let format = convert::choice("format", format, ps_render_format::from_repr)?;
        let journey = object.worker.journey()?;
        let mut text = match format {
            ps_render_format::Text => journey.render_text(),
            ps_render_format::Json => journey.render_json(),
            ps_render_format::Html => journey.render_html(),
            ps_render_format::HtmlBrief => return Err(Error::invalid("format", "format: a journey has no brief page")),
        };
        text.push('\0');
        Ok(text)
    })
}

/// Frees a worker's handle; the process goes on, and belongs to its supervisor. If its child was never asked
/// for (ps_worker_child), that handle goes with it, as by ps_child_free: its standard input is closed then,
/// unless it was taken. NULL and a freed worker do nothing. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn ps_worker_free(worker: *mut ps_worker) {
    shapes::free(worker, |object: Arc<WorkerObject>| {
        if !object.given.load(Ordering::Acquire) {
            let_go(object.child);
        }
    });
}
