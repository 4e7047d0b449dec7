//! Births that a host has asked for and that are not made yet. Pure: who is next, who is too late, who was called off.
//!
//! The trap: a fork takes as long as the memory is large, so those behind it in line may be called off or too late when their turn comes; they are answered
//! then, each once, and never made.

use std::collections::VecDeque;

use crate::clock::Deadline;

/// So many are read ahead; the rest stays in the channel.
pub const MOST: usize = 64;

/// One of them; `T` is what the worker gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked<T> {
    /// Which.
    pub birth: u64,
    /// Until when.
    pub until: Deadline,
    /// If it is the host's own child its HELLO is answer enough.
    pub hello_will_do: bool,
    /// The worker's end of its private pair.
    pub end: T,
    /// Nobody waits for it yet.
    pub pooled: bool,
}

impl<T> Asked<T> {
    /// What the worker gets, and the rest.
    pub fn parted(self) -> (Asked<()>, T) {
        let Self { birth, until, hello_will_do, end, pooled } = self;
        (Asked { birth, until, hello_will_do, end: (), pooled }, end)
    }
}

impl Asked<()> {
    /// Put together again.
    pub fn with<T>(self, end: T) -> Asked<T> {
        let Self { birth, until, hello_will_do, end: (), pooled } = self;
        Asked { birth, until, hello_will_do, end, pooled }
    }
}

/// In the order in which they came.
#[derive(Debug)]
pub struct Line<T>(VecDeque<Asked<T>>);

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Line<T> {
    /// Whether more may be read.
    pub fn has_room(&self) -> bool {
        self.0.len() < MOST
    }
    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// At the end. `Err`: that birth stands there already.
    pub fn push(&mut self, asked: Asked<T>) -> Result<(), Asked<T>> {
        if self.0.iter().any(|other| other.birth == asked.birth) {
            return Err(asked);
        }
        self.0.push_back(asked);
        Ok(())
    }
    /// Takes it out, if it is not made yet.
    pub fn call_off(&mut self, birth: u64) -> Option<Asked<T>> {
        let at = self.0.iter().position(|asked| asked.birth == birth)?;
        self.0.remove(at)
    }
    /// Takes out the first whose time is over.
    pub fn late(&mut self, now: i64) -> Option<Asked<T>> {
        let at = self.0.iter().position(|asked| asked.until.is_over(now))?;
        self.0.remove(at)
    }
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Asked<T>> {
        self.0.iter()
    }
    /// Takes the first.
    pub fn next(&mut self) -> Option<Asked<T>> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(birth: u64, until: i64) -> Asked<u64> {
        Asked { birth, until: Deadline::at(until), hello_will_do: false, end: birth * 10, pooled: false }
    }

    #[test]
    fn a_birth_stands_in_line_once() {
        let mut line = Line::default();
        line.push(asked(1, 5)).unwrap();
        assert_eq!(line.push(asked(1, 9)), Err(asked(1, 9)));
        assert_eq!(line.next(), Some(asked(1, 5)));
        assert!(line.is_empty());
    }

    // covers: FS-8
    proptest! {
        #[test]
        fn each_is_answered_once_in_its_turn_or_called_off_or_late(
            births in proptest::collection::vec((1u64..30, 0i64..50), 0..60),
            steps in proptest::collection::vec((0u8..3, 1u64..30), 0..80),
        ) {
            let mut line = Line::default();
            let mut model: Vec<Asked<u64>> = Vec::new();
            for (birth, until) in births {
                let is_new = model.iter().all(|other| other.birth != birth);
                prop_assert_eq!(line.push(asked(birth, until)).is_ok(), is_new);
                if is_new {
                    model.push(asked(birth, until));
                }
            }
            for (now, (step, birth)) in steps.into_iter().enumerate() {
                let now = now as i64;
                let (found, at) = match step {
                    0 => (line.next(), (!model.is_empty()).then_some(0)),
                    1 => (line.call_off(birth), model.iter().position(|other| other.birth == birth)),
                    _ => (line.late(now), model.iter().position(|other| other.until.is_over(now))),
                };
                prop_assert_eq!(found, at.map(|at| model.remove(at)));
                prop_assert_eq!(line.is_empty(), model.is_empty());
            }
        }
    }
}
