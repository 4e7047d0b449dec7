//! What the application of a supervisor is told. A later version may tell more: none of it awaits an answer.

use crate::clock;
use crate::error::Status;

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum EventKind {
    /// A generation was started: the first, a successor, or one in the place of one that has ended. `pid`.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_STARTED")]
    Started = 1,
    /// This generation owns, and stands alone: `pid`, `generation`. Also one that came without this
    /// supervisor (its own upgrade, a takeover). It is no child any more that a kill of all would end.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_SERVING")]
    Serving = 2,
    /// A replacement has come to `phase`, a PS_HANDOFF_PHASE_*: `handoff_id`, `pid` (old), `peer_pid` (new).
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_PROGRESS")]
    Progress = 3,
    /// A replacement is done: `pid` (new), `peer_pid` (old), `generation`. Its record is the outcome 0.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_COMMITTED")]
    Committed = 4,
    /// A replacement came to nothing, and the old generation serves on, or one is started in its place:
    /// `reason`, `pid` (old), `peer_pid` (new). Its record is the outcome 0.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_ABORTED")]
    Aborted = 5,
    /// The generation that owned has ended by itself: `pid`, `exit_code`, `exit_signal` as far as they are
    /// known (`reason` is PS_ERR_NOT_FOUND where they are not). Not told where its successor owned already
    /// when that was seen: that is COMMITTED.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_OWNER_ENDED")]
    OwnerEnded = 6,
    /// No generation is started in its place any more: `reason` is PS_ERR_BUDGET_EXHAUSTED (or what stood in
    /// the way of a start). The listeners are still held.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_GAVE_UP")]
    GaveUp = 7,
    /// The generation has ended, as it was asked to: `pid`, `exit_code`, `exit_signal`.
    #[strum(serialize = "PS_HANDOFF_SUPERVISOR_STOPPED")]
    Stopped = 8,
}

/// An event, with what belongs to it; what does not is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Happened {
    /// What.
    pub kind: EventKind,
    /// Which handoff.
    pub handoff_id: u64,
    /// Of whom, for display.
    pub pid: i32,
    /// The other one, for display.
    pub peer_pid: i32,
    /// Which generation.
    pub generation: u64,
    /// A PS_HANDOFF_PHASE_*: a number of the other side's, which may be of a later version.
    pub phase: i32,
    /// Why.
    pub reason: Status,
    /// How it ended.
    pub exit_code: i32,
    /// By which signal; 0: by none.
    pub exit_signal: i32,
    /// When it was heard of.
    pub time_ns: i64,
}

impl Happened {
    /// Now, and nothing more is known of it.
    pub fn now(kind: EventKind) -> Self {
        Self {
            kind,
            handoff_id: 0,
            pid: 0,
            peer_pid: 0,
            generation: 0,
            phase: 0,
            reason: Status::Ok,
            exit_code: 0,
            exit_signal: 0,
            time_ns: clock::now(),
        }
    }
}
