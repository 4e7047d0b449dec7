//! `ps_spawn_lock`: one process at a time.

use core::ffi::{CStr, c_char};
use core::mem::offset_of;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, acquire, call, quiet};
use super::{convert, handles, ps_status, shapes};
use crate::clock;
use crate::coordination::spawn_lock::{Claim, Event, EventKind};
use crate::error::Result;

/// A lock that is held, or waited for.
pub struct ps_spawn_lock {
    _private: [u8; 0],
}

/// Makes a handle of what a path is locked by.
///
/// # Safety
/// `path` is null or a NUL-terminated string.
unsafe fn make(path: *const c_char, lock: *mut *mut ps_spawn_lock, claim: impl FnOnce(&Path) -> Result<Claim>) -> Result<ps_status> {
    // SAFETY: by the contract of this function.
    let path: &CStr = unsafe { convert::string("path", path) }?;
    shapes::put("lock", lock, || {
        handles::make_room()?;
        let claim = Arc::new(claim(Path::new(std::ffi::OsStr::from_bytes(path.to_bytes())))?);
        let handle = handles::insert(claim.clone())?;
        claim.set_name(handle);
        Ok(convert::to_pointer(handle))
    })
}

/// Takes the lock of a path, and waits for it if need be: at most as long as `timeout_ms` says; a signal
/// handler of the host does not end the wait. The file is made with mode 0600 if it is not there, and stays
/// when the lock is released; its directory must be there. Links on the way are followed, one in the last
/// place is refused.
///
/// Who waits is woken by the release, and by the death of the holder, within some tens of microseconds
/// (inotify(7)); where the kernel has no watch to give (fs.inotify.max_user_instances), and for holders on
/// other machines of a network file system, it looks at growing distances up to 1.25 seconds. Who of several
/// that wait is next is not said.
///
/// A file that was replaced while it was waited for is left for the one that the path names now, also where
/// the directory is gone for a while and comes again. With a timeout of 0 there is one try.
///
/// Needs one descriptor (and another while the file is opened), and one more from the wait on, if it had to
/// wait. That one the kernel takes some 10 ms to close: so it lies until a later call of procsup finds that it
/// has rested, or is used again; one at most in a process.
///
/// @param path        at best in a directory that belongs to the service's user alone, and that no cleaner
///                    empties (/run/name). In one that is everybody's (/tmp) another user can make the file
///                    first; then it is refused. Copied.
/// @param timeout_ms  milliseconds; -1: for ever, 0: not at all
/// @param lock        receives the handle; ps_spawn_lock_release frees it
/// @return PS_OK; PS_ERR_LOCKED if another holds it, or this process by another handle, also when the time is
///         over: the message names the process that the file names; PS_ERR_LOCK_REPLACED if the file was
///         removed or replaced in the moment of the try (with a timeout: again and again, or there was none
///         at last); PS_ERR_NOT_FOUND if the directory is not there; PS_ERR_PERMISSION if file or directory
///         may not be used, or what has that name is not to be trusted: no regular file (a link, a fifo, a
///         device, a directory), another user's than root's, this process's or the only one's who can write
///         in the directory, or one with several names (hard links); PS_ERR_SYSTEM for any other errno (ENOSPC
///         or EROFS if the file cannot be made, ENOLCK if the file system has no locks); PS_ERR_LIMIT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_lock_acquire(
    path: *const c_char,
    timeout_ms: i64,
    lock: *mut *mut ps_spawn_lock,
    error: *mut *mut ps_error,
) -> ps_status {
    // SAFETY: a NUL-terminated string or null, by the caller's contract.
    acquire(error, || unsafe { make(path, lock, |path| Claim::acquire(path, timeout_ms)) })
}

/// The same for an event loop: tries once, and does not wait. What comes of it is an event, in any case:
/// ps_spawn_lock_fd is readable when ps_spawn_lock_next_event has something to do. Never blocks (but opening a
/// file takes the file system's time).
///
/// Needs up to five descriptors until the release.
///
/// @param path        as in ps_spawn_lock_acquire
/// @param timeout_ms  milliseconds from now on, after which PS_SPAWN_LOCK_FAILED is told; -1: never, 0: there
///                    is no further try
/// @param lock        receives the handle; ps_spawn_lock_release frees it
/// @return PS_OK, also if another holds the lock; PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, PS_ERR_SYSTEM and
///         PS_ERR_LIMIT as ps_spawn_lock_acquire
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_lock_begin(
    path: *const c_char,
    timeout_ms: i64,
    lock: *mut *mut ps_spawn_lock,
    error: *mut *mut ps_error,
) -> ps_status {
    // SAFETY: a NUL-terminated string or null, by the caller's contract.
    acquire(error, || unsafe { make(path, lock, |path| Claim::begin(path, timeout_ms)) })
}

/// The descriptor to wait on, with epoll, poll, libuv, GLib or others: readable while ps_spawn_lock_next_event
/// has something to do, silent while another holds the lock and after the event. Borrowed: it belongs to the
/// lock; do not read or close it. It may be watched edge-triggered (EPOLLET): then call
/// ps_spawn_lock_next_event with a timeout of 0 until it answers PS_PENDING. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if the lock is one of ps_spawn_lock_acquire
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_lock_fd(lock: *const ps_spawn_lock, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(lock, "fd", fd, error, |object: &Claim| Ok(object.fd()?.as_raw_fd()))
}

pub use crate::coordination::spawn_lock::EventKind as ps_spawn_lock_event_kind;

/// What came of ps_spawn_lock_begin.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_spawn_lock_event {
    /// Set by the caller: sizeof(ps_spawn_lock_event).
    pub size: u32,
    /// PS_SPAWN_LOCK_ACQUIRED or PS_SPAWN_LOCK_FAILED.
    pub kind: i32,
    /// PS_SPAWN_LOCK_FAILED: why, a status that ps_spawn_lock_acquire could have answered. Else PS_OK.
    pub status: i32,
    /// The errno of that, or 0.
    pub status_errno: i32,
    /// PS_ERR_LOCKED: the process that the file names; 0 if it names none. For display only: it may be dead,
    /// its number another's, and the file may say anything.
    pub pid: i32,
    /// Means nothing in this version: 0.
    pub reserved: i32,
    /// When it was taken, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
}

fn fill_event(size: u32, event: &Event) -> ps_spawn_lock_event {
    let (kind, failed) = match event {
        Event::Acquired => (EventKind::Acquired, None),
        Event::Failed(error) => (EventKind::Failed, Some(error)),
    };
    ps_spawn_lock_event {
        size,
        kind: kind as i32,
        status: failed.map_or(PS_OK, |error| error.status as i32),
        status_errno: failed.and_then(|error| error.errno).map_or(0, |errno| errno as i32),
        pid: failed.and_then(|error| error.pid).unwrap_or(0),
        reserved: 0,
        time_ns: clock::now(),
    }
}

/// Tries again, if that is due, and takes what has come of it: one event, once. After PS_SPAWN_LOCK_ACQUIRED
/// the lock is held until ps_spawn_lock_release; after PS_SPAWN_LOCK_FAILED ps_spawn_lock_check answers the
/// whole error. It is tried only inside this call.
///
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
///                    host ends the wait (see SIGNALS, at the top); the lock is waited for on
/// @param event       receives the event (set event->size first)
/// @return PS_OK; PS_PENDING if there is none, or it was taken already; PS_ERR_STATE if the lock is one of
///         ps_spawn_lock_acquire; PS_ERR_SHUTDOWN if it was released meanwhile
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_lock_next_event(
    lock: *mut ps_spawn_lock,
    timeout_ms: i64,
    event: *mut ps_spawn_lock_event,
    error: *mut *mut ps_error,
) -> ps_status {
    let least = offset_of!(ps_spawn_lock_event, time_ns) + size_of::<i64>();
    shapes::event(lock, event, least, error, |object: &Claim, size| {
        Ok(object.next_event(timeout_ms)?.map(|event| fill_event(size, &event)))
    })
}

/// Whether the lock is held, and the path still names the file that is locked: to be asked before what must
/// be done by one process is done. Of all processes that hold a lock of one path, at one instant at most one
/// is answered PS_OK; who removes the file lets another one take a lock beside the holder, and from then on
/// it is the holder who is answered PS_ERR_LOCK_REPLACED. The instant is that of the call: a path that was
/// deleted after it is not known. Never blocks (but takes the file system's time).
///
/// @return PS_OK; PS_PENDING if the lock is waited for; PS_ERR_LOCK_REPLACED if the file was removed or
///         replaced (or its directory, or a link on the way), or the lock was lost because the descriptor was
///         closed or unlocked by somebody's own call; the error of PS_SPAWN_LOCK_FAILED (PS_ERR_LOCKED and
///         others); PS_ERR_PERMISSION or PS_ERR_SYSTEM if the path cannot be looked at
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_spawn_lock_check(lock: *const ps_spawn_lock, error: *mut *mut ps_error) -> ps_status {
    call(error, || Ok(if convert::object::<Claim, _>(lock)?.check()? { PS_OK } else { PS_PENDING }))
}

/// Releases the lock, or gives up waiting for it, and frees the handle. The file stays: to remove it would
/// let two hold what they take for one lock. It is free when this returns, also where a forked copy of this
/// process has its descriptor open. A thread that is in ps_spawn_lock_next_event gets PS_ERR_SHUTDOWN.
///
/// In a process that was forked from this one, without an exec, it closes what that copy has inherited, and
/// the lock stays held: all other calls answer PS_ERR_FORKED there. While such a copy lives and has not made
/// this call, it keeps the lock of a holder that is *killed*; nobody is there to unlock.
///
/// NULL and a freed handle do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_spawn_lock_release(lock: *mut ps_spawn_lock) {
    let handle = lock.addr() as u64;
    if handles::is_inherited(handle) {
        return quiet(|| Claim::give_back(handle));
    }
    shapes::free(lock, |object: Arc<Claim>| {
        object.release();
        Claim::forget_name(handle);
    });
}
