//! When one who waits for a lock looks again, if nothing wakes him before: pure, the time is told.
//!
//! Traps.
//! - **An event can be missed**: on a network file system nobody tells what another machine does, and a lock that a copy of a dead host holds ends
//!   without one. So there is always a next look, seldom, and at no fixed distance, or all who wait would look at once.
//! - **The end of a killed holder is told an instant before its lock ends** (`sys/lockwatch.rs`): so a look in vain after that is followed by two soon.
//! - **Who may write the file can wake all who wait, as often as he likes**: beyond a count in one period the watch is not heeded for a moment.

use crate::clock::MILLI;
use crate::sys::lockwatch::Told;
use crate::sys::poll::PAUSE;

/// The seldom looks: the first distance where the file is watched, and where it is not.
const SLOW: i64 = 250 * MILLI;
const UNWATCHED: i64 = 20 * MILLI;
/// They grow up to this.
const SLOWEST: i64 = 1000 * MILLI;
/// After an end that may not have been one yet.
const SOON: [i64; 2] = [MILLI, 8 * MILLI];
/// Looks in vain in one [`PERIOD`] after which the watch rests.
const MOST: u32 = 256;
const PERIOD: i64 = 250 * MILLI;

/// When to look next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// At the latest.
    pub at: i64,
    /// And as soon as the watch tells something.
    pub heeds_watch: bool,
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Pace {
    slow: i64,
    /// When the next seldom look is due, whatever happens before.
    slow_at: i64,
    /// How many of [`SOON`] have been.
    soon: usize,
    vain: u32,
    period: i64,
    dice: u64,
}

impl Pace {
    /// For one who begins to wait now. `seed`: what differs from others who do.
    pub fn new(seed: u64, now: i64) -> Self {
        Self { slow: 0, slow_at: now, soon: SOON.len(), vain: 0, period: now, dice: seed }
    }

    /// It was looked in vain, because of this.
    pub fn in_vain(&mut self, told: Told, is_watched: bool, now: i64) -> Next {
        if now.saturating_sub(self.period) >= PERIOD {
            (self.vain, self.period) = (0, now);
        }
        match told {
            Told::Nothing => {}
            Told::Closed => self.soon = 0,
            Told::Touched | Told::Moved => self.soon = SOON.len(),
        }
        if now >= self.slow_at {
            let first = if is_watched { SLOW } else { UNWATCHED };
            self.slow = (self.slow * 2).clamp(first, SLOWEST);
            self.slow_at = now.saturating_add(self.jittered(self.slow));
        }
        if told != Told::Nothing {
            self.vain += 1;
            if self.vain > MOST {
                return Next { at: self.slow_at.min(now.saturating_add(PAUSE)), heeds_watch: false };
            }
        }
        let soon = SOON.get(self.soon).map_or(i64::MAX, |distance| now.saturating_add(*distance));
        self.soon = (self.soon + 1).min(SOON.len());
        Next { at: self.slow_at.min(soon), heeds_watch: true }
    }

    /// Three quarters of it to five.
    fn jittered(&mut self, nanos: i64) -> i64 {
        // splitmix64
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.dice;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        nanos - nanos / 4 + ((word >> 33) as i64) % (nanos / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seldom_looks_grow_to_a_second_and_are_never_far() {
        for (is_watched, first) in [(true, SLOW), (false, UNWATCHED)] {
            let (mut pace, mut now, mut distances) = (Pace::new(7, 100), 100, Vec::new());
            for _ in 0..20 {
                let next = pace.in_vain(Told::Nothing, is_watched, now);
                assert!(next.heeds_watch);
                distances.push(next.at - now);
                now = next.at;
            }
            assert!(distances[0] >= first * 3 / 4 && distances[0] <= first * 5 / 4, "{distances:?}");
            assert!(distances.iter().all(|distance| *distance <= SLOWEST * 5 / 4));
            assert!(distances[10..].iter().all(|distance| *distance >= SLOWEST * 3 / 4));
        }
    }

    #[test]
    fn two_who_wait_do_not_look_at_once() {
        let at = |seed| Pace::new(seed, 0).in_vain(Told::Nothing, true, 0).at;
        assert!((1..50).all(|seed| at(seed) != at(seed + 1)));
    }

    #[test]
    fn after_a_close_it_looks_soon_twice_and_after_a_release_it_does_not() {
        let mut pace = Pace::new(1, 0);
        let slow = pace.in_vain(Told::Nothing, true, 0).at;
        assert_eq!(pace.in_vain(Told::Touched, true, 10).at, slow);
        assert_eq!(pace.in_vain(Told::Closed, true, 10).at, 10 + SOON[0]);
        assert_eq!(pace.in_vain(Told::Nothing, true, 10 + SOON[0]).at, 10 + SOON[0] + SOON[1]);
        assert_eq!(pace.in_vain(Told::Nothing, true, 10 + SOON[0] + SOON[1]).at, slow);
    }

    #[test]
    fn events_without_end_do_not_put_the_seldom_look_off_and_are_paced() {
        let (mut pace, mut now, mut looks, mut seldom) = (Pace::new(1, 0), 0, 0, 0);
        let mut slow_at = pace.in_vain(Told::Nothing, true, 0).at;
        while now < 10_000 * MILLI {
            looks += 1;
            if now >= slow_at {
                seldom += 1;
            }
            let next = pace.in_vain(Told::Closed, true, now);
            slow_at = pace.slow_at;
            // A stranger tells something each microsecond.
            now = if next.heeds_watch { now + 1000 } else { next.at };
        }
        assert!(seldom >= 7, "{seldom}");
        assert!(looks <= 40 * (i64::from(MOST) + PERIOD / PAUSE + 4), "{looks}");
    }
}
