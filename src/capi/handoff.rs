//! `ps_handoff`: a server's end of the handoff.

use core::ffi::{c_char, c_void};
use core::mem::offset_of;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::Arc;

use super::command::{current, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, acquire, call, quiet};
use super::{convert, handles, ps_status, shapes};
use crate::error::{Error, Status};
use crate::handoff::{Handoff, Notice, Told, check_service, status_of, was_spawned};
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
///     if (ps_handoff_next_event(handoff, -1, &event, &error) != PS_OK)
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
/// Identities are exact from Linux 6.5 on (SO_PEERPIDFD); before, they go by pid and start time. Where
/// pidfd_send_signal(2) is filtered, a successor that came by the path and hangs cannot be ended either.
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

/// Hands a descriptor of any kind on under a name; one of the same name is replaced. A duplicate is kept,
/// `fd` stays yours. May be called during a handoff, too: what is set before ps_handoff_sealed (with overlap:
/// ps_handoff_drained) still reaches the successor. What a successor has taken is handed on by itself.
///
/// To close a listener takes both, -1 here and your own close(2): the duplicate would answer on, and
/// connections wait in its queue for nobody. During a probation the old generation has one, too, until it
/// retires. Connections would be held open in the same way: for those there is ps_handoff_pass_connection.
///
/// @param name  1 to 255 bytes without a newline, not beginning with "procsup:"; copied
/// @param fd    -1: this name is handed on no more (PS_ERR_NOT_FOUND if it was not)
/// @return PS_OK; PS_ERR_STATE if this generation is over
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_fd(handoff: *mut ps_handoff, name: *const c_char, fd: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let name = unsafe { convert::string("name", name) }?;
        if fd < -1 {
            return Err(Error::invalid("fd", format!("fd: {fd} is not an open descriptor")));
        }
        object.set_fd(name.to_bytes(), fd)
    })
}

/// Successor: claims a descriptor that was handed on. Each can be taken once, until ps_handoff_live, which
/// closes what nobody has taken. What the running generation sets anew while this one loads can be taken
/// again: ps_handoff_fd_names at PS_HANDOFF_LIVE lists it.
///
/// The library keeps a duplicate, so each takes two numbers of your limit of open files.
///
/// @param fd  receives it: close-on-exec, now yours. Its open file description (offset, O_NONBLOCK, socket
///            options) is shared with the old generation: change nothing of that while the old generation may
///            take back
/// @return PS_OK; PS_ERR_NOT_FOUND if nothing of that name was handed on, as in the first generation
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_take_fd(
    handoff: *mut ps_handoff,
    name: *const c_char,
    fd: *mut i32,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Handoff, _>(handoff)?;
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let name = unsafe { convert::string("name", name) }?;
        shapes::put("fd", fd, || Ok(object.take_fd(name.to_bytes())?.into_raw_fd()))
    })
}

/// Successor: the names that were handed on and not taken, in the order of their bytes, each followed by a
/// newline.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_fd_names(
    handoff: *const ps_handoff,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(handoff, buf, cap, needed, error, Handoff::fd_names)
}

/// Owner: passes an open connection on to the successor, with what was read of it and is not answered yet (see
/// CONNECTIONS at ps_handoff_new). From PS_HANDOFF_DRAIN on until ps_handoff_sealed (with overlap, in which
/// who passes one must have stopped reading it: until ps_handoff_drained). Called again for the same
/// connection it replaces the bytes. A duplicate is kept, `fd` stays yours. If the handoff comes to nothing,
/// nothing is passed any more; each handoff begins anew.
///
/// It takes one number of the limit of open files here and one in the successor, one more each with bytes.
/// What is passed before ps_handoff_drained is sent while this process still serves; what is passed after that
/// is sent between ps_handoff_sealed and the commit, in messages of 252, each of which is acknowledged. A
/// successor whose limit is too low ends the handoff, and PS_HANDOFF_RESUME follows. Never blocks.
///
/// @param fd    the connection: a socket, or any descriptor of which that holds
/// @param data  copied; the successor gets them with the descriptor
/// @param len   how many bytes; 0: none
/// @return PS_OK; PS_ERR_STATE if it is not the time (any more), as when the handoff was called off
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_pass_connection(
    handoff: *mut ps_handoff,
    fd: i32,
    data: *const c_void,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        // SAFETY: as long as the caller says.
        object.pass_connection(fd, unsafe { convert::slice("data", data.cast::<u8>(), len) }?)
    })
}

/// Owner: passes a connection on no more. Call it before you close one that was passed: else the duplicate
/// that the library keeps holds it open, and the successor gets it. Never blocks.
///
/// @return PS_OK; PS_ERR_NOT_FOUND if it is not passed on; PS_ERR_STATE after ps_handoff_sealed, if it is:
///         the successor has it, or is about to
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_keep_connection(handoff: *mut ps_handoff, fd: i32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.keep_connection(fd))
}

/// Successor: claims the next connection that was passed on, in no order that means anything. At
/// PS_HANDOFF_LIVE, until ps_handoff_live, which closes those that nobody has taken. Go on as if the bytes had
/// just been read. Nothing of it stays with the library. There is none if `unsealed` is 1: the last owner has
/// read on until its death, nobody knows how far, and its clients see its connections end. Never blocks.
///
/// While the old generation stands by it has each connection, too: end one by shutdown(2) before close(2).
///
/// @param fd      receives it: close-on-exec, now yours. Its open file description is shared with the old
///                generation, as with ps_handoff_take_fd
/// @param buf     receives what the old generation has read of it and not answered; may be NULL if `cap` is 0
/// @param cap     how many bytes there is room for
/// @param needed  receives how many bytes they are, also where there is no room for them; may be NULL
/// @return PS_OK; PS_ERR_NOT_FOUND if none is left; PS_ERR_LIMIT if the buffer is too small: it is still the
///         next one; PS_ERR_STATE before PS_HANDOFF_LIVE
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_take_connection(
    handoff: *mut ps_handoff,
    fd: *mut i32,
    buf: *mut c_void,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Handoff, _>(handoff)?;
        let place = convert::out("fd", fd)?;
        if buf.is_null() && cap > 0 {
            return Err(Error::invalid("buf", format!("buf is NULL, and cap is {cap}")));
        }
        let mut length = 0;
        let taken = object.take_connection(cap, |needed| length = needed);
        let told = taken.as_ref().map_or_else(|error| error.status == Status::Limit, |_| true);
        if told && !needed.is_null() {
            // SAFETY: not null, and valid by the caller's contract.
            unsafe { *needed = length };
        }
        let (taken, bytes) = taken?;
        // SAFETY: `buf` has room for `cap` bytes, and there are no more; `fd` is not null, and valid by the caller's contract.
        unsafe {
            if !bytes.is_empty() {
                core::ptr::copy_nonoverlapping(bytes.as_ptr(), buf.cast::<u8>(), bytes.len());
            }
            *place = taken.into_raw_fd();
        }
        Ok(PS_OK)
    })
}

/// Sets the state for the next generation: any bytes, copied into sealed memory. It may be set again at SEAL:
/// the successor reads at LIVE what was set last. A successor that is to hand on in turn sets its own.
///
/// @return PS_OK; PS_ERR_STATE if this generation is over
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_state(
    handoff: *mut ps_handoff,
    data: *const c_void,
    len: usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        // SAFETY: as long as the caller says.
        object.set_state(unsafe { convert::slice("data", data.cast::<u8>(), len) }?)
    })
}

/// Successor: the state that was handed on; empty if there is none. It stays readable, and its memory taken,
/// until the handle is freed or this process hands over.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_state(
    handoff: *const ps_handoff,
    buf: *mut c_void,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let object = convert::object::<Handoff, _>(handoff)?;
        // SAFETY: the caller gave a valid place for the length, or null.
        if !unsafe { convert::is_room(object.state_length()?, buf.cast(), cap, needed) }? {
            return Ok(PS_OK);
        }
        let state = object.state()?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[&state], buf.cast(), cap, needed) }
    })
}

/// The descriptor to wait on: readable while ps_handoff_next_event has something to do. Borrowed: do not read
/// or close it. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_fd(handoff: *const ps_handoff, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    shapes::value(handoff, "fd", fd, error, |object: &Handoff| Ok(object.fd()?.as_raw_fd()))
}

/// What a server is told. An owner: DRAIN, SEAL, COMMITTED and RETIRE; or, at any point before RETIRE, RESUME
/// and ABORTED. A successor: LIVE and COMMITTED; or, at any point before COMMITTED, ABORTED.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum ps_handoff_event_kind {
    /// The successor is warm: end background work, go on accepting, then call ps_handoff_drained.
    #[strum(serialize = "PS_HANDOFF_DRAIN")]
    Drain = 1,
    /// Stop accepting, reading and writing; pass open connections on; make everything durable, then call
    /// ps_handoff_sealed. (With overlap: stop accepting, and no more than that.) Look at a flag of yours
    /// before accept(2): a listener may be ready in the same batch of your event loop in which this event is.
    #[strum(serialize = "PS_HANDOFF_SEAL")]
    Seal = 2,
    /// You own: open the writer, accept, take the connections, then call ps_handoff_live. The first event of
    /// the first generation, too.
    #[strum(serialize = "PS_HANDOFF_LIVE")]
    Live = 3,
    /// You own still, or again: go on as before (see unsealed).
    #[strum(serialize = "PS_HANDOFF_RESUME")]
    Resume = 4,
    /// The successor stands alone, and its server has worked PS_HANDOFF_COMMITTED off (or has had
    /// PS_HANDOFF_TIMEOUT_LIVE for that): close the connections that were passed on, finish those that were
    /// not, and exit.
    #[strum(serialize = "PS_HANDOFF_RETIRE")]
    Retire = 5,
    /// The old generation (event.phase is PS_HANDOFF_PHASE_STANDBY): the successor serves, you stand by. The
    /// new one (PS_HANDOFF_PHASE_SETTLED): the probation is over, you stand alone; the old generation is told
    /// to exit once you ask for the next event (or begin a handoff of your own; in whatever thread: let one
    /// take the events), so tell whoever watches it of yourself before: a service manager (MAINPID), a pid
    /// file.
    #[strum(serialize = "PS_HANDOFF_COMMITTED")]
    Committed = 6,
    /// The handoff came to nothing; `reason` says why. An owner (event.phase is PS_HANDOFF_PHASE_OWNER) goes
    /// on. A successor (PS_HANDOFF_PHASE_GONE) stops at once and exits, also one that has served.
    #[strum(serialize = "PS_HANDOFF_ABORTED")]
    Aborted = 7,
    /// Owner: somebody has removed or moved the control path or its lock file (a cleaner, a link that was
    /// turned). No answer is awaited; it comes only while no handoff is under way. `reason`: PS_OK, they are
    /// this process's again, made anew if need be; PS_ERR_LOCK_REPLACED, another process holds the lock that
    /// lies there: whatever it owns, this one does too, and nobody can follow this one. End one of the two.
    /// Another status: they could not be made anew; that is tried again.
    #[strum(serialize = "PS_HANDOFF_PATH_CHANGED")]
    PathChanged = 8,
}

/// What a server is told in the course of a handoff.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_handoff_event {
    /// Set by the caller: sizeof(ps_handoff_event).
    pub size: u32,
    /// PS_HANDOFF_DRAIN, _SEAL, _LIVE, _RESUME, _RETIRE, _COMMITTED, _ABORTED or _PATH_CHANGED. Ignore those
    /// that you do not know: a later version may have more, and none of them awaits an answer.
    pub kind: i32,
    /// Which handoff it belongs to; the same number on both sides. 0: to none.
    pub handoff_id: u64,
    /// PS_HANDOFF_LIVE: what the last owner gave to ps_handoff_sealed; 0 on a cold start, if unsealed is 1,
    /// and in overlap mode (where SEAL comes later).
    pub revision: u64,
    /// PS_HANDOFF_LIVE: 1 if the owner died before it had sealed: run crash recovery. PS_HANDOFF_RESUME: 1 if
    /// the successor had been told LIVE and may have written: read the state anew from storage.
    pub unsealed: i32,
    /// The other process, for display; 0 if there was none.
    pub peer_pid: i32,
    /// PS_HANDOFF_ABORTED: why, a PS_ERR_*. PS_HANDOFF_PATH_CHANGED: how it is now. ps_handoff_reason has the
    /// words.
    pub reason: i32,
    /// PS_HANDOFF_DRAIN, _SEAL, _LIVE: answer before this, nanoseconds of CLOCK_MONOTONIC. 0: no answer is
    /// awaited.
    pub deadline_ns: i64,
    /// When it came about, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
    /// Where this event puts you, a PS_HANDOFF_PHASE_*. It tells the two sides of an event apart:
    /// PS_HANDOFF_COMMITTED is _STANDBY in the old generation and _SETTLED in the new one,
    /// PS_HANDOFF_ABORTED is _OWNER in the old one and _GONE in the new one, whether it has served or not.
    pub phase: i32,
    /// 0
    pub reserved: i32,
}

fn fill_event(size: u32, told: &Told) -> ps_handoff_event {
    use ps_handoff_event_kind as Kind;
    let (kind, unsealed, reason) = match told.notice {
        Notice::Drain => (Kind::Drain, false, PS_OK),
        Notice::Seal => (Kind::Seal, false, PS_OK),
        Notice::Live { unsealed } => (Kind::Live, unsealed, PS_OK),
        Notice::Resume { unsealed } => (Kind::Resume, unsealed, PS_OK),
        Notice::Retire => (Kind::Retire, false, PS_OK),
        Notice::Committed => (Kind::Committed, false, PS_OK),
        Notice::Aborted(reason) => (Kind::Aborted, false, status_of(reason) as i32),
        Notice::PathChanged => (Kind::PathChanged, false, told.status as i32),
    };
    ps_handoff_event {
        size,
        kind: kind as i32,
        handoff_id: told.handoff_id,
        revision: told.revision,
        unsealed: i32::from(unsealed),
        peer_pid: told.peer_pid,
        reason,
        deadline_ns: told.deadline_ns,
        time_ns: told.time_ns,
        phase: told.standing as i32,
        reserved: 0,
    }
}

/// Takes the next event, and does what is due: speaks with the other generation, keeps deadlines, reaps. Call
/// it until PS_PENDING whenever ps_handoff_fd is readable: a handoff goes on only inside these calls, and a
/// generation that does not make them is taken for hung.
///
/// Go on with it after RETIRE, as long as you have connections to finish: a successor that you have spawned is
/// your child, and may hand over to the next generation and end before you. ps_handoff_fd is readable then,
/// and this call reaps it (and nothing else is done to it); it answers PS_PENDING.
///
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
///                    host does not end the wait
/// @param event       receives the event (set event->size first)
/// @return PS_OK; PS_PENDING if there is none; PS_ERR_STATE if there never will be one (this generation is
///         over, and `timeout_ms` is -1); PS_ERR_SHUTDOWN if the handle was freed meanwhile
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_next_event(
    handoff: *mut ps_handoff,
    timeout_ms: i64,
    event: *mut ps_handoff_event,
    error: *mut *mut ps_error,
) -> ps_status {
    let least = offset_of!(ps_handoff_event, time_ns) + size_of::<i64>();
    shapes::event(handoff, event, least, error, |object: &Handoff, size| {
        Ok(object.next_event(timeout_ms)?.map(|told| fill_event(size, &told)))
    })
}

/// Successor: everything is loaded. Only now is the owner drained and sealed, so loading may take as long as
/// the deadline allows. PS_HANDOFF_LIVE follows, or PS_HANDOFF_ABORTED. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if it was said before, or this is no successor
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_warm(handoff: *mut ps_handoff, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, Handoff::warm)
}

/// Answers PS_HANDOFF_DRAIN: background work has ended. Accepting goes on. In exclusive mode PS_HANDOFF_SEAL
/// follows as soon as the successor has shown that it is awake; if it does not within
/// PS_HANDOFF_TIMEOUT_LIVE, the handoff is off, and nothing was stopped for it. Never blocks.
///
/// @param open_connections  how many are open; for people to read, procsup does nothing with it
/// @return PS_OK; PS_ERR_STATE if no such answer is awaited (any more): the handoff was called off meanwhile
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_drained(handoff: *mut ps_handoff, open_connections: u32, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.drained(open_connections))
}

/// Answers PS_HANDOFF_SEAL: this process accepts and writes nothing any more, and everything acknowledged is
/// durable. From here on the successor may own: the commit is made at once, or, if descriptors or the state
/// were set since SEAL, when the successor has acknowledged them. Or the handoff is off and PS_HANDOFF_RESUME
/// follows; write nothing before that. Never blocks.
///
/// @param revision  how far the data go; the successor gets it with PS_HANDOFF_LIVE
/// @return PS_OK; PS_ERR_STATE if no such answer is awaited (any more)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_sealed(handoff: *mut ps_handoff, revision: u64, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| object.sealed(revision))
}

/// Answers PS_HANDOFF_LIVE: this process serves. What was handed on and not taken is closed now. The old
/// generation then stands by for the probation, and takes back if this process ends, or crashes: a core that
/// is being written is let finish, and not waited for. After it this process gets PS_HANDOFF_COMMITTED and
/// stands alone. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if no such answer is awaited
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_live(handoff: *mut ps_handoff, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, Handoff::live)
}

/// This side cannot go on. The owner gets PS_HANDOFF_RESUME, also when its successor says so after
/// PS_HANDOFF_LIVE: that successor must have stopped writing before it calls, and exit after. Never blocks.
///
/// @param reason  in words, for people to read; may be NULL. Copied.
/// @return PS_OK; PS_ERR_STATE if there is no handoff to fail
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_failed(handoff: *mut ps_handoff, reason: *const c_char, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let reason = unsafe { convert::optional(reason) };
        object.failed(&reason.map(|reason| reason.to_string_lossy()).unwrap_or_default())
    })
}

/// Owner: spawns its successor and hands over to it. Returns when the program has begun (as ps_spawn, which
/// says how long that takes); ps_handoff_next_event does the rest. The successor finds its channel by a
/// variable that is added to its environment, PROCSUP_HANDOFF, and must be the very process that is spawned:
/// a wrapper has to exec it. If that wrapper has closed the channel or cleared the environment, or if the
/// program has capabilities from its file or is set-user-id and so believes no environment, it comes by the
/// control path, where it is known, as whatever user it runs; it must be able to open the lock file there. A
/// wrapper that forks it ends the handoff (PS_ERR_PEER_REJECTED), and both sides are told which process was
/// spawned and which one came.
///
/// Where this process is watched by whoever has started it (WATCHDOG_PID is its number), the successor is in
/// its place: its own number stands there, so that ps_watchdog_enabled finds the watchdog.
///
/// Until the commit it is a child like any other: stopped by its stop plan and reaped if the handoff comes to
/// nothing, killed by ps_kill_and_reap_all. From the commit on it is none: exit, free and kill-all of this
/// generation leave it alone.
///
/// @param successor    a command that nothing ties to this process: no die_with_host, cgroup, sandbox_dir,
///                     deadline, restart policy, pipes or captured output (PS_ERR_INVALID_ARGUMENT)
/// @param deadline_ms  milliseconds for everything until the commit, loading included; at least 1
/// @return PS_OK; what ps_spawn answers; PS_ERR_IN_PROGRESS if a handoff is under way; PS_ERR_STATE if this
///         process does not own; PS_ERR_LOCK_REPLACED if another process holds the lock that lies beside the
///         control path now (see PS_HANDOFF_PATH_CHANGED), or what that event said if the lock file could not
///         be made anew (PS_ERR_NOT_FOUND, PS_ERR_PERMISSION, PS_ERR_INVALID_ARGUMENT): nothing was spawned;
///         PS_ERR_UNSUPPORTED if the service manager would not follow (ps_handoff_check_service);
///         PS_ERR_EXITED if the successor has ended already; PS_ERR_SHUTDOWN if the handle was freed
///         meanwhile: the successor is ended, then
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_upgrade(
    handoff: *mut ps_handoff,
    successor: *const ps_command,
    deadline_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::grow(handoff, error, |object: &Handoff| {
        let command = current(successor)?;
        object.upgrade(&command, deadline_ms)
    })
}

/// Owner: calls the handoff off, which is possible until the commit. PS_HANDOFF_RESUME (if DRAIN was told)
/// and PS_HANDOFF_ABORTED follow. Never blocks.
///
/// @return PS_OK; PS_ERR_STATE if there is none, or it is committed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_cancel(handoff: *mut ps_handoff, error: *mut *mut ps_error) -> ps_status {
    shapes::change(handoff, error, Handoff::cancel)
}

/// Why the last handoff came to nothing, in words, or, if PS_HANDOFF_PATH_CHANGED was taken since, what
/// became of the control path; they may be the other side's, of which there are at most
/// 1024 bytes. On one line, as in ps_error_message.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_reason(
    handoff: *const ps_handoff,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(handoff, buf, cap, needed, error, Handoff::reason)
}
