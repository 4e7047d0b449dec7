//! `ps_outcome`: what came of a handoff, as a structure and in words; of a server's own handle, and of a supervisor's.

use core::ffi::c_char;
use core::mem::offset_of;

use super::error::{ps_error, ps_render_format};
use super::handoff::ps_handoff;
use super::{convert, ps_status, shapes};
use crate::error::{Error, Result};
use crate::handoff::Handoff;
use crate::handoff::outcome::{BuildId, Outcome, Step};

/// The place for a build id: 64 bytes, and zeros to the end.
const BUILD: usize = 72;

/// What came of one handoff. Both generations write it, and tell each other what only they can see; so what
/// one of them did not live to tell may be missing (0).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ps_outcome {
    /// Set by the caller: sizeof(ps_outcome).
    pub size: u32,
    /// 1: the successor owns. 0: it came to nothing, and the old generation went on.
    pub committed: i32,
    /// Which handoff: the same number on both sides, and in ps_handoff_event.
    pub handoff_id: u64,
    /// Why it came to nothing, a PS_ERR_*; PS_OK if it did not. The text and JSON have the words.
    pub reason: i32,
    /// How far it had come: PS_HANDOFF_PHASE_LOADING (the successor is started, greets and loads), _WARM,
    /// _DRAINING, _SEALING, _SEALED (the commit is on its way), _OPENING (it owns, and has not answered LIVE),
    /// _OVERLAP, _PROBATION, _SETTLED.
    pub phase: i32,
    /// PS_HANDOFF_EXCLUSIVE or PS_HANDOFF_OVERLAP.
    pub mode: i32,
    /// 1: storage had to be read anew, because the old generation died before it had sealed, or the new one
    /// was given up after it may have written.
    pub unsealed: i32,
    /// The old generation's process, for display.
    pub old_pid: i32,
    /// The successor's process, for display; 0: there was none.
    pub new_pid: i32,
    /// Which generation handed over.
    pub old_generation: u64,
    /// The successor's; 0: it never owned.
    pub new_generation: u64,
    /// When it began, nanoseconds of CLOCK_MONOTONIC, as all that follow.
    pub began_ns: i64,
    /// The same, nanoseconds since 1970.
    pub began_realtime_ns: i64,
    /// The successor has said that it is there. 0, here and below: it did not come to that, or nobody knows.
    pub greeted_ns: i64,
    /// It has everything that is handed on.
    pub offered_ns: i64,
    /// It has loaded everything: ps_handoff_warm.
    pub warm_ns: i64,
    /// The old generation's background work has ended: ps_handoff_drained.
    pub drained_ns: i64,
    /// The old generation has stopped: ps_handoff_sealed.
    pub sealed_ns: i64,
    /// The successor owns.
    pub committed_ns: i64,
    /// The successor serves: ps_handoff_live.
    pub live_ns: i64,
    /// The successor stands alone.
    pub settled_ns: i64,
    /// It was over: the old generation retired, or went on.
    pub ended_ns: i64,
    /// How long nobody served: from SEAL's answer to LIVE's, or, if it came to nothing, to RESUME. 0: somebody
    /// always did (PS_HANDOFF_OVERLAP), or that is not known.
    pub gap_ns: i64,
    /// What ps_handoff_drained said.
    pub connections_open: u32,
    /// Passed on by ps_handoff_pass_connection.
    pub connections_passed: u32,
    /// Of those so many were taken by ps_handoff_take_connection; the others were closed at LIVE.
    pub connections_taken: u32,
    /// Left with the old generation at RETIRE: open at DRAIN, and not passed on.
    pub connections_left: u32,
    /// Which build the old generation is (ps_handoff_set_build_id), NUL-terminated; empty if it did not say.
    pub old_build_id: [c_char; 72],
    /// The same of the new one.
    pub new_build_id: [c_char; 72],
}

fn text(build: &BuildId) -> [c_char; BUILD] {
    let mut place = [0; BUILD];
    place.iter_mut().zip(build.bytes()).for_each(|(to, from)| *to = *from as c_char);
    place
}

impl ps_outcome {
    /// How large it was in the first version.
    pub(super) const LEAST: usize = offset_of!(ps_outcome, new_build_id) + BUILD;

    /// As C sees it.
    pub(super) fn of(size: u32, outcome: &Outcome) -> Self {
        Self {
            size,
            committed: i32::from(outcome.committed),
            handoff_id: outcome.id,
            reason: outcome.reason as i32,
            phase: outcome.phase as i32,
            mode: outcome.mode as i32,
            unsealed: i32::from(outcome.unsealed),
            old_pid: outcome.old_pid,
            new_pid: outcome.new_pid,
            old_generation: outcome.old_generation,
            new_generation: outcome.new_generation,
            began_ns: outcome.began,
            began_realtime_ns: outcome.began_realtime,
            greeted_ns: outcome.at(Step::Greeted),
            offered_ns: outcome.at(Step::Offered),
            warm_ns: outcome.at(Step::Warm),
            drained_ns: outcome.at(Step::Drained),
            sealed_ns: outcome.at(Step::Sealed),
            committed_ns: outcome.at(Step::Committed),
            live_ns: outcome.at(Step::Live),
            settled_ns: outcome.at(Step::Settled),
            ended_ns: outcome.ended,
            gap_ns: outcome.gap(),
            connections_open: outcome.connections.open,
            connections_passed: outcome.connections.passed,
            connections_taken: outcome.connections.taken,
            connections_left: outcome.connections.left,
            old_build_id: text(&outcome.old_build),
            new_build_id: text(&outcome.new_build),
        }
    }
}

/// The record in words, as a call answers it: with the NUL at its end.
pub(super) fn rendered(outcome: &Outcome, format: i32) -> Result<String> {
    let mut text = match convert::choice("format", format, ps_render_format::from_repr)? {
        ps_render_format::Text => outcome.render_text(),
        ps_render_format::Json => outcome.render_json(),
        ps_render_format::Html => outcome.render_html(),
        ps_render_format::HtmlBrief => return Err(Error::invalid("format", "format: the record of a handoff has no brief page")),
    };
    text.push('\0');
    Ok(text)
}

/// What came of a handoff of this server that is over: committed, when the old generation was told RETIRE and
/// the new one COMMITTED; or come to nothing, when ABORTED was told. Both generations have it, also those that
/// came by the control path. The last 16 are kept, and handed on: a generation knows those before its own. A
/// cold start begins with none, and an older release hands none on. Answers after PS_HANDOFF_RETIRE, too.
/// Never blocks.
///
/// @param index    0: the last one, 1: the one before, up to 15
/// @param outcome  receives it (set outcome->size first)
/// @return PS_OK; PS_ERR_NOT_FOUND if no more are on record
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_outcome(
    handoff: *const ps_handoff,
    index: u32,
    outcome: *mut ps_outcome,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::structure(handoff, "outcome", outcome, ps_outcome::LEAST, error, |object: &Handoff, size| {
        Ok(Some(ps_outcome::of(size, &object.outcome(index)?)))
    })
}

/// The same for people and programs, NUL-terminated, with the time that each step took. A page loads nothing
/// and runs nothing; build ids and words, which may be the other side's, are no syntax in it and command no
/// terminal. JSON is one object: `handoff_id`, `committed`, `reason` (a PS_ERR_*, or null), `reason_code`,
/// `reason_text`, `phase`, `mode` ("exclusive", "overlap"), `unsealed`, `old` and `new` (each with `pid`,
/// `generation`, `build_id`), `began_ns`, `began_time` (RFC 3339), `ended_ns`, `times` (`greeted_ns` to
/// `settled_ns`), `gap_ns`, `connections` (`open`, `passed`, `taken`, `left`), and `journey`, whose steps
/// are greet, offer, load, drain, seal, commit, open, probation, as in ps_worker_journey. null is what did
/// not happen, or nobody knows. Never blocks.
///
/// @param index             as in ps_handoff_outcome
/// @param format            PS_RENDER_TEXT, PS_RENDER_JSON or PS_RENDER_HTML
/// @param buf, cap, needed  see BYTES, at the top; `needed` counts the NUL
/// @return PS_OK; PS_ERR_NOT_FOUND if no more are on record; PS_ERR_LIMIT if the buffer is too small;
///         PS_ERR_INVALID_ARGUMENT for another format
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_outcome_text(
    handoff: *const ps_handoff,
    index: u32,
    format: i32,
    buf: *mut c_char,
    cap: usize,
    needed: *mut usize,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::bytes(handoff, buf, cap, needed, error, |object: &Handoff| rendered(&object.outcome(index)?, format))
}

/// Says which build this process is: a version, a commit. It stands in the records of its handoffs, on both
/// sides. Call it right after ps_handoff_new; what a record has when it ends counts. Never blocks.
///
/// @param build_id  1 to 64 printable bytes (ASCII); copied
/// @return PS_OK
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ps_handoff_set_build_id(
    handoff: *mut ps_handoff,
    build_id: *const c_char,
    error: *mut *mut ps_error,
) -> ps_status {
    shapes::change(handoff, error, |object: &Handoff| {
        // SAFETY: a NUL-terminated string or null, by the caller's contract.
        object.set_build_id(unsafe { convert::string("build_id", build_id) }?.to_bytes())
    })
}
