//! The queue of events a supervisor has not handed out yet.
//!
//! An event keeps its child alive. A host that never takes events (it uses only the blocking calls) must not pile them up:
//! once it has seen a child's exit and freed its handle, the child's events are of no use to anybody and go.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Managed;
use crate::error::Status;
use crate::process::Line;
use crate::registry::Exit;

/// What an event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
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
    /// The child is ready. Not in this version.
    #[strum(serialize = "PS_EVENT_READY")]
    Ready = 4,
    /// The child has ended and will be started again after a delay.
    #[strum(serialize = "PS_EVENT_RESTARTING")]
    Restarting = 5,
    /// The child has failed too often in a row, and will not be started again.
    #[strum(serialize = "PS_EVENT_GAVE_UP")]
    GaveUp = 6,
    /// The child waited for its (next) start and will not be started: it was cancelled, or the supervisor was
    /// shut down.
    #[strum(serialize = "PS_EVENT_CANCELLED")]
    Cancelled = 7,
    /// The supervisor was shut down, and the last child has been reaped. No child.
    #[strum(serialize = "PS_EVENT_SHUTDOWN_DONE")]
    ShutdownDone = 8,
    /// The child waited for its (next) start and could not be started; status says why.
    #[strum(serialize = "PS_EVENT_FAILED")]
    Failed = 9,
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
    /// The process has ended and was reaped.
    Exited {
        /// How.
        exit: Exit,
        /// Why its output could not be put in place.
        complaint: Option<Status>,
    },
    /// It has said a line.
    Output(Line),
    /// It will be started again.
    Restarting {
        /// What became of the last run.
        after: Run,
        /// Nanoseconds until the next.
        delay_ns: i64,
    },
    /// It has failed too often; the last time so.
    GaveUp(Run),
    /// It waited for its (next) start and will not be started, for this reason.
    Cancelled(Status),
    /// It waited for its (next) start and could not be started, for this reason.
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
            What::Exited { .. } => EventKind::Exited,
            What::Output(_) => EventKind::Output,
            What::Restarting { .. } => EventKind::Restarting,
            What::GaveUp(_) => EventKind::GaveUp,
            What::Cancelled(_) => EventKind::Cancelled,
            What::Failed(_) => EventKind::Failed,
            What::ShutdownDone => EventKind::ShutdownDone,
        }
    }

    /// How the last run ended, where this is about its end.
    pub fn exit(&self) -> Option<Exit> {
        match self.what {
            What::Exited { exit, .. } => Some(exit),
            What::Restarting { after: Run::Ended(exit), .. } | What::GaveUp(Run::Ended(exit)) => Some(exit),
            _ => None,
        }
    }

    /// What went wrong, where something did.
    pub fn status(&self) -> Option<Status> {
        match self.what {
            What::Exited { complaint, .. } => complaint,
            What::Restarting { after: Run::NotMade(why), .. } | What::GaveUp(Run::NotMade(why)) => Some(why),
            What::Cancelled(why) | What::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// What was said.
    pub fn line(&self) -> Option<&Line> {
        match &self.what {
            What::Output(line) => Some(line),
            _ => None,
        }
    }

    /// The memory that its output takes here.
    fn held(&self) -> usize {
        self.line().map_or(0, |line| line.bytes.len() + size_of::<Self>())
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

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Event>,
    useless: usize,
}

fn is_useless(event: &Event) -> bool {
    event.child.as_ref().is_some_and(|child| child.is_forgotten())
}

impl Queue {
    pub(super) fn push(&mut self, event: Event) {
        if let Some(child) = &event.child {
            child.count_event(event.held(), true);
        }
        self.waiting.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        loop {
            let event = self.waiting.pop_front()?;
            if let Some(child) = &event.child {
                child.count_event(event.held(), false);
            }
            if !is_useless(&event) {
                return Some(event);
            }
            self.useless = self.useless.saturating_sub(1);
        }
    }

    /// Whether `pop` would find something.
    pub(super) fn is_empty(&self) -> bool {
        self.useless >= self.waiting.len() && self.waiting.iter().all(is_useless)
    }

    /// A child with so many events here was forgotten. Sweeps once half of the queue is useless: O(1) on average.
    pub(super) fn forget(&mut self, count: usize) {
        self.useless += count;
        if self.useless * 2 >= self.waiting.len() {
            self.waiting.retain(|event| !is_useless(event));
            self.useless = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
