//! The queue of events a supervisor has not handed out yet.
//!
//! An event keeps its child alive. A host that never takes events (it uses only the blocking calls) must not pile them up:
//! once it has seen a child's exit and freed its handle, the child's events are of no use to anybody and go.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Managed;
use crate::registry::Exit;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum EventKind {
    /// The program of a child has begun.
    Started = 1,
    /// A child has ended and was reaped.
    Exited = 2,
}

/// Something that happened to a child.
#[derive(Clone, Debug)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// To whom.
    pub child: Arc<Managed>,
    /// When, nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: i64,
    /// How it ended, for [`EventKind::Exited`].
    pub exit: Option<Exit>,
}

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Event>,
    useless: usize,
}

impl Queue {
    pub(super) fn push(&mut self, event: Event) {
        self.waiting.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        loop {
            let event = self.waiting.pop_front()?;
            if !event.child.is_forgotten() {
                return Some(event);
            }
            self.useless = self.useless.saturating_sub(1);
        }
    }

    /// Whether `pop` would find something.
    pub(super) fn is_empty(&self) -> bool {
        self.useless >= self.waiting.len() && self.waiting.iter().all(|event| event.child.is_forgotten())
    }

    /// A child with at most two events here was forgotten. Sweeps once half of the queue is useless: O(1) on average.
    pub(super) fn forget(&mut self) {
        self.useless += 2;
        if self.useless * 2 >= self.waiting.len() {
            self.waiting.retain(|event| !event.child.is_forgotten());
            self.useless = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
