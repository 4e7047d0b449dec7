//! Whether a child is stopped (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU), looked for from time to time: which looks are taken, and what is told. Pure.
//!
//! | it stands as | a look says     | it stands as then | told                  |
//! |--------------|-----------------|-------------------|-----------------------|
//! | going        | going           | going             | -                     |
//! | going        | stopped by s    | stopped by s      | STOPPED s             |
//! | stopped by s | stopped by s    | stopped by s      | -                     |
//! | stopped by s | stopped somehow | stopped by s      | -                     |
//! | stopped by s | stopped by t    | stopped by t      | CONTINUED, STOPPED t  |
//! | stopped by s | going           | going             | CONTINUED             |
//! | any          | hidden          | the same          | -                     |
//! | any          | older than the last | the same      | -                     |
//!
//! Traps. A look sees what is, not what was: **what came and went between two looks is not told**, and what is told is always one after the other, a
//! stop first. A stop after a stop is known by its signal alone: the process went in between. Two threads may look at once, and the one that looked
//! first may be the last to say so: an older look counts for nothing.
//!
//! And **a child chooses how often it stops**: so nothing is kept here of what was not told but how it stands, told and now. Who is told late is told
//! the difference.
//!
//! A look is one system call where the kernel has its word, or nothing was ever stopped. The thorough one, which finds a stop whose word somebody has
//! taken, costs some more: it is taken while the child is known to be stopped (else a word that was taken would be a continue), and once a second.

use crate::clock::{Deadline, MILLI};
use crate::sys::stopped::{SOMEHOW, Seen};

/// So often a look is thorough, at the most.
const THOROUGH_EVERY: i64 = 1_000 * MILLI;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Going,
    Stopped(i32),
}

/// What is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It was stopped, by this signal or [`SOMEHOW`].
    Stopped(i32),
    /// It goes on.
    Continued,
}

/// A look that is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// When it was asked for.
    pub at: i64,
    /// Of both kinds.
    pub thorough: bool,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Stops {
    interval: i64,
    due: Deadline,
    thorough_from: i64,
    now: State,
    /// Since when it is known to stand so.
    since: i64,
    last_look: i64,
    told: State,
}

impl Stops {
    /// Of a child that has just begun.
    pub fn new(interval: i64, now: i64) -> Self {
        Self {
            interval,
            due: Deadline::at(now).plus(interval),
            thorough_from: now.saturating_add(THOROUGH_EVERY),
            now: State::Going,
            since: now,
            last_look: i64::MIN,
            told: State::Going,
        }
    }

    /// When a look is due.
    pub fn due(&self) -> Deadline {
        self.due
    }

    /// The look that is due; the next one is an interval away from it.
    pub fn ask(&mut self, now: i64) -> Option<Look> {
        self.due.is_over(now).then(|| self.look(now, false))
    }

    /// A look out of turn.
    pub fn ask_now(&mut self, now: i64) -> Look {
        self.look(now, true)
    }

    fn look(&mut self, now: i64, thorough: bool) -> Look {
        self.due = Deadline::at(now).plus(self.interval);
        let thorough = thorough || self.now != State::Going || now >= self.thorough_from;
        if thorough {
            self.thorough_from = now.saturating_add(THOROUGH_EVERY);
        }
        Look { at: now, thorough }
    }

    /// What it has found.
    pub fn found(&mut self, look: Look, seen: Seen) {
        if look.at < self.last_look {
            return;
        }
        self.last_look = look.at;
        let next = match (self.now, seen) {
            (now, Seen::Hidden) | (now @ State::Stopped(_), Seen::Stopped(SOMEHOW)) => now,
            (_, Seen::Going) => State::Going,
            (_, Seen::Stopped(signal)) => State::Stopped(signal),
        };
        if next != self.now {
            (self.now, self.since) = (next, look.at);
        }
    }

    /// The signal by which it is known to be stopped.
    pub fn signal(&self) -> Option<i32> {
        if let State::Stopped(signal) = self.now { Some(signal) } else { None }
    }

    /// Whether there is something to tell.
    pub fn has_news(&self) -> bool {
        self.told != self.now
    }

    /// The next thing to tell, and since when it is so.
    pub fn take_news(&mut self) -> Option<(News, i64)> {
        let news = match (self.told, self.now) {
            (told, now) if told == now => return None,
            (State::Going, State::Stopped(signal)) => News::Stopped(signal),
            (State::Stopped(_), _) => News::Continued,
            (State::Going, State::Going) => return None,
        };
        self.told = if news == News::Continued { State::Going } else { self.now };
        Some((news, self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use News::{Continued, Stopped};

    const INTERVAL: i64 = 10 * MILLI;

    fn begun() -> Stops {
        Stops::new(INTERVAL, 0)
    }

    fn told(stops: &mut Stops) -> Vec<News> {
        std::iter::from_fn(|| stops.take_news()).map(|(news, _)| news).collect()
    }

    fn look(stops: &mut Stops, at: i64, seen: Seen) -> Vec<News> {
        stops.found(Look { at, thorough: true }, seen);
        assert_eq!(stops.has_news(), stops.told != stops.now);
        told(stops)
    }

    #[test]
    fn each_row_of_the_table() {
        let mut stops = begun();
        assert_eq!(look(&mut stops, 1, Seen::Going), []);
        assert_eq!(look(&mut stops, 2, Seen::Stopped(19)), [Stopped(19)]);
        assert_eq!(look(&mut stops, 3, Seen::Stopped(19)), []);
        assert_eq!(look(&mut stops, 4, Seen::Stopped(SOMEHOW)), []);
        assert_eq!(look(&mut stops, 5, Seen::Hidden), []);
        assert_eq!(look(&mut stops, 6, Seen::Stopped(20)), [Continued, Stopped(20)]);
        assert_eq!(look(&mut stops, 7, Seen::Going), [Continued]);
        assert_eq!(look(&mut stops, 6, Seen::Stopped(19)), [], "an older look");
        assert_eq!(look(&mut stops, 8, Seen::Stopped(SOMEHOW)), [Stopped(SOMEHOW)]);
        assert_eq!(look(&mut stops, 9, Seen::Stopped(21)), [Continued, Stopped(21)]);
    }

    #[test]
    fn who_is_told_late_is_told_the_difference() {
        let mut stops = begun();
        for (at, seen) in [Seen::Stopped(19), Seen::Going, Seen::Stopped(20), Seen::Going].into_iter().enumerate() {
            stops.found(Look { at: at as i64, thorough: true }, seen);
        }
        assert_eq!(told(&mut stops), []);
        stops.found(Look { at: 5, thorough: true }, Seen::Stopped(19));
        assert_eq!(stops.take_news(), Some((Stopped(19), 5)));
        stops.found(Look { at: 6, thorough: true }, Seen::Going);
        stops.found(Look { at: 7, thorough: true }, Seen::Stopped(22));
        assert_eq!(told(&mut stops), [Continued, Stopped(22)]);
    }

    #[test]
    fn looks_are_an_interval_apart_and_thorough_where_that_tells_more() {
        let mut stops = begun();
        assert_eq!(stops.ask(INTERVAL - 1), None);
        assert_eq!(stops.ask(INTERVAL), Some(Look { at: INTERVAL, thorough: false }));
        assert_eq!(stops.due(), Deadline::at(2 * INTERVAL));
        assert_eq!(stops.ask(INTERVAL), None, "another thread takes it");
        assert!(stops.ask(THOROUGH_EVERY).is_some_and(|look| look.thorough));
        assert!(stops.ask(THOROUGH_EVERY + INTERVAL).is_some_and(|look| !look.thorough));
        assert!(stops.ask_now(THOROUGH_EVERY + INTERVAL).thorough);
        stops.found(Look { at: THOROUGH_EVERY + INTERVAL, thorough: true }, Seen::Stopped(19));
        assert!(stops.ask(THOROUGH_EVERY + 2 * INTERVAL).is_some_and(|look| look.thorough), "while it is stopped");
    }

    proptest::proptest! {
        /// Whatever is seen, and however seldom it is told: a stop first, then one after the other.
        #[test]
        fn what_is_told_alternates(looks in proptest::collection::vec((-1i32..4, proptest::prelude::any::<bool>()), 0..60)) {
            let (mut stops, mut stopped) = (begun(), false);
            for (at, (signal, tells)) in looks.into_iter().enumerate() {
                let seen = match signal { 0 => Seen::Going, 3 => Seen::Hidden, signal => Seen::Stopped(signal) };
                stops.found(Look { at: at as i64, thorough: true }, seen);
                for news in if tells { told(&mut stops) } else { Vec::new() } {
                    proptest::prop_assert_eq!(matches!(news, Stopped(_)), !stopped);
                    stopped = !stopped;
                }
            }
        }
    }
}
