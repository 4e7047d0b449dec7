//! What a server is told: the descriptor to wait on, and the events.

use core::mem::offset_of;
use std::os::fd::AsRawFd;

use super::ps_handoff;
use crate::capi::error::ps_error;
use crate::capi::guard::PS_OK;
use crate::capi::{ps_status, shapes};
use crate::handoff::{Handoff, Notice, Told, status_of};

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
    /// Means nothing in this version: 0.
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
///                    host ends the wait (see SIGNALS, at the top)
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
