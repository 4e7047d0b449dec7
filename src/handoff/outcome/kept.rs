//! The record that is being written, and the last ones that are over. They are handed on, so that the count does not end with a generation.
//!
//! The trap is what adds up: a server that is upgraded every hour for years. There are [`KEPT`], and each is bounded.

use std::collections::VecDeque;

use super::{BuildId, Outcome};
use crate::error::Status;

/// How many that are over are kept.
pub const KEPT: usize = 16;

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Kept {
    /// Which build this process is.
    pub build: BuildId,
    under_way: Option<Box<Outcome>>,
    over: VecDeque<Outcome>,
}

impl Kept {
    /// A handoff begins. One that nobody has ended is forgotten.
    pub fn begin(&mut self, outcome: Outcome) -> &mut Outcome {
        self.under_way.insert(Box::new(outcome))
    }

    /// What the other side is told of this handoff: also when it is over here.
    pub fn half(&self, id: u64) -> Option<&Outcome> {
        let is_it = |outcome: &&Outcome| outcome.id == id;
        self.under_way().filter(is_it).or_else(|| self.get(0).filter(is_it))
    }

    /// The one that is being written.
    pub fn under_way(&self) -> Option<&Outcome> {
        self.under_way.as_deref()
    }

    /// Writes in it, if there is one.
    pub fn note(&mut self, write: impl FnOnce(&mut Outcome)) {
        if let Some(outcome) = &mut self.under_way {
            write(outcome);
        }
    }

    /// It has ended well.
    pub fn commit(&mut self, now: i64) {
        self.note(|outcome| outcome.commit(now));
        self.put_away();
    }

    /// It has come to nothing.
    pub fn abort(&mut self, reason: Status, words: &str, now: i64) {
        self.note(|outcome| outcome.abort(reason, words, now));
        self.put_away();
    }

    fn put_away(&mut self) {
        if let Some(outcome) = self.under_way.take() {
            self.keep(*outcome);
        }
    }

    /// It never began.
    pub fn forget(&mut self) {
        self.under_way = None;
    }

    /// Something is known later of one that is over.
    pub fn amend(&mut self, id: u64, write: impl FnOnce(&mut Outcome)) {
        if let Some(outcome) = self.over.iter_mut().rev().find(|outcome| outcome.id == id) {
            write(outcome);
        }
    }

    /// One that is over.
    pub fn keep(&mut self, outcome: Outcome) {
        while self.over.len() >= KEPT {
            self.over.pop_front();
        }
        self.over.push_back(outcome);
    }

    /// The same handoff as another, told by the other side: what stood there before goes. `false`: there is none such.
    pub fn renew(&mut self, outcome: &Outcome) -> bool {
        let same = |kept: &&mut Outcome| {
            (kept.id, kept.old_pid, kept.new_pid, kept.committed) == (outcome.id, outcome.old_pid, outcome.new_pid, outcome.committed)
        };
        let Some(kept) = self.over.iter_mut().find(same) else { return false };
        kept.clone_from(outcome);
        true
    }

    /// Those that the generation before has kept, the latest last: they stand before ours.
    pub fn inherit(&mut self, records: Vec<Outcome>) {
        let ours = std::mem::take(&mut self.over);
        records.into_iter().chain(ours).for_each(|outcome| self.keep(outcome));
    }

    /// One that is over: 0 is the last.
    pub fn get(&self, index: usize) -> Option<&Outcome> {
        self.over.iter().rev().nth(index)
    }

    /// All that are over, the latest last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Outcome> {
        self.over.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    fn numbered(id: u64) -> Outcome {
        Outcome { id, ..sample() }
    }

    #[test]
    fn the_last_sixteen_are_kept_the_latest_first() {
        let mut kept = Kept::default();
        (1..=20).for_each(|id| kept.keep(numbered(id)));
        assert_eq!((kept.get(0).unwrap().id, kept.get(15).unwrap().id, kept.get(16)), (20, 5, None));
        let mut next = Kept::default();
        next.keep(numbered(99));
        next.inherit(kept.iter().cloned().collect());
        assert_eq!((next.get(0).unwrap().id, next.get(1).unwrap().id, next.iter().len()), (99, 20, KEPT));
    }

    #[test]
    fn what_was_not_ended_is_not_kept() {
        let mut kept = Kept::default();
        kept.commit(1);
        kept.begin(numbered(1));
        kept.begin(numbered(2));
        kept.abort(Status::Timeout, "late", 5);
        assert_eq!((kept.iter().len(), kept.get(0).unwrap().id, kept.under_way()), (1, 2, None));
        assert_eq!((kept.get(0).unwrap().reason, &kept.get(0).unwrap().words[..]), (Status::Timeout, "late"));
    }
}
