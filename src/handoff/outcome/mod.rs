//! What came of a handoff: who handed over to whom, when each step was taken, how many connections went along, and, where it came to nothing, why
//! and how far it had come. Pure data, the same in every way in: what two generations have done by themselves, and what a supervisor has done
//! with a daemon that knows nothing of this.
//!
//! The trap: nobody sees all of it. The old generation knows when it sealed, the new one when it served, and each may die at any moment. So each
//! writes down what it sees itself and tells the other as it goes along ([`Outcome::learn_of_new`]): whoever owns in the end has the whole, or what there
//! ever was of it. Everything that comes from the other side is display only; nothing is decided by it.
//!
//! | file        | what                                                        |
//! |-------------|-------------------------------------------------------------|
//! | `mod.rs`    | the record                                                  |
//! | `build.rs`  | which build a generation is                                 |
//! | `bytes.rs`  | the record in messages                                      |
//! | `kept.rs`   | the one under way, and the last ones                        |
//! | `render.rs` | for people and programs: text, JSON, a page with a timeline |

mod build;
mod bytes;
mod kept;
mod render;

pub use build::BuildId;
pub use kept::{KEPT, Kept};

use super::machine::Mode;
use super::machine::standing::Standing;
use crate::error::Status;

/// The longest words that are kept, bytes.
pub const LONGEST_WORDS: usize = 512;

/// A moment that is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Step {
    /// The successor has said that it is there.
    Greeted = 0,
    /// It has everything that is handed on.
    Offered = 1,
    /// It has loaded everything.
    Warm = 2,
    /// The old generation's background work has ended.
    Drained = 3,
    /// The old generation has stopped: SEAL was answered.
    Sealed = 4,
    /// The successor owns.
    Committed = 5,
    /// The successor serves: LIVE was answered.
    Live = 6,
    /// The successor stands alone.
    Settled = 7,
}

/// How many they are.
pub const STEPS: usize = 8;

/// Connections, as far as they were counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Connections {
    /// Open at DRAIN, by the word of the old generation.
    pub open: u32,
    /// Passed on to the successor.
    pub passed: u32,
    /// Of those the successor has taken so many; the others were closed.
    pub taken: u32,
    /// Left with the old generation at RETIRE: open at DRAIN, and not passed on.
    pub left: u32,
}

/// The record of one handoff.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Which handoff: the same number on both sides.
    pub id: u64,
    /// The successor owns.
    pub committed: bool,
    /// Why it came to nothing; `Ok` if it did not.
    pub reason: Status,
    /// The same in words, at most [`LONGEST_WORDS`]; they may be the other side's.
    pub words: String,
    /// How far it came: where it ended.
    pub phase: Standing,
    /// How it went.
    pub mode: Mode,
    /// The old generation was gone before it had sealed, or the new one was given up after it may have written: recovery was needed.
    pub unsealed: bool,
    /// The old generation's process.
    pub old_pid: i32,
    /// The successor's; 0 if there never was one.
    pub new_pid: i32,
    /// The generation that handed over.
    pub old_generation: u64,
    /// The successor's; 0: it never owned.
    pub new_generation: u64,
    /// Which build the old one is.
    pub old_build: BuildId,
    /// Which build the new one is.
    pub new_build: BuildId,
    /// When it began: a time stamp.
    pub began: i64,
    /// The same as nanoseconds since 1970.
    pub began_realtime: i64,
    /// When each step was taken, as time stamps, by [`Step`]; 0: it was not, or nobody knows.
    pub times: [i64; STEPS],
    /// When it was over; 0: it is not.
    pub ended: i64,
    /// What became of the connections.
    pub connections: Connections,
}

impl Outcome {
    /// One that begins now; the rest is filled in as it comes about.
    pub fn begin(id: u64, mode: Mode, began: i64, began_realtime: i64) -> Self {
        Self {
            id,
            committed: false,
            reason: Status::Ok,
            words: String::new(),
            phase: Standing::Loading,
            mode,
            unsealed: false,
            old_pid: 0,
            new_pid: 0,
            old_generation: 0,
            new_generation: 0,
            old_build: BuildId::default(),
            new_build: BuildId::default(),
            began,
            began_realtime,
            times: [0; STEPS],
            ended: 0,
            connections: Connections::default(),
        }
    }

    /// When this step was taken; 0: it was not.
    pub fn at(&self, step: Step) -> i64 {
        self.times[step as usize]
    }

    /// It is taken now. The first time counts.
    pub fn reach(&mut self, step: Step, now: i64) {
        let time = &mut self.times[step as usize];
        if *time == 0 {
            *time = now;
        }
    }

    /// The successor owns, and nothing can change that any more.
    pub fn commit(&mut self, now: i64) {
        (self.committed, self.reason, self.phase) = (true, Status::Ok, Standing::Settled);
        self.words.clear();
        self.ended = now;
    }

    /// It came to nothing.
    pub fn abort(&mut self, reason: Status, words: &str, now: i64) {
        (self.committed, self.reason) = (false, reason);
        self.words = shortened(words).to_owned();
        self.ended = now;
    }

    /// How long nobody served, nanoseconds: from SEAL's answer to LIVE's, or to the return. 0 in overlap mode, where somebody always does, and
    /// where it is not known.
    pub fn gap(&self) -> i64 {
        let (from, until) = (self.at(Step::Sealed), self.at(Step::Live));
        let until = if self.committed { until } else { self.ended };
        if self.mode == Mode::Overlap || from == 0 || until == 0 { 0 } else { until.saturating_sub(from).max(0) }
    }

    /// Takes over what the old generation says of its side: its half. Its times are the true ones, so both records are the same in the end.
    pub fn learn_of_old(&mut self, half: &Self) {
        use Step::*;
        fill(&mut self.old_build, &half.old_build);
        for step in [Greeted, Offered, Warm, Drained, Sealed, Committed] {
            self.take_time(step, half);
        }
        fill(&mut self.old_generation, &half.old_generation);
        (self.connections.open, self.connections.passed) = (half.connections.open, half.connections.passed);
        self.connections.left = half.connections.left;
        // It has counted the time from the spawn on.
        if (1..=self.began).contains(&half.began) {
            (self.began, self.began_realtime) = (half.began, half.began_realtime);
        }
    }

    /// The same of the new one.
    pub fn learn_of_new(&mut self, half: &Self) {
        fill(&mut self.new_build, &half.new_build);
        for step in [Step::Live, Step::Settled] {
            self.take_time(step, half);
        }
        self.connections.taken = half.connections.taken;
    }

    /// Its time for this step is the one, if it knows it.
    fn take_time(&mut self, step: Step, half: &Self) {
        let time = half.at(step);
        if time != 0 {
            self.times[step as usize] = time;
        }
    }
}

fn fill<T: Default + PartialEq + Clone>(place: &mut T, value: &T) {
    if *place == T::default() {
        place.clone_from(value);
    }
}

/// At most [`LONGEST_WORDS`].
fn shortened(words: &str) -> &str {
    let end = (0..=words.len().min(LONGEST_WORDS)).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
    &words[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One in which every field has a value of its own.
    pub fn sample() -> Outcome {
        Outcome {
            id: 7 << 24 | 3,
            committed: true,
            reason: Status::Ok,
            words: "gr\u{fc}n".to_owned(),
            phase: Standing::Settled,
            mode: Mode::Exclusive,
            unsealed: true,
            old_pid: 11,
            new_pid: 12,
            old_generation: 7,
            new_generation: 8,
            old_build: BuildId::from_bytes(b"v1").unwrap(),
            new_build: BuildId::from_bytes(b"v2 <b>").unwrap(),
            began: 1_000,
            began_realtime: 5_000_000,
            times: [1_010, 1_020, 1_030, 1_040, 1_050, 1_060, 1_090, 2_000],
            ended: 2_000,
            connections: Connections { open: 9, passed: 6, taken: 5, left: 3 },
        }
    }

    #[test]
    fn the_gap_is_from_seal_to_live_or_to_the_return() {
        let mut outcome = sample();
        assert_eq!(outcome.gap(), 40);
        outcome.mode = Mode::Overlap;
        assert_eq!(outcome.gap(), 0);
        outcome.mode = Mode::Exclusive;
        outcome.abort(Status::Timeout, "late", 1_250);
        assert_eq!((outcome.gap(), outcome.committed), (200, false));
        outcome.times[Step::Sealed as usize] = 0;
        assert_eq!(outcome.gap(), 0, "nobody stopped");
        outcome.times[Step::Sealed as usize] = i64::MAX;
        assert_eq!(outcome.gap(), 0, "a clock of another time namespace");
    }

    #[test]
    fn each_half_fills_in_what_the_other_cannot_see() {
        let whole = sample();
        let blank = || Outcome::begin(whole.id, Mode::Exclusive, 1_005, 5_000_005);
        let mut new = blank();
        new.reach(Step::Live, 1_090);
        new.learn_of_old(&whole);
        assert_eq!((new.old_build, new.at(Step::Sealed), new.connections.open, new.began), (whole.old_build, 1_050, 9, 1_000));
        assert_eq!((new.new_build, new.at(Step::Settled)), (BuildId::default(), 0), "not the old one's to say");
        let mut old = blank();
        old.reach(Step::Live, 1_095);
        old.learn_of_new(&whole);
        assert_eq!((old.new_build, old.at(Step::Live), old.connections.taken, old.at(Step::Sealed)), (whole.new_build, 1_090, 5, 0));
    }
}
