//! Who gets which worker, from which preloader. Pure: the time is told, and what is to be done is answered.

mod words;

pub use self::words::{Action, Birth, End, Event, Id, Preloader, Unpromoted, Why};
use crate::clock::Deadline;

/// A preloader, its births, and those who want something of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    generation: u32,
    last_used: i64,
}

impl Machine {
    /// Nobody wants anything.
    pub fn new(now: i64) -> Self {
        Self { generation: 0, last_used: now }
    }

    /// Where the preloader is.
    pub fn preloader(&self) -> Preloader {
        Preloader::Absent
    }

    /// The generation of the last process that was started or promoted; 0: none was.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The generation of the one that is asked for workers, or starts.
    pub fn serving(&self) -> Option<u32> {
        None
    }

    /// When it was used last.
    pub fn last_used(&self) -> i64 {
        self.last_used
    }

    /// Until when somebody waits for its start.
    pub fn wanted_until(&self) -> Deadline {
        Deadline::PAST
    }

    /// How many wait at their gates.
    pub fn idle(&self) -> usize {
        0
    }

    /// When `Tick` has something to do.
    pub fn due(&self) -> Deadline {
        Deadline::NEVER
    }

    /// What this leads to.
    pub fn step(&mut self, _event: Event, _now: i64) -> Vec<Action> {
        Vec::new()
    }
}
