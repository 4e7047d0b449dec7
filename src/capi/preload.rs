//! `ps_preload`: a process that is a preloader, or a worker of one, as it sees itself.
//!
//! The trap: the handle goes through a fork. The table of handles is another one in the copy, so the copy gets the object put into its own, under the
//! handle that its caller knows (`handles::pass`).

use core::ffi::{c_char, c_void};
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;

use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, acquire, acquire_here, call, quiet, value};
use super::{convert, handles, ps_status, shapes};
use crate::error::{Error, Result, Status};
use crate::preloader::native::inside::{Hook, Moment, Pass, Preload, Way};

/// This process as a preloader, or as a worker of one.
pub struct ps_preload {
    _private: [u8; 0],
}

/// What a call of a fork server returns as.
pub use crate::preloader::native::inside::Role as ps_preload_role;

/// How workers are made.
pub use crate::preloader::native::inside::Way as ps_fork_way;

/// What a worker is asked for.
pub use crate::preloader::native::inside::Wish as ps_worker_wish;

/// Added to how workers are made, where a preloader says that it is ready: its memory is put into huge pages
/// first, if the kernel can (Linux 6.1).
pub const PS_PRELOAD_COLLAPSE: i32 = 0x100;

/// The one object that a process and its copies can have, and its handle: in plain memory, for a copy that a
/// runtime has made by itself.
static OPENED: OnceLock<(u64, Arc<Preload>)> = OnceLock::new();

/// Takes the channel to the host that has started this process as a preloader (PROCSUP_PRELOAD_FD in the
/// environment names its descriptor, which is close-on-exec from then on). The environment stays as it is;
/// so a second open, in this process or in a worker of it, is PS_ERR_STATE, and a program that a worker
/// executes finds no channel. Never blocks. Needs three descriptors.
///
/// The host is gone when its channel ends, or its process (where a pidfd of it can be had): a forked copy of
/// the host that holds the channel open keeps neither preloader nor workers alive.
///
/// @return PS_OK; PS_ERR_NOT_FOUND if no host has started this process as a preloader (or it is gone
///         already): so a program can be both, and load and serve by itself then; PS_ERR_VERSION_MISMATCH;
///         PS_ERR_STATE; PS_ERR_PROTOCOL; PS_ERR_LIMIT; PS_ERR_SYSTEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_open(preload: *mut *mut ps_preload, error: *mut *mut ps_error) -> ps_status {
    acquire(error, || {
        handles::make_room()?;
        shapes::put("preload", preload, || {
            let object = Arc::new(Preload::open()?);
            let handle = handles::insert(object.clone())?;
            handles::pass(handle, &object);
            let _ = OPENED.set((handle, object));
            Ok(convert::to_pointer(handle))
        })
    })
}

/// Frees the handle and closes the channel. What the host has asked this preloader for and it has not made
/// is refused; its workers live on. A worker that has not said that it is ready counts as failed. NULL does
/// nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_free(preload: *mut ps_preload) {
    quiet(|| {
        if let Some(object) = handles::remove::<Preload>(preload.addr() as u64) {
            object.close();
        }
    });
}

/// Puts the memory of this process into huge pages, where at least half of one is in use (madvise(2),
/// MADV_COLLAPSE). A fork then copies one entry for each instead of 512: 64 MiB are forked in 0.1 ms instead
/// of 1.1. Worth it for a preloader with much data that its workers read; each first write of a worker still
/// copies 4 KiB. Once, after everything is loaded and before ps_preload_ready (which does it, too, with
/// PS_PRELOAD_COLLAPSE): workers that are forked later share what was made, so nothing is moved again and
/// their own memory stays flat. The second time there is nothing to do. Blocks as long as the copying takes,
/// some 0.4 ms per MiB. The memory of files and of thread stacks is left as it is.
///
/// @return PS_OK; PS_ERR_UNSUPPORTED before Linux 6.1, in a kernel without transparent huge pages, or
///         without /proc; PS_ERR_LIMIT if no huge page was to be had; PS_ERR_STATE once it was said that
///         this preloader is ready
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_collapse(preload: *mut ps_preload, error: *mut *mut ps_error) -> ps_status {
    shapes::change::<Preload, _>(preload, error, Preload::collapse)
}

/// What is called around each fork, in the thread that called ps_preload_fork (ps_preload_accept and
/// ps_preload_forked, where a runtime forks by itself); each may be NULL, and a second call replaces them.
///
///   before        in the preloader, before it is looked whether other threads run: stop them here, flush
///                 what stdio does not know of, take the locks that a copy must find free
///   in_preloader  in the preloader, after the fork, whatever came of it: start them again
///   in_worker     in the worker, when its gate is open: draw new random numbers (a generator that was
///                 seeded before the fork gives all workers the same), open connections of its own
///
/// The first two are called by ps_preload_ready as well, around its question for threads. They must return,
/// and may call everything but ps_preload_fork, _accept and _forked.
///
/// @param data  given to each of them; must live as long as the preloader and its workers
/// @return PS_OK; PS_ERR_BAD_HANDLE, PS_ERR_FORKED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_on_fork(
    preload: *mut ps_preload,
    before: Option<unsafe extern "C" fn(data: *mut c_void)>,
    in_preloader: Option<unsafe extern "C" fn(data: *mut c_void)>,
    in_worker: Option<unsafe extern "C" fn(data: *mut c_void)>,
    data: *mut c_void,
    error: *mut *mut ps_error,
) -> ps_status {
    // As a number: the pointer is handed back, and never followed here.
    let data = data.expose_provenance();
    let hook = move |moment: Moment| {
        let function = match moment {
            Moment::Before => before,
            Moment::InPreloader => in_preloader,
            Moment::InWorker => in_worker,
        };
        if let Some(function) = function {
            // SAFETY: the caller's contract gives it for this, with this argument.
            unsafe { function(core::ptr::with_exposed_provenance_mut(data)) };
        }
    };
    let hook: Arc<Hook> = Arc::new(hook);
    shapes::grow::<Preload, _>(preload, error, |object| {
        object.set_hook(Some(hook));
        Ok(())
    })
}

/// Everything is loaded: the host's requests are taken from now on, by ps_preload_fork. In a worker that was
/// asked to (PS_ASKED_PROMOTE): it is the preloader of the next generation from now on.
///
/// Other threads are looked for (after the hook `before`): a fork copies the calling thread alone, with all
/// locks as they are. If there are any this fails, and the host is told with their names: nothing is gained
/// by a preloader whose forks would all be refused. A worker then stays a worker.
///
/// Blocks for what its hooks and the huge pages take. In a worker that was asked it waits for the host's word
/// as well: at most five seconds beyond the time that it was given, and a minute at all. (One that libc's fork
/// has made can have no siblings: it goes on by libc's fork.)
///
/// @param how  PS_FORK_LIBC: by fork(3). Handlers of pthread_atfork(3) run, those of the new process before
///             it stands at its gate; workers are children of the preloader, and the host is told how they
///             ended in a roundabout way. PS_FORK_SIBLING: workers are the host's own children, whose end it
///             sees first-hand, also when the preloader is gone; for an application whose libraries need no
///             atfork handler (libc's own state is put right). Where that cannot be had (the preloader is
///             the init of a pid namespace; musl; an emulator) it is as PS_FORK_LIBC, and the host knows.
///             Either with | PS_PRELOAD_COLLAPSE: what ps_preload_collapse does, where the kernel can, is
///             done first; where it cannot that is no error
/// @return PS_OK; PS_ERR_STATE if other threads run (ps_error_step is "threads", the message names up to
///         32), if it was said already, or if this is a worker that nobody has asked; PS_ERR_TIMEOUT if the
///         time for becoming a preloader is over; PS_ERR_CANCELLED if the host is gone; PS_ERR_UNSUPPORTED
///         if it cannot be known whether other threads run (no /proc); PS_ERR_INVALID_ARGUMENT;
///         PS_ERR_SYSTEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_ready(preload: *mut ps_preload, how: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::grow::<Preload, _>(preload, error, |object| {
        let way = convert::choice("how", how & !PS_PRELOAD_COLLAPSE, Way::from_repr)?;
        object.ready(way, how & PS_PRELOAD_COLLAPSE != 0)
    })
}

/// Loading has failed: the host's spawns end at once with this text in their errors, and do not wait until
/// this process has ended or their time is over. In a worker: it does not come to work, or, if it was asked
/// to become a preloader, it cannot and goes on as a worker. Nothing more can be said afterwards (but by a
/// worker that goes on): leave. Never blocks.
///
/// @param text  for people, UTF-8; of more than 1536 bytes the rest is cut off
/// @return PS_OK; PS_ERR_STATE if this preloader serves already or was told to stop; PS_ERR_CANCELLED if the
///         host is gone; PS_ERR_INVALID_ARGUMENT if text is NULL; PS_ERR_SYSTEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_failed(preload: *mut ps_preload, text: *const c_char, error: *mut *mut ps_error) -> ps_status {
    shapes::change::<Preload, _>(preload, error, |object| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let text = unsafe { convert::string("text", text) }?;
        object.failed(&text.to_string_lossy())
    })
}

/// Waits until the host asks for a worker, and forks it; returns in both processes.
///
/// In the worker the handle is the same, and this call returns when its gate is open: the host has proven
/// who it is and registered it, and has given it its descriptors (those above 2 are close-on-exec). Until
/// then all signals are blocked and, with PS_FORK_SIBLING, no instruction of the application has run. A
/// worker that nobody wants any more ends there with exit code 0. It leads a process group of its own. The
/// preloader's other descriptors are the application's business: the worker has them.
///
/// Before each fork the output streams of stdio are flushed (fflush(NULL), which waits as a write does) and
/// other threads are looked for. What the preloader is asked for while it forks waits in its channel: forks
/// go one after another.
///
/// Blocks at most timeout_ms, and for the fork (some 25 us per MiB of its memory in small pages). A signal
/// handler of this process that runs meanwhile ends the wait: PS_OK with PS_ROLE_PRELOADER.
///
/// @param timeout_ms  milliseconds; -1: no limit; 0: what is there now, which may be nothing
/// @param role        receives PS_ROLE_PRELOADER: one worker was forked, or (timeout_ms 0, or a handler)
///                    there was nothing to do: call it again. PS_ROLE_WORKER: this is the worker: do its
///                    work, say ps_worker_ready. PS_ROLE_STOP: the host wants this preloader to go, or is
///                    gone
/// @return PS_OK; PS_ERR_TIMEOUT; PS_ERR_STATE: other threads run (ps_error_step is "threads", the message
///         names up to 32), so this worker was refused, which the host is told: the next call may do better;
///         PS_ERR_LIMIT or PS_ERR_SYSTEM if the fork failed (the host is told as well); PS_ERR_STATE also
///         before ps_preload_ready, and in a worker; PS_ERR_UNSUPPORTED as ps_preload_ready;
///         PS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_fork(
    preload: *mut ps_preload,
    timeout_ms: i64,
    role: *mut i32,
    error: *mut *mut ps_error,
) -> ps_status {
    // All of it in one function: a copy that comes out of it maps no other.
    acquire_here(error, || {
        // Not a share, if that can be had: to give one back would be to write to a page that is the copy's as well by then.
        let shared: Arc<Preload>;
        let object = match handles::passed(preload.addr() as u64) {
            Some(object) => object,
            None => {
                shared = convert::object(preload)?;
                &shared
            }
        };
        let place = convert::out("role", role)?;
        let made = object.fork(timeout_ms, Passed(preload, object))?;
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *place = made as i32 };
        Ok(PS_OK)
    })
}

/// The object has gone through a fork: the handle shall stand for it here as well.
struct Passed<'a>(*mut ps_preload, &'a Arc<Preload>);

impl Pass for Passed<'_> {
    #[inline(always)]
    fn pass(self) {
        handles::pass(self.0.addr() as u64, self.1);
    }
}

/// The object, in a copy of the process that has it.
fn inherited(preload: *mut ps_preload) -> Result<Arc<Preload>> {
    match convert::object::<Preload, _>(preload) {
        Ok(_) => Err(Error::invalid("pid", "pid is 0, and this is the process that was to fork, not the new one")),
        Err(error) if error.status == Status::Forked => {
            let opened = OPENED.get().filter(|(handle, _)| *handle == preload.addr() as u64);
            opened.map(|(_, object)| object.clone()).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// For a runtime that must fork by itself (Python): as ps_preload_fork, up to the fork. Fork then, by
/// whatever the runtime has for that, and call ps_preload_forked in both processes. All that ps_preload_fork
/// does before a fork is done, but for the blocking of signals. One birth at a time.
///
/// @param timeout_ms  as of ps_preload_fork
/// @param request     receives a number for ps_preload_forked, or 0: the host wants this preloader to go, or
///                    is gone
/// @return PS_OK; PS_PENDING if a signal handler of this process has run meanwhile (request is not written);
///         PS_ERR_TIMEOUT; otherwise as ps_preload_fork; PS_ERR_STATE also if ps_preload_forked was not
///         called for the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_accept(
    preload: *mut ps_preload,
    timeout_ms: i64,
    request: *mut u64,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        let object: Arc<Preload> = convert::object(preload)?;
        let place = convert::out("request", request)?;
        let Some(birth) = object.accept(timeout_ms)? else { return Ok(PS_PENDING) };
        // SAFETY: not null, and valid by the caller's contract.
        unsafe { *place = birth };
        Ok(PS_OK)
    })
}

/// What came of a fork that the runtime has made for this request. In the new process this waits at the
/// gate, as ps_preload_fork does: call it first of all, since what runs before runs before the host knows of
/// the process. (It does not return if nobody wants the worker any more.)
///
/// A child of this preloader is reaped by it (waitid(2), by its number) once the host has seen how it ended:
/// no one else in it should. One that the runtime has made as a sibling (CLONE_PARENT) is the host's.
///
/// @param request  what ps_preload_accept has answered
/// @param pid      in the preloader the number of the new process; in the new process 0; less: the fork has
///                 failed with this errno, negated
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if this is not the request; PS_ERR_FORKED in the new process if
///         pid is not 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_forked(preload: *mut ps_preload, request: u64, pid: i32, error: *mut *mut ps_error) -> ps_status {
    acquire(error, || {
        if pid == 0 {
            let object = inherited(preload)?;
            object.is_copy(request, Passed(preload, &object))?;
            return Ok(PS_OK);
        }
        let object: Arc<Preload> = convert::object(preload)?;
        object.forked(request, if pid > 0 { Ok(pid) } else { Err(Errno::from_raw(pid.saturating_neg())) })?;
        Ok(PS_OK)
    })
}

/// What an event loop watches: readable when the host wants something. Then call, with timeout_ms 0,
/// ps_preload_fork or ps_preload_accept in a preloader, ps_worker_asked in a worker. It stays the library's,
/// and is another one after each change of role: ask again then. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE when nothing will be said any more; PS_ERR_LIMIT and PS_ERR_SYSTEM if it
///         needs a descriptor that cannot be had
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_preload_fd(preload: *const ps_preload, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value::<Preload, _, _>(preload, "fd", fd, error, Preload::fd)
}

/// This worker works: whoever asked for it gets it now. Once, and never blocks.
///
/// @return PS_OK; PS_ERR_STATE if it was said already, or if this process is no worker; PS_ERR_CANCELLED if
///         the host is gone, or does not want it any more
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_ready(preload: *mut ps_preload, error: *mut *mut ps_error) -> ps_status {
    // What a worker passes through on its way to this is to be little: it is no place where a thread could be cancelled, and has no use for a table.
    let said = value(false, || handles::passed(preload.addr() as u64).is_some_and(|object| object.worker_ready_at_once()));
    if said {
        return PS_OK;
    }
    call(error, || convert::object::<Preload, _>(preload)?.worker_ready().map(|()| PS_OK))
}

/// What the host wishes of this worker. A worker need not ask: then it is never promoted, and does not learn
/// that its host is gone. Takes one descriptor the first time, a pidfd of the host. Blocks at most timeout_ms;
/// a signal handler of this process ends the wait.
///
/// @param timeout_ms  milliseconds; -1: no limit; 0: never blocks
/// @param what        receives PS_ASKED_NOTHING (the time is over, or a handler has run); PS_ASKED_PROMOTE,
///                    once: finish what you are at, stop your threads, close what workers must not share,
///                    and call ps_preload_ready, or ps_preload_failed if you cannot: then you go on as a
///                    worker; PS_ASKED_STOP, from then on always: the host is gone, or lets this worker go
/// @return PS_OK; PS_ERR_STATE if this process is no worker; PS_ERR_INVALID_ARGUMENT; PS_ERR_SYSTEM
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_worker_asked(
    preload: *mut ps_preload,
    timeout_ms: i64,
    what: *mut i32,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object: Arc<Preload> = convert::object(preload)?;
        shapes::put("what", what, || object.worker_asked(timeout_ms).map(|wish| wish as i32))
    })
}
