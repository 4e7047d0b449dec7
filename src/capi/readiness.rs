//! When a child is ready, and whether it still lives.

use core::ffi::c_char;
use std::sync::Arc;

use super::child::ps_child;
use super::command::{change, ps_command};
use super::error::ps_error;
use super::guard::{PS_OK, call};
use super::{convert, ps_status};
use crate::error::Error;
use crate::supervisor::Managed;

pub use crate::coordination::readiness::Kind as ps_readiness_kind;

/// When the child counts as ready. Default: nobody asks, and there is no PS_EVENT_READY.
///
///   kind               ready is                                  detail
///   PS_READY_EXEC      that its program has begun                NULL
///   PS_READY_NOTIFY    READY=1, sent to its NOTIFY_SOCKET        NULL
///   PS_READY_FD        a newline that it writes to a descriptor  its number in the child, "3" to "1048575"
///   PS_READY_SOCKET    that somebody accepts at an address       "unix:/path", "unix:@abstract",
///                                                                "tcp:host:port"
///
/// PS_READY_NOTIFY: by the convention of sd_notify(3), so a service of systemd needs nothing else. Each child
/// has a socket of its own, whose address is in its environment; a host's own NOTIFY_SOCKET stays the host's.
/// Its own process is believed, nobody else (ps_command_notify_access). It may put its end off
/// (EXTEND_TIMEOUT_USEC), to a day after its begin at the latest. Descriptors that come with a message are
/// closed: none is kept (FDSTORE), and a barrier is over at once.
///
/// PS_READY_FD: as services of s6 and dinit do. The child closes the descriptor then; procsup closes its end
/// with the newline, so a later write is EPIPE. If it closes it before (a daemon that closes all above 2), it
/// will never be ready.
///
/// PS_READY_SOCKET: procsup connects, again and again at growing pauses (1 to 50 ms; from 0.8 s on a sixteenth
/// of the time so far, to 250 ms), and closes at once; it sends nothing. So whoever listens there sees a
/// connection that says nothing. The host of tcp is localhost (127.0.0.1, then ::1), an IPv4 address, or an
/// IPv6 address in brackets; names are not looked up, for that may take any time. Whose process it is that
/// accepts cannot be known: be sure that no older one listens there. A path on a file system that hangs holds
/// up the call that looks.
///
/// ONE BUDGET. The time begins with the spawn, before its exec, and everything takes from it. If it is over
/// first, or it is certain that the child never will be ready, its group is killed at once
/// (PS_CAUSE_NOT_READY), and it counts as failed for its restart policy, as does one that ends before it is
/// ready, even with 0. (A child whose stop plan runs is left to that.) What the child said before the time was
/// over counts, however late somebody looks; its time is kept by whoever does the work
/// (ps_supervisor_next_event, ps_wait_ready, ps_reap and others). Health, in ps_command_restart_limit, is
/// counted from READY.
///
/// ps_spawn does not wait for it: ps_wait_ready does, and PS_EVENT_READY tells of it.
///
/// @param kind        a PS_READY_*
/// @param detail      see above; copied
/// @param timeout_ms  milliseconds; 0: 60 seconds, -1: no limit. PS_READY_EXEC has none
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT for a detail that is none. (That the number is given to something
///         else as well is found by ps_spawn)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_readiness(
    command: *mut ps_command,
    kind: i32,
    detail: *const c_char,
    timeout_ms: i64,
    error: *mut *mut ps_error,
) -> ps_status {
    change(command, error, |now| {
        let kind = convert::choice("kind", kind, ps_readiness_kind::from_repr)?;
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        let detail = unsafe { convert::optional(detail) };
        let text = detail.map(|detail| detail.to_str().map_err(|_| Error::invalid("detail", "detail: it is no UTF-8"))).transpose()?;
        now.readiness(kind, text, timeout_ms).map(drop)
    })
}

/// Waits until the child is ready, and does the supervisor's work meanwhile, as ps_reap does: a child of NULL
/// needs nothing else. PS_OK at once if it is ready already, and lives. Without ps_command_readiness a child
/// is ready when its program has begun. A child in line is waited for through its start; one with a restart
/// policy until one of its runs is ready, or none will follow. Takes nobody's events.
///
/// The error says what has happened: the step is "ready" if the child has failed, "wait" if it is only this
/// call whose time is over. With "ready" it has the child's pid, its last words (ps_command_capture: the last
/// 64 KiB of what is kept; nothing, where nothing is captured), and its journey: spawn, exec, ready, each with
/// its times (ps_error_render). Its errno is the one that the child has named (ERRNO of sd_notify(3)), or that
/// of the last try to connect. By then the child is reaped, as a rule.
///
/// @param timeout_ms  how long to wait, milliseconds; -1: for ever, 0: not at all. A signal handler of the
///                    host ends the wait (see SIGNALS, at the top), but not the up to 5 s in which the end of
///                    a child that has failed is awaited
/// @return PS_OK; PS_ERR_EXITED if the child has ended, before it was ready or after; PS_ERR_TIMEOUT, step
///         "ready": it was not ready in time, and is killed; PS_ERR_TIMEOUT, step "wait": the time of this
///         call was over, and the child goes on; PS_ERR_INTERRUPTED: it goes on, too; PS_ERR_PROTOCOL if it
///         closed its descriptor (PS_READY_FD) first; PS_ERR_UNSUPPORTED, PS_ERR_PERMISSION or PS_ERR_SYSTEM
///         if no connect can ever succeed (PS_READY_SOCKET); PS_ERR_CANCELLED or PS_ERR_SHUTDOWN if it was
///         called off before its start; what ps_spawn answers, if it could not be started
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_wait_ready(child: *mut ps_child, timeout_ms: i64, error: *mut *mut ps_error) -> ps_status {
    call(error, || convert::object::<Managed, _>(child)?.wait_ready(timeout_ms).map(|()| PS_OK))
}

/// What a child has said of itself through its NOTIFY_SOCKET (sd_notify(3)).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_notified {
    /// Set by the caller: sizeof(ps_notified).
    pub size: u32,
    /// 1 if it is ready, by what its command calls so.
    pub ready: i32,
    /// 1 while it reloads: RELOADING=1, until the next READY=1.
    pub reloading: i32,
    /// 1 once it is about to end: STOPPING=1.
    pub stopping: i32,
    /// ERRNO, the reason of its failure as an errno; 0 if it named none.
    pub errno_said: i32,
    /// Messages that did not count: of others than those that may speak for it, too long, or with a MAINPID
    /// that is not its own.
    pub refused: u32,
    /// Messages that counted.
    pub messages: u64,
    /// When it was ready, nanoseconds of CLOCK_MONOTONIC; 0 if it is not.
    pub ready_ns: i64,
    /// When its last reload began, nanoseconds of CLOCK_MONOTONIC: its own word (MONOTONIC_USEC); 0 if it gave
    /// none.
    pub reloading_ns: i64,
}

/// What the child's process has said of itself so far, after a look at it. Asked after its end it is what it
/// said last; with a restart policy, what the run of now has said. PS_EVENT_NOTIFIED tells that there is
/// something new. A child that is asked for another kind of readiness says nothing, and may be ready. Never
/// waits.
///
/// @param notified  receives it (set notified->size first)
/// @return PS_OK; PS_ERR_STATE if nothing was asked of the child (ps_command_readiness), or before its start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_notified(child: *mut ps_child, notified: *mut ps_notified, error: *mut *mut ps_error) -> ps_status {
    call(error, || {
        let managed: Arc<Managed> = convert::object(child)?;
        let place = convert::out("notified", notified)?;
        // SAFETY: not null; the caller set the size.
        let size = unsafe { (*place).size };
        convert::size("notified", size, size_of::<ps_notified>())?;
        let said = managed.with_said(|said, ready_ns| ps_notified {
            size,
            ready: (ready_ns != 0).into(),
            reloading: said.reloading.into(),
            stopping: said.stopping.into(),
            errno_said: said.errno,
            refused: said.refused,
            messages: said.messages,
            ready_ns,
            reloading_ns: i64::try_from(said.reloading_usec).unwrap_or(i64::MAX).saturating_mul(1000),
        })?;
        // SAFETY: not null, and as large as its size says.
        unsafe { *place = said };
        Ok(PS_OK)
    })
}

/// The text of its state that the child has sent last (STATUS of sd_notify(3)): its very bytes, at most 4 KiB,
/// also those that command a terminal. Otherwise as ps_child_notified.
///
/// @param buf, cap, needed  see BYTES, at the top
/// @return PS_OK; PS_ERR_LIMIT if the buffer is too small; PS_ERR_STATE if nothing was asked of the child
///         (ps_command_readiness), or before its start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_child_status_text(
    child: *mut ps_child,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    call(error, || {
        let managed: Arc<Managed> = convert::object(child)?;
        managed.with_said(|said, _| {
            // SAFETY: the caller gave a valid buffer and place for the length, or null.
            unsafe { convert::copy_out(&[&said.status], buf, cap, needed) }
        })?
    })
}

pub use crate::coordination::notify::Access as ps_notify_access;

/// Whose messages to its NOTIFY_SOCKET count as the child's. The kernel says who has sent each one; all others
/// are counted (ps_notified.refused) and dropped. By default a grandchild's STOPPING=1 ends nothing.
///
/// PS_NOTIFY_GROUP is for services whose messages come from a helper (a shell that calls systemd-notify(1)):
/// every process of the child's process group, or in a control group of its own (ps_command_cgroup), counts.
/// It must be there still when it is heard: after `systemd-notify --no-block` it may not. With
/// PS_ISOLATE_NONE and no control group there is no such group, and it is as PS_NOTIFY_MAIN.
///
/// WHAT IS UNDERSTOOD: READY=1, STATUS, ERRNO, EXTEND_TIMEOUT_USEC, RELOADING=1 with MONOTONIC_USEC,
/// STOPPING=1, WATCHDOG=1 and =trigger, WATCHDOG_USEC (ps_command_watchdog). BARRIER=1 is answered as soon
/// as it is read (systemd-notify(1) sends one behind its message, and fails after five seconds without an
/// answer: so go on to take events behind ps_wait_ready, or call ps_child_notified). MAINPID other than
/// the child's own number is refused: that process would not be procsup's to reap. FDSTORE=1 is not
/// supported: descriptors that come with a message are closed at once, all of them; a socket among them
/// loses its SO_LINGER, for its last close would wait for as long as the child likes. Other names are
/// passed over. A message may have 4096 bytes; the kernel holds ten of them (net.unix.max_dgram_qlen),
/// then a sender waits until somebody does the supervisor's work.
///
/// LIMITS. Every process of the host's network namespace can send (the name is abstract, "@procsup-notify-"
/// and 32 digits), and so fill the queue; a child in another network namespace, or behind Landlock's scope,
/// does not get there. A process with CAP_SYS_ADMIN can send in another's name: systemd-notify does, as root.
/// Before Linux 6.5 PS_NOTIFY_GROUP believes a number that may have been another process's. Where the host
/// reaps the child itself, what only its group had said by then is lost; on older kernels (6.12, not 6.18)
/// also what the child had said itself, if another process has its number when it is heard. A child that sets
/// SO_LINGER anew just while its socket is closed, or sends one to a host that has no descriptor left, can
/// make that close wait.
///
/// A child that is asked for none of this (readiness PS_READY_NOTIFY, or a watchdog) gets no NOTIFY_SOCKET
/// from procsup, and this setting does nothing; one that the host itself was given is inherited then, like any
/// variable (ps_command_env).
///
/// @param access  a PS_NOTIFY_*
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_notify_access(command: *mut ps_command, access: i32, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| {
        now.notify_access(convert::choice("access", access, ps_notify_access::from_repr)?);
        Ok(())
    })
}

/// Ends the child when it has been silent for `ms` milliseconds: it must send WATCHDOG=1 (sd_notify(3),
/// ps_notify) to its NOTIFY_SOCKET, which it gets in any case; at every half of the time is good. It finds
/// WATCHDOG_USEC and WATCHDOG_PID, its own number, in its environment (sd_watchdog_enabled(3),
/// ps_watchdog_enabled), whatever the host or the command has under these names.
///
/// The time runs from when the child is ready (ps_command_readiness; without it, and with PS_READY_EXEC, from
/// its exec: a program that takes long to start needs PS_READY_NOTIFY). A reload changes nothing; STOPPING=1,
/// and every stop plan that begins, end the watch. WATCHDOG_USEC=n gives it another period from then on, 1 ms
/// at the least (0: none until the next); WATCHDOG=trigger is as a silence, at once, also before it is ready.
///
/// Then its stop plan runs (PS_CAUSE_WATCHDOG) with SIGABRT to its group in front (or to it alone, see
/// ps_command_stop_scope), which waits as long as the first step does: so there is a core of it (core(5), and
/// ps_command_core_wait, for how long SIGKILL waits for that). For a restart policy it has failed, however it
/// takes the signal.
///
/// A HOST THAT STANDS STILL KILLS NOBODY: what the child has sent meanwhile is read before it is judged, and
/// counts as sent now. One that looks late (by an eighth of the period), or cannot read all that was sent,
/// gives the child one more period from then on, once in a row: all may have stood still. The time is kept by
/// whoever does the work (ps_supervisor_next_event, ps_reap and others).
///
/// @param ms  milliseconds; 0: no watchdog (default)
/// @return PS_OK; PS_ERR_INVALID_ARGUMENT if it is negative
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_command_watchdog(command: *mut ps_command, ms: i64, error: *mut *mut ps_error) -> ps_status {
    change(command, error, |now| now.watchdog(ms).map(drop))
}
