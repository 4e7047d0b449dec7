//! `ps_handoff`: a server's end of the handoff. Here are its birth, what it is and how it is set; `handed_on.rs` is what goes to the next
//! generation, `events.rs` what the server is told, `answers.rs` what it answers and asks for.

pub mod answers;
pub mod events;
pub mod handed_on;

use core::ffi::c_char;
use std::sync::Arc;

use super::error::ps_error;
use super::guard::{PS_OK, acquire, call, quiet};
use super::{convert, handles, ps_status, shapes};
use crate::handoff::{Handoff, check_service, was_spawned};
use crate::supervisor;

/// One generation's end of a handoff, in which a running server hands over to the next.
pub struct ps_handoff {
    _private: [u8; 0],
}

/// Opens this server's end of the handoff. The first generation and every successor run the same code. The
/// functions without ps_ are yours:
///
/// ```c
/// void serve(const char *control_path) {
///   ps_handoff *handoff = NULL;
///   ps_error *error = NULL;
///   int32_t role = 0, fd = -1;
///   int serving = 0;                                  // whether it accepts and writes
///
///   if (ps_handoff_new(control_path, &handoff, &error) != PS_OK)
///     fail(error);
///   ps_handoff_role(handoff, &role, NULL);
///   if (ps_handoff_take_fd(handoff, "http", &fd, NULL) == PS_ERR_NOT_FOUND) {
///     fd = bind_and_listen();                         // nobody was before me: I am the first
///     ps_handoff_set_fd(handoff, "http", fd, NULL);
///   }
///   load_everything();                                // may take minutes: the old generation serves
///   if (role == PS_HANDOFF_SUCCESSOR)
///     ps_handoff_warm(handoff, NULL);
///
///   for (;;) {                                        // or ps_handoff_fd in an event loop
///     ps_handoff_event event = {.size = sizeof event};
///     ps_status status = ps_handoff_next_event(handoff, -1, &event, &error);
///     if (status == PS_PENDING)
///       continue;                                     // a signal handler of yours has run
///     if (status != PS_OK)
///       fail(error);
///     switch (event.kind) {
///     case PS_HANDOFF_LIVE:
///       open_writer(event.revision, event.unsealed);
///       accept_on(fd);
///       adopt_connections(handoff);                   // see CONNECTIONS, below
///       serving = 1;
///       ps_handoff_live(handoff, NULL);
///       break;
///     case PS_HANDOFF_DRAIN:
///       end_background_work();                        // goes on accepting
///       ps_handoff_drained(handoff, 0, NULL);
///       break;
///     case PS_HANDOFF_SEAL:
///       stop_accepting();
///       pass_connections(handoff);
///       serving = 0;
///       ps_handoff_sealed(handoff, make_durable(), NULL); // too late? RESUME is on its way
///       break;
///     case PS_HANDOFF_RESUME:
///       if (event.unsealed) {
///         close_connections();                        // the successor may have read from them, ...
///         open_writer(0, 1);                          // ... and written
///       }
///       if (!serving)
///         accept_on(fd);                              // SEAL had stopped it
///       serving = 1;
///       break;
///     case PS_HANDOFF_COMMITTED:
///       if (event.phase == PS_HANDOFF_PHASE_SETTLED)
///         tell_the_service_manager();                 // the new one; the old one stands by
///       break;
///     case PS_HANDOFF_RETIRE:
///       close_connections();
///       ps_handoff_free(handoff);
///       exit(0);
///     case PS_HANDOFF_ABORTED:
///       if (event.phase == PS_HANDOFF_PHASE_GONE)
///         exit(1);                                    // a successor, whether it has served or not
///       break;                                        // an owner goes on
///     }
///   }
/// }
/// ```
///
/// The first generation locks `control_path`.lock, listens at `control_path` (both of mode 0600) and gets
/// PS_HANDOFF_LIVE as its first event. A successor is a process that ps_handoff_upgrade has spawned, or one
/// that this user or root starts while a generation runs: it connects to the path and takes over.
///
/// Users. A server may give up its rights (setuid) at any time, before this call or after it; each generation
/// does so or not. A running generation admits root and the user that it is now. A successor takes what root
/// or its own user offers, and what another user's process offers only if that hands over the lock file of the
/// path, open for writing and held: it is the running generation, then, whoever it has become. So let root
/// open no path in a directory of a user's whom it does not trust, nor in one for all. A generation that has
/// given up its rights cannot end a successor that stays root and hangs: it takes back when somebody ends it.
///
/// At every instant at most one process owns. Who has been committed is decided by one word in memory that
/// both share, and it stands if any party is killed, stopped or cut off at any moment
/// (docs/reference/handoff-protocol.md). Listening sockets are handed on as they are: never
/// closed, re-bound or shut down, and their O_NONBLOCK and options never touched.
///
/// CONNECTIONS. From PS_HANDOFF_SEAL on nobody may answer a request that arrives on a connection which this
/// process has accepted: not this process, which may write nothing, and whose reads would be old; and the next
/// one does not have the connection. A client that keeps its connection open (HTTP/1.1 does) would wait, or
/// find it closed with its request unanswered. So, with PS_HANDOFF_EXCLUSIVE, hand connections on at SEAL:
///
/// 1. Stop reading. Write the answers to what was read whole. What arrives now waits in the kernel.
/// 2. ps_handoff_pass_connection for each that is open, with the bytes that were read and not answered. With
///    thousands do that at PS_HANDOFF_DRAIN already (without bytes), and at SEAL only for those that are new
///    or have bytes; ps_handoff_keep_connection before one is closed.
/// 3. ps_handoff_sealed. Keep your own descriptors, and neither read, write nor shut them down.
/// 4. PS_HANDOFF_RESUME: read on from where you were. If `unsealed` is 1, end those you have passed, by
///    shutdown(2) and close(2): the successor may have read part of a request, and has them open as long as it
///    writes its core. PS_HANDOFF_RETIRE: close(2) them; a shutdown(2) would end them for the next one.
/// 5. The next one takes them at PS_HANDOFF_LIVE. Where it closes one, it calls shutdown(2) first: else the
///    client hears of that only when the old generation has closed its own.
///
/// What cannot go on in another process (TLS, HTTP/2, a websocket: their state is in yours) is told to come
/// back: from DRAIN on answer with `Connection: close` (GOAWAY, close 1001), go on answering until SEAL, and
/// close what is idle at SEAL. A request that is on its way then gets no answer; clients may repeat it if that
/// is harmless (RFC 9110, 9.2.2), and most do. With PS_HANDOFF_OVERLAP nothing of this is needed: the old
/// generation answers on its connections until PS_HANDOFF_RETIRE, and then says `Connection: close`.
///
/// An owner looks after both files while it lives: with a watch (inotify(7), one descriptor more; on the two
/// files and the way to them, so others' files in the directory do not wake it), or, where none is to be had,
/// before each handoff and at its end. What somebody has removed or moved it makes anew, and gets
/// PS_HANDOFF_PATH_CHANGED; a handoff that is under way is called off for it (PS_ERR_LOCK_REPLACED), and after
/// the commit the new owner does it. Where another process has the lock by then, two may own: that cannot be
/// undone from here, and nobody can follow this generation until one of the two has ended.
///
/// A process that you have forked without an exec holds what this handle has as you do, the lock among it.
/// Call ps_handoff_free there, first thing, and before it gives up any rights (who holds the lock counts as
/// the running generation): it closes that and nothing else. Where it is not called, a start after the death
/// of the last generation answers PS_ERR_LOCKED while the copy lives, and the error names it. Children of this
/// process's own supervisors are not admitted at the path (their supervisor would end them):
/// ps_handoff_upgrade is for those.
///
/// Blocks only for a successor, until the running generation has offered what it hands on: at most 5 seconds,
/// and at most 1 second while the lock is held and nobody listens (5 beside an owner that writes its core), or
/// the owner is dead and a copy of it holds the lock.
///
/// Identities are exact from Linux 6.5 on (SO_PEERPIDFD); before, they go by pid and start time, or, if
/// one of the two has no /proc (a root given up), by pid and its next message. Where pidfd_send_signal(2) is
/// filtered, a successor that came by the path and hangs cannot be ended either.
///
/// @param control_path  at most 107 bytes from the root on; every generation names the same one. Nothing, or a
///                      socket, may be there. It and the lock file must stay where they are: choose a
///                      directory that no cleaner empties and no link leads to that is turned (/run/name, not
///                      /tmp, not below "current"), and that belongs to the service's user alone: what root
///                      makes there is given to that user. Copied.
/// @param handoff       receives the handle; free it with ps_handoff_free
/// @return PS_OK; PS_ERR_IN_PROGRESS if another handoff is under way, before its SEAL; PS_ERR_LOCKED if
///         the lock is held and nobody listens at the path, or the last owner is dead, or has crashed
///         and its core is being written: the message names it, and who holds the lock, as far as that
///         can be seen; PS_ERR_LOCK_REPLACED if a generation runs whose lock file is not the one at the
///         path: files were removed beside it, or a directory or link was changed (also seen where
///         nothing is left of them, if the kernel tells who listens by that name: same network
///         namespace, a process that this one may look at); PS_ERR_TIMEOUT if the running generation
///         does not answer, which it does not during a seal or a probation either; PS_ERR_PEER_REJECTED
///         if it does not admit this process, or who answers is another user's process and has not
///         shown the lock; or a wrapper that was spawned has forked this process;
///         PS_ERR_VERSION_MISMATCH; PS_ERR_CANCELLED if it has called the handoff off; PS_ERR_ABORTED
///         if it has given it up, or has spawned this process and closed its channel since;
///         PS_ERR_PROTOCOL if what it sends makes no sense; PS_ERR_NOT_FOUND if the directory is not
///         there; PS_ERR_PERMISSION if it may not be used, if lock file or socket are those of another
///         user as whom the server ran once (the message says whose, and what helps), or if what has
///         the name of the lock file is not to be trusted (another user's, a link, a file with a
///         further hard link: nothing is written to those); PS_ERR_INVALID_ARGUMENT if something else
///         lies at the path, or in the lock file
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_new(
    control_path: *const c_char,
    handoff: *mut *mut ps_handoff,
    error: *mut *mut ps_error,
) -> ps_status {
    acquire(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let path = unsafe { convert::string("control_path", control_path) }?;
        let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path.to_bytes());
        // First, as with a supervisor: what is opened now must not get a number that a forked copy is about to give back.
        supervisor::succeed()?;
        shapes::put("handoff", handoff, || {
            let made = Arc::new(Handoff::new(path)?);
            let handle = handles::insert(made.clone())?;
            made.set_name(handle);
            Ok(convert::to_pointer(handle))
        })
    })
}

/// Frees the handle. What that does depends on where this process stands:
///
/// - An owner calls off a handoff that has not been committed. A successor that it spawned and that owns
///   nothing is killed and reaped (blocks at most 5 seconds for that); one that owns goes its own way. One
///   that has crashed and is writing its core is waited for as long, and then left to it.
/// - A successor that was not told LIVE gives up. One that was told LIVE and has not answered gives back. One
///   that has answered LIVE keeps what it owns, and the old generation retires.
/// - The last generation takes the control path away, if it is still the file that its generations have made;
///   the lock file stays.
///
/// - A generation that is over (it was told RETIRE), or stands by, leaves its successor alone. One that it has
///   spawned is its child still, which nobody reaps from here on: what is left of it when it ends goes with
///   this process.
///
/// In a process that was forked from this one, without an exec, it closes what that copy has inherited: lock,
/// control path, channel, what ps_handoff_fd waits for, and the duplicates of what is handed on. That is felt
/// by nobody else: nothing is sent, unlocked, unlinked, killed or reaped, and nothing is waited for, whatever
/// other threads were doing with the handle. All other calls answer PS_ERR_FORKED there, before and after it.
/// What was opened between two instructions of another thread at the fork may stay open. The copy may have
/// closed or re-used descriptors before: what is not the handle's any more is left alone.
///
/// Descriptors that you took or set are yours. NULL and a freed handle do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn ps_handoff_free(handoff: *mut ps_handoff) {
    let handle = handoff.addr() as u64;
    if handles::is_inherited(handle) {
        return quiet(|| Handoff::give_back(handle));
    }
    shapes::free(handoff, |object: Arc<Handoff>| {
        object.close();
        Handoff::forget_name(handle);
    });
}

/// Whether this process was spawned to be a successor: to be asked first of all, before ps_handoff_new, by a
/// server that daemonizes. A successor must be the very process that ps_handoff_upgrade has spawned, so one
/// that is told 1 does not fork, calls no daemon(3) and writes no pid file yet. Takes and changes nothing.
/// Never blocks.
///
/// It looks at PROCSUP_HANDOFF and at the descriptor that is named there. So it is 0 where neither can be
/// known: in a program that is set-user-id or has capabilities of its file (AT_SECURE in getauxval(3)), or
/// behind a wrapper that clears the environment or closes descriptors. It is 0, too, in a successor that
/// comes by the control path (nobody awaits its pid), in what a successor starts, and once ps_handoff_new has
/// taken the channel: ps_handoff_role knows then. A copy that you have forked before is told 1 as you are,
/// and is not the process that is awaited.
///
/// @param control_path  the path that ps_handoff_new will get; NULL: any. A process that was spawned for
///                      another path is told 0, and ps_handoff_new refuses it
/// @param spawned       receives 1 or 0
/// @return PS_OK; PS_ERR_NOT_FOUND if the path is relative and there is no working directory any more
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_was_spawned(control_path: *const c_char, spawned: *mut i32, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let path = unsafe { convert::optional(control_path) }.map(|path| path.to_bytes());
        let path: Option<&std::ffi::OsStr> = path.map(std::os::unix::ffi::OsStrExt::from_bytes);
        shapes::put("spawned", spawned, || Ok(i32::from(was_spawned(path.map(std::path::Path::new))?)))
    })
}

/// Whether this process can be replaced where it runs: to be asked at the start by a server that will hand
/// over. systemd takes the end of a unit's main process for the end of the service and kills all others, so it
/// must be told who follows (ps_notify_main_process). PS_ERR_UNSUPPORTED where that cannot be: this process is
/// the main process of a unit (INVOCATION_ID is set, and SYSTEMD_EXEC_PID is its number) and NOTIFY_SOCKET is
/// not set; or it has pid 1, as the first process of a container, whose end is the end of all (start the
/// server below one that stays: examples/container). Types of units:
///
///   Type=              NotifyAccess=   what works
///   notify             all             everything: a successor speaks for itself
///   notify-reload      all             the same, and systemctl reload waits for its end (systemd 253)
///   notify, -reload    main (default)  if the old generation names the new one at PS_HANDOFF_RETIRE
///   exec, simple       all or main     as above; but the start counts as done before it serves
///   exec, simple,      none (default)  nothing: refused here and by ps_handoff_upgrade. With ExitType=cgroup
///   forking, dbus                      (systemd 250) it works, which this process cannot see:
///                                      ps_handoff_set_service_check
///   oneshot            any             nothing: it is over when its process is
///
/// PS_OK where there is no systemd, below another supervisor or in a container, in all processes that systemd
/// has not started itself, and under systemd before 248, where that cannot be told. Takes and changes nothing.
/// Never blocks.
///
/// @return PS_OK; PS_ERR_UNSUPPORTED, with the words for the log
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_check_service(error: *mut *mut ps_error) -> ps_status {
    call(error, || check_service().map(|()| PS_OK))
}

/// Whether ps_handoff_upgrade refuses where ps_handoff_check_service does: for a unit with ExitType=cgroup,
/// for a server that reaches its service manager in another way, and for one of pid 1 that stays when it is
/// over. Never blocks.
///
/// @param on  1 (default) or 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_service_check(handoff: *mut ps_handoff, on: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.set_service_check(convert::flag("on", on)?))
}

pub use crate::handoff::Role as ps_handoff_role_code;

/// Who this process is. It stays what it was. Never blocks.
///
/// @param role  receives PS_HANDOFF_FIRST or PS_HANDOFF_SUCCESSOR
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_role(handoff: *const ps_handoff, role: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(handoff, "role", role, error, |object: &Handoff| Ok(object.role()? as i32))
}

pub use crate::handoff::Standing as ps_handoff_phase_code;

/// Where this process stands: what it may do now. Whether an accept event or a task that was queued before
/// SEAL may still be served, and what a handler of SIGTERM has to do (see the top of this section). For
/// handlers that are called by your event loop: this is no call for a signal handler. Never blocks;
/// answers after PS_HANDOFF_RETIRE, too.
///
/// It says what is so, with one reservation: a permission counts from the event on that gives it, once that
/// was *taken*. While PS_HANDOFF_LIVE, _RESUME or _COMMITTED waits in the queue, what was before holds: write
/// nothing on the word of this call that an event has not told you to. What takes a permission away holds at
/// once, also while its event (_SEAL, _RETIRE, _ABORTED) still waits.
///
/// @param phase  receives a PS_HANDOFF_PHASE_*
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_phase(handoff: *const ps_handoff, phase: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(handoff, "phase", phase, error, |object: &Handoff| Ok(object.standing()? as i32))
}

/// Which generation owns, as this process sees it: 1 for the first, strictly increasing, also over cold
/// starts (the lock file keeps count). A handoff that was taken back counts as well. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_generation(handoff: *const ps_handoff, generation: *mut u64, error: *mut *mut ps_error) -> ps_status {
    shapes::value(handoff, "generation", generation, error, Handoff::generation)
}

pub use crate::handoff::machine::Mode as ps_handoff_mode;

/// Owner: how the next handoffs go. Never blocks.
///
/// With PS_HANDOFF_EXCLUSIVE the successor serves after the owner has sealed; connections wait in the
/// listening socket's queue meanwhile (tens of microseconds). PS_HANDOFF_OVERLAP is for servers without a
/// writer: the successor accepts beside the owner, which gets PS_HANDOFF_SEAL after that, so there is no gap.
///
/// @param mode  PS_HANDOFF_EXCLUSIVE (default) or PS_HANDOFF_OVERLAP
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_mode(handoff: *mut ps_handoff, mode: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.set_mode(convert::choice("mode", mode, ps_handoff_mode::from_repr)?))
}

pub use crate::handoff::Timeout as ps_handoff_timeout;

/// Owner: how long the next handoffs wait for what. Never blocks.
///
/// @param which  a PS_HANDOFF_TIMEOUT_*
/// @param ms     milliseconds, at least 1; 0 is allowed for PS_HANDOFF_TIMEOUT_PROBATION. "For ever" is not:
///               every wait has an end
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_timeout(handoff: *mut ps_handoff, which: i32, ms: i64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| {
        object.set_timeout(convert::choice("which", which, ps_handoff_timeout::from_repr)?, ms)
    })
}
