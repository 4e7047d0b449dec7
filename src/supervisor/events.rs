//! The queue of events a supervisor has not handed out yet.
//!
//! An event keeps its child alive. A host that never takes events (it uses only the blocking calls) must not pile them up:
//! once it has seen a child's exit and freed its handle, the child's events are of no use to anybody and go.
//!
//! The trap: the child chooses how many lines it says. So what one look has found waits as one entry ([`Lines`]), and a line becomes an event
//! when it is taken.
//!
//! Room for what a child is sure to need is made before it is: its end is told also when memory has run out. What may come again and again
//! (lines, restarts) is told where there is room beside that, and lost otherwise; lost lines are counted.

use std::collections::{TryReserveError, VecDeque};
use std::sync::Arc;

use super::Managed;
use crate::error::{Result, Status};
use crate::process::{Line, Lines, Lost};
use crate::registry::{Cause, Exit};
use crate::sys::reserve;

/// What an event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(i32)]
pub enum EventKind {
    /// The child's program has begun.
    #[strum(serialize = "PS_EVENT_STARTED")]
    Started = 1,
    /// The child's process has ended and was reaped; exit is set.
    #[strum(serialize = "PS_EVENT_EXITED")]
    Exited = 2,
    /// The child has said a line.
    #[strum(serialize = "PS_EVENT_OUTPUT")]
    Output = 3,
    /// The child is ready, by what its command calls so. After STARTED and before EXITED of the same run.
    #[strum(serialize = "PS_EVENT_READY")]
    Ready = 4,
    /// The child will be started again after a delay; reason says why. Also where a start is put off: any,
    /// since its budget is used up (PS_REASON_BUDGET), or a restart, since another start with its key is
    /// under way (PS_REASON_IN_PROGRESS: nobody knows for how long, and delay_ms is 0).
    #[strum(serialize = "PS_EVENT_RESTARTING")]
    Restarting = 5,
    /// The child will not be started (again): it has failed too often in a row (PS_REASON_FAILURES), or its
    /// budget is used up (PS_REASON_BUDGET).
    #[strum(serialize = "PS_EVENT_GAVE_UP")]
    GaveUp = 6,
    /// The child waited for its (next) start and will not be started: it was cancelled, or the supervisor was
    /// shut down.
    #[strum(serialize = "PS_EVENT_CANCELLED")]
    Cancelled = 7,
    /// The supervisor was shut down, and the last child has been reaped. No child.
    #[strum(serialize = "PS_EVENT_SHUTDOWN_DONE")]
    ShutdownDone = 8,
    /// The child waited for its (next) start and could not be started; status says why. Of a worker also: it was
    /// never ready; then EXITED comes before it.
    #[strum(serialize = "PS_EVENT_FAILED")]
    Failed = 9,
    /// The child has said lines that were lost, between those before and those after this event: nobody took
    /// events while a thread waited for the child, or there was no memory. lost_lines and lost_bytes say how
    /// many.
    #[strum(serialize = "PS_EVENT_OUTPUT_LOST")]
    OutputLost = 10,
    /// The child has said something of itself through its NOTIFY_SOCKET: another status, that it reloads or
    /// has reloaded, or that it is about to end. One of these waits at a time, however much it says: ask what
    /// stands now.
    #[strum(serialize = "PS_EVENT_NOTIFIED")]
    Notified = 11,
    /// There is room again for the child's input (ps_child_write), of which nothing or only a part was taken
    /// before; or nobody reads it any more: the next call says so. One of these waits at a time.
    #[strum(serialize = "PS_EVENT_INPUT_ROOM")]
    InputRoom = 12,
    /// The child is stopped (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU); signal says by what. Where its command asks
    /// for it, after STARTED and before EXITED of the same run.
    #[strum(serialize = "PS_EVENT_STOPPED")]
    Stopped = 13,
    /// The child that was told to be stopped goes on.
    #[strum(serialize = "PS_EVENT_CONTINUED")]
    Continued = 14,
}

/// Why a child is started again, or is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(i32)]
pub enum Reason {
    /// The event has none.
    #[strum(serialize = "PS_REASON_NONE")]
    None = 0,
    /// Its last run has ended as it should, and it is kept alive.
    #[strum(serialize = "PS_REASON_ENDED")]
    Ended = 1,
    /// Its last run has failed.
    #[strum(serialize = "PS_REASON_FAILED")]
    Failed = 2,
    /// Its last run exited with 0, sooner than it can have done its work (ps_command_restart_early_exit).
    #[strum(serialize = "PS_REASON_EARLY_EXIT")]
    EarlyExit = 3,
    /// Its process could not be made; status says why.
    #[strum(serialize = "PS_REASON_NOT_STARTED")]
    NotStarted = 4,
    /// It was not ready in time, or could not be: PS_EVENT_EXITED of that run has the status that says which.
    #[strum(serialize = "PS_REASON_NOT_READY")]
    NotReady = 5,
    /// Its watchdog was not heard of for too long.
    #[strum(serialize = "PS_REASON_WATCHDOG")]
    Watchdog = 6,
    /// Its deadline had passed.
    #[strum(serialize = "PS_REASON_DEADLINE")]
    Deadline = 7,
    /// It has failed too often in a row (ps_command_restart_limit).
    #[strum(serialize = "PS_REASON_FAILURES")]
    Failures = 8,
    /// Its budget is used up (ps_command_budget); retry_after_ms says when there are attempts again.
    #[strum(serialize = "PS_REASON_BUDGET")]
    Budget = 9,
    /// Another start with its key is under way, or has yet to prove itself.
    #[strum(serialize = "PS_REASON_IN_PROGRESS")]
    InProgress = 10,
}

/// The same, with what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Why {
    /// In a word.
    pub reason: Reason,
    /// In so many nanoseconds there are attempts again, where its budget is used up.
    pub retry_after_ns: Option<i64>,
    /// It is the first that is told so in this window.
    pub storm: bool,
}

impl Why {
    pub(super) fn of(reason: Reason) -> Self {
        Self { reason, retry_after_ns: None, storm: false }
    }

    pub(super) fn budget(retry_ns: i64, storm: bool) -> Self {
        Self { reason: Reason::Budget, retry_after_ns: Some(retry_ns), storm }
    }

    /// Why one is started again after this run; `early_ns`: below which length success is none.
    pub(super) fn after(run: Option<&Run>, early_ns: i64) -> Self {
        Self::of(match run {
            None => Reason::None,
            Some(Run::NotMade(_)) => Reason::NotStarted,
            Some(Run::Ended(exit)) => match exit.cause {
                Cause::NotReady => Reason::NotReady,
                Cause::Watchdog => Reason::Watchdog,
                Cause::Deadline => Reason::Deadline,
                _ if !exit.success() => Reason::Failed,
                _ if exit.ended_ns - exit.started_ns < early_ns => Reason::EarlyExit,
                _ => Reason::Ended,
            },
        })
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// What, with what belongs to it.
    pub what: What,
    /// To whom; nobody for [`What::ShutdownDone`].
    pub child: Option<Arc<Managed>>,
    /// The number of its process then, for display; 0 if it had none.
    pub pid: i32,
    /// Which run of the child it was, from 1; 0 before the first.
    pub run: u32,
    /// When, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
}

/// What happened, with what belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The program has begun.
    Started,
    /// It is ready.
    Ready,
    /// The process has ended and was reaped.
    Exited {
        /// How.
        exit: Exit,
        /// Why it was ended before it was ready, or why its output could not be put in place.
        complaint: Option<Status>,
    },
    /// It has said a line.
    Output(Line),
    /// It has said more than could be kept: so much of it is missing.
    OutputLost(Lost),
    /// It has said something of itself.
    Notified,
    /// There is room for its input again, or nobody reads it any more.
    InputRoom,
    /// It is stopped, by this signal or `SOMEHOW`.
    Stopped(i32),
    /// It goes on.
    Continued,
    /// It will be started (again).
    Restarting {
        /// What became of the last run, if there was one.
        after: Option<Run>,
        /// Nanoseconds until the next.
        delay_ns: i64,
        /// Why, or why not sooner.
        why: Why,
    },
    /// It will not be started (again).
    GaveUp {
        /// What became of the last run, if there was one.
        after: Option<Run>,
        /// Why not.
        why: Why,
    },
    /// It waited for its (next) start and will not be started, for this reason.
    Cancelled(Status),
    /// It waited for its (next) start and could not be started, for this reason; or either was promised, and it has ended and was never ready.
    Failed(Status),
    /// The supervisor was shut down and its last child has ended.
    ShutdownDone,
}

/// What became of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// Its process ended.
    Ended(Exit),
    /// Its process could not be made.
    NotMade(Status),
}

impl Event {
    /// What happened, without what belongs to it.
    pub fn kind(&self) -> EventKind {
        match &self.what {
            What::Started => EventKind::Started,
            What::Ready => EventKind::Ready,
            What::Exited { .. } => EventKind::Exited,
            What::Output(_) => EventKind::Output,
            What::OutputLost(_) => EventKind::OutputLost,
            What::Notified => EventKind::Notified,
            What::InputRoom => EventKind::InputRoom,
            What::Stopped(_) => EventKind::Stopped,
            What::Continued => EventKind::Continued,
            What::Restarting { .. } => EventKind::Restarting,
            What::GaveUp { .. } => EventKind::GaveUp,
            What::Cancelled(_) => EventKind::Cancelled,
            What::Failed(_) => EventKind::Failed,
            What::ShutdownDone => EventKind::ShutdownDone,
        }
    }

    /// How the last run ended, where this is about its end.
    pub fn exit(&self) -> Option<Exit> {
        match self.what {
            What::Exited { exit, .. } => Some(exit),
            What::Restarting { after: Some(Run::Ended(exit)), .. } | What::GaveUp { after: Some(Run::Ended(exit)), .. } => Some(exit),
            _ => None,
        }
    }

    /// What went wrong, where something did.
    pub fn status(&self) -> Option<Status> {
        match self.what {
            What::Exited { complaint, .. } => complaint,
            What::Restarting { after, why, .. } | What::GaveUp { after, why } => match (why.reason, after) {
                (Reason::Budget, _) => Some(Status::BudgetExhausted),
                (Reason::InProgress, _) => Some(Status::InProgress),
                (_, Some(Run::NotMade(why))) => Some(why),
                _ => None,
            },
            What::Cancelled(why) | What::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// Why it is started again, or is not.
    pub fn why(&self) -> Why {
        match self.what {
            What::Restarting { why, .. } | What::GaveUp { why, .. } => why,
            _ => Why::of(Reason::None),
        }
    }

    /// What was said.
    pub fn line(&self) -> Option<&Line> {
        match &self.what {
            What::Output(line) => Some(line),
            _ => None,
        }
    }

    /// What is missing of what was said.
    pub fn lost(&self) -> Lost {
        if let What::OutputLost(lost) = self.what { lost } else { Lost::default() }
    }

    /// By which signal it is stopped; 0: that is not what this is about.
    pub fn signal(&self) -> i32 {
        if let What::Stopped(signal) = self.what { signal } else { 0 }
    }

    /// The word given to the spawn of the child; 0 for no child.
    pub fn token(&self) -> u64 {
        self.child.as_ref().map_or(0, |child| child.token())
    }

    /// The word given to its command.
    pub fn user_data(&self) -> u64 {
        self.child.as_ref().map_or(0, |child| child.user_data())
    }
}

/// What waits to be told.
#[derive(Debug)]
enum Told {
    Once(What),
    /// What one look has found.
    Lines(Lines),
}

#[derive(Debug)]
struct Entry {
    told: Told,
    child: Option<Arc<Managed>>,
    pid: i32,
    run: u32,
    time_ns: i64,
}

impl Entry {
    fn is_useless(&self) -> bool {
        self.child.as_ref().is_some_and(|child| child.is_forgotten())
    }

    /// The memory that its output takes here, and how many lines it is.
    fn held(&self) -> (usize, usize) {
        if let Told::Lines(lines) = &self.told { (lines.held() + size_of::<Self>(), lines.len()) } else { (0, 0) }
    }

    fn event(&self, what: What) -> Event {
        Event { what, child: self.child.clone(), pid: self.pid, run: self.run, time_ns: self.time_ns }
    }
}

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Entry>,
    useless: usize,
    /// Room that is kept for what must be told.
    promised: usize,
}

/// What must be told of one process: STARTED, READY, EXITED, and how it goes on.
const OF_EACH: usize = 4;

impl Queue {
    /// Makes room for what must be told of so many children. It stands beside what waits: who is told of is not there any more.
    pub(super) fn make_room(&mut self, children: usize) -> core::result::Result<(), TryReserveError> {
        self.promised = children.saturating_mul(OF_EACH) + 1;
        self.waiting.try_reserve(self.promised)
    }

    /// Adds an event. One that may come again and again is lost where there is no memory for it.
    pub(super) fn push(&mut self, event: Event) {
        let Event { what, child, pid, run, time_ns } = event;
        // What one that is kept alive has to tell again and again must not take the room that was promised to others.
        let again = match &what {
            What::Restarting { .. } | What::Notified | What::InputRoom | What::Stopped(_) | What::Continued => true,
            What::Started | What::Ready | What::Exited { .. } | What::Failed(_) => child.as_ref().is_some_and(|child| child.comes_back()),
            _ => false,
        };
        let fits = if again { self.has_room() } else { self.waiting.try_reserve(1).is_ok() };
        if let (false, What::Notified, Some(child)) = (fits, &what, &child) {
            // What it says next is told again.
            child.take_said();
        }
        if let (false, What::InputRoom, Some(child)) = (fits, &what, &child) {
            child.take_room();
        }
        if let (false, What::Stopped(_) | What::Continued, Some(child)) = (fits, &what, &child) {
            child.count_stop_taken();
        }
        if fits {
            self.push_entry(Entry { told: Told::Once(what), child, pid, run, time_ns });
        }
    }

    /// Whether there is room for one more beside what is promised, or can be made: for what the child chooses the number of.
    pub(super) fn has_room(&mut self) -> bool {
        self.waiting.try_reserve(self.promised + 1).is_ok()
    }

    /// Lines of this child; at least one.
    pub(super) fn push_lines(&mut self, lines: Lines, child: &Arc<Managed>, pid: i32, time_ns: i64) {
        let (child, run) = (Some(child.clone()), child.run_number());
        self.push_entry(Entry { told: Told::Lines(lines), child, pid, run, time_ns });
    }

    fn push_entry(&mut self, entry: Entry) {
        if let Some(child) = &entry.child {
            let (bytes, lines) = entry.held();
            child.count_entry(bytes, lines);
        }
        self.waiting.push_back(entry);
    }

    /// Takes one. Without memory for a line nothing is taken.
    pub(super) fn pop(&mut self) -> Result<Option<Event>> {
        loop {
            let Some(entry) = self.waiting.front_mut() else { return Ok(None) };
            let mut event = None;
            if entry.is_useless() {
                self.useless = self.useless.saturating_sub(1);
            } else if let Told::Lines(lines) = &mut entry.told {
                let line = lines.pop().map_err(reserve::out_of_memory)?;
                let more = !lines.is_empty();
                event = line.map(|line| entry.event(What::Output(line)));
                if let Some(child) = entry.child.as_ref().filter(|_| event.is_some()) {
                    child.count_line_taken();
                }
                if more {
                    return Ok(event);
                }
            }
            let Some(entry) = self.waiting.pop_front() else { return Ok(None) };
            if self.waiting.is_empty() {
                // Begins anew where it began: else it would walk through all the room that is promised, and take the memory for it.
                self.waiting.clear();
            }
            if let Some(child) = &entry.child {
                let (bytes, lines) = entry.held();
                child.count_entry_gone(bytes, lines);
            }
            if event.is_some() || entry.is_useless() {
                if event.is_some() {
                    return Ok(event);
                }
                continue;
            }
            let Entry { told: Told::Once(what), child, pid, run, time_ns } = entry else { continue };
            match (&what, &child) {
                (What::Notified, Some(child)) => child.take_said(),
                (What::InputRoom, Some(child)) => child.take_room(),
                (What::Stopped(_) | What::Continued, Some(child)) => child.count_stop_taken(),
                _ => {}
            }
            return Ok(Some(Event { what, child, pid, run, time_ns }));
        }
    }

    /// Whether `pop` would find something.
    pub(super) fn is_empty(&self) -> bool {
        self.useless >= self.waiting.len() && self.waiting.iter().all(Entry::is_useless)
    }

    /// A child with so many entries here was forgotten. Sweeps once half of the queue is useless: O(1) on average.
    pub(super) fn forget(&mut self, count: usize) {
        self.useless += count;
        if self.useless * 2 >= self.waiting.len() {
            self.waiting.retain(|entry| !entry.is_useless());
            self.useless = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
