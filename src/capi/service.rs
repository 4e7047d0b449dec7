//! The side of the child: what it was given, and how it says what it does.

use core::ffi::c_char;

use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, call};
use super::{convert, ps_status, shapes};
use crate::clock::{self, Deadline};
use crate::coordination::service::notify::Sent;
use crate::coordination::service::{listening, notify, watchdog};

/// The number of the first descriptor that was given (SD_LISTEN_FDS_START).
pub const PS_LISTEN_FDS_START: i32 = 3;

/// How many descriptors this process was given (LISTEN_FDS): their numbers are PS_LISTEN_FDS_START and up.
/// All of them are close-on-exec from then on; nothing else of them is changed, and they are yours. 0 where
/// none were given, or to another process: LISTEN_PID, and LISTEN_PIDFDID where it is set and the kernel has
/// such numbers (Linux 6.9), must be this process's. So a forked copy was given none.
///
/// Call it once, at the start: the environment stays, so after you have closed one of them it answers
/// PS_ERR_PROTOCOL, and what you have opened under its number would be made close-on-exec. Never blocks.
///
/// ```c
/// void take_sockets(void (*serve_at)(int32_t fd)) {
///   int32_t count = 0;
///   ps_error *error = NULL;
///   if (ps_listen_fds(&count, &error) != PS_OK)
///     fprintf(stderr, "%s\n", ps_error_message(error));
///   ps_error_free(error);
///   for (int32_t fd = PS_LISTEN_FDS_START; fd < PS_LISTEN_FDS_START + count; fd++)
///     serve_at(fd);
/// }
/// ```
///
/// @return PS_OK; PS_ERR_PROTOCOL if a variable is malformed or a descriptor that it counts is not open (then
///         none was changed); ps_error_step names the variable
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_listen_fds(count: *mut i32, error: *mut *mut ps_error) -> ps_status {
    call(error, || shapes::put("count", count, listening::count))
}

/// The first descriptor of this name that this process was given (LISTEN_FDNAMES). It is close-on-exec from
/// then on, and yours; the others are not touched: call ps_listen_fds first if you start programs by other
/// means than ps_spawn. For more of one name, go through all by ps_listen_fd_name. Never blocks.
///
/// @param name  as in LISTEN_FDNAMES. Where that is not set all are called "unknown"; systemd's own names are
///              "connection" (Accept=yes) and "stored"
/// @return PS_OK; PS_ERR_NOT_FOUND if there is none, or none was given at all; PS_ERR_PROTOCOL as of
///         ps_listen_fds, and if there are not as many names as descriptors
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_listen_fd_named(name: *const c_char, fd: *mut i32, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let name = unsafe { convert::string("name", name) }?;
        shapes::put("fd", fd, || listening::named(name.to_bytes()))
    })
}

/// The name of a descriptor that this process was given, NUL-terminated; "unknown" where there are no names.
/// Several may have the same. Touches nothing; never blocks.
///
/// @param fd                its number: PS_LISTEN_FDS_START and up
/// @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
/// @return PS_OK; PS_ERR_NOT_FOUND if it was not given; PS_ERR_LIMIT if the buffer is too small;
///         PS_ERR_PROTOCOL as of ps_listen_fd_named
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_listen_fd_name(
    fd: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let name = listening::name_of(fd)?;
        // SAFETY: the caller gave a valid buffer and place for the length, or null.
        unsafe { convert::copy_out(&[&name, b"\0"], buf, cap, needed) }
    })
}

/// Tells the starter (NOTIFY_SOCKET) what this process does: assignments with newlines between them, in one
/// message. READY=1, STATUS=text, STOPPING=1, WATCHDOG=1 and all others of sd_notify(3); they are sent as
/// they are. Where nobody asked to be told, PS_OK as well, so a program need not know who has started it;
/// getenv("NOTIFY_SOCKET") tells.
///
/// Never blocks, so a message can be refused: PS_PENDING says that it was NOT sent because the starter has
/// not read the last ones (the kernel lets some ten wait; net.unix.max_dgram_qlen). For WATCHDOG=1 and STATUS
/// that is no matter, the next one will do; what must arrive is sent again. This waits as long as somebody
/// reads, and five seconds more:
///
/// ```c
/// void say_ready(void) {
///   while (ps_notify("READY=1", NULL) == PS_PENDING && ps_notify_barrier(5000, NULL) == PS_OK)
///     ;
/// }
/// ```
///
/// By default only the main process is heard, not its children (ps_command_readiness; NotifyAccess= of
/// systemd). READY=1 ends a reload, too, which begins with ps_notify_reloading. Messages with descriptors go
/// by ps_notify_fds, and who the main process is by ps_notify_main_process.
///
/// @param state  1 to 4096 bytes: systemd drops what is longer
/// @return PS_OK: sent, or nobody asked; PS_PENDING: not sent; PS_ERR_PROTOCOL if NOTIFY_SOCKET is malformed,
///         PS_ERR_UNSUPPORTED if it is a vsock; PS_ERR_SYSTEM (ECONNREFUSED) if nobody reads there any more,
///         PS_ERR_NOT_FOUND if the path is gone, PS_ERR_PERMISSION
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_notify(state: *const c_char, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let state = unsafe { convert::string("state", state) }?;
        notify::notify(state.to_bytes()).map(told)
    })
}

fn told(sent: Sent) -> ps_status {
    match sent {
        Sent::Queued | Sent::Unasked => PS_OK,
        Sent::Full => PS_PENDING,
    }
}

/// ps_notify with descriptors: for the descriptor store of systemd, which keeps them while the service is
/// restarted (FileDescriptorStoreMax=), and gives them to its next process as ps_listen_fds finds them. So
/// listening sockets, and who waits in their lines, outlive a crash:
///
/// ```c
/// void keep_in_store(int32_t listener) {
///   ps_notify_fds("FDSTORE=1\nFDNAME=http", &listener, 1, NULL);
/// }
/// void forget_in_store(void) {
///   ps_notify("FDSTOREREMOVE=1\nFDNAME=http", NULL);
/// }
/// ```
///
/// Names have at most 255 characters, printable ASCII without ':'; several descriptors may have one name. One
/// that has been stored before, by whatever number, is not stored twice. systemd lets go of those on which
/// poll(2) finds an error or a hang-up, unless FDPOLL=0 says that they are not to be watched (systemd 246); a
/// listening socket needs none. A main process that is heard is one that may store (NotifyAccess=).
///
/// They are duplicated in the message: yours stay yours. Where nobody asked to be told, and with a starter
/// that is none of systemd's (a host of procsup closes what comes along), nothing is kept: ask ps_listen_fds
/// at the next start, and bind what is not there. Never blocks.
///
/// @param state  1 to 4096 bytes, as of ps_notify
/// @param fds    so many numbers of open descriptors; NULL with 0
/// @param n      at most 252
/// @return PS_OK: sent, or nobody asked; PS_PENDING: not sent (see ps_notify); PS_ERR_INVALID_ARGUMENT if a
///         descriptor is not open, or there are too many; PS_ERR_SYSTEM (ETOOMANYREFS) if more descriptors
///         of this user are in messages that nobody has read than it may have open; otherwise as ps_notify
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_notify_fds(state: *const c_char, fds: *const i32, n: usize, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let state = unsafe { convert::string("state", state) }?;
        // SAFETY: null, or `n` numbers, by the caller's contract.
        let fds = unsafe { convert::slice("fds", fds, n) }?;
        notify::notify_with(state.to_bytes(), fds).map(told)
    })
}

/// Tells the service manager who the main process of this service is from now on (MAINPID=): whose end is the
/// service's, and who gets what `$MAINPID` in ExecReload= names. A process that has taken over says it of
/// itself; one that goes may say it of the one that follows it, and is heard with NotifyAccess=main as well.
/// Along goes the number of that process on pidfs (MAINPIDFDID=, Linux 6.9), which systemd 257 and newer
/// compare: a pid that another process has by then is refused. systemd also refuses a process outside
/// the unit's control group, unless root says it.
///
/// When: with NotifyAccess=all, a successor at PS_HANDOFF_COMMITTED in phase _SETTLED, before it asks for the
/// next event. With NotifyAccess=main nobody hears it then, so the old generation says it at
/// PS_HANDOFF_RETIRE, of event.peer_pid, before it exits (systemd reads messages before it looks who has
/// ended), with READY=1 if it has said that it reloads. One of the two: an old generation that is slow would
/// name one that has been replaced by then. Never at PS_HANDOFF_LIVE: it may be taken back still.
///
/// ```c
/// void tell_who_serves(const ps_handoff_event *event) {
///   if (event->kind == PS_HANDOFF_COMMITTED && event->phase == PS_HANDOFF_PHASE_SETTLED)
///     ps_notify_main_process(0, "READY=1", NULL);
/// }
/// ```
///
/// Never blocks. The number is one of this process's pid namespace: a service manager outside of that reads
/// another process in it.
///
/// @param pid    0: this process
/// @param state  more lines for the same message, as of ps_notify: "READY=1"; NULL: none
/// @return PS_OK: sent, or nobody asked; PS_PENDING: not sent (see ps_notify); PS_ERR_NOT_FOUND if there is no
///         such process, or as ps_notify; otherwise as ps_notify
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_notify_main_process(pid: i32, state: *const c_char, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let state = unsafe { convert::optional(state) }.map_or(&b""[..], core::ffi::CStr::to_bytes);
        notify::main_process(pid, state).map(told)
    })
}

/// Tells the service manager that a reload has begun (RELOADING=1, with MONOTONIC_USEC=, which a unit of
/// Type=notify-reload demands); READY=1 ends it. A server that hands over at a reload says it before
/// ps_handoff_upgrade; READY=1 comes from the next generation with ps_notify_main_process, or, at
/// PS_HANDOFF_ABORTED in phase _OWNER, from the one that goes on. Never blocks.
///
/// @return as ps_notify
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_notify_reloading(error: *mut *mut ps_error) -> ps_status {
    call(error, || notify::reloading(clock::now()).map(told))
}

/// Waits until the starter has read all that this process has told it so far (BARRIER=1), or is gone. Where
/// nobody asked to be told there is nothing to wait for. Worth calling before an exit right after a message:
/// systemd may drop what a process said that is gone. (A host of procsup reads it all the same.)
///
/// Blocks at most timeout_ms. A copy of this process that another thread forks meanwhile holds it up until
/// the copy's exec or end.
///
/// @param timeout_ms  milliseconds; -1: no limit
/// @return PS_OK; PS_ERR_TIMEOUT; otherwise as ps_notify
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_notify_barrier(timeout_ms: i64, error: *mut *mut ps_error) -> ps_status {
    call(error, || notify::barrier(Deadline::of_timeout("timeout_ms", timeout_ms)?).map(|()| PS_OK))
}

/// Whether the starter takes silence of this process for death, and after how many microseconds: then send
/// WATCHDOG=1 by ps_notify, at half that time, from where it shows that the program works. 0: nobody watches
/// (WATCHDOG_USEC is not set, or WATCHDOG_PID is another process; so in a forked copy). Never blocks.
///
/// @return PS_OK; PS_ERR_PROTOCOL if a variable is malformed; ps_error_step names it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_watchdog_enabled(usec: *mut i64, error: *mut *mut ps_error) -> ps_status {
    call(error, || shapes::put("usec", usec, watchdog::enabled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::service::variables::FIRST;

    #[test]
    fn the_first_number_is_the_conventions() {
        assert_eq!(PS_LISTEN_FDS_START, FIRST);
    }
}
