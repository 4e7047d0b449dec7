//! `ps_supervisor`: many children behind one descriptor.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::child::{fill_exit, ps_child, ps_exit};
use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, call};
use super::{convert, guard, handles, ps_status};
use crate::supervisor::Supervisor;

/// Looks after children: one descriptor to wait on, events to take.
pub struct ps_supervisor {
    _private: [u8; 0],
}

/// Something that happened to a child.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_event {
    /// Set by the caller: sizeof(ps_event).
    pub size: u32,
    /// PS_EVENT_*.
    pub kind: i32,
    /// The handle that ps_spawn gave; borrowed. If you have freed it meanwhile, it is a freed handle, and safe to compare.
    pub child: *mut ps_child,
    /// Its pid, for display.
    pub pid: i32,
    /// 0 in this version.
    pub stream: i32,
    /// The word of ps_command_user_data.
    pub user_data: u64,
    /// When it happened, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
    /// PS_EVENT_EXITED: how it ended. Its size is set.
    pub exit: ps_exit,
}

/// @section supervisors
///
/// Makes a supervisor. No thread, no signal handler: it works inside the calls that you make. Make the first one early in
/// your program: it reserves a dozen low descriptor numbers on which fast spawns depend in a host with many open files.
///
/// @param supervisor  receives the handle; free it with ps_supervisor_free
/// @return PS_OK; PS_ERR_LIMIT if there are no descriptors to be had
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_new(supervisor: *mut *mut ps_supervisor, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        let place = convert::out("supervisor", supervisor)?;
        let handle = handles::insert(Arc::new(Supervisor::new()?))?;
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *place = convert::to_pointer(handle) };
        Ok(PS_OK)
    })
}

/// Kills and reaps all its children, releases what they owned, and frees it. Handles of its children stay valid until they are freed, and
/// answer how the child ended (PS_CAUSE_SHUTDOWN). A thread that waits in ps_supervisor_next_event gets PS_ERR_SHUTDOWN. Blocks until
/// the children are gone, at most 5 seconds; one that cannot be killed even so is reaped later. NULL and a freed handle do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_supervisor_free(supervisor: *mut ps_supervisor) {
    guard::quiet(|| {
        if let Some(supervisor) = handles::remove::<Supervisor>(supervisor.addr() as u64) {
            supervisor.close();
        }
    });
}

/// The descriptor to wait on: readable while ps_supervisor_next_event has something to do. For epoll, poll, libuv, GLib and others.
/// Borrowed: it belongs to the supervisor; do not read or close it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_fd(supervisor: *const ps_supervisor, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        let object = convert::object::<Supervisor, _>(supervisor)?;
        let place = convert::out("fd", fd)?;
        let number = object.fd()?.as_raw_fd();
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *place = number };
        Ok(PS_OK)
    })
}

/// Takes the next event, and does whatever is due: reaps, drains captured output, moves stop plans and deadlines on.
///
/// Each child has one PS_EVENT_STARTED and later one PS_EVENT_EXITED. None is lost or comes twice, also when other threads reap the child; but
/// a child whose exit you have taken (ps_reap, ps_terminate) and whose handle you have freed has no further events.
///
/// @param timeout_ms  how long to wait: -1 for ever, 0 not at all
/// @param event       receives the event (set event->size first)
/// @return PS_OK; PS_PENDING if there is none; PS_ERR_SHUTDOWN if the supervisor was freed meanwhile
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_supervisor_next_event(
    supervisor: *mut ps_supervisor,
    timeout_ms: i64,
    event: *mut ps_event,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Supervisor, _>(supervisor)?;
        let place = convert::out("event", event)?;
        // SAFETY: not null; the caller set the size.
        let size = unsafe { (*place).size };
        convert::size("event", size, size_of::<ps_event>())?;
        let Some(taken) = object.next_event(timeout_ms)? else { return Ok(PS_PENDING) };
        let exit_size = size_of::<ps_exit>() as u32;
        let filled = ps_event {
            size,
            kind: taken.kind as i32,
            child: convert::to_pointer(taken.child.token()),
            pid: taken.child.pid(),
            stream: 0,
            user_data: taken.child.user_data(),
            time_ns: taken.time_ns,
            exit: taken.exit.map_or(ps_exit { size: exit_size, ..ps_exit::default() }, |exit| fill_exit(exit_size, &exit)),
        };
        // SAFETY: not null, and as large as its size says.
        unsafe { *place = filled };
        Ok(PS_OK)
    })
}
