//! The side of the child: what it was given, and how it says what it does.

use core::ffi::c_char;

use super::error::ps_error;
use super::guard::{PS_OK, PS_PENDING, call};
use super::{convert, ps_status, shapes};
use crate::clock::Deadline;
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
/// systemd). READY=1 ends a reload, too, which begins with RELOADING=1 and the time of CLOCK_MONOTONIC:
///
/// ```c
/// void say_reloading(void) {
///   struct timespec now;
///   char state[64];
///   clock_gettime(CLOCK_MONOTONIC, &now);
///   snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
///            now.tv_sec * 1000000LL + now.tv_nsec / 1000);
///   ps_notify(state, NULL);
/// }
/// ```
///
/// Descriptors are not sent along: no FDSTORE=1.
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
        Ok(match notify::notify(state.to_bytes())? {
            Sent::Queued | Sent::Unasked => PS_OK,
            Sent::Full => PS_PENDING,
        })
    })
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
